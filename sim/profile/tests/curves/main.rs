//! The curves, as their callers see them.

mod closed_forms;
mod fixture;
mod properties;
mod shipped;
