//! Where formulas are in doubt: a shortened iteration on the analytic engine, extended.
//!
//! ```text
//! time                                   ╱ · · · ·
//!                                   b ╱
//!                              a ╱            the slope between a and b goes on where one more
//!             warm-up     ╱                   run repeats it: max-plus systems become periodic
//!        ─────────────────────────────────────────▶ micro-batches
//! ```
//!
//! An iteration of many micro-batches repeats itself behind its warm-up: a schedule, queues of
//! fixed length and fixed durations make a max-plus linear system, whose ends grow by a constant
//! a period (Baccelli et al., "Synchronization and Linearity", 1992, theorem 3.28). So short runs
//! tell a long one. How long the warm-up is they cannot know: a third run has to grow as the second
//! did, or else they go on with twice the distance. Iterations that are short anyway are run whole.

use engine::Options;
use lower::{Inputs, LowerOptions, lower};
use network::Analytic;
use plan::{Plan, PlannedSchedule};
use units::{Bytes, Control};

use crate::error::PredictError;
use crate::memory::{Memory, memory};
use crate::outcome::{assumptions, breakdown};
use crate::prediction::{Assumed, Breakdown, Sources};
use crate::scenario::Scenario;
use crate::simulate::simulate;
use crate::sources::sources;

/// What the analytic engine says of an iteration, or would if it were run whole.
pub(crate) struct Rehearsal {
    /// Seconds of the iteration.
    pub(crate) time: f64,
    /// Where it goes, by lane.
    lanes: Vec<Breakdown>,
    pub(crate) memory: Memory,
    /// Micro-batches that were run, at the most.
    pub(crate) n_micro_batches: u32,
    pub(crate) assumptions: Vec<Assumed>,
    pub(crate) sources: Sources,
}

impl Rehearsal {
    /// Where the time of the lane goes that idles least.
    pub(crate) fn breakdown(&self) -> Breakdown {
        self.bottleneck().map(|(_, lane)| lane).unwrap_or_default()
    }

    /// The lane that idles least, the one that others wait for: its name, and where its time goes.
    pub(crate) fn bottleneck(&self) -> Option<(&str, Breakdown)> {
        let names = self.memory.by_class.iter().map(|class| &*class.class);
        let lanes = names.zip(self.lanes.iter().copied());
        lanes.min_by(|(_, a), (_, b)| a.bubble_s.total_cmp(&b.bubble_s))
    }
}

impl Rehearsal {
    /// By how many seconds the work of the lane has grown that has grown most.
    fn most_grown_since(&self, shorter: &Self) -> f64 {
        let work = |lane: &Breakdown| lane.total() - lane.bubble_s;
        let lanes = self.lanes.iter().zip(&shorter.lanes);
        lanes.fold(0.0, |most, (b, a)| f64::max(most, work(b) - work(a)))
    }
}

/// Rehearses an iteration of a plan of the scenario's job.
///
/// * `expected` — seconds that a micro-batch more takes, where formulas without doubt say so: two
///   runs that grow by that need no third. Asked only where the iteration is not run whole.
///
/// # Errors
///
/// As [`predict`](crate::predict).
pub(crate) fn rehearse(
    scenario: &Scenario,
    plan: &Plan,
    expected: impl FnOnce() -> Option<f64>,
    control: &Control,
) -> Result<Rehearsal, PredictError> {
    let n = plan.n_micro_batches();
    let run = |count| match plan.with_micro_batches(count) {
        Some(plan) => run(scenario, &plan, control),
        None => run(scenario, plan, control),
    };
    // A schedule from a file has its own number.
    let short = shortened(plan).filter(|[first, _]| plan.with_micro_batches(*first).is_some());
    let Some([first, mut span]) = short else {
        return run(n);
    };
    let (mut at, mut spent) = (first + span, 2 * first + span);
    let mut a = run(first)?;
    let mut b = run(at)?;
    let mut slope = (b.time - a.time) / f64::from(span);
    let left = f64::from(n - at);
    if let Some(expected) = expected()
        && (expected - slope).abs() * left <= SETTLED * (b.time + slope * left)
    {
        return Ok(extended(&a, b, left / f64::from(span)));
    }
    loop {
        // Where one more run would take as long as the whole, the whole is exact.
        spent += at + span;
        if n <= spent {
            return run(n);
        }
        (a, b) = (b, run(at + span)?);
        at += span;
        let newer = (b.time - a.time) / f64::from(span);
        let left = f64::from(n - at);
        // In the end no iteration grows more slowly than the work of its busiest lane.
        let busiest = b.most_grown_since(&a) / f64::from(span);
        let change = (newer - slope).abs().max(busiest - newer);
        if change * left <= SETTLED * (b.time + newer * left) {
            return Ok(extended(&a, b, left / f64::from(span)));
        }
        slope = newer;
        span *= 2;
    }
}

