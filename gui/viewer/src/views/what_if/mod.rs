//! Sliders: the estimate answers while they move, the chosen engine when they rest.
//!
//! ```text
//! slider moves ──▶ Slot::Estimate   formulas of the tuned scenario: at most some ms
//! slider rests ──▶ Slot::Refine     the `estimate` engine, which rehearses what formulas doubt
//!              ──▶ Slot::Simulate   the engine of the scenario
//! scenario changes ──▶ Slot::Sensitivity   what 10 % more of each knob would bring
//! ```
//!
//! The scenario itself stays as it is until somebody applies the values to it: one edit.

mod answer;
mod knob;
mod sensitivity;
mod work;

use std::collections::BTreeMap;
use std::sync::Arc;

use egui::{Button, Id, RichText, ScrollArea, Ui};
use look::{Theme, space};
use serde::{Deserialize, Serialize};
use session::{Draft, Knob, Prediction, Sensitivity, Tuner, Tuning};
use units::Control;

use crate::command::Command as Any;
use crate::layout::Pane;
use crate::run::Run;
use crate::state::{State, hinted};

/// How it is looked at: where the sliders stand.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct View {
    /// Values of knobs that were turned, by the field that a knob sets.
    values: BTreeMap<String, f64>,
}

impl View {
    /// The values of the sliders.
    pub fn tuning(&self) -> Tuning {
        let value = |knob: Knob| Some((knob, *self.values.get(knob.field())?));
        let turned = Knob::ALL.into_iter().filter_map(value);
        turned.fold(Tuning::default(), |all, (knob, value)| {
            all.with(knob, value)
        })
    }

    /// Turns a knob; none leaves it as the scenario has it.
    pub fn turn(&mut self, knob: Knob, value: Option<f64>) {
        match value {
            Some(value) => self.values.insert(knob.field().to_owned(), value),
            None => self.values.remove(knob.field()),
        };
    }
}

/// What a person can ask of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Command {
    /// Asks for what the view shows at first.
    Prepare,
    /// Turns a knob: formulas answer.
    Turn {
        /// Which one.
        knob: Knob,
        /// Its value; none leaves it as the scenario has it.
        value: Option<f64>,
        /// What stays the same while a slider is held.
        gesture: u64,
    },
    /// The sliders rest: the estimate and the chosen engine answer.
    Simulate,
    /// Asks again what a little more of each would bring.
    Weigh,
    /// Leaves everything as the scenario has it.
    Reset,
    /// Writes the values into the scenario.
    Apply,
    /// Shows the timeline of the tuned scenario, with that of the scenario to compare.
    ShowTimeline,
}

/// What came of its work.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// The scenario for which work was asked last.
    asked: Option<Draft>,
    /// The scenario that is tuned, and its estimate.
    pub tuner: Option<Arc<Tuned>>,
    /// Why there is no closed form.
    pub refused: Option<String>,
    /// What the estimate says of the values of the sliders.
    pub estimate: Option<Estimate>,
    /// What the chosen engine says of them.
    pub simulated: Option<Simulated>,
    /// What it is working on.
    pub simulating: Option<Simulating>,
    /// What a little more of everything would bring.
    pub sensitivities: Sensitivities,
}

/// What a little more of everything would bring.
#[derive(Clone, Debug, Default)]
pub enum Sensitivities {
    /// It is being weighed.
    #[default]
    Going,
    /// It was given up.
    Missing,
    /// It is there.
    Weighed(Arc<Vec<Sensitivity>>),
}

impl Sensitivities {
    /// The list, where it is there.
    pub const fn list(&self) -> Option<&Arc<Vec<Sensitivity>>> {
        match self {
            Self::Going | Self::Missing => None,
            Self::Weighed(all) => Some(all),
        }
    }
}

/// A scenario that is tuned.
#[derive(Debug)]
pub struct Tuned {
    /// The scenario.
    pub draft: Draft,
    /// What answers for it.
    pub tuner: Tuner,
    /// Its knobs as it has them.
    pub settings: Vec<session::Setting>,
}

