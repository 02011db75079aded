//! Figures that take longer than a frame to make: they are made on the worker when they are asked for.

use chart::Figure;
use egui::Ui;

use crate::command::Command;
use crate::layout::Pane;
use crate::state::State;
use crate::views::figure::{Form, forms_ui};
use crate::views::{timeline, topology};
use crate::worker::{Ask, Slot};

/// What is drawn by something else than a figure, and made to one for paper.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The rows of the timeline over its window.
    Timeline,
    /// The critical path in seconds by cause.
    Ledger,
    /// The graph of the cluster with the load of its links.
    Topology,
}

/// A figure that is still to be made.
pub type Make = Box<dyn FnOnce() -> Figure + Send>;

impl Subject {
    /// What it is called.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Timeline => Pane::Timeline.title(),
            Self::Ledger => Pane::Ledger.title(),
            Self::Topology => Pane::Topology.title(),
        }
    }

    /// How it is made of what is shown; none where nothing is.
    fn make(self, state: &State) -> Option<Make> {
        match self {
            Self::Timeline => timeline::figure(state),
            Self::Ledger => timeline::ledger_figure(state),
            Self::Topology => topology::figure(state),
        }
    }
}

/// The menu that exports a subject.
pub fn menu_ui(ui: &mut Ui, subject: Subject) -> Vec<Command> {
    forms_ui(ui, subject.title(), |form| Command::Draw(subject, form))
}

/// Makes a figure on the worker and brings it out.
pub fn draw(state: &mut State, subject: Subject, form: Form) {
    let Some(make) = subject.make(state) else {
        let text = format!("There is nothing to export of {}", subject.title());
        state.notices.warn(text);
        return;
    };
    state.asks.push(Ask::new(
        Slot::Export,
        format!("Drawing {}", subject.title()),
        move |_| form.command(&make()),
        State::apply,
    ));
}
