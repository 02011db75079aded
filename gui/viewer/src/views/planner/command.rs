//! What a person can ask of the planner, and what it does.

use std::path::PathBuf;

use chart::Sort;
use session::{Engine, PlanField};

use super::{Chart, Property, Tab, work};
use crate::dialogs::Question;
use crate::state::{State, Then, Wish};

/// What a person can ask of it.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Searches.
    Search,
    /// The engine of the next search.
    Engine(Engine),
    /// Whether the next search keeps a field of the plan.
    Keep(PlanField, bool),
    /// Shows a part.
    Tab(Tab),
    /// Shows a chart over the table.
    Chart(Chart),
    /// What lies to the right.
    X(Property),
    /// What lies upward.
    Y(Property),
    /// What is let through of some properties; none for everything.
    Filter(Vec<(Property, Option<(f64, f64)>)>),
    /// Lets everything through.
    ClearFilters,
    /// Sorts the table.
    Sort(Sort),
    /// Selects a plan.
    Select(u64),
    /// Simulates a plan and compares it with the run that is shown.
    Simulate(u64),
    /// Simulates two plans and compares the second with the first.
    CompareTimelines([u64; 2]),
    /// Shows a plan beside another one.
    CompareWith(u64),
    /// Writes a plan into the scenario.
    Take(u64),
    /// Makes the launch files of a plan for a consumer.
    Launch(u64, &'static str),
    /// Reads a launch file.
    ReadFile(usize),
    /// Asks the desktop for a folder for the launch files.
    AskFolder,
    /// Where launch files go, while it is typed.
    TypeFolder(String),
    /// Writes the launch files into a folder, over what is there or not.
    SaveLaunch(PathBuf, session::Existing),
    /// Values that are asked for, while they are typed.
    TypeAsked(String),
    /// Asks why plans with the typed values are not the best.
    AskWhyNot,
}

/// Drags over a figure in a row are one entry of the view's past.
const BRUSH: u64 = 40;

/// Does what a command says.
pub fn apply(state: &mut State, command: Command) {
    match command {
        Command::Search => work::search(state),
        Command::Engine(engine) => {
            state.look(|view| engine.name().clone_into(&mut view.planner.engine));
        }
        Command::Keep(field, keeps) => state.look(|view| {
            let name = field.name().to_owned();
            if keeps {
                view.planner.kept.insert(name);
            } else {
                view.planner.kept.remove(&name);
            }
        }),
        Command::Tab(tab) => show(state, tab),
        Command::Chart(chart) => state.look(|view| view.planner.chart = chart),
        Command::X(property) => state.look(|view| view.planner.x = property),
        Command::Y(property) => state.look(|view| view.planner.y = property),
        Command::Filter(filters) => filter(state, filters),
        Command::ClearFilters => state.look(|view| view.planner.filters.clear()),
        Command::Sort(sort) => {
            state.look(|view| view.planner.sort = Some((sort.column, sort.descending)));
        }
        Command::Select(id) => state.look(|view| view.planner.selected = Some(id)),
        Command::Simulate(id) => work::simulate(state, id),
        Command::CompareTimelines(ids) => work::simulate_both(state, ids),
        Command::CompareWith(id) => state.look(|view| {
            view.planner.other = Some(id);
            view.planner.tab = Tab::Compare;
        }),
        Command::Take(id) => work::take(state, id),
        Command::Launch(id, consumer) => {
            state.look(|view| {
                view.planner.tab = Tab::Launch;
                view.planner.file = 0;
                consumer.clone_into(&mut view.planner.consumer);
            });
            work::launch(state, id, consumer);
        }
        Command::ReadFile(file) => state.look(|view| view.planner.file = file),
        Command::AskFolder => {
            let question = Question {
                title: "Folder of the launch files".to_owned(),
                wants_folder: true,
                ..Question::default()
            };
            state
                .wishes
                .push(Wish::Choose(question, Then::LaunchFolder));
        }
        Command::TypeFolder(text) => state.glance(|view| view.planner.folder = text),
        Command::SaveLaunch(folder, existing) => work::save_launch(state, folder, existing),
        Command::TypeAsked(text) => state.glance(|view| view.planner.asked = text),
        Command::AskWhyNot => work::why_not(state),
    }
}

fn show(state: &mut State, tab: Tab) {
    state.look(|view| view.planner.tab = tab);
    if tab == Tab::Launch && state.results.planner.launch.is_none() {
        let view = &state.view.now().planner;
        let id = view.selected.unwrap_or(0);
        let consumer = work::named_consumer(&view.consumer);
        work::launch(state, id, consumer.name());
    }
}

fn filter(state: &mut State, filters: Vec<(Property, Option<(f64, f64)>)>) {
    state.look_within(BRUSH, |view| {
        for (property, range) in filters {
            match range {
                Some(range) => view.planner.filters.insert(property, range),
                None => view.planner.filters.remove(&property),
            };
        }
    });
}
