//! Actions: the passes of micro-batches, merged from their kernels.
//!
//! ```text
//! spans    [layer][layer][head][head][layer][layer]   [layer]..
//! actions  [forward 3       ][backward 3          ]   [forward 4 ..
//! ```
//!
//! A pass goes on while micro-batch, stage and pass stay the same; what is computed again belongs
//! to the backward pass around it.

use trace::{Category, NO_INDEX, NameId, Pass, Span, SpanId, StreamKind, Trace, Track};

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
    /// A pass of a micro-batch.
    Pass(Pass),
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
    let mut actions = Vec::new();
    let mut from = 0;
    for to in 1..=row.spans.len() {
        if to < row.spans.len() && continues(span(to - 1), span(to)) {
            continue;
        }
        let label = label(trace, &row.spans[from..to]);
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
    let is_again = |span: &Span| span.pass == Pass::Recompute;
    key(before) == key(span) && (before.pass == span.pass || is_again(before) || is_again(span))
}

fn label(trace: &Trace, ids: &[SpanId]) -> Label {
    let spans = || ids.iter().map(|&id| &trace.spans[id as usize]);
    let of_pass = spans().find(|span| !matches!(span.pass, Pass::None | Pass::Recompute));
    if let Some(span) = of_pass
        && span.category == Category::Compute
        && span.micro_batch != NO_INDEX
    {
        return Label::Pass(span.pass);
    }
    let duration = |span: &Span| span.end.as_picos() - span.start.as_picos();
    let longest = spans().rev().max_by_key(|span| duration(span));
    Label::Named(longest.map_or(0, |span| span.name))
}
