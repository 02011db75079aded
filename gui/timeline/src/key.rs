//! Names of tracks and groups that stay when others come, go or are filtered out.

use serde::{Deserialize, Serialize};
use trace::StreamKind;

/// A track.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum TrackKey {
    /// A row of a stream of a lane.
    Stream {
        /// The lane.
        lane: u32,
        /// The stream.
        stream: StreamKind,
        /// The row: 0 except where spans of the stream overlap.
        row: u32,
    },
    /// Memory of a lane.
    Memory {
        /// The lane.
        lane: u32,
    },
    /// What a link carries.
    Link {
        /// Its place among the links of the trace.
        link: u32,
    },
}

/// What can be folded to one row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Fold {
    /// A pipeline stage.
    Stage(u32),
    /// A node.
    Node(u32),
    /// A data-parallel replica.
    Replica(u32),
    /// All lanes, where they are not grouped.
    All,
    /// A lane.
    Lane(u32),
    /// The links.
    Links,
}

/// By what lanes are grouped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Grouping {
    /// By pipeline stage.
    #[default]
    Stage,
    /// By the node of their first rank.
    Node,
    /// By the data-parallel replica of their first rank.
    Replica,
    /// Not at all.
    None,
}

impl Grouping {
    /// Every grouping.
    pub const ALL: [Self; 4] = [Self::Stage, Self::Node, Self::Replica, Self::None];

    /// A name for people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stage => "Pipeline stage",
            Self::Node => "Node",
            Self::Replica => "Replica",
            Self::None => "No groups",
        }
    }
}

/// Where ranks run and what they hold, which traces do not say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Placement {
    /// The node of each rank; none where nobody knows.
    pub node_of_rank: Vec<u32>,
    /// The data-parallel replica of each rank; none where nobody knows.
    pub replica_of_rank: Vec<u32>,
    /// What a GPU holds, in bytes: the top of memory tracks.
    pub memory_limit: Option<u64>,
}

/// Numbers of things as people write them: `rank 3`, `ranks 0–7`, `ranks 0, 8, 16, … (64)`.
pub(crate) fn numbers_text(noun: &str, numbers: &[u32]) -> String {
    match numbers {
        [] => format!("no {noun}s"),
        [one] => format!("{noun} {one}"),
        [first, .., last] if (last - first) as usize == numbers.len() - 1 => {
            format!("{noun}s {first}–{last}")
        }
        [a, b] => format!("{noun}s {a}, {b}"),
        [a, b, c] => format!("{noun}s {a}, {b}, {c}"),
        [a, b, c, ..] => format!("{noun}s {a}, {b}, {c}, … ({})", numbers.len()),
    }
}
