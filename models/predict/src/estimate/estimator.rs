//! The closed form of an iteration.

use std::cell::RefCell;
use std::collections::BTreeMap;

use cluster::Cluster;
use collective::CommShape;
use lower::{SlotGroup, Worth, boundary, data_flows};
use plan::state::{StateBytes, StateParts, gather_buffers};
use plan::{Plan, ScheduleKind};
use profile::CollectiveKind;
use units::{Bytes, RankId};
use workload::ops::{Axis, ParamCount, Sharding, StepShards, optimizer_ops};

use crate::Scenario;
use crate::closed_form::add_worth;
use crate::estimate::memory::activations;
use crate::estimate::pipeline::{PipelineScratch, pipeline_time};
use crate::estimate::shapes::{ShapeCache, Shapes};
use crate::estimate::sheet::{Sheet, SheetInput, optimizer_time};
use crate::estimate::stage::{Layers, StageSums, stages};
use crate::estimate::sync::{PieceWires, Wire, exposed_reduction, gathered_forward};
use crate::prediction::Breakdown;
use crate::simulate::contention;

/// The answer of the closed form: a fixed size, no text.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Estimate {
    /// Time of one iteration, in seconds.
    pub iteration_time_s: f64,
    /// Where the time of the bottleneck device goes; sums to the iteration.
    pub breakdown: Breakdown,
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

/// Why the closed form may be off by more than 2 %.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// Gathers or reductions that an interleaved schedule cannot hide delay other devices, which
    /// wait for each other in rounds; the closed form counts each device's delay once.
    InterleavedOverlap,
    /// Gathers and reductions of sharded state share a stream with each other; the closed form
    /// adds them up.
    ShardedPasses,
}

impl Doubt {
    /// The reason, for people.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::InterleavedOverlap => {
                "data-parallel communication is not hidden by the interleaved schedule, and the \
                 closed form counts each device's delay once; the engines differ by up to a tenth"
            }
            Self::ShardedPasses => {
                "gathers and reductions of sharded state are summed per pass; the engines queue them"
            }
        }
    }
}

/// What the closed form keeps from plan to plan of one job on one cluster: the prices of pieces
/// by sharding, shapes of groups, schedules.
#[derive(Debug)]
pub struct Estimator<'a> {
    scenario: &'a Scenario,
    layers: Layers,
    /// Whether all GPUs are alike.
    uniform: bool,
    shapes: RefCell<ShapeCache>,
    kept: Kept,
}

/// What is added to while an estimate is under way.
#[derive(Debug, Default)]
struct Kept {
    sheets: BTreeMap<SheetKey, Sheet>,
    steps: BTreeMap<StepKey, f64>,
    scratch: PipelineScratch,
}

/// What the pieces of a plan depend on, besides job and kernels, and the kind of GPU.
type SheetKey = (usize, [u32; 6], u64, [bool; 2], [u8; 3], u64);
/// What the optimizer's step of a device depends on.
type StepKey = (usize, [u64; 4], [u32; 2]);

impl<'a> Estimator<'a> {
    /// An estimator for the job, cluster, profiles and framework of a scenario. Its plan is only
    /// one of those that can be asked for.
    pub fn new(scenario: &'a Scenario) -> Self {
        let cluster = &scenario.cluster;
        let uniform = cluster.kinds().len() == 1
            && cluster
                .gpus()
                .all(|gpu| cluster.gpu_speed(gpu).to_bits() == 1.0_f64.to_bits());
        Self {
            scenario,
            layers: Layers::new(&scenario.job),
            uniform,
            shapes: RefCell::default(),
            kept: Kept::default(),
        }
    }

    /// The closed form for a plan of the same job on the same cluster.
    pub fn estimate(&mut self, plan: &Plan) -> Estimate {
        let scenario = self.scenario;
        let framework = scenario.framework;
        let fusion = framework.fusion_on(scenario.cluster.kinds());
        let sharding = plan.sharding(scenario.job.seq_len, framework.vocab_multiple, fusion);
        let shapes = Shapes::new(
            &mut self.shapes.borrow_mut(),
            &scenario.cluster,
            &scenario.comm,
            &scenario.settings.choice,
            plan,
        );
        let hosts = Hosts::of(scenario, plan, self.uniform);
        let mut sums = Vec::new();
        for kind in hosts.kinds() {
            let input = SheetInput {
                job: &scenario.job,
                profile: &scenario.profiles[kind],
                sharding,
                shapes: &shapes,
                contention: contention(scenario),
            };
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
        };
        let merged = work.merge(sums);
        work.finish(merged, &mut self.kept)
    }
}