/// A number of micro-batches behind the warm-up that leaves a rounds' rest as the plan does, and
/// how many more make a period or several; none where three such runs take as long as the whole.
fn shortened(plan: &Plan) -> Option<[u32; 2]> {
    let n = plan.n_micro_batches();
    let pp = plan.degrees().pp;
    let period = match plan.planned_schedule() {
        PlannedSchedule::Kind { group, .. } if 1 < plan.chunks() => (*group).max(1),
        _ => 1,
    };
    // With several chunks a device warms up for twice as long.
    let depth = if plan.chunks() == 1 { pp } else { 2 * pp };
    let span = (depth / 2).max(SPAN).next_multiple_of(period);
    let warm_up = depth + WARM_UP;
    let rest = n.checked_sub(warm_up)? % period;
    let a = warm_up + rest;
    (3 * (a + span) < n).then_some([a, span])
}

/// Share of the iteration by which the slopes of two periods may let it differ.
const SETTLED: f64 = 0.002;
/// Micro-batches between two runs, at least: what data-parallel streams fall behind in one
/// they may catch up in another.
const SPAN: u32 = 4;
/// Micro-batches of the first run beside those that fill the pipeline: the host runs ahead by a window
/// of fragments.
const WARM_UP: u32 = 6;

/// One iteration on the analytic engine, one lane for each class of ranks.
fn run(scenario: &Scenario, plan: &Plan, control: &Control) -> Result<Rehearsal, PredictError> {
    let inputs = Inputs {
        plan,
        ..scenario.inputs()
    };
    let lowered = lower(&inputs, LowerOptions::default());
    control.check()?;
    let options = Options::default();
    let run = simulate(
        scenario,
        &lowered,
        &mut Analytic::new(&[]),
        &options,
        control,
    )?;
    let lanes = run.lanes.iter();
    Ok(Rehearsal {
        time: run.end.as_seconds().as_secs(),
        lanes: lanes
            .map(|totals| breakdown(&totals.by_category, totals.idle))
            .collect(),
        memory: memory(scenario, plan, &lowered, &run),
        n_micro_batches: plan.n_micro_batches(),
        assumptions: assumptions(scenario, &lowered, &run),
        sources: sources(scenario, &lowered),
    })
}

/// The iteration behind `b`, which grows as it has grown from `a`, so many times.
fn extended(a: &Rehearsal, b: Rehearsal, times: f64) -> Rehearsal {
    let time = |a: f64, b: f64| b + (b - a) * times;
    let bytes = |a: Bytes, b: Bytes| {
        let grown = b.as_f64() - a.as_f64();
        if grown <= 0.0 {
            b
        } else {
            b + Bytes::from_f64(grown * times)
        }
    };
    let mut memory = b.memory;
    memory.allocated = bytes(a.memory.allocated, memory.allocated);
    memory.reserved = bytes(a.memory.reserved, memory.reserved);
    memory.used = bytes(a.memory.used, memory.used);
    memory.fits &= memory.used <= memory.limit;
    for (class, before) in memory.by_class.iter_mut().zip(&a.memory.by_class) {
        let before = before.peak_allocated_bytes;
        class.peak_allocated_bytes = bytes(before, class.peak_allocated_bytes);
        class.peak_at_s = None;
    }
    Rehearsal {
        time: time(a.time, b.time),
        lanes: (a.lanes.iter().zip(&b.lanes))
            .map(|(a, b)| a.joined(b, time))
            .collect(),
        memory,
        ..b
    }
}
