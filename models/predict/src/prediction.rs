//! The answer, with the keys that other programs read.

use serde::Serialize;
use serde_json::{Map, Value};
use units::Bytes;

use crate::beside::JobTime;

/// The version of the prediction's JSON.
pub const SCHEMA: u32 = 1;

/// What a plan will do: the JSON of `simulate`, and of each plan of `plan`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Prediction {
    /// The version of this layout.
    pub schema: u32,
    /// Which engine answered.
    pub engine: &'static str,
    /// Time of one iteration, in seconds.
    pub iteration_time_s: f64,
    /// The 10th percentile; none where no profile has a fitted error.
    pub iteration_time_p10_s: Option<f64>,
    /// The 90th percentile; none where no profile has a fitted error.
    pub iteration_time_p90_s: Option<f64>,
    /// Tokens of one iteration over its time.
    pub tokens_per_s: f64,
    /// The same for one GPU.
    pub tokens_per_s_per_gpu: f64,
    /// Operations that the model needs, in 10¹² a second and GPU: without recomputation.
    pub model_tflops_per_gpu: f64,
    /// Operations that the plan runs, in 10¹² a second and GPU: with recomputation.
    pub hardware_tflops_per_gpu: f64,
    /// Model operations over the dense peak in the compute format, also where products run in a
    /// narrower one.
    pub mfu: f64,
    /// The compute format.
    pub mfu_format: &'static str,
    /// The dense peak that `mfu` is over, in 10¹² operations a second: the mean over the GPUs.
    pub peak_tflops_per_gpu: f64,
    /// The format of products.
    pub gemm_format: &'static str,
    /// Model operations over the dense peak in that format; none where it is the compute format.
    pub mfu_of_gemm_format: Option<f64>,
    /// The largest peak of the framework's allocator over ranks.
    pub peak_allocated_bytes: Bytes,
    /// The same with what the allocator holds in reserve.
    pub peak_reserved_bytes: Bytes,
    /// The same with context and communication buffers: what the device shows.
    pub device_used_bytes: Bytes,
    /// The device's memory, of the GPU that is fullest against its limit.
    pub device_memory_bytes: Bytes,
    /// Whether every rank fits.
    pub fits: bool,
    /// Peaks by class of ranks.
    pub peak_allocated_bytes_by_class: Vec<ClassMemory>,
    /// Where the time of the bottleneck rank goes; sums to the iteration.
    pub breakdown: Breakdown,
    /// The class of that rank; none in the closed form.
    pub bottleneck: Option<String>,
    /// Where the time of the critical path goes, which leads from rank to rank; sums to the
    /// iteration. None in the closed form, where it was not asked for, and where the run was too
    /// large to keep it.
    pub critical_path: Option<Breakdown>,
    /// The plan, every field given or assumed.
    pub plan: Value,
    /// What was not given and what was taken for it.
    pub assumptions: Vec<Assumed>,
    /// Where the figures behind the times come from.
    pub sources: Sources,
    /// Iterations of all jobs with the others beside them and alone, the scenario's own first;
    /// none where nothing runs beside it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub jobs: Vec<JobTime>,
    /// Money, energy and total time, where the scenario has prices or a number of tokens.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub totals: Map<String, Value>,
}

/// Seconds of the bottleneck rank by what it does or waits for, or of the critical path by what
/// was under way on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Breakdown {
    /// Forward and backward kernels.
    pub compute_s: f64,
    /// Exposed tensor-parallel communication.
    pub tp_s: f64,
    /// Waiting for messages of the pipeline that are on their way.
    pub pp_s: f64,
    /// Exposed data-parallel communication.
    pub dp_s: f64,
    /// Exposed context-parallel communication.
    pub cp_s: f64,
    /// Exposed expert-parallel communication.
    pub ep_s: f64,
    /// Waiting for other stages or slower ranks.
    pub bubble_s: f64,
    /// The optimizer step.
    pub optimizer_s: f64,
    /// Host time, offload and the rest.
    pub other_s: f64,
}

impl Breakdown {
    /// Both part by part.
    pub(crate) fn joined(&self, other: &Self, with: impl Fn(f64, f64) -> f64) -> Self {
        Self {
            compute_s: with(self.compute_s, other.compute_s),
            tp_s: with(self.tp_s, other.tp_s),
            pp_s: with(self.pp_s, other.pp_s),
            dp_s: with(self.dp_s, other.dp_s),
            cp_s: with(self.cp_s, other.cp_s),
            ep_s: with(self.ep_s, other.ep_s),
            bubble_s: with(self.bubble_s, other.bubble_s),
            optimizer_s: with(self.optimizer_s, other.optimizer_s),
            other_s: with(self.other_s, other.other_s),
        }
    }

    /// The sum of the parts, in seconds.
    pub fn total(&self) -> f64 {
        self.compute_s
            + self.tp_s
            + self.pp_s
            + self.dp_s
            + self.cp_s
            + self.ep_s
            + self.bubble_s
            + self.optimizer_s
            + self.other_s
    }
}

/// The memory of one class of ranks.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClassMemory {
    /// A name for people.
    pub class: String,
    /// The pipeline stage.
    pub stage: u32,
    /// How many ranks.
    pub ranks: u64,
    /// The lowest rank.
    pub first_rank: u32,
    /// The peak of the allocator.
    pub peak_allocated_bytes: Bytes,
    /// The moment of the peak on the timeline, in seconds; none in the closed form.
    pub peak_at_s: Option<f64>,
    /// The parts at the peak, by kind.
    pub at_peak: Map<String, Value>,
}

/// Something that the scenario did not say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Assumed {
    /// The field of the scenario.
    pub field: String,
    /// What was taken.
    pub value: String,
    /// Why.
    pub reason: String,
}

/// Where the figures come from: shares of the compute time by the worth of its price, and
/// the tables behind them.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Sources {
    /// Share of compute time priced from a measured table.
    pub measured: f64,
    /// From a curve fitted on one, inside its range.
    pub interpolated: f64,
    /// Outside its range.
    pub extrapolated: f64,
    /// From data sheets with default efficiencies.
    pub nominal: f64,
    /// What, how good, and from where.
    pub tables: Vec<Table>,
}

/// One source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Table {
    /// What it prices.
    pub what: String,
    /// Measured, interpolated, extrapolated or nominal.
    pub worth: String,
    /// Where it comes from, with its error where one was computed.
    pub source: String,
}
