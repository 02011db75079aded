//! What happened when, drawn for any number of spans.
//!
//! ```text
//! Trace ── Timeline::new ──▸ Timeline   shared, never changes: tracks, pyramids, indices
//!                                │
//! TimelineView ──────────────────┼──▸ timeline_ui ──▸ Vec<TimelineCommand>
//!   camera, folds, selection, …  │        │ rectangles: QuadSink (a mesh, or the card itself)
//!        ▴                       │        │ tiles that take long: Background (a worker)
//!        └── TimelineView::apply ┴────────┘
//! ```
//!
//! The work of a frame follows the pixels: each row is reduced to tiles of at most one bit per
//! column, and tiles are kept while the scale stays. Time is whole picoseconds everywhere.

mod camera;
mod canvas;
mod command;
mod counter;
mod effects;
mod frame;
mod headers;
mod idle;
mod key;
mod keys;
mod lanes;
mod ledger;
mod names;
mod overlay;
mod overview;
mod paint;
mod pointer;
mod quad;
mod round;
mod rows;
mod ruler;
mod strip;
mod tile;
mod tiles;
mod timeline;
mod tooltip;
mod view;
mod widget;

pub use camera::Camera;
pub use canvas::Canvas;
pub use command::{Step, TimelineCommand};
pub use counter::Counter;
pub use key::{Fold, Grouping, Placement, TrackKey};
pub use keys::search_field_id;
pub use names::{Found, NameIndex};
pub use quad::{Batch, Layer, MeshSink, Quad, QuadSink};
pub use tiles::Background;
pub use timeline::{Group, SpanTrack, Timeline};
pub use view::{LedgerLine, Overlay, ROW_HEIGHT, Selection, TimelineView};
pub use widget::timeline_ui;
