//! From flows to CSV.

use std::fmt::Write as _;
use std::io::{self, Write};

use traffic::{FlowId, Flows};
use units::HostId;

use super::error::header;
use super::ids::FlowIds;
use super::seconds;

/// Text that is collected before it is written.
const CHUNK: usize = 64 << 10;

/// Writes a list of flows; what is written reads back equal.
///
/// * `ids` — one for every flow.
/// * `host_name` — the name of a host, asked once for every host.
///
/// # Errors
///
/// Where the output fails.
pub fn write(
    mut out: impl Write,
    flows: &Flows,
    ids: &FlowIds,
    mut host_name: impl FnMut(HostId) -> String,
) -> io::Result<()> {
    let mut names: Vec<String> = Vec::new();
    let mut text = header();
    text.push('\n');
    for (id, flow) in flows.iter() {
        push_cell(&ids.get(id), &mut text);
        for host in [flow.src, flow.dst] {
            text.push(',');
            push_cell(name(host, &mut names, &mut host_name), &mut text);
        }
        // Writing to a string cannot fail.
        let _ = write!(text, ",{},", flow.bytes.as_u64());
        seconds::push(flow.start, &mut text);
        text.push(',');
        push_waits(flows.after(id), ids, &mut text);
        text.push('\n');
        if CHUNK <= text.len() {
            out.write_all(text.as_bytes())?;
            text.clear();
        }
    }
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// The name of a host, kept for the next flow; an empty one was not asked for yet.
fn name<'n>(
    host: HostId,
    names: &'n mut Vec<String>,
    host_name: &mut impl FnMut(HostId) -> String,
) -> &'n str {
    if names.len() <= host.index() {
        names.resize(host.index() + 1, String::new());
    }
    let name = &mut names[host.index()];
    if name.is_empty() {
        *name = host_name(host);
    }
    name
}

fn push_waits(after: &[u32], ids: &FlowIds, text: &mut String) {
    let ids: Vec<_> = after
        .iter()
        .map(|&flow| ids.get(FlowId::new(flow)))
        .collect();
    match ids.as_slice() {
        [] => {}
        [one] => push_cell(one, text),
        several => push_cell(&several.join(";"), text),
    }
}

fn push_cell(cell: &str, text: &mut String) {
    if cell.contains([',', '"']) || cell.trim_ascii() != cell {
        let _ = write!(text, "\"{}\"", cell.replace('"', "\"\""));
    } else {
        text.push_str(cell);
    }
}
