//! What follows from the time of an iteration: throughput, operations a second, utilisation.

use plan::RecomputePolicy;
use units::{DType, Flops, FlopsPerSec, Seconds};
use workload::{Convention, Recompute, hardware_flops, model_flops};

use crate::prediction::Assumed;
use crate::scenario::Scenario;

/// The convention by which operations are counted.
const CONVENTION: Convention = Convention::Megatron;
/// From which share on the kernels' operations are said to differ from those counted.
const WORTH_SAYING: f64 = 0.05;

/// Rates that follow from the time of an iteration.
pub(crate) struct Rates {
    pub(crate) time: f64,
    pub(crate) tokens: f64,
    pub(crate) gpus: f64,
    /// Operations a second and GPU.
    pub(crate) model: f64,
    pub(crate) hardware: f64,
    /// The dense peak in the compute format, a GPU.
    pub(crate) peak: f64,
    /// Model operations over that peak; none where a GPU's is unknown.
    pub(crate) mfu: Option<f64>,
    /// The same over the peak in the format of products, where that is another one.
    pub(crate) gemm_mfu: Option<f64>,
}

impl Rates {
    pub(crate) fn new(scenario: &Scenario, time: Seconds) -> Self {
        let Scenario { job, plan, .. } = scenario;
        let gpus = f64::from(plan.n_ranks());
        let vocab = padded_vocab(scenario);
        let (policy, share) = match plan.recompute_policy() {
            RecomputePolicy::Uniform(policy) => (*policy, 1.0),
            RecomputePolicy::FirstLayers(counts) => {
                let layers: u32 = counts.iter().sum();
                (
                    Recompute::Full,
                    f64::from(layers) / job.model.layers().len().max(1) as f64,
                )
            }
        };
        let model = model_flops(job, vocab, CONVENTION);
        let again = hardware_flops(job, vocab, CONVENTION, policy) - model;
        let hardware = model + again * share.min(1.0);
        let per_gpu = |flops: Flops| flops.as_f64() / time.as_secs() / gpus;
        let (compute, gemm) = (job.precision.compute, job.precision.gemm());
        let peak = peak(scenario, compute);
        let over = |peak: f64| (0.0 < peak).then(|| per_gpu(model) / peak);
        Self {
            time: time.as_secs(),
            tokens: (job.global_batch * job.seq_len) as f64,
            gpus,
            model: per_gpu(model),
            hardware: per_gpu(hardware),
            peak,
            mfu: over(peak),
            gemm_mfu: (gemm != compute)
                .then(|| over(self::peak(scenario, gemm)))
                .flatten(),
        }
    }
}

/// What is counted otherwise than one might expect.
pub(crate) fn counted_otherwise(scenario: &Scenario) -> impl Iterator<Item = Assumed> {
    within_documents(scenario)
        .into_iter()
        .chain(far_from_kernels(scenario))
}

/// Says that attention of packed sequences counts within documents.
fn within_documents(scenario: &Scenario) -> Option<Assumed> {
    let packed = scenario.job.packed?;
    Some(Assumed {
        field: "model FLOPs".to_owned(),
        value: format!("attention within documents of {packed} tokens"),
        reason: "the sequences are packed; a figure that counts scores between documents has more \
                 TFLOP/s in the same time"
            .to_owned(),
    })
}

/// Says so where kernels compute far from what is counted: windows leave fewer scores than the
/// convention counts.
fn far_from_kernels(scenario: &Scenario) -> Option<Assumed> {
    let vocab = padded_vocab(scenario);
    let counted = model_flops(&scenario.job, vocab, CONVENTION).as_f64();
    let computed = model_flops(&scenario.job, vocab, Convention::Operators).as_f64();
    let share = computed / counted;
    (WORTH_SAYING < (share - 1.0).abs()).then(|| Assumed {
        field: "model FLOPs".to_owned(),
        value: "as Megatron counts".to_owned(),
        reason: format!(
            "windows and routers aside; kernels compute {:.0} % of that, and MFU would \
             be {share:.2} of what is said",
            share * 100.0
        ),
    })
}

/// The mean dense peak of the plan's GPUs in a format; zero where none is known.
fn peak(scenario: &Scenario, dtype: DType) -> f64 {
    let Scenario { plan, cluster, .. } = scenario;
    let ranks = plan.ranks();
    let peaks = ranks
        .all()
        .map(|rank| cluster.gpu(plan.gpu_of(rank)).peak(dtype))
        .map(|peak| peak.map_or(0.0, FlopsPerSec::as_f64));
    peaks.sum::<f64>() / f64::from(plan.n_ranks())
}

fn padded_vocab(scenario: &Scenario) -> u64 {
    let Scenario {
        job,
        plan,
        framework,
        ..
    } = scenario;
    let sharding = plan.sharding(job.seq_len, framework.vocab_multiple, framework.fusion);
    sharding.padded_vocab(job.model.vocab())
}
