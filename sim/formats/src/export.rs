//! How much of a trace a timeline shows: everything where it fits, less for most ranks where it
//! does not.
//!
//! ```text
//! first rank of each class   others     chosen where the number of events stays in the budget
//! kernels                    kernels    everything
//! kernels                    spans
//! kernels                    actions    all ranks, one span per pass of a micro-batch
//! kernels                    passes     the same without messages
//! window                     actions    kernels of as many micro-batches as fit
//! window                     passes
//! passes                     passes
//! kernels                    outline    all ranks, the compute stream as far as it fits
//! window                     outline
//! actions                    outline
//! window                     outline    the same, thinner
//! kernels                    nothing    one rank per class
//! window                     nothing
//! actions                    nothing
//! bars                       nothing    spans merged until they fit
//! ```

use trace::{
    MemoryKind, MemoryLevel, NO_INDEX, SpanId, StreamKind, Trace, Track, memory_timelines,
};
use units::Bytes;

use crate::action::{Action, actions, folds};
use crate::event::Nanos;
use crate::ranks::Rank;

/// What of a rank a timeline shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// Spans with the kernels inside, memory.
    Kernels,
    /// Spans, memory.
    Spans,
    /// The first micro-batches and what belongs to none as with [`Detail::Kernels`], the others as
    /// with [`Detail::Actions`].
    Window {
        /// How many micro-batches.
        micro_batches: u32,
    },
    /// One span per pass of a micro-batch, messages, reductions of gradients and copies.
    Actions,
    /// One span per pass of a micro-batch, without arrows.
    Passes,
    /// The compute stream alone, its spans merged to so many.
    Outline {
        /// Bars at most, half of them merged.
        pixels: u32,
    },
    /// Spans that are merged to so many per track.
    Bars {
        /// Bars per track at most, half of them merged.
        pixels: u32,
    },
    /// The rank is left out.
    Nothing,
}

/// How the spans of an action are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Drawn {
    Kernels,
    Spans,
    Merged,
    Not,
}

impl Detail {
    /// How spans of a stream and micro-batch are drawn.
    pub(crate) const fn draws(self, stream: StreamKind, micro_batch: u32) -> Drawn {
        let folds = folds(stream);
        match self {
            Self::Kernels => Drawn::Kernels,
            Self::Spans | Self::Bars { .. } => Drawn::Spans,
            Self::Window { micro_batches }
                if micro_batch < micro_batches || micro_batch == NO_INDEX =>
            {
                Drawn::Kernels
            }
            Self::Window { .. } | Self::Actions if !folds => Drawn::Merged,
            Self::Passes if matches!(stream, StreamKind::Compute) => Drawn::Merged,
            Self::Outline { .. } if matches!(stream, StreamKind::Compute) => Drawn::Spans,
            _ => Drawn::Not,
        }
    }

    /// Whether arrows are shown.
    pub(crate) const fn has_arrows(self) -> bool {
        let none = matches!(self, Self::Passes | Self::Nothing) || self.pixels().is_some();
        !none
    }

    /// The width to which spans are merged, where they are.
    pub(crate) const fn pixels(self) -> Option<u32> {
        match self {
            Self::Bars { pixels } | Self::Outline { pixels } => Some(pixels),
            _ => None,
        }
    }
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
            Detail::Window { micro_batches } => Some(format!(
                "only the first {micro_batches} micro-batches are shown with kernels, each pass of the others is one span, memory at a thousand moments"
            )),
            Detail::Actions | Detail::Passes => {
                Some("each pass of a micro-batch is one span".to_owned())
            }
            Detail::Bars { .. } | Detail::Outline { .. } => {
                Some("short spans that follow each other are merged".to_owned())
            }
            Detail::Nothing => Some("nothing is shown".to_owned()),
        };
        let of_others = match self.others {
            others if others == self.first => None,
            Detail::Kernels | Detail::Window { .. } | Detail::Bars { .. } => None,
            Detail::Spans => Some("kernels inside spans are left out"),
            Detail::Actions => Some("each pass of a micro-batch is one span, without memory"),
            Detail::Passes => {
                Some("each pass of a micro-batch is one span, without memory and messages")
            }
            Detail::Outline { .. } => {
                Some("only the compute stream is shown, short spans that follow each other merged")
            }
            Detail::Nothing => Some("nothing is shown"),
        };
        let others = of_others.map(|what| format!("of the other ranks of a class, {what}"));
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
    memory: Vec<MemoryLevel>,
    /// The same with at most a thousand moments, the peak among them.
    thinned: Vec<MemoryLevel>,
    pub(crate) held: Vec<MemoryKind>,
}

