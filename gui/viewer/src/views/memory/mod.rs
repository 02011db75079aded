//! Peaks and levels of memory, and what would make a plan fit.

mod class;
mod compared;
mod figures;
mod levels;
mod numbers;
mod remedies;

use std::sync::Arc;

use chart::{Figure, FigureView, figure_ui};
use egui::{RichText, ScrollArea, Ui};
use look::{Theme, space, told_ui};
use serde::{Deserialize, Serialize};
use session::{Draft, Failure, MemoryRemedies, MemoryRemedy, memory_remedies};
use units::SimTime;

use crate::command::Command as Any;
use crate::run::{Answer, Run};
use crate::state::{Standing, State};
use crate::views::figure::figure_menu_ui;
use crate::views::kept::{Same, kept};
use crate::worker::{Ask, Slot};

pub use class::{Class, classes};
pub use levels::Levels;

/// How it is looked at.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct View {
    /// The selected class, by its lowest rank; none for the fullest.
    pub class: Option<u32>,
}

/// What a person can ask of it.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Find levels and remedies, unless they are there.
    Prepare,
    /// Look at a class, by its lowest rank.
    Select(u32),
    /// Move the playhead.
    Playhead(SimTime),
    /// Try changes again that were given up.
    Retry,
    /// Write a remedy into the scenario.
    Try(Box<MemoryRemedy>),
}

/// The remedies of a scenario.
#[derive(Clone, Debug, Default)]
pub enum Remedies {
    /// Nobody asked.
    #[default]
    None,
    /// They are being tried.
    Going(Draft),
    /// They were given up, since the work was stopped or broke.
    Missing(Draft),
    /// They are there.
    Done(Draft, MemoryRemedies),
}

impl Remedies {
    const fn draft(&self) -> Option<&Draft> {
        match self {
            Self::None => None,
            Self::Going(draft) | Self::Missing(draft) | Self::Done(draft, _) => Some(draft),
        }
    }
}

/// What came of its work.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// What would save memory.
    pub remedies: Remedies,
    /// Levels over time of a class of a run.
    levels: Option<(Arc<Run>, u32, Arc<Levels>)>,
    asked: Option<(Arc<Run>, u32)>,
}

impl Found {
    /// The levels of a class, where they are there.
    pub fn levels(&self, run: &Arc<Run>, first_rank: u32) -> Option<&Arc<Levels>> {
        let (of, rank, levels) = self.levels.as_ref()?;
        (Arc::ptr_eq(of, run) && *rank == first_rank).then_some(levels)
    }
}

/// The class with the highest peak.
pub fn fullest(classes: &[Class]) -> Option<&Class> {
    // The first of equals.
    classes
        .iter()
        .rev()
        .max_by(|a, b| a.peak().total_cmp(&b.peak()))
}

/// The class that is looked at.
fn selected<'a>(classes: &'a [Class], view: &View) -> Option<&'a Class> {
    let chosen = classes
        .iter()
        .find(|class| Some(class.first_rank) == view.class);
    chosen.or_else(|| fullest(classes))
}

/// Draws it.
pub fn memory_ui(ui: &mut Ui, state: &State) -> Vec<Any> {
    let Some(run) = &state.results.current else {
        super::empty_ui(ui, "No run yet", "Run the scenario to see its memory.");
        return Vec::new();
    };
    let classes = kept_classes(ui, run, "classes of the run");
    let Some(class) = selected(&classes, &state.view.now().memory) else {
        let advice = match run.answer {
            Answer::Traffic { .. } => "A network workload uses no memory of GPUs.",
            Answer::File { .. } => "The file tells nothing of memory.",
            Answer::Training { .. } => "The run tells nothing of memory.",
        };
        super::empty_ui(ui, "No memory to show", advice);
        return Vec::new();
    };
    let mut commands = Vec::new();
    if needs(state, run, class) {
        commands.push(Any::Memory(Command::Prepare));
    }
    let frame = egui::Frame::new().inner_margin(egui::Margin::same(10));
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        frame.show(ui, |ui| {
            numbers_ui(ui, state, run);
            let fits = run.prediction().is_none_or(|prediction| prediction.fits);
            if !fits {
                // What would help comes before what is wrong in detail.
                commands.extend(remedies_ui(ui, state, run));
                ui.add_space(space::MEDIUM);
            }
            commands.extend(peaks_ui(ui, run, &classes, class));
            base_ui(ui, state, class);
            ui.add_space(space::MEDIUM);
            commands.extend(levels_ui(ui, state, run, class));
            ui.add_space(space::MEDIUM);
            if fits {
                commands.extend(remedies_ui(ui, state, run));
            }
        });
    });
    commands
}

