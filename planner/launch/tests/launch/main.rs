//! Launch files as their readers meet them.

#![expect(
    clippy::unwrap_used,
    reason = "an export that fails, or a tool that cannot be run, fails the test"
)]

mod deepspeed;
mod files;
mod fixtures;
mod hostile;
mod identity;
mod imports;
mod jobs;
mod megatron;
mod nemo;
mod refusals;
mod shellcheck;
mod torchtitan;
