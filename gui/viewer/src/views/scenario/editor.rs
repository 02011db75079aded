//! One editor for each kind of field.

use egui::{
    Checkbox, ComboBox, Key, Modifiers, PopupCloseBehavior, Response, RichText, TextEdit, Ui,
};
use look::{Theme, space};
use session::{FieldKind, FormField};

use super::buffer::{self, Buffer};
use super::form::Form;
use super::items::{Items, items_ui};
use super::{Command, any, editor_id, reading};
use crate::command::Command as Any;
use crate::overlay::name;

/// Whether a field is edited as several lines of text: a list or a table, also where a word is offered
/// as well.
pub(super) fn is_structure(form: &Form<'_>, field: &FormField) -> bool {
    let given = form.reading.value(&field.path);
    let is_given = given.is_some_and(|text| text.starts_with(['[', '{']));
    !field.is_plain() || is_given && field.kinds.contains(&FieldKind::Structure)
}

/// Draws the editor of a field.
pub(super) fn editor_ui(
    ui: &mut Ui,
    form: &Form<'_>,
    field: &FormField,
    width: f32,
) -> Option<Any> {
    let takes_focus = buffer::takes_focus(ui, &field.path);
    let items = is_structure(form, field)
        .then(|| Items::of(form, field))
        .flatten();
    // The cells and buttons of a list have names of their own.
    let is_list = items.is_some();
    let (response, command) = match (field.kind(), items) {
        (_, Some(items)) => items_ui(ui, form, field, items),
        (_, None) if is_structure(form, field) => text_ui(ui, form, field, true),
        (FieldKind::Choice(_), None) => choice_ui(ui, form, field, width, None),
        (FieldKind::Name(shelf), None) => {
            let what = format!("Filter, or a file of a {}", shelf.what());
            choice_ui(ui, form, field, width, Some(&what))
        }
        (FieldKind::Boolean, None) => boolean_ui(ui, form, field),
        (_, None) => text_ui(ui, form, field, false),
    };
    if !is_list {
        name(&response, &field.path);
    }
    ui.ctx().accesskit_node_builder(response.id, |node| {
        node.set_description(help_text(form, field));
    });
    if takes_focus {
        response.request_focus();
        response.scroll_to_me(Some(egui::Align::Center));
    }
    response.on_hover_ui(|ui| help_ui(ui, form, field));
    command
}

/// A line of text, or several for lists and tables.
fn text_ui(
    ui: &mut Ui,
    form: &Form<'_>,
    field: &FormField,
    is_structure: bool,
) -> (Response, Option<Any>) {
    let width = ui.available_width();
    let theme = Theme::of(ui.ctx());
    let id = editor_id(&field.path);
    let value = form.reading.value(&field.path);
    let mut buffer = Buffer::load(ui, id, &form.reading.draft, value);
    let stepped = steps(ui, id, field).and_then(|steps| step(&buffer.text, form, field, steps));
    let is_stepped = stepped.is_some();
    if let Some(text) = stepped {
        buffer.text = text;
    }
    let hint = form.assumed(field).map(|(value, _)| value);
    let is_wrong = buffer.refused.is_some() || !form.failures(field).is_empty();
    let response = ui
        .scope(|ui| {
            if is_wrong {
                outline(ui, theme.bad);
            }
            // A narrow panel leaves the unit to the card under the pointer, as does a long text.
            let letters = |unit: &&str| (buffer.text.chars().count() + unit.chars().count()) as f32;
            let fits = |unit: &&str| 96.0 <= width && letters(unit) * 7.5 + 24.0 <= width;
            let unit = unit(field).filter(|unit| !is_structure && fits(unit));
            let edit = if is_structure {
                TextEdit::multiline(&mut buffer.text)
                    .font(egui::TextStyle::Monospace)
                    .desired_rows(1)
            } else {
                TextEdit::singleline(&mut buffer.text)
            };
            let edit = edit
                .id(id)
                .hint_text(hint.unwrap_or_default())
                .desired_width(f32::INFINITY);
            match unit {
                Some(unit) => ui.add(edit.suffix(RichText::new(unit).small().color(theme.faint))),
                None => ui.add(edit),
            }
        })
        .inner;
    let command = (response.changed() || is_stepped).then(|| typed(form, field, &mut buffer));
    if response.has_focus() || buffer.refused.is_some() {
        buffer.keep(ui, id);
    } else {
        Buffer::forget(ui, id);
    }
    (response, command)
}