/// The classes of a run, which take a walk through its timeline or its prediction.
fn kept_classes(ui: &Ui, run: &Arc<Run>, name: &str) -> Arc<Vec<Class>> {
    kept(ui, name, Same::from(run), || classes(run))
}

fn remedies_ui(ui: &mut Ui, state: &State, run: &Run) -> Option<Any> {
    let prediction = run.prediction().filter(|_| run.draft.is_some())?;
    let remedies = &state.results.memory.remedies;
    let asked = remedies::remedies_ui(ui, remedies, prediction.fits, obstacle(state).as_deref());
    asked.map(Any::Memory)
}

/// Why a remedy of the run that is shown cannot be written into the scenario that is edited: they are not
/// the same.
fn obstacle(state: &State) -> Option<String> {
    match state.standing() {
        Standing::Fresh => None,
        Standing::Stale => {
            let text = "The scenario was edited since: run it again to see what helps it now";
            Some(text.to_owned())
        }
        Standing::Aside(what) => Some(format!(
            "This is of {what}, not of the scenario: take that into the scenario and run it first"
        )),
    }
}

fn numbers_ui(ui: &mut Ui, state: &State, run: &Run) {
    let Some(prediction) = run.prediction() else {
        return;
    };
    let base = state.results.compared().and_then(|base| base.prediction());
    ui.horizontal_wrapped(|ui| {
        for told in numbers::numbers(prediction, base) {
            told_ui(ui, &told);
            ui.add_space(space::LARGE);
        }
    });
    ui.add_space(space::SMALL);
}

/// The title of a chart with its menu.
fn heading_ui(ui: &mut Ui, figure: &Figure, note: &str) -> Vec<Any> {
    let theme = Theme::of(ui.ctx());
    let heading = ui.horizontal(|ui| {
        ui.label(RichText::new(note).color(theme.faint));
        let right = egui::Layout::right_to_left(egui::Align::Center);
        ui.with_layout(right, |ui| {
            figure_menu_ui(ui, &figure.title, || figure.clone())
        })
        .inner
    });
    heading.inner
}

fn peaks_ui(ui: &mut Ui, run: &Arc<Run>, classes: &[Class], class: &Class) -> Vec<Any> {
    let figure = kept(ui, "peaks of memory", Same::from(run), || {
        figures::peaks(run, classes)
    });
    let mut commands = heading_ui(ui, &figure, "Click a bar to see its memory over time");
    let view = FigureView {
        height: Some(112.0 + 26.0 * classes.len() as f32),
        selected: Some(u64::from(class.first_rank)),
        ..FigureView::default()
    };
    let clicked = figure_ui(ui, &figure, &view).clicked;
    if let Some(rank) = clicked.and_then(|id| u32::try_from(id).ok()) {
        commands.push(Any::Memory(Command::Select(rank)));
    }
    commands
}

/// The kinds of the selected class against those of the base's fullest.
fn base_ui(ui: &mut Ui, state: &State, class: &Class) {
    let Some(base) = state.results.compared() else {
        return;
    };
    let classes = kept_classes(ui, base, "classes of the base");
    let same = classes.iter().find(|of| of.first_rank == class.first_rank);
    let Some(of_base) = same.or_else(|| fullest(&classes)) else {
        return;
    };
    let theme = Theme::of(ui.ctx());
    let text = format!(
        "{} against {} of {}",
        class.label, of_base.label, base.caption.scenario
    );
    ui.label(RichText::new(text).color(theme.faint));
    compared::compared_ui(ui, class, of_base);
}

fn levels_ui(ui: &mut Ui, state: &State, run: &Arc<Run>, class: &Class) -> Vec<Any> {
    let theme = Theme::of(ui.ctx());
    let Some(levels) = state.results.memory.levels(run, class.first_rank) else {
        ui.label(RichText::new("Gathering levels over time").color(theme.faint));
        return Vec::new();
    };
    if levels.times.len() < 2 {
        ui.label(RichText::new("This run has no timeline of memory").color(theme.faint));
        return Vec::new();
    }
    let inputs = (Same::from(run), Same::from(levels), class.first_rank);
    let figure = kept(ui, "memory over time", inputs, || {
        figures::over_time(run, class, levels)
    });
    let mut commands = heading_ui(ui, &figure, "Click to move the playhead");
    let playhead = state.view.now().timeline.playhead;
    let view = FigureView {
        height: Some(250.0),
        cursor: playhead.map(|time| time.as_seconds().as_secs()),
        ..FigureView::default()
    };
    let shown = figure_ui(ui, &figure, &view);
    if shown.response.clicked()
        && let Some((secs, _)) = shown.cursor
        && let Ok(time) = SimTime::ZERO.after(units::Seconds::from_secs(secs.max(0.0)))
    {
        commands.push(Any::Memory(Command::Playhead(time)));
    }
    commands
}

