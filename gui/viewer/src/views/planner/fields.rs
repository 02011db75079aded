//! A plan's fields beside each other, as a scenario would give them.

use egui::{Grid, Label, RichText, Ui};
use look::Theme;
use session::{Choice, PlanField, plan_fields};

/// Values with more letters than this get a line of their own.
const SHORT: usize = 7;

/// The fields of a plan with their values; layers of many stages as runs of equal numbers.
///
/// * `kept` — the fields that the search kept.
pub(super) fn fields_of(choice: &Choice, kept: &[PlanField]) -> Vec<(&'static str, String)> {
    let fields = plan_fields(choice, kept).into_iter();
    fields.map(|(name, value)| (name, in_runs(value))).collect()
}

/// A list of numbers as its runs: `[2, 2, 2, 1]` is `2 × 3, 1`. Anything else stays.
fn in_runs(value: String) -> String {
    let inside = value
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    let numbers: Option<Vec<u32>> =
        inside.and_then(|list| list.split(',').map(|one| one.trim().parse().ok()).collect());
    let Some(numbers) = numbers else {
        return value;
    };
    let runs = numbers.chunk_by(|a, b| a == b);
    let words = runs.map(|run| match run {
        [one] => one.to_string(),
        run => format!("{} × {}", run[0], run.len()),
    });
    words.collect::<Vec<_>>().join(", ")
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_of_many_stages_are_written_as_runs() {
        let mut layers = vec!["2"; 38];
        layers.extend(["3", "1"]);
        let list = format!("[{}]", layers.join(", "));
        assert_eq!(in_runs(list), "2 × 38, 3, 1");
        assert_eq!(in_runs("even".to_owned()), "even");
    }
}