impl Estimator<'_> {
    /// Worth of the prices of every piece that was asked for, one execution of each.
    pub(crate) fn worth(&self) -> Worth {
        let mut sum = Worth::default();
        for piece in self.kept.sheets.values().flat_map(|sheet| &sheet.pieces) {
            add_worth(&mut sum, &piece.worth, 1.0);
        }
        sum
    }
}

fn sheet_key(kind: usize, sharding: &Sharding, plan: &Plan) -> SheetKey {
    let experts = sharding.experts;
    (
        kind,
        [
            sharding.tp,
            sharding.cp,
            sharding.ep,
            sharding.etp,
            plan.degrees().pp,
            0,
        ],
        sharding.micro_batch,
        [sharding.sequence_parallel, experts.shared_overlap],
        [
            sharding.cp_method as u8,
            experts.dispatcher as u8,
            sharding.tp_overlap as u8,
        ],
        experts.capacity_factor.unwrap_or(-1.0).to_bits(),
    )
}

/// The slowest GPU of each pipeline device: its kind and its speed.
struct Hosts {
    of_device: Vec<(usize, f64)>,
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
            peak.map_or(1.0, |peak| peak.as_f64()) * speed
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

    fn kinds(&self) -> Vec<usize> {
        let mut kinds: Vec<usize> = self.of_device.iter().map(|(kind, _)| *kind).collect();
        kinds.sort_unstable();
        kinds.dedup();
        kinds
    }
}

/// One estimate under way.
struct Work<'a> {
    scenario: &'a Scenario,
    plan: &'a Plan,
    sharding: Sharding,
    shapes: &'a Shapes<'a>,
    cache: &'a RefCell<ShapeCache>,
    hosts: &'a Hosts,
}

/// The sums of every virtual stage on the GPU that it runs on, and the device of each.
struct Merged {
    stages: Vec<StageSums>,
    devices: Vec<u32>,
}

