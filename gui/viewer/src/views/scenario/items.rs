//! A list as a grid: a row for each item, a column for each of its fields.

use egui::{Button, ComboBox, Grid, Key, Response, RichText, ScrollArea, TextEdit, Ui};
use look::Theme;
use session::{FieldKind, FormField};
use toml::{Table, Value};

use super::form::Form;
use super::{Command, any, editor, editor_id};
use crate::command::Command as Any;
use crate::overlay::name;

/// More items than this are edited as text.
const MOST: usize = 40;
/// The width of a cell in points.
const CELL: f32 = 108.0;

/// The items of a list, where a grid can show them: scalars, or tables of scalars.
pub(super) struct Items {
    rows: Vec<Item>,
}

#[derive(Clone, Debug, PartialEq)]
enum Item {
    One(Value),
    Table(Table),
}

impl Item {
    fn get(&self, key: &str) -> Option<&Value> {
        match self {
            Self::One(value) => Some(value),
            Self::Table(table) => table.get(key),
        }
    }

    fn set(&mut self, key: &str, value: Option<Value>) {
        match (self, value) {
            (Self::One(one), Some(value)) => *one = value,
            (Self::One(_), None) => {}
            (Self::Table(table), Some(value)) => drop(table.insert(key.to_owned(), value)),
            (Self::Table(table), None) => drop(table.remove(key)),
        }
    }

    /// As TOML, keys in the order of the columns.
    fn text(&self, columns: &[FormField]) -> String {
        let table = match self {
            Self::One(value) => return value.to_string(),
            Self::Table(table) => table,
        };
        let place = |key: &str| columns.iter().position(|column| column.key == key);
        let mut cells: Vec<(&String, &Value)> = table.iter().collect();
        cells.sort_by_key(|(key, _)| place(key).unwrap_or(usize::MAX));
        let cells: Vec<String> = cells
            .into_iter()
            .map(|(key, value)| format!("{key} = {value}"))
            .collect();
        format!("{{ {} }}", cells.join(", "))
    }
}

impl Items {
    /// The items of a field; none where a grid cannot show them.
    pub(super) fn of(form: &Form<'_>, field: &FormField) -> Option<Self> {
        if field.columns.is_empty() {
            return None;
        }
        let Some(text) = form.reading.value(&field.path) else {
            // What takes a plain value as well offers that first.
            return (!field.is_plain()).then_some(Self { rows: Vec::new() });
        };
        let mut read: Table = toml::from_str(&format!("list = {text}")).ok()?;
        let Value::Array(items) = read.remove("list")? else {
            return None;
        };
        let is_scalar = |value: &Value| !matches!(value, Value::Array(_) | Value::Table(_));
        let has_keys = field.columns.iter().any(|column| !column.key.is_empty());
        let rows = items.into_iter().map(|item| match item {
            Value::Table(table) if has_keys && table.values().all(is_scalar) => {
                let is_known = |key: &String| field.columns.iter().any(|one| one.key == key);
                table.keys().all(is_known).then_some(Item::Table(table))
            }
            item if !has_keys && is_scalar(&item) => Some(Item::One(item)),
            _ => None,
        });
        let rows: Vec<Item> = rows.collect::<Option<_>>()?;
        (rows.len() <= MOST).then_some(Self { rows })
    }

    fn text(&self, columns: &[FormField]) -> String {
        let rows: Vec<String> = self.rows.iter().map(|row| row.text(columns)).collect();
        format!("[{}]", rows.join(", "))
    }

    /// Columns that an item has, must have, or that are few enough to show all.
    fn columns<'f>(&self, field: &'f FormField) -> Vec<&'f FormField> {
        const FEW: usize = 3;
        let all = field.columns.iter();
        let is_shown = |column: &&FormField| {
            field.columns.len() <= FEW
                || column.required
                || self.rows.iter().any(|row| row.get(column.key).is_some())
        };
        all.filter(is_shown).collect()
    }

    /// A further item: like the last, or as little as it can be.
    fn grow(&mut self, columns: &[FormField]) {
        let next = self.rows.last().cloned();
        self.rows.push(next.unwrap_or_else(|| first(columns)));
    }
}

