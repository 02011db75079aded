//! Figures and tables from the outside: on paper and in the window.
#![expect(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_lossless,
    clippy::format_push_string,
    reason = "figures of tests are made of small numbers, and a test that does not find something has failed"
)]

mod figures;
mod paper;
mod window;
