//! Predicted beside measured runs.

use egui::Ui;
use serde::{Deserialize, Serialize};

use crate::command::Command as Any;
use crate::state::State;

/// How it is looked at.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct View {}

/// What a person can ask of it.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Reads measured runs.
    Read(std::path::PathBuf),
    /// Reads the runs that come with the program.
    ReadShipped,
}

/// What came of its work.
#[derive(Clone, Debug, Default)]
pub struct Found {}

/// Draws it.
pub fn accuracy_ui(ui: &mut Ui, _state: &State) -> Vec<Any> {
    ui.label("accuracy");
    Vec::new()
}

/// Does what a command says.
pub fn apply(_state: &mut State, command: Command) {
    match command {
        Command::Read(_) | Command::ReadShipped => {}
    }
}

/// A run has come.
pub fn ran(_state: &mut State) {}
