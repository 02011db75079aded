//! From operators and a plan to the task graph.
//!
//! ```text
//! job x plan ──book──▶ pieces: operators of embedding, each kind of layer, head    (built once)
//!      pieces ──chunk──▶ blocks: forward, backward, its two halves                 (per stage)
//!    schedule ──program──▶ blocks and the list of fragments                        (per device)
//!     classes ──binding──▶ lanes, groups, channels, prices                         (per class)
//!     cluster ──fabric──▶ paths of everything that leaves a scale-up domain        (folded)
//! ```
//!
//! Everything that costs time is priced here, from one profile, once: the engines and the closed
//! form read the same blocks. Deliberately absent: any decision of the plan, and any event.

mod axes;
mod binding;
mod book;
mod chunk;
mod data_parallel;
mod fabric;
mod framework;
mod lowering;
mod piece;
mod pricing;
mod program;
mod sheet;
mod slots;
mod writer;

pub use binding::{Binding, Price, Route};
pub use book::{Book, book, build_piece};
pub use chunk::Hop;
pub use data_parallel::{DataParallel, Flow, Stage};
pub use fabric::Fabric;
pub use framework::{Framework, NEUTRAL, framework, framework_names};
pub use lowering::{Inputs, LowerOptions, Lowered, lower};
pub use piece::{Piece, PieceKind};
pub use pricing::Prices;
pub use sheet::{
    AXIS_SLOTS, LonePass, PassKind, axis_slot, boundary, data_flows, lone_ops, lone_pass,
};
pub use slots::SlotGroup;
pub use writer::Worth;