impl Work<'_> {
    /// Takes each stage's sums from the kind of its device, stretched by its speed.
    fn merge(&self, mut sums: Vec<(usize, Vec<StageSums>)>) -> Merged {
        let devices = self.plan.device_of_stage();
        let graphs = self.plan.cuda_graphs();
        let scale = if graphs {
            0.0
        } else {
            self.scenario.framework.host_scale
        };
        let mut stages = Vec::with_capacity(devices.len());
        for (stage, device) in devices.iter().enumerate() {
            let (kind, speed) = self.hosts.of_device[*device as usize];
            let at = sums
                .iter()
                .position(|(known, _)| *known == kind)
                .unwrap_or(0);
            let mut sum = std::mem::take(&mut sums[at].1[stage]);
            for pass in [
                &mut sum.forward,
                &mut sum.backward,
                &mut sum.input_grad,
                &mut sum.weight_grad,
            ] {
                *pass = pass.at_speed(speed);
            }
            sum.with_host(&self.scenario.profiles[kind], scale);
            stages.push(sum);
        }
        Merged { stages, devices }
    }

    fn finish(&self, mut merged: Merged, cache: &mut Kept) -> Estimate {
        let plan = self.plan;
        let (data, slots) = data_flows(&self.scenario.job, plan);
        let price = |stage: &lower::Stage, bytes: Bytes| {
            let group = slots[usize::from(stage.slot)];
            let shape = self.group_shape(group);
            self.shapes.time_on(&shape, stage.kind, bytes)
        };
        let wire = Wire {
            price: &price,
            dense: &data.dense,
            expert: &data.expert,
            grad_bytes: data.grad_bytes,
            param_bytes: data.param_bytes,
        };
        let key = |kind| sheet_key(kind, &self.sharding, plan);
        let hop = self.hop(&mut merged);
        let slow = contention(self.scenario).compute_beside[trace::Category::Dp.index()];
        let pp = plan.degrees().pp;
        let mut chunks_of: Vec<Vec<usize>> = vec![Vec::new(); pp as usize];
        for (stage, device) in merged.devices.iter().enumerate() {
            chunks_of[*device as usize].push(stage);
        }
        let wires: BTreeMap<usize, PieceWires> = self
            .hosts
            .kinds()
            .into_iter()
            .map(|kind| (kind, PieceWires::new(&cache.sheets[&key(kind)], &wire)))
            .collect();
        let mut start_delay = 0.0_f64;
        let mut exposed = vec![0.0; pp as usize];
        let mut slowed = vec![0.0; pp as usize];
        let mut later_delay = 0.0_f64;
        let mut arrival = 0.0;
        let mut params = Vec::with_capacity(pp as usize);
        for device in 0..pp as usize {
            let (kind, _) = self.hosts.of_device[device];
            let sheet = &cache.sheets[&key(kind)];
            let chunks: Vec<&StageSums> = chunks_of[device]
                .iter()
                .map(|stage| &merged.stages[*stage])
                .collect();
            let mut sum = ParamCount::default();
            chunks.iter().for_each(|chunk| sum += chunk.params);
            params.push(sum);
            // Sharded weights and gradients are priced with the passes, further down.
            if !(data.gather_each_pass || data.reduce_each) {
                (slowed[device], exposed[device]) = if data.overlap_reduce {
                    exposed_reduction(plan, &chunks, sheet, &wires[&kind], slow)
                } else {
                    (0.0, wire.reduce(&sum))
                };
            }
            let forward = chunks.first().map_or(0.0, |chunk| chunk.forward.total);
            if data.overlap_gather && !data.gather_each_pass {
                let (end, late) = gathered_forward(
                    plan,
                    &chunks,
                    sheet,
                    &wires[&kind],
                    arrival + start_delay,
                    slow,
                );
                start_delay = start_delay.max(end - arrival - forward);
                later_delay = later_delay.max(late);
            }
            arrival += forward + hop;
        }
        let mut sharded = Sharded::default();
        if data.gather_each_pass || data.reduce_each {
            sharded = self.shard_passes(&mut merged, &data, &wire, slow);
        }
        let pipeline = pipeline_time(plan, &merged.stages, hop, &mut cache.scratch);
        let mut end = 0.0_f64;
        let mut before = 0.0;
        let mut late = 0.0_f64;
        for device in 0..pp as usize {
            // The last micro-batch comes back through every device behind this one.
            let behind: f64 = if plan.chunks() == 1 {
                slowed[device..].iter().sum()
            } else {
                slowed[device]
            };
            let ready = pipeline - before + behind + exposed[device];
            if end < ready {
                end = ready;
                late = exposed[device] + behind;
            }
            let first = chunks_of[device].first();
            // With delayed weight gradients all devices end at about the same time.
            if !plan
                .schedule_kind()
                .is_some_and(ScheduleKind::splits_backward)
            {
                before += first.map_or(0.0, |stage| merged.stages[*stage].backward.total) + hop;
            }
        }
        let sync = self.epilogue_time(&params);
        let optimizer = (0..pp as usize)
            .map(|device| {
                self.step_time(
                    &merged,
                    device,
                    &params[device],
                    &chunks_of[device],
                    &key,
                    cache,
                )
            })
            .fold(0.0, f64::max);
        let after = if data.overlap_gather || data.gather_each_pass {
            0.0
        } else {
            params
                .iter()
                .map(|params| wire.gather(params))
                .fold(0.0, f64::max)
        };
        let total = start_delay + later_delay + sharded.edges + end + sync + optimizer + after;
        let dp = start_delay + later_delay + sharded.edges + sharded.exposed + late + after;
        let mut estimate = self.memory(&merged, &chunks_of, &params, &mut cache.scratch);
        estimate.iteration_time_s = total;
        let waits = start_delay + later_delay + late + slowed.iter().sum::<f64>();
        let overlaps = data.overlap_gather || data.overlap_reduce;
        estimate.doubt = if data.gather_each_pass || data.reduce_each {
            Some(Doubt::ShardedPasses)
        } else {
            (1 < plan.chunks() && overlaps && DOUBTFUL * total < waits)
                .then_some(Doubt::InterleavedOverlap)
        };
        estimate.breakdown = self.breakdown(&merged, &chunks_of, total, dp, optimizer, sync);
        estimate
    }
}

/// What sharded weights and gradients add to passes.
#[derive(Clone, Copy, Debug, Default)]
struct Sharded {
    /// The first gather and the last reduction, which nothing hides.
    edges: f64,
    /// What is exposed inside the passes of the bottleneck.
    exposed: f64,
}

