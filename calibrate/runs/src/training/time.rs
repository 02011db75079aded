//! What a row of training runs measured.

use super::formula::{Formula, formula};
use crate::{Measured, MemoryKind, Quantity, Record, RunsError};

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

/// The time of an iteration, unless nothing of it was measured.
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
        if let Some(value) = record.number(column)?.filter(|value| 0.0 < *value) {
            return Ok(Some(Time::Seconds(value, how)));
        }
    }
    let batch = record.count("gbs")?.unwrap_or(1) as f64;
    if let (Some(rate), Some(len)) = (
        record.number("tokens_per_s_per_gpu")?,
        record.count("seq_len")?,
    ) && 0.0 < rate
    {
        let seconds = batch * len as f64 / (rate * gpus as f64);
        return Ok(Some(Time::Seconds(
            seconds,
            Some("gbs x seq / (tokens/s/GPU x GPUs)"),
        )));
    }
    if let Some(rate) = record.number("samples_per_s")?.filter(|rate| 0.0 < *rate) {
        return Ok(Some(Time::Seconds(batch / rate, Some("gbs / (samples/s)"))));
    }
    let rate = record.number("tflops_per_gpu")?.filter(|rate| 0.0 < *rate);
    Ok(rate.map(|tflops| Time::Rate {
        tflops,
        formula: formula(record),
    }))
}

/// Memory and failures that a row measured; its time needs the scenario, see [`time`].
///
/// # Errors
///
/// [`RunsError::BadCell`].
pub fn measured(record: &Record) -> Result<Vec<Measured>, RunsError> {
    let mut all = Vec::new();
    if let Some(memory) = record.number("mem_gib")?.filter(|value| 0.0 < *value) {
        let kind = record.text("mem_kind").and_then(MemoryKind::of);
        let kind = kind.unwrap_or(MemoryKind::AllocatedMax);
        // nvidia-smi's figures were printed in GB, whatever the column is called.
        let (unit, derived) = if kind == MemoryKind::NvidiaSmi {
            (1e9, Some("printed in GB"))
        } else {
            (1_073_741_824.0, None)
        };
        all.push(Measured {
            quantity: Quantity::PeakMemory(kind),
            value: memory * unit,
            derived,
        });
    }
    let ran = !all.is_empty() || time(record, 1)?.is_some();
    let failed = match record.text("oom") {
        Some("yes" | "oom" | "true" | "1") => Some(1.0),
        None if ran => Some(0.0),
        // What did not run for a reason that is not said counts for nothing.
        Some(_) | None => None,
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
        let of = |cells| measured(&row("oom,iter_time_s", cells)).unwrap();
        assert!((of("yes,")[0].value - 1.0).abs() < 1e-12);
        assert!(of(",2.5")[0].value.abs() < 1e-12);
        assert!(of("fail,").is_empty());
    }

    #[test]
    fn nvidia_smi_is_read_in_gb_and_the_allocator_in_gib() {
        let of = |cells| measured(&row("mem_gib,mem_kind", cells)).unwrap()[0].value;
        assert!((of("54,nvidia_smi") - 54e9).abs() < 1.0);
        assert!((of("2,allocated_max") - 2_147_483_648.0).abs() < 1.0);
    }
}
