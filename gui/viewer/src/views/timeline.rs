//! The timeline with what is selected on it.

use eframe::egui_wgpu::RenderState;
use egui::{Context, Ui};

use crate::command::Command as Any;
use crate::layout::Layout;
use crate::state::State;

/// What a person can ask of it.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// The panes were moved.
    Layout(Layout),
    /// What the widget says.
    Widget(::timeline::TimelineCommand),
}

/// What is kept between frames.
#[derive(Debug, Default)]
pub struct Canvas {}

impl Canvas {
    /// Draws quads on a device.
    pub fn use_device(&mut self, _render: &RenderState) {}
}

/// Draws the timeline.
pub fn timeline_ui(ui: &mut Ui, _state: &State, _canvas: &mut Canvas) -> Vec<Any> {
    ui.label("timeline");
    Vec::new()
}

/// Draws what is selected.
pub fn details_ui(ui: &mut Ui, _state: &State) -> Vec<Any> {
    ui.label("details");
    Vec::new()
}

/// Draws the critical path in seconds by cause.
pub fn ledger_ui(ui: &mut Ui, _state: &State) -> Vec<Any> {
    ui.label("ledger");
    Vec::new()
}

/// Does what a command says.
pub fn apply(state: &mut State, command: Command) {
    match command {
        Command::Layout(layout) => state.look_within(1, |view| view.layout = layout),
        Command::Widget(_) => {}
    }
}

/// Moves the playhead while it plays.
pub fn advance(_state: &mut State, _ctx: &Context) {}
