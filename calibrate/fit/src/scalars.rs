//! Scalars of frameworks, GPUs and sites, fitted on measured runs.
//!
//! ```text
//! parameters.toml: which scalars are free, with physical priors
//! training_runs.csv ──runs──▶ scenarios without any fit ──scaled──▶ estimate ──▶ ln(predicted / measured)
//!       ──robust least squares──▶ values and intervals ──▶ scenarios/fitted/scales.toml
//!       ──leave a group out──▶ what the fit is worth on runs that it has not seen
//! ```

mod ablation;
mod cross;
mod groups;
mod model;
mod parameters;
mod rows;
mod run;
mod spread;
mod write;

pub use ablation::Ablation;
pub use cross::{LeftOut, leave_out};
pub use groups::{Membership, Source, memberships, source_of};
pub use model::Runs;
pub use parameters::{Free, ParametersFile, read_parameters};
pub use rows::{FitRow, load};
pub use run::{Fitted, fit_runs, load_all};
pub use spread::{Spread, coverage};
pub use write::{Files, errors, files};

use ablation::ablate;
