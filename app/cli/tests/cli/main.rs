//! The binary from outside, as people and programs meet it.

#![expect(
    clippy::unwrap_used,
    reason = "a command that cannot be run fails the test"
)]

mod baselines;
#[cfg(unix)]
mod bash;
mod calibrate;
mod collective;
mod command;
mod errors;
mod help;
mod launch;
mod links;
mod network;
mod placement;
mod plan;
mod run;
#[cfg(unix)]
mod screen;
mod table;
mod validate;
