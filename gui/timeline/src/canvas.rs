//! What the widget keeps between frames: nothing of it is worth saving.

use std::sync::Arc;

use egui::Ui;
use units::SimTime;

use crate::ease::Ease;
use crate::hits::Hits;
use crate::key::{Fold, Grouping, TrackKey};
use crate::quad::{Batch, MeshSink, Quad, QuadSink};
use crate::rows::Rows;
use crate::tiles::{Background, Tiles};
use crate::timeline::Timeline;
use crate::view::{LedgerLine, Overlay, Selection, TimelineView};

/// What the widget keeps between frames: tiles, rows, and who draws.
pub struct Canvas {
    pub(crate) sink: Box<dyn QuadSink>,
    pub(crate) background: Option<Box<dyn Background>>,
    pub(crate) tiles: Tiles,
    pub(crate) lanes: Kept,
    pub(crate) overview: Kept,
    pub(crate) drag: Option<Drag>,
    pub(crate) ease: Ease,
    pub(crate) hits: Hits,
    pub(crate) selected: Selection,
    pub(crate) ledger: Option<LedgerLine>,
    pub(crate) listens: bool,
    rows: Option<(RowsKey, Arc<Rows>)>,
    /// How wide the titles of the rows are, where they were measured.
    header: Option<f32>,
    timeline: Option<Arc<Timeline>>,
}

/// Rectangles that were drawn last, and for what.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    key: Option<Vec<u64>>,
    batch: Option<Batch>,
    generation: u64,
}

/// What the pointer drags.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Drag {
    /// A range over lanes, from a moment and a height in points below the top of the rows.
    Range(SimTime, f32),
    /// The window of time.
    Pan,
    /// The playhead.
    Playhead,
    /// The window in the overview; the share of it at which it was gripped.
    Overview(f64),
    /// The border between two rows of the scroll bar.
    Scroll,
}

/// What rows depend on.
#[derive(Debug, PartialEq)]
struct RowsKey {
    grouping: Grouping,
    folded: std::collections::BTreeSet<Fold>,
    pinned: Vec<TrackKey>,
    filter: String,
    row_height: f32,
    memory: bool,
    links: bool,
}

impl std::fmt::Debug for Canvas {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Canvas")
            .field("tiles", &self.tiles)
            .finish_non_exhaustive()
    }
}

impl Default for Canvas {
    /// Draws by egui's own means and makes all tiles at once.
    fn default() -> Self {
        Self::new(Box::new(MeshSink::default()), None)
    }
}

impl Canvas {
    /// A canvas.
    ///
    /// * `sink` — draws rectangles.
    /// * `background` — makes tiles that take long; without one they are made at once.
    pub fn new(sink: Box<dyn QuadSink>, background: Option<Box<dyn Background>>) -> Self {
        Self {
            sink,
            background,
            tiles: Tiles::default(),
            lanes: Kept::default(),
            overview: Kept::default(),
            drag: None,
            ease: Ease::default(),
            hits: Hits::default(),
            selected: Selection::None,
            ledger: None,
            listens: true,
            rows: None,
            header: None,
            timeline: None,
        }
    }

    /// Whether keys are meant for the timeline, and not for something that lies over it.
    pub const fn listen(&mut self, listens: bool) {
        self.listens = listens;
    }

    /// Forgets what belongs to another timeline.
    pub(crate) fn turn_to(&mut self, timeline: &Arc<Timeline>) {
        if !self
            .timeline
            .as_ref()
            .is_some_and(|one| Arc::ptr_eq(one, timeline))
        {
            self.tiles.clear();
            self.rows = None;
            self.lanes.key = None;
            self.overview.key = None;
            self.drag = None;
            self.ease.stop();
            self.hits = Hits::default();
            self.timeline = Some(Arc::clone(timeline));
        }
    }

    /// The rows of a view, anew where it asks for other ones.
    pub(crate) fn rows(&mut self, timeline: &Timeline, view: &TimelineView) -> Arc<Rows> {
        if let Some((key, rows)) = &self.rows
            && key.holds(view)
        {
            return Arc::clone(rows);
        }
        let rows = Arc::new(Rows::new(timeline, view));
        self.rows = Some((RowsKey::of(view), Arc::clone(&rows)));
        self.lanes.key = None;
        self.header = None;
        rows
    }

    /// How wide the titles of the rows of a view are.
    pub(crate) fn header(&mut self, ui: &Ui, timeline: &Arc<Timeline>, view: &TimelineView) -> f32 {
        self.turn_to(timeline);
        let rows = self.rows(timeline, view);
        *self
            .header
            .get_or_insert_with(|| crate::headers::width(ui.painter(), timeline, &rows))
    }
}

impl RowsKey {
    fn of(view: &TimelineView) -> Self {
        Self {
            grouping: view.grouping,
            folded: view.folded.clone(),
            pinned: view.pinned.clone(),
            filter: view.filter.clone(),
            row_height: view.row_height,
            memory: view.shows(Overlay::Memory),
            links: view.shows(Overlay::Links),
        }
    }

    fn holds(&self, view: &TimelineView) -> bool {
        self.grouping == view.grouping
            && self.folded == view.folded
            && self.pinned == view.pinned
            && self.filter == view.filter
            && self.row_height.to_bits() == view.row_height.to_bits()
            && self.memory == view.shows(Overlay::Memory)
            && self.links == view.shows(Overlay::Links)
    }
}

impl Kept {
    /// The batch for a key; made anew only where the key is another.
    pub(crate) fn batch(
        &mut self,
        layer: crate::quad::Layer,
        key: Vec<u64>,
        make: impl FnOnce() -> Vec<Quad>,
    ) -> Batch {
        if let (Some(kept), Some(batch)) = (&self.key, &self.batch)
            && *kept == key
        {
            return batch.clone();
        }
        self.generation += 1;
        let batch = Batch {
            layer,
            quads: make().into(),
            generation: self.generation,
        };
        self.key = Some(key);
        self.batch = Some(batch.clone());
        batch
    }
}
