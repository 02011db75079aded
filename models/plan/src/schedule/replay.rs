//! Runs a schedule with given durations, exactly, in time linear in its actions.
//!
//! Every device runs its list in order; a pass starts when its device is free and what it
//! needs has arrived. Times are whole picoseconds, so results are exact. A hop between stages
//! takes its latency and occupies no device. Deliberately absent: contention, jitter and
//! overlap; those are the engine's.

use units::TimeOverflow;

use super::{Action, ActionKind, Schedule, count};

/// Durations of the passes of one stage, in picoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PassCosts {
    /// The forward pass.
    pub forward: u64,
    /// The backward pass with both gradients.
    pub backward: u64,
    /// The gradient of the input alone.
    pub input_grad: u64,
    /// The gradient of the weights alone.
    pub weight_grad: u64,
}

impl PassCosts {
    /// Durations whose full backward pass is the sum of its two parts.
    pub const fn split(forward: u64, input_grad: u64, weight_grad: u64) -> Self {
        Self {
            forward,
            backward: input_grad + weight_grad,
            input_grad,
            weight_grad,
        }
    }

    /// Durations where the backward pass stays whole: its parts are set to halves.
    pub const fn whole(forward: u64, backward: u64) -> Self {
        Self {
            forward,
            backward,
            input_grad: backward / 2,
            weight_grad: backward - backward / 2,
        }
    }
}

/// Durations of vocabulary passes on every device, in picoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VocabularyCosts {
    /// Logits and softmax statistics.
    pub forward: u64,
    /// Gradients of the output layer.
    pub backward: u64,
    /// Input embedding.
    pub embedding_forward: u64,
    /// Gradient of the input embedding.
    pub embedding_backward: u64,
    /// From the last device's arrival at a barrier until all may go on.
    pub barrier: u64,
    /// From the end of a stage's pass until its output has reached every device.
    pub broadcast: u64,
}

/// Durations of a pipeline, in picoseconds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Costs {
    /// Of the passes, by virtual stage.
    pub stages: Vec<PassCosts>,
    /// Of the hop between virtual stages `i` and `i + 1`, either way; a hop within one device
    /// takes no time whatever stands here. Missing entries are zero.
    pub links: Vec<u64>,
    /// Of the vocabulary passes, where the schedule has them.
    pub vocabulary: VocabularyCosts,
}

impl Costs {
    /// Equal stages without link time.
    pub fn uniform(n_stages: usize, pass: PassCosts) -> Self {
        Self {
            stages: vec![pass; n_stages],
            ..Self::default()
        }
    }

    fn link(&self, stage: usize) -> u64 {
        self.links.get(stage).copied().unwrap_or(0)
    }
}

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
}

/// The slot has not ended and nobody waits for it. `UNSET − 1 − d`: device `d` heads the list
/// of those that wait. Ends are below [`LONGEST`], so the three cannot be mixed up.
const UNSET: u64 = u64::MAX;
/// The longest run, in picoseconds: half of the clock's range, so that no sum overflows.
const LONGEST: u64 = 1 << 62;
/// The pass waits for nothing.
const NONE: usize = usize::MAX;

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
        let (slot, latency) = layout.need(action, &scratch.hops);
        let mut ready = 0;
        if slot != NONE {
            let ended = scratch.slots[slot];
            if LONGEST < ended {
                scratch.next_waiter[d] = ended;
                scratch.slots[slot] = UNSET - 1 - u64::from(device);
                break;
            }
            ready = ended + latency;
        }
        let start = clock.max(ready);
        clock = start + scratch.durations[layout.duration(action)];
        record.action(at, start, clock);
        publish(layout, scratch, action, clock);
        at += 1;
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

/// Where each pass's end is kept: forwards by stage and micro-batch, then gradients, then
/// the three barriers by micro-batch.
struct Layout {
    n: usize,
    n_stages: usize,
    width: usize,
    first_barrier: usize,
    has_vocabulary: bool,
    last_barrier: usize,
    barrier: u64,
    broadcast: u64,
}

enum Gives {
    Nothing,
    Slot(usize),
    Barrier(usize),
}

