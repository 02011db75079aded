//! Classes of ranks with their peaks, from a prediction or from the timeline alone.

use session::Prediction;
use trace::{MemoryKind, Trace, memory_peaks};

use crate::run::Run;

/// How many kinds of memory there are.
pub(super) const KINDS: usize = MemoryKind::ALL.len();

/// The memory of ranks that behave alike.
#[derive(Clone, Debug, PartialEq)]
pub struct Class {
    /// The lowest of them, by which views name the class.
    pub first_rank: u32,
    /// A name for people, with how many ranks there are.
    pub label: String,
    /// The peak of the allocator by kind, in bytes.
    pub at_peak: [f64; KINDS],
    /// The moment of the peak, in seconds; none in the closed form.
    pub peak_at: Option<f64>,
}

impl Class {
    /// The peak of the allocator, in bytes.
    pub fn peak(&self) -> f64 {
        self.at_peak.iter().sum()
    }
}

/// The classes of a run, in the order of their stages; none where nothing of it tells of memory.
pub fn classes(run: &Run) -> Vec<Class> {
    match run.prediction() {
        Some(prediction) => of_prediction(prediction),
        None => of_trace(&run.trace),
    }
}

/// The classes of a prediction.
pub(super) fn of_prediction(prediction: &Prediction) -> Vec<Class> {
    let classes = prediction.peak_allocated_bytes_by_class.iter();
    let class = |class: &session::ClassMemory| {
        let of = |kind: MemoryKind| {
            let bytes = class.at_peak.get(&format!("{}_bytes", kind.name()));
            bytes.and_then(serde_json::Value::as_f64).unwrap_or(0.0)
        };
        Class {
            first_rank: class.first_rank,
            label: label(&class.class, class.ranks),
            at_peak: MemoryKind::ALL.map(of),
            peak_at: class.peak_at_s,
        }
    };
    let mut classes: Vec<(u32, Class)> = classes.map(|of| (of.stage, class(of))).collect();
    classes.sort_by_key(|(stage, class)| (*stage, class.first_rank));
    classes.into_iter().map(|(_, class)| class).collect()
}

fn of_trace(trace: &Trace) -> Vec<Class> {
    let lanes = trace.lanes.iter().zip(memory_peaks(trace));
    let class = |(lane, peak): (&trace::Lane, trace::MemoryLevel)| Class {
        first_rank: lane.ranks.first().copied().unwrap_or(0),
        label: label(&lane.name, lane.ranks.len() as u64),
        at_peak: peak.by_kind.map(|bytes| bytes.as_u64() as f64),
        peak_at: Some(peak.time.as_seconds().as_secs()),
    };
    let classes: Vec<Class> = lanes.map(class).collect();
    // Hosts of a network workload are lanes too.
    let is_told = classes.iter().any(|class| 0.0 < class.peak());
    if is_told { classes } else { Vec::new() }
}

fn label(name: &str, ranks: u64) -> String {
    format!("{name}, {}", look::number::counted(ranks, "rank"))
}
