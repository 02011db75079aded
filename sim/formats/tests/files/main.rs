//! Files: what is in them, and what happens when they are damaged.

mod chrome;
mod kineto;
mod perfetto;
mod pipeline;
mod wtt;
