//! `windtunnel completions`: what a shell completes.

use clap::CommandFactory;

use crate::args::{Cli, CompletionArgs};
use crate::commands::Context;
use crate::exit::Exit;

/// Prints the completions of a shell.
pub(crate) fn run(args: &CompletionArgs, context: &Context) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "windtunnel", &mut script);
    context.print(&String::from_utf8_lossy(&script))
}
