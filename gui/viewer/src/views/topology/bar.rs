//! What stands above the graph: buttons, the comparison of policies, the scale of colors.

use egui::{ComboBox, RichText, Ui};
use look::{Theme, Told, Worth, number, told_line};

use super::policies::{FIRST, POLICIES, STOPPED};
use super::scene::Scene;
use super::{Command, Comparison, Policies, Shown};
use crate::command::Command as Any;
use crate::overlay::name;
use crate::state::State;
use crate::worker::Slot;

pub(super) fn bar_ui(ui: &mut Ui, state: &State, shown: &Shown<'_>) -> Vec<Any> {
    let mut commands = Vec::new();
    ui.horizontal_wrapped(|ui| {
        let whole = ui.button("Whole graph").on_hover_text("F or Home");
        if whole.clicked() {
            commands.push(Any::Topology(Command::Look(None)));
        }
        let fold = ui
            .button("Fold groups")
            .on_hover_text("Open what fits, and fold everything else");
        if fold.clicked() {
            commands.push(Any::Topology(Command::FoldAll));
        }
        commands.extend(crate::export::menu_ui(ui, crate::export::Subject::Topology));
        policies_ui(ui, state, shown, &mut commands);
        ui.add_space(look::space::MEDIUM);
        super::scrub::legend_ui(ui, shown.scenes.first());
    });
    if shown.view.compare.is_some() {
        comparison_ui(ui, &state.results.topology.comparison, &mut commands);
    } else {
        advice_ui(ui, state, shown, &mut commands);
    }
    commands
}

fn policies_ui(ui: &mut Ui, state: &State, shown: &Shown<'_>, commands: &mut Vec<Any>) {
    let has_draft = state
        .results
        .current
        .as_ref()
        .is_some_and(|run| run.draft.is_some());
    let mut on = shown.view.compare.is_some();
    let toggle = ui.add_enabled(has_draft, egui::Checkbox::new(&mut on, "Compare policies"));
    let toggle = toggle.on_hover_text(
        "Simulate the scenario under two ways to balance load, and show both at the same moment",
    );
    if toggle.clicked() {
        let names = on.then(|| FIRST.map(str::to_owned));
        commands.push(Any::Topology(Command::Compare(names)));
    }
    let Some(names) = &shown.view.compare else {
        return;
    };
    for (side, word) in ["First policy", "Second policy"].into_iter().enumerate() {
        let combo = ComboBox::from_id_salt(("policy", side))
            .width(112.0)
            .selected_text(&names[side])
            .show_ui(ui, |ui| {
                for policy in POLICIES.iter() {
                    if ui
                        .selectable_label(names[side] == *policy, policy)
                        .clicked()
                    {
                        let mut names = names.clone();
                        names[side].clone_from(policy);
                        commands.push(Any::Topology(Command::Compare(Some(names))));
                    }
                }
            });
        name(&combo.response, word);
    }
}

/// What both times and their difference need beside each other, in points.
const ROOM: f32 = 720.0;

fn comparison_ui(ui: &mut Ui, comparison: &Comparison, commands: &mut Vec<Any>) {
    let theme = Theme::of(ui.ctx());
    ui.horizontal_wrapped(|ui| match comparison {
        Comparison::None => {}
        Comparison::Going(asked) => {
            let [first, second] = &asked.names;
            ui.label(format!("Simulating {first} and {second}"));
            if ui.button("Stop comparison").clicked() {
                commands.push(Any::Cancel(Slot::Policies));
            }
        }
        Comparison::Failed(_, why) => {
            let color = if why == STOPPED {
                theme.faint
            } else {
                theme.bad
            };
            ui.label(RichText::new(why).color(color));
            if ui.button("Run both policies").clicked() {
                commands.push(Any::Topology(Command::CompareAgain));
            }
        }
        Comparison::Done(policies) => {
            let is_narrow = ui.available_width() < ROOM;
            let results = results(policies);
            for (at, told) in results.iter().enumerate() {
                if is_narrow && at + 1 == results.len() {
                    ui.end_row();
                }
                told_line(ui, told);
                ui.add_space(look::space::MEDIUM);
            }
        }
    });
    if let Some((name, is_given)) = comparison.done().and_then(|done| done.transport()) {
        let worth = if is_given {
            Worth::Given
        } else {
            Worth::Assumed
        };
        told_line(ui, &transport(&name, worth));
    }
}

