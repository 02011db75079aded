//! What would make the plan fit, or leave more room.

use egui::{RichText, Ui};
use look::{Theme, number};
use session::MemoryRemedy;

use super::{Command, Remedies};
use crate::overlay::name;

/// Remedies that are listed.
const MOST: usize = 10;

/// Draws the list.
pub(super) fn remedies_ui(ui: &mut Ui, remedies: &Remedies, fits: bool) -> Option<Command> {
    let theme = Theme::of(ui.ctx());
    let title = if fits {
        "What would leave more room"
    } else {
        "What would make it fit"
    };
    ui.label(RichText::new(title).size(15.0));
    let list = match remedies {
        Remedies::None | Remedies::Going(_) => {
            ui.label(RichText::new("Trying single changes of the plan").color(theme.faint));
            return None;
        }
        Remedies::Done(_, list) => list,
    };
    if list.is_empty() {
        let text = "No single change of the plan saves memory.";
        ui.label(RichText::new(text).color(theme.faint));
        return None;
    }
    let note = "Each change alone, in closed form; the engine may differ by a few percent.";
    ui.label(RichText::new(note).small().color(theme.faint));
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
            for remedy in list.iter().take(MOST) {
                let button = ui.button("Try it").on_hover_text(edits(remedy));
                name(&button, &format!("Try it: {}", remedy.change));
                if button.clicked() {
                    asked = Some(Command::Try(Box::new(remedy.clone())));
                }
                row_ui(ui, remedy, theme);
                ui.end_row();
            }
        });
    asked
}

fn row_ui(ui: &mut Ui, remedy: &MemoryRemedy, theme: Theme) {
    ui.label(&remedy.change).on_hover_text(edits(remedy));
    ui.label(format!(
        "{} ({})",
        number::bytes(remedy.used),
        number::signed_percent(remedy.memory_change)
    ));
    ui.label(format!(
        "{} ({})",
        number::secs(remedy.iteration_time_s),
        number::signed_percent(remedy.time_change)
    ));
    let (word, color) = if remedy.fits {
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
