//! The time of a schedule from the sums of its stages.

use std::collections::BTreeMap;
use std::sync::Arc;

use plan::schedule::{
    ClosedFormScratch, Costs, PassCosts, Schedule, ScheduleKind, Scratch, interleaved_time,
    makespan, one_f_one_b_time,
};
use plan::{Plan, PlannedSchedule};

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
    schedules: Vec<(Option<ScheduleKey>, Arc<Schedule>)>,
    /// Times of replays, by schedule and fingerprint of the durations.
    known: BTreeMap<(usize, u128), f64>,
}

/// What a generated schedule depends on: its kind, devices, chunks, micro-batches, group.
type ScheduleKey = (ScheduleKind, [u32; 4]);

/// Schedules kept from plan to plan.
const KEPT_SCHEDULES: usize = 256;
/// Times of replays kept from plan to plan.
const KEPT_TIMES: usize = 65_536;

const PICOS: f64 = 1e12;

/// Seconds from the first forward to the last backward pass.
///
/// GPipe is a flow shop of equal jobs each way; 1F1B has an exact closed form, and so has its
/// interleaved kind where stages are alike; other schedules are replayed, which is exact as well.
pub(super) fn pipeline_time(
    plan: &Plan,
    stages: &[StageSums],
    hops: &[f64],
    scratch: &mut PipelineScratch,
) -> f64 {
    let n = u64::from(plan.n_micro_batches());
    if stages.len() == 1 {
        return n as f64 * (stages[0].forward.total + stages[0].backward.total);
    }
    match plan.schedule_kind() {
        Some(ScheduleKind::GPipe) => flow_shop(stages, hops, n),
        Some(ScheduleKind::OneFOneB) => {
            scratch.load(stages, hops);
            let PipelineScratch {
                closed,
                forward,
                backward,
                links,
                ..
            } = scratch;
            one_f_one_b_time(forward, backward, links, n, closed) as f64 / PICOS
        }
        Some(ScheduleKind::Interleaved) => {
            scratch.load(stages, hops);
            let devices = plan.degrees().pp as usize;
            let equal = hops
                .windows(2)
                .all(|pair| pair[0].to_bits() == pair[1].to_bits());
            let hop = hops.first().map_or(0, |hop| picos(*hop));
            let form = interleaved_time(&scratch.forward, &scratch.backward, devices, hop, n);
            form.filter(|_| equal).map_or_else(
                || replayed(plan, stages, hops, scratch),
                |form| form as f64 / PICOS,
            )
        }
        _ => replayed(plan, stages, hops, scratch),
    }
}

fn flow_shop(stages: &[StageSums], hops: &[f64], n: u64) -> f64 {
    let pass = |time: &dyn Fn(&StageSums) -> f64| {
        let sum: f64 = stages.iter().map(time).sum();
        let longest = stages.iter().map(time).fold(0.0, f64::max);
        sum + (n - 1) as f64 * longest + hops.iter().sum::<f64>()
    };
    pass(&|stage| stage.forward.total) + pass(&|stage| stage.backward.total)
}

impl PipelineScratch {
    fn load(&mut self, stages: &[StageSums], hops: &[f64]) {
        self.forward.clear();
        self.backward.clear();
        self.links.clear();
        self.forward
            .extend(stages.iter().map(|stage| picos(stage.forward.total)));
        self.backward
            .extend(stages.iter().map(|stage| picos(stage.backward.total)));
        self.links.extend(hops.iter().map(|hop| picos(*hop)));
    }
}

fn replayed(plan: &Plan, stages: &[StageSums], hops: &[f64], scratch: &mut PipelineScratch) -> f64 {
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
    scratch
        .costs
        .links
        .extend(hops.iter().map(|hop| picos(*hop)));
    let at = scratch.schedule_index(plan);
    let print = fingerprint(&scratch.costs);
    if let Some(known) = scratch.known.get(&(at, print)) {
        return *known;
    }
    let PipelineScratch {
        schedules,
        costs,
        replay,
        ..
    } = scratch;
    let picos = makespan(&schedules[at].1, costs, replay);
    let time = picos.map_or(f64::INFINITY, |picos| picos as f64 / PICOS);
    if scratch.known.len() == KEPT_TIMES {
        scratch.known.clear();
    }
    scratch.known.insert((at, print), time);
    time
}

/// A number that tells lists of durations apart (FNV-1a, 128 bits: no two of a search collide).
fn fingerprint(costs: &Costs) -> u128 {
    let passes = costs.stages.iter().flat_map(|pass| {
        [
            pass.forward,
            pass.backward,
            pass.input_grad,
            pass.weight_grad,
        ]
    });
    passes.chain(costs.links.iter().copied()).fold(
        0x6c62_272e_07bb_0142_62b8_2175_6295_c58d,
        |hash, time| {
            (hash ^ u128::from(time)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b)
        },
    )
}

impl PipelineScratch {
    /// The schedule of a plan, kept from an earlier plan or built.
    pub(super) fn schedule(&mut self, plan: &Plan) -> &Schedule {
        let at = self.schedule_index(plan);
        &self.schedules[at].1
    }

    fn schedule_index(&mut self, plan: &Plan) -> usize {
        let key = match plan.planned_schedule() {
            PlannedSchedule::Kind { kind, group } => {
                let numbers = [
                    plan.degrees().pp,
                    plan.chunks(),
                    plan.n_micro_batches(),
                    *group,
                ];
                Some((*kind, numbers))
            }
            PlannedSchedule::File(_) => None,
        };
        let known = self
            .schedules
            .iter()
            .position(|(known, _)| key.is_some() && *known == key);
        known.unwrap_or_else(|| {
            if self.schedules.len() == KEPT_SCHEDULES {
                self.schedules.clear();
                self.known.clear();
            }
            self.schedules.push((key, plan.schedule()));
            self.schedules.len() - 1
        })
    }
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
