//! Sections and rows.

use std::collections::BTreeMap;

use egui::{Align, Button, CursorIcon, Label, Layout, Response, RichText, Role, Sense, Ui};
use look::{Theme, number, space};
use session::{Assumed, Failure, FieldKind, FormField};

use super::reading::{FIELDS, GENERAL, Reading, form_field, section_of};
use super::{Command, View, any, buffer, editor, editor_id, problems, reading};
use crate::command::Command as Any;
use crate::document::Runnable;
use crate::overlay::name;
use crate::state::State;

/// What people change first: never hidden.
const DEGREES: [&str; 5] = ["plan.tp", "plan.pp", "plan.dp", "plan.cp", "plan.ep"];

/// Everything that the form shows.
pub(super) struct Form<'a> {
    /// What the draft says.
    pub(super) reading: &'a Reading,
    view: &'a View,
    failures: BTreeMap<&'static str, Vec<&'a Failure>>,
    assumed: BTreeMap<&'a str, &'a Assumed>,
    words: Vec<String>,
}

impl<'a> Form<'a> {
    /// What the state says of the form.
    pub(super) fn of(state: &'a State, reading: &'a Reading) -> Self {
        let mut failures: BTreeMap<&'static str, Vec<&Failure>> = BTreeMap::new();
        for failure in problems::failures(state) {
            if let Some(field) = form_field(&failure.field) {
                failures.entry(&field.path).or_default().push(failure);
            }
        }
        let view = &state.view.now().scenario;
        let words = view.filter.to_lowercase();
        Self {
            reading,
            view,
            failures,
            assumed: assumptions(state)
                .iter()
                .map(|one| (one.field.as_str(), one))
                .collect(),
            words: words.split_whitespace().map(str::to_owned).collect(),
        }
    }

    /// What was taken for a field that is absent, and why.
    pub(super) fn assumed(&self, field: &FormField) -> Option<(String, String)> {
        if let Some(one) = self.assumed.get(field.path.as_str()) {
            return Some((one.value.clone(), one.reason.clone()));
        }
        let default = field.default.clone()?;
        Some((default, "the default".to_owned()))
    }

    /// What is wrong with a field.
    pub(super) fn failures(&self, field: &FormField) -> &[&'a Failure] {
        self.failures
            .get(field.path.as_str())
            .map_or(&[], Vec::as_slice)
    }

    /// Whether a field is a table whose parts have rows of their own: shown twice, it could be edited
    /// in two places.
    fn is_spread(&self, field: &FormField) -> bool {
        let value = self.reading.value(&field.path);
        value.is_some_and(|text| text.starts_with('{')) && reading::has_parts(field)
    }

    /// Whether a field was found by its name or its help.
    fn is_found(&self, field: &FormField) -> bool {
        if self.words.is_empty() {
            return true;
        }
        let text = format!("{} {}", field.path, field.help).to_lowercase();
        self.words.iter().all(|word| text.contains(word))
    }

    /// Whether a field matters as things stand: it is given, was assumed, or is wrong.
    fn matters(&self, field: &FormField) -> bool {
        let path = field.path.as_str();
        DEGREES.contains(&path)
            || self.reading.value(path).is_some()
            || self.assumed.contains_key(path)
            || self.failures.contains_key(path)
    }
}

/// What was assumed: of the scenario as it stands, else of the one that ran.
fn assumptions(state: &State) -> &[Assumed] {
    let checked = state.checked.as_ref().map(|one| &one.result);
    let ready = match checked {
        Some(Ok(Runnable::Training(ready))) => Some(ready),
        _ => state.results.current.as_ref().and_then(|run| run.ready()),
    };
    ready.map_or(&[], |ready| &ready.scenario.assumptions)
}

/// Draws all sections.
pub(super) fn form_ui(ui: &mut Ui, form: &Form<'_>) -> Vec<Any> {
    let mut commands = Vec::new();
    let mut n_found = 0;
    ui.add_enabled_ui(form.reading.is_toml, |ui| {
        for (section, fields) in sections() {
            let found: Vec<&FormField> = fields
                .iter()
                .copied()
                .filter(|field| form.is_found(field) && !form.is_spread(field))
                .collect();
            if found.is_empty() {
                continue;
            }
            n_found += found.len();
            commands.extend(section_ui(ui, form, section, &found));
        }
    });
    if n_found == 0 {
        let theme = Theme::of(ui.ctx());
        ui.label(RichText::new("No field has these words").color(theme.faint));
    }
    commands
}

