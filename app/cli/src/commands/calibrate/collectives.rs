//! Constants of collectives.

use serde_json::json;

use super::{threads, write};
use crate::args::FitArgs;
use crate::commands::Context;
use crate::exit::Exit;

/// Fits the constants of collectives, writes them, and prints their errors.
pub(super) fn fit(args: &FitArgs, context: &Context) -> Result<Exit, Exit> {
    context.note("fitting the constants of collectives takes some seconds");
    let tables: Vec<_> = args
        .extra
        .iter()
        .filter(|path| is_of_collectives(path))
        .cloned()
        .collect();
    let fitted = fit::collectives::fit(&args.data.join("collectives"), &tables, threads(context))
        .map_err(|error| {
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

/// Whether a table has the columns of nccl-tests; tables of runs have others.
fn is_of_collectives(path: &std::path::Path) -> bool {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let header = text.lines().next().unwrap_or_default();
    header.contains("busbw")
}