/// Whether something is to be found that nobody has asked for.
fn needs(state: &State, run: &Arc<Run>, class: &Class) -> bool {
    let found = &state.results.memory;
    let asked = found.asked.as_ref();
    let levels = asked.is_none_or(|(of, rank)| !Arc::ptr_eq(of, run) || *rank != class.first_rank);
    levels || wants_remedies(found, run)
}

fn wants_remedies(found: &Found, run: &Run) -> bool {
    let draft = run.draft.as_ref().filter(|_| run.prediction().is_some());
    draft.is_some() && found.remedies.draft() != draft
}

fn prepare(state: &mut State) {
    let Some(run) = state.results.current.as_ref().map(Arc::clone) else {
        return;
    };
    let classes = classes(&run);
    if let Some(class) = selected(&classes, &state.view.now().memory) {
        ask_levels(state, &run, class.first_rank);
    }
    if wants_remedies(&state.results.memory, &run) {
        ask_remedies(state, &run);
    }
}

fn ask_levels(state: &mut State, run: &Arc<Run>, rank: u32) {
    let found = &mut state.results.memory;
    let asked = found.asked.as_ref();
    if asked.is_some_and(|(of, known)| Arc::ptr_eq(of, run) && *known == rank) {
        return;
    }
    found.asked = Some((Arc::clone(run), rank));
    let run = Arc::clone(run);
    let given_up = (Arc::clone(&run), rank);
    let ask = Ask::new(
        Slot::Levels,
        "Gathering levels of memory",
        move |_| {
            let levels = Arc::new(Levels::of(&run.trace, rank));
            (run, rank, levels)
        },
        |state, found| state.results.memory.levels = Some(found),
    );
    state.asks.push(ask.or_else(move |state| {
        let found = &mut state.results.memory;
        let (run, rank) = given_up;
        let asked = found.asked.as_ref();
        if asked.is_some_and(|(of, known)| Arc::ptr_eq(of, &run) && *known == rank) {
            found.levels = Some((run, rank, Arc::default()));
        }
    }));
}

fn ask_remedies(state: &mut State, run: &Run) {
    let (Some(draft), Some(opened)) = (run.draft.clone(), run.opened.clone()) else {
        return;
    };
    state.results.memory.remedies = Remedies::Going(draft.clone());
    let given_up = draft.clone();
    let ask = Ask::new(
        Slot::Remedies,
        "Looking for what saves memory",
        move |control| {
            let found = memory_remedies(&opened, control);
            (draft, found, control.is_cancelled())
        },
        |state, (draft, found, was_stopped): (Draft, Result<_, Vec<Failure>>, bool)| {
            // The run was made from the same scenario, so that nothing is wrong with it.
            state.results.memory.remedies = match found {
                Ok(found) if !was_stopped => Remedies::Done(draft, found),
                _ => Remedies::Missing(draft),
            };
        },
    );
    state.asks.push(ask.or_else(move |state| {
        let remedies = &mut state.results.memory.remedies;
        if matches!(remedies, Remedies::Going(of) if *of == given_up) {
            *remedies = Remedies::Missing(given_up);
        }
    }));
}

/// Does what a command says.
pub fn apply(state: &mut State, command: Command) {
    match command {
        Command::Prepare => prepare(state),
        Command::Retry => {
            state.results.memory.remedies = Remedies::None;
            prepare(state);
        }
        Command::Select(rank) => state.look(|view| view.memory.class = Some(rank)),
        Command::Playhead(time) => state.glance(|view| view.timeline.playhead = Some(time)),
        Command::Try(remedy) => {
            if let Some(why) = obstacle(state) {
                state.notices.error(why);
                return;
            }
            let Some(draft) = state.draft() else { return };
            match remedy.apply(draft) {
                Ok(draft) => {
                    state.edit(draft, None);
                    let text = format!("{}: run the scenario to see what it does", remedy.change);
                    state.notices.info(text);
                }
                Err(failure) => {
                    let text = crate::state::hinted(&failure, failure.hint());
                    state.notices.error(text);
                }
            }
        }
    }
}
