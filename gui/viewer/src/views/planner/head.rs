//! What stands above the plans: the search, what it keeps, its engine, and how far it is.

use std::sync::{Mutex, PoisonError};

use chart::{Axis, Figure, FigureView, Ink, Line, Path, Point, Points, Unit, Xy, figure_ui};
use egui::{Button, ProgressBar, RichText, Role, Ui};
use look::{Theme, number, space};
use session::{Answer as Ranking, Engine, Phase, PlanField, Planned, Reason};
use units::Control;

use super::figures::{FORMULAS, engines};
use super::plans::axes_ui;
use super::search::{Answer, Live, Searched};
use super::{Command, Tab, wrapped};
use crate::command::Command as Any;
use crate::state::State;
use crate::views::pick::{named, pick_ui};
use crate::worker::{Slot, share};

/// The button that searches, and what it asks.
pub(super) fn head_ui(ui: &mut Ui, state: &State) -> Vec<Any> {
    let mut commands = Vec::new();
    let theme = Theme::of(ui.ctx());
    let found = &state.results.planner;
    ui.add_space(space::SMALL);
    ui.horizontal_wrapped(|ui| {
        ui.add_space(space::SMALL);
        if found.live.is_some() {
            if ui.button("Cancel search").clicked() {
                commands.push(Any::Cancel(Slot::Plan));
            }
        } else {
            let text = RichText::new("Search plans").color(theme.on_accent);
            let search = ui
                .add(Button::new(text).fill(theme.accent))
                .on_hover_text("Look at every plan that the scenario leaves open");
            if search.clicked() {
                commands.push(wrapped(Command::Search));
            }
        }
        if !is_traffic(state) {
            let engine = state.view.now().planner.engine();
            let chosen = pick_ui(ui, "Search engine", engine, &Engine::ALL, |engine| {
                engine.name().to_owned()
            });
            commands.extend(chosen.map(|engine| wrapped(Command::Engine(engine))));
            commands.extend(kept_ui(ui, state));
        }
    });
    if let (None, Some(searched)) = (&found.live, &found.searched) {
        ui.horizontal(|ui| {
            ui.add_space(space::SMALL);
            ui.vertical(|ui| summary_ui(ui, state, searched));
        });
    }
    ui.add_space(space::SMALL);
    commands
}

fn is_traffic(state: &State) -> bool {
    let opened = state
        .checked
        .as_ref()
        .and_then(|checked| checked.opened.as_ref());
    opened.is_some_and(|opened| opened.is_traffic())
}

/// The fields that the search keeps as the scenario has them.
fn kept_ui(ui: &mut Ui, state: &State) -> Vec<Any> {
    let mut commands = Vec::new();
    let kept = &state.view.now().planner.kept;
    let text = match kept.len() {
        0 => "Keep: nothing".to_owned(),
        1 | 2 => {
            let names: Vec<&str> = kept.iter().map(String::as_str).collect();
            format!("Keep: {}", names.join(", "))
        }
        n => format!("Keep: {n} fields"),
    };
    let config = egui::containers::menu::MenuConfig::new()
        .close_behavior(egui::PopupCloseBehavior::CloseOnClickOutside);
    let (button, _) = egui::containers::menu::MenuButton::new(text)
        .config(config)
        .ui(ui, |ui| {
            ui.label("Fields that stay as the scenario has them");
            for field in PlanField::ALL {
                let mut keeps = kept.contains(field.name());
                if ui.checkbox(&mut keeps, field.name()).clicked() {
                    commands.push(wrapped(Command::Keep(field, keeps)));
                }
            }
        });
    named(&button, Role::Button, "Fields that the search keeps");
    commands
}

/// What a search came to, in a line.
fn summary_ui(ui: &mut Ui, state: &State, searched: &Searched) {
    let theme = Theme::of(ui.ctx());
    let (text, is_partial) = match &searched.answer {
        Answer::Plans(planned) => {
            let answer = &planned.answer;
            let looked = looked(answer);
            let end = if answer.partial {
                "stopped early: the best so far".to_owned()
            } else if answer.settled {
                "settled".to_owned()
            } else {
                let gap = number::percent(answer.gap);
                format!("not settled: others could be faster by up to {gap}")
            };
            let text = format!(
                "{looked}, {} have room, {}; {end}",
                number::count(answer.n_with_room()),
                judged(planned),
            );
            (text, answer.partial)
        }
        Answer::Network(plans) => {
            let end = if plans.partial {
                "; stopped early: the best so far"
            } else {
                ""
            };
            let n = number::counted(plans.plans.len() as u64, "choice");
            (
                format!("{n}, engine {}, seed {}{end}", plans.engine, plans.seed),
                plans.partial,
            )
        }
        Answer::Nothing(_) => ("No plan fits".to_owned(), true),
    };
    let color = if is_partial { theme.warn } else { theme.faint };
    ui.label(RichText::new(text).color(color));
    if state.draft() != Some(&searched.draft) {
        ui.label(RichText::new("Searched before the last edits").color(theme.warn));
    }
}