impl Work<'_> {
    /// Stretches passes whose weights are gathered before and gradients reduced behind them.
    fn shard_passes(
        &self,
        merged: &mut Merged,
        data: &lower::DataParallel,
        wire: &Wire<'_>,
        slow: f64,
    ) -> Sharded {
        let mut sharded = Sharded::default();
        let n = f64::from(self.plan.n_micro_batches());
        for stage in &mut merged.stages {
            let gather = if data.gather_each_pass {
                wire.pass(&stage.params)
            } else {
                0.0
            };
            let again = if data.keep_after_forward { 0.0 } else { gather };
            let reduce = if data.reduce_each {
                wire.reduce(&stage.params)
            } else {
                0.0
            };
            let stretch = |compute: f64, beside: f64| {
                let hidden = compute.min(beside);
                (compute + hidden * (1.0 - slow)).max(beside)
            };
            let forward = stretch(stage.forward.total, gather);
            let backward = stretch(stage.backward.total, again + reduce);
            let exposed = n * (forward - stage.forward.total + backward - stage.backward.total);
            sharded.exposed = sharded.exposed.max(exposed);
            stage.forward.total = forward;
            stage.backward.total = backward;
            let pieces: u32 = stage.runs.iter().map(|(_, times)| times).sum();
            let edge = (gather + reduce) / f64::from(pieces.max(1));
            sharded.edges = sharded.edges.max(edge);
        }
        sharded
    }

    /// Seconds of a hop between stages. Where the receiver gathers its parts, its passes do.
    fn hop(&self, merged: &mut Merged) -> f64 {
        let plan = self.plan;
        if plan.degrees().pp == 1 {
            return 0.0;
        }
        let job = &self.scenario.job;
        let hop = boundary(job, plan, self.scenario.framework, &self.sharding);
        if let Some(bytes) = hop.gather {
            let time = self.shapes.time(Axis::Tp, CollectiveKind::AllGather, bytes);
            let last = merged.stages.len() - 1;
            for (at, stage) in merged.stages.iter_mut().enumerate() {
                if at != 0 {
                    stage.forward.total += time;
                    stage.forward.tp += time;
                }
                if at != last {
                    stage.backward.total += time;
                    stage.backward.tp += time;
                    stage.input_grad.total += time;
                    stage.input_grad.tp += time;
                }
            }
        }
        let ranks = [RankId::new(0), plan.ranks().at_stage(RankId::new(0), 1)];
        let shape = self.shape_of(&ranks, 0);
        self.shapes
            .time_on(&shape, CollectiveKind::SendRecv, hop.bytes)
    }

    fn group_shape(&self, group: SlotGroup) -> CommShape {
        if let SlotGroup::Axis(axis) = group {
            return self.shapes.of_slot[usize::from(lower::axis_slot(axis))];
        }
        {
            let inner = if group == SlotGroup::Replica {
                self.plan.degrees().tp
            } else {
                0
            };
            self.shape_of(&group.ranks(self.plan.ranks(), RankId::new(0)), inner)
        }
    }

    fn shape_of(&self, ranks: &[RankId], inner: u32) -> CommShape {
        let Scenario { cluster, comm, .. } = self.scenario;
        self.cache
            .borrow_mut()
            .of(cluster, comm, self.plan, ranks, inner)
    }

    /// What all ranks of a replica wait for between the last gradient and the optimizer step.
    fn epilogue_time(&self, params: &[ParamCount]) -> f64 {
        let plan = self.plan;
        let job = &self.scenario.job;
        let degrees = plan.degrees();
        let all_reduce = CollectiveKind::AllReduce;
        let mut time = 0.0;
        if 1 < degrees.pp && plan.stages().iter().any(|stage| stage.embedding_copy) {
            let table = job.model.embedding().map_or(0, |embedding| {
                self.sharding.padded_vocab(embedding.vocab) / u64::from(degrees.tp)
                    * embedding.width
            });
            let bytes = Bytes::from_f64(table as f64 * job.grad_dtype.bytes());
            let shape = self.group_shape(SlotGroup::Ends);
            time += self.shapes.time_on(&shape, all_reduce, bytes);
        }
        if plan.sequence_parallel() && 1 < degrees.tp {
            let most = params
                .iter()
                .map(|params| params.replicated)
                .max()
                .unwrap_or(0);
            let bytes = Bytes::from_f64(most as f64 * job.grad_dtype.bytes());
            time += self.shapes.time(Axis::Tp, all_reduce, bytes);
        }
        if self.scenario.framework.clips_gradients && 1 < degrees.tp * degrees.pp {
            let shape = self.group_shape(SlotGroup::Replica);
            time += self.shapes.time_on(&shape, all_reduce, Bytes::new(4));
        }
        time
    }

    fn step_time(
        &self,
        merged: &Merged,
        device: usize,
        params: &ParamCount,
        chunks: &[usize],
        sheet: &dyn Fn(usize) -> SheetKey,
        cache: &mut Kept,
    ) -> f64 {
        let (kind, speed) = self.hosts.of_device[device];
        let plan = self.plan;
        let shards = StepShards {
            dense: plan.shards().optimizer,
            expert: plan.expert_shards().optimizer,
        };
        let key: StepKey = (
            kind,
            [
                params.dense,
                params.expert,
                params.dense_trained,
                chunks.len() as u64,
            ],
            [shards.dense, shards.expert],
        );
        let sheets = &cache.sheets;
        let time = *cache.steps.entry(key).or_insert_with(|| {
            let mut matrices = Vec::new();
            let pieces = &sheets[&sheet(kind)].pieces;
            for (piece, times) in chunks.iter().flat_map(|stage| &merged.stages[*stage].runs) {
                for _ in 0..*times {
                    matrices.extend_from_slice(&pieces[*piece].piece.ops.matrices);
                }
            }
            let ops = optimizer_ops(&self.scenario.job, &matrices, shards);
            optimizer_time(&self.scenario.profiles[kind], &ops)
        });
        time / speed
    }

    /// Peaks of every device, and whether they fit.
    fn memory(
        &self,
        merged: &Merged,
        chunks_of: &[Vec<usize>],
        params: &[ParamCount],
        scratch: &mut PipelineScratch,
    ) -> Estimate {
        let Scenario {
            job,
            cluster,
            profiles,
            ..
        } = self.scenario;
        let per_param = job.optimizer.resident(job.precision, job.grad_dtype);
        let mut estimate = Estimate {
            fits: true,
            ..Estimate::default()
        };
        let mut fullest = -1.0;
        for (device, chunks) in (0_u32..).zip(chunks_of) {
            let (kind, _) = self.hosts.of_device[device as usize];
            let sums: Vec<&StageSums> = chunks.iter().map(|stage| &merged.stages[*stage]).collect();
            let state = StateBytes::of(&params[device as usize], &per_param).on_gpu(self.plan);
            let constants = profiles[kind].memory();
            let layer = sums.iter().map(|sum| {
                let pieces: u32 = sum.runs.iter().map(|(_, times)| times).sum();
                let parts = StateBytes::of(&sum.params, &per_param).parts();
                let share = |bytes: Bytes| bytes / u64::from(pieces.max(1));
                StateParts {
                    weights: share(parts.weights),
                    gradients: share(parts.gradients),
                    optimizer: Bytes::ZERO,
                }
            });
            let layer = layer.max_by_key(StateParts::total).unwrap_or_default();
            let peak = state.total()
                + activations(self.plan, device, &sums, scratch)
                + constants.framework
                + constants.workspace
                + gather_buffers(self.plan, layer);
            let used = constants.device_used(peak, COMMUNICATORS);
            let limit = cluster.kinds()[kind].memory;
            let share = used.as_f64() / limit.as_f64();
            if fullest < share {
                fullest = share;
                (estimate.device_used, estimate.device_memory) = (used, limit);
            }
            if estimate.peak_allocated < peak {
                (estimate.peak_allocated, estimate.peak_device) = (peak, device);
                estimate.peak_reserved = constants.reserved(peak);
            }
            estimate.fits &= used <= limit;
        }
        estimate
    }

    /// The device with the most work: its passes, what is exposed, and idle time for the rest.
    fn breakdown(
        &self,
        merged: &Merged,
        chunks_of: &[Vec<usize>],
        total: f64,
        dp: f64,
        optimizer: f64,
        sync: f64,
    ) -> Breakdown {
        let n = f64::from(self.plan.n_micro_batches());
        let work = |chunks: &Vec<usize>| {
            let mut sum = Breakdown::default();
            for stage in chunks {
                for pass in [
                    &merged.stages[*stage].forward,
                    &merged.stages[*stage].backward,
                ] {
                    sum.compute_s += n * pass.compute;
                    sum.tp_s += n * pass.tp;
                    sum.cp_s += n * pass.cp;
                    sum.ep_s += n * pass.ep;
                    let rest = pass.total - pass.compute - pass.tp - pass.cp - pass.ep;
                    sum.other_s += n * rest.max(0.0);
                }
            }
            sum
        };
        let busiest = chunks_of
            .iter()
            .map(work)
            .max_by(|a, b| a.total().total_cmp(&b.total()));
        let mut breakdown = busiest.unwrap_or_default();
        breakdown.dp_s = dp.min((total - breakdown.total()).max(0.0));
        breakdown.optimizer_s = optimizer;
        breakdown.pp_s = sync;
        breakdown.bubble_s = total - breakdown.total();
        breakdown
    }
}

/// Share of the iteration that waits of interleaved overlap may have without doubt.
const DOUBTFUL: f64 = 0.02;

/// Communicators of a rank that the closed form counts: world, tensor, pipeline, data.
const COMMUNICATORS: u64 = 4;
