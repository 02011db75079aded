//! One estimate under way: passes, waits, optimizer, memory.

use std::cell::RefCell;
use std::collections::BTreeMap;

use collective::CommShape;
use lower::{DataParallel, SlotGroup, data_flows};
use plan::{Offload, Plan, PlannedSchedule, ScheduleKind};
use profile::CollectiveKind;
use units::{Bytes, RankId};
use workload::ops::{Axis, ParamCount, Sharding, StepShards, optimizer_ops};

use crate::Scenario;
use crate::estimate::estimator::{Doubt, Estimate, Hosts, Kept, StepKey, sheet_key};
use crate::estimate::pipeline::pipeline_time;
use crate::estimate::shapes::{ShapeCache, Shapes};
use crate::estimate::sheet::optimizer_time;
use crate::estimate::stage::StageSums;
use crate::estimate::sync::{PieceWires, Wire, exposed_reduction, gathered_forward};
use crate::prediction::Breakdown;
use crate::simulate::contention;

/// One estimate under way.
pub(super) struct Work<'a> {
    pub(super) scenario: &'a Scenario,
    pub(super) plan: &'a Plan,
    pub(super) sharding: Sharding,
    pub(super) shapes: &'a Shapes<'a>,
    pub(super) cache: &'a RefCell<ShapeCache>,
    pub(super) hosts: &'a Hosts,
}

/// The sums of every virtual stage on the GPU that it runs on.
pub(super) struct Merged {
    pub(super) stages: Vec<StageSums>,
    /// The stages of each device, in the order of the layers.
    pub(super) chunks_of: Vec<Vec<usize>>,
}

impl Merged {
    pub(super) fn chunks(&self, stages: &[usize]) -> Vec<&StageSums> {
        stages.iter().map(|stage| &self.stages[*stage]).collect()
    }
}