/// The fields by section, in the order of the form.
fn sections() -> &'static [(&'static str, Vec<&'static FormField>)] {
    static SECTIONS: std::sync::LazyLock<Vec<(&str, Vec<&FormField>)>> =
        std::sync::LazyLock::new(|| {
            let mut sections: Vec<(&str, Vec<&FormField>)> = Vec::new();
            for field in FIELDS.iter() {
                let section = section_of(&field.path);
                match sections.iter_mut().find(|(of, _)| *of == section) {
                    Some((_, fields)) => fields.push(field),
                    None => sections.push((section, vec![field])),
                }
            }
            // What stands in the section itself comes before its parts, each part in one piece.
            for (section, fields) in &mut sections {
                let mut parts = vec![*section];
                for field in fields.iter() {
                    if !parts.contains(&field.section.as_str()) {
                        parts.push(&field.section);
                    }
                }
                let place =
                    |field: &&FormField| parts.iter().position(|part| *part == field.section);
                fields.sort_by_key(place);
            }
            sections
        });
    &SECTIONS
}

fn section_ui(ui: &mut Ui, form: &Form<'_>, section: &str, fields: &[&FormField]) -> Vec<Any> {
    let mut commands = Vec::new();
    let given = |field: &&&FormField| form.reading.value(&field.path).is_some();
    let n_given = fields.iter().filter(given).count() as u64;
    let n_wrong: u64 = fields
        .iter()
        .map(|field| form.failures(field).len() as u64)
        .sum();
    let is_filtered = !form.words.is_empty();
    let is_used = 0 < n_given && section != GENERAL;
    let by_hand = form.view.open.get(section).copied();
    let is_open = is_filtered || by_hand.unwrap_or(is_used || 0 < n_wrong);
    let told = match (n_wrong, n_given) {
        (0, 0) => "not used".to_owned(),
        (0, given) => format!("{given} given"),
        (wrong, _) => number::counted(wrong, "error"),
    };
    if fold_ui(ui, section, &told, is_open).clicked() {
        commands.push(any(Command::Open(section.to_owned(), !is_open)));
    }
    if !is_open {
        return commands;
    }
    let is_whole = form.view.whole.contains(section);
    let matter = |field: &&FormField| form.matters(field);
    let n_hidden = fields.iter().filter(|field| !matter(field)).count();
    // A section that is not used and was opened is opened for its fields.
    let shows_all = is_filtered || is_whole || n_hidden == fields.len();
    let mut part = section;
    for field in fields {
        if !shows_all && !form.matters(field) {
            continue;
        }
        if field.section != part && field.section.starts_with(section) {
            part = &field.section;
            let theme = Theme::of(ui.ctx());
            ui.label(RichText::new(part).small().color(theme.faint));
        }
        commands.extend(row_ui(ui, form, field));
    }
    if !is_filtered && 0 < n_hidden && n_hidden < fields.len() {
        let text = if is_whole {
            "Fewer fields".to_owned()
        } else {
            number::counted(n_hidden as u64, "more field")
        };
        let button = ui.add(Button::new(text).small().frame_when_inactive(false));
        let what = if is_whole { "Fewer" } else { "All" };
        name(&button, &format!("{what} fields of {section}"));
        if button.clicked() {
            commands.push(any(Command::Whole(section.to_owned(), !is_whole)));
        }
    }
    ui.add_space(space::SMALL);
    commands
}

/// A title that opens and closes what follows.
pub(super) fn fold_ui(ui: &mut Ui, title: &str, told: &str, is_open: bool) -> Response {
    let theme = Theme::of(ui.ctx());
    let size = egui::vec2(ui.available_width(), 26.0);
    let (rect, response) = ui.allocate_exact_size(size, Sense::click());
    response.widget_info(|| {
        egui::WidgetInfo::selected(Role::Button, true, is_open, format!("Section {title}"))
    });
    ui.ctx().accesskit_node_builder(response.id, |node| {
        node.set_expanded(is_open);
        node.set_description(told);
    });
    let fill = if response.hovered() {
        theme.control
    } else {
        theme.raised
    };
    ui.painter().rect_filled(rect, 3.0, fill);
    let icon = egui::Rect::from_center_size(
        rect.left_center() + egui::vec2(12.0, 0.0),
        egui::Vec2::splat(14.0),
    );
    let openness = if is_open { 1.0 } else { 0.0 };
    egui::collapsing_header::paint_default_icon(
        ui,
        openness,
        &response.clone().with_new_rect(icon),
    );
    let font = egui::TextStyle::Button.resolve(ui.style());
    let at = rect.left_center() + egui::vec2(24.0, 0.0);
    let painter = ui.painter().with_clip_rect(rect);
    painter.text(at, egui::Align2::LEFT_CENTER, title, font, theme.text);
    let small = egui::TextStyle::Small.resolve(ui.style());
    let at = rect.right_center() - egui::vec2(8.0, 0.0);
    let color = if told.contains("error") {
        theme.bad
    } else {
        theme.faint
    };
    painter.text(at, egui::Align2::RIGHT_CENTER, told, small, color);
    problems::focus_ring(ui, &response);
    response
}

