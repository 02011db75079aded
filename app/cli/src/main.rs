//! The command `windtunnel`.

mod args;
mod commands;
mod complete;
mod exit;
mod link_report;
mod network_explanation;
mod number;
mod pager;
mod placement;
mod plan_baselines;
mod plan_report;
mod plan_table;
mod render;
mod report;
mod table;
mod terminal;
mod topics;
mod validation;
mod version;

use std::process::ExitCode;

fn main() -> ExitCode {
    commands::command().into()
}
