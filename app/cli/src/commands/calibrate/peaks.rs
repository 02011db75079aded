//! Constants of memory.

use memory::{
    MemoryError, constants_text, differences, fit_memory, left_out_csv, margin_toml, rows,
    summaries, summaries_text,
};
use runs::Table;
use serde_json::json;

use super::{worth, write};
use crate::args::FitArgs;
use crate::commands::Context;
use crate::exit::Exit;

/// The tables with measured peaks, in the folder of tables.
const TABLES: [&str; 2] = ["runs/training_runs.csv", "runs/megatron_ci_memory.csv"];

/// Fits the constants of memory and prints them with their errors. Framework files, which people
/// write, hold the constants; what left-out rows were off by goes into a file.
pub(super) fn fit(args: &FitArgs, context: &Context) -> Result<Exit, Exit> {
    context.note("fitting the constants of memory takes some seconds");
    let refuse = |error: MemoryError| {
        context.error(&error.to_string(), error.hint().as_deref());
        Exit::BadInput
    };
    let tables = TABLES.iter().map(|name| Table::read(&args.data.join(name)));
    let tables: Vec<Table> = tables
        .collect::<Result<_, _>>()
        .map_err(|error| refuse(MemoryError::from(error)))?;
    let rows = rows(&tables).map_err(refuse)?;
    let fitted = fit_memory(&rows);
    if let Some(folder) = worth(args) {
        let text = left_out_csv(&rows, &fitted);
        write(&folder.join("left_out_memory.csv"), &text, context)?;
    }
    if let Some(folder) = &args.output {
        let text = margin_toml(&rows, &fitted);
        write(&folder.join("fitted").join("memory.toml"), &text, context)?;
    }
    for difference in differences(&fitted) {
        context.note(&difference);
    }
    let constants = constants_text(&fitted);
    let errors = summaries_text(&summaries(&rows, &fitted));
    let text = if context.output.json {
        format!(
            "{:#}\n",
            json!({ "schema": 1, "constants": constants, "errors": errors })
        )
    } else {
        format!("{constants}\n{errors}\n")
    };
    Ok(context.print(&text))
}
