//! Two runs on one cursor.
//!
//! Spans match where they lie on the same lane (its pipeline stage, and its place among the lanes
//! of that stage) and stream, and have the same name, pass and micro-batch: the first with the
//! first, the second with the second, and so on. Runs of unlike plans match in part.

use std::collections::BTreeMap;
use std::sync::Arc;

use trace::{Category, NO_INDEX, SpanId, StreamKind, Trace};
use units::SimTime;

use crate::command::TimelineCommand;
use crate::key::TrackKey;
use crate::round::index;
use crate::timeline::Timeline;
use crate::view::{Selection, TimelineView};

/// Two runs with the matches of their spans.
#[derive(Debug)]
pub struct Pair {
    base: Arc<Timeline>,
    other: Arc<Timeline>,
    /// By spans of the base: its match, or [`NO_INDEX`].
    other_of: Vec<SpanId>,
    /// By spans of the other: its match, or [`NO_INDEX`].
    base_of: Vec<SpanId>,
    kinds: Vec<KindDifference>,
}

/// What one kind takes in both runs: mean of ranks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct KindDifference {
    /// The kind.
    pub category: Category,
    /// Seconds of a rank of the base.
    pub base: f64,
    /// Seconds of a rank of the other.
    pub other: f64,
    /// Spans that match.
    pub matched: u64,
    /// Spans of either run without a match.
    pub unmatched: u64,
}

/// What matching spans have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Likeness {
    lane: u32,
    stream: StreamKind,
    name: u32,
    pass: trace::Pass,
    micro_batch: u32,
    start: SimTime,
    id: SpanId,
}

impl Likeness {
    /// All but what orders spans that are alike.
    fn kind(self) -> (u32, StreamKind, u32, trace::Pass, u32) {
        (
            self.lane,
            self.stream,
            self.name,
            self.pass,
            self.micro_batch,
        )
    }
}

impl Pair {
    /// Matches the spans of two runs; of large ones on a worker.
    pub fn new(base: Arc<Timeline>, other: Arc<Timeline>) -> Self {
        let mut names = BTreeMap::new();
        let a = likenesses(base.trace(), &mut names);
        let b = likenesses(other.trace(), &mut names);
        let mut other_of = vec![NO_INDEX; base.trace().spans.len()];
        let mut base_of = vec![NO_INDEX; other.trace().spans.len()];
        let (mut i, mut j) = (0, 0);
        while let (Some(left), Some(right)) = (a.get(i), b.get(j)) {
            match left.kind().cmp(&right.kind()) {
                std::cmp::Ordering::Less => i += 1,
                std::cmp::Ordering::Greater => j += 1,
                std::cmp::Ordering::Equal => {
                    other_of[left.id as usize] = right.id;
                    base_of[right.id as usize] = left.id;
                    (i, j) = (i + 1, j + 1);
                }
            }
        }
        let kinds = differences(&base, &other, (&other_of, &base_of));
        Self {
            base,
            other,
            other_of,
            base_of,
            kinds,
        }
    }

    /// The run that the other is compared with.
    pub fn base(&self) -> &Arc<Timeline> {
        &self.base
    }

    /// The run that is compared.
    pub fn other(&self) -> &Arc<Timeline> {
        &self.other
    }

    /// The match in the other run of a span of the base.
    pub fn other_of(&self, base: SpanId) -> Option<SpanId> {
        found(&self.other_of, base)
    }

    /// The match in the base of a span of the other run.
    pub fn base_of(&self, other: SpanId) -> Option<SpanId> {
        found(&self.base_of, other)
    }

    /// Differences by kind, the largest first.
    pub fn kinds(&self) -> &[KindDifference] {
        &self.kinds
    }

    /// The end of the longer run: both are seen in the same window.
    pub fn end(&self) -> SimTime {
        self.base.end().max(self.other.end())
    }

    /// The view of the base where a span of the other run may be selected: its match stands for it.
    pub fn view_of_base(&self, view: &TimelineView) -> TimelineView {
        let selection = match &view.selection {
            Selection::Other(id) => self.base_of(*id).map_or(Selection::None, Selection::Span),
            rest => rest.clone(),
        };
        TimelineView {
            selection,
            ..view.clone()
        }
    }

    /// The view of the other run that goes with one of the base.
    pub fn view_of_other(&self, view: &TimelineView) -> TimelineView {
        let selection = match &view.selection {
            Selection::Span(id) => self.other_of(*id).map_or(Selection::None, Selection::Span),
            Selection::Other(id) => Selection::Span(*id),
            rest => rest.clone(),
        };
        let pinned = view.pinned.iter();
        TimelineView {
            selection,
            pinned: pinned.filter_map(|key| self.other_track(*key)).collect(),
            ..view.clone()
        }
    }

    /// The track of the base that goes with one of the other run: links go by name, since their places
    /// follow how busy they are.
    pub fn base_track(&self, other: TrackKey) -> Option<TrackKey> {
        same_track(other, &self.other, &self.base)
    }

    /// The track of the other run that goes with one of the base.
    pub fn other_track(&self, base: TrackKey) -> Option<TrackKey> {
        same_track(base, &self.base, &self.other)
    }

    /// What is selected where something is in the other run.
    pub fn selection_of_other(selection: Selection) -> Selection {
        match selection {
            Selection::Span(id) => Selection::Other(id),
            rest => rest,
        }
    }

