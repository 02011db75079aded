//! Plans to launch files, and what other programs wrote to scenarios.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use format::{Failure, Problem, Source};
use launch::{Bundle, Consumer, ExportError, LaunchFile, Options};
use serde_json::Value;

use crate::open::{FileKind, Opened, Request, STANDARD_INPUT, open, open_source, read};
use crate::save::{Existing, SaveError, check, save};
use crate::simulate::Ready;
use crate::store::Store;

/// The key of a prediction that holds its scenario as TOML.
pub const SCENARIO_TOML: &str = "scenario_toml";
/// The key of a prediction that holds the folder from which its scenario names files.
pub const SCENARIO_BASE: &str = "scenario_base";

/// Reads the scenario of a plan: a scenario, a prediction as `simulate --json` prints it, or the
/// answer of `plan --json`.
///
/// * `rank` — which of its plans, from 0; the best where absent.
///
/// # Errors
///
/// Everything that is wrong with it.
pub fn open_plan(request: &Request, rank: Option<usize>) -> Result<Opened, Vec<Failure>> {
    let path = &request.scenario;
    let is_json = FileKind::of(path) == FileKind::Json;
    if path != Path::new(STANDARD_INPUT) && !is_json {
        return refuse_rank(rank).and_then(|()| open(request));
    }
    let source = read(path).map_err(|problem| vec![Failure::of_file(problem)])?;
    if !source.text.trim_start().starts_with('{') {
        let base = (Store::Disk, PathBuf::new());
        return refuse_rank(rank).and_then(|()| open_source("scenario", source, base, request));
    }
    of_prediction(&source, rank, request)
}

/// A single scenario has no ranks to choose from.
fn refuse_rank(rank: Option<usize>) -> Result<(), Vec<Failure>> {
    match rank {
        None | Some(0) => Ok(()),
        Some(rank) => Err(refused(
            format!("plan {rank} is asked for, but a scenario has one plan"),
            "`--rank` chooses among the plans of `windtunnel plan --json`",
        )),
    }
}

fn refused(message: String, hint: &str) -> Vec<Failure> {
    vec![Failure::of_file(Problem::Refused {
        message,
        hint: Some(hint.to_owned()),
    })]
}

fn of_prediction(
    source: &Arc<Source>,
    rank: Option<usize>,
    request: &Request,
) -> Result<Opened, Vec<Failure>> {
    let name = &source.name;
    let document: Value = serde_json::from_str(&source.text).map_err(|error| {
        refused(
            format!("{name} is no JSON: {error}"),
            "give what `windtunnel plan --json` or `simulate --json` prints",
        )
    })?;
    let prediction = chosen(&document, rank, name)?;
    let text = |key: &str| prediction.get(key).and_then(Value::as_str);
    let Some(toml) = text(SCENARIO_TOML) else {
        return Err(refused(
            format!("{name} has no `{SCENARIO_TOML}`"),
            "give what this version of `windtunnel plan --json` or `simulate --json` prints",
        ));
    };
    let base = PathBuf::from(text(SCENARIO_BASE).unwrap_or_default());
    let own = Source::new(format!("{name}, {SCENARIO_TOML}"), toml);
    // Environment and settings were laid over the scenario when it was predicted.
    let above = Request {
        environment: Vec::new(),
        settings: None,
        ..request.clone()
    };
    open_source(
        text("scenario").unwrap_or("plan"),
        own,
        (Store::Disk, base),
        &above,
    )
}

/// The prediction that is asked for.
fn chosen<'d>(
    document: &'d Value,
    rank: Option<usize>,
    name: &str,
) -> Result<&'d Value, Vec<Failure>> {
    let Some(plans) = document.get("plans").and_then(Value::as_array) else {
        return refuse_rank(rank).map(|()| document);
    };
    let best = document.get("best").and_then(Value::as_u64);
    let best = best
        .and_then(|best| usize::try_from(best).ok())
        .unwrap_or(0);
    let rank = rank.unwrap_or(best);
    plans.get(rank).ok_or_else(|| {
        refused(
            format!("{name} has {} plans, no plan {rank}", plans.len()),
            "plans count from 0",
        )
    })
}

/// The files that start a scenario.
///
/// * `version` — of the consumer; the newest known where absent.
///
/// # Errors
///
/// What of the plan the consumer has no way to say.
pub fn export(
    opened: &Opened,
    ready: &Ready,
    to: Consumer,
    version: Option<String>,
) -> Result<Bundle, ExportError> {
    let nccl = &opened.spec.nccl;
    let options = Options {
        version,
        channels: nccl.channels,
        qps: nccl.qps,
    };
    launch::export(&ready.scenario, to, &options)
}

/// Writes the files of a bundle into a folder, which is made where it is missing: all of them or,
/// where another file of one of the names is there already, none. A file that is there with the
/// same text stays.
///
/// # Errors
///
/// Where a file is there already and may not be replaced, or cannot be written.
pub fn save_bundle(folder: &Path, existing: Existing, bundle: &Bundle) -> Result<(), SaveError> {
    let unwritable = |source| SaveError::Unwritable {
        path: folder.to_owned(),
        source,
    };
    std::fs::create_dir_all(folder).map_err(unwritable)?;
    let changed: Vec<&LaunchFile> = bundle
        .files
        .iter()
        .filter(|file| !is_there(&folder.join(file.name), file))
        .collect();
    for file in &changed {
        check(&folder.join(file.name), existing)?;
    }
    for file in changed {
        let path = folder.join(file.name);
        save(&path, existing, |out| out.write_all(file.text.as_bytes()))?;
        make_runnable(&path, file).map_err(|source| SaveError::Unwritable { path, source })?;
    }
    Ok(())
}

fn is_there(path: &Path, file: &LaunchFile) -> bool {
    std::fs::read(path).is_ok_and(|text| text == file.text.as_bytes())
}

#[cfg(unix)]
fn make_runnable(path: &Path, file: &LaunchFile) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    if !file.is_script() {
        return Ok(());
    }
    let mut permissions = std::fs::metadata(path)?.permissions();
    // Whoever may read a script may run it.
    let mode = permissions.mode();
    permissions.set_mode(mode | (mode & 0o444) >> 2);
    std::fs::set_permissions(path, permissions)
}

#[cfg(not(unix))]
fn make_runnable(_: &Path, _: &LaunchFile) -> io::Result<()> {
    Ok(())
}
