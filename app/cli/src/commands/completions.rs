//! `windtunnel completions`: what a shell completes.

use crate::args::CompletionArgs;
use crate::commands::Context;
use crate::complete::script;
use crate::exit::Exit;

/// Prints the script that a shell reads.
pub(crate) fn run(args: &CompletionArgs, context: &Context) -> Exit {
    match script(&args.shell.to_string()) {
        Ok(script) => context.print(&String::from_utf8_lossy(&script)),
        Err(error) => {
            context.error(&error.to_string(), None);
            Exit::Failed
        }
    }
}
