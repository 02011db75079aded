//! A choice among a few values, with a name for readers.

use egui::{ComboBox, Response, RichText, Role, Ui, WidgetInfo};
use look::Theme;

/// Shows a choice behind its name; gives what was chosen anew.
///
/// * `name` — unique in its pane; also what readers hear.
pub fn pick_ui<T: Copy + PartialEq>(
    ui: &mut Ui,
    name: &str,
    now: T,
    all: &[T],
    text: impl Fn(T) -> String,
) -> Option<T> {
    let theme = Theme::of(ui.ctx());
    ui.label(RichText::new(name).color(theme.faint));
    let mut chosen = None;
    let combo = ComboBox::from_id_salt(name)
        .selected_text(text(now))
        .show_ui(ui, |ui| {
            for value in all {
                if ui.selectable_label(*value == now, text(*value)).clicked() && *value != now {
                    chosen = Some(*value);
                }
            }
        });
    named(
        &combo.response,
        Role::ComboBox,
        &format!("{name} {}", text(now)),
    );
    chosen
}

/// Gives a widget a name for readers.
pub fn named(response: &Response, role: Role, name: &str) {
    response.widget_info(|| WidgetInfo::labeled(role, response.enabled(), name));
}