/// An answer of formulas, or of the `estimate` engine.
#[derive(Clone, Debug)]
pub struct Estimate {
    /// The values that it is for.
    pub tuning: Tuning,
    /// The answer, or why there is none.
    pub answer: Result<Box<Prediction>, String>,
}

/// The chosen engine at work.
#[derive(Clone, Debug)]
pub struct Simulating {
    /// The values that it is for.
    pub tuning: Tuning,
    /// To see how far it is.
    pub control: Arc<Control>,
}

/// An answer of the chosen engine.
#[derive(Clone, Debug)]
pub struct Simulated {
    /// The scenario that is tuned.
    of: Draft,
    /// The values that it is for.
    pub tuning: Tuning,
    /// The answer, or why there is none.
    pub answer: Result<Arc<Run>, String>,
}

/// Draws it.
pub fn what_if_ui(ui: &mut Ui, state: &State) -> Vec<Any> {
    let mut commands = Vec::new();
    if work::is_due(state) {
        commands.push(any(Command::Prepare));
    }
    if let Some((title, advice)) = obstacle(state) {
        super::empty_ui(ui, title, &advice);
        return commands;
    }
    let Some(tuned) = &state.results.what_if.tuner else {
        super::empty_ui(ui, "Preparing the sliders", "One moment.");
        return commands;
    };
    let margin = egui::Margin::symmetric(10, 8);
    egui::Frame::new().inner_margin(margin).show(ui, |ui| {
        // The difference to the scenario stays in sight while the sliders scroll.
        steady_ui(ui, tuned, |ui| {
            let has_errors = state
                .checked
                .as_ref()
                .is_some_and(|one| one.result.is_err());
            if has_errors {
                let theme = Theme::of(ui.ctx());
                let text =
                    "The scenario has errors: these are the sliders of the last one without.";
                ui.label(RichText::new(text).color(theme.warn));
            }
            answer::answer_ui(ui, state, tuned);
        });
        commands.extend(actions_ui(ui, state));
        ui.separator();
        ScrollArea::vertical()
            .id_salt("what if")
            .auto_shrink(false)
            .show(ui, |ui| {
                // The bar to scroll with lies over what reaches to the edge.
                ui.set_max_width(ui.available_width() - space::LARGE);
                for setting in &tuned.settings {
                    commands.extend(knob::knob_ui(ui, state, setting));
                }
                ui.add_space(space::MEDIUM);
                commands.extend(sensitivity::sensitivity_ui(ui, state, tuned));
                ui.add_space(space::LARGE);
            });
    });
    commands
}

/// Draws what comes and goes in the greatest height that it has had, and as one child: the sliders below
/// keep their place and their names, so that no drag ends with it.
fn steady_ui(ui: &mut Ui, tuned: &Arc<Tuned>, draw: impl FnOnce(&mut Ui)) {
    let id = Id::unique("height of the answers of what if");
    let of = (Arc::as_ptr(tuned) as usize, ui.available_width().to_bits());
    let known: Option<((usize, u32), f32)> = ui.data(|data| data.get_temp(id));
    let least = known
        .filter(|(key, _)| *key == of)
        .map_or(0.0, |(_, height)| height);
    let shown = ui.scope(|ui| {
        ui.set_min_height(least);
        draw(ui);
    });
    let height = shown.response.rect.height().max(least);
    ui.data_mut(|data| data.insert_temp(id, (of, height)));
}

