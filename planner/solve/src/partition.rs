//! Which layers go on which stage of a pipeline.
//!
//! ```text
//! layers   0 1 2 | 3 4 5 6 | 7 8 9 | ...      in a row, in order
//! stage       0       1        2    ...       the first also holds the embedding, the last the head
//! ```
//!
//! The slowest device sets the pace of a pipeline, so the split minimizes the largest time of a
//! device, under the memory of each. Memory depends on the stage: the first has most micro-batches
//! in flight. Times are whole picoseconds and memory whole bytes, so that equality is exact.
//!
//! With one chunk a device ([`PartitionSpec::chunks`]) the answer is proven: no split has a faster
//! slowest device, and of those that tie none has a smaller sum of squares. With several chunks,
//! device `d` holds the virtual stages `d, d + pp, d + 2 pp, …` and its time and memory are sums over
//! them. Then a search moves boundaries between chunks from the best split into chunks, and
//! [`Partition::bound`] says how fast any split could be: where it is reached, as for equal layers
//! it nearly always is, the answer is proven too.
//!
//! Deliberately absent: the time of links between stages, and schedules other than by their
//! number of micro-batches in flight.

mod exact;
mod interleaved;
mod model;
mod problem;
mod rules;
mod shortage;

pub use model::PartitionProgram;
pub use problem::{LayerCost, PartitionSpec};
pub use rules::Rule;
pub use shortage::Lack;

use units::{Bytes, Seconds};

use crate::SolveError;
use problem::Problem;

/// A split of layers.
#[derive(Clone, Debug, PartialEq)]
pub struct Partition {
    /// Layers of every virtual stage, in the order of the layers.
    pub counts: Vec<u32>,
    /// Time of one micro-batch on every device, forward and backward, over its chunks.
    pub times: Vec<Seconds>,
    /// Memory that layers take on every device.
    pub memory: Vec<Bytes>,
    /// The largest of the times.
    pub slowest: Seconds,
    /// No split that keeps the rules and the memory has a smaller `slowest` than this.
    pub bound: Seconds,
}

impl Partition {
    /// Whether no split is faster.
    pub fn is_proven(&self) -> bool {
        self.slowest <= self.bound
    }
}

/// The split whose slowest device is fastest, and of those that tie the most even one: with the
/// smallest sum of squared times of (virtual) stages, then with more layers on later stages,
/// which have fewer micro-batches in flight.
///
/// # Errors
///
/// What of the input does not hold together; [`SolveError::TooFewLayers`],
/// [`SolveError::Conflict`] with rules that exclude each other, and [`SolveError::Memory`] with
/// what each device lacks in the split that comes nearest.
///
/// ```
/// use solve::{LayerCost, PartitionSpec, partition};
/// use units::{Bytes, Seconds};
///
/// let layer = LayerCost {
///     time: Seconds::from_millis(3.0),
///     fixed: Bytes::from_gib(1.0),
///     in_flight: Bytes::from_gib(0.5),
/// };
/// let spec = PartitionSpec {
///     last: LayerCost { time: Seconds::from_millis(4.0), ..LayerCost::default() },
///     ..PartitionSpec::even(vec![layer; 10], 3, Bytes::from_gib(16.0))
/// };
/// let split = partition(&spec)?;
/// assert_eq!(split.counts, [4, 4, 2]);
/// assert!(split.is_proven());
/// # Ok::<(), solve::SolveError>(())
/// ```
pub fn partition(spec: &PartitionSpec) -> Result<Partition, SolveError> {
    let problem = Problem::check(spec)?;
    let found = if problem.chunks == 1 {
        exact::best(&problem).map(|counts| (counts, None))
    } else {
        interleaved::best(&problem).map(|(counts, bound)| (counts, Some(bound)))
    };
    let (counts, bound) = found.ok_or_else(|| shortage::explain(&problem, spec))?;
    Ok(problem.describe(&counts, bound))
}
