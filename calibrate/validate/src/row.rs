//! One row: what was measured, what is predicted.

use predict::Prediction;
use runs::training::{self, Speed, Time};
use runs::{Measured, MemoryKind, Quantity, Record, RunsError, Table};
use units::Control;

use crate::facts::Facts;
use crate::kind::{Kind, Label};
use crate::scenario::{Chosen, NotChosen, Settings, choose_row};

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
    /// Where it is from.
    pub label: Label,
    /// Every quantity that it measured.
    pub compared: Vec<Compared>,
    /// What cannot be compared although the row should: nothing was measured, or what was measured
    /// needs a prediction that there is not. With the reason.
    pub uncompared: Option<(Quantity, String)>,
    /// Why it was not predicted.
    pub skipped: Option<String>,
    /// Whether the row contradicts itself: printed, outside every group.
    pub contradicts: bool,
    /// Why the row is printed outside every group, where it is.
    pub apart: Option<&'static str>,
    /// What it became, in numbers; none where it was skipped.
    pub facts: Option<Facts>,
    /// The rules of what was inferred, in the order of the file.
    pub assumptions: Vec<runs::Assumption>,
}

/// A row and its prediction.
#[derive(Clone, Debug)]
pub struct Run {
    /// The row.
    pub row: Row,
    /// What it became; none where it was skipped.
    pub chosen: Option<Chosen>,
}

/// Predicts a row of a table of training runs with the closed form.
///
/// # Errors
///
/// [`RunsError`] where a cell cannot be read. A row that cannot be predicted is no error.
pub fn run(record: &Record, table: &Table, control: &Control) -> Result<Run, RunsError> {
    let settings = Settings::default();
    let run = run_as(Kind::Training, record, table, &settings, control)?;
    let interrupted = || unpredicted(Kind::Training, record, "interrupted".to_owned());
    Ok(run.unwrap_or_else(interrupted))
}

/// Predicts a row of a table of that kind; none where somebody stopped the work.
///
/// # Errors
///
/// [`RunsError`] where a cell cannot be read. A row that cannot be predicted is no error.
pub fn run_as(
    kind: Kind,
    record: &Record,
    table: &Table,
    settings: &Settings,
    control: &Control,
) -> Result<Option<Run>, RunsError> {
    let adjust = |draft: &mut runs::Draft| settings.put(draft);
    let chosen = match choose_row(kind, record, table, &adjust, control)? {
        Ok(chosen) => chosen,
        Err(NotChosen::Interrupted) => return Ok(None),
        Err(NotChosen::Refused(reason)) => return skipped(kind, record, reason).map(Some),
    };
    let mut row = unpredicted(kind, record, String::new()).row;
    row.skipped = None;
    let facts = Facts::of(&chosen);
    row.facts = Some(match kind {
        // Runs whose plans can be compared; the others measured memory.
        Kind::Training => facts.with_others(&chosen),
        Kind::MegatronCi => facts,
    });
    row.assumptions = chosen.draft.assumptions();
    compare(&mut row, kind, Some(&chosen))?;
    Ok(Some(Run {
        row,
        chosen: Some(chosen),
    }))
}

/// A row that no prediction can be made of, with what it measured.
fn skipped(kind: Kind, record: &Record, reason: String) -> Result<Run, RunsError> {
    let mut run = unpredicted(kind, record, reason);
    compare(&mut run.row, kind, None)?;
    Ok(run)
}

/// A row whose cells were not looked at beyond its name and source.
pub fn unpredicted(kind: Kind, record: &Record, reason: String) -> Run {
    let row = Row {
        id: record.id(),
        record: record.clone(),
        label: kind.label(record),
        compared: Vec::new(),
        uncompared: Some((Quantity::IterationTime, reason.clone())),
        skipped: Some(reason),
        contradicts: training::contradicts(record).unwrap_or(false),
        apart: kind.apart(record),
        facts: None,
        assumptions: Vec::new(),
    };
    Run { row, chosen: None }
}