impl Layout {
    fn new(schedule: &Schedule, costs: &Costs) -> Self {
        let n = schedule.n_micro_batches() as usize;
        let n_stages = schedule.n_stages();
        let last = schedule.vocabulary().map(super::Vocabulary::last_barrier);
        Self {
            n,
            n_stages,
            width: n_stages.max(schedule.n_devices()),
            first_barrier: 2 * n_stages * n,
            has_vocabulary: last.is_some(),
            last_barrier: last.map_or(0, barrier_row),
            barrier: costs.vocabulary.barrier,
            broadcast: costs.vocabulary.broadcast,
        }
    }

    /// The slot that a pass waits for and how long its result travels.
    #[inline]
    fn need(&self, action: Action, hops: &[u64]) -> (usize, u64) {
        let (stage, k) = (action.stage as usize, action.micro_batch as usize);
        match action.kind {
            ActionKind::Forward if stage == 0 => self.barrier_slot(0, k),
            ActionKind::Forward => ((stage - 1) * self.n + k, hops[stage - 1]),
            ActionKind::Backward | ActionKind::InputGrad if stage + 1 == self.n_stages => {
                self.barrier_slot(self.last_barrier, k)
            }
            ActionKind::Backward | ActionKind::InputGrad => {
                ((self.n_stages + stage + 1) * self.n + k, hops[stage])
            }
            ActionKind::WeightGrad | ActionKind::EmbeddingForward => (NONE, 0),
            ActionKind::VocabularyForward => ((self.n_stages - 1) * self.n + k, self.broadcast),
            ActionKind::VocabularyBackward => (self.first_barrier + self.n + k, 0),
            ActionKind::EmbeddingBackward => (self.n_stages * self.n + k, self.broadcast),
        }
    }

    #[inline]
    fn barrier_slot(&self, row: usize, k: usize) -> (usize, u64) {
        if self.has_vocabulary {
            (self.first_barrier + row * self.n + k, 0)
        } else {
            (NONE, 0)
        }
    }

    #[inline]
    fn gives(&self, action: Action) -> Gives {
        let (stage, k) = (action.stage as usize, action.micro_batch as usize);
        match action.kind {
            ActionKind::Forward => Gives::Slot(stage * self.n + k),
            ActionKind::Backward | ActionKind::InputGrad => {
                Gives::Slot((self.n_stages + stage) * self.n + k)
            }
            ActionKind::WeightGrad | ActionKind::EmbeddingBackward => Gives::Nothing,
            kind => Gives::Barrier(barrier_row(kind) * self.n + k),
        }
    }

    #[inline]
    fn duration(&self, action: Action) -> usize {
        action.kind as usize * self.width + action.stage as usize
    }
}

/// The row of a barrier: input embedding, statistics, gradients.
const fn barrier_row(kind: ActionKind) -> usize {
    match kind {
        ActionKind::VocabularyForward => 1,
        ActionKind::VocabularyBackward => 2,
        _ => 0,
    }
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
        let v = &costs.vocabulary;
        let of = [
            v.forward,
            v.backward,
            v.embedding_forward,
            v.embedding_backward,
        ];
        for (kind, duration) in of.into_iter().enumerate() {
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

/// Every pass and hop one after the other is longer than any run of them.
fn check_range(schedule: &Schedule, costs: &Costs) -> Result<(), TimeOverflow> {
    let wide = u128::from;
    let stages: u128 = costs
        .stages
        .iter()
        .map(|c| wide(c.forward) + wide(c.backward) + wide(c.input_grad) + wide(c.weight_grad))
        .sum();
    let links: u128 = costs.links.iter().map(|&t| 2 * wide(t)).sum();
    let v = &costs.vocabulary;
    let passes = [
        v.forward,
        v.backward,
        v.embedding_forward,
        v.embedding_backward,
    ];
    let vocabulary = passes.into_iter().map(wide).sum::<u128>() * schedule.n_devices() as u128
        + 3 * wide(v.barrier)
        + 2 * wide(v.broadcast);
    let all = (stages + links + vocabulary) * u128::from(schedule.n_micro_batches());
    if all < u128::from(LONGEST) {
        Ok(())
    } else {
        Err(TimeOverflow)
    }
}
