//! A plan's fields beside each other, as a scenario would give them.

use egui::{Grid, RichText, Ui};
use look::Theme;

/// Shows fields with their values in two columns of pairs.
pub(super) fn fields_ui(ui: &mut Ui, id: &str, fields: &[(&'static str, String)]) {
    let theme = Theme::of(ui.ctx());
    let half = fields.len().div_ceil(2);
    Grid::new(id)
        .num_columns(4)
        .spacing(egui::vec2(10.0, 2.0))
        .show(ui, |ui| {
            for line in 0..half {
                for (name, value) in [fields.get(line), fields.get(line + half)]
                    .into_iter()
                    .flatten()
                {
                    ui.label(RichText::new(*name).small().color(theme.faint));
                    let text = RichText::new(value).small().monospace();
                    ui.add(egui::Label::new(text).truncate());
                }
                ui.end_row();
            }
        });
}
