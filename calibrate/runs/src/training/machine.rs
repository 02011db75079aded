//! GPUs, nodes and the fabric of a row.

use toml::{Table as Toml, Value};

use super::spelled::has_any;
use super::{Row, whole};
use crate::{Draft, Rule, RunsError};

/// A kind of node by what its row says: words of the GPU, words of the hardware, the node of the
/// zoo and its fabric.
struct Kind {
    gpu: &'static [&'static str],
    hardware: &'static [&'static str],
    node: &'static str,
    fabric: &'static str,
}

const fn kind(
    gpu: &'static [&'static str],
    hardware: &'static [&'static str],
    node: &'static str,
    fabric: &'static str,
) -> Kind {
    Kind {
        gpu,
        hardware,
        node,
        fabric,
    }
}

/// First match wins: rows that name their site stand before those that name a GPU alone.
const KINDS: &[Kind] = &[
    kind(&["gb300"], &[], "gb300-nvl72", "nvl72-rail-optimised"),
    kind(&["gb200"], &[], "gb200-nvl72", "nvl72-rail-optimised"),
    kind(&["b300"], &[], "dgx-b300", "rail-optimised"),
    kind(&["b200"], &["p6", "aws"], "p6-b200.48xlarge", "efa"),
    kind(
        &["b200"],
        &["a4-highgpu", "gcp", "google"],
        "a4-highgpu-8g",
        "roce",
    ),
    kind(&["b200"], &[], "dgx-b200", "rail-optimised"),
    kind(&["h200"], &["p5en", "p5e", "aws"], "p5en.48xlarge", "efa"),
    kind(
        &["h200"],
        &["a3-ultra", "gcp", "google"],
        "a3-ultragpu-8g",
        "roce",
    ),
    kind(&["h200"], &[], "dgx-h200", "rail-optimised"),
    kind(
        &["h100"],
        &["96gb", "96 gb", "grand teton"],
        "grand-teton-96gb",
        "meta-24k",
    ),
    kind(&["h100"], &["pcie"], "h100-pcie", "leaf-spine"),
    kind(&["h100 pcie", "h100-pcie"], &[], "h100-pcie", "leaf-spine"),
    kind(&["h100"], &["p5", "aws", "efa"], "p5.48xlarge", "efa"),
    kind(
        &["h100"],
        &["azure", "ndv5", "nd-h100"],
        "azure-nd-h100-v5",
        "azure-infiniband",
    ),
    kind(
        &["h100"],
        &["a3-mega", "gcp", "google"],
        "a3-megagpu-8g",
        "gcp-tcpxo",
    ),
    kind(&["h100"], &["meta", "llama 3"], "grand-teton", "meta-24k"),
    kind(&["h100"], &[], "dgx-h100", "rail-optimised"),
    kind(&["h800"], &[], "h800", "deepseek-8-planes"),
    kind(&["h20"], &[], "h20", "rail-optimised"),
    kind(
        &["a100"],
        &["800 gbps/node"],
        "a100-4x200",
        "rail-optimised",
    ),
    kind(&["a100"], &["jean zay"], "jean-zay-a100", "omni-path"),
    kind(&["a100"], &["roce"], "dgx-a100", "roce"),
    kind(&["a100"], &["selene", "superpod"], "dgx-a100", "selene"),
    kind(&["a100"], &["pcie"], "a100-pcie", "leaf-spine"),
    kind(&["a100-pcie", "a100 pcie"], &[], "a100-pcie", "leaf-spine"),
    kind(
        &["a100-40", "a100 40"],
        &["p4d", "aws"],
        "p4d.24xlarge",
        "efa",
    ),
    kind(&["a100"], &["p4d"], "p4d.24xlarge", "efa"),
    kind(&["a100"], &["p4de", "aws"], "p4de.24xlarge", "efa"),
    kind(
        &["a100"],
        &["ndm", "azure"],
        "azure-ndm-a100-v4",
        "azure-infiniband",
    ),
    kind(
        &["a100-40", "a100 40", "a100-sxm4-40"],
        &[],
        "dgx-a100-40gb",
        "rail-optimised",
    ),
    kind(&["a100", "a800"], &[], "dgx-a100", "rail-optimised"),
    kind(&["v100"], &["16gb"], "jean-zay-v100-16gb", "omni-path"),
    kind(&["v100"], &["jean zay"], "jean-zay-v100-32gb", "omni-path"),
    kind(&["v100"], &["p3.8x"], "p3.8xlarge", "ena"),
    kind(&["v100"], &["p3dn"], "p3dn.24xlarge", "ena"),
    kind(&["v100"], &["p3.16x"], "p3.16xlarge", "ena"),
    kind(&["v100"], &["dgx-2"], "dgx-2", "infiniband-edr"),
    kind(&["v100-16", "v100 16"], &[], "dgx-1v", "infiniband-edr"),
    kind(&["v100"], &[], "dgx-1v-32gb", "infiniband-edr"),
    kind(&["t4"], &["metal"], "g4dn.metal", "ena"),
    kind(&["t4"], &[], "g4dn.12xlarge", "ena"),
    kind(&["mi355"], &[], "mi355x", "rail-optimised"),
    kind(&["mi350"], &[], "mi350x", "rail-optimised"),
    kind(&["mi325"], &[], "mi325x", "rail-optimised"),
    kind(&["mi300"], &[], "mi300x", "rail-optimised"),
    kind(&["mi250"], &[], "frontier", "slingshot-frontier"),
    kind(&["l40"], &[], "l40s", "leaf-spine"),
    kind(&["l4"], &[], "l4", "leaf-spine"),
    kind(&["a10g", "a10"], &[], "a10", "leaf-spine"),
    kind(&["a30"], &[], "a30", "leaf-spine"),
    kind(&["a40", "a6000"], &[], "a40", "leaf-spine"),
    kind(&["4090"], &[], "rtx-4090", "leaf-spine"),
    kind(&["pro 6000", "pro-6000"], &[], "rtx-pro-6000", "leaf-spine"),
];

