//! The application as a person uses it, through accessible names.
#![expect(
    clippy::unwrap_used,
    reason = "a test that does not find what it looks for has failed"
)]

mod accuracy;
mod common;
mod export;
mod memory;
mod planner;
mod scenario;
mod timeline;
mod topology;
mod what_if;
mod window;
