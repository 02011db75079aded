//! The timeline with what is selected on it.

mod bar;
mod play;

use std::sync::Arc;

use eframe::egui_wgpu::RenderState;
use egui::Ui;
use timeline::{Step, TimelineCommand};

use crate::command::Command as Any;
use crate::device::DeviceSink;
use crate::layout::Layout;
use crate::state::State;

pub use play::advance;

/// What a person can ask of it.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// The panes were moved.
    Layout(Layout),
    /// What the widget says.
    Widget(TimelineCommand),
}

/// What is kept between frames.
#[derive(Debug, Default)]
pub struct Canvas(timeline::Canvas);

impl Canvas {
    /// Draws quads on a device.
    pub fn use_device(&mut self, render: &RenderState) {
        self.0 = timeline::Canvas::new(Box::new(DeviceSink::new(render)), None);
    }
}

/// Draws the timeline.
pub fn timeline_ui(ui: &mut Ui, state: &State, canvas: &mut Canvas) -> Vec<Any> {
    let Some(run) = &state.results.current else {
        super::empty_ui(ui, "No run yet", "Run the scenario to see its timeline.");
        return Vec::new();
    };
    let view = &state.view.now().timeline;
    let mut commands = bar::bar_ui(ui, &run.timeline, view, state.playing);
    commands.extend(timeline::timeline_ui(
        ui,
        &run.timeline,
        view,
        &mut canvas.0,
    ));
    wrapped(commands)
}

fn wrapped(commands: Vec<TimelineCommand>) -> Vec<Any> {
    let wrap = |command| Any::Timeline(Command::Widget(command));
    commands.into_iter().map(wrap).collect()
}

/// Draws what is selected.
pub fn details_ui(ui: &mut Ui, _state: &State) -> Vec<Any> {
    super::empty_ui(ui, "Nothing is selected", "Click a span of the timeline.");
    Vec::new()
}

/// Draws the critical path in seconds by cause.
pub fn ledger_ui(ui: &mut Ui, _state: &State) -> Vec<Any> {
    super::empty_ui(ui, "No run yet", "Run the scenario.");
    Vec::new()
}

/// How an undo of views treats a command.
enum Entry {
    /// It is an entry.
    Own,
    /// Those in a row are one entry.
    Within(u64),
    /// It is none.
    None,
}

const fn entry(command: &TimelineCommand) -> Entry {
    use TimelineCommand as C;
    match command {
        C::Look(_) | C::Zoom { .. } | C::Pan(_) => Entry::Within(10),
        C::Scroll(_) | C::Playhead(_) | C::Search(_) | C::Filter(_) => Entry::None,
        C::RowHeight(_) => Entry::Within(11),
        _ => Entry::Own,
    }
}

/// Does what a command says.
pub fn apply(state: &mut State, command: Command) {
    let command = match command {
        Command::Layout(layout) => {
            state.look_within(1, |view| view.layout = layout);
            return;
        }
        Command::Widget(TimelineCommand::TogglePlay) => {
            state.playing = !state.playing && state.results.current.is_some();
            return;
        }
        Command::Widget(command) => command,
    };
    let Some(run) = state.results.current.as_ref().map(Arc::clone) else {
        return;
    };
    let change = |view: &mut crate::view::View| view.timeline.apply(&run.timeline, &command);
    match entry(&command) {
        Entry::Own => state.look(change),
        Entry::Within(gesture) => state.look_within(gesture, change),
        Entry::None => state.glance(change),
    }
}

/// A run has come: the first of a document is shown whole.
pub fn ran(state: &mut State) {
    let Some(run) = state.results.current.as_ref().map(Arc::clone) else {
        return;
    };
    let fresh = state.view.now().timeline.camera.span() == 0
        || state.view.now().timeline == timeline::TimelineView::default();
    if fresh {
        state.glance(|view| view.timeline = timeline::TimelineView::of(&run.timeline));
    }
}

const fn step(next: bool) -> Step {
    if next { Step::Next } else { Step::Previous }
}
