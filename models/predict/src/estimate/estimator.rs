//! The closed form of an iteration.

use std::cell::RefCell;
use std::collections::BTreeMap;

use cluster::Cluster;
use lower::Worth;
use plan::{Plan, RankOrder};
use units::{Bytes, Control, FlopsPerSec};
use workload::ops::Sharding;

use crate::closed_form::add_worth;
use crate::estimate::doubt::Doubt;
use crate::estimate::layer_costs::{LayerCosts, layer_costs};
use crate::estimate::limits::{Beyond, Limits, has_room};
use crate::estimate::memory::StagePeak;
use crate::estimate::pipeline::PipelineScratch;
use crate::estimate::rehearsal::{Rehearsal, rehearse};
use crate::estimate::shapes::{ShapeCache, Shapes};
use crate::estimate::sheet::{Sheet, SheetInput};
use crate::estimate::stage::{Layers, StageSums, stages};
use crate::estimate::stage_costs::StageCosts;
use crate::estimate::stage_time::{StageTime, stage_times};
use crate::estimate::work::Work;
use crate::prediction::Breakdown;
use crate::simulate::contention;
use crate::{PredictError, Scenario};

/// The answer of the closed form: a fixed size, no text.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Estimate {
    /// Time of one iteration, in seconds.
    pub iteration_time_s: f64,
    /// Where the time of the bottleneck device goes; sums to the iteration.
    pub breakdown: Breakdown,
    /// Seconds that a device works in an iteration, the mean over the pipeline's: kernels, and
    /// collectives of tensor, context and expert parallelism that they wait for. No schedule and no
    /// spread of the same layers ends before.
    pub mean_work_s: f64,
    /// Weights, gradients and optimizer states of a device, the mean over the pipeline's. No
    /// spread of the same layers has less on its fullest device.
    pub mean_state: Bytes,
    /// The largest peak of the framework's allocator.
    pub peak_allocated: Bytes,
    /// The same with what the allocator holds in reserve.
    pub peak_reserved: Bytes,
    /// With reserve, context and communicators, of the device fullest against its limit.
    pub device_used: Bytes,
    /// That device's memory.
    pub device_memory: Bytes,
    /// The pipeline device with the largest peak.
    pub peak_device: u32,
    /// Whether every rank fits.
    pub fits: bool,
    /// Why the engines may say something else.
    pub doubt: Option<Doubt>,
}

impl Estimate {
    /// The same with what a rehearsal says.
    pub(crate) fn rehearsed(self, rehearsal: &Rehearsal) -> Self {
        let memory = &rehearsal.memory;
        let fullest = memory
            .by_class
            .iter()
            .max_by_key(|class| class.peak_allocated_bytes);
        Self {
            iteration_time_s: rehearsal.time,
            breakdown: rehearsal.breakdown(),
            mean_work_s: self.mean_work_s,
            mean_state: self.mean_state,
            peak_allocated: memory.allocated,
            peak_reserved: memory.reserved,
            device_used: memory.used,
            device_memory: memory.limit,
            peak_device: fullest.map_or(self.peak_device, |class| class.stage),
            fits: memory.fits,
            doubt: self.doubt.filter(|doubt| doubt.outlasts_rehearsal()),
        }
    }
}

/// What the closed form keeps from plan to plan of one job on one cluster: the prices of pieces
/// by sharding, shapes of groups, schedules.
#[derive(Debug)]
pub struct Estimator<'a> {
    scenario: &'a Scenario,
    layers: Layers,
    /// Whether all GPUs are of one kind and speed.
    uniform: bool,
    shapes: RefCell<ShapeCache>,
    kept: Kept,
}

/// What is added to while an estimate is under way.
#[derive(Debug, Default)]
pub(super) struct Kept {
    pub(super) sheets: BTreeMap<SheetKey, Sheet>,
    pub(super) steps: BTreeMap<StepKey, f64>,
    pub(super) scratch: PipelineScratch,
    /// The peaks of all pipeline devices, where they are asked for.
    pub(super) peaks: Option<Vec<StagePeak>>,
}

/// The sums of every virtual stage, by kind of GPU.
type SumsByKind = Vec<(usize, Vec<StageSums>)>;

/// What the pieces of a plan depend on, besides job and kernels, and the kind of GPU.
pub(super) type SheetKey = (usize, [u32; 6], u64, [bool; 3], [u8; 4], u64);
/// What the optimizer's step of a device depends on.
pub(super) type StepKey = (usize, [u64; 4], [u32; 2]);

