//! What does a figure show, on the screen and on paper?
//!
//! ```text
//! Figure ── layout (size, theme, widths of text) ──> items ──┬── egui's painter: window, PNG
//!    │                                                       └── SVG
//!    └── Table: the twin for readers, sorting and CSV
//! ```
//!
//! A [`Figure`] is plain data in base units: seconds, bytes, bytes per second, shares. The layout turns
//! it into one list of drawing items, and screen and paper draw that same list, so that they cannot
//! drift apart. What the user does comes back as a [`FigureResponse`] or as [`TableCommand`]s; nothing
//! about zoom, selection or sorting is kept here.

mod axis;
mod bars;
mod brush;
mod cell;
mod diagram;
mod figure;
mod figure_ui;
mod gantt;
mod ink;
mod item;
mod keys;
mod layout;
mod mark;
mod paint;
mod parallel;
mod svg;
mod table;
mod table_ui;
mod ticks;
mod tip;
mod twin;
mod unit;
mod xy;

pub use axis::{Axis, Range, Scale};
pub use bars::{Bars, Direction, Group, Grouping, Series};
pub use diagram::{Diagram, DiagramBox, DiagramLine};
pub use figure::{Caption, Content, Figure};
pub use figure_ui::{Brush, FigureResponse, FigureView, Zoom, figure_ui};
pub use gantt::{Gantt, GanttBar, GanttKind, GanttRow};
pub use ink::{Dash, Ink, Symbol};
pub use paint::paint;
pub use parallel::{Parallel, ParallelAxis, ParallelLine};
pub use svg::svg;
pub use table::{Cell, Column, Row, Sort, Table};
pub use table_ui::{TableCommand, TableView, table_ui};
pub use twin::{csv, csv_of_table};
pub use unit::Unit;
pub use xy::{
    Along, Areas, Band, Columns, Diagonal, Layer, Limit, Line, Path, Point, Points, Xy, histogram,
};
