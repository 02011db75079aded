//! A row, with the flags that several parts of its scenario ask for.

use crate::table::MOST_GPUS;
use crate::{Record, RunsError};

/// The families of cases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    /// Decoders, with experts or without.
    Gpt,
    Bert,
    T5,
    /// Mamba-2, attention and experts by pattern.
    Hybrid,
    /// A language model behind an encoder of images.
    Mimo,
}

/// A row of the table.
#[derive(Clone, Debug)]
pub(super) struct Case<'a> {
    pub(super) record: &'a Record,
    pub(super) name: &'a str,
    pub(super) env: &'a str,
    pub(super) family: Family,
    pub(super) tp: u64,
    pub(super) pp: u64,
    pub(super) cp: u64,
    pub(super) ep: u64,
    pub(super) etp: u64,
    pub(super) micro_batch: u64,
}

impl<'a> Case<'a> {
    pub(super) fn of(record: &'a Record) -> Result<Self, RunsError> {
        let name = record.or_empty("test_case");
        let family = match record.or_empty("family") {
            "bert" => Family::Bert,
            "t5" => Family::T5,
            "hybrid" => Family::Hybrid,
            "mimo" => Family::Mimo,
            _ => Family::Gpt,
        };
        let degree = |column: &str, in_name: &str| {
            let given = record.count(column)?;
            Ok::<u64, RunsError>(given.or_else(|| number_after(name, in_name)).unwrap_or(1))
        };
        let tp = degree("tensor-model-parallel-size", "_tp")?;
        Ok(Self {
            record,
            name,
            env: record.or_empty("env"),
            family,
            tp,
            pp: degree("pipeline-model-parallel-size", "_pp")?,
            cp: degree("context-parallel-size", "_cp")?,
            ep: record.count("expert-model-parallel-size")?.unwrap_or(1),
            etp: record.count("expert-tensor-parallel-size")?.unwrap_or(tp),
            micro_batch: record.count("micro-batch-size")?.unwrap_or(4),
        })
    }

    /// Whether a flag without a value is set.
    pub(super) fn has(&self, flag: &str) -> bool {
        self.record.or_empty(flag).eq_ignore_ascii_case("true")
    }

    pub(super) fn text(&self, column: &str) -> Option<&'a str> {
        self.record.text(column)
    }

    pub(super) fn count(&self, column: &str) -> Result<Option<u64>, RunsError> {
        self.record.count(column)
    }

    /// Whether the case's name has a part.
    pub(super) fn named(&self, part: &str) -> bool {
        self.name.contains(part)
    }

    /// Whether the case is a recipe of its time: a gate or squared `ReLU`, rotary positions, norms by
    /// root mean square, no dropout, no biases.
    pub(super) fn is_modern(&self) -> bool {
        self.has("swiglu") || self.has("squared-relu")
    }

    /// Whether the case trains on long runs of many nodes before a release.
    pub(super) fn is_release(&self) -> bool {
        self.named("_release")
    }

    /// Whether it is a small `DeepSeek`: latent attention and experts.
    pub(super) fn is_proxy(&self) -> bool {
        self.has("multi-latent-attention") && self.has_experts()
    }

    /// Whether it is a mixture of experts.
    pub(super) fn has_experts(&self) -> bool {
        self.text("num-experts").is_some()
    }
}

/// The number behind a part of a name: 2 of `t5_weekly_mcore_te_tp2_pp1` behind `_tp`.
fn number_after(name: &str, part: &str) -> Option<u64> {
    let rest = &name[name.find(part)? + part.len()..];
    let end = rest
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(rest.len());
    let number = rest[..end].parse().ok();
    number.filter(|number| (1..=MOST_GPUS).contains(number))
}