impl Work<'_> {
    /// Takes each stage's sums from the kind of its device, stretched by its speed.
    pub(super) fn merge(&self, mut sums: Vec<(usize, Vec<StageSums>)>) -> Merged {
        let devices = self.plan.device_of_stage();
        let scale = self.scenario.framework.host_scale;
        let launches = if self.plan.cuda_graphs() { 0.0 } else { scale };
        let micro_batch = scale / f64::from(self.plan.chunks());
        let splits = (self.plan.schedule_kind()).is_some_and(ScheduleKind::splits_backward);
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
            sum.with_host(&self.scenario.profiles[kind], launches, micro_batch, splits);
            stages.push(sum);
        }
        let mut chunks_of = vec![Vec::new(); self.plan.degrees().pp as usize];
        for (stage, device) in devices.iter().enumerate() {
            chunks_of[*device as usize].push(stage);
        }
        Merged { stages, chunks_of }
    }

    /// Adds everything up.
    pub(super) fn finish(&self, mut merged: Merged, kept: &mut Kept) -> Estimate {
        let plan = self.plan;
        let (data, slots) = data_flows(&self.scenario.job, plan, self.scenario.framework);
        let price = |stage: &lower::Stage, bytes: Bytes| {
            let shape = self.group_shape(slots[usize::from(stage.slot)]);
            self.shapes.time_on(&shape, stage.kind, bytes)
        };
        let wire = Wire {
            price: &price,
            dense: &data.dense,
            expert: &data.expert,
            grad_bytes: data.grad_bytes,
            param_bytes: data.param_bytes,
        };
        let slow = contention(self.scenario).compute_beside[trace::Category::Dp.index()];
        let hops = self.hops(&mut merged);
        let waits = self.waits(&merged, &data, &wire, (&hops.behind, slow), kept);
        let edges = self.shard_passes(&mut merged, &data, &wire, slow);
        let pipeline = pipeline_time(plan, &merged.stages, &hops.behind, &mut kept.scratch);
        let (end, late) = self.end_of_passes(&merged, &waits, pipeline, &hops.behind);
        let sync = self.epilogue_time(&waits.params);
        let optimizer = self.slowest_step(&merged, &waits.params, kept);
        let after = if data.overlap_gather || data.gather_each_pass {
            0.0
        } else {
            waits
                .params
                .iter()
                .map(|params| wire.gather(params))
                .fold(0.0, f64::max)
        };
        let fixed = waits.start + waits.later + edges + after;
        let total = fixed + end + sync + optimizer;
        let mut estimate = self.memory(&merged, &waits.params, kept);
        estimate.iteration_time_s = total;
        estimate.doubt = self.doubt(&merged, &data, &waits, (late, total), hops.are_slow);
        let exposed = fixed + late;
        estimate.breakdown = self.breakdown(&merged, total, exposed, [optimizer, sync]);
        estimate
    }

    /// What data-parallel communication beside the first and the last passes costs each device.
    fn waits(
        &self,
        merged: &Merged,
        data: &DataParallel,
        wire: &Wire<'_>,
        (hops, slow): (&[f64], f64),
        kept: &Kept,
    ) -> Waits {
        let plan = self.plan;
        let key = |kind| sheet_key(kind, &self.sharding, plan);
        let kinds = self.hosts.kinds().into_iter();
        let wires: BTreeMap<usize, PieceWires> = kinds
            .map(|kind| (kind, PieceWires::new(&kept.sheets[&key(kind)], wire)))
            .collect();
        let mut waits = Waits::default();
        let mut arrival = 0.0;
        for (device, stages) in merged.chunks_of.iter().enumerate() {
            let (kind, _) = self.hosts.of_device[device];
            let sheet = &kept.sheets[&key(kind)];
            let chunks = merged.chunks(stages);
            let mut params = ParamCount::default();
            for chunk in &chunks {
                params += chunk.params;
            }
            // Sharded weights and gradients are priced with the passes.
            let (slowed, exposed) = if data.gather_each_pass || data.reduce_each {
                (0.0, 0.0)
            } else if data.overlap_reduce {
                exposed_reduction(plan, &chunks, sheet, &wires[&kind], slow)
            } else {
                (0.0, wire.reduce(&params))
            };
            let forward = chunks.first().map_or(0.0, |chunk| chunk.forward.total);
            if data.overlap_gather && !data.gather_each_pass {
                let start = arrival + waits.start;
                let (end, late) =
                    gathered_forward(plan, &chunks, sheet, &wires[&kind], start, slow);
                waits.start = waits.start.max(end - arrival - forward);
                waits.later = waits.later.max(late);
            }
            arrival += forward + hops.get(device).copied().unwrap_or(0.0);
            waits.slowed.push(slowed);
            waits.exposed.push(exposed);
            waits.params.push(params);
        }
        waits
    }

    /// When the last device has its gradients, and what of that time reductions cost.
    fn end_of_passes(
        &self,
        merged: &Merged,
        waits: &Waits,
        pipeline: f64,
        hops: &[f64],
    ) -> (f64, f64) {
        let plan = self.plan;
        let splits = plan
            .schedule_kind()
            .is_some_and(ScheduleKind::splits_backward);
        let (mut end, mut late, mut before) = (0.0_f64, 0.0, 0.0);
        for (device, stages) in merged.chunks_of.iter().enumerate() {
            // The last micro-batch comes back through every device behind this one.
            let behind: f64 = if plan.chunks() == 1 {
                waits.slowed[device..].iter().sum()
            } else {
                waits.slowed[device]
            };
            let ready = pipeline - before + behind + waits.exposed[device];
            if end < ready {
                end = ready;
                late = waits.exposed[device] + behind;
            }
            // With delayed weight gradients all devices end at about the same time.
            if !splits {
                let first = merged
                    .chunks(stages)
                    .first()
                    .map_or(0.0, |chunk| chunk.backward.total);
                before += first + hops.get(device).copied().unwrap_or(0.0);
            }
        }
        (end, late)
    }

    /// The longest optimizer step.
    fn slowest_step(&self, merged: &Merged, params: &[ParamCount], kept: &mut Kept) -> f64 {
        let mut slowest = 0.0_f64;
        for (device, params) in params.iter().enumerate() {
            slowest = slowest.max(self.step_time(merged, device, params, kept));
        }
        slowest
    }

    /// Whether the schedule is one whose passes the formulas price.
    fn knows_schedule(&self) -> bool {
        use ScheduleKind as S;
        matches!(
            self.plan.schedule_kind(),
            Some(
                S::GPipe
                    | S::OneFOneB
                    | S::Interleaved
                    | S::ZbH1
                    | S::ZbH2
                    | S::ZbV
                    | S::VHalf
                    | S::VMin
            )
        )
    }

    /// The first reason for which the engines may say something else.
    fn doubt(
        &self,
        merged: &Merged,
        data: &DataParallel,
        waits: &Waits,
        (late, total): (f64, f64),
        slow_hops: bool,
    ) -> Option<Doubt> {
        let plan = self.plan;
        let waiting = waits.start + waits.later + late + waits.slowed.iter().sum::<f64>();
        let overlaps = data.overlap_gather || data.overlap_reduce;
        let splits = (plan.schedule_kind()).is_some_and(ScheduleKind::splits_backward);
        let loose = 1 < plan.chunks() || splits;
        let interleaved = loose && overlaps && DOUBTFUL * total < waiting;
        let of_host = |stage: &StageSums| stage.host_bound;
        let reasons = [
            (plan.offload() != Offload::NONE, Doubt::Offload),
            (0.0 < self.scenario.settings.jitter, Doubt::Jitter),
            (!self.hosts.alike, Doubt::UnequalGpus),
            (plan.vocabulary().is_some(), Doubt::SpreadVocabulary),
            (!self.knows_schedule(), Doubt::OtherSchedule),
            (
                plan.overlap().ep && 1 < plan.degrees().ep,
                Doubt::PairedPasses,
            ),
            (
                data.gather_each_pass || data.reduce_each,
                Doubt::ShardedPasses,
            ),
            (merged.stages.iter().any(of_host), Doubt::HostBound),
            (interleaved, Doubt::InterleavedOverlap),
            (slow_hops, Doubt::SlowHops),
        ];
        reasons
            .into_iter()
            .find(|(holds, _)| *holds)
            .map(|(_, doubt)| doubt)
    }
}

