//! Where the time of an estimate goes.

use plan::ScheduleKind;

use crate::estimate::sheet::PassTime;
use crate::estimate::stage::StageSums;
use crate::estimate::work::{Merged, Work};
use crate::prediction::Breakdown;

impl Work<'_> {
    /// Seconds before which no iteration of the plan ends, in formulas or engines: of each device
    /// what it runs itself, the forward passes that its first one waits for, and where it ends with
    /// one, the backward passes that its last one lets go. Only kernels and the collectives inside
    /// stages count.
    pub(super) fn least_time(&self, merged: &Merged) -> f64 {
        let n = f64::from(self.plan.n_micro_batches());
        let kind = self.plan.schedule_kind();
        let is_spread = self.plan.is_two_directional() || self.plan.vocabulary().is_some();
        let splits = kind.is_some_and(ScheduleKind::splits_backward);
        let work = |pass: &PassTime| self.held_up(pass);
        let mut least = 0.0_f64;
        for stages in &merged.chunks_of {
            let chunks = merged.chunks(stages);
            let both = |stage: &&StageSums| work(&stage.forward) + work(&stage.backward);
            let own = n * chunks.iter().map(both).sum::<f64>();
            let before = &merged.stages[..stages.first().copied().unwrap_or(0)];
            let around = before.iter().map(|stage| {
                let after = if splits { 0.0 } else { work(&stage.backward) };
                work(&stage.forward) + after
            });
            least = least.max(own + around.sum::<f64>());
        }
        if is_spread || kind.is_none() {
            0.0
        } else {
            least
        }
    }

    /// Seconds that the passes of a device take, the mean over devices.
    pub(super) fn mean_work(&self, merged: &Merged) -> f64 {
        let n = f64::from(self.plan.n_micro_batches());
        let passes = merged
            .stages
            .iter()
            .flat_map(|stage| [&stage.forward, &stage.backward]);
        let work: f64 = passes.map(|pass| self.held_up(pass)).sum();
        // In two directions each copy of a stage sees half of the micro-batches.
        let copies = if self.plan.is_two_directional() {
            2.0
        } else {
            1.0
        };
        n * work / copies / f64::from(self.plan.degrees().pp)
    }

    /// Seconds of a pass that no other work of its device can fill, whatever overlaps: kernels, and
    /// collectives that they wait for. Those of experts may run beside another micro-batch, and those of
    /// tensor parallelism beside kernels where the framework can cut them up.
    fn held_up(&self, pass: &PassTime) -> f64 {
        let when = |waits: bool, time: f64| if waits { time } else { 0.0 };
        let tp = when(!self.scenario.framework.overlaps.tp, pass.tp);
        let ep = when(self.plan.degrees().ep == 1, pass.ep);
        pass.compute + pass.cp + tp + ep
    }

    /// The device with the most work: its passes, what stands around them, and idle time for the
    /// rest.
    pub(super) fn breakdown(&self, merged: &Merged, total: f64, around: &Breakdown) -> Breakdown {
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
        breakdown.optimizer_s = around.optimizer_s;
        breakdown.tp_s += around.tp_s;
        breakdown.pp_s += around.pp_s;
        breakdown.dp_s += around.dp_s.min((total - breakdown.total()).max(0.0));
        // What rounding leaves of an exact fit goes to compute, so that the parts sum up.
        breakdown.bubble_s = (total - breakdown.total()).max(0.0);
        breakdown.compute_s += total - breakdown.total();
        breakdown
    }
}
