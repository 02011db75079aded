//! The trace itself, as plain data.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use units::{ClassId, LaneId, Seconds, SimTime};

use crate::{Category, LinkTrack, MemoryKind, Pass, StreamKind};

/// Stands for "none" in index fields of a [`Span`].
pub const NO_INDEX: u32 = u32::MAX;

/// Index of a span in [`Trace::spans`], or [`NO_INDEX`].
pub type SpanId = u32;
/// Index of a name in [`Trace::names`].
pub type NameId = u32;
/// Index into [`Trace::details`], or [`NO_INDEX`].
pub type DetailId = u32;

/// A whole run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Trace {
    /// One lane per class of ranks.
    pub lanes: Vec<Lane>,
    /// The names of spans.
    pub names: Names,
    /// Spans in the order in which they ended.
    pub spans: Vec<Span>,
    /// The kernels inside spans that refer to them.
    pub details: Vec<Vec<Detail>>,
    /// Memory levels, in order of time.
    pub memory: Vec<MemorySample>,
    /// What links carried, the busiest first; none where nobody looked at them.
    pub links: Vec<LinkTrack>,
    /// The end of the last span.
    pub end: SimTime,
}

/// One lane: a class of ranks that behave alike.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Lane {
    /// The class.
    pub class: ClassId,
    /// A name for people, such as `stage 3`.
    pub name: String,
    /// The pipeline stage (device of the schedule).
    pub stage: u32,
    /// The logical ranks of the class, ascending.
    pub ranks: Vec<u32>,
    /// Memory that does not change during the run, in bytes, by [`MemoryKind::index`].
    pub resident: [u64; MemoryKind::ALL.len()],
}

/// One stretch of work on one stream of one lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// The lane.
    pub lane: LaneId,
    /// The stream.
    pub stream: StreamKind,
    /// What it counts for.
    pub category: Category,
    /// The pass that it belongs to; of a message, the sender's.
    pub pass: Pass,
    /// Its name.
    pub name: NameId,
    /// Its start.
    pub start: SimTime,
    /// Its end.
    pub end: SimTime,
    /// The micro-batch, or [`NO_INDEX`].
    pub micro_batch: u32,
    /// The virtual stage, or [`NO_INDEX`].
    pub stage: u32,
    /// The span whose end released this one last, or [`NO_INDEX`] where none did. It may lie
    /// on another lane: the sender of a message, the last rank to join a collective.
    pub cause: SpanId,
    /// The kernels inside, or [`NO_INDEX`].
    pub detail: DetailId,
}

/// One kernel inside a span, with its undisturbed duration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Detail {
    /// The operator.
    pub name: String,
    /// Its duration when nothing else runs.
    pub time: Seconds,
}

/// The level of one kind of memory on one lane from a moment on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemorySample {
    /// The lane.
    pub lane: LaneId,
    /// The moment of the change.
    pub time: SimTime,
    /// The kind.
    pub kind: MemoryKind,
    /// The level from then on, in bytes, without what is resident.
    pub bytes: u64,
}

/// Interned names: equal texts share an id, ids count in order of first use.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<String>", into = "Vec<String>")]
pub struct Names {
    texts: Vec<String>,
    ids: BTreeMap<String, NameId>,
}

impl Names {
    /// The id of a text, new or known.
    pub fn intern(&mut self, text: &str) -> NameId {
        if let Some(&id) = self.ids.get(text) {
            return id;
        }
        let id = NameId::try_from(self.texts.len()).unwrap_or(NO_INDEX);
        self.texts.push(text.to_owned());
        self.ids.insert(text.to_owned(), id);
        id
    }

    /// The text of an id; empty for an unknown one.
    pub fn get(&self, id: NameId) -> &str {
        self.texts.get(id as usize).map_or("", String::as_str)
    }

    /// All texts by id.
    pub fn texts(&self) -> &[String] {
        &self.texts
    }
}

impl From<Vec<String>> for Names {
    fn from(texts: Vec<String>) -> Self {
        let ids = (0..)
            .zip(&texts)
            .map(|(id, text)| (text.clone(), id))
            .collect();
        Self { texts, ids }
    }
}

impl From<Names> for Vec<String> {
    fn from(names: Names) -> Self {
        names.texts
    }
}