/// What data-parallel communication costs beside passes, in seconds.
#[derive(Clone, Debug, Default)]
struct Waits {
    /// By which the first forward pass is put off.
    start: f64,
    /// By which passes of later chunks are.
    later: f64,
    /// By device, what reductions slow its last backward pass.
    slowed: Vec<f64>,
    /// By device, what reductions last beyond it.
    exposed: Vec<f64>,
    /// Parameters by device.
    params: Vec<ParamCount>,
}

impl Work<'_> {
    /// Stretches passes whose weights are gathered before and gradients reduced behind them; gives
    /// the seconds of the first gather and the last reduction, which nothing hides.
    fn shard_passes(
        &self,
        merged: &mut Merged,
        data: &DataParallel,
        wire: &Wire<'_>,
        slow: f64,
    ) -> f64 {
        if !(data.gather_each_pass || data.reduce_each) {
            return 0.0;
        }
        let mut edges = 0.0_f64;
        for stage in &mut merged.stages {
            let gather = if data.gather_each_pass {
                wire.pass(&stage.params)
            } else {
                0.0
            };
            let again = if data.keep_after_forward { 0.0 } else { gather };
            let reduce = if data.reduce_each {
                self.sums_a_pass() * wire.reduce(&stage.params)
            } else {
                0.0
            };
            // What runs beside the passes, and what they wait for.
            let stretch = |pass: f64, parts: [(f64, bool); 2]| {
                let sum = |hidden: bool| -> f64 {
                    parts
                        .iter()
                        .filter(|part| part.1 == hidden)
                        .map(|part| part.0)
                        .sum()
                };
                let beside = sum(true);
                (pass + pass.min(beside) * (1.0 - slow)).max(beside) + sum(false)
            };
            let ahead = data.overlap_gather;
            let behind = data.overlap_reduce;
            let forward = stretch(stage.forward.total, [(gather, ahead), (0.0, true)]);
            let backward = stretch(stage.backward.total, [(again, ahead), (reduce, behind)]);
            stage.forward.dp += forward - stage.forward.total;
            stage.backward.dp += backward - stage.backward.total;
            stage.forward.total = forward;
            stage.backward.total = backward;
            let pieces: u32 = stage.runs.iter().map(|(_, times)| times).sum();
            let hidden = if ahead { gather } else { 0.0 } + if behind { reduce } else { 0.0 };
            edges = edges.max(hidden / f64::from(pieces.max(1)));
        }
        edges
    }

    /// Sums of gradients a backward pass, on average: one behind the last of the passes of a stage
    /// that follow each other on their device.
    fn sums_a_pass(&self) -> f64 {
        let plan = self.plan;
        let n = plan.n_micro_batches();
        let rounds = match plan.planned_schedule() {
            PlannedSchedule::Kind { kind, group } if 1 < plan.degrees().pp => match kind {
                ScheduleKind::Interleaved => n.div_ceil((*group).max(1)),
                _ if plan.chunks() == 1 => 1,
                _ => n,
            },
            _ => n,
        };
        f64::from(rounds) / f64::from(n.max(1))
    }

    fn group_shape(&self, group: SlotGroup) -> CommShape {
        if let SlotGroup::Axis(axis) = group {
            return self.shapes.of_slot[usize::from(lower::axis_slot(axis))];
        }
        if group == SlotGroup::Ends {
            let first = RankId::new(0);
            let last = self.plan.degrees().pp - 1;
            return self.pair([first, self.plan.ranks().at_stage(first, last)]);
        }
        let inner = if group == SlotGroup::Replica {
            self.plan.degrees().tp
        } else {
            0
        };
        self.shape_of(&group.ranks(self.plan.ranks(), RankId::new(0)), inner)
    }

    pub(super) fn shape_of(&self, ranks: &[RankId], inner: u32) -> CommShape {
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

    /// Seconds of the optimizer's step on a device.
    fn step_time(
        &self,
        merged: &Merged,
        device: usize,
        params: &ParamCount,
        kept: &mut Kept,
    ) -> f64 {
        let (kind, speed) = self.hosts.of_device[device];
        let plan = self.plan;
        let chunks = merged.chunks(&merged.chunks_of[device]);
        let shards = StepShards {
            dense: plan.shards().optimizer,
            expert: plan.expert_shards().optimizer,
        };
        let n_chunks = chunks.len() as u64;
        let counts = [params.dense, params.expert, params.dense_trained, n_chunks];
        let key: StepKey = (kind, counts, [shards.dense, shards.expert]);
        let sheet = &kept.sheets[&sheet_key(kind, &self.sharding, plan)];
        let time = *kept.steps.entry(key).or_insert_with(|| {
            let mut matrices = Vec::new();
            for (piece, times) in chunks.iter().flat_map(|chunk| &chunk.runs) {
                for _ in 0..*times {
                    matrices.extend_from_slice(&sheet.pieces[*piece].piece.ops.matrices);
                }
            }
            let ops = optimizer_ops(&self.scenario.job, &matrices, shards);
            optimizer_time(&self.scenario.profiles[kind], &ops)
        });
        time / speed
    }

    /// The device with the most work: its passes, what is exposed, and idle time for the rest.
    fn breakdown(
        &self,
        merged: &Merged,
        total: f64,
        exposed: f64,
        [optimizer, sync]: [f64; 2],
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
                    sum.dp_s += n * pass.dp;
                    sum.pp_s += n * pass.pp;
                    let named = pass.compute + pass.tp + pass.cp + pass.ep + pass.dp + pass.pp;
                    let rest = pass.total - named;
                    sum.other_s += n * rest.max(0.0);
                }
            }
            sum
        };
        let busiest = merged
            .chunks_of
            .iter()
            .map(work)
            .max_by(|a, b| a.total().total_cmp(&b.total()));
        let mut breakdown = busiest.unwrap_or_default();
        breakdown.optimizer_s = optimizer;
        breakdown.pp_s += sync;
        breakdown.dp_s += exposed.min((total - breakdown.total()).max(0.0));
        // What rounding leaves of an exact fit goes to compute, so that the parts sum up.
        breakdown.bubble_s = (total - breakdown.total()).max(0.0);
        breakdown.compute_s += total - breakdown.total();
        breakdown
    }
}

/// Share of the iteration that waits of interleaved overlap may have without doubt.
const DOUBTFUL: f64 = 0.02;
