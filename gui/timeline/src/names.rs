//! Where the spans of a name are, for search and statistics.

use std::sync::Arc;

use trace::{Pass, SpanId, Trace};

/// The spans of each name, in the order in which they ended.
#[derive(Debug, Default)]
pub struct NameIndex {
    of_name: Vec<Vec<SpanId>>,
    lower: Vec<String>,
}

/// Which names a text is found in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// The names.
    pub names: Arc<[u32]>,
    /// How many spans bear one of them.
    pub count: u64,
}

/// A name with its pass, unless it says that itself.
pub(crate) fn with_pass(name: &str, pass: Pass) -> String {
    match pass {
        Pass::None => name.to_owned(),
        pass if pass.name() == name => name.to_owned(),
        pass => format!("{name} {}", pass.name()),
    }
}

impl NameIndex {
    /// Sorts the spans by name.
    pub(crate) fn new(trace: &Trace) -> Self {
        let names = trace.names.texts();
        let mut counts = vec![0; names.len()];
        for span in &trace.spans {
            if let Some(count) = counts.get_mut(span.name as usize) {
                *count += 1;
            }
        }
        let mut of_name: Vec<Vec<SpanId>> = counts.into_iter().map(Vec::with_capacity).collect();
        for (id, span) in (0..).zip(&trace.spans) {
            if let Some(spans) = of_name.get_mut(span.name as usize) {
                spans.push(id);
            }
        }
        let lower = names.iter().map(|name| name.to_lowercase()).collect();
        Self { of_name, lower }
    }

    /// The spans of a name, in the order in which they ended.
    pub fn spans(&self, name: u32) -> &[SpanId] {
        self.of_name.get(name as usize).map_or(&[], Vec::as_slice)
    }

    /// The names that contain a text, whatever its case; none for an empty text.
    pub fn find(&self, text: &str) -> Found {
        let text = text.trim().to_lowercase();
        if text.is_empty() {
            return Found::default();
        }
        let names = (0..).zip(&self.lower);
        let names: Vec<u32> = names
            .filter(|(_, name)| name.contains(&text))
            .map(|(id, _)| id)
            .collect();
        let count = names.iter().map(|&name| self.spans(name).len() as u64);
        Found {
            count: count.sum(),
            names: names.into(),
        }
    }

    /// The hit that follows a span, or precedes it, in the order in which they ended; around the
    /// ends.
    pub fn next(&self, found: &Found, from: Option<SpanId>, after: bool) -> Option<SpanId> {
        let lists = || found.names.iter().map(|&name| self.spans(name));
        let near = lists().filter_map(|spans| {
            let here = from?;
            if after {
                let at = spans.partition_point(|&id| id <= here);
                spans.get(at).copied()
            } else {
                let at = spans.partition_point(|&id| id < here);
                spans.get(at.checked_sub(1)?).copied()
            }
        });
        if after {
            let first = || lists().filter_map(|ids| ids.first().copied()).min();
            near.min().or_else(first)
        } else {
            let last = || lists().filter_map(|ids| ids.last().copied()).max();
            near.max().or_else(last)
        }
    }

    /// The place of a span among the hits, counted from 1; `None` where it is none.
    pub fn ordinal(&self, trace: &Trace, found: &Found, id: SpanId) -> Option<u64> {
        let span = trace.spans.get(id as usize)?;
        found.names.contains(&span.name).then(|| {
            let before = found.names.iter().map(|&name| {
                let spans = self.spans(name);
                spans.partition_point(|&one| one < id) as u64
            });
            before.sum::<u64>() + 1
        })
    }
}
