//! How much of a trace a timeline shows: everything where it fits, less for most ranks where it
//! does not.
//!
//! ```text
//! first rank of each class   others     chosen where the number of events stays in the budget
//! kernels                    kernels    everything
//! kernels                    spans
//! kernels                    actions    all ranks, one span per pass of a micro-batch
//! spans                      actions
//! actions                    actions
//! kernels                    nothing    one rank per class
//! spans                      nothing
//! actions                    nothing
//! bars                       nothing    spans merged until they fit
//! ```

use trace::{MemoryKind, MemoryLevel, Trace, Track, memory_timelines};
use units::Bytes;

use crate::action::{Action, actions, folds};
use crate::event::Nanos;
use crate::ranks::{Rank, kernels};

/// What of a rank a timeline shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// Spans with the kernels inside, memory.
    Kernels,
    /// Spans, memory.
    Spans,
    /// One span per pass of a micro-batch, messages, reductions of gradients and copies.
    Actions,
    /// Spans that are merged to so many per track.
    Bars {
        /// Bars per track at most, half of them merged.
        pixels: u32,
    },
    /// The rank is left out.
    Nothing,
}

/// What was written of a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Export {
    /// Ranks that the file shows.
    pub n_ranks: u64,
    /// Events that it holds.
    pub n_events: u64,
    /// What it shows of the first rank of each class.
    pub first: Detail,
    /// What it shows of the other ranks of a class, which behave like the first.
    pub others: Detail,
}

impl Export {
    /// What was left out, in words; nothing where nothing was.
    pub fn folded(&self) -> Option<String> {
        let first = match self.first {
            Detail::Kernels => None,
            Detail::Spans => Some("kernels inside spans are left out".to_owned()),
            Detail::Actions => Some("each pass of a micro-batch is one span".to_owned()),
            Detail::Bars { .. } => Some("short spans that follow each other are merged".to_owned()),
            Detail::Nothing => Some("nothing is shown".to_owned()),
        };
        let others = match self.others {
            others if others == self.first => None,
            Detail::Nothing => Some("the other ranks of a class are left out".to_owned()),
            Detail::Spans => {
                Some("of the other ranks of a class, kernels inside spans are left out".to_owned())
            }
            _ => Some(
                "of the other ranks of a class, each pass of a micro-batch is one span, without memory"
                    .to_owned(),
            ),
        };
        let parts: Vec<String> = first.into_iter().chain(others).collect();
        (!parts.is_empty()).then(|| {
            let why = "so that the file opens; ranks of a class behave alike";
            format!("{}, {why}", parts.join("; "))
        })
    }
}

/// A lane as timelines show it.
pub(crate) struct View {
    pub(crate) tracks: Vec<Track>,
    /// The actions of each track.
    pub(crate) actions: Vec<Vec<Action>>,
    /// The memory of each moment at which it changes, and the kinds that are ever held.
    pub(crate) memory: Vec<MemoryLevel>,
    pub(crate) held: Vec<MemoryKind>,
}

pub(crate) fn views(trace: &Trace, tracks: Vec<Vec<Track>>) -> Vec<View> {
    let memory = memory_timelines(trace);
    let lanes = tracks.into_iter().zip(memory);
    lanes
        .map(|(tracks, memory)| view(trace, tracks, &memory))
        .collect()
}

fn view(trace: &Trace, tracks: Vec<Track>, memory: &[MemoryLevel]) -> View {
    let moments = memory.chunk_by(|a, b| a.time == b.time);
    let holds = |kind: &MemoryKind| {
        let of_kind = |level: &MemoryLevel| level.by_kind[kind.index()];
        memory.iter().any(|level| of_kind(level) != Bytes::ZERO)
    };
    View {
        actions: tracks.iter().map(|row| actions(trace, row)).collect(),
        memory: moments
            .filter_map(|moment| moment.last().copied())
            .collect(),
        held: MemoryKind::ALL.into_iter().filter(holds).collect(),
        tracks,
    }
}

