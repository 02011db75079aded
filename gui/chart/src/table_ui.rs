//! A table in the window: only the rows that can be seen are drawn.

use egui::accesskit::Role;
use egui::scroll_area::ScrollAreaOutput;
use egui::{
    Align2, Color32, EventFilter, FontId, Id, Key, Modifiers, Painter, Pos2, Rect, ScrollArea,
    Sense, Stroke, StrokeKind, Ui, UiBuilder, WidgetInfo, pos2, vec2,
};
use look::Theme;

use crate::cell::{PAD, TEXT, arrow, width, write};
use crate::table::{Format, Row, Sort, Table};

/// How a table is shown; the caller keeps it and has sorted the rows.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct TableView {
    /// In points; `None` for all that is left.
    pub height: Option<f32>,
    /// The row that stands out; the table scrolls to it when it changes.
    pub selected: Option<u64>,
    /// The row that another view points at.
    pub hovered: Option<u64>,
    /// By what the rows were sorted.
    pub sort: Option<Sort>,
}

/// What the user asks of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableCommand {
    /// To sort the rows.
    Sort(Sort),
    /// To select a row: clicked, or walked to with the keys.
    Select(u64),
    /// To open a row: double-clicked, or chosen with Enter.
    Open(u64),
    /// To point at a row in other views.
    Hover(u64),
}

const ROW: f32 = 22.0;
const HEAD: f32 = 24.0;

/// Shows a table over the whole width.
pub fn table_ui(ui: &mut Ui, table: &Table, view: &TableView) -> Vec<TableCommand> {
    let height = view.height.unwrap_or_else(|| ui.available_height());
    let size = vec2(ui.available_width(), height).max(vec2(40.0, HEAD + ROW));
    let (_, rect) = ui.allocate_space(size);
    let id = ui.scope_id().with(("table", &table.name));
    let response = ui.interact(rect, id, Sense::click());
    response.widget_info(|| {
        let rows = look::number::counted(table.rows.len() as u64, "row");
        WidgetInfo::labeled(
            Role::Table,
            ui.is_enabled(),
            format!("Table of {}, {rows}", table.name),
        )
    });
    let theme = Theme::of(ui.ctx());
    ui.painter().rect_filled(rect, 0.0, theme.ground);
    let sheet = Sheet::new(ui.painter(), table, view, theme, id);
    let mut commands = Vec::new();
    if response.has_focus() {
        sheet.keys(ui, rect.height(), &mut commands);
    }
    let mut inside = ui.new_child(UiBuilder::new().max_rect(rect).id_salt(id));
    inside.set_clip_rect(rect.intersect(ui.clip_rect()));
    sheet.scrolled(&mut inside, &mut commands);
    if response.has_focus() {
        let stroke = Stroke::new(1.5, theme.accent);
        ui.painter()
            .rect_stroke(rect, 2.0, stroke, StrokeKind::Inside);
    }
    if commands
        .iter()
        .any(|command| matches!(command, TableCommand::Select(_)))
    {
        response.request_focus();
    }
    commands
}

/// A table with the widths of its columns.
struct Sheet<'a> {
    table: &'a Table,
    view: &'a TableView,
    theme: Theme,
    id: Id,
    formats: Vec<Format>,
    widths: Vec<f32>,
}

impl<'a> Sheet<'a> {
    fn new(painter: &Painter, table: &'a Table, view: &'a TableView, theme: Theme, id: Id) -> Self {
        let formats: Vec<_> = (0..table.columns.len())
            .map(|column| table.format(column))
            .collect();
        let widths =
            (0..table.columns.len()).map(|column| width(painter, table, &formats[column], column));
        Self {
            table,
            view,
            theme,
            id,
            widths: widths.collect(),
            formats,
        }
    }

    fn scrolled(&self, ui: &mut Ui, commands: &mut Vec<TableCommand>) -> ScrollAreaOutput<()> {
        let wide = self.widths.iter().sum::<f32>();
        let high = HEAD + ROW * self.table.rows.len() as f32;
        ScrollArea::both()
            .id_salt("rows")
            .auto_shrink(false)
            .show_viewport(ui, |ui, seen| {
                ui.set_min_size(vec2(wide, high));
                let origin = ui.max_rect().min;
                let right = origin.x + wide.max(seen.max.x);
                self.rows(ui, origin, seen, right, commands);
                self.head(ui, pos2(origin.x, origin.y + seen.min.y), right, commands);
                self.scroll_to_selected(ui, origin);
            })
    }

