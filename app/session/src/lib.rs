//! Open, edit, predict, compare and export, in plain data: what front ends know of the rest.

mod open;
mod print;
mod save;

pub use format::{
    Assignment, ENVIRONMENT_PREFIX, Failure, Place, Problem, Shelf, Source, json_schema,
};
pub use open::{Opened, Request, STANDARD_INPUT, open};
pub use save::{Existing, SaveError, check, save};
