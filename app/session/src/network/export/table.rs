//! `flow_table.csv`: the way of every piece of every flow.
//!
//! ```text
//! flow,src,dst,piece,queue_pair,bytes,way,links
//! 0,n0,n4,0,0,4194304,1,n0nic0->l0 up;l0->s1 up;l1->s1 down;n4nic0->l1 down
//! ```
//!
//! A link is named as everywhere: its cable, and the direction.
//!
//! Pieces and queue pairs of a flow count from 0, ways as the fabric counts those between two
//! hosts. A flow of several steps has the bytes of one step: all of them go the same way.

use std::fmt;
use std::io::{self, Write};
use std::sync::Arc;

use cluster::{Topology as _, WireName};
use format::Failure;
use traffic::{Balanced, Policy, Route, balance};
use units::LinkId;

use super::{NetworkBundle, NetworkFile};
use crate::Opened;
use crate::cell::csv_cell;
use crate::network::Traffic;
use format::{policy, usual_balancing};

/// Text that is collected before it is written.
const CHUNK: usize = 64 << 10;

/// The file, where every piece has one way.
pub(super) fn bundle(
    opened: &Opened,
    traffic: &Arc<Traffic>,
) -> Result<NetworkBundle, Vec<Failure>> {
    const FIELD: &str = "network.load_balancing";
    let (network, nccl) = (&opened.spec.network, &opened.spec.nccl);
    let usual = match traffic.rules {
        crate::Rules::Flow { .. } => "static",
        crate::Rules::Packet { .. } => usual_balancing(network.transport),
    };
    let name = network.load_balancing.unwrap_or(usual);
    let policy = policy(name, network, nccl);
    if matches!(policy, Policy::Spray | Policy::AdaptiveFlow) {
        let message =
            format!("{name} chooses ways as flows run, and a table has one for each piece");
        let hint = "give load_balancing = \"singlepath\", \"ecmp\", \"ecmp-k\" or \"static\"";
        return Err(vec![opened.refused(FIELD, message, Some(hint.to_owned()))]);
    }
    let mut warnings = Vec::new();
    if matches!(policy, Policy::Ecmp | Policy::EcmpK(_) | Policy::Flowlet(_)) {
        warnings.push(format!(
            "switches hash for themselves under {name}: the table has the ways that seed {} draws",
            traffic.seed
        ));
    }
    let balanced = balance(&traffic.fabric, &traffic.program, policy, traffic.seed);
    let traffic = Arc::clone(traffic);
    let file = NetworkFile::new("flow_table.csv", move |out| write(&traffic, &balanced, out));
    Ok(NetworkBundle {
        files: vec![file],
        warnings,
    })
}

fn write(traffic: &Traffic, balanced: &Balanced, out: &mut dyn Write) -> io::Result<()> {
    let fabric = &traffic.fabric;
    let mut text = String::from("flow,src,dst,piece,queue_pair,bytes,way,links\n");
    let mut names: Vec<Option<String>> = vec![None; fabric.n_links() as usize];
    let (mut last, mut piece) = (None, 0_u32);
    let mut links = Vec::new();
    for (stream, &flow) in balanced.program.streams().iter().zip(&balanced.origin) {
        piece = if last == Some(flow) { piece + 1 } else { 0 };
        last = Some(flow);
        let (src, dst) = (stream.src, stream.dst);
        let way = match stream.route {
            Route::Way(way) => way,
            _ => fabric.static_way(src, dst),
        };
        text.push_str(&csv_cell(&traffic.id(flow)));
        for host in [src, dst] {
            text.push(',');
            text.push_str(&csv_cell(&fabric.host_name(host)));
        }
        let bytes = stream.bytes.as_u64();
        // Writing to a string cannot fail.
        let _ = fmt::Write::write_fmt(&mut text, format_args!(",{piece},{piece},{bytes},{way},"));
        links.clear();
        if src != dst {
            fabric.way(src, dst, way, &mut links);
        }
        push_links(traffic, &links, &mut names, &mut text);
        text.push('\n');
        if CHUNK <= text.len() {
            out.write_all(text.as_bytes())?;
            text.clear();
        }
    }
    out.write_all(text.as_bytes())
}

/// * `names` — by link, what was asked for before.
fn push_links(
    traffic: &Traffic,
    links: &[LinkId],
    names: &mut [Option<String>],
    text: &mut String,
) {
    let mut cell = String::new();
    for &link in links {
        if !cell.is_empty() {
            cell.push(';');
        }
        let name = names[link.index()].get_or_insert_with(|| {
            let WireName { name, direction } = traffic.fabric.wire_name(link);
            format!("{name} {}", direction.name())
        });
        cell.push_str(name);
    }
    text.push_str(&csv_cell(&cell));
}
