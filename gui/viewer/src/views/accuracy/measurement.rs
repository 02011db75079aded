//! One quantity of one run, measured and predicted.

use serde::{Deserialize, Serialize};
use session::{Quantity, Row, Validation};

/// What is compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shown {
    /// Seconds of an iteration.
    #[default]
    Time,
    /// Bytes at the peak.
    Memory,
    /// Seconds of an iteration of integration tests: models that a GPU computes in milliseconds, timed
    /// on shared machines.
    Tests,
}

impl Shown {
    /// All of it.
    pub const ALL: [Self; 3] = [Self::Time, Self::Memory, Self::Tests];

    /// What it is called.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Time => "Iteration time",
            Self::Memory => "Peak memory",
            Self::Tests => "Time of integration tests",
        }
    }

    /// What its numbers are.
    pub const fn unit(self) -> chart::Unit {
        match self {
            Self::Time | Self::Tests => chart::Unit::Seconds,
            Self::Memory => chart::Unit::Bytes,
        }
    }

    /// What groups of a validation call it.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Time | Self::Tests => "iteration_time_s",
            Self::Memory => "peak_memory_bytes",
        }
    }
}

/// By what runs are told apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// The GPU.
    #[default]
    Gpu,
    /// The repository.
    Source,
    /// The framework.
    Framework,
}

impl By {
    /// Every way.
    pub const ALL: [Self; 3] = [Self::Gpu, Self::Source, Self::Framework];

    /// What it is called.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Gpu => "GPU",
            Self::Source => "Source",
            Self::Framework => "Framework",
        }
    }

    /// What a run has.
    pub fn of(self, measurement: &Measurement) -> &str {
        match self {
            Self::Gpu => &measurement.gpu,
            Self::Source => &measurement.source,
            Self::Framework => &measurement.framework,
        }
    }
}

/// One quantity of one run.
#[derive(Clone, Debug, PartialEq)]
pub struct Measurement {
    /// What tells it from others.
    pub id: u64,
    /// The row of the validation.
    pub row: usize,
    /// What is compared.
    pub shown: Shown,
    /// What the run is called.
    pub name: String,
    /// Its GPU.
    pub gpu: String,
    /// Its repository.
    pub source: String,
    /// Its framework.
    pub framework: String,
    /// Seconds or bytes.
    pub measured: f64,
    /// The same.
    pub predicted: f64,
    /// Between these lie 8 of 10 runs.
    pub interval: Option<[f64; 2]>,
    /// How the measured value follows from the row, where no cell holds it.
    pub derived: Option<String>,
    /// Why it counts in no group, where it does not.
    pub apart: Option<&'static str>,
}

impl Measurement {
    /// Predicted over measured, less 1.
    pub fn error(&self) -> f64 {
        self.predicted / self.measured - 1.0
    }

    /// Whether the measured value lies within the interval; none where there is none.
    pub fn is_covered(&self) -> Option<bool> {
        let [low, high] = self.interval?;
        Some(low <= self.measured && self.measured <= high)
    }
}

/// Quantities of a row that are told apart by ids.
const SLOTS: u64 = 8;

/// Everything that was measured and predicted.
pub(super) fn measurements(validation: &Validation) -> Vec<Measurement> {
    let rows = validation.rows.iter().enumerate();
    rows.flat_map(|(at, row)| of_row(at, row)).collect()
}

/// Whether a row is an integration test and no training run.
pub(super) fn is_test(row: &Row) -> bool {
    row.record.text("test_case").is_some()
}

fn of_row(at: usize, row: &Row) -> Vec<Measurement> {
    let framework = row.record.text("framework").unwrap_or("Megatron-LM");
    let compared = row.compared.iter().zip(0..SLOTS);
    let of = |(one, slot): (&session::Compared, u64)| {
        let shown = match one.quantity {
            Quantity::IterationTime if is_test(row) => Shown::Tests,
            Quantity::IterationTime => Shown::Time,
            Quantity::PeakMemory(_) => Shown::Memory,
            Quantity::OutOfMemory => return None,
        };
        let predicted = one.predicted?;
        let is_right = 0.0 < one.measured && 0.0 < predicted;
        is_right.then(|| Measurement {
            id: at as u64 * SLOTS + slot,
            row: at,
            shown,
            name: row.id.clone(),
            gpu: row.label.gpu.clone(),
            source: row.label.source_repo.clone(),
            framework: framework.to_owned(),
            measured: one.measured,
            predicted,
            interval: one.p10.zip(one.p90).map(|(low, high)| [low, high]),
            derived: one.derived.clone(),
            apart: row.apart,
        })
    };
    compared.filter_map(of).collect()
}