/// What follows from a text that was typed.
fn typed(form: &Form<'_>, field: &FormField, buffer: &mut Buffer) -> Any {
    let draft = &form.reading.draft;
    let set = super::set(draft, &field.path, &buffer.text);
    match set {
        Ok(set) => {
            let value = set.value(&field.path);
            buffer.seen = value.map(|value| reading::shown(field, value));
            buffer.refused = None;
        }
        Err(failure) => {
            let why = crate::state::hinted(&failure, failure.hint());
            buffer.refused = Some((draft.clone(), why));
        }
    }
    any(Command::Change {
        field: field.path.clone(),
        value: buffer.text.clone(),
        gesture: buffer.gesture,
    })
}

/// Steps that the arrow keys ask for, where the field is a number and has the focus.
fn steps(ui: &Ui, id: egui::Id, field: &FormField) -> Option<f64> {
    let is_number = matches!(field.kind(), FieldKind::Whole(_) | FieldKind::Number(_));
    if !is_number || !ui.memory(|memory| memory.has_focus(id)) {
        return None;
    }
    let steps = ui.input_mut(|input| {
        let up = input.count_and_consume_key(Modifiers::NONE, Key::ArrowUp);
        let down = input.count_and_consume_key(Modifiers::NONE, Key::ArrowDown);
        up as f64 - down as f64
    });
    (steps != 0.0).then_some(steps)
}

/// A number some steps further, within its bounds.
fn step(text: &str, form: &Form<'_>, field: &FormField, steps: f64) -> Option<String> {
    let (limits, is_whole) = match field.kind() {
        FieldKind::Whole(limits) => (limits, true),
        FieldKind::Number(limits) => (limits, false),
        _ => return None,
    };
    let assumed = || form.assumed(field)?.0.parse::<f64>().ok();
    let now = text.trim().parse::<f64>().ok().or_else(assumed)?;
    let next = now + steps * if is_whole { 1.0 } else { grain(now) };
    let next = next.clamp(limits.min, limits.max);
    limits.hold(next).then(|| written(next, is_whole))
}

/// A tenth of the leading digit of a number.
fn grain(of: f64) -> f64 {
    if of == 0.0 {
        return 0.01;
    }
    let mut grain = 0.1;
    while grain * 100.0 <= of.abs() {
        grain *= 10.0;
    }
    while of.abs() < grain * 10.0 && 1e-12 < grain {
        grain /= 10.0;
    }
    grain
}

/// A number after its name was dragged by some points.
pub(super) fn dragged(start: f64, points: f64, is_whole: bool) -> f64 {
    if is_whole {
        start + (points / 8.0).round()
    } else {
        let grain = grain(start);
        start + (points / 4.0).round() * grain
    }
}

/// A number as TOML.
pub(super) fn written(value: f64, is_whole: bool) -> String {
    if is_whole {
        return format!("{value:.0}");
    }
    // Sums of decimal steps, without what binary fractions add to them.
    let rounded = format!("{value:.9}");
    let short = rounded.trim_end_matches('0');
    if short.ends_with('.') {
        format!("{short}0")
    } else {
        short.to_owned()
    }
}

fn outline(ui: &mut Ui, color: egui::Color32) {
    let widgets = &mut ui.visuals_mut().widgets;
    for widget in [
        &mut widgets.inactive,
        &mut widgets.hovered,
        &mut widgets.active,
    ] {
        widget.bg_stroke = egui::Stroke::new(1.0, color);
    }
    ui.visuals_mut().selection.stroke = egui::Stroke::new(1.5, color);
}

/// Yes, no, or what is assumed.
fn boolean_ui(ui: &mut Ui, form: &Form<'_>, field: &FormField) -> (Response, Option<Any>) {
    let theme = Theme::of(ui.ctx());
    let given = form.reading.value(&field.path).map(str::to_owned);
    let assumed = form.assumed(field).map(|(value, _)| value);
    let shown = given.clone().or(assumed);
    let now = shown.as_deref().and_then(|text| text.parse::<bool>().ok());
    let mut on = now.unwrap_or_default();
    let color = if given.is_some() {
        theme.text
    } else {
        theme.faint
    };
    let word = shown.unwrap_or_else(|| "not said".to_owned());
    let text = RichText::new(word).color(color);
    let response = ui.add(Checkbox::new(&mut on, text).indeterminate(now.is_none()));
    let command = response.clicked().then(|| {
        any(Command::Set {
            field: field.path.clone(),
            value: on.to_string(),
        })
    });
    (response, command)
}

