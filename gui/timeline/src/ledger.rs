//! Where the time of the critical path goes.

use trace::{NO_INDEX, Segment, SpanId, Stretch};

use crate::command::Step;
use crate::timeline::Timeline;
use crate::view::{LedgerLine, Selection};

/// The stretches of the critical path that a line of the ledger sums up, in order of time.
pub(crate) fn segments(timeline: &Timeline, line: LedgerLine) -> impl Iterator<Item = &Segment> {
    let all = timeline.path().segments.iter();
    all.filter(move |segment| line_of(timeline, segment) == line)
}

/// The line that sums up a stretch.
pub(crate) fn line_of(timeline: &Timeline, segment: &Segment) -> LedgerLine {
    match (segment.stretch, timeline.span(segment.span)) {
        (Stretch::Work, Some(span)) => LedgerLine::Work(span.category),
        _ => LedgerLine::Waiting,
    }
}

/// The span of the path that follows or precedes the selected one, on the same line of the ledger
/// where a line is selected.
pub(crate) fn step(timeline: &Timeline, selection: &Selection, step: Step) -> Option<SpanId> {
    let line = match selection {
        Selection::Ledger(line) => Some(*line),
        _ => None,
    };
    let here = selection.span().and_then(|id| timeline.span(id));
    let mut spans = timeline.path().segments.iter().filter(|segment| {
        let fits = line.is_none_or(|line| line_of(timeline, segment) == line);
        fits && segment.span != NO_INDEX
    });
    let found = match step {
        Step::Next => spans.find(|segment| here.is_none_or(|here| here.end <= segment.start)),
        Step::Previous => spans.rfind(|segment| here.is_none_or(|here| segment.end <= here.start)),
    };
    found.map(|segment| segment.span)
}
