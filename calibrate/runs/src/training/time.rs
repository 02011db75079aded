//! What a row of training runs measured.

use super::batch::global_batch;
use super::formula::{Formula, formula};
use crate::{Draft, Measured, MemoryKind, Quantity, Record, Rule, RunsError};

const MEMORY_KIND: Rule = Rule::new(
    "memory-kind",
    "the row does not say which memory was measured: the peak of the framework's allocator on the largest rank",
);
const TOKENS: Rule = Rule::new(
    "time-by-tokens",
    "the row has neither a time nor a sequence length: global batch x inferred length / (tokens/s/GPU x GPUs)",
);
const MFU: Rule = Rule::new(
    "time-by-mfu",
    "the row has a utilization alone: model FLOPs with causal attention / (MFU x dense peak of the format x GPUs)",
);
const HFU: Rule = Rule::new(
    "time-by-hfu",
    "the row has a utilization alone: model and recomputed FLOPs / (HFU x dense peak of the format x GPUs)",
);
const SHARE: Rule = Rule::new(
    "percent-as-share",
    "a utilization of 1 and below is a share, not a percentage: no run is below 1 %",
);

/// How seconds follow from a row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Time {
    /// A cell holds them, or throughput gives them.
    Seconds(f64, Option<&'static str>),
    /// From TFLOP/s of one GPU, by the formula of their table: needs the model.
    Rate {
        /// 10¹² operations a second and GPU.
        tflops: f64,
        /// What the table counts.
        formula: Formula,
    },
}

/// A measure of speed from which seconds follow with what is known of the whole scenario alone.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Speed {
    /// Tokens a second and GPU, where the row names no length of a sequence.
    TokensPerGpu(f64),
    /// Model FLOPs over the peak, as a share.
    ModelUtilization(f64),
    /// All FLOPs, those of recomputation among them, over the peak, as a share.
    HardwareUtilization(f64),
}

impl Speed {
    /// How seconds follow from it.
    pub const fn describe(self) -> &'static str {
        match self {
            Self::TokensPerGpu(_) => "gbs x inferred seq / (tokens/s/GPU x GPUs)",
            Self::ModelUtilization(_) => {
                "from MFU: model FLOPs with causal attention / (MFU x dense peak of the format x GPUs)"
            }
            Self::HardwareUtilization(_) => {
                "from HFU: model and recomputed FLOPs / (HFU x dense peak of the format x GPUs)"
            }
        }
    }
}

/// The time of an iteration, unless nothing of it was measured, or only a [`speed`].
///
/// * `gpus` — in all: as the scenario has them.
///
/// # Errors
///
/// [`RunsError::BadCell`].
pub fn time(record: &Record, gpus: u64) -> Result<Option<Time>, RunsError> {
    const DIRECT: [(&str, Option<&str>); 3] = [
        ("iter_time_s", None),
        (
            "iter_time_s_derived",
            Some("computed by the table's authors of throughput"),
        ),
        ("iter_time_s_median_after_warmup", None),
    ];
    for (column, how) in DIRECT {
        if let Some(value) = positive(record, column)? {
            return Ok(Some(Time::Seconds(value, how)));
        }
    }
    if let (Some(rate), Some(len)) = (
        positive(record, "tokens_per_s_per_gpu")?,
        record.count("seq_len")?,
    ) {
        let batch = global_batch(record, gpus)?.0 as f64;
        let seconds = batch * len as f64 / (rate * gpus as f64);
        return Ok(Some(Time::Seconds(
            seconds,
            Some("gbs x seq / (tokens/s/GPU x GPUs)"),
        )));
    }
    if let Some(rate) = positive(record, "samples_per_s")? {
        let batch = global_batch(record, gpus)?.0 as f64;
        return Ok(Some(Time::Seconds(batch / rate, Some("gbs / (samples/s)"))));
    }
    let rate = positive(record, "tflops_per_gpu")?;
    Ok(rate.map(|tflops| Time::Rate {
        tflops,
        formula: formula(record),
    }))
}

/// The speed of a row that measured no [`time`].
///
/// # Errors
///
/// [`RunsError::BadCell`].
pub fn speed(record: &Record) -> Result<Option<Speed>, RunsError> {
    if let Some(rate) = positive(record, "tokens_per_s_per_gpu")? {
        return Ok(Some(Speed::TokensPerGpu(rate)));
    }
    if let Some(share) = percent(record, "mfu_pct")? {
        return Ok(Some(Speed::ModelUtilization(share)));
    }
    Ok(percent(record, "hfu_pct")?.map(Speed::HardwareUtilization))
}

/// A number above 0; a 0 says that nothing was measured.
fn positive(record: &Record, column: &str) -> Result<Option<f64>, RunsError> {
    Ok(record.number(column)?.filter(|value| 0.0 < *value))
}

