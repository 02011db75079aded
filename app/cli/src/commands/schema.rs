//! `windtunnel schema`: every field of a file, as JSON Schema.

use crate::args::SchemaArgs;
use crate::commands::Context;
use crate::exit::Exit;

/// Prints the JSON Schema of a kind of file.
pub(crate) fn run(args: &SchemaArgs, context: &Context) -> Exit {
    context.print(&format!("{:#}\n", args.file.layout().json_schema()))
}