pub(crate) fn views(trace: &Trace, tracks: Vec<Vec<Track>>) -> Vec<View> {
    let memory = memory_timelines(trace);
    let lanes = tracks.into_iter().zip(memory);
    lanes
        .map(|(tracks, memory)| view(trace, tracks, &memory))
        .collect()
}

fn view(trace: &Trace, tracks: Vec<Track>, levels: &[MemoryLevel]) -> View {
    let moments = levels.chunk_by(|a, b| a.time == b.time);
    let holds = |kind: &MemoryKind| {
        let of_kind = |level: &MemoryLevel| level.by_kind[kind.index()];
        levels.iter().any(|level| of_kind(level) != Bytes::ZERO)
    };
    let memory: Vec<MemoryLevel> = moments
        .filter_map(|moment| moment.last().copied())
        .collect();
    View {
        actions: tracks.iter().map(|row| actions(trace, row)).collect(),
        thinned: thinned(&memory),
        memory,
        held: MemoryKind::ALL.into_iter().filter(holds).collect(),
        tracks,
    }
}

/// Of each thousandth of the moments, the one at which most is held.
fn thinned(memory: &[MemoryLevel]) -> Vec<MemoryLevel> {
    let part = memory.len().div_ceil(1_000).max(1);
    let most = |levels: &[MemoryLevel]| levels.iter().copied().max_by_key(MemoryLevel::total);
    memory.chunks(part).filter_map(most).collect()
}

impl View {
    /// The memory that is shown at a detail.
    pub(crate) fn memory(&self, detail: Detail) -> &[MemoryLevel] {
        match detail {
            Detail::Kernels | Detail::Spans => &self.memory,
            Detail::Window { .. } => &self.thinned,
            _ => &[],
        }
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
    use Detail::{Actions, Kernels, Nothing, Passes, Spans};
    let costs = Costs { trace, views };
    let [outline, thin, thinnest] = [2, 4, 8].map(|part| outline(ranks, budget / part));
    let pairs = [
        (Some(Kernels), Kernels),
        (Some(Kernels), Spans),
        (Some(Kernels), Actions),
        (Some(Kernels), Passes),
        (None, Actions),
        (None, Passes),
        (Some(Passes), Passes),
        (Some(Kernels), outline),
        (None, outline),
        (Some(Actions), outline),
        (None, thin),
        (None, thinnest),
        (Some(Kernels), Nothing),
        (None, Nothing),
        (Some(Actions), Nothing),
    ];
    for (first, others) in pairs {
        let Some(left) = budget.checked_sub(costs.of_others(others)) else {
            continue;
        };
        let fits = |detail: &Detail| costs.of_first(*detail) <= left;
        let window = || costs.largest_window(left);
        if let Some(first) = first.map_or_else(window, |first| Some(first).filter(fits)) {
            return (first, others);
        }
    }
    let firsts = ranks.iter().filter(|rank| rank.member == 0);
    let n_tracks: u64 = firsts
        .map(|rank| views[rank.lane.index()].tracks.len() as u64)
        .sum();
    let pixels = (budget / 2 / n_tracks.max(1)).clamp(1, u64::from(u32::MAX));
    let pixels = u32::try_from(pixels).unwrap_or(u32::MAX);
    (Detail::Bars { pixels }, Nothing)
}

/// The outline for which other ranks take so many events; nothing where that is too coarse to be
/// of use.
fn outline(ranks: &[Rank], budget: u64) -> Detail {
    let others = ranks.iter().filter(|rank| rank.member != 0).count() as u64;
    let of_one = budget / others.max(1);
    match u32::try_from(of_one.saturating_sub(8) / 2) {
        Ok(pixels) if 32 <= pixels => Detail::Outline { pixels },
        _ => Detail::Nothing,
    }
}

/// What details cost in events, arrows included.
struct Costs<'t> {
    trace: &'t Trace,
    views: &'t [View],
}