/// A share of a column of percents.
fn percent(record: &Record, column: &str) -> Result<Option<f64>, RunsError> {
    match positive(record, column)? {
        Some(value) if 100.0 < value => Err(record.bad(column, "a percentage up to 100")),
        Some(value) if is_share(value) => Ok(Some(value)),
        value => Ok(value.map(|value| value / 100.0)),
    }
}

/// Whether a cell of percents holds a share: no run reaches less than 1 % of a peak.
fn is_share(value: f64) -> bool {
    value <= 1.0
}

/// Says what is taken for measured where the cells do not say it themselves.
///
/// # Errors
///
/// [`RunsError::BadCell`].
pub(super) fn notes(record: &Record, gpus: u64, draft: &mut Draft) -> Result<(), RunsError> {
    if positive(record, "mem_gib")?.is_some() && memory_kind(record)?.is_none() {
        draft.note("measured.mem_kind", "allocated_max", MEMORY_KIND);
    }
    if time(record, gpus)?.is_none() {
        let (rule, column) = match speed(record)? {
            None => return Ok(()),
            Some(Speed::TokensPerGpu(_)) => (TOKENS, "tokens_per_s_per_gpu"),
            Some(Speed::ModelUtilization(_)) => (MFU, "mfu_pct"),
            Some(Speed::HardwareUtilization(_)) => (HFU, "hfu_pct"),
        };
        draft.note("measured.iter_time_s", format!("by {column}"), rule);
        if rule != TOKENS && record.number(column)?.is_some_and(is_share) {
            draft.note(&format!("measured.{column}"), "a share of 1", SHARE);
        }
    }
    Ok(())
}

/// Memory and failures that a row measured; its time needs the scenario, see [`time`].
///
/// # Errors
///
/// [`RunsError::BadCell`].
pub fn measured(record: &Record) -> Result<Vec<Measured>, RunsError> {
    let mut all = Vec::new();
    let kind = memory_kind(record)?;
    if let Some(memory) = positive(record, "mem_gib")? {
        // nvidia-smi's figures were printed in GB, whatever the column is called.
        let (unit, derived) = match kind {
            Some(MemoryKind::NvidiaSmi) => (1e9, Some("printed in GB")),
            Some(_) => (1_073_741_824.0, None),
            None => (
                1_073_741_824.0,
                Some("taken as allocated_max, since `mem_kind` is empty"),
            ),
        };
        all.push(Measured {
            quantity: Quantity::PeakMemory(kind.unwrap_or(MemoryKind::AllocatedMax)),
            value: memory * unit,
            derived,
        });
    }
    let ran = !all.is_empty() || has_time(record)?;
    let failed = match outcome(record)? {
        Some(Outcome::OutOfMemory) => Some(1.0),
        Some(Outcome::Ran) => Some(0.0),
        None if ran => Some(0.0),
        // What did not run for a reason that is not said counts for nothing.
        Some(Outcome::Failed) | None => None,
    };
    if let Some(value) = failed {
        all.push(Measured {
            quantity: Quantity::OutOfMemory,
            value,
            derived: None,
        });
    }
    Ok(all)
}

