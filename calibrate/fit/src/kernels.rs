//! Profiles of GPUs, fitted on tables of kernels that others measured.
//!
//! ```text
//! calibrate/data/kernels ──rows──▶ least squares over the profile's own formulas ──▶ *.toml
//! ```
//!
//! First SimuMax's two GPUs, which have forward and backward passes; then AIConfigurator's eight,
//! which take from those what inference does not run; then GPUs without a table, which keep the
//! A100's shares of the peaks. [`fit`] gives the same bytes whatever the number of threads: each
//! profile is fitted by one thread, and threads take profiles from one list.

mod attention;
mod catalog;
mod curve;
mod experts;
mod gemm;
mod knobs;
mod measured;
mod report;
mod scaled;
mod simumax;
mod stream;
mod systems;
mod write;

use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use cluster::GpuSpec;
use format::{Shelf, hardware, read_source};
use profile::{AttentionSpec, GemmSpec, ProfileSpec};

use catalog::{CARDS, SCALED, SIMUMAX};

pub use report::{Constant, FittedCurve, FittedProfile};

use crate::table::TableError;

/// Fits every profile of the zoo on the tables below a folder, in the order of their names.
///
/// * `data` — holds `kernels/`, such as `calibrate/data`.
///
/// # Errors
///
/// The first table that cannot be read.
///
/// # Panics
///
/// Never: the zoo has every GPU of the catalog, and forms keep their constants in range.
pub fn fit(data: &Path, threads: NonZeroUsize) -> Result<Vec<FittedProfile>, TableError> {
    let folder = data.join("kernels");
    let kin = systems::fit(&folder)?;
    let jobs = CARDS.len();
    let next = AtomicUsize::new(0);
    let slots: Vec<Mutex<Option<Result<FittedProfile, TableError>>>> =
        (0..jobs).map(|_| Mutex::new(None)).collect();
    std::thread::scope(|scope| {
        for _ in 0..threads.get().min(jobs) {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(card) = CARDS.get(at) else { break };
                    let fitted = measured::fit(&folder, card, &kin);
                    *slots[at].lock().expect("no thread panics with the lock") = Some(fitted);
                }
            });
        }
    });
    let mut profiles = Vec::new();
    for slot in slots {
        let fitted = slot.into_inner().expect("no thread panics with the lock");
        profiles.push(fitted.expect("every job was taken")?);
    }
    let a100 = profiles[0].spec.clone();
    profiles.extend(SCALED.iter().map(|card| scaled::of(card, &a100)));
    profiles.extend([kin.ampere.profile, kin.blackwell.profile]);
    profiles.sort_by(|a, b| a.spec.name.cmp(&b.spec.name));
    Ok(profiles)
}

/// The data sheet of a GPU of the zoo.
fn sheet(name: &str) -> GpuSpec {
    let source = Shelf::Gpus.open(name);
    let source = source.expect("the zoo has the GPUs of the catalog");
    read_source(&source, &hardware::gpu).expect("files of the zoo are in order")
}

/// A file that says nothing but curves: what a fit fills in.
fn template(gemm: Vec<GemmSpec>, attention: Vec<AttentionSpec>) -> ProfileSpec {
    ProfileSpec {
        schema: 1,
        name: String::new(),
        gpu: String::new(),
        relatives: Vec::new(),
        scaled_from: None,
        only_by_name: false,
        date: catalog::DATE.to_owned(),
        sustained: 1.0,
        launch_us: 1.0,
        gemm,
        attention,
        unfused: None,
        stream: None,
        scan: None,
        host: None,
        memory: None,
        interference: None,
    }
}

#[cfg(test)]
mod tests;