impl Costs<'_> {
    /// The lanes that stand for ranks, with their number.
    fn lanes(&self) -> impl Iterator<Item = (&View, u64)> {
        let lanes = self.views.iter().zip(&self.trace.lanes);
        lanes
            .map(|(view, lane)| (view, lane.ranks.len() as u64))
            .filter(|(_, n_ranks)| *n_ranks != 0)
    }

    fn of_first(&self, detail: Detail) -> u64 {
        self.lanes()
            .map(|(view, _)| cost(self.trace, view, detail))
            .sum()
    }

    fn of_others(&self, detail: Detail) -> u64 {
        let costs = self.lanes().filter(|(_, n_ranks)| 1 < *n_ranks);
        costs
            .map(|(view, n_ranks)| cost(self.trace, view, detail).saturating_mul(n_ranks - 1))
            .fold(0, u64::saturating_add)
    }

    /// The window of the most micro-batches that fits; none where not one does.
    fn largest_window(&self, budget: u64) -> Option<Detail> {
        let window = |micro_batches| Detail::Window { micro_batches };
        let numbers = self.trace.spans.iter().map(|span| span.micro_batch);
        let last = numbers.filter(|&number| number != NO_INDEX).max()?;
        let (mut fits, mut exceeds) = (0, last.saturating_add(1));
        while fits + 1 < exceeds {
            let middle = fits + (exceeds - fits) / 2;
            if self.of_first(window(middle)) <= budget {
                fits = middle;
            } else {
                exceeds = middle;
            }
        }
        (0 < fits).then(|| window(fits))
    }
}

/// Events of one rank of a lane.
fn cost(trace: &Trace, view: &View, detail: Detail) -> u64 {
    if detail == Detail::Nothing {
        return 0;
    }
    let drawn = |row: &&Track| {
        let all = !matches!(detail, Detail::Outline { .. } | Detail::Passes);
        all || row.stream == StreamKind::Compute
    };
    let mut cost = 3 + 2 * view.tracks.iter().filter(drawn).count() as u64;
    cost += view.memory(detail).len() as u64;
    for (row, actions) in view.tracks.iter().zip(&view.actions) {
        if let Some(pixels) = detail.pixels() {
            let drawn = detail.draws(row.stream, NO_INDEX) != Drawn::Not;
            cost += if drawn { 1 + 2 * u64::from(pixels) } else { 0 };
            continue;
        }
        for action in actions {
            let ids = &row.spans[action.spans.clone()];
            let micro_batch = trace.spans[ids[0] as usize].micro_batch;
            let spans = || {
                ids.iter()
                    .map(|&id| 1 + 2 * u64::from(has_arrow(trace, id)))
            };
            cost += match detail.draws(row.stream, micro_batch) {
                Drawn::Kernels => {
                    let kernels: u64 = ids.iter().map(|&id| n_kernels(trace, id)).sum();
                    spans().sum::<u64>() + kernels
                }
                Drawn::Spans => spans().sum(),
                // One arrow at most, which is two events.
                Drawn::Merged => 1 + 2 * u64::from(detail.has_arrows()),
                Drawn::Not => 0,
            };
        }
    }
    cost
}

fn n_kernels(trace: &Trace, id: SpanId) -> u64 {
    let detail = trace.spans[id as usize].detail;
    trace
        .details
        .get(detail as usize)
        .map_or(0, |list| list.len() as u64)
}

/// Whether the span that released another lies on another lane or stream.
fn has_arrow(trace: &Trace, id: SpanId) -> bool {
    let span = &trace.spans[id as usize];
    let cause = trace.spans.get(span.cause as usize);
    cause.is_some_and(|cause| (cause.lane, cause.stream) != (span.lane, span.stream))
}

/// Whether arrows leave and reach a span at a detail: not where it is not drawn, or lasts less
/// than a nanosecond.
pub(crate) fn carries_arrows(trace: &Trace, id: SpanId, detail: Detail) -> bool {
    let span = &trace.spans[id as usize];
    let lasts = Nanos::from_picos(span.start.as_picos()) < Nanos::from_picos(span.end.as_picos());
    lasts && detail.has_arrows() && detail.draws(span.stream, span.micro_batch) != Drawn::Not
}
