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
mod columns;
mod command;
mod compare;
mod counter;
mod details;
mod durations;
mod ease;
mod effects;
mod figure;
mod frame;
mod headers;
mod hits;
mod idle;
mod key;
mod keys;
mod lanes;
mod ledger;
mod names;
mod overlay;
mod overview;
mod paint;
mod pair;
mod pointer;
mod quad;
mod round;
mod rows;
mod ruler;
mod strip;
mod sums;
mod table;
mod tile;
mod tiles;
mod timeline;
mod toolbar;
mod tooltip;
mod view;
mod widget;

pub use camera::Camera;
pub use canvas::Canvas;
pub use command::{Step, TimelineCommand};
pub use compare::{PairCanvas, PairNames, compare_ui, differences_ui};
pub use counter::Counter;
pub use details::{Tell, details_ui};
pub use durations::Durations;
pub use figure::{figure, figure_of_pair, ledger_figure, ledger_figure_of_pair};
pub use key::{Fold, Grouping, Placement, TrackKey};
pub use keys::search_field_id;
pub use ledger::{ledger, ledger_ui, pair_ledger_ui};
pub use names::{Found, NameIndex};
pub use pair::{KindDifference, Pair};
pub use quad::{Batch, Layer, MeshSink, Quad, QuadSink};
pub use sums::range_sums;
pub use table::table_ui;
pub use tiles::Background;
pub use timeline::{Group, SpanTrack, Timeline};
pub use toolbar::toolbar_ui;
pub use view::{LedgerLine, Overlay, ROW_HEIGHT, Selection, Table, TimelineView};
pub use widget::timeline_ui;
