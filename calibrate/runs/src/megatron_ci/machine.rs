//! The machine of a case.

use toml::Value;

use super::case::Case;
use super::rules::{GPUS, NAME, PLATFORM, RELEASE};
use crate::{Draft, RunsError};

/// GPUs that a case runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Machine {
    pub(super) gpus: u64,
}

/// GPUs of release runs (`ci-release-gpus`).
const RELEASE_GPUS: u64 = 128;

/// Sequences that a data-parallel rank of a release run gets at the least.
const RELEASE_SEQUENCES: u64 = 32;

pub(super) fn write(case: &Case<'_>, draft: &mut Draft) -> Result<Machine, RunsError> {
    let platform = case.text("platform").unwrap_or_default();
    let known = [platform, case.env];
    let is = |part: &str| known.iter().any(|text| text.contains(part));
    let (kind, per_node, fabric) = if is("gb200") {
        ("gb200-nvl72", 4, "nvl72-rail-optimised")
    } else if is("h100") {
        ("dgx-h100", 8, "rail-optimised")
    } else {
        ("dgx-a100", 8, "rail-optimised")
    };
    let needed = case.tp * case.pp * case.cp;
    let needed = needed.max(case.pp * case.ep * case.etp);
    let given = case.count("nodes")?.zip(case.count("gpus")?);
    let given = given.map(|(nodes, gpus)| nodes * gpus);
    let given = given.filter(|gpus| gpus.is_multiple_of(needed));
    let gpus = match given {
        Some(gpus) => gpus,
        None if case.is_release() => release(case, needed)?,
        None => needed.next_multiple_of(per_node),
    };
    let node = toml::Table::from_iter([
        ("kind".to_owned(), Value::from(kind)),
        ("count".to_owned(), integer(gpus.div_ceil(per_node))),
        ("gpus".to_owned(), integer(per_node.min(gpus))),
    ]);
    let nodes = Value::Array(vec![Value::Table(node)]);
    match given {
        Some(_) => draft.set("cluster", "nodes", nodes),
        None if case.is_release() => draft.assume("cluster", "nodes", nodes, RELEASE),
        None => draft.assume("cluster", "nodes", nodes, GPUS),
    }
    draft.set("cluster", "fabric", fabric);
    if platform.is_empty() {
        let rule = if is("h100") || is("gb200") {
            NAME
        } else {
            PLATFORM
        };
        draft.note("cluster.nodes.kind", kind, rule);
    }
    Ok(Machine { gpus })
}

fn release(case: &Case<'_>, needed: u64) -> Result<u64, RunsError> {
    let Some(batch) = case.count("global-batch-size")? else {
        return Ok(RELEASE_GPUS.next_multiple_of(needed));
    };
    let model = case.tp * case.pp * case.cp;
    let ranks = (batch / RELEASE_SEQUENCES).clamp(1, (RELEASE_GPUS / model).max(1));
    Ok((ranks * model).next_multiple_of(needed))
}

/// A count as TOML.
pub(super) fn integer(count: u64) -> Value {
    Value::Integer(i64::try_from(count).unwrap_or(i64::MAX))
}
