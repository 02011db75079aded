//! What would make the plan fit, or leave more room.

use egui::{Button, RichText, Ui};
use look::{Theme, Told, Worth, number, told_value};
use session::{MemoryRemedies, MemoryRemedy, Prediction};

use super::{Command, Remedies};
use crate::overlay::name;

/// Remedies that are listed.
const MOST: usize = 10;

/// Draws the list.
///
/// * `obstacle` — why none can be written into the scenario.
pub(super) fn remedies_ui(
    ui: &mut Ui,
    remedies: &Remedies,
    fits: bool,
    obstacle: Option<&str>,
) -> Option<Command> {
    let theme = Theme::of(ui.ctx());
    let title = if fits {
        "What would leave more room"
    } else {
        "What would make it fit"
    };
    ui.label(RichText::new(title).size(15.0));
    let faint = |ui: &mut Ui, text: &str| drop(ui.label(RichText::new(text).color(theme.faint)));
    let found = match remedies {
        Remedies::None | Remedies::Going(_) => {
            faint(ui, "Trying single changes of the plan");
            return None;
        }
        Remedies::Missing(_) => {
            return ui
                .horizontal(|ui| {
                    faint(ui, "It was stopped before changes were tried.");
                    ui.button("Try changes").clicked().then_some(Command::Retry)
                })
                .inner;
        }
        Remedies::Done(_, found) => found,
    };
    if found.base.is_none() {
        faint(
            ui,
            "The estimate engine has no answer for this plan, so that no change could be tried.",
        );
        return None;
    }
    if found.changes.is_empty() {
        faint(ui, "No single change of the plan saves memory.");
        return None;
    }
    if !fits {
        faint(ui, &would_fit(found));
    }
    let note =
        "Each change alone, by the estimate engine, against the plan as that engine sees it.";
    ui.label(RichText::new(note).small().color(theme.faint));
    list_ui(ui, found, obstacle)
}

/// How many of the changes are enough.
fn would_fit(found: &MemoryRemedies) -> String {
    let n = found.changes.iter().filter(|one| one.fits).count();
    let tried = number::counted(found.changes.len() as u64, "change");
    match n {
        0 => format!("None of {tried} that save memory is enough alone."),
        1 => format!("1 of {tried} that save memory is enough alone."),
        n => format!("{n} of {tried} that save memory are enough alone."),
    }
}

fn list_ui(ui: &mut Ui, found: &MemoryRemedies, obstacle: Option<&str>) -> Option<Command> {
    let theme = Theme::of(ui.ctx());
    let mut asked = None;
    egui::Grid::new("remedies")
        .num_columns(5)
        .spacing([14.0, 6.0])
        .striped(true)
        .show(ui, |ui| {
            for heading in ["", "Change", "Device used", "Iteration time", "Fits"] {
                ui.label(RichText::new(heading).small().color(theme.faint));
            }
            ui.end_row();
            if let Some(base) = &found.base {
                base_ui(ui, base);
            }
            for remedy in found.changes.iter().take(MOST) {
                let button = ui.add_enabled(obstacle.is_none(), Button::new("Try it"));
                let button = button
                    .on_hover_text(edits(remedy))
                    .on_disabled_hover_text(obstacle.unwrap_or_default());
                name(&button, &format!("Try it: {}", remedy.change));
                if button.clicked() {
                    asked = Some(Command::Try(Box::new(remedy.clone())));
                }
                row_ui(ui, remedy);
                ui.end_row();
            }
        });
    asked
}

/// The plan as it is, on the same footing as the changes.
fn base_ui(ui: &mut Ui, base: &Prediction) {
    let theme = Theme::of(ui.ctx());
    let faint = |ui: &mut Ui, text: String| drop(ui.label(RichText::new(text).color(theme.faint)));
    ui.label("");
    faint(ui, "The plan as it is".to_owned());
    faint(ui, number::bytes(base.device_used_bytes));
    faint(ui, number::secs(base.iteration_time_s));
    fits_ui(ui, base.fits);
    ui.end_row();
}

fn row_ui(ui: &mut Ui, remedy: &MemoryRemedy) {
    ui.label(&remedy.change).on_hover_text(edits(remedy));
    let told = |what: &str, value: String, meaning: &str| {
        let label = format!("{what}: {}", remedy.change);
        let source = "the estimate engine: formulas, rehearsed where they are in doubt";
        Told::new(label, value, meaning, Worth::Simulated, source)
            .with_formula("in brackets: after the change / before − 1")
    };
    let used = number::bytes(remedy.used);
    let time = number::secs(remedy.iteration_time_s);
    for (what, value, change, meaning) in [
        (
            "Device used",
            used,
            remedy.memory_change,
            "What the fullest GPU uses after the change",
        ),
        (
            "Iteration time",
            time,
            remedy.time_change,
            "What an iteration takes after the change",
        ),
    ] {
        let value = format!("{value} ({})", number::signed_percent(change));
        let told = told(what, value, meaning);
        told_value(ui, &told.value, &told);
    }
    fits_ui(ui, remedy.fits);
}

fn fits_ui(ui: &mut Ui, fits: bool) {
    let theme = Theme::of(ui.ctx());
    let (word, color) = if fits {
        ("fits", theme.good)
    } else {
        ("too large", theme.bad)
    };
    ui.label(RichText::new(word).color(color));
}

/// The fields that a remedy sets.
fn edits(remedy: &MemoryRemedy) -> String {
    let edits = remedy.edits.iter();
    let edits: Vec<String> = edits
        .map(|(field, value)| format!("{field} = {value}"))
        .collect();
    edits.join(", ")
}
