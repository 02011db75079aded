//! The window: explore what the simulator and the planner found, change one thing, and see what it does.
//!
//! ```text
//!            ┌────────────── App ──────────────┐
//! egui ────▶ │ views: *_ui(&State) → commands  │ ──▶ State::apply ──▶ asks ──▶ Worker (threads)
//!            └─────────────────────────────────┘         ▲                        │
//!                                                        └──── outcomes ──────────┘
//! ```
//!
//! The state is plain data: a document with its history, a view with its own, results by scenario, and
//! messages. Views draw it and return commands; menus, palette, shortcuts and tests send the same
//! ones. Everything that is known of clusters and models comes from `session`.

pub mod app;
pub mod command;
pub mod device;
pub mod dialogs;
pub mod document;
pub mod export;
pub mod headless;
pub mod history;
pub mod keep;
pub mod layout;
pub mod notice;
pub mod options;
pub mod overlay;
pub mod palette;
pub mod results;
pub mod run;
pub mod shell;
pub mod start;
pub mod state;
pub mod view;
pub mod views;
pub mod worker;