/// The first item of a list.
fn first(columns: &[FormField]) -> Item {
    if let [column] = columns
        && column.key.is_empty()
    {
        return Item::One(start(column));
    }
    let needed = columns.iter().filter(|column| column.required);
    let cells = needed.map(|column| (column.key.to_owned(), start(column)));
    Item::Table(cells.collect())
}

/// What a cell begins with.
fn start(column: &FormField) -> Value {
    let given = column.default.as_deref().map(|text| value(column, text));
    given.unwrap_or_else(|| match column.kind() {
        FieldKind::Whole(limits) => {
            #[expect(clippy::cast_possible_truncation, reason = "a bound that is whole")]
            let least = limits.min.max(1.0).min(limits.max) as i64;
            Value::Integer(least)
        }
        FieldKind::Number(limits) => Value::Float(limits.min.max(1.0).min(limits.max)),
        FieldKind::Boolean => Value::Boolean(false),
        FieldKind::Measure(measure) => Value::String(measure.example().to_owned()),
        kind => Value::String(kind.options().into_iter().next().unwrap_or_default()),
    })
}

/// A text as a value of a column.
fn value(column: &FormField, text: &str) -> Value {
    let text = text.trim();
    let mut kinds = column.kinds.iter();
    let takes = |kind: &FieldKind| match kind {
        FieldKind::Whole(_) => text.parse().ok().map(Value::Integer),
        FieldKind::Number(_) | FieldKind::Measure(_) => {
            let whole = text.parse().ok().map(Value::Integer);
            whole.or_else(|| text.parse().ok().map(Value::Float))
        }
        FieldKind::Boolean => text.parse().ok().map(Value::Boolean),
        _ => None,
    };
    let plain = kinds.find_map(takes);
    plain.unwrap_or_else(|| Value::String(text.to_owned()))
}

/// A value as people type it.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        value => value.to_string(),
    }
}

/// Draws the grid.
pub(super) fn items_ui(
    ui: &mut Ui,
    form: &Form<'_>,
    field: &FormField,
    mut items: Items,
) -> (Response, Option<Any>) {
    let theme = Theme::of(ui.ctx());
    let mut text = None;
    let shown = ui.vertical(|ui| {
        let columns = items.columns(field);
        let has_heads = columns.iter().any(|column| !column.key.is_empty());
        let mut removed = None;
        let mut changed = false;
        ScrollArea::horizontal()
            .id_salt(("items", &field.path))
            .show(ui, |ui| {
                let grid = Grid::new(("items", &field.path)).spacing([6.0, 3.0]);
                grid.num_columns(columns.len() + 1).show(ui, |ui| {
                    if has_heads && !items.rows.is_empty() {
                        for column in &columns {
                            let head = RichText::new(column.key).small().color(theme.faint);
                            let help = |ui: &mut Ui| editor::help_ui(ui, form, column);
                            ui.label(head).on_hover_ui(help);
                        }
                        ui.end_row();
                    }
                    for (at, row) in items.rows.iter_mut().enumerate() {
                        for column in &columns {
                            changed |= cell_ui(ui, form, column, (at, row));
                        }
                        let remove = ui.add(Button::new("×").small());
                        name(&remove, &format!("Remove {} {}", field.path, at + 1));
                        if remove.clicked() {
                            removed = Some(at);
                        }
                        ui.end_row();
                    }
                });
            });
        if let Some(at) = removed {
            items.rows.remove(at);
            changed = true;
        }
        let add = ui.add(Button::new("Add").small());
        name(&add, &format!("Add to {}", field.path));
        if add.clicked() {
            items.grow(&field.columns);
            changed = true;
        }
        text = changed.then(|| items.text(&field.columns));
        add
    });
    let command = text.map(|value| {
        let field = field.path.clone();
        if value == "[]" {
            any(Command::Unset(field))
        } else {
            any(Command::Set { field, value })
        }
    });
    (shown.inner, command)
}

