//! `env.sh`: NCCL's environment, from `[nccl]` and the fabric.

use std::fmt::Write as _;

use cluster::ScaleUpSpec;
use predict::Scenario;
use profile::{Algorithm, Protocol};
use units::GpuId;

use super::{Options, header};
use crate::bundle::LaunchFile;

/// Variables with their values, and why each is set.
type Variables = Vec<(&'static str, String, &'static str)>;

/// `env.sh`. What is set already is kept.
pub(crate) fn script(
    scenario: &Scenario,
    options: &Options,
    warnings: &mut Vec<String>,
) -> LaunchFile {
    let mut text = String::from("#!/usr/bin/env bash\n");
    text.push_str(&header::lines(scenario, header::NCCL));
    text.push_str("# Read by the other scripts; a variable that is set already is kept.\n");
    let mut variables = chosen(scenario, options, warnings);
    variables.extend(of_fabric(scenario));
    for (name, value, why) in variables {
        let _ = write!(text, "\n# {why}\nexport {name}=\"${{{name}:-{value}}}\"\n");
    }
    LaunchFile::data("env.sh", text)
}

/// What `[nccl]` chose.
fn chosen(scenario: &Scenario, options: &Options, warnings: &mut Vec<String>) -> Variables {
    let (choice, mut out) = (&scenario.settings.choice, Variables::new());
    match choice.algorithm.map(nccl_algorithm) {
        Some(Some(name)) => out.push(("NCCL_ALGO", name.to_owned(), "nccl.algo")),
        Some(None) => warnings.push("NCCL_ALGO has no name for grouped sends".to_owned()),
        None => {}
    }
    if let Some(protocol) = choice.protocol {
        out.push((
            "NCCL_PROTO",
            nccl_protocol(protocol).to_owned(),
            "nccl.proto",
        ));
    }
    if choice.collnet {
        out.push(("NCCL_COLLNET_ENABLE", "1".to_owned(), "nccl.collnet"));
    }
    if let Some(channels) = options.channels {
        out.push(("NCCL_MIN_NCHANNELS", channels.to_string(), "nccl.channels"));
        out.push(("NCCL_MAX_NCHANNELS", channels.to_string(), "nccl.channels"));
    }
    if let Some(qps) = options.qps {
        out.push(("NCCL_IB_QPS_PER_CONNECTION", qps.to_string(), "nccl.qps"));
    }
    out
}

/// What the fabric asks for.
fn of_fabric(scenario: &Scenario) -> Variables {
    let (cluster, mut out) = (&scenario.cluster, Variables::new());
    if 1 < cluster.n_nodes() {
        match cluster.network() {
            Some("efa" | "efa-1" | "efa-3") => {
                out.push(("FI_PROVIDER", "efa".to_owned(), "the fabric is EFA"));
            }
            Some("ena") => out.push((
                "NCCL_IB_DISABLE",
                "1".to_owned(),
                "the fabric is Ethernet without RDMA",
            )),
            _ if cluster.fabric_name() == "roce" => out.push((
                "NCCL_IB_GID_INDEX",
                "3".to_owned(),
                "the fabric is RoCE; 3 is RoCE v2 on most hosts: see show_gids",
            )),
            _ => {}
        }
    }
    if let ScaleUpSpec::NvSwitch { domain_nodes, .. } = cluster.scale_up(GpuId::new(0))
        && 1 < *domain_nodes
    {
        out.push((
            "NCCL_MNNVL_ENABLE",
            "1".to_owned(),
            "NVLink reaches over several nodes",
        ));
    }
    out
}

/// An algorithm as `NCCL_ALGO` has it; none where it has no name there.
pub const fn nccl_algorithm(algorithm: Algorithm) -> Option<&'static str> {
    Some(match algorithm {
        Algorithm::Tree => "Tree",
        Algorithm::Ring => "Ring",
        Algorithm::CollNetDirect => "CollNetDirect",
        Algorithm::CollNetChain => "CollNetChain",
        Algorithm::Nvls => "NVLS",
        Algorithm::NvlsTree => "NVLSTree",
        Algorithm::Pat => "PAT",
        Algorithm::Pairs => return None,
    })
}

/// A protocol as `NCCL_PROTO` has it.
pub const fn nccl_protocol(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Ll => "LL",
        Protocol::Ll128 => "LL128",
        Protocol::Simple => "Simple",
    }
}
