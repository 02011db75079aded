//! Peaks and levels of memory.

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
    /// Nothing yet.
    Nothing,
}

/// What came of its work.
#[derive(Clone, Debug, Default)]
pub struct Found {}

/// Draws it.
pub fn memory_ui(ui: &mut Ui, _state: &State) -> Vec<Any> {
    ui.label("memory");
    Vec::new()
}

/// Does what a command says.
pub fn apply(_state: &mut State, command: Command) {
    match command {
        Command::Nothing => {}
    }
}

/// A run has come.
pub fn ran(_state: &mut State) {}