impl<'a> Estimator<'a> {
    /// An estimator for the job, cluster, profiles and framework of a scenario. Its plan is only
    /// one of those that can be asked for.
    pub fn new(scenario: &'a Scenario) -> Self {
        Self {
            scenario,
            layers: Layers::new(&scenario.job),
            uniform: scenario.is_uniform(),
            shapes: RefCell::default(),
            kept: Kept::default(),
        }
    }

    /// The closed form for a plan of the same job on the same cluster.
    pub fn estimate(&mut self, plan: &Plan) -> Estimate {
        self.work(plan, |work, sums, kept| work.finish(work.merge(sums), kept))
    }

    /// The closed form of a plan that keeps within limits; otherwise only how it does not, at a
    /// fraction of the cost.
    ///
    /// # Errors
    ///
    /// [`Beyond`] where a bound on the time of the plan exceeds the limit, or its memory does.
    pub fn estimate_within(&mut self, plan: &Plan, limits: Limits) -> Result<Estimate, Beyond> {
        self.work(plan, |work, sums, kept| {
            let merged = work.merge(sums);
            let mean_work_s = work.mean_work(&merged);
            let least_s = if limits.any_split {
                mean_work_s
            } else {
                work.least_time(&merged)
            };
            if limits.time < least_s {
                return Err(Beyond::Time {
                    least_s,
                    mean_work_s,
                });
            }
            let memory = work.memory(&merged, &Work::params(&merged), kept);
            if !has_room(memory.device_used, memory.device_memory, limits.margin) {
                return Err(Beyond::Memory {
                    used: memory.device_used,
                    device: memory.device_memory,
                    mean_state: memory.mean_state,
                    mean_work_s,
                });
            }
            Ok(work.timed(merged, memory, kept))
        })
    }

    /// What stages of a plan take and send to each other, as an order of nodes needs it.
    pub fn stage_costs(&mut self, plan: &Plan) -> StageCosts {
        self.work(plan, |work, sums, _| work.stage_costs(&work.merge(sums)))
    }

    /// What passes of one micro-batch take, by pipeline device.
    pub fn stage_times(&mut self, plan: &Plan) -> Vec<StageTime> {
        self.work(plan, |work, sums, _| stage_times(&work.merge(sums)))
    }

    /// Prices the stages of a plan and hands them on.
    fn work<T>(
        &mut self,
        plan: &Plan,
        then: impl FnOnce(&Work<'_>, SumsByKind, &mut Kept) -> T,
    ) -> T {
        let scenario = self.scenario;
        let sharding = sharding(scenario, plan);
        let shapes = self.shapes_of(plan);
        let hosts = Hosts::of(scenario, plan, self.uniform);
        let mut sums = Vec::new();
        for kind in hosts.kinds() {
            let input = sheet_input(scenario, plan, kind, (sharding, &shapes));
            let sheet = self
                .kept
                .sheets
                .entry(sheet_key(kind, &sharding, plan))
                .or_default();
            sums.push((kind, stages(&input, &self.layers, plan, sheet)));
        }
        let work = Work {
            scenario,
            plan,
            sharding,
            shapes: &shapes,
            cache: &self.shapes,
            hosts: &hosts,
            uniform: self.uniform,
        };
        then(&work, sums, &mut self.kept)
    }
}

impl<'a> Estimator<'a> {
    /// As [`Self::estimate`], but where the formulas are in doubt, time and memory come from a
    /// shortened iteration on the analytic engine: some milliseconds instead of microseconds.
    ///
    /// # Errors
    ///
    /// As [`predict`](crate::predict).
    pub fn rehearsed(&mut self, plan: &Plan, control: &Control) -> Result<Estimate, PredictError> {
        let estimate = self.estimate(plan);
        if estimate.doubt.is_none() {
            return Ok(estimate);
        }
        let rehearsal = rehearse(self.scenario, plan, || None, control)?;
        Ok(estimate.rehearsed(&rehearsal))
    }

    /// What layers, embedding and head of a plan cost by themselves, as a split of layers over
    /// stages needs it; on the GPUs of the first stage, where there are several kinds.
    pub fn layer_costs(&mut self, plan: &Plan) -> LayerCosts {
        let scenario = self.scenario;
        let sharding = sharding(scenario, plan);
        let shapes = self.shapes_of(plan);
        let (kind, speed) = Hosts::of(scenario, plan, self.uniform).of_device[0];
        let input = sheet_input(scenario, plan, kind, (sharding, &shapes));
        let key = sheet_key(kind, &sharding, plan);
        let sheet = self.kept.sheets.entry(key).or_default();
        let sums = stages(&input, &self.layers, plan, sheet);
        layer_costs(scenario, plan, (sheet, &sums), speed)
    }

