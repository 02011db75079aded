//! Words of tables for what decides over memory.

use crate::{Record, RunsError};

/// What is computed again in the backward pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Recompute {
    None,
    Selective,
    Full,
    /// So many layers of a stage.
    Layers(u64),
}

/// `recompute`, unless empty.
///
/// # Errors
///
/// [`RunsError::BadCell`] where the cell is no word of the list.
pub(super) fn recompute(record: &Record) -> Result<Option<Recompute>, RunsError> {
    const WORDS: &[(&[&str], Recompute)] = &[
        (
            &[
                "none",
                "no",
                "n",
                "false",
                "off",
                "0",
                "never",
                "disabled",
                "norecompute",
            ],
            Recompute::None,
        ),
        (
            &[
                "selective",
                "sel",
                "selectiverecompute",
                "coreattn",
                "coreattention",
                "attention",
            ],
            Recompute::Selective,
        ),
        (
            &[
                "full",
                "yes",
                "y",
                "true",
                "on",
                "1",
                "all",
                "alllayers",
                "everylayer",
                "each",
                "eachlayer",
                "layer",
                "block",
                "uniform",
                "full/block",
                "full/uniform",
                "fullblock",
                "fulluniform",
                "fullrecompute",
                "enabled",
                "checkpoint",
                "checkpointing",
                "activationcheckpointing",
                "gradientcheckpointing",
                "ac",
            ],
            Recompute::Full,
        ),
    ];
    const EXPECTED: &str = "none, selective, full, or a number of layers";
    if let Some(layers) = record.text("recompute").and_then(|text| text.parse().ok())
        && (2..=crate::table::MOST_LAYERS).contains(&layers)
    {
        return Ok(Some(Recompute::Layers(layers)));
    }
    record.word("recompute", WORDS, EXPECTED)
}

/// Whether a row says that every layer is computed again.
pub(in crate::training) fn recomputes_all(record: &Record) -> bool {
    recompute(record).is_ok_and(|word| word == Some(Recompute::Full))
}

/// What FSDP cuts, and among whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fsdp {
    Off,
    /// Weights, gradients and states over all ranks.
    Full,
    /// Gradients and states alone.
    Gradients,
    /// All of them, inside a node.
    Hybrid,
    /// Gradients and states, inside a node.
    HybridGradients,
    /// All of them, among so many ranks.
    Ranks(u64),
}

/// `fsdp_shard`, unless empty.
///
/// # Errors
///
/// [`RunsError::BadCell`] where the cell is no word of the list.
pub(super) fn fsdp(record: &Record) -> Result<Option<Fsdp>, RunsError> {
    const WORDS: &[(&[&str], Fsdp)] = &[
        (
            &[
                "no", "n", "false", "none", "off", "0", "1", "disabled", "noshard", "ddp",
            ],
            Fsdp::Off,
        ),
        (
            &[
                "fullshard",
                "full",
                "yes",
                "y",
                "true",
                "on",
                "enabled",
                "zero3",
                "fsdp",
                "fsdp2",
                "all",
            ],
            Fsdp::Full,
        ),
        (&["shardgradop", "gradop", "zero2"], Fsdp::Gradients),
        (&["hybrid", "hybridshard", "hsdp"], Fsdp::Hybrid),
        (&["hybridshardzero2", "hybridzero2"], Fsdp::HybridGradients),
    ];
    const EXPECTED: &str =
        "no, FULL_SHARD, SHARD_GRAD_OP, HYBRID_SHARD, or a number of ranks up to 1,048,576";
    let ranks = record
        .text("fsdp_shard")
        .and_then(|text| text.parse::<f64>().ok());
    if ranks.is_some_and(|ranks| 1.0 < ranks) {
        let ranks = record
            .count("fsdp_shard")?
            .filter(|n| *n <= crate::table::MOST_GPUS);
        let ranks = ranks.ok_or_else(|| record.bad("fsdp_shard", EXPECTED))?;
        return Ok(Some(Fsdp::Ranks(ranks)));
    }
    record.word("fsdp_shard", WORDS, EXPECTED)
}

/// `zero_stage`, unless empty.
///
/// # Errors
///
/// [`RunsError::BadCell`] where the cell is no stage.
pub(super) fn zero_stage(record: &Record) -> Result<Option<u8>, RunsError> {
    const WORDS: &[(&[&str], u8)] = &[
        (
            &[
                "0", "0.0", "zero0", "stage0", "none", "no", "off", "false", "ddp",
            ],
            0,
        ),
        (&["1", "1.0", "zero1", "stage1"], 1),
        (&["2", "2.0", "zero2", "stage2"], 2),
        (&["3", "3.0", "zero3", "stage3"], 3),
    ];
    record.word("zero_stage", WORDS, "a stage: 0, 1, 2 or 3")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Table;

    fn row(column: &str, cell: &str) -> Record {
        let text = format!("gpu,{column}\nA100,{cell}\n");
        Table::parse("x", text.as_bytes())
            .unwrap()
            .records
            .remove(0)
    }

    #[test]
    fn recomputation_is_read_from_a_closed_list() {
        let of = |cell| recompute(&row("recompute", cell)).ok();
        for full in [
            "full (by default)",
            "every layer",
            "block",
            "Uniform",
            "yes",
            "TRUE",
            "1",
        ] {
            assert_eq!(of(full), Some(Some(Recompute::Full)), "{full}");
        }
        assert_eq!(of("No"), Some(Some(Recompute::None)));
        assert_eq!(of("Selective"), Some(Some(Recompute::Selective)));
        assert_eq!(of("4"), Some(Some(Recompute::Layers(4))));
        assert_eq!(of(""), Some(None));
        assert_eq!(of("sometimes"), None);
    }

    #[test]
    fn sharding_is_read_from_a_closed_list() {
        let of = |cell| fsdp(&row("fsdp_shard", cell)).ok();
        for off in ["no", "False", "none", "0", "1", "NO_SHARD"] {
            assert_eq!(of(off), Some(Some(Fsdp::Off)), "{off}");
        }
        assert_eq!(of("FULL_SHARD"), Some(Some(Fsdp::Full)));
        assert_eq!(of("SHARD_GRAD_OP"), Some(Some(Fsdp::Gradients)));
        assert_eq!(of("hybrid"), Some(Some(Fsdp::Hybrid)));
        assert_eq!(of("8.0"), Some(Some(Fsdp::Ranks(8))));
        assert_eq!(of("1e12"), None);
        assert_eq!(of("perhaps"), None);
        let stage = |cell| zero_stage(&row("zero_stage", cell)).ok();
        assert_eq!(stage("ZeRO-3"), Some(Some(3)));
        assert_eq!(stage("1.0"), Some(Some(1)));
        assert_eq!(stage("1e30"), None);
    }
}
