//! The time of a schedule from the sums of its stages.

use std::collections::BTreeMap;
use std::sync::Arc;

use plan::schedule::{
    ClosedFormScratch, Costs, PassCosts, Schedule, ScheduleKind, Scratch, interleaved_time,
    makespan, one_f_one_b_time, replay,
};
use plan::{Plan, PlannedSchedule};

use crate::estimate::levels::{Levels, highest};
use crate::estimate::stage::StageSums;

/// Memory used again from plan to plan.
#[derive(Debug, Default)]
pub(super) struct PipelineScratch {
    closed: ClosedFormScratch,
    forward: Vec<u64>,
    backward: Vec<u64>,
    links: Vec<u64>,
    costs: Costs,
    schedules: Vec<(Option<ScheduleKey>, Arc<Schedule>)>,
    /// What devices hold at most, by schedule; empty until it is asked for.
    levels: Vec<Vec<Vec<Levels>>>,
    replay: Scratch,
    /// Replays, by schedule and fingerprint of the durations.
    known: BTreeMap<(usize, u128), Passes>,
}

/// What a generated schedule depends on: its kind, devices, chunks, micro-batches, group.
type ScheduleKey = (ScheduleKind, [u32; 4]);

/// Schedules kept from plan to plan.
const KEPT_SCHEDULES: usize = 256;
/// Times of replays kept from plan to plan.
const KEPT_TIMES: usize = 65_536;

const PICOS: f64 = 1e12;

/// When a pipeline has run its passes, in seconds from the first.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Passes {
    /// When its last pass ends.
    pub(super) time: f64,
    /// When each device's last pass ends, where that is known exactly: what slows last passes is
    /// counted for `GPipe`, since a device that has more behind it may not notice.
    pub(super) ends: Option<Vec<f64>>,
}

/// When the passes of a schedule end.
///
/// GPipe is a flow shop of equal jobs each way; 1F1B has an exact closed form, and so has its
/// interleaved kind where stages are alike; other schedules are replayed, which is exact as well.
///
/// * `slowed` — by device, what its last backward pass takes beyond the others.
pub(super) fn passes(
    plan: &Plan,
    stages: &[StageSums],
    hops: &[f64],
    slowed: &[f64],
    scratch: &mut PipelineScratch,
) -> Passes {
    let n = u64::from(plan.n_micro_batches());
    let whole = |time| Passes { time, ends: None };
    if stages.len() == 1 {
        return whole(n as f64 * (stages[0].forward.total + stages[0].backward.total));
    }
    match plan.schedule_kind() {
        Some(ScheduleKind::GPipe) => flow_shops(stages, hops, slowed, n),
        Some(ScheduleKind::OneFOneB) => {
            scratch.load(stages, hops);
            let PipelineScratch {
                closed,
                forward,
                backward,
                links,
                ..
            } = scratch;
            whole(one_f_one_b_time(forward, backward, links, n, closed) as f64 / PICOS)
        }
        Some(ScheduleKind::Interleaved) => {
            scratch.load(stages, hops);
            interleaved(plan, hops, scratch).map_or_else(
                || replayed(plan, stages, hops, scratch),
                |picos| whole(picos as f64 / PICOS),
            )
        }
        _ => replayed(plan, stages, hops, scratch),
    }
}

/// Picoseconds of interleaved 1F1B in closed form, which wants equal hops, and a first stage like
/// those behind it: where the embedding makes it longer, other devices wait for its passes, up to
/// once a micro-batch.
fn interleaved(plan: &Plan, hops: &[f64], scratch: &PipelineScratch) -> Option<u64> {
    let equal = hops
        .windows(2)
        .all(|pair| pair[0].to_bits() == pair[1].to_bits());
    let PipelineScratch {
        forward, backward, ..
    } = scratch;
    let hop = hops.first().map_or(0, |hop| picos(*hop));
    let n = u64::from(plan.n_micro_batches());
    let form = interleaved_time(forward, backward, plan.degrees().pp as usize, hop, n)?;
    let longer = |times: &[u64]| times[0].saturating_sub(times[1]);
    let waits = n * (longer(forward) + longer(backward));
    (equal && waits <= form / 100).then_some(form)
}

