//! What a fit of kernels hands back: files, and what is known of each curve.

use profile::ProfileSpec;

pub use super::curve::Constant;
use super::curve::{CrossValidated, Errors, Row};

/// A profile that was fitted, and its text.
#[derive(Clone, Debug, PartialEq)]
pub struct FittedProfile {
    /// The profile.
    pub spec: ProfileSpec,
    /// The file: comments, and the profile in TOML.
    pub text: String,
    /// Its curves, in the order of the file.
    pub curves: Vec<FittedCurve>,
}

/// A curve that was fitted.
#[derive(Clone, Debug, PartialEq)]
pub struct FittedCurve {
    /// What it is of.
    pub kernel: String,
    /// Rows that were fitted.
    pub rows: usize,
    /// Mean absolute relative error on them.
    pub mape: f64,
    /// The same on rows that were left out, by cross-validation.
    pub held_out: Option<f64>,
    /// Its constants.
    pub constants: Vec<Constant>,
    /// What the file says above it.
    pub note: Vec<String>,
}

impl FittedCurve {
    /// A curve with its errors on the rows that it was fitted on and on those left out, without a
    /// note.
    pub(super) fn new(
        kernel: String,
        rows: &[Row],
        errors: &Errors,
        checked: &CrossValidated,
        constants: Vec<Constant>,
    ) -> Self {
        Self {
            kernel,
            rows: rows.len(),
            mape: errors.mape(),
            held_out: Some(checked.all.mape()),
            constants,
            note: Vec::new(),
        }
    }
}
