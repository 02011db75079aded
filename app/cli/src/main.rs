//! The command `windtunnel`.

mod args;
mod commands;
mod exit;
mod render;
mod terminal;
mod topics;
mod version;

use std::process::ExitCode;

fn main() -> ExitCode {
    commands::run().into()
}
