//! What the critical path needs of a run, where nobody asked for its trace.
//!
//! ```text
//! Span   lane, stream, name, micro-batch, ..   start, end, cause, category
//! Link                                         start, end, cause, category      24 bytes
//! ```
//!
//! Runs of many lanes have more spans than a report is worth: past a limit nothing is kept.

use units::SimTime;

use crate::path::{Stretch, walk_links};
use crate::{Category, CriticalPath, SpanId};

/// The part of a span that leads to what released it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// The start of the span.
    pub start: SimTime,
    /// Its end.
    pub end: SimTime,
    /// The span whose end released this one last, or [`NO_INDEX`](crate::NO_INDEX).
    pub cause: SpanId,
    /// What it counts for.
    pub category: Category,
}

/// The links of a run, by the id of their span, while they are few enough.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Causes {
    links: Vec<Link>,
    limit: usize,
    is_full: bool,
}

impl Default for Causes {
    /// Up to [`Causes::LIMIT`] links.
    fn default() -> Self {
        Self::new(Self::LIMIT)
    }
}

impl Causes {
    /// Links that are kept unless said otherwise: 200 MB of them.
    pub const LIMIT: usize = 8 << 20;

    /// No links yet, and at most so many later.
    pub const fn new(limit: usize) -> Self {
        Self {
            links: Vec::new(),
            limit,
            is_full: false,
        }
    }

    /// Keeps the link of the next span, in the order in which spans end. One too many drops all.
    pub fn push(&mut self, link: Link) {
        if self.is_full || self.links.len() == self.limit {
            self.links = Vec::new();
            self.is_full = true;
            return;
        }
        self.links.push(link);
    }

    /// The id of the span whose link was pushed last; none where links are no longer kept.
    pub fn last_id(&self) -> Option<SpanId> {
        let last = self.links.len().checked_sub(1)?;
        SpanId::try_from(last).ok()
    }

    /// What the critical path of a run that ended then was spent on; none where the run had more
    /// spans than were kept.
    pub fn critical(&self, end: SimTime) -> Option<PathTime> {
        (!self.is_full).then(|| {
            let mut time = PathTime::default();
            for segment in walk_links(self.links.len(), end, |id| self.links[id as usize]) {
                let link = self.links.get(segment.span as usize);
                let under_way = link.filter(|_| segment.stretch == Stretch::Work);
                let total = match under_way {
                    Some(link) => &mut time.by_category[link.category.index()],
                    None => &mut time.waiting,
                };
                let length = segment.end.as_picos() - segment.start.as_picos();
                *total = SimTime::from_picos(total.as_picos() + length);
            }
            time
        })
    }
}

/// What the time on a critical path is spent on.
///
/// Invariant: the parts sum to the end of the run, in picoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PathTime {
    /// Time under way by [`Category::index`].
    pub by_category: [SimTime; Category::ALL.len()],
    /// Time in which the next span had not begun, though what released it had ended.
    pub waiting: SimTime,
}

impl From<&CriticalPath> for PathTime {
    fn from(path: &CriticalPath) -> Self {
        Self {
            by_category: path.by_category,
            waiting: path.waiting,
        }
    }
}