/// Draws a cell; whether it holds something else now.
fn cell_ui(
    ui: &mut Ui,
    form: &Form<'_>,
    column: &FormField,
    (at, row): (usize, &mut Item),
) -> bool {
    let now = row.get(column.key).map(shown);
    let label = format!("{} {}", column.path, at + 1);
    let options = match column.kind() {
        kind @ (FieldKind::Choice(_) | FieldKind::Boolean) => kind.options(),
        // Other names than those that come along are as good.
        _ => Vec::new(),
    };
    let chosen = if options.is_empty() {
        typed_ui(ui, form, column, (&label, now.as_deref()))
    } else {
        let mut chosen = None;
        let words = now.clone().unwrap_or_else(|| "not said".to_owned());
        let combo = ComboBox::from_id_salt(&label)
            .width(CELL)
            .selected_text(words)
            .truncate()
            .show_ui(ui, |ui| {
                for option in options {
                    let is_now = now.as_deref() == Some(&option);
                    if ui.selectable_label(is_now, &option).clicked() {
                        chosen = Some(option);
                    }
                }
            });
        name(&combo.response, &label);
        combo
            .response
            .on_hover_ui(|ui| editor::help_ui(ui, form, column));
        chosen
    };
    let Some(text) = chosen.filter(|text| Some(text.as_str()) != now.as_deref()) else {
        return false;
    };
    let empty = text.trim().is_empty() && !column.key.is_empty();
    row.set(column.key, (!empty).then(|| value(column, &text)));
    true
}

/// A cell that is typed: it is taken when the field is left.
fn typed_ui(
    ui: &mut Ui,
    form: &Form<'_>,
    column: &FormField,
    (label, now): (&str, Option<&str>),
) -> Option<String> {
    let id = editor_id(label);
    let kept: Option<String> = ui.data(|data| data.get_temp(id));
    let mut text = kept.unwrap_or_else(|| now.unwrap_or_default().to_owned());
    let hint = column.default.clone().unwrap_or_default();
    let edit = TextEdit::singleline(&mut text).id(id).hint_text(hint);
    let unit = column
        .unit
        .filter(|_| !matches!(column.kind(), FieldKind::Measure(_)));
    let edit = match unit {
        Some(unit) => edit.suffix(RichText::new(unit).small()),
        None => edit,
    };
    let response = ui.add_sized([CELL, 22.0], edit);
    name(&response, label);
    let response = response.on_hover_ui(|ui| editor::help_ui(ui, form, column));
    if response.has_focus() {
        let entered = ui.input(|input| input.key_pressed(Key::Enter));
        if !entered {
            ui.data_mut(|data| data.insert_temp(id, text));
            return None;
        }
    }
    if !response.lost_focus() {
        return None;
    }
    ui.data_mut(|data| data.remove::<String>(id));
    let escaped = ui.input(|input| input.key_pressed(Key::Escape));
    (!escaped).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shard() -> &'static FormField {
        let all = &super::super::reading::FIELDS;
        let found = all.iter().find(|field| field.path == "plan.shard");
        found.unwrap()
    }

    #[test]
    fn items_are_written_in_the_order_of_their_columns() {
        let columns = &shard().columns;
        let keys: Vec<&str> = columns.iter().map(|column| column.key).collect();
        assert_eq!(keys[..2], ["what", "group"]);
        let mut item = first(columns);
        item.set("group", Some(value(&columns[1], "8")));
        item.set("what", Some(value(&columns[0], "weights")));
        let text = item.text(columns);
        assert!(
            text.starts_with("{ what = \"weights\", group = 8"),
            "{text}"
        );
    }

    #[test]
    fn a_new_item_is_like_the_last() {
        let columns = &shard().columns;
        let mut items = Items { rows: Vec::new() };
        items.grow(columns);
        items.grow(columns);
        assert_eq!(items.rows.len(), 2);
        assert_eq!(items.rows[0], items.rows[1]);
    }
}
