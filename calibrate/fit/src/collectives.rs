//! Constants of collectives, fitted to tables of nccl-tests.
//!
//! ```text
//! tables ──places──▶ rows: a kind, a shape of a cluster of the zoo, bytes, µs
//!     ──model──▶ constants of NVLink generations and networks, with their errors
//!     ──file──▶ scenarios/profiles/collectives.toml
//! ```
//!
//! NCCL's own constants choose the algorithm and the protocol of every row; what is fitted is how
//! long each takes ([`profile::InsideReached`], [`profile::BetweenReached`]). Beside them a
//! campaign whose launches are slower than its collectives has one number of its own, which
//! describes how it measured and goes into no file.
//!
//! Most tables between nodes are of all-reduces on two nodes. Other kinds and more nodes follow from
//! the form, and the file says for each entry what was measured.

mod cross;
mod error;
mod fabric;
mod file;
mod flow;
mod log;
mod model;
mod parameters;
mod places;
mod report;
mod rows;
mod tables;

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use profile::CommProfile;

pub use error::{CollectivesError, LogFault};
pub use fabric::{FabricFit, SchemeErrors, fit_fabric};
pub use log::is_log;
pub use tables::COLUMNS;

use crate::least_squares::{self, Options};
use model::CommModel;
use rows::Rows;

/// What a fit answers.
#[derive(Clone, Debug, PartialEq)]
pub struct Fitted {
    /// Errors by class and by table, as Markdown.
    pub errors: String,
    /// The constants with their intervals, as Markdown.
    pub constants: String,
    /// The file: a profile with `[comm]`.
    pub file: String,
    /// NCCL's constants with the fitted ones in front.
    pub comm: CommProfile,
}

impl Fitted {
    /// The report, for people.
    pub fn report(&self) -> String {
        format!("# Collectives\n\n{}{}", self.errors, self.constants)
    }
}

/// Noise that is expected of a row: repeats of one size in one campaign differ by 6 % in the median
/// (AIConfigurator's H100 and H200 tables).
const NOISE: f64 = 0.06;

/// Steps at the most, and the share of the cost by which the last one lowered it: some thousand
/// rows of NVLink stand beside a few dozen of a network, whose constants have to settle as well.
const STEPS: u32 = 100;
const SETTLED: f64 = 1e-7;

/// Fits every constant to the tables of a folder, and leaves out one table after the other.
///
/// * `folder` — `calibrate/data/collectives`.
/// * `extra` — files of the same columns or logs of nccl-tests, compared but never fitted.
///
/// # Errors
///
/// A file that cannot be read, or a row in it that makes no sense.
pub fn fit(
    folder: &Path,
    extra: &[PathBuf],
    threads: NonZeroUsize,
) -> Result<Fitted, CollectivesError> {
    let base = CommProfile::nccl();
    let rows = Rows::read(folder, extra, &base)?;
    let knobs = parameters::knobs(&base, &rows.campaigns);
    let model = CommModel::new(&rows, &base, &knobs);
    let options = Options {
        noise: NOISE,
        steps: STEPS,
        settled: SETTLED,
        ..Options::default()
    };
    let known: Vec<_> = knobs.iter().map(|knob| knob.parameter.clone()).collect();
    let fit = least_squares::fit(&model, &known, &options);
    let whole = (&fit.values[..], &options);
    let tables = cross::tables(&model);
    let without_tables = cross::without_each(&model, &known, whole, threads, &tables);
    let bands = cross::bands(&model);
    let without_bands = cross::without_each(&model, &known, whole, threads, &bands);
    let all: Vec<usize> = (0..rows.sizes.len()).collect();
    let closed = |values: &[f64], rows: &[usize]| model.log_errors_of(values, rows);
    let flow = |values: &[f64], rows: &[usize]| flow::log_errors(&model, values, rows);
    let errors = cross::Errors {
        fitted: closed(&fit.values, &all),
        held_out: cross::errors_by(&model, &tables, &without_tables, closed),
        band_out: cross::errors_by(&model, &bands, &without_bands, closed),
        flow: [
            flow(&fit.values, &all),
            cross::errors_by(&model, &tables, &without_tables, flow),
        ],
    };
    let comm = file::profile(&model, &fit.values, &errors);
    Ok(Fitted {
        errors: report::errors(&model, &errors),
        constants: report::constants(&model, &fit),
        file: file::text(&comm),
        comm,
    })
}
