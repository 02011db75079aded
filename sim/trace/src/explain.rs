//! What binds a run, and what would help most, in at most ten lines.

use units::{Bytes, LaneId, SimTime};

use crate::bound::bounds_of;
use crate::by_lane::spans_by_lane;
use crate::exposure::exposure_of;
use crate::{
    Bound, Breakdown, Bubble, Category, CriticalPath, MemoryKind, NameId, Pass, Trace, bottleneck,
    breakdowns, bubbles, critical_path, memory_peaks,
};

/// What binds a run. Means are over ranks.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Explanation {
    /// The end of the trace.
    pub end: SimTime,
    /// Lanes of the trace.
    pub n_lanes: usize,
    /// Ranks that the lanes stand for.
    pub n_ranks: usize,
    /// The lane with the least bubble; none in a trace without lanes.
    pub bottleneck: Option<LaneShare>,
    /// Shares of the critical path, the largest first, without zeros.
    pub path: Vec<(Category, f64)>,
    /// Share of the critical path in which the next span had not begun.
    pub path_waiting: f64,
    /// The names, with their pass, with the largest share of the critical path, at most three.
    pub path_names: Vec<(String, f64)>,
    /// The stages with the largest share of the critical path, at most three.
    pub path_stages: Vec<(u32, f64)>,
    /// Communication: mean seconds active and exposed per rank, by category, without zeros.
    pub communication: Vec<Communication>,
    /// Mean share of the time of a rank that is bubble, by cause.
    pub bubble: BubbleShares,
    /// The compute of the lane that computes longest, over the mean of ranks.
    pub imbalance: Option<LaneShare>,
    /// The lane that holds most memory, and what it holds.
    pub memory: Option<Peak>,
    /// Upper bounds of what remedies save, the largest first.
    pub bounds: Vec<Bound>,
}

/// A lane and a number that belongs to it.
#[derive(Clone, Debug, PartialEq)]
pub struct LaneShare {
    /// The lane.
    pub lane: LaneId,
    /// Its name.
    pub name: String,
    /// The number: a share or a ratio.
    pub share: f64,
}

/// How long a category of communication is active on a rank, in the mean.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Communication {
    /// The category.
    pub category: Category,
    /// Seconds active.
    pub active_secs: f64,
    /// Seconds active while no kernel ran.
    pub exposed_secs: f64,
}

/// Shares of the time of a rank that are bubble.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct BubbleShares {
    /// Fill and drain of the pipeline.
    pub fill_and_drain: f64,
    /// Waiting for a late stage.
    pub stage: f64,
    /// Waiting for the last peer of a collective.
    pub peer: f64,
    /// After own work.
    pub own: f64,
}

/// The largest memory of any lane.
#[derive(Clone, Debug, PartialEq)]
pub struct Peak {
    /// The lane.
    pub lane: LaneId,
    /// Its name.
    pub name: String,
    /// Its moment.
    pub time: SimTime,
    /// The sum over kinds.
    pub bytes: Bytes,
    /// The parts, the largest first, without zeros.
    pub by_kind: Vec<(MemoryKind, Bytes)>,
}

/// Says what binds a run.
pub fn explain(trace: &Trace) -> Explanation {
    let breakdowns = breakdowns(trace);
    let path = critical_path(trace);
    let whole = (trace.end.as_picos() as f64).max(1.0);
    let share = |time: SimTime| time.as_picos() as f64 / whole;
    let lane_share = |lane: LaneId, share| LaneShare {
        lane,
        name: trace.lanes[lane.index()].name.clone(),
        share,
    };
    let names = path.by_name.iter().take(3);
    let stages = path.by_stage.iter().take(3);
    Explanation {
        end: trace.end,
        n_lanes: trace.lanes.len(),
        n_ranks: trace.lanes.iter().map(|lane| lane.ranks.len()).sum(),
        bottleneck: bottleneck(&breakdowns)
            .map(|lane| lane_share(lane, share(breakdowns[lane.index()].busy()))),
        path: path_shares(&path, share),
        path_waiting: share(path.waiting),
        path_names: names
            .map(|&(key, time)| (name_of(trace, key), share(time)))
            .collect(),
        path_stages: stages.map(|&(stage, time)| (stage, share(time))).collect(),
        communication: communication(trace),
        bubble: bubble_shares(trace, &bubbles(trace), share),
        imbalance: imbalance(trace, &breakdowns).map(|(lane, ratio)| lane_share(lane, ratio)),
        memory: peak(trace),
        bounds: bounds_of(trace, &breakdowns),
    }
}