/// How many plans and variants of leading ones were decided, and how many an early stop left.
fn looked(answer: &Ranking) -> String {
    let by_count = answer.excluded.by_count().into_iter();
    let left = by_count.filter(|(reason, _)| *reason == Reason::Stopped);
    let left: u64 = left.map(|(_, n)| n).sum();
    let all = answer.n_with_room() + answer.excluded.total() - left;
    let decided = format!("{} and variants decided", number::counted(all, "plan"));
    if left == 0 {
        return decided;
    }
    format!("{decided}, {} not reached", number::count(left))
}

/// How many plans were judged, by the engine that did it.
fn judged(planned: &Planned) -> String {
    let n = number::count(planned.answer.plans.len() as u64);
    let engines = engines(planned);
    if engines == Engine::Estimate.name() {
        return format!("{n} estimated");
    }
    if engines == FORMULAS {
        return format!("{n} by formulas alone");
    }
    format!("{n} simulated ({engines})")
}

/// The tabs of what was found.
pub(super) fn tabs_ui(ui: &mut Ui, state: &State, searched: &Searched) -> Vec<Any> {
    let mut commands = Vec::new();
    let now = state.view.now().planner.tab;
    ui.horizontal_wrapped(|ui| {
        ui.add_space(space::SMALL);
        for tab in Tab::ALL {
            if ui.selectable_label(now == tab, tab.title()).clicked() && now != tab {
                commands.push(wrapped(Command::Tab(tab)));
            }
        }
        if now == Tab::Plans {
            ui.add_space(space::LARGE);
            commands.extend(axes_ui(ui, state, searched));
        }
    });
    ui.add_space(space::SMALL);
    commands
}

/// What a search has found so far.
pub(super) fn live_ui(ui: &mut Ui, state: &State, live: &Mutex<Live>) -> Vec<Any> {
    let theme = Theme::of(ui.ctx());
    let live = live.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let [decided, total] = live.decided;
    let is_counting = matches!(live.phase, None | Some(Phase::Evaluating));
    let control = state.results.planner.searching.as_deref();
    let phase = match live.phase {
        _ if control.is_some_and(Control::is_cancelled) => "Stopping at the best so far",
        None => "Beginning",
        Some(Phase::Evaluating) => "Evaluating plans in closed form",
        Some(Phase::Refining) => "Spreading layers and trying switches of leading plans",
        Some(Phase::Simulating) => "Simulating leading plans",
    };
    ui.horizontal(|ui| {
        ui.add_space(space::SMALL);
        let share = control.and_then(share).unwrap_or(0.0);
        let bar = ui.add(
            ProgressBar::new(share)
                .desired_width(180.0)
                .show_percentage(),
        );
        named(&bar, Role::ProgressIndicator, "Plans looked at");
        ui.label(phase);
        if 0 < total {
            let space = number::counted(total, "plan");
            // Later phases look at plans again that were decided.
            let text = if is_counting {
                format!("{} of {space} of the space", number::count(decided))
            } else {
                format!("{space} in the space")
            };
            ui.label(RichText::new(text).color(theme.faint));
        }
        if 0 < live.simulated {
            let text = format!(
                "{} judged by the engine",
                number::count(live.simulated as u64)
            );
            ui.label(RichText::new(text).color(theme.faint));
        }
    });
    if let Some(best) = live.best {
        let degrees = best.choice.degrees;
        let text = format!(
            "Best so far, in closed form: {} with tp {}, pp {}, dp {}",
            number::secs(best.time),
            degrees.tp,
            degrees.pp,
            degrees.dp
        );
        ui.horizontal(|ui| {
            ui.add_space(space::SMALL);
            ui.label(text);
        });
        figure_ui(ui, &front(&live, state), &FigureView::default());
    }
    Vec::new()
}

/// The front of a search that goes on.
fn front(live: &Live, state: &State) -> Figure {
    let mut plans = live.front.clone();
    plans.sort_by(|a, b| a.time.total_cmp(&b.time));
    let found = plans.iter().zip(0..).map(|(plan, id)| {
        let degrees = plan.choice.degrees;
        let label = format!("tp {}, pp {}, dp {}", degrees.tp, degrees.pp, degrees.dp);
        Point::new(id, plan.time, plan.used.as_f64(), label)
    });
    let points: Vec<Point> = found.collect();
    let steps = Line {
        ink: Ink::Series(0),
        path: Path::Steps,
        samples: points.iter().map(|point| (point.x, point.y)).collect(),
        ..Line::default()
    };
    let marks = Points {
        name: "Not beaten so far".to_owned(),
        ink: Ink::Series(0),
        points,
        ..Points::default()
    };
    let xy = Xy::new(
        Axis::new("Iteration time", Unit::Seconds),
        Axis::new("Memory used", Unit::Bytes),
    );
    let mut figure = Figure::new("Plans so far", "plan", xy.with(steps).with(marks));
    state
        .draft()
        .map_or("", |draft| draft.name())
        .clone_into(&mut figure.caption.scenario);
    figure
}