/// Sets every quantity that a row measured against its prediction.
fn compare(row: &mut Row, kind: Kind, chosen: Option<&Chosen>) -> Result<(), RunsError> {
    row.uncompared = None;
    if kind == Kind::Training {
        match time(&row.record, chosen)? {
            Timed::Compared(time) => row.compared.push(time),
            Timed::NeedsScenario => {
                let reason = row.skipped.clone().unwrap_or_default();
                row.uncompared = Some((Quantity::IterationTime, reason));
            }
            Timed::NotMeasured => {}
        }
    }
    for measured in kind.measured(&row.record)? {
        row.compared.push(other(&measured, chosen));
    }
    if row.compared.is_empty() && row.uncompared.is_none() {
        let reason = match row.record.text("oom") {
            Some(word) => format!("measured nothing: `oom` is {word:?}, which says no reason"),
            None => "measured nothing that is predicted".to_owned(),
        };
        row.uncompared = Some((Quantity::OutOfMemory, reason));
    }
    Ok(())
}

/// What a row says of its time.
enum Timed {
    Compared(Compared),
    /// It printed TFLOP/s, and nothing says of how many operations.
    NeedsScenario,
    NotMeasured,
}

fn time(record: &Record, chosen: Option<&Chosen>) -> Result<Timed, RunsError> {
    let gpus = match chosen {
        Some(chosen) => chosen.scenario.plan.n_ranks().into(),
        None => record.count("num_gpus")?.unwrap_or(1),
    };
    let answer = chosen.map(|chosen| &chosen.outcome.prediction);
    let (measured, derived) = match (training::time(record, gpus)?, chosen) {
        (None, chosen) => match (training::speed(record)?, chosen) {
            (None, _) => return Ok(Timed::NotMeasured),
            (Some(_), None) => return Ok(Timed::NeedsScenario),
            (Some(speed), Some(chosen)) => {
                (seconds(speed, chosen), Some(speed.describe().to_owned()))
            }
        },
        (Some(Time::Rate { .. }), None) => return Ok(Timed::NeedsScenario),
        (Some(Time::Seconds(seconds, how)), _) => (seconds, how.map(str::to_owned)),
        (Some(Time::Rate { tflops, formula }), Some(chosen)) => (
            formula.seconds(tflops, gpus, &chosen.scenario.job),
            Some(format!("from TFLOP/s: {}", formula.describe())),
        ),
    };
    Ok(Timed::Compared(Compared {
        quantity: Quantity::IterationTime,
        measured,
        derived,
        predicted: answer.map(|answer| answer.iteration_time_s),
        p10: answer.and_then(|answer| answer.iteration_time_p10_s),
        p90: answer.and_then(|answer| answer.iteration_time_p90_s),
    }))
}

/// Seconds of an iteration from a speed. Predicted operations are those of the model and its plan:
/// the predicted time cancels out of them.
fn seconds(speed: Speed, chosen: &Chosen) -> f64 {
    let answer = &chosen.outcome.prediction;
    let of_peak = |tflops: f64, share: f64| {
        answer.iteration_time_s * tflops / (share * answer.peak_tflops_per_gpu)
    };
    match speed {
        Speed::TokensPerGpu(rate) => {
            let gpus = f64::from(chosen.scenario.plan.n_ranks());
            let job = &chosen.scenario.job;
            job.global_batch as f64 * job.seq_len as f64 / (rate * gpus)
        }
        Speed::ModelUtilization(share) => of_peak(answer.model_tflops_per_gpu, share),
        Speed::HardwareUtilization(share) => of_peak(answer.hardware_tflops_per_gpu, share),
    }
}

fn other(measured: &Measured, chosen: Option<&Chosen>) -> Compared {
    let is_time = measured.quantity == Quantity::IterationTime;
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
        p10: answer
            .filter(|_| is_time)
            .and_then(|answer| answer.iteration_time_p10_s),
        p90: answer
            .filter(|_| is_time)
            .and_then(|answer| answer.iteration_time_p90_s),
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
