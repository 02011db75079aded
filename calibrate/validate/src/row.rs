//! One row: what was measured, what is predicted.

use predict::Prediction;
use runs::training::{self, Time};
use runs::{Measured, MemoryKind, Quantity, Record, RunsError, Table};
use units::Control;

use crate::scenario::{Chosen, choose_row};

/// One quantity of one row.
#[derive(Clone, Debug, PartialEq)]
pub struct Compared {
    /// What was measured.
    pub quantity: Quantity,
    /// Its value: seconds, bytes, or 1 for "ran out of memory".
    pub measured: f64,
    /// How the value follows from the row, where no cell holds it.
    pub derived: Option<String>,
    /// The predicted value; none where the row was skipped.
    pub predicted: Option<f64>,
    /// The 10th percentile of the prediction.
    pub p10: Option<f64>,
    /// The 90th percentile of the prediction.
    pub p90: Option<f64>,
}

impl Compared {
    /// Predicted over measured, minus 1; none for failures and for what was skipped.
    pub fn error(&self) -> Option<f64> {
        let has_error = self.quantity != Quantity::OutOfMemory;
        let predicted = self.predicted.filter(|_| has_error)?;
        Some(predicted / self.measured - 1.0)
    }
}

/// One row of a table.
#[derive(Clone, Debug)]
pub struct Row {
    /// What the row is called.
    pub id: String,
    /// The row.
    pub record: Record,
    /// Every quantity that it measured.
    pub compared: Vec<Compared>,
    /// Why it was not predicted.
    pub skipped: Option<String>,
    /// Whether the row contradicts itself: printed, outside every group.
    pub contradicts: bool,
}

/// A row and its prediction.
#[derive(Clone, Debug)]
pub struct Run {
    /// The row.
    pub row: Row,
    /// What it became; none where it was skipped.
    pub chosen: Option<Chosen>,
}

/// Predicts a row of a table of training runs.
///
/// # Errors
///
/// [`RunsError`] where a cell cannot be read. A row that cannot be predicted is no error.
pub fn run(record: &Record, table: &Table, control: &Control) -> Result<Run, RunsError> {
    let chosen = choose_row(record, table, &|_| (), control)?;
    let (chosen, skipped) = match chosen {
        Ok(chosen) => (Some(chosen), None),
        Err(reason) => (None, Some(reason)),
    };
    let mut compared = Vec::new();
    if let Some(time) = time(record, chosen.as_ref())? {
        compared.push(time);
    }
    for measured in training::measured(record)? {
        compared.push(other(&measured, chosen.as_ref()));
    }
    Ok(Run {
        row: Row {
            id: record.id(),
            record: record.clone(),
            compared,
            skipped,
            contradicts: record.text("parallel_consistent") == Some("no"),
        },
        chosen,
    })
}

fn time(record: &Record, chosen: Option<&Chosen>) -> Result<Option<Compared>, RunsError> {
    let gpus = match chosen {
        Some(chosen) => chosen.scenario.plan.n_ranks().into(),
        None => record.count("num_gpus")?.unwrap_or(1),
    };
    let found = training::time(record, gpus)?;
    let (measured, derived) = match (found, chosen) {
        (None, _) | (Some(Time::Rate { .. }), None) => return Ok(None),
        (Some(Time::Seconds(seconds, how)), _) => (seconds, how.map(str::to_owned)),
        (Some(Time::Rate { tflops, formula }), Some(chosen)) => (
            formula.seconds(tflops, gpus, &chosen.scenario.job),
            Some(format!("from TFLOP/s: {}", formula.describe())),
        ),
    };
    let answer = chosen.map(|chosen| &chosen.outcome.prediction);
    Ok(Some(Compared {
        quantity: Quantity::IterationTime,
        measured,
        derived,
        predicted: answer.map(|answer| answer.iteration_time_s),
        p10: answer.and_then(|answer| answer.iteration_time_p10_s),
        p90: answer.and_then(|answer| answer.iteration_time_p90_s),
    }))
}

fn other(measured: &Measured, chosen: Option<&Chosen>) -> Compared {
    let answer = chosen.map(|chosen| &chosen.outcome.prediction);
    let predicted = answer.map(|answer| match measured.quantity {
        Quantity::IterationTime => answer.iteration_time_s,
        Quantity::PeakMemory(kind) => memory(answer, kind),
        Quantity::OutOfMemory => f64::from(u8::from(!answer.fits)),
    });
    Compared {
        quantity: measured.quantity,
        measured: measured.value,
        derived: measured.derived.map(str::to_owned),
        predicted,
        p10: None,
        p90: None,
    }
}

/// The predicted figure that is like what was measured.
pub fn memory(answer: &Prediction, kind: MemoryKind) -> f64 {
    match kind {
        MemoryKind::AllocatedMax => answer.peak_allocated_bytes.as_f64(),
        MemoryKind::ReservedMax => answer.peak_reserved_bytes.as_f64(),
        MemoryKind::NvidiaSmi => answer.device_used_bytes.as_f64(),
        MemoryKind::AllocatedLastRank => {
            let last = answer
                .peak_allocated_bytes_by_class
                .iter()
                .max_by_key(|c| c.stage);
            last.map_or(answer.peak_allocated_bytes, |class| {
                class.peak_allocated_bytes
            })
            .as_f64()
        }
    }
}
