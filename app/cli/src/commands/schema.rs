//! `windtunnel schema`: every field of a scenario, as JSON Schema.

use crate::commands::Context;
use crate::exit::Exit;

/// Prints the JSON Schema of scenarios.
pub(crate) fn run(context: &Context) -> Exit {
    context.print(&format!("{:#}\n", session::json_schema()))
}
