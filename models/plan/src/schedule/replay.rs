//! Runs a schedule with given durations, exactly, in time linear in its actions.
//!
//! Every device runs its list in order; a pass starts when its device is free and what it
//! needs has arrived. Times are whole picoseconds, so results are exact. A hop between stages
//! takes its latency and occupies no device. Deliberately absent: contention, jitter and
//! overlap; those are the engine's.

use units::TimeOverflow;

use super::costs::{Costs, LONGEST, check_range};
use super::layout::{Gives, Layout, NONE};
use super::{Action, ActionKind, Schedule, count};

/// What a run of a schedule did; times in picoseconds from its start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replay {
    /// The end of the last pass.
    pub makespan: u64,
    /// The start of every action, as [`Schedule::all_actions`] counts them.
    pub starts: Vec<u64>,
    /// The end of every action.
    pub ends: Vec<u64>,
    /// Per device the time in which it ran no pass, until the makespan.
    pub bubble: Vec<u64>,
    /// Per device the time in which it ran no pass between its first and its last one: the
    /// zero-bubble papers' bubble, whose optimizer step starts on each device by itself.
    pub inner_bubble: Vec<u64>,
    /// Per device the most forward passes whose activations it held at once.
    pub in_flight: Vec<u32>,
}

/// Memory that [`makespan`] uses again from call to call.
#[derive(Clone, Debug, Default)]
pub struct Scratch {
    /// End of a slot's pass, or who waits for it: see `UNSET`.
    slots: Vec<u64>,
    /// Passes that a barrier still waits for, and the latest end among those that came.
    barriers: Vec<(u32, u64)>,
    /// Per device the next in the list of those that wait for the same slot.
    next_waiter: Vec<u64>,
    clocks: Vec<u64>,
    cursors: Vec<usize>,
    runnable: Vec<u32>,
    /// Duration by kind and stage, and latency of the hop after a stage.
    durations: Vec<u64>,
    hops: Vec<u64>,
    pair_saves: u64,
}

/// The slot has not ended and nobody waits for it. `UNSET − 1 − d`: device `d` heads the list
/// of those that wait. Ends are below [`LONGEST`], so the three cannot be mixed up.
const UNSET: u64 = u64::MAX;

/// Runs a schedule and says what it did.
///
/// # Errors
///
/// [`TimeOverflow`] where all durations together pass 2⁶² picoseconds (53 days).
pub fn replay(schedule: &Schedule, costs: &Costs) -> Result<Replay, TimeOverflow> {
    let n = schedule.all_actions().len();
    let mut times = Times {
        starts: vec![0; n],
        ends: vec![0; n],
    };
    let makespan = run(schedule, costs, &mut Scratch::default(), &mut times)?;
    let (bubble, inner_bubble) = (0..schedule.n_devices())
        .map(|device| times.idle(schedule.range(device), makespan))
        .unzip();
    Ok(Replay {
        makespan,
        starts: times.starts,
        ends: times.ends,
        bubble,
        inner_bubble,
        in_flight: super::in_flight(schedule)
            .iter()
            .map(|held| held.until_weight_grad)
            .collect(),
    })
}

/// The end of the last pass, in picoseconds; allocates nothing once `scratch` has grown.
///
/// # Errors
///
/// As [`replay`].
pub fn makespan(
    schedule: &Schedule,
    costs: &Costs,
    scratch: &mut Scratch,
) -> Result<u64, TimeOverflow> {
    run(schedule, costs, scratch, &mut Nothing)
}

/// Who wants to know when each action ran.
trait Record {
    fn action(&mut self, at: usize, start: u64, end: u64);
}

struct Nothing;

impl Record for Nothing {
    fn action(&mut self, _: usize, _: u64, _: u64) {}
}

struct Times {
    starts: Vec<u64>,
    ends: Vec<u64>,
}

impl Times {
    /// How long a device ran no pass: until the makespan, and between its own passes.
    fn idle(&self, range: std::ops::Range<usize>, makespan: u64) -> (u64, u64) {
        let busy: u64 = range
            .clone()
            .map(|at| self.ends[at] - self.starts[at])
            .sum();
        let span = match (self.starts[range.clone()].first(), self.ends[range].last()) {
            (Some(first), Some(last)) => last - first,
            _ => 0,
        };
        (makespan - busy, span - busy)
    }
}

impl Record for Times {
    fn action(&mut self, at: usize, start: u64, end: u64) {
        self.starts[at] = start;
        self.ends[at] = end;
    }
}

fn run(
    schedule: &Schedule,
    costs: &Costs,
    scratch: &mut Scratch,
    record: &mut impl Record,
) -> Result<u64, TimeOverflow> {
    check_range(schedule, costs)?;
    scratch.prepare(schedule, costs);
    let layout = Layout::new(schedule, costs);
    while let Some(device) = scratch.runnable.pop() {
        run_device(schedule, &layout, scratch, record, device);
    }
    debug_assert!(
        (0..schedule.n_devices()).all(|d| scratch.cursors[d] == schedule.range(d).end),
        "a checked schedule cannot deadlock"
    );
    Ok(scratch.clocks.iter().copied().max().unwrap_or(0))
}

