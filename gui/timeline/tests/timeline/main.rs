//! The timeline as a person uses it: by accessible names, keys and the pointer.

mod fixtures;
mod panes;
mod stage;
mod time;
