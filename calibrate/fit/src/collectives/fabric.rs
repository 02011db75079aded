//! Constants of a fabric of the user's own, fitted to what nccl-tests printed on it.
//!
//! ```text
//! logs ──site──▶ rows: a kind, a shape of the user's cluster, bytes, µs
//!     ──knobs──▶ the shipped constants of the network that is most like it, times factors
//!     ──cross──▶ errors without each collective, each band of sizes, each number of nodes
//!     ──write──▶ a profile, which the cluster's file names as `collectives`
//! ```
//!
//! Every parameter is a factor on a shipped constant, with 1 as its prior: where a log says nothing,
//! the constant stays. Constants that choose algorithm and protocol are NCCL's and stay, too.

mod cross;
mod knobs;
mod model;
mod report;
mod site;
mod write;

use std::path::PathBuf;

use super::CollectivesError;
use super::log;
use crate::least_squares::Options;
use cross::Scheme;
use model::FabricModel;
use site::Site;

/// What a fit of one fabric answers.
#[derive(Clone, Debug, PartialEq)]
pub struct FabricFit {
    /// The name of its network, by which fabrics ask for it.
    pub network: String,
    /// What it is worth, as Markdown.
    pub report: String,
    /// The same in figures.
    pub errors: Vec<SchemeErrors>,
    /// The profile.
    pub file: String,
}

/// Median absolute relative errors of times with something left out of the fit.
#[derive(Clone, Debug, PartialEq)]
pub struct SchemeErrors {
    /// What was left out: `nothing`, `collective`, `size`, `nodes`.
    pub left_out: &'static str,
    /// The groups that were left out, one after the other.
    pub groups: Vec<String>,
    /// Rows and error below 1 MiB; `None` where there are none.
    pub small: Option<(usize, f64)>,
    /// The same from 1 MiB.
    pub large: Option<(usize, f64)>,
}

/// Fits the constants of the network of a cluster.
///
/// * `cluster` — a cluster file, or the name of a cluster of the zoo.
/// * `logs` — what nccl-tests printed on it.
///
/// # Errors
///
/// A cluster or a log that cannot be read, a log that is of something else or that says nothing.
pub fn fit_fabric(cluster: &str, logs: &[PathBuf]) -> Result<FabricFit, CollectivesError> {
    let site = Site::read(cluster)?;
    let mut measured = Vec::new();
    for path in logs {
        measured.extend(log::read_whole(path, &mut |table| site.check(table))?);
    }
    let (mut base, between) = site.base();
    let rows = site.rows(&measured, &base)?;
    let inside = rows.setups.first().map(|setup| setup.shape.scale_up);
    let inside = usize::from(inside.unwrap_or(0));
    knobs::prepare(&mut base, between);
    let knobs = knobs::knobs(&base, inside, rows.has_domains(), site.is_known());
    let model = FabricModel::new(&rows, &base, &knobs, [inside, between]);
    if !model.has_network_rows() {
        return Err(CollectivesError::Nothing {
            network: base.network[between].name.clone(),
            what: "no log has rows of collectives between nodes",
        });
    }
    let options = Options {
        noise: super::NOISE,
        steps: super::STEPS,
        settled: super::SETTLED,
        ..Options::default()
    };
    let known: Vec<_> = knobs.iter().map(|knob| knob.parameter.clone()).collect();
    let fit = model.fit(&known, &options);
    let errors = model.log_errors_of(&fit.values);
    let schemes: Vec<Scheme> = cross::schemes(&model, &known, &options);
    let comm = write::fitted(&model, &fit.values, &errors, &schemes, logs);
    Ok(FabricFit {
        network: base.network[between].name.clone(),
        report: report::text(&site, &model, (&comm, &fit), &errors, &schemes),
        errors: report::figures(&model, &errors, &schemes),
        file: write::text(&model, &comm, &site),
    })
}