    fn rows(
        &self,
        ui: &Ui,
        origin: Pos2,
        seen: Rect,
        right: f32,
        commands: &mut Vec<TableCommand>,
    ) {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a cast saturates, and the rows end where they end"
        )]
        let (first, last) = ((seen.min.y / ROW) as usize, (seen.max.y / ROW) as usize + 1);
        let below_head = Rect::from_min_max(
            pos2(f32::MIN, origin.y + seen.min.y + HEAD),
            pos2(f32::MAX, f32::MAX),
        );
        let clip = ui.clip_rect().intersect(below_head);
        let painter = ui.painter().with_clip_rect(clip);
        for (index, row) in self.table.rows.iter().enumerate().take(last).skip(first) {
            let top = origin.y + HEAD + ROW * index as f32;
            let rect = Rect::from_min_max(pos2(origin.x, top), pos2(right, top + ROW));
            self.row(ui, &painter, rect, index, row, commands);
        }
        if self.table.rows.is_empty() {
            let at = pos2(origin.x + PAD, origin.y + HEAD + ROW / 2.0);
            painter.text(
                at,
                Align2::LEFT_CENTER,
                "No rows",
                FontId::proportional(TEXT),
                self.theme.faint,
            );
        }
    }

    fn row(
        &self,
        ui: &Ui,
        painter: &Painter,
        rect: Rect,
        index: usize,
        row: &Row,
        commands: &mut Vec<TableCommand>,
    ) {
        let is_selected = self.view.selected == Some(row.id);
        let hit = rect.intersect(painter.clip_rect());
        let response = ui.interact(hit, self.id.with(row.id), Sense::CLICK);
        response
            .widget_info(|| WidgetInfo::selected(Role::Row, true, is_selected, self.sentence(row)));
        let fill = if is_selected {
            self.theme.selection
        } else if response.hovered() || self.view.hovered == Some(row.id) {
            self.theme.control
        } else if index % 2 == 1 {
            self.theme.raised.gamma_multiply(0.55)
        } else {
            Color32::TRANSPARENT
        };
        painter.rect_filled(rect, 0.0, fill);
        let mut left = rect.left();
        for (column, width) in self.widths.iter().enumerate() {
            let cell = Rect::from_min_size(pos2(left, rect.top()), vec2(*width, ROW));
            self.cell(painter, cell, column, row, is_selected);
            left += width;
        }
        if let (Some(pos), true) = (
            ui.input(|input| input.pointer.hover_pos()),
            response.hovered(),
        ) {
            self.cell_tip(&response, row, pos.x - rect.left());
        }
        if response.double_clicked() {
            commands.push(TableCommand::Open(row.id));
        } else if response.clicked() {
            commands.push(TableCommand::Select(row.id));
        } else if response.hovered() {
            commands.push(TableCommand::Hover(row.id));
        }
    }

    fn cell(&self, painter: &Painter, rect: Rect, column: usize, row: &Row, is_selected: bool) {
        let of = &self.table.columns[column];
        let missing = crate::Cell::Missing;
        let cell = row.cells.get(column).unwrap_or(&missing);
        let text = self.formats[column].text(of, cell);
        let is_missing = *cell == crate::Cell::Missing;
        let color = if is_missing && !is_selected {
            self.theme.faint
        } else {
            self.theme.text
        };
        write(painter, rect, &text, color, of.is_number);
    }

    /// Says what the cell at a place of a row is, in full, and where it is from.
    fn cell_tip(&self, response: &egui::Response, row: &Row, mut x: f32) {
        let column = self.widths.iter().position(|width| {
            x -= width;
            x < 0.0
        });
        let cell = column.and_then(|column| Some((column, row.cells.get(column)?)));
        let Some((column, cell)) = cell else { return };
        let of = &self.table.columns[column];
        let is_explained = of.help.is_some() || of.is_number && !self.table.about.is_empty();
        if *cell == crate::Cell::Missing || !is_explained {
            return;
        }
        response.clone().on_hover_ui_at_pointer(|ui| {
            let text = match cell {
                crate::Cell::Number(value) => of.unit.text(*value),
                _ => self.formats[column].text(of, cell),
            };
            let text = format!("{} {text}", of.label);
            ui.label(egui::RichText::new(text).strong().color(self.theme.text));
            ui.set_max_width(340.0);
            let about =
                Some(self.table.about.as_str()).filter(|about| !about.is_empty() && of.is_number);
            for text in of.help.into_iter().chain(about) {
                ui.label(egui::RichText::new(text).color(self.theme.faint));
            }
        });
    }

    /// A row as a reader hears it: the first cell, then the others with their labels.
    fn sentence(&self, row: &Row) -> String {
        let texts = self.table.columns.iter().zip(&self.formats).zip(&row.cells);
        let parts = texts.enumerate().map(|(index, ((column, format), cell))| {
            let text = match (cell, format) {
                (crate::Cell::Number(value), _) => column.unit.text(*value),
                _ => format.text(column, cell),
            };
            if index == 0 {
                text
            } else {
                format!("{} {text}", column.label)
            }
        });
        parts.collect::<Vec<_>>().join(", ")
    }

    fn head(&self, ui: &Ui, at: Pos2, right: f32, commands: &mut Vec<TableCommand>) {
        let rect = Rect::from_min_max(at, pos2(right, at.y + HEAD));
        let painter = ui.painter();
        painter.rect_filled(rect, 0.0, self.theme.panel);
        painter.hline(
            rect.x_range(),
            rect.bottom() - 0.5,
            Stroke::new(1.0, self.theme.line),
        );
        let mut left = at.x;
        for (column, width) in self.widths.iter().enumerate() {
            let cell = Rect::from_min_size(pos2(left, at.y), vec2(*width, HEAD));
            self.head_cell(ui, cell, column, commands);
            left += width;
        }
    }

    fn head_cell(&self, ui: &Ui, rect: Rect, column: usize, commands: &mut Vec<TableCommand>) {
        let of = &self.table.columns[column];
        let response = ui.interact(rect, self.id.with(("head", &of.label)), Sense::click());
        let sorted = self.view.sort.filter(|sort| sort.column == column);
        response.widget_info(|| {
            let now = match sorted {
                Some(sort) if sort.descending => ", sorted, largest first",
                Some(_) => ", sorted, smallest first",
                None => "",
            };
            let name = format!("{}: sort by {}{now}", self.table.name, of.label);
            WidgetInfo::labeled(Role::ColumnHeader, true, name)
        });
        let painter = ui.painter();
        if response.hovered() || response.has_focus() {
            painter.rect_filled(
                rect.shrink2(vec2(1.0, 1.0)),
                2.0,
                self.theme.control_hovered,
            );
        }
        let color = if sorted.is_some() {
            self.theme.text
        } else {
            self.theme.faint
        };
        let mut text = rect;
        if let Some(sort) = sorted {
            let x = if of.is_number {
                rect.left() + PAD
            } else {
                rect.right() - PAD
            };
            arrow(
                painter,
                pos2(x, rect.center().y),
                sort.descending,
                self.theme.accent,
            );
            if of.is_number {
                text.min.x += 10.0;
            } else {
                text.max.x -= 10.0;
            }
        }
        write(
            painter,
            text,
            &self.formats[column].title(of),
            color,
            of.is_number,
        );
        if response.clicked() {
            commands.push(TableCommand::Sort(Sort::clicked(self.view.sort, column)));
        }
        if let Some(help) = of.help {
            response.on_hover_text(help);
        }
    }

    /// Brings the selected row into view when it has changed.
    fn scroll_to_selected(&self, ui: &Ui, origin: Pos2) {
        let before = ui
            .data(|data| data.get_temp::<Option<u64>>(self.id))
            .flatten();
        if before == self.view.selected {
            return;
        }
        ui.data_mut(|data| data.insert_temp(self.id, self.view.selected));
        let Some(index) = self.view.selected.and_then(|id| self.table.position(id)) else {
            return;
        };
        let top = origin.y + HEAD + ROW * index as f32;
        let row = Rect::from_min_max(
            pos2(ui.clip_rect().left(), top - HEAD),
            pos2(ui.clip_rect().left(), top + ROW),
        );
        ui.scroll_to_rect_animation(row, None, egui::style::ScrollAnimation::none());
    }

    fn keys(&self, ui: &Ui, height: f32, commands: &mut Vec<TableCommand>) {
        ui.memory_mut(|memory| {
            let filter = EventFilter {
                vertical_arrows: true,
                ..EventFilter::default()
            };
            memory.set_focus_lock_filter(self.id, filter);
        });
        let Some(last) = self.table.rows.len().checked_sub(1) else {
            return;
        };
        let pressed = |key| ui.input_mut(|input| input.consume_key(Modifiers::NONE, key));
        let at = || self.view.selected.and_then(|id| self.table.position(id));
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a cast saturates"
        )]
        let page = ((height / ROW) as usize).saturating_sub(2).max(1);
        let row = if pressed(Key::ArrowDown) {
            at().map_or(0, |at| at + 1)
        } else if pressed(Key::ArrowUp) {
            at().map_or(0, |at| at.saturating_sub(1))
        } else if pressed(Key::PageDown) {
            at().map_or(0, |at| at + page)
        } else if pressed(Key::PageUp) {
            at().map_or(0, |at| at.saturating_sub(page))
        } else if pressed(Key::Home) {
            0
        } else if pressed(Key::End) {
            last
        } else {
            if pressed(Key::Enter) {
                commands.extend(self.view.selected.map(TableCommand::Open));
            }
            return;
        };
        commands.push(TableCommand::Select(self.table.rows[row.min(last)].id));
    }
}