/// All forward passes, then all backward passes: in each direction the slowest stage runs all
/// micro-batches in a row, and before and behind it one of them passes the others.
fn flow_shops(stages: &[StageSums], hops: &[f64], slowed: &[f64], n: u64) -> Passes {
    let others = (n - 1) as f64;
    let sum: f64 = stages.iter().map(|stage| stage.forward.total).sum();
    let longest = |most: f64, stage: &StageSums| most.max(stage.forward.total);
    let longest = stages.iter().fold(0.0, longest);
    let forward = sum + others * longest + hops.iter().sum::<f64>();
    // From the last stage to the first: when the first and when the last micro-batch has passed.
    let (mut first, mut last, mut plain) = (forward, forward, forward);
    let mut ends = vec![forward; stages.len()];
    for (device, stage) in stages.iter().enumerate().rev() {
        let hop = hops.get(device).copied().unwrap_or(0.0);
        let pass = stage.backward.total;
        let own = first + hop + n as f64 * pass;
        first += hop + pass;
        plain = own.max(plain + hop + pass);
        last = slowed[device] + own.max(last + hop + pass);
        ends[device] = last;
    }
    Passes {
        time: plain,
        ends: Some(ends),
    }
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

fn replayed(
    plan: &Plan,
    stages: &[StageSums],
    hops: &[f64],
    scratch: &mut PipelineScratch,
) -> Passes {
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
    if let Some(picos) = periodic(plan, scratch) {
        return Passes {
            time: picos as f64 / PICOS,
            ends: None,
        };
    }
    let at = scratch.schedule_index(plan);
    let print = fingerprint(&scratch.costs);
    if let Some(known) = scratch.known.get(&(at, print)) {
        return known.clone();
    }
    let PipelineScratch {
        schedules,
        costs,
        replay,
        ..
    } = scratch;
    let schedule = &schedules[at].1;
    // Only where weight gradients are put off does each device end at a time of its own.
    let splits = (plan.schedule_kind()).is_none_or(ScheduleKind::splits_backward);
    let passes = if splits {
        each_end(schedule, costs)
    } else {
        let picos = makespan(schedule, costs, replay);
        Passes {
            time: picos.map_or(f64::INFINITY, |picos| picos as f64 / PICOS),
            ends: None,
        }
    };
    if scratch.known.len() == KEPT_TIMES {
        scratch.known.clear();
    }
    scratch.known.insert((at, print), passes.clone());
    passes
}

/// Picoseconds of interleaved 1F1B of many micro-batches: three short replays whose lengths differ by
/// the rounds of the schedule tell a long one, since the ends of a max-plus system grow by a constant
/// a period (Baccelli et al., "Synchronization and Linearity", 1992, theorem 3.28). None where that
/// does not show.
fn periodic(plan: &Plan, scratch: &mut PipelineScratch) -> Option<u64> {
    let &PlannedSchedule::Kind {
        kind: ScheduleKind::Interleaved,
        group,
    } = plan.planned_schedule()
    else {
        return None;
    };
    let (n, pp) = (plan.n_micro_batches(), plan.degrees().pp);
    let warm_up = 3 * pp;
    let first = warm_up + n.checked_sub(warm_up)? % group.max(1);
    let lengths = [first, first + group, first + 2 * group];
    if n <= lengths.iter().sum() {
        return None;
    }
    let mut ends = [0; 3];
    for (end, length) in ends.iter_mut().zip(lengths) {
        let shorter = plan.with_micro_batches(length)?;
        let at = scratch.schedule_index(&shorter);
        let PipelineScratch {
            schedules,
            costs,
            replay,
            ..
        } = &mut *scratch;
        *end = makespan(&schedules[at].1, costs, replay).ok()?;
    }
    let [a, b, c] = ends;
    let round = c.checked_sub(b)?;
    let mut work = vec![0; pp as usize];
    for (pass, device) in scratch.costs.stages.iter().zip(plan.device_of_stage()) {
        work[device as usize] += pass.forward + pass.backward;
    }
    let busiest = work.into_iter().max()?;
    let rounds = u64::from((n - lengths[2]) / group);
    (b - a == round && u64::from(group) * busiest <= round).then(|| c + rounds * round)
}

/// When each device ends in a replay.
fn each_end(schedule: &Schedule, costs: &Costs) -> Passes {
    let n = schedule.n_devices();
    let ends: Vec<f64> = replay(schedule, costs).map_or_else(
        |_| vec![f64::INFINITY; n],
        |replay| {
            let last = |device| replay.ends[schedule.range(device)].last().copied();
            let end = |device| last(device).map_or(0.0, |picos| picos as f64 / PICOS);
            (0..n).map(end).collect()
        },
    );
    Passes {
        time: ends.iter().copied().fold(0.0, f64::max),
        ends: Some(ends),
    }
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
    /// What each device holds at most under the schedule of a plan: of its passes, those moments
    /// that no other one exceeds.
    pub(super) fn levels(&mut self, plan: &Plan) -> &[Vec<Levels>] {
        let at = self.schedule_index(plan);
        if self.levels[at].is_empty() {
            let schedule = &self.schedules[at].1;
            let of_device = |device| highest(schedule, device);
            self.levels[at] = (0..schedule.n_devices()).map(of_device).collect();
        }
        &self.levels[at]
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
                self.levels.clear();
                self.known.clear();
            }
            self.schedules.push((key, plan.schedule()));
            self.levels.push(Vec::new());
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
