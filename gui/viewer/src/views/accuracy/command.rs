//! What a person can ask of the accuracy view, and what it does.

use std::path::PathBuf;

use chart::Sort;

use super::{By, Shown, Tab, work};
use crate::dialogs::Question;
use crate::state::{State, Then, Wish};

/// What a person can ask of it.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Asks for a file with measured runs.
    AskRuns,
    /// Reads measured runs.
    Read(PathBuf),
    /// Reads the runs that come with the program.
    ReadShipped,
    /// What is compared.
    Show(Shown),
    /// By what runs are told apart.
    By(By),
    /// What the GPU's name has to contain.
    FilterGpu(String),
    /// What the source's name has to contain.
    FilterSource(String),
    /// Lets one group through, or everything again.
    FilterGroup(String),
    /// The table below.
    Tab(Tab),
    /// Sorts that table.
    Sort(Sort),
    /// Selects a run.
    Select(u64),
    /// Opens the scenario that a run became.
    OpenRow(u64),
}

impl Command {
    /// Whether a scenario takes the place of the one that is open.
    pub const fn opens(&self) -> bool {
        matches!(self, Self::OpenRow(_))
    }
}

/// Typing in a row is one entry of the view's past.
const TYPING: u64 = 41;

/// Does what a command says.
pub fn apply(state: &mut State, command: Command) {
    match command {
        Command::AskRuns => ask(state),
        Command::Read(path) => work::read(state, path),
        Command::ReadShipped => work::read_shipped(state),
        Command::Show(shown) => state.look(|view| {
            view.accuracy.shown = shown;
            view.accuracy.selected = None;
        }),
        Command::By(by) => state.look(|view| view.accuracy.by = by),
        Command::FilterGpu(text) => {
            state.look_within(TYPING, |view| view.accuracy.gpu = text);
        }
        Command::FilterSource(text) => {
            state.look_within(TYPING, |view| view.accuracy.source = text);
        }
        Command::FilterGroup(name) => filter_group(state, name),
        Command::Tab(tab) => state.look(|view| {
            view.accuracy.tab = tab;
            view.accuracy.sort = None;
        }),
        Command::Sort(sort) => {
            state.look(|view| view.accuracy.sort = Some((sort.column, sort.descending)));
        }
        Command::Select(id) => state.look(|view| view.accuracy.selected = Some(id)),
        Command::OpenRow(id) => work::open_row(state, id),
    }
}

fn ask(state: &mut State) {
    let question = Question {
        title: "Open measured runs".to_owned(),
        kinds: vec![("Measured runs", &["csv"]), ("All files", &["*"])],
        save_as: None,
        ..Question::default()
    };
    state.wishes.push(Wish::Choose(question, Then::Runs));
}

fn filter_group(state: &mut State, name: String) {
    state.look(|view| {
        let view = &mut view.accuracy;
        let text = match view.by {
            By::Gpu => &mut view.gpu,
            By::Source => &mut view.source,
            By::Framework => return,
        };
        *text = if *text == name { String::new() } else { name };
    });
}