    fn shapes_of(&self, plan: &Plan) -> Shapes<'a> {
        let scenario = self.scenario;
        Shapes::new(
            &mut self.shapes.borrow_mut(),
            &scenario.cluster,
            &scenario.comm,
            (&scenario.settings.choice, scenario.framework.axes),
            plan,
        )
    }

    /// The closed form for a plan, and the peaks of all pipeline devices.
    pub(crate) fn with_peaks(&mut self, plan: &Plan) -> (Estimate, Vec<StagePeak>) {
        self.kept.peaks = Some(Vec::new());
        let estimate = self.estimate(plan);
        (estimate, self.kept.peaks.take().unwrap_or_default())
    }

    /// Worth of the prices of every piece that was asked for, one execution of each.
    pub(crate) fn worth(&self) -> Worth {
        let mut sum = Worth::default();
        for piece in self.kept.sheets.values().flat_map(|sheet| &sheet.pieces) {
            add_worth(&mut sum, &piece.worth, 1.0);
        }
        sum
    }
}

/// How a block is cut on each rank of a plan.
fn sharding(scenario: &Scenario, plan: &Plan) -> Sharding {
    let framework = &scenario.framework;
    let fusion = framework.fusion_on(scenario.cluster.kinds());
    let mut sharding = plan.sharding(scenario.job.seq_len, framework.vocab_multiple, fusion);
    sharding.experts.peak_rows = framework.peak_rows(&sharding.experts);
    sharding.experts.shared_overlap |= plan.overlap().ep;
    sharding
}

/// What pieces of a plan on a kind of GPU are priced with.
fn sheet_input<'a>(
    scenario: &'a Scenario,
    plan: &Plan,
    kind: usize,
    (sharding, shapes): (Sharding, &'a Shapes<'a>),
) -> SheetInput<'a> {
    let profile = &scenario.profiles[kind];
    SheetInput {
        job: &scenario.job,
        profile,
        host: profile.host().under(plan.degrees().tp, plan.cuda_graphs()),
        sharding,
        replay: scenario.framework.replay,
        shapes,
        contention: contention(scenario),
    }
}

pub(super) fn sheet_key(kind: usize, sharding: &Sharding, plan: &Plan) -> SheetKey {
    let experts = sharding.experts;
    (
        kind,
        [
            sharding.tp,
            sharding.cp,
            sharding.ep,
            sharding.etp,
            // In Megatron's order the groups inside a stage lie alike whatever the stages.
            if plan.is_in_order(RankOrder::MEGATRON) {
                0
            } else {
                plan.degrees().pp
            },
            experts.domains,
        ],
        sharding.micro_batch,
        [
            sharding.sequence_parallel,
            experts.shared_overlap,
            plan.cuda_graphs(),
        ],
        [
            sharding.cp_method as u8,
            experts.dispatch_dtype.map_or(0, |dtype| 1 + dtype as u8) << 3
                | experts.dispatcher as u8,
            sharding.tp_overlap as u8,
            experts.activation_dtype.map_or(0, |dtype| 1 + dtype as u8),
        ],
        experts.capacity_factor.unwrap_or(-1.0).to_bits(),
    )
}

/// The slowest GPU of each pipeline device: its kind and its speed.
pub(super) struct Hosts {
    pub(super) of_device: Vec<(usize, f64)>,
}

impl Hosts {
    fn of(scenario: &Scenario, plan: &Plan, uniform: bool) -> Self {
        let cluster: &Cluster = &scenario.cluster;
        let pp = plan.degrees().pp as usize;
        if uniform {
            return Self {
                of_device: vec![(0, 1.0); pp],
            };
        }
        let mut of_device: Vec<Option<(usize, f64)>> = vec![None; pp];
        let pace = |(kind, speed): (usize, f64)| {
            let peak = cluster.kinds()[kind].peak(scenario.job.precision.compute);
            peak.map_or(1.0, FlopsPerSec::as_f64) * speed
        };
        for rank in plan.ranks().all() {
            let gpu = plan.gpu_of(rank);
            let this = (cluster.kind_of(gpu), cluster.gpu_speed(gpu));
            let slot = &mut of_device[plan.ranks().coords(rank).pp as usize];
            if slot.is_none_or(|known| pace(this) < pace(known)) {
                *slot = Some(this);
            }
        }
        Self {
            of_device: of_device
                .into_iter()
                .map(|host| host.unwrap_or((0, 1.0)))
                .collect(),
        }
    }

    pub(super) fn kinds(&self) -> Vec<usize> {
        let mut kinds: Vec<usize> = self.of_device.iter().map(|(kind, _)| *kind).collect();
        kinds.sort_unstable();
        kinds.dedup();
        kinds
    }
}
