//! `windtunnel calibrate`: profiles and constants from measurements.

mod collectives;
mod extra;
mod fabric;
mod kernels;
mod peaks;
mod report;
mod scalars;

use std::io;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use session::{Existing, save};

use crate::args::{CalibrateArgs, CalibrateCommand, FitArgs, FitPart};
use crate::commands::{Context, refuse_save};
use crate::exit::Exit;

use report::Report;

/// Does what the command below `calibrate` says.
pub(crate) fn run(args: &CalibrateArgs, context: &Context) -> Exit {
    match &args.command {
        CalibrateCommand::Fit(args) => match fit_parts(args, context) {
            Ok(exit) | Err(exit) => exit,
        },
    }
}

/// Fits the parts asked for, one after the other; a fabric of the user's own by itself.
fn fit_parts(args: &FitArgs, context: &Context) -> Result<Exit, Exit> {
    if let Some(cluster) = &args.cluster {
        return fabric::fit(args, cluster, context);
    }
    let parts = if args.only.is_empty() {
        FitPart::ALL.to_vec()
    } else {
        args.only.clone()
    };
    let extra = extra::sort(&args.extra, &parts, context)?;
    let mut report = Report::of(args, &parts, context)?;
    for part in parts {
        let done = match part {
            FitPart::Kernels => kernels::fit(args, &mut report, context),
            FitPart::Collectives => {
                collectives::fit(args, &extra.collectives, &mut report, context)
            }
            FitPart::Runs => scalars::fit(args, &extra.runs, context),
            FitPart::Memory => peaks::fit(args, context),
        };
        match done {
            Ok(Exit::Done) => {}
            Ok(exit) | Err(exit) => return Err(exit),
        }
    }
    report.write(args, context)?;
    Ok(Exit::Done)
}

/// The folder for tables of what a fit is worth on rows that were left out: `fit` below what was
/// asked for. Where that renews the files that come with the program, it is `fit` beside the
/// tables, and none for a fit on tables that do not come with it.
fn worth(args: &FitArgs) -> Option<PathBuf> {
    let output = args.output.as_ref()?;
    let own = args.data.join("../../scenarios");
    let is_own = match (output.canonicalize(), own.canonicalize()) {
        (Ok(output), Ok(own)) => output == own,
        _ => false,
    };
    match (is_own, args.extra.is_empty()) {
        (false, _) => Some(output.join("fit")),
        (true, true) => Some(args.data.join("fit")),
        (true, false) => None,
    }
}

fn threads(context: &Context) -> NonZeroUsize {
    let asked = context.output.threads;
    let asked = asked.and_then(|n| NonZeroUsize::try_from(n).ok());
    asked
        .or_else(|| std::thread::available_parallelism().ok())
        .unwrap_or(NonZeroUsize::MIN)
}

/// Writes a file in place of one that is there: a fit is repeated to renew it.
fn write(path: &Path, text: &str, context: &Context) -> Result<(), Exit> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|error| {
            let text = format!("{} cannot be made: {error}", folder.display());
            let hint = "name a folder that you may write to with --output";
            context.error(&text, Some(hint));
            Exit::Failed
        })?;
    }
    save(path, Existing::Replace, |out| {
        io::Write::write_all(out, text.as_bytes())
    })
    .map_err(|error| refuse_save(&error, context))
}
