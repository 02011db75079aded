//! The card beside a mark.

use egui::containers::Tooltip;
use egui::{Grid, Id, Rect, RichText, Ui};
use look::Theme;

use crate::mark::Said;

/// Shows what a mark says beside a rectangle.
///
/// * `about` — what its numbers mean and where they are from.
pub(crate) fn tip_ui(ui: &Ui, id: Id, beside: Rect, (said, about): (&Said, &str), theme: &Theme) {
    let tooltip = Tooltip::always_open(ui.ctx().clone(), ui.layer_id(), id, beside);
    tooltip.width(340.0).show(|ui| {
        if !said.head.is_empty() {
            ui.label(RichText::new(&said.head).strong().color(theme.text));
        }
        if !said.rows.is_empty() {
            Grid::new(id.with("tip"))
                .num_columns(2)
                .spacing([12.0, 2.0])
                .show(ui, |ui| {
                    for (what, value) in &said.rows {
                        ui.label(RichText::new(what).color(theme.faint));
                        ui.label(RichText::new(value).color(theme.text));
                        ui.end_row();
                    }
                });
        }
        if !about.is_empty() {
            ui.label(RichText::new(about).small().color(theme.faint));
        }
    });
}
