//! One estimate under way: passes, waits, optimizer, memory.

use std::cell::RefCell;

use collective::{CommShape, Priced};
use lower::{SlotGroup, data_flows};
use plan::{Plan, ScheduleKind};
use profile::CollectiveKind;
use units::{Bytes, RankId};
use workload::ops::{ParamCount, Sharding};

use crate::Scenario;
use crate::estimate::estimator::{Estimate, Hosts, Kept};
use crate::estimate::pipeline::passes;
use crate::estimate::shapes::{ShapeCache, Shapes};
use crate::estimate::stage::StageSums;
use crate::estimate::sync::Wire;
use crate::estimate::waits::Gradients;
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
    /// Whether all GPUs are alike.
    pub(super) uniform: bool,
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
        let (tp, graphs) = (self.plan.degrees().tp, self.plan.cuda_graphs());
        let chunks = f64::from(self.plan.chunks());
        let splits = (self.plan.schedule_kind()).is_some_and(ScheduleKind::splits_backward);
        let mut stages: Vec<StageSums> = Vec::with_capacity(devices.len());
        // Most stages are like the one before them.
        let mut raw = StageSums::default();
        let mut on = None;
        for (stage, device) in devices.iter().enumerate() {
            let (kind, speed) = self.hosts.of_device[*device as usize];
            let at = sums
                .iter()
                .position(|(known, _)| *known == kind)
                .unwrap_or(0);
            let mut sum = std::mem::take(&mut sums[at].1[stage]);
            if let Some(before) = stages.last()
                && on == Some((kind, speed.to_bits()))
                && sum == raw
            {
                stages.push(before.clone());
                continue;
            }
            on = Some((kind, speed.to_bits()));
            raw.clone_from(&sum);
            for pass in [
                &mut sum.forward,
                &mut sum.backward,
                &mut sum.input_grad,
                &mut sum.weight_grad,
            ] {
                *pass = pass.at_speed(speed);
            }
            let host = self.scenario.profiles[kind].host().under(tp, graphs);
            let each = host.micro_batch.as_secs() * (1.0 / chunks);
            sum.with_host(each, splits, self.plan.degrees().pp == 1);
            stages.push(sum);
        }
        let mut chunks_of = vec![Vec::new(); self.plan.degrees().pp as usize];
        for (stage, device) in devices.iter().enumerate() {
            chunks_of[*device as usize].push(stage);
        }
        Merged { stages, chunks_of }
    }

    /// Adds everything up.
    pub(super) fn finish(&self, merged: Merged, kept: &mut Kept) -> Estimate {
        let memory = self.memory(&merged, &Self::params(&merged), kept);
        self.timed(merged, memory, kept)
    }

    /// Parameters by device.
    pub(super) fn params(merged: &Merged) -> Vec<ParamCount> {
        let of_device = |stages: &Vec<usize>| {
            let mut params = ParamCount::default();
            for stage in stages {
                params += merged.stages[*stage].params;
            }
            params
        };
        merged.chunks_of.iter().map(of_device).collect()
    }

    /// An estimate of memory, with times.
    pub(super) fn timed(
        &self,
        mut merged: Merged,
        mut estimate: Estimate,
        kept: &mut Kept,
    ) -> Estimate {
        let plan = self.plan;
        let (data, slots) = data_flows(&self.scenario.job, plan, &self.scenario.framework);
        // Few flows have many sizes.
        let known: RefCell<Vec<((u16, CollectiveKind), Priced<'_>)>> = RefCell::default();
        let price = |stage: &lower::Stage, bytes: Bytes| {
            let key = (stage.slot, stage.kind);
            let mut known = known.borrow_mut();
            let at = known.iter().position(|(other, _)| *other == key);
            let at = at.unwrap_or_else(|| {
                let shape = self.group_shape(slots[usize::from(stage.slot)]);
                known.push((key, self.shapes.priced(&shape, stage.kind)));
                known.len() - 1
            });
            known[at].1.time(bytes).time.as_secs()
        };
        let wire = Wire {
            price: &price,
            dense: &data.dense,
            expert: &data.expert,
            grad_bytes: data.grad_bytes * (1.0 - data.exposed),
            exposed_bytes: data.grad_bytes * data.exposed,
            param_bytes: data.param_bytes,
        };
        let slow = contention(self.scenario).compute_beside[trace::Category::Dp.index()];
        let hops = self.hops(&mut merged);
        let waits = self.waits(&merged, &data, &wire, (&hops.behind, slow), kept);
        let edges = self.shard_passes(&mut merged, &data, &wire, slow);
        let passes = passes(
            plan,
            &merged.stages,
            &hops.behind,
            &waits.slowed,
            &mut kept.scratch,
        );
        let tied = (hops.behind.as_slice(), self.tied_time());
        let Gradients { end, late, tied } = self.end_of_passes(&merged, &waits, &passes, tied);
        let (norms, clip) = (self.norms_time(&waits.params), self.clip_time());
        let sync = tied + (norms + clip);
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
        estimate.iteration_time_s = total;
        estimate.mean_work_s = self.mean_work(&merged);
        estimate.doubt = self.doubt(&merged, &data, &waits, (late, total), hops.are_slow);
        let exposed = fixed + late;
        let around = Breakdown {
            tp_s: norms,
            pp_s: tied,
            dp_s: exposed,
            optimizer_s: optimizer + clip,
            ..Breakdown::default()
        };
        estimate.breakdown = self.breakdown(&merged, total, &around);
        estimate
    }

    pub(super) fn group_shape(&self, group: SlotGroup) -> CommShape {
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
            .at_pace(self.scenario.framework.axes.of_group(group))
    }

    pub(super) fn shape_of(&self, ranks: &[RankId], inner: u32) -> CommShape {
        let Scenario { cluster, comm, .. } = self.scenario;
        self.cache
            .borrow_mut()
            .of(cluster, comm, self.plan, ranks, inner)
    }
}