/// A field: its name, its editor, and whether it is given or assumed.
fn row_ui(ui: &mut Ui, form: &Form<'_>, field: &FormField) -> Vec<Any> {
    const MARK: f32 = 54.0;
    /// In less than this, names stand above what is edited.
    const NARROW: f32 = 290.0;
    let mut commands = Vec::new();
    let theme = Theme::of(ui.ctx());
    let is_given = form.reading.value(&field.path).is_some();
    // Lists and tables take the whole width below their name.
    let whole = ui.available_width();
    let is_wide = editor::is_structure(form, field) || whole < NARROW;
    let gap = ui.spacing().item_spacing.x;
    let label = if is_wide {
        (whole - MARK - gap).max(56.0)
    } else {
        (whole * 0.37).min(190.0)
    };
    let cell = (whole - label - MARK - 2.0 * gap).max(56.0);
    ui.push_id(("field", &field.path), |ui| {
        ui.horizontal_top(|ui| {
            let middle = Layout::left_to_right(Align::Center);
            ui.allocate_ui_with_layout(egui::vec2(label, 24.0), middle, |ui| {
                ui.set_min_size(egui::vec2(label, 24.0));
                commands.extend(label_ui(ui, form, field));
            });
            if !is_wide {
                ui.allocate_ui_with_layout(egui::vec2(cell, 24.0), middle, |ui| {
                    ui.set_min_size(egui::vec2(cell, 24.0));
                    commands.extend(editor::editor_ui(ui, form, field, cell));
                });
            }
            ui.allocate_ui_with_layout(egui::vec2(MARK, 24.0), middle, |ui| {
                ui.set_min_size(egui::vec2(MARK, 24.0));
                if is_given {
                    let button = ui.add(Button::new("Reset").small());
                    name(&button, &format!("Reset {}", field.path));
                    let hint = "Take the field away, so that something is assumed for it";
                    if button.on_hover_text(hint).clicked() {
                        commands.push(any(Command::Unset(field.path.clone())));
                    }
                } else if form.assumed(field).is_some() {
                    ui.label(RichText::new("assumed").small().color(theme.faint));
                }
            });
        });
        if is_wide {
            commands.extend(editor::editor_ui(ui, form, field, whole));
        }
        let refused = buffer::refused(ui, editor_id(&field.path), &form.reading.draft);
        if let Some(refused) = refused {
            let text = format!("Not taken: {refused}");
            ui.add(Label::new(RichText::new(text).color(theme.bad)).wrap());
        }
        for failure in form.failures(field) {
            let message = RichText::new(failure.to_string()).color(theme.bad);
            ui.add(Label::new(message).wrap());
            if let Some(hint) = failure.hint() {
                ui.add(Label::new(RichText::new(hint).color(theme.faint)).wrap());
            }
        }
    });
    commands
}

/// The name of a field; that of a number can be dragged.
fn label_ui(ui: &mut Ui, form: &Form<'_>, field: &FormField) -> Option<Any> {
    let theme = Theme::of(ui.ctx());
    let was = form.reading.was(&field.path);
    let text = match was {
        Some(_) => RichText::new(format!("• {}", field.key)).color(theme.accent),
        None => RichText::new(field.key),
    };
    let limits = match field.kind() {
        FieldKind::Whole(limits) => Some((limits, true)),
        FieldKind::Number(limits) => Some((limits, false)),
        _ => None,
    };
    let sense = if limits.is_some() {
        Sense::DRAG
    } else {
        Sense::HOVER
    };
    let mut response = ui.add(Label::new(text).truncate().selectable(false).sense(sense));
    if limits.is_some() {
        response = response.on_hover_and_drag_cursor(CursorIcon::ResizeHorizontal);
    }
    let response = response.on_hover_ui(|ui| editor::help_ui(ui, form, field));
    let (limits, is_whole) = limits?;
    let id = response.id;
    if response.drag_started() {
        let shown = form.reading.value(&field.path).map(str::to_owned);
        let shown = shown.or_else(|| form.assumed(field).map(|(value, _)| value));
        let start: f64 = shown.and_then(|text| text.parse().ok()).unwrap_or(1.0);
        let drag = (start, buffer::gesture(ui));
        ui.data_mut(|data| data.insert_temp(id, drag));
    }
    let (start, gesture): (f64, u64) = ui.data(|data| data.get_temp(id))?;
    let moved = f64::from(
        response
            .total_drag_delta()
            .filter(|_| response.dragged())?
            .x,
    );
    let value = editor::dragged(start, moved, is_whole).clamp(limits.min, limits.max);
    let value = editor::written(value, is_whole);
    let is_new =
        limits.hold(value.parse().ok()?) && form.reading.value(&field.path) != Some(&value);
    is_new.then(|| {
        any(Command::Change {
            field: field.path.clone(),
            value,
            gesture,
        })
    })
}
