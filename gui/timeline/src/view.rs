//! What is looked at and how: everything that a person sets, and nothing that is computed.

use std::collections::BTreeSet;
use std::ops::Range;

use serde::{Deserialize, Serialize};
use trace::{Category, SpanId};
use units::SimTime;

use crate::camera::Camera;
use crate::key::{Fold, Grouping, TrackKey};
use crate::timeline::Timeline;

/// What can be shown on top of the spans or beside them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Overlay {
    /// Outlines of the spans of the critical path.
    CriticalPath,
    /// Hatching where nothing runs on a lane.
    Bubbles,
    /// Arrows from the selected span to its cause and effects.
    Arrows,
    /// Arrows along all causes behind the selected span.
    Chain,
    /// Memory of each lane.
    Memory,
    /// What links carry.
    Links,
}

impl Overlay {
    /// Every overlay.
    pub const ALL: [Self; 6] = [
        Self::CriticalPath,
        Self::Bubbles,
        Self::Arrows,
        Self::Chain,
        Self::Memory,
        Self::Links,
    ];

    /// A name for people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CriticalPath => "Critical path",
            Self::Bubbles => "Bubbles",
            Self::Arrows => "Arrows",
            Self::Chain => "Chain of causes",
            Self::Memory => "Memory",
            Self::Links => "Links",
        }
    }
}

/// What is selected.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Selection {
    /// Nothing.
    #[default]
    None,
    /// A span.
    Span(SpanId),
    /// Of two runs: a span of the other one.
    Other(SpanId),
    /// A stretch of time on some tracks.
    Range {
        /// Its beginning.
        from: SimTime,
        /// Its end.
        to: SimTime,
        /// The tracks.
        tracks: Vec<TrackKey>,
    },
}

/// A line of the ledger: one cause of time on the critical path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum LedgerLine {
    /// Spans of a category were under way.
    Work(Category),
    /// A span waited, though what released it had ended.
    Waiting,
}

impl Selection {
    /// The selected span.
    pub const fn span(&self) -> Option<SpanId> {
        match self {
            Self::Span(id) => Some(*id),
            _ => None,
        }
    }

    /// The stretch of time that the selection covers.
    pub fn stretch(&self, timeline: &Timeline) -> Option<Range<SimTime>> {
        match self {
            Self::None | Self::Other(_) => None,
            Self::Span(id) => timeline.span(*id).map(|span| span.start..span.end),
            Self::Range { from, to, .. } => Some(*from..*to),
        }
    }
}

/// The least and greatest height of a row of spans, in points.
pub const ROW_HEIGHT: std::ops::RangeInclusive<f32> = 0.5..=48.0;

/// What is looked at and how.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TimelineView {
    /// The window of time.
    pub camera: Camera,
    /// How far the lanes are scrolled down, in points.
    pub scroll: f32,
    /// The height of a row of spans, in points.
    pub row_height: f32,
    /// By what lanes are grouped.
    pub grouping: Grouping,
    /// What is folded to one row.
    pub folded: BTreeSet<Fold>,
    /// Tracks that stay at the top, in this order.
    pub pinned: Vec<TrackKey>,
    /// Only tracks whose title contains all words of it are shown.
    pub filter: String,
    /// What is selected.
    pub selection: Selection,
    /// The moment that topology and memory show.
    pub playhead: Option<SimTime>,
    /// Moments that somebody marked, in order.
    pub marks: BTreeSet<SimTime>,
    /// What is shown on top of the spans or beside them.
    pub shown: BTreeSet<Overlay>,
    /// What names are searched for.
    pub search: String,
    /// The line of the ledger whose spans are highlighted.
    pub ledger: Option<LedgerLine>,
    /// What the table lists.
    pub table: Table,
}

/// What the table lists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Table {
    /// All tracks.
    #[default]
    Tracks,
    /// The spans of the window.
    Spans,
}

impl Default for TimelineView {
    fn default() -> Self {
        Self {
            camera: Camera::default(),
            scroll: 0.0,
            row_height: 20.0,
            grouping: Grouping::default(),
            folded: BTreeSet::new(),
            pinned: Vec::new(),
            filter: String::new(),
            selection: Selection::None,
            playhead: None,
            marks: BTreeSet::new(),
            shown: Overlay::ALL
                .into_iter()
                .filter(|&one| one != Overlay::Chain)
                .collect(),
            search: String::new(),
            ledger: None,
            table: Table::Tracks,
        }
    }
}

impl TimelineView {
    /// More lanes than this start folded.
    const UNFOLDED_LANES: u32 = 16;

    /// The view with which a timeline opens: the whole run; many lanes are folded to a row each.
    pub fn of(timeline: &Timeline) -> Self {
        let n_lanes = crate::round::index(timeline.trace().lanes.len());
        let are_hosts = !timeline.has_ranks();
        let folded = if Self::UNFOLDED_LANES < n_lanes && are_hosts {
            // Of a network workload the links are what is looked at first.
            BTreeSet::from([Fold::All])
        } else if Self::UNFOLDED_LANES < n_lanes {
            (0..n_lanes).map(Fold::Lane).collect()
        } else {
            BTreeSet::new()
        };
        Self {
            camera: Camera::whole(timeline.end()),
            folded,
            ..Self::default()
        }
    }

    /// Whether an overlay is shown.
    pub fn shows(&self, overlay: Overlay) -> bool {
        self.shown.contains(&overlay)
    }
}
