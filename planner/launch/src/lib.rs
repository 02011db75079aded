//! Plans to the files that start them, and such files back to scenarios.
//!
//! ```text
//! Scenario --export(consumer)--> Bundle: files with names, modes and texts; warnings
//! text ----import(producer)----> Imported: a scenario as TOML, notes, what was ignored
//! Plan ----plan_table----------> [plan] with every field given
//! ```
//!
//! Everything is a function from values to values: nothing is written or run here. What a
//! consumer cannot express is refused, or stands as a warning in the bundle and as a comment in
//! its files; it is never dropped silently.
//!
//! Invariant: no text of a scenario becomes shell code. Texts reach a script through
//! [`shell::word`] or, in comments, through [`shell::comment`].
//!
//! Deliberately absent: choosing a plan (`search`), and the sections of a scenario (`format`).

mod bundle;
mod complete;
mod document;
mod error;
pub mod export;
pub mod import;
mod places;
mod shape;
pub mod shell;

pub use bundle::{Bundle, LaunchFile, Mode};
pub use complete::plan_table;
pub use error::{ExportError, ImportError};
pub use export::{Consumer, Options, export, nccl_algorithm, nccl_protocol};

pub use import::{Beside, Imported, Producer, import, import_beside};
pub use places::{NodePlace, Places, Run};