/// The richest pair of details, for the first and the other ranks of each class, that stays in a
/// budget of events.
pub(crate) fn choose(
    trace: &Trace,
    views: &[View],
    ranks: &[Rank],
    budget: u64,
) -> (Detail, Detail) {
    use Detail::{Actions, Kernels, Nothing, Spans};
    let costs = |detail| -> (u64, u64) {
        let members = |lane: usize| trace.lanes[lane].ranks.len() as u64;
        let lanes = views
            .iter()
            .enumerate()
            .filter(|(lane, _)| members(*lane) != 0);
        lanes.fold((0, 0), |(first, others), (lane, view)| {
            let cost = cost(trace, view, detail);
            (
                first + cost,
                others.saturating_add(cost.saturating_mul(members(lane) - 1)),
            )
        })
    };
    let (kernels, spans, actions) = (costs(Kernels), costs(Spans), costs(Actions));
    let pairs = [
        (Kernels, Kernels, kernels.0.saturating_add(kernels.1)),
        (Kernels, Spans, kernels.0.saturating_add(spans.1)),
        (Kernels, Actions, kernels.0.saturating_add(actions.1)),
        (Spans, Actions, spans.0.saturating_add(actions.1)),
        (Actions, Actions, actions.0.saturating_add(actions.1)),
        (Kernels, Nothing, kernels.0),
        (Spans, Nothing, spans.0),
        (Actions, Nothing, actions.0),
    ];
    let fits = pairs.into_iter().find(|(_, _, cost)| *cost <= budget);
    if let Some((first, others, _)) = fits {
        return (first, others);
    }
    let n_tracks: u64 = ranks
        .iter()
        .filter(|rank| rank.member == 0)
        .map(|rank| views[rank.lane.index()].tracks.len() as u64)
        .sum();
    let pixels = (budget / 2 / n_tracks.max(1)).clamp(1, u64::from(u32::MAX));
    let pixels = u32::try_from(pixels).unwrap_or(u32::MAX);
    (Detail::Bars { pixels }, Nothing)
}

/// Events of one rank of a lane, arrows included.
fn cost(trace: &Trace, view: &View, detail: Detail) -> u64 {
    let mut cost = 2 + 2 * view.tracks.len() as u64;
    for (row, actions) in view.tracks.iter().zip(&view.actions) {
        if detail == Detail::Actions && folds(row.stream) {
            continue;
        }
        if detail == Detail::Actions {
            // A pass has at most one arrow to it, which is two events.
            cost += 3 * actions.len() as u64;
            continue;
        }
        for &id in &row.spans {
            cost += 1 + 2 * u64::from(has_arrow(trace, id));
            if detail == Detail::Kernels {
                cost += kernels(trace, id).count() as u64;
            }
        }
    }
    match detail {
        Detail::Kernels | Detail::Spans => cost + view.memory.len() as u64,
        _ => cost,
    }
}

/// Whether the span that released another lies on another lane or stream.
fn has_arrow(trace: &Trace, id: u32) -> bool {
    let span = &trace.spans[id as usize];
    let cause = trace.spans.get(span.cause as usize);
    cause.is_some_and(|cause| (cause.lane, cause.stream) != (span.lane, span.stream))
}

/// Whether a span shows at a detail. Arrows neither leave nor reach spans of no nanosecond.
pub(crate) fn carries_arrows(trace: &Trace, id: u32, detail: Detail) -> bool {
    let span = &trace.spans[id as usize];
    let lasts = Nanos::from_picos(span.start.as_picos()) < Nanos::from_picos(span.end.as_picos());
    match detail {
        Detail::Kernels | Detail::Spans => lasts,
        Detail::Actions => lasts && !folds(span.stream),
        Detail::Bars { .. } | Detail::Nothing => false,
    }
}