/// The name of a span with its pass, where the one does not say the other.
fn name_of(trace: &Trace, (name, pass): (NameId, Pass)) -> String {
    let name = trace.names.get(name);
    if pass == Pass::None || name.starts_with(pass.name()) {
        name.to_owned()
    } else {
        format!("{name} ({})", pass.name())
    }
}

fn path_shares(path: &CriticalPath, share: impl Fn(SimTime) -> f64) -> Vec<(Category, f64)> {
    let mut shares: Vec<_> = Category::ALL
        .into_iter()
        .map(|category| (category, share(path.by_category[category.index()])))
        .filter(|(_, share)| *share != 0.0)
        .collect();
    shares.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    shares
}

/// How many ranks each lane counts for in a mean, and their sum.
fn weights(trace: &Trace) -> (Vec<f64>, f64) {
    let weights: Vec<f64> = trace
        .lanes
        .iter()
        .map(|lane| lane.ranks.len().max(1) as f64)
        .collect();
    let sum = weights.iter().sum::<f64>().max(1.0);
    (weights, sum)
}

fn communication(trace: &Trace) -> Vec<Communication> {
    let (weights, sum) = weights(trace);
    let mut found = Category::ALL.map(|category| Communication {
        category,
        active_secs: 0.0,
        exposed_secs: 0.0,
    });
    for (ids, weight) in spans_by_lane(trace).iter().zip(weights) {
        let spans = ids.iter().map(|&id| &trace.spans[id as usize]);
        let exposure = exposure_of(spans, trace.end);
        for one in &mut found {
            let exposed = exposure.exposed[one.category.index()].as_seconds();
            let active = exposure.active(one.category).as_seconds();
            one.exposed_secs += exposed.as_secs() * weight / sum;
            one.active_secs += active.as_secs() * weight / sum;
        }
    }
    found
        .into_iter()
        .filter(|one| one.category.is_communication() && one.active_secs != 0.0)
        .collect()
}

fn bubble_shares(
    trace: &Trace,
    bubbles: &[Bubble],
    share: impl Fn(SimTime) -> f64,
) -> BubbleShares {
    let (weights, sum) = weights(trace);
    let mean = |part: fn(&Bubble) -> SimTime| {
        let parts = bubbles.iter().zip(&weights);
        parts
            .map(|(bubble, weight)| share(part(bubble)) * weight)
            .sum::<f64>()
            / sum
    };
    BubbleShares {
        fill_and_drain: mean(|bubble| bubble.fill) + mean(|bubble| bubble.drain),
        stage: mean(|bubble| bubble.stage),
        peer: mean(|bubble| bubble.peer),
        own: mean(|bubble| bubble.own),
    }
}

/// The lane that computes longest, and its compute over the mean of ranks.
fn imbalance(trace: &Trace, breakdowns: &[Breakdown]) -> Option<(LaneId, f64)> {
    let (weights, sum) = weights(trace);
    let work = |breakdown: &Breakdown| breakdown.of(Category::Compute).as_picos() as f64;
    let total: f64 = breakdowns
        .iter()
        .zip(weights)
        .map(|(one, weight)| work(one) * weight)
        .sum();
    let mut lanes = (0..).map(LaneId::new).zip(breakdowns);
    let (mut longest, mut most) = lanes.next()?;
    for (lane, breakdown) in lanes {
        if work(most) < work(breakdown) {
            (longest, most) = (lane, breakdown);
        }
    }
    (0.0 < total).then(|| (longest, work(most) * sum / total))
}

fn peak(trace: &Trace) -> Option<Peak> {
    let peaks = memory_peaks(trace);
    let mut largest = 0;
    for at in 0..peaks.len() {
        if peaks[largest].total() < peaks[at].total() {
            largest = at;
        }
    }
    let peak = peaks.get(largest)?;
    let mut by_kind: Vec<_> = MemoryKind::ALL
        .into_iter()
        .map(|kind| (kind, peak.by_kind[kind.index()]))
        .filter(|(_, bytes)| *bytes != Bytes::ZERO)
        .collect();
    by_kind.sort_by_key(|&(kind, bytes)| (std::cmp::Reverse(bytes), kind));
    (!by_kind.is_empty()).then(|| Peak {
        lane: LaneId::from_index(largest),
        name: trace.lanes[largest].name.clone(),
        time: peak.time,
        bytes: peak.total(),
        by_kind,
    })
}