/// The two times, their difference, and the fullest links.
fn results(policies: &Policies) -> Vec<Told> {
    let times = policies.times();
    let [first, second] = &policies.asked.names;
    let mut all = Vec::new();
    for (side, secs) in policies.sides.iter().zip(times) {
        let fullest = side.fullest().map_or(0.0, |(_, share)| share);
        let value = format!(
            "{}, fullest link {}",
            number::secs(secs),
            number::percent(fullest)
        );
        all.push(Told::new(
            side.name.clone(),
            value,
            "When everything had arrived or the iteration ended, and how full the fullest link was on average",
            Worth::Simulated,
            format!("the {} engine", side.engine),
        ));
    }
    all.push(
        Told::new(
            format!("{second} against {first}"),
            number::signed_percent(policies.difference()),
            "How much longer the second policy takes; less than 0 where it is faster",
            Worth::Derived,
            "both times",
        )
        .with_formula("second time / first time − 1"),
    );
    all
}

/// How packets get there: what one transport makes of reordering, another does not.
fn transport(name: &str, worth: Worth) -> Told {
    let (short, meaning) = match name {
        "dcqcn-gbn" => (
            "reads reordered packets as lost, so that spraying sends much again",
            "Go-back-N takes a packet that overtook another for a loss and sends everything from there on again: \
             spraying, which reorders packets, may be slow for that alone. Compare under dcqcn-sr or uec as well.",
        ),
        "dcqcn-sr" => (
            "sends lost packets again",
            "Selective repeat sends again what was lost and nothing else",
        ),
        "ideal" => (
            "never loses packets",
            "Packets leave at the rate of their NIC into queues without end: what load balancing does by itself",
        ),
        _ => (
            "bears reordering",
            "Packets may arrive in any order; lost or trimmed ones are asked for again",
        ),
    };
    let value = format!("{name}, {short}");
    Told::new("Transport", value, meaning, worth, "network.transport")
}

/// What to do where no links are loaded.
fn advice_ui(ui: &mut Ui, state: &State, shown: &Shown<'_>, commands: &mut Vec<Any>) {
    let Some(scene) = shown.scenes.first() else {
        return;
    };
    let theme = Theme::of(ui.ctx());
    if !scene.side.knows_links {
        ui.horizontal_wrapped(|ui| {
            let engine = &scene.side.engine;
            let text = format!("The {engine} engine knows no links; choose flow or packet.");
            ui.label(RichText::new(text).color(theme.warn));
            let enabled = state.document.is_some();
            if ui
                .add_enabled(enabled, egui::Button::new("Simulate with flow"))
                .clicked()
            {
                commands.push(Any::Topology(Command::ChooseFlow));
            }
        });
    } else if scene.side.loads.classes.is_empty() {
        let text = "No traffic left a node. Links inside of nodes have no loads: their collectives cost what they \
                    cost alone.";
        ui.label(RichText::new(text).color(theme.faint));
    }
}

/// The name of a policy in the corner of its graph.
pub(super) fn title(ui: &Ui, rect: egui::Rect, scene: &Scene, is_compared: bool) {
    if !is_compared {
        return;
    }
    let theme = Theme::of(ui.ctx());
    let time = number::secs(scene.side.end.as_seconds().as_secs());
    let text = format!("{}  {time}", scene.side.name);
    let at = rect.right_top() + egui::vec2(-10.0, 8.0);
    let font = egui::FontId::proportional(14.0);
    ui.painter()
        .text(at, egui::Align2::RIGHT_TOP, text, font, theme.text);
}
