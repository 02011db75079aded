//! Constants of collectives.

use std::path::PathBuf;

use serde_json::json;

use super::report::Report;
use super::{threads, write};
use crate::args::FitArgs;
use crate::commands::Context;
use crate::exit::Exit;

/// Fits the constants of collectives, writes them, and prints their errors.
pub(super) fn fit(
    args: &FitArgs,
    extra: &[PathBuf],
    report: &mut Report,
    context: &Context,
) -> Result<Exit, Exit> {
    context.note("fitting the constants of collectives takes some seconds");
    let folder = args.data.join("collectives");
    let fitted = fit::collectives::fit(&folder, extra, threads(context)).map_err(|error| {
        context.error(&error.to_string(), error.hint().as_deref());
        Exit::BadInput
    })?;
    if let Some(folder) = &args.output {
        write(
            &folder.join("profiles/collectives.toml"),
            &fitted.file,
            context,
        )?;
    }
    report.collectives(&fitted);
    let text = if context.output.json {
        format!(
            "{:#}\n",
            json!({ "schema": 1, "report": fitted.report(), "file": fitted.file })
        )
    } else {
        fitted.report()
    };
    Ok(context.print(&text))
}
