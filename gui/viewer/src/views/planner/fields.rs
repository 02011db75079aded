//! A plan's fields beside each other, as a scenario would give them.

use egui::{Grid, Label, RichText, Ui};
use look::Theme;

/// Values with more letters than this get a line of their own.
const SHORT: usize = 7;

/// Shows fields with their values: short ones in two columns, long ones below.
pub(super) fn fields_ui(ui: &mut Ui, id: &str, fields: &[(&'static str, String)]) {
    let theme = Theme::of(ui.ctx());
    let (short, long): (Vec<_>, Vec<_>) = (fields.iter())
        .partition(|(name, value)| value.chars().count() <= SHORT && name.len() <= 2 * SHORT);
    let half = short.len().div_ceil(2);
    let name = |text: &'static str| RichText::new(text).small().color(theme.faint);
    let value = |text: &str| RichText::new(text).small().monospace();
    Grid::new(id)
        .num_columns(4)
        .spacing(egui::vec2(12.0, 0.0))
        .min_row_height(17.0)
        .show(ui, |ui| {
            for line in 0..half {
                let pair = [short.get(line), short.get(line + half)];
                for (field, text) in pair.into_iter().flatten() {
                    ui.label(name(field));
                    ui.label(value(text));
                }
                ui.end_row();
            }
        });
    ui.scope(|ui| {
        ui.spacing_mut().item_spacing.y = 1.0;
        for (field, text) in long {
            ui.horizontal_wrapped(|ui| {
                ui.label(name(field));
                ui.add(Label::new(value(text)).wrap());
            });
        }
    });
}
