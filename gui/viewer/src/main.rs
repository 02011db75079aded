//! The program `windtunnel-gui`, which `windtunnel gui` starts.

use std::process::ExitCode;

use clap::Parser as _;
use viewer::options::Options;
use viewer::start;

fn main() -> ExitCode {
    match start::run(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            if let Some(hint) = error.hint() {
                eprintln!("hint: {hint}");
            }
            ExitCode::from(error.status())
        }
    }
}
