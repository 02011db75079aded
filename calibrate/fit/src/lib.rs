//! From measured tables to curves and constants, each with its error.
//!
//! ```text
//! measured rows ──model with a few positive parameters──▶ ln(predicted / measured)
//!     ──robust least squares with priors──▶ values, their intervals, error on rows left out
//! ```
//!
//! Deliberately absent: any knowledge of how a prediction is used.

pub mod collectives;
pub mod kernels;
pub mod least_squares;
mod matrix;
pub mod scalars;
pub mod table;
