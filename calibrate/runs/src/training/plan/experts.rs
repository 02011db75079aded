//! Experts of a plan.

use toml::{Table as Toml, Value};

use crate::spelled::has_any;
use crate::training::model::{Known, named};
use crate::training::{Row, whole};
use crate::{Draft, Rule, RunsError};

const EP_FITS: Rule = Rule::new(
    "ep-fits",
    "a stage has fewer GPUs than the row has expert-parallel ranks: all of them",
);
const EP_OF_NODE: Rule = Rule::new(
    "ep-of-a-node",
    "the row names none: the experts over the eight GPUs of a node, or the largest power of two that the GPUs of a stage can be cut into",
);
const ETP: Rule = Rule::new(
    "etp-of-one",
    "experts are not cut by tensor parallelism where the row has expert-parallel ranks",
);
const DROP: Rule = Rule::new(
    "token-drop",
    "a fixed capacity of experts gives equal shapes, which CUDA graphs need",
);
const DEEPEP: Rule = Rule::new(
    "deepep",
    "recipes of Megatron-Bridge dispatch with DeepEP or HybridEP (the flex dispatcher)",
);

/// Writes how experts are spread and reached.
pub(super) fn experts(
    row: &Row<'_>,
    gpus: u64,
    pp: u64,
    draft: &mut Draft,
) -> Result<(), RunsError> {
    const P: &str = "plan";
    let record = row.record;
    let config = draft
        .get("model", "config")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let routed = named(config).is_some_and(Known::is_routed);
    let stage = (gpus / pp.max(1)).max(1);
    match record.count("ep")? {
        Some(ep) if stage < ep => draft.assume(P, "ep", whole(stage), EP_FITS),
        Some(ep) => draft.set(P, "ep", whole(ep)),
        None if routed => draft.assume(P, "ep", whole(of_node(stage)), EP_OF_NODE),
        None => {}
    }
    if let Some(etp) = record.count("etp")? {
        draft.set(P, "etp", whole(etp));
    } else if draft.count(P, "ep").is_some_and(|ep| 1 < ep) {
        draft.assume(P, "etp", 1, ETP);
    }
    let mut moe = Toml::new();
    if has_any(
        record.or_empty("model"),
        &["tokendrop", "token drop", "token-drop"],
    ) {
        moe.insert("capacity_factor".to_owned(), Value::from(1.0));
        draft.assume(P, "moe", Value::Table(moe), DROP);
        draft.assume(P, "cuda_graphs", true, DROP);
    } else if row.family.name == "megatron-bridge" && routed {
        moe.insert("dispatcher".to_owned(), Value::from("deepep"));
        draft.assume(P, "moe", Value::Table(moe), DEEPEP);
    }
    Ok(())
}

/// Ranks that share experts: eight, or the largest power of two below that divides a stage's GPUs.
fn of_node(stage: u64) -> u64 {
    1 << stage.trailing_zeros().min(3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn experts_spread_over_as_many_gpus_as_divide_a_stage() {
        let found = [1, 4, 8, 12, 20, 36, 64].map(of_node);
        assert_eq!(found, [1, 4, 8, 4, 4, 4, 8]);
    }
}
