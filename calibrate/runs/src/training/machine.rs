//! GPUs, nodes and the fabric of a row.

mod kinds;

use toml::{Table as Toml, Value};

use super::{Row, whole};
use crate::spelled::{has_any, has_name, squashed};
use crate::table::MOST_GPUS;
use crate::{Draft, Record, Rule, RunsError};

const BY_GPU: Rule = Rule::new(
    "node-by-gpu",
    "the row names the GPU and no site: the vendor's reference node and a full-bisection fabric",
);
const UNKNOWN_GPU: Rule = Rule::new(
    "nearest-gpu",
    "no data sheet of this GPU: the nearest by architecture, else by peak and bandwidth; of an unknown one, the most common of training clusters",
);
const GRACE_HOPPER: Rule = Rule::new(
    "nearest-gpu",
    "no data sheet of GH200: an H100 with the 96 GB of its memory, on nodes of eight",
);
const EVEN: Rule = Rule::new(
    "part-of-each-node",
    "the GPUs do not fill whole nodes: an equal part of each, which tensor-parallel groups do not cross where that can be",
);
const REST: Rule = Rule::new(
    "rest-on-a-node",
    "the GPUs fill no nodes of equal parts: whole nodes, and the rest on a last one",
);
const FEWER: Rule = Rule::new(
    "node-has-fewer",
    "the row's nodes have more GPUs than the known node with that GPU: all of that one",
);
const TRAYS: Rule = Rule::new(
    "nodes-of-racks",
    "a node of an NVL72 rack has 4 GPUs, whatever the row calls a node; NVLink joins the rack",
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
    let gpu = record.or_empty("gpu");
    if ["v100+t4", "t4+v100"].contains(&squashed(gpu).as_str()) {
        return mixed(row, draft);
    }
    let (node, fabric, rule) = kind(gpu, record.or_empty("hardware"));
    let per_node = per_node(record, node, draft)?;
    let gpus = gpus(row, per_node, draft)?;
    let is_nvl72 = node.ends_with("nvl72");
    let tp = record.count("tp")?.unwrap_or(1);
    let parts = spread(gpus, per_node, tp);
    let nodes = parts.nodes.iter().map(|(count, used)| {
        let mut table = Toml::new();
        table.insert("kind".to_owned(), Value::from(node));
        table.insert("count".to_owned(), Value::from(whole(*count)));
        table.insert("gpus".to_owned(), Value::from(whole(*used)));
        if is_nvl72 && 72 < gpus {
            table.insert("domain_nodes".to_owned(), Value::from(16));
        }
        Value::Table(table)
    });
    let nodes = Value::Array(nodes.collect());
    if is_nvl72 && 72 < gpus {
        draft.note("cluster.nodes.domain_nodes", "16", RACKS);
    }
    if let Some(rule) = parts.rule {
        draft.note("cluster.nodes", parts.words(), rule);
    }
    if let Some(rule) = rule {
        draft.assume("cluster", "nodes", nodes, rule);
        draft.assume("cluster", "fabric", fabric, rule);
    } else {
        draft.set("cluster", "nodes", nodes);
        draft.set("cluster", "fabric", fabric);
    }
    Ok(gpus)
}

/// Node and fabric of the zoo, and a rule where the row does not name its site.
fn kind(gpu: &str, hardware: &str) -> (&'static str, &'static str, Option<Rule>) {
    let is_dgx = has_any(hardware, &["dgx", "nvl72"]);
    match (kinds::of_site(gpu, hardware), kinds::of_gpu(gpu)) {
        (Some(kind), _) => (kind.node, kind.fabric, None),
        (None, Some(kind)) => (kind.node, kind.fabric, (!is_dgx).then_some(BY_GPU)),
        (None, None) if has_name(gpu, &["gh200"]) => {
            ("grand-teton-96gb", "rail-optimised", Some(GRACE_HOPPER))
        }
        (None, None) => match kinds::nearest(gpu) {
            Some(kind) => (kind.node, kind.fabric, Some(UNKNOWN_GPU)),
            None => ("dgx-h100", "rail-optimised", Some(UNKNOWN_GPU)),
        },
    }
}

/// GPUs of a node that runs use.
fn per_node(record: &Record, node: &str, draft: &mut Draft) -> Result<u64, RunsError> {
    let all = kinds::gpus_of(node);
    let given = record.count("gpus_per_node")?;
    let rule = match given {
        None => PER_NODE,
        Some(count) if node.ends_with("nvl72") && count != all => TRAYS,
        Some(count) if all < count => FEWER,
        Some(count) => return Ok(count),
    };
    draft.note("cluster.nodes.gpus", all.to_string(), rule);
    Ok(all)
}