/// One of several words; with a filter where there are many, or where a file may be named.
fn choice_ui(
    ui: &mut Ui,
    form: &Form<'_>,
    field: &FormField,
    width: f32,
    filter: Option<&str>,
) -> (Response, Option<Any>) {
    let theme = Theme::of(ui.ctx());
    let given = form.reading.value(&field.path);
    let shown = match (given, form.assumed(field)) {
        (Some(given), _) => RichText::new(given).color(theme.text),
        (None, Some((assumed, _))) => RichText::new(assumed).color(theme.faint),
        (None, None) => RichText::new("not said").color(theme.faint),
    };
    let mut chosen = None;
    let combo = ui
        .scope(|ui| {
            if !form.failures(field).is_empty() {
                outline(ui, theme.bad);
            }
            ComboBox::from_id_salt("choice")
                .selected_text(shown)
                .width(width)
                .height(320.0)
                .truncate()
                .close_behavior(PopupCloseBehavior::CloseOnClickOutside)
                .show_ui(ui, |ui| {
                    chosen = options_ui(ui, field, given, filter);
                    if chosen.is_some() {
                        ui.close();
                    }
                })
                .response
        })
        .inner;
    let command = chosen.map(|value| {
        any(Command::Set {
            field: field.path.clone(),
            value,
        })
    });
    (combo, command)
}

/// What can be chosen; gives what was.
fn options_ui(
    ui: &mut Ui,
    field: &FormField,
    given: Option<&str>,
    filter: Option<&str>,
) -> Option<String> {
    let mut chosen = None;
    let mut text = String::new();
    if let Some(hint) = filter {
        let id = editor_id(&field.path).with("filter");
        text = ui.data(|data| data.get_temp(id)).unwrap_or_default();
        let edit = TextEdit::singleline(&mut text).id(id).hint_text(hint);
        let edit = ui.add(edit.desired_width(ui.available_width().max(220.0)));
        name(&edit, &format!("Filter {}", field.path));
        if edit.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter)) {
            chosen = (!text.trim().is_empty()).then(|| text.trim().to_owned());
        }
        ui.data_mut(|data| data.insert_temp(id, text.clone()));
    }
    let wanted = text.trim().to_lowercase();
    let options = field.kind().options();
    let found: Vec<&String> = options
        .iter()
        .filter(|option| option.to_lowercase().contains(&wanted))
        .collect();
    for option in &found {
        let is_now = given == Some(option.as_str());
        if ui.selectable_label(is_now, option.as_str()).clicked() {
            chosen = Some((*option).clone());
        }
    }
    let is_own = !wanted.is_empty() && !options.iter().any(|option| option == text.trim());
    if is_own && ui.button(format!("Take “{}”", text.trim())).clicked() {
        chosen = Some(text.trim().to_owned());
    }
    if chosen.is_some() {
        let id = editor_id(&field.path).with("filter");
        ui.data_mut(|data| data.remove::<String>(id));
    }
    chosen
}

/// The unit behind what is typed.
fn unit(field: &FormField) -> Option<&'static str> {
    match field.kind() {
        // The unit is part of what is typed.
        FieldKind::Measure(_) => None,
        _ => field.unit,
    }
}

/// Help, bounds and unit in a sentence or two.
fn help_text(form: &Form<'_>, field: &FormField) -> String {
    help_lines(form, field).join(". ")
}

fn help_lines(form: &Form<'_>, field: &FormField) -> Vec<String> {
    let mut lines = vec![field.help.to_owned()];
    let kinds: Vec<String> = field.kinds.iter().map(FieldKind::expected).collect();
    let unit = match (field.kind(), field.unit) {
        (FieldKind::Measure(measure), _) => format!(", such as {}", measure.example()),
        (_, Some(unit)) => format!(", in {unit}"),
        (_, None) => String::new(),
    };
    lines.push(format!("Takes {}{unit}", kinds.join(", or ")));
    match (form.reading.value(&field.path), form.assumed(field)) {
        (None, Some((value, reason))) => lines.push(format!("Assumed: {value}, {reason}")),
        (Some(_), _) if field.required => lines.push("Must be given".to_owned()),
        _ => {}
    }
    if let Some(was) = form.reading.was(&field.path) {
        lines.push(format!("Was {}", was.unwrap_or("not given")));
    }
    lines
}

/// The same as a card.
pub(super) fn help_ui(ui: &mut Ui, form: &Form<'_>, field: &FormField) {
    let theme = Theme::of(ui.ctx());
    ui.set_max_width(360.0);
    ui.label(RichText::new(&field.path).strong());
    let mut lines = help_lines(form, field).into_iter();
    if let Some(help) = lines.next() {
        ui.label(help);
    }
    ui.add_space(space::SMALL);
    for line in lines {
        ui.label(RichText::new(line).color(theme.faint));
    }
    if matches!(field.kind(), FieldKind::Whole(_) | FieldKind::Number(_)) {
        let hint = "Drag the name or press the arrow keys to change it";
        ui.label(RichText::new(hint).small().color(theme.faint));
    }
}
