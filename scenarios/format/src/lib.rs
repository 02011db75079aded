//! Scenario, cluster, model and profile files to values, with errors that show the line.

mod comm;
pub mod curves;
mod error;
pub mod fields;
mod files;
pub mod hardware;
pub mod kind;
mod layers;
mod library;
mod nearest;
mod reference;
pub mod shape;
mod source;
pub mod tree;
pub mod write;
mod zoo;

pub use error::{Failure, MAX_ERRORS, Problem};
pub use files::{Disk, Files, NoFiles, PROFILE_LIMIT, SCENARIO_FILE, SCENARIO_LIMIT, read_limited};
pub use layers::{Assignment, ENVIRONMENT_PREFIX, Layers, environment_name, from_environment};
pub use library::{At, Library, read_source};
pub use reference::{Named, is_path};
pub use source::{Place, Source};
pub use zoo::Shelf;
