//! The search for plans: what was found, what binds it, what was excluded, and what starts it.
//!
//! ```text
//! Search ──▶ Live (while it goes on) ──▶ Searched ── rows ──┬── scatter ──────────┐
//!                                                           ├── parallel axes ────┤ one selection,
//!                                                           └── table ────────────┘ one filter
//! ```

mod card;
mod command;
mod compare;
mod excluded;
mod fields;
mod figures;
mod head;
mod launch;
mod network;
mod plans;
mod property;
mod row;
mod search;
mod table;
mod taken;
mod work;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use egui::Ui;
use serde::{Deserialize, Serialize};
use session::{Bundle, Engine, WhyNot};
use units::Control;

use crate::command::Command as Any;
use crate::state::State;

pub use command::{Command, apply};
pub use property::Property;
pub use row::{Basis, PlanRow};
pub use search::{Answer, Live, Question, Searched, search};
pub use taken::taken;

/// A part of the view.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tab {
    /// What was found.
    #[default]
    Plans,
    /// Two plans beside each other.
    Compare,
    /// What was excluded, and why.
    WhyNot,
    /// The files that start a plan.
    Launch,
}

impl Tab {
    /// Every tab.
    pub const ALL: [Self; 4] = [Self::Plans, Self::Compare, Self::WhyNot, Self::Launch];

    /// What it says.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Plans => "Plans",
            Self::Compare => "Compare plans",
            Self::WhyNot => "Why not",
            Self::Launch => "Launch files",
        }
    }
}

/// The chart over the table, where there is room for one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Chart {
    /// One property against another.
    #[default]
    Scatter,
    /// Parallel axes.
    Parallel,
}

impl Chart {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Scatter, Self::Parallel];

    /// What it is called.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Scatter => "Scatter",
            Self::Parallel => "Parallel axes",
        }
    }
}

/// How it is looked at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct View {
    /// The part that is shown.
    pub tab: Tab,
    /// The chart over the table, where there is room for one.
    pub chart: Chart,
    /// The engine of the search, by name; anything else is the usual one.
    pub engine: String,
    /// Fields of the plan that the search keeps, by name.
    pub kept: BTreeSet<String>,
    /// To the right on the scatter.
    pub x: Property,
    /// Upward on the scatter.
    pub y: Property,
    /// What is let through, in base units.
    pub filters: BTreeMap<Property, (f64, f64)>,
    /// The column by which the table is sorted, and whether the largest comes first.
    pub sort: Option<(usize, bool)>,
    /// The plan that is selected.
    pub selected: Option<u64>,
    /// The plan that it is compared with.
    pub other: Option<u64>,
    /// Who reads the launch files, by name; anything else is the first.
    pub consumer: String,
    /// The launch file that is read.
    pub file: usize,
    /// Where launch files go, as it was typed.
    pub folder: String,
    /// Values of a plan that is asked for, as they were typed.
    pub asked: String,
}

impl Default for View {
    fn default() -> Self {
        Self {
            tab: Tab::default(),
            chart: Chart::default(),
            engine: String::new(),
            kept: BTreeSet::new(),
            x: Property::Time,
            y: Property::Memory,
            filters: BTreeMap::new(),
            sort: None,
            selected: None,
            other: None,
            consumer: String::new(),
            file: 0,
            folder: String::new(),
            asked: String::new(),
        }
    }
}

impl View {
    /// The engine of the search.
    pub fn engine(&self) -> Engine {
        let mut known = Engine::ALL.into_iter();
        known
            .find(|engine| engine.name() == self.engine)
            .unwrap_or(Engine::Analytic)
    }
}

/// The files that start a plan.
#[derive(Clone, Debug)]
pub struct Launch {
    /// The plan.
    pub plan: u64,
    /// Who reads them, by name.
    pub consumer: &'static str,
    /// The files, or why there are none.
    pub result: Result<Bundle, String>,
}

/// Why plans with some values are not the best.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The values, as they were typed.
    pub values: String,
    /// What became of them.
    pub answer: WhyNot,
}

/// What came of its work.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// What was found, and for what.
    pub searched: Option<Arc<Searched>>,
    /// What a search has found that goes on.
    pub live: Option<Arc<Mutex<Live>>>,
    /// To see how far it is, and whether it was stopped.
    pub searching: Option<Arc<Control>>,
    /// Why not.
    pub asked: Option<Arc<Asked>>,
    /// Launch files.
    pub launch: Option<Arc<Launch>>,
}

/// Draws it.
pub fn planner_ui(ui: &mut Ui, state: &State) -> Vec<Any> {
    if state.document.is_none() {
        super::empty_ui(
            ui,
            "No scenario to plan",
            if state.results.current.is_some() {
                "Open a scenario: a timeline alone says nothing about other plans."
            } else {
                "Open a scenario to search its plans."
            },
        );
        return Vec::new();
    }
    let margin = egui::Margin::symmetric(4, 0);
    let frame = egui::Frame::new().inner_margin(margin);
    frame.show(ui, |ui| planned_ui(ui, state)).inner
}

fn planned_ui(ui: &mut Ui, state: &State) -> Vec<Any> {
    let mut commands = head::head_ui(ui, state);
    let found = &state.results.planner;
    match (&found.live, &found.searched) {
        (Some(live), _) => commands.extend(head::live_ui(ui, state, live)),
        (None, None) => super::empty_ui(
            ui,
            "No search yet",
            "Search plans to see which parallel configuration is fastest and fits.",
        ),
        (None, Some(searched)) => commands.extend(found_ui(ui, state, searched)),
    }
    commands
}

fn found_ui(ui: &mut Ui, state: &State, searched: &Arc<Searched>) -> Vec<Any> {
    match &searched.answer {
        Answer::Network(plans) => network::network_ui(ui, state, plans),
        Answer::Nothing(nothing) => excluded::nothing_ui(ui, nothing),
        Answer::Plans(planned) => {
            let mut commands = head::tabs_ui(ui, state, searched);
            commands.extend(match state.view.now().planner.tab {
                Tab::Plans => plans::plans_ui(ui, state, searched, planned),
                Tab::Compare => compare::compare_ui(ui, state, searched, planned),
                Tab::WhyNot => excluded::why_not_ui(ui, state, planned),
                Tab::Launch => launch::launch_ui(ui, state, searched),
            });
            commands
        }
    }
}

/// A command of this view as one of the window.
fn wrapped(command: Command) -> Any {
    Any::Planner(command)
}
