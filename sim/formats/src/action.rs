//! Actions: the passes of micro-batches, merged from their kernels.
//!
//! ```text
//! spans    [layer][layer][head][head][layer][layer]   [layer]..
//! actions  [forward 3       ][backward 3          ]   [forward 4 ..
//! ```
//!
//! A kernel of no time closes a pass: lowering ends each with one. The first pass of a micro-batch through
//! a stage is its forward pass, later ones are backward passes.

use std::collections::BTreeMap;

use trace::{Category, NO_INDEX, NameId, Span, SpanId, StreamKind, Trace, Track};

/// Several spans of a track as one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Action {
    /// Its spans, in order, on one track.
    pub(crate) spans: std::ops::Range<usize>,
    /// What it is called.
    pub(crate) label: Label,
}

/// What an action is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Label {
    /// The forward pass of a micro-batch.
    Forward,
    /// A backward pass of a micro-batch.
    Backward,
    /// Other work, by the name of its longest span.
    Named(NameId),
}

/// Whether the spans of a stream are part of what runs on the compute stream, and fold with it.
pub(crate) const fn folds(stream: StreamKind) -> bool {
    matches!(
        stream,
        StreamKind::Tp | StreamKind::Cp | StreamKind::Ep | StreamKind::Host
    )
}

/// The actions of a track: runs of one micro-batch and stage on the compute stream, single spans
/// elsewhere.
pub(crate) fn actions(trace: &Trace, row: &Track) -> Vec<Action> {
    let span = |at: usize| &trace.spans[row.spans[at] as usize];
    if row.stream != StreamKind::Compute {
        let single = |at| Action {
            spans: at..at + 1,
            label: Label::Named(span(at).name),
        };
        return (0..row.spans.len()).map(single).collect();
    }
    let mut passes: BTreeMap<(u32, u32), u32> = BTreeMap::new();
    let mut actions = Vec::new();
    let mut from = 0;
    for to in 1..=row.spans.len() {
        if to < row.spans.len() && continues(span(to - 1), span(to)) {
            continue;
        }
        let label = label(trace, &row.spans[from..to], &mut passes);
        actions.push(Action {
            spans: from..to,
            label,
        });
        from = to;
    }
    actions
}

fn continues(before: &Span, span: &Span) -> bool {
    let key = |span: &Span| (span.micro_batch, span.stage, span.category);
    key(before) == key(span) && before.start < before.end
}

fn label(trace: &Trace, ids: &[SpanId], passes: &mut BTreeMap<(u32, u32), u32>) -> Label {
    let first = &trace.spans[ids[0] as usize];
    if first.category == Category::Compute && first.micro_batch != NO_INDEX {
        let pass = passes.entry((first.micro_batch, first.stage)).or_default();
        *pass += 1;
        return if *pass == 1 {
            Label::Forward
        } else {
            Label::Backward
        };
    }
    let duration = |span: &Span| span.end.as_picos() - span.start.as_picos();
    let spans = ids.iter().rev().map(|&id| &trace.spans[id as usize]);
    let longest = spans.max_by_key(|span| duration(span));
    Label::Named(longest.unwrap_or(first).name)
}
