//! Whole texts, read and checked as far as that goes without other files. Tests and fuzzers call
//! these with every kind of nonsense.

use std::path::Path;

use cluster::Cluster;
use workload::Model;

use crate::curves::read_profile;
use crate::error::{Failure, Problem};
use crate::files::NoFiles;
use crate::hardware;
use crate::layers::Layers;
use crate::library::{At, Library, read_source};
use crate::resolve::{Resolved, read_whole_scenario, resolve};
use crate::source::{Place, Source};
use crate::tree::parse;

/// A library of the zoo alone.
fn zoo() -> Library<'static> {
    Library {
        files: &NoFiles,
        base: Path::new(""),
    }
}

/// Reads a scenario and looks up everything that it names in the zoo.
///
/// # Errors
///
/// Everything that is wrong with it.
pub fn scenario(text: &str) -> Result<Resolved, Vec<Failure>> {
    let document = Layers::of(Source::new("scenario.toml", text)).join()?;
    let library = zoo();
    let spec = read_whole_scenario(&document, &library)?;
    resolve("scenario", &spec, &document, &library)
}

/// Reads a cluster file and builds the cluster.
///
/// # Errors
///
/// Everything that is wrong with it.
pub fn cluster(text: &str) -> Result<Cluster, Vec<Failure>> {
    let source = Source::new("cluster.toml", text);
    let file = read_source(&source, &hardware::cluster)?;
    let document = parse(&source)?;
    let at = |field: &str| At {
        field: field.to_owned(),
        place: document
            .place(field)
            .or_else(|| Some(Place::new(&source, 0..0))),
    };
    let spec = zoo().complete(&file, &at)?;
    let refused = |error: &cluster::ClusterError| {
        at(&error.field()).failure(Problem::Refused {
            message: error.to_string(),
            hint: error.hint(),
        })
    };
    Cluster::build(&spec).map_err(|errors| errors.iter().map(refused).collect())
}

/// Reads a GPU, a node or a fabric, whichever the text describes best: it is enough that one of
/// the three takes it.
///
/// # Errors
///
/// What the kind with the fewest errors finds wrong.
pub fn hardware(text: &str) -> Result<(), Vec<Failure>> {
    let source = Source::new("hardware.toml", text);
    let tries = [
        read_source(&source, &hardware::gpu).map(drop),
        read_source(&source, &hardware::node).map(drop),
        read_source(&source, &hardware::fabric).map(drop),
    ];
    let errors = |read: &Result<(), Vec<Failure>>| read.as_ref().map_or_else(Vec::len, |()| 0);
    tries.into_iter().min_by_key(errors).unwrap_or(Ok(()))
}

/// Reads a profile file.
///
/// # Errors
///
/// Everything that is wrong with it.
pub fn profile(text: &str) -> Result<(), Vec<Failure>> {
    read_profile(&Source::new("profile.toml", text)).map(drop)
}

/// Reads a `config.json`.
///
/// # Errors
///
/// What is wrong with it.
pub fn config(text: &str) -> Result<Model, workload::ModelError> {
    Model::from_config_json(text)
}
