//! `nccl.env`: what NCCL can be told of ways, queue pairs and channels.
//!
//! Meanings and defaults are those of NCCL 2.30: one queue pair a connection, whole messages on
//! each in turn, adaptive routing on `InfiniBand` and not on `RoCE`.

use std::fmt::Write as _;

use launch::{nccl_algorithm, nccl_protocol, shell};
use traffic::Policy;

use super::{NetworkBundle, NetworkFile};
use crate::Opened;
use crate::network::Traffic;
use crate::network::candidates::Candidate;
use format::how_cut;

/// Variables with their values, and what each is for.
type Variables = Vec<(&'static str, String, String)>;

/// The file, from `[nccl]` and `[network]`.
pub(super) fn bundle(opened: &Opened, traffic: Option<&Traffic>) -> NetworkBundle {
    let mut warnings = Vec::new();
    let mut variables = ways(opened, traffic, &mut warnings);
    variables.extend(chosen(opened, &mut warnings));
    if variables.is_empty() {
        let text = "neither [nccl] nor network.load_balancing says anything: nccl.env is empty";
        warnings.push(text.to_owned());
    }
    let name = shell::comment(&opened.name);
    let mut text = format!(
        "# NCCL's environment for {name}, written by windtunnel.\n\
         # Read it with `set -a; . ./nccl.env; set +a` on every node before the job starts, or\n\
         # append it to /etc/nccl.conf, which NCCL reads itself.\n"
    );
    for warning in &warnings {
        let _ = writeln!(text, "# Note: {}", shell::comment(warning));
    }
    for (name, value, why) in variables {
        let _ = write!(text, "\n# {why}\n{name}={value}\n");
    }
    NetworkBundle {
        files: vec![NetworkFile::text("nccl.env", text)],
        warnings,
    }
}

/// What the load balancing asks for.
fn ways(opened: &Opened, traffic: Option<&Traffic>, warnings: &mut Vec<String>) -> Variables {
    let (network, nccl) = (&opened.spec.network, &opened.spec.nccl);
    let Some(policy) = network.load_balancing else {
        let pairs = nccl.qps.map(|pairs| queue_pairs(pairs, "nccl.qps"));
        return pairs.into_iter().collect();
    };
    let candidate = Candidate::own(policy, network, nccl);
    let mut out = Variables::new();
    match policy {
        "ecmp-k" => {
            let k = candidate.queue_pairs.unwrap_or(1);
            let why = "queue pairs of a connection: switches hash each to a way of its own";
            out.push(queue_pairs(k, why));
            out.push(split(true));
        }
        "singlepath" => {
            let pieces = traffic
                .map(|traffic| traffic.most_pieces(Policy::SinglePath(how_cut(network))))
                .or(nccl.qps)
                .unwrap_or(1);
            let why = "queue pairs of a connection: as many as the most pieces of a flow";
            out.push(queue_pairs(pieces, why));
            out.push(split(false));
            warnings.push(
                "NCCL cannot be told which queue pair takes which way: `--to flow-table` says it to \
                 switches or NICs"
                    .to_owned(),
            );
            if 1 < pieces {
                warnings.push(
                    "NCCL cuts a message into equal parts over all queue pairs or not at all: pieces \
                     of the sizes in the flow table need a sender that cuts so"
                        .to_owned(),
                );
            }
        }
        _ => {
            let (pairs, why) = match nccl.qps {
                Some(pairs) => (pairs, "nccl.qps"),
                None => (1, "queue pairs of a connection: one, NCCL's default"),
            };
            out.push(queue_pairs(pairs, why));
            out.push(split(false));
        }
    }
    out.extend(routing(&candidate, warnings));
    out
}

/// Whether packets may take different ways, and what of it switches must do.
fn routing(candidate: &Candidate, warnings: &mut Vec<String>) -> Variables {
    const NAME: &str = "NCCL_IB_ADAPTIVE_ROUTING";
    match candidate.policy {
        _ if candidate.cuts_packets() => {
            warnings.push(format!(
                "{} needs switches or NICs that spread packets and NICs that place them out of \
                 order: NCCL only keeps small writes apart from data",
                candidate.policy
            ));
            let why = "packets overtake each other: small writes go apart from data (default: 1 on \
                       InfiniBand, 0 on RoCE)";
            vec![(NAME, "1".to_owned(), why.to_owned())]
        }
        "flowlet" | "adaptive-flow" => {
            warnings.push(format!(
                "{} is set up in switches: NCCL cannot be told",
                candidate.policy
            ));
            Variables::new()
        }
        "static" | "ecmp" | "ecmp-k" | "singlepath" => {
            let why = "packets of a queue pair keep one way (default: 1 on InfiniBand, 0 on RoCE)";
            vec![(NAME, "0".to_owned(), why.to_owned())]
        }
        _ => Variables::new(),
    }
}

fn queue_pairs(pairs: u32, why: &str) -> (&'static str, String, String) {
    let name = "NCCL_IB_QPS_PER_CONNECTION";
    (name, pairs.to_string(), why.to_owned())
}

fn split(is_cut: bool) -> (&'static str, String, String) {
    let why = if is_cut {
        "every message is cut over all queue pairs"
    } else {
        "messages stay whole; queue pairs take them in turn"
    };
    let value = u8::from(is_cut).to_string();
    ("NCCL_IB_SPLIT_DATA_ON_QPS", value, why.to_owned())
}

/// What `[nccl]` chose.
fn chosen(opened: &Opened, warnings: &mut Vec<String>) -> Variables {
    let (nccl, mut out) = (&opened.spec.nccl, Variables::new());
    if let Some(channels) = nccl.channels {
        for (name, what) in [
            ("NCCL_MIN_NCHANNELS", "at least"),
            ("NCCL_MAX_NCHANNELS", "at most"),
        ] {
            let why = format!("parallel rings or trees, {what}: nccl.channels");
            out.push((name, channels.to_string(), why));
        }
    }
    match nccl.algorithm.map(nccl_algorithm) {
        Some(Some(name)) => out.push((
            "NCCL_ALGO",
            name.to_owned(),
            "the only algorithm: nccl.algo".to_owned(),
        )),
        Some(None) => warnings.push("NCCL_ALGO has no name for grouped sends".to_owned()),
        None => {}
    }
    if let Some(protocol) = nccl.protocol {
        out.push((
            "NCCL_PROTO",
            nccl_protocol(protocol).to_owned(),
            "the only protocol: nccl.proto".to_owned(),
        ));
    }
    if nccl.collnet == Some(true) {
        out.push((
            "NCCL_COLLNET_ENABLE",
            "1".to_owned(),
            "switches reduce (SHARP): nccl.collnet".to_owned(),
        ));
    }
    out
}
