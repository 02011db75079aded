//! `windtunnel calibrate`: profiles and constants from measurements.

mod collectives;
mod kernels;
mod peaks;
mod scalars;

use std::io;
use std::num::NonZeroUsize;
use std::path::Path;

use session::{Existing, save};

use crate::args::{CalibrateArgs, CalibrateCommand, FitArgs, FitPart};
use crate::commands::{Context, refuse_save};
use crate::exit::Exit;

/// Does what the command below `calibrate` says.
pub(crate) fn run(args: &CalibrateArgs, context: &Context) -> Exit {
    match &args.command {
        CalibrateCommand::Fit(args) => fit_parts(args, context),
    }
}

/// Fits the parts asked for, one after the other.
fn fit_parts(args: &FitArgs, context: &Context) -> Exit {
    let parts = if args.only.is_empty() {
        FitPart::ALL.to_vec()
    } else {
        args.only.clone()
    };
    for part in parts {
        let done = match part {
            FitPart::Kernels => kernels::fit(args, context),
            FitPart::Collectives => collectives::fit(args, context),
            FitPart::Runs => scalars::fit(args, context),
            FitPart::Memory => peaks::fit(args, context),
        };
        match done {
            Ok(Exit::Done) => {}
            Ok(exit) | Err(exit) => return exit,
        }
    }
    Exit::Done
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