/// Nodes with the GPUs that are used of each, and the rule where they are not all of a node.
struct Spread {
    nodes: Vec<(u64, u64)>,
    rule: Option<Rule>,
}

impl Spread {
    fn words(&self) -> String {
        let parts = self
            .nodes
            .iter()
            .map(|(count, used)| format!("{count} x {used}"));
        parts.collect::<Vec<_>>().join(" + ")
    }
}

/// GPUs over nodes: whole ones; else equal parts of at least half a node, of which tensor-parallel
/// groups cross no border where there are such; else whole ones and the rest on a last one.
fn spread(gpus: u64, per_node: u64, tp: u64) -> Spread {
    let used = per_node.min(gpus).max(1);
    if gpus.is_multiple_of(used) {
        let nodes = vec![(gpus / used, used)];
        return Spread { nodes, rule: None };
    }
    let holds = |part: &u64| part.is_multiple_of(tp) || tp.is_multiple_of(*part);
    let parts = || {
        (used.div_ceil(2)..used)
            .rev()
            .filter(|part| gpus.is_multiple_of(*part))
    };
    if let Some(part) = parts().find(holds).or_else(|| parts().next()) {
        let nodes = vec![(gpus / part, part)];
        return Spread {
            nodes,
            rule: Some(EVEN),
        };
    }
    let nodes = vec![(gpus / used, used), (1, gpus % used)];
    Spread {
        nodes,
        rule: Some(REST),
    }
}

/// The GPUs of a row: as it says, unless its degrees say otherwise.
fn gpus(row: &Row<'_>, per_node: u64, draft: &mut Draft) -> Result<u64, RunsError> {
    const COLUMNS: [&str; 4] = ["tp", "pp", "cp", "dp"];
    let record = row.record;
    let mut product = 1_u128;
    let mut whole_product = true;
    let mut largest = (0, "tp");
    for column in COLUMNS {
        match record.count(column)? {
            Some(value) => {
                product *= u128::from(value);
                largest = largest.max((value, column));
            }
            None => whole_product &= column == "cp",
        }
    }
    let Some(product) = u64::try_from(product)
        .ok()
        .filter(|gpus| *gpus <= MOST_GPUS)
    else {
        let expected = "a degree with which tp x pp x cp x dp is at most 1,048,576";
        return Err(record.bad(largest.1, expected));
    };
    match record.count("num_gpus")? {
        Some(given) if whole_product && product != given => {
            draft.note("cluster.nodes.count", product.to_string(), BY_DEGREES);
            Ok(product)
        }
        Some(given) => Ok(given),
        None => {
            let is_free = product == 1 && !whole_product;
            let gpus = if is_free { per_node } else { product };
            draft.note("cluster.nodes.count", gpus.to_string(), ONE_NODE);
            Ok(gpus)
        }
    }
}

/// Three nodes of V100 and one of T4, as AMP's mixed cluster has them.
fn mixed(row: &Row<'_>, draft: &mut Draft) -> Result<u64, RunsError> {
    let gpus = gpus(row, 4, draft)?;
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
pub(super) fn profile(record: &Record) -> Option<(&'static str, Rule)> {
    let is_simumax = has_any(record.or_empty("source_repo"), &["simumax"]);
    (is_simumax && has_any(record.or_empty("gpu"), &["b200"]))
        .then_some(("b200-simumax", OWN_TABLE))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(gpus: u64, per_node: u64, tp: u64) -> String {
        spread(gpus, per_node, tp).words()
    }

    #[test]
    fn gpus_are_spread_without_adding_any() {
        assert_eq!(of(16, 8, 8), "2 x 8");
        assert_eq!(of(4, 8, 1), "1 x 4");
        assert_eq!(of(12, 8, 1), "2 x 6");
        assert_eq!(of(12, 8, 4), "3 x 4");
        assert_eq!(of(20, 8, 4), "5 x 4");
        assert_eq!(of(13, 8, 1), "1 x 8 + 1 x 5");
        for gpus in 1..200_u64 {
            for tp in [1, 2, 4, 8] {
                let nodes = spread(gpus, 8, tp).nodes;
                assert_eq!(
                    nodes.iter().map(|(count, used)| count * used).sum::<u64>(),
                    gpus
                );
            }
        }
    }
}