/// Why there are no sliders, and what to do about it.
fn obstacle(state: &State) -> Option<(&'static str, String)> {
    let advice = |text: &str| text.to_owned();
    if state.document.is_none() {
        let text = match &state.results.current {
            Some(_) => {
                "A timeline from a file has no values to turn. Open a scenario to change it."
            }
            None => "Open a scenario to change it.",
        };
        return Some(("No scenario", advice(text)));
    }
    let checked = state.checked.as_ref()?;
    if checked.opened.as_ref().is_some_and(|one| one.is_traffic()) {
        let text = "A network workload has no closed form. Edit it in the scenario panel.";
        return Some(("Sliders are for training scenarios", advice(text)));
    }
    if !checked.failures().is_empty() && state.results.what_if.tuner.is_none() {
        return Some((
            "The scenario has errors",
            advice("The scenario panel lists them."),
        ));
    }
    let refused = state.results.what_if.refused.clone()?;
    Some(("No closed form", refused))
}

/// What can be done with the values of the sliders.
fn actions_ui(ui: &mut Ui, state: &State) -> Vec<Any> {
    let mut commands = Vec::new();
    let tuning = state.view.now().what_if.tuning();
    let is_turned = !tuning.is_empty();
    let theme = Theme::of(ui.ctx());
    ui.horizontal_wrapped(|ui| {
        let text = RichText::new("Apply to the scenario");
        let apply = if is_turned {
            Button::new(text.color(theme.on_accent)).fill(theme.accent)
        } else {
            Button::new(text)
        };
        let refused = state.results.what_if.estimate.as_ref();
        let refused = refused.is_some_and(|one| one.tuning == tuning && one.answer.is_err());
        let apply = ui.add_enabled(is_turned && !refused, apply);
        let apply = apply.on_hover_text("Writes the values into the scenario: one edit");
        if apply.clicked() {
            commands.push(any(Command::Apply));
        }
        let reset = ui.add_enabled(is_turned, Button::new("Reset all"));
        if reset.clicked() {
            commands.push(any(Command::Reset));
        }
        let has_run = work::simulated(state, &tuning).is_some();
        let show = ui.add_enabled(has_run, Button::new("Show timeline"));
        let show = show.on_hover_text("With the timeline of the scenario to compare");
        let show = show.on_disabled_hover_text("Move a slider and let it go to simulate");
        if show.clicked() {
            commands.push(any(Command::ShowTimeline));
        }
    });
    commands
}

/// Wraps a command of this view.
const fn any(command: Command) -> Any {
    Any::WhatIf(command)
}

/// Does what a command says.
pub fn apply(state: &mut State, command: Command) {
    match command {
        Command::Prepare => work::prepare(state),
        Command::Turn {
            knob,
            value,
            gesture,
        } => {
            state.look_within(gesture, |view| view.what_if.turn(knob, value));
            work::estimate(state);
        }
        Command::Simulate => {
            work::refine(state);
            work::simulate(state);
        }
        Command::Reset => {
            state.look(|view| view.what_if = View::default());
            work::estimate(state);
        }
        Command::Weigh => {
            state.results.what_if.sensitivities = Sensitivities::Going;
            work::weigh(state);
        }
        Command::Apply => keep(state),
        Command::ShowTimeline => show_timeline(state),
    }
}

/// The values of the sliders are others, though nobody turned one: a step back through views.
pub fn moved(state: &mut State) {
    work::estimate(state);
    work::refine(state);
    work::simulate(state);
}

/// Writes the values into the scenario.
fn keep(state: &mut State) {
    let tuning = state.view.now().what_if.tuning();
    let Some(draft) = state.draft() else { return };
    match tuning.apply(draft) {
        Ok(draft) => {
            state.look(|view| view.what_if = View::default());
            state.edit(draft, None);
        }
        Err(failure) => state.notices.error(hinted(&failure, failure.hint())),
    }
}

fn show_timeline(state: &mut State) {
    let tuning = state.view.now().what_if.tuning();
    let Some(run) = work::simulated(state, &tuning).cloned() else {
        return;
    };
    let base = work::base_run(state).cloned();
    let base = base.or_else(|| state.results.current.clone());
    state.ran_aside(run, "the values of the sliders".to_owned());
    state.compare_with(base);
    state.apply(Any::Show(Pane::Timeline));
}