/// Whether anything of a time was measured.
fn has_time(record: &Record) -> Result<bool, RunsError> {
    const COLUMNS: [&str; 8] = [
        "iter_time_s",
        "iter_time_s_derived",
        "iter_time_s_median_after_warmup",
        "tokens_per_s_per_gpu",
        "samples_per_s",
        "tflops_per_gpu",
        "mfu_pct",
        "hfu_pct",
    ];
    for column in COLUMNS {
        if positive(record, column)?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    OutOfMemory,
    Ran,
    Failed,
}

fn outcome(record: &Record) -> Result<Option<Outcome>, RunsError> {
    const WORDS: &[(&[&str], Outcome)] = &[
        (
            &[
                "yes",
                "y",
                "true",
                "t",
                "1",
                "oom",
                "outofmemory",
                "cudaoom",
                "cudaoutofmemory",
                "oomerror",
            ],
            Outcome::OutOfMemory,
        ),
        (
            &[
                "no", "n", "false", "f", "0", "none", "ok", "ran", "fits", "success",
            ],
            Outcome::Ran,
        ),
        (
            &["fail", "failed", "failure", "error", "crash", "crashed"],
            Outcome::Failed,
        ),
    ];
    record.word(
        "oom",
        WORDS,
        "yes (out of memory), no, or fail (for another reason)",
    )
}

fn memory_kind(record: &Record) -> Result<Option<MemoryKind>, RunsError> {
    const WORDS: &[(&[&str], MemoryKind)] = &[
        (
            &[
                "allocatedmax",
                "maxallocated",
                "allocated",
                "peakallocated",
                "allocatedpeak",
                "maxmemoryallocated",
                "torch.cuda.maxmemoryallocated",
            ],
            MemoryKind::AllocatedMax,
        ),
        (
            &["allocatedlastrank", "lastrank"],
            MemoryKind::AllocatedLastRank,
        ),
        (
            &[
                "reservedmax",
                "maxreserved",
                "reserved",
                "peakreserved",
                "reservedpeak",
                "maxmemoryreserved",
                "torch.cuda.maxmemoryreserved",
            ],
            MemoryKind::ReservedMax,
        ),
        (
            &["nvidiasmi", "smi", "device", "deviceused", "rocmsmi"],
            MemoryKind::NvidiaSmi,
        ),
    ];
    let expected = "allocated_max, allocated_last_rank, reserved_max or nvidia_smi";
    record.word("mem_kind", WORDS, expected)
}

/// Whether a row says that it contradicts itself.
///
/// # Errors
///
/// [`RunsError::BadCell`] where it says neither yes nor no.
pub fn contradicts(record: &Record) -> Result<bool, RunsError> {
    Ok(record.flag("parallel_consistent")? == Some(false))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Table;

    fn row(columns: &str, cells: &str) -> Record {
        let text = format!("{columns}\n{cells}\n");
        Table::parse("x", text.as_bytes())
            .unwrap()
            .records
            .remove(0)
    }

    #[test]
    fn throughput_gives_seconds_where_none_were_printed() {
        let row = row("gbs,seq_len,tokens_per_s_per_gpu", "128,4096,16384");
        let Some(Time::Seconds(seconds, Some(_))) = time(&row, 8).unwrap() else {
            panic!("a derived time");
        };
        assert!((seconds - 4.0).abs() < 1e-12);
    }

    #[test]
    fn failures_count_only_where_their_reason_is_memory() {
        let of = |cells: &str| measured(&row("oom,iter_time_s", cells)).unwrap();
        assert!((of("yes,")[0].value - 1.0).abs() < 1e-12);
        assert!(of(",2.5")[0].value.abs() < 1e-12);
        assert!(of("fail,").is_empty());
        for word in ["Yes", "OOM", "out of memory", "CUDA out-of-memory", "TRUE"] {
            assert!(
                (of(&format!("{word},"))[0].value - 1.0).abs() < 1e-12,
                "{word}"
            );
        }
        assert!(of("no,2.5")[0].value.abs() < 1e-12);
        assert!(of("False,")[0].value.abs() < 1e-12);
        let typo = measured(&row("oom,iter_time_s", "yess,")).unwrap_err();
        assert!(typo.to_string().contains("`oom` is \"yess\""), "{typo}");
    }

    #[test]
    fn kinds_of_memory_are_read_however_they_are_written() {
        let of = |cells| measured(&row("mem_gib,mem_kind", cells)).map(|all| all[0].clone());
        let kind = |cells| of(cells).unwrap().quantity;
        assert_eq!(
            kind("5,nvidia-smi"),
            Quantity::PeakMemory(MemoryKind::NvidiaSmi)
        );
        assert_eq!(
            kind("5,Reserved"),
            Quantity::PeakMemory(MemoryKind::ReservedMax)
        );
        assert!(of("5,").unwrap().derived.unwrap().contains("allocated_max"));
        assert!(of("5,alocated").is_err());
    }

    #[test]
    fn utilization_is_a_speed_in_percent() {
        let of = |cells| speed(&row("gbs,mfu_pct,hfu_pct", cells)).ok().flatten();
        assert_eq!(of("8,50,"), Some(Speed::ModelUtilization(0.5)));
        assert_eq!(of("8,,25"), Some(Speed::HardwareUtilization(0.25)));
        assert_eq!(of("8,,"), None);
        let share = speed(&row("gbs,mfu_pct", "8,0.45")).unwrap();
        assert_eq!(share, Some(Speed::ModelUtilization(0.45)));
        assert!(speed(&row("gbs,mfu_pct", "8,145")).is_err());
        let tokens = row("gbs,tokens_per_s_per_gpu", "8,100");
        assert_eq!(time(&tokens, 8).unwrap(), None);
        assert_eq!(speed(&tokens).unwrap(), Some(Speed::TokensPerGpu(100.0)));
    }

    #[test]
    fn nvidia_smi_is_read_in_gb_and_the_allocator_in_gib() {
        let of = |cells| measured(&row("mem_gib,mem_kind", cells)).unwrap()[0].value;
        assert!((of("54,nvidia_smi") - 54e9).abs() < 1.0);
        assert!((of("2,allocated_max") - 2_147_483_648.0).abs() < 1.0);
    }
}
