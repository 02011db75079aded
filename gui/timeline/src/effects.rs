//! What each span released: the causes of a trace the other way round.

use trace::{NO_INDEX, SpanId, Trace};

use crate::round::index;

/// What each span released.
#[derive(Clone, Debug, Default)]
pub(crate) struct Effects {
    /// Of each span, where its effects begin; and one past the last.
    first: Vec<u32>,
    spans: Vec<SpanId>,
}

impl Effects {
    /// Counts and places, in two passes.
    pub(crate) fn new(trace: &Trace) -> Self {
        let n = trace.spans.len();
        let causes = || {
            let ids = (0..).zip(&trace.spans);
            ids.filter(|(id, span)| span.cause != NO_INDEX && span.cause < *id)
                .map(|(id, span)| (span.cause as usize, id))
        };
        let mut first = vec![0; n + 1];
        for (cause, _) in causes() {
            first[cause + 1] += 1;
        }
        for at in 0..n {
            first[at + 1] += first[at];
        }
        let mut next = first.clone();
        let mut spans = vec![0; first.last().map_or(0, |&n: &u32| n as usize)];
        for (cause, id) in causes() {
            spans[next[cause] as usize] = id;
            next[cause] += 1;
        }
        debug_assert_eq!(index(spans.len()), first[n], "every effect has a place");
        Self { first, spans }
    }

    /// The effects of a span.
    pub(crate) fn of(&self, id: SpanId) -> &[SpanId] {
        let id = id as usize;
        match (self.first.get(id), self.first.get(id + 1)) {
            (Some(&from), Some(&to)) => &self.spans[from as usize..to as usize],
            _ => &[],
        }
    }
}