/// Runs a device until its list ends or a pass has to wait.
fn run_device(
    schedule: &Schedule,
    layout: &Layout,
    scratch: &mut Scratch,
    record: &mut impl Record,
    device: u32,
) {
    let actions = schedule.all_actions();
    let d = device as usize;
    let end_of_list = schedule.range(d).end;
    let (mut clock, mut at) = (scratch.clocks[d], scratch.cursors[d]);
    while at < end_of_list {
        let action = actions[at];
        let partner = schedule.is_pair(at).then(|| actions[at + 1]);
        let mut ready = clock;
        let needs = [Some(action), partner].into_iter().flatten();
        let missing = needs
            .map(|action| layout.need(action, &scratch.hops))
            .filter(|(slot, _)| *slot != NONE)
            .find(|&(slot, latency)| {
                ready = ready.max(scratch.slots[slot].saturating_add(latency));
                LONGEST < scratch.slots[slot]
            });
        if let Some((slot, _)) = missing {
            scratch.next_waiter[d] = scratch.slots[slot];
            scratch.slots[slot] = UNSET - 1 - u64::from(device);
            break;
        }
        clock = ready + scratch.durations[layout.duration(action)];
        let Some(partner) = partner else {
            record.action(at, ready, clock);
            publish(layout, scratch, action, clock);
            at += 1;
            continue;
        };
        let (own, other) = (clock - ready, scratch.durations[layout.duration(partner)]);
        let middle = clock - scratch.pair_saves.min(own).min(other);
        clock = middle + other;
        // Both end together; for the account of idle time one follows the other.
        record.action(at, ready, middle);
        record.action(at + 1, middle, clock);
        publish(layout, scratch, action, clock);
        publish(layout, scratch, partner, clock);
        at += 2;
    }
    scratch.clocks[d] = clock;
    scratch.cursors[d] = at;
}

/// Writes down that a pass has ended and wakes who waited for it.
fn publish(layout: &Layout, scratch: &mut Scratch, action: Action, end: u64) {
    let (slot, end) = match layout.gives(action) {
        Gives::Nothing => return,
        Gives::Slot(slot) => (slot, end),
        Gives::Barrier(barrier) => {
            let (left, latest) = &mut scratch.barriers[barrier];
            *left -= 1;
            *latest = end.max(*latest);
            if 0 < *left {
                return;
            }
            (layout.first_barrier + barrier, *latest + layout.barrier)
        }
    };
    let mut waiter = std::mem::replace(&mut scratch.slots[slot], end);
    while waiter != UNSET {
        let device = waiting_device(waiter);
        scratch.runnable.push(device);
        waiter = scratch.next_waiter[device as usize];
    }
}

/// The device that a slot's mark names.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a mark was made from a u32"
)]
const fn waiting_device(mark: u64) -> u32 {
    (UNSET - 1 - mark) as u32
}

impl Scratch {
    fn prepare(&mut self, schedule: &Schedule, costs: &Costs) {
        let (n, p) = (schedule.n_micro_batches() as usize, schedule.n_devices());
        let n_barriers = if schedule.vocabulary().is_some() {
            3 * n
        } else {
            0
        };
        refill(
            &mut self.slots,
            2 * schedule.n_stages() * n + n_barriers,
            UNSET,
        );
        self.barriers.clear();
        self.barriers.resize(n_barriers, (count(p), 0));
        refill(&mut self.next_waiter, p, UNSET);
        refill(&mut self.clocks, p, 0);
        self.cursors.clear();
        self.cursors.extend((0..p).map(|d| schedule.range(d).start));
        self.runnable.clear();
        self.runnable.extend((0..count(p)).rev());
        self.pair_saves = costs.pair_saves;
        self.tabulate(schedule, costs);
    }

    fn tabulate(&mut self, schedule: &Schedule, costs: &Costs) {
        let width = schedule.n_stages().max(schedule.n_devices());
        refill(&mut self.durations, ActionKind::ALL.len() * width, 0);
        for (stage, pass) in costs.stages.iter().take(schedule.n_stages()).enumerate() {
            let of = [
                pass.forward,
                pass.backward,
                pass.input_grad,
                pass.weight_grad,
            ];
            for (kind, duration) in of.into_iter().enumerate() {
                self.durations[kind * width + stage] = duration;
            }
        }
        for (kind, duration) in costs.vocabulary.passes().into_iter().enumerate() {
            self.durations[(4 + kind) * width..][..schedule.n_devices()].fill(duration);
        }
        let devices = schedule.device_of_stage();
        self.hops.clear();
        self.hops.extend((1..devices.len()).map(|s| {
            if devices[s] == devices[s - 1] {
                0
            } else {
                costs.link(s - 1)
            }
        }));
    }
}

fn refill(values: &mut Vec<u64>, len: usize, value: u64) {
    values.clear();
    values.resize(len, value);
}