    /// A command that was given over the other run, as one to the view of both.
    pub fn command_of_other(&self, command: TimelineCommand) -> TimelineCommand {
        use TimelineCommand as C;
        match command {
            C::Select(selection) => C::Select(Self::selection_of_other(selection)),
            C::Reveal(id) => C::RevealOther(id),
            C::TogglePin(track) => C::TogglePin(self.base_track(track).unwrap_or(track)),
            // Both scroll together.
            rest => rest,
        }
    }

    /// Does to the view of both what a command says; the window may reach to the end of the longer run.
    /// Where a span of the other run is selected, steps lead along that.
    pub fn apply(&self, view: &mut TimelineView, command: &TimelineCommand) {
        use TimelineCommand as C;
        let steps = matches!(
            command,
            C::Neighbor(_) | C::Cause | C::Effect | C::Hit(_) | C::Critical(_) | C::Fit
        );
        match command {
            C::RevealOther(id) => self.apply_to_other(view, &C::Reveal(*id)),
            step if steps && matches!(view.selection, Selection::Other(_)) => {
                self.apply_to_other(view, step);
            }
            command => view.apply_until(&self.base, self.end(), command),
        }
    }

    fn apply_to_other(&self, view: &mut TimelineView, command: &TimelineCommand) {
        let mut theirs = self.view_of_other(view);
        theirs.apply_until(&self.other, self.end(), command);
        *view = TimelineView {
            selection: Self::selection_of_other(theirs.selection),
            pinned: std::mem::take(&mut view.pinned),
            ..theirs
        };
    }
}

fn same_track(track: TrackKey, of: &Timeline, to: &Timeline) -> Option<TrackKey> {
    let TrackKey::Link { link } = track else {
        return Some(track);
    };
    let name = &of.trace().links.get(link as usize)?.name;
    let links = (0..).zip(&to.trace().links);
    let (link, _) = links.into_iter().find(|(_, link)| link.name == *name)?;
    Some(TrackKey::Link { link })
}

fn found(list: &[SpanId], id: SpanId) -> Option<SpanId> {
    list.get(id as usize).copied().filter(|&id| id != NO_INDEX)
}

/// The spans of a run by likeness. Names get the same numbers in both runs.
fn likenesses(trace: &Trace, names: &mut BTreeMap<String, u32>) -> Vec<Likeness> {
    let mut number = |text: &String| {
        let next = index(names.len());
        *names.entry(text.clone()).or_insert(next)
    };
    let names: Vec<u32> = trace.names.texts().iter().map(&mut number).collect();
    let mut of_stage: BTreeMap<u32, u32> = BTreeMap::new();
    let lanes: Vec<u32> = trace
        .lanes
        .iter()
        .map(|lane| {
            let place = of_stage.entry(lane.stage).or_default();
            *place += 1;
            // Stages and places fit in 16 bits each: a pipeline of more has no lanes to compare.
            lane.stage << 16 | (*place - 1) & 0xffff
        })
        .collect();
    let ids = (0..).zip(&trace.spans);
    let mut all: Vec<Likeness> = ids
        .filter_map(|(id, span)| {
            Some(Likeness {
                lane: *lanes.get(span.lane.index())?,
                stream: span.stream,
                name: *names.get(span.name as usize)?,
                pass: span.pass,
                micro_batch: span.micro_batch,
                start: span.start,
                id,
            })
        })
        .collect();
    all.sort_unstable();
    all
}

fn differences(
    base: &Timeline,
    other: &Timeline,
    (other_of, base_of): (&[SpanId], &[SpanId]),
) -> Vec<KindDifference> {
    let a = by_kind(base.trace(), other_of);
    let b = by_kind(other.trace(), base_of);
    let kinds = Category::ALL.into_iter().zip(a.into_iter().zip(b));
    let mut kinds: Vec<_> = kinds
        .map(|(category, (a, b))| KindDifference {
            category,
            base: a.secs,
            other: b.secs,
            matched: a.matched,
            unmatched: a.unmatched + b.unmatched,
        })
        .filter(|kind| kind.matched + kind.unmatched != 0)
        .collect();
    let size = |kind: &KindDifference| (kind.other - kind.base).abs();
    kinds.sort_by(|a, b| size(b).total_cmp(&size(a)));
    kinds
}

#[derive(Clone, Copy, Default)]
struct OfKind {
    secs: f64,
    matched: u64,
    unmatched: u64,
}

fn by_kind(trace: &Trace, matches: &[SpanId]) -> [OfKind; Category::ALL.len()] {
    let ranks = |lane: &trace::Lane| lane.ranks.len().max(1) as f64;
    let n_ranks: f64 = trace.lanes.iter().map(ranks).sum();
    let mut kinds = [OfKind::default(); Category::ALL.len()];
    for (span, &other) in trace.spans.iter().zip(matches) {
        let kind = &mut kinds[span.category.index()];
        let weight = trace.lanes.get(span.lane.index()).map_or(1.0, ranks) / n_ranks.max(1.0);
        kind.secs += span.end.since(span.start).as_secs() * weight;
        if other == NO_INDEX {
            kind.unmatched += 1;
        } else {
            kind.matched += 1;
        }
    }
    kinds
}
