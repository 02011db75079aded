//! The time of a schedule from the sums of its stages.

use plan::Plan;
use plan::schedule::{
    ClosedFormScratch, Costs, PassCosts, Schedule, ScheduleKind, Scratch, makespan,
    one_f_one_b_time,
};

use crate::estimate::stage::StageSums;

/// Memory used again from plan to plan.
#[derive(Debug, Default)]
pub(super) struct PipelineScratch {
    closed: ClosedFormScratch,
    replay: Scratch,
    forward: Vec<u64>,
    backward: Vec<u64>,
    links: Vec<u64>,
    costs: Costs,
    schedules: Vec<(ScheduleKey, Schedule)>,
}

/// What a generated schedule depends on: its kind, devices, chunks, micro-batches, group.
type ScheduleKey = (ScheduleKind, u32, u32, u32, u32);

/// Schedules kept from plan to plan; the oldest leave first.
const KEPT_SCHEDULES: usize = 64;

const PICOS: f64 = 1e12;

/// Seconds from the first forward to the last backward pass.
///
/// GPipe is a flow shop of equal jobs each way; 1F1B has an exact closed form; other schedules
/// are replayed, which is exact as well.
pub(super) fn pipeline_time(
    plan: &Plan,
    stages: &[StageSums],
    hop: f64,
    scratch: &mut PipelineScratch,
) -> f64 {
    let n = u64::from(plan.n_micro_batches());
    if stages.len() == 1 {
        return n as f64 * (stages[0].forward.total + stages[0].backward.total);
    }
    match plan.schedule_kind() {
        Some(ScheduleKind::GPipe) => flow_shop(stages, hop, n),
        Some(ScheduleKind::OneFOneB) => {
            scratch.load(stages, hop);
            let PipelineScratch {
                closed,
                forward,
                backward,
                links,
                ..
            } = scratch;
            one_f_one_b_time(forward, backward, links, n, closed) as f64 / PICOS
        }
        _ => replayed(plan, stages, hop, scratch),
    }
}

fn flow_shop(stages: &[StageSums], hop: f64, n: u64) -> f64 {
    let pass = |time: &dyn Fn(&StageSums) -> f64| {
        let sum: f64 = stages.iter().map(time).sum();
        let longest = stages.iter().map(time).fold(0.0, f64::max);
        sum + (n - 1) as f64 * longest + (stages.len() - 1) as f64 * hop
    };
    pass(&|stage| stage.forward.total) + pass(&|stage| stage.backward.total)
}

impl PipelineScratch {
    fn load(&mut self, stages: &[StageSums], hop: f64) {
        self.forward.clear();
        self.backward.clear();
        self.links.clear();
        self.forward
            .extend(stages.iter().map(|stage| picos(stage.forward.total)));
        self.backward
            .extend(stages.iter().map(|stage| picos(stage.backward.total)));
        self.links.resize(stages.len() - 1, picos(hop));
    }
}

fn replayed(plan: &Plan, stages: &[StageSums], hop: f64, scratch: &mut PipelineScratch) -> f64 {
    scratch.costs.stages.clear();
    scratch
        .costs
        .stages
        .extend(stages.iter().map(|stage| PassCosts {
            forward: picos(stage.forward.total),
            backward: picos(stage.backward.total),
            input_grad: picos(stage.input_grad.total),
            weight_grad: picos(stage.weight_grad.total),
        }));
    scratch.costs.links.clear();
    scratch.costs.links.resize(stages.len(), picos(hop));
    let Some(kind) = plan.schedule_kind() else {
        return replay(&plan.schedule(), &scratch.costs, &mut scratch.replay);
    };
    let group = match plan.planned_schedule() {
        plan::PlannedSchedule::Kind { group, .. } => *group,
        plan::PlannedSchedule::File(_) => 0,
    };
    let key = (
        kind,
        plan.degrees().pp,
        plan.chunks(),
        plan.n_micro_batches(),
        group,
    );
    let known = scratch
        .schedules
        .iter()
        .position(|(known, _)| *known == key);
    let at = known.unwrap_or_else(|| {
        if scratch.schedules.len() == KEPT_SCHEDULES {
            scratch.schedules.remove(0);
        }
        scratch.schedules.push((key, (*plan.schedule()).clone()));
        scratch.schedules.len() - 1
    });
    replay(
        &scratch.schedules[at].1,
        &scratch.costs,
        &mut scratch.replay,
    )
}

fn replay(schedule: &Schedule, costs: &Costs, scratch: &mut Scratch) -> f64 {
    makespan(schedule, costs, scratch).map_or(f64::INFINITY, |picos| picos as f64 / PICOS)
}

/// Whole picoseconds, rounded up, as the simulated clock does.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "durations are far below 2⁶⁴ picoseconds, and a cast saturates"
)]
fn picos(secs: f64) -> u64 {
    (secs * PICOS).ceil() as u64
}