/// Nodes of the nearest GPU of one without a data sheet here: of its architecture; of no such, with
/// the nearest dense peak and memory bandwidth as the makers state them.
const NEAREST: &[Kind] = &[
    kind(&["b100"], &[], "dgx-b200", "rail-optimised"),
    kind(&["5090", "5080"], &[], "rtx-pro-6000", "leaf-spine"),
    kind(&[" ada", "-ada", "4080"], &[], "l40s", "leaf-spine"),
    kind(&["3090", "3080", "a5000"], &[], "a40", "leaf-spine"),
    kind(&["2080", "titan rtx", "rtx 8000"], &[], "g4dn.metal", "ena"),
    kind(&["p100", "titan v"], &[], "dgx-1v", "infiniband-edr"),
    kind(&["mi30"], &[], "mi300x", "rail-optimised"),
    kind(&["mi2", "mi100"], &[], "frontier", "slingshot-frontier"),
    kind(&["gaudi3", "gaudi 3"], &[], "mi300x", "rail-optimised"),
    kind(&["v5e", "v5 lite"], &[], "a30", "leaf-spine"),
    kind(&["v6e", "trillium"], &[], "h100-pcie", "leaf-spine"),
    kind(&["910c", "trn2"], &[], "dgx-h100", "rail-optimised"),
    kind(
        &["gaudi", "tpu", "v5p", "ascend", "910b"],
        &[],
        "dgx-a100",
        "rail-optimised",
    ),
];

const BY_GPU: Rule = Rule::new(
    "node-by-gpu",
    "the row names the GPU and no site: the vendor's reference node and a full-bisection fabric",
);
const UNKNOWN_GPU: Rule = Rule::new(
    "nearest-gpu",
    "no data sheet of this GPU: the nearest by architecture, else by peak and bandwidth; of an unknown one, the most common of training clusters",
);
const BY_DEGREES: Rule = Rule::new(
    "gpus-by-degrees",
    "the row contradicts itself: the product of its degrees is taken, not its number of GPUs",
);
const PER_NODE: Rule = Rule::new("gpus-per-node", "the row does not say it: all of a node's");
const RACKS: Rule = Rule::new(
    "racks-of-64",
    "jobs use 64 of the 72 GPUs of a rack, so that groups do not cross its border",
);
const ONE_NODE: Rule = Rule::new(
    "one-node",
    "the row has no number of GPUs: the product of its degrees, or one node",
);

