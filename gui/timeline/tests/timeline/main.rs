//! The timeline as a person uses it: by accessible names, keys and the pointer.

mod figure;
mod fixtures;
mod groups;
mod pair;
mod panes;
mod stage;
mod time;
mod walk;
mod worker;
