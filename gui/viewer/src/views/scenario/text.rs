//! The text of a scenario with line numbers; lines with errors are marked.

use std::collections::BTreeSet;

use egui::text::{CCursor, CCursorRange};
use egui::{Align2, Id, Label, Rect, RichText, ScrollArea, Sense, Shape, TextEdit, TextStyle, Ui};
use look::Theme;
use session::Failure;

use super::buffer;
use super::problems::{failures, focus_ring};
use super::reading::Reading;
use super::{Command, any};
use crate::command::Command as Any;
use crate::overlay::name;
use crate::state::State;

/// The editor of the text.
fn editor() -> Id {
    Id::unique("scenario text")
}

/// Asks for the cursor to be put on a line when the text is drawn next.
pub(super) fn ask_line(ui: &Ui, line: usize) {
    ui.data_mut(|data| data.insert_temp(editor().with("line"), line));
    ui.ctx().request_repaint();
}

/// Draws the text.
pub(super) fn text_ui(ui: &mut Ui, state: &State, reading: &Reading) -> Vec<Any> {
    let mut commands = Vec::new();
    let wrong = failures(state);
    errors_ui(ui, reading, wrong);
    ScrollArea::vertical()
        .id_salt("scenario text")
        .auto_shrink(false)
        .show(ui, |ui| {
            commands.extend(lines_ui(ui, reading, &lines_of(reading, wrong)));
        });
    commands
}

/// The lines of this text that have an error.
fn lines_of(reading: &Reading, failures: &[Failure]) -> BTreeSet<usize> {
    failures
        .iter()
        .filter_map(|failure| line_of(reading, failure))
        .collect()
}

fn line_of(reading: &Reading, failure: &Failure) -> Option<usize> {
    let place = failure.place.as_ref()?;
    // Other files that a scenario names have lines too.
    let is_here = place.source().text == reading.draft.text();
    is_here.then(|| place.line_column().0)
}

/// The errors, each leading to its line.
fn errors_ui(ui: &mut Ui, reading: &Reading, failures: &[Failure]) {
    let theme = Theme::of(ui.ctx());
    for failure in failures {
        let line = line_of(reading, failure);
        let head = line.map_or("Scenario".to_owned(), |line| format!("Line {line}"));
        let hint = failure.hint();
        let hint = hint.map_or(String::new(), |hint| format!(": {hint}"));
        let text = format!("{head}: {failure}{hint}");
        let label = Label::new(RichText::new(&text).color(theme.bad)).wrap();
        let row = ui.add(label.sense(Sense::click()));
        row.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, &text));
        focus_ring(ui, &row);
        let row = row.on_hover_cursor(egui::CursorIcon::PointingHand);
        if let Some(line) = line.filter(|_| row.clicked()) {
            ask_line(ui, line);
        }
    }
}

fn lines_ui(ui: &mut Ui, reading: &Reading, wrong: &BTreeSet<usize>) -> Option<Any> {
    let theme = Theme::of(ui.ctx());
    let font = TextStyle::Monospace.resolve(ui.style());
    let n_lines = reading.draft.text().lines().count().max(1);
    let digit = ui.fonts_mut(|fonts| fonts.glyph_width(&font, '0'));
    let gutter = digit * (n_lines.to_string().len() as f32) + 18.0;
    let mut text = reading.draft.text().to_owned();
    let behind = ui.painter().add(Shape::Noop);
    let top_left = ui.cursor().min;
    let output = ui
        .horizontal_top(|ui| {
            ui.spacing_mut().item_spacing.x = 0.0;
            ui.add_space(gutter);
            TextEdit::multiline(&mut text)
                .id(editor())
                .code_editor()
                .frame(egui::Frame::new().inner_margin(egui::Margin::symmetric(4, 2)))
                .desired_width(f32::INFINITY)
                .desired_rows(24)
                .show(ui)
        })
        .inner;
    let response = output.response.response.clone();
    name(&response, "Text of the scenario");
    let right = response.rect.right();
    let ground = Rect::from_min_max(top_left, response.rect.max);
    let mut shapes = vec![Shape::rect_filled(ground, 3.0, theme.ground)];
    let mut line = 1;
    let mut is_first = true;
    let mut rows = Vec::new();
    for row in &output.galley.rows {
        let y = output.galley_pos.y + row.pos.y;
        let band = Rect::from_min_max(
            egui::pos2(top_left.x, y),
            egui::pos2(right, y + row.row.height()),
        );
        if wrong.contains(&line) {
            shapes.push(Shape::rect_filled(
                band,
                0.0,
                theme.bad.gamma_multiply(0.16),
            ));
        }
        if is_first {
            rows.push((line, band));
        }
        is_first = row.ends_with_newline;
        line += usize::from(row.ends_with_newline);
    }
    ui.painter().set(behind, Shape::Vec(shapes));
    for (line, band) in rows.iter().filter(|(_, band)| ui.is_rect_visible(*band)) {
        let (mark, color) = if wrong.contains(line) {
            ("!", theme.bad)
        } else {
            ("", theme.faint)
        };
        let at = egui::pos2(top_left.x + gutter - 6.0, band.center().y);
        let text = format!("{mark}{line}");
        ui.painter()
            .text(at, Align2::RIGHT_CENTER, text, font.clone(), color);
    }
    put_cursor(ui, reading, &rows, output.state);
    let id = editor().with("gesture");
    if response.gained_focus() {
        let gesture = buffer::gesture(ui);
        ui.data_mut(|data| data.insert_temp(id, gesture));
    }
    response.changed().then(|| {
        let gesture = ui.data(|data| data.get_temp(id));
        let gesture = gesture.unwrap_or_else(|| buffer::gesture(ui));
        any(Command::Write { text, gesture })
    })
}

/// Puts the cursor on the line that was asked for.
fn put_cursor(
    ui: &Ui,
    reading: &Reading,
    rows: &[(usize, Rect)],
    mut state: egui::text_edit::TextEditState,
) {
    let id = editor().with("line");
    let asked: Option<usize> = ui.data(|data| data.get_temp(id));
    let Some(line) = asked else { return };
    ui.data_mut(|data| data.remove::<usize>(id));
    let before = reading.draft.text().lines().take(line.saturating_sub(1));
    let chars: usize = before.map(|line| line.chars().count() + 1).sum();
    let cursor = CCursorRange::one(CCursor::new(chars));
    state.cursor.set_char_range(Some(cursor));
    state.store(ui.ctx(), editor());
    ui.memory_mut(|memory| memory.request_focus(editor()));
    if let Some((_, band)) = rows.iter().find(|(of, _)| *of == line) {
        ui.scroll_to_rect(*band, Some(egui::Align::Center));
    }
}