/// Writes `[cluster]`; gives the number of GPUs.
pub(super) fn machine(row: &Row<'_>, draft: &mut Draft) -> Result<u64, RunsError> {
    let record = row.record;
    let (gpu, hardware) = (record.or_empty("gpu"), record.or_empty("hardware"));
    if gpu.eq_ignore_ascii_case("V100+T4") {
        return mixed(row, draft);
    }
    let of_site = |kind: &&Kind| {
        !kind.hardware.is_empty() && has_any(gpu, kind.gpu) && has_any(hardware, kind.hardware)
    };
    let of_gpu = |kind: &&Kind| kind.hardware.is_empty() && has_any(gpu, kind.gpu);
    let named = KINDS.iter().find(of_site);
    let plain = KINDS.iter().find(of_gpu);
    let is_dgx = has_any(hardware, &["dgx", "nvl72"]);
    let (node, fabric, rule) = match (named, plain) {
        (Some(kind), _) => (kind.node, kind.fabric, None),
        (None, Some(kind)) => (kind.node, kind.fabric, (!is_dgx).then_some(BY_GPU)),
        (None, None) => match NEAREST.iter().find(of_gpu) {
            Some(kind) => (kind.node, kind.fabric, Some(UNKNOWN_GPU)),
            None => ("dgx-h100", "rail-optimised", Some(UNKNOWN_GPU)),
        },
    };
    let gpus = gpus(row, draft)?;
    let nvl72 = node.ends_with("nvl72");
    let whole_node = if nvl72
        || node.starts_with("jean-zay-v100")
        || node.starts_with("p3.8x")
        || node.starts_with("g4dn.12x")
    {
        4
    } else {
        8
    };
    let per_node = match record.count("gpus_per_node")? {
        _ if nvl72 => 4,
        Some(count) => count,
        None => {
            draft.note("cluster.nodes.gpus", whole_node.to_string(), PER_NODE);
            whole_node
        }
    };
    let used = per_node.min(gpus).max(1);
    let mut nodes = Toml::new();
    nodes.insert("kind".to_owned(), Value::from(node));
    nodes.insert("count".to_owned(), Value::from(whole(gpus.div_ceil(used))));
    nodes.insert("gpus".to_owned(), Value::from(whole(used)));
    if nvl72 && 72 < gpus {
        nodes.insert("domain_nodes".to_owned(), Value::from(16));
        draft.note("cluster.nodes.domain_nodes", "16", RACKS);
    }
    let nodes = Value::Array(vec![Value::Table(nodes)]);
    if let Some(rule) = rule {
        draft.assume("cluster", "nodes", nodes, rule);
        draft.assume("cluster", "fabric", fabric, rule);
    } else {
        draft.set("cluster", "nodes", nodes);
        draft.set("cluster", "fabric", fabric);
    }
    Ok(gpus)
}

/// The GPUs of a row: as it says, unless its degrees say otherwise.
fn gpus(row: &Row<'_>, draft: &mut Draft) -> Result<u64, RunsError> {
    let record = row.record;
    let mut product = 1;
    let mut whole_product = true;
    for column in ["tp", "pp", "cp", "dp"] {
        match record.count(column)? {
            Some(value) => product *= value,
            None => whole_product &= column == "cp",
        }
    }
    let given = record.count("num_gpus")?;
    match given {
        Some(given) if whole_product && product != given => {
            draft.note("cluster.nodes.count", product.to_string(), BY_DEGREES);
            Ok(product)
        }
        Some(given) => Ok(given),
        None => {
            let gpus = if product == 1 { 8 } else { product };
            draft.note("cluster.nodes.count", gpus.to_string(), ONE_NODE);
            Ok(gpus)
        }
    }
}

/// Three nodes of V100 and one of T4, as AMP's mixed cluster has them.
fn mixed(row: &Row<'_>, draft: &mut Draft) -> Result<u64, RunsError> {
    let gpus = gpus(row, draft)?;
    let fast = (gpus / 4).saturating_sub(1).max(1);
    let node = |kind: &str, count: u64| {
        let mut table = Toml::new();
        table.insert("kind".to_owned(), Value::from(kind));
        table.insert("count".to_owned(), Value::from(whole(count)));
        table.insert("gpus".to_owned(), Value::from(4));
        Value::Table(table)
    };
    let nodes = vec![node("p3.8xlarge", fast), node("g4dn.12xlarge", 1)];
    draft.set("cluster", "nodes", Value::Array(nodes));
    draft.set("cluster", "fabric", "ena");
    Ok(gpus)
}

const OWN_TABLE: Rule = Rule::new(
    "own-operator-table",
    "SimuMax measured operators on the machines of its runs: their table is the profile",
);

/// The profile of a machine whose operators were measured beside its runs.
pub(super) fn profile(record: &crate::Record) -> Option<(&'static str, Rule)> {
    let is_simumax = has_any(record.or_empty("source_repo"), &["simumax"]);
    (is_simumax && has_any(record.or_empty("gpu"), &["b200"]))
        .then_some(("b200-simumax", OWN_TABLE))
}
