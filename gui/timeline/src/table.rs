//! The same in rows of text: what a reader can read.

use std::sync::Arc;

use egui::{Align2, FontId, Rect, RichText, Role, ScrollArea, Sense, Ui, WidgetInfo, vec2};
use look::{Theme, number};
use trace::SpanId;

use crate::command::TimelineCommand;
use crate::key::TrackKey;
use crate::names::with_pass;
use crate::timeline::Timeline;
use crate::view::{Selection, Table, TimelineView};

const ROW: f32 = 20.0;

/// Draws the table: all tracks, or the spans of the window.
pub fn table_ui(
    ui: &mut Ui,
    timeline: &Arc<Timeline>,
    view: &TimelineView,
) -> Vec<TimelineCommand> {
    let mut commands = Vec::new();
    ui.horizontal(|ui| {
        for (table, text) in [
            (Table::Tracks, "Tracks"),
            (Table::Spans, "Spans in the window"),
        ] {
            if ui.selectable_label(view.table == table, text).clicked() {
                commands.push(TimelineCommand::List(table));
            }
        }
    });
    match view.table {
        Table::Tracks => tracks_ui(ui, timeline, view, &mut commands),
        Table::Spans => spans_ui(ui, timeline, view, &mut commands),
    }
    commands
}

/// Columns: their titles, shares of the width, and whether they hold numbers.
type Columns<'a> = &'a [(&'a str, f32, bool)];

fn heading(ui: &mut Ui, columns: Columns<'_>) {
    let theme = Theme::of(ui.ctx());
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), ROW), Sense::hover());
    let cells: Vec<String> = columns.iter().map(|column| column.0.to_owned()).collect();
    paint_cells(ui, rect, columns, &cells, theme.faint);
}

fn paint_cells(ui: &Ui, rect: Rect, columns: Columns<'_>, cells: &[String], color: egui::Color32) {
    let mut left = rect.left() + 4.0;
    let width = rect.width() - 8.0;
    for (&(_, share, number), text) in columns.iter().zip(cells) {
        let cell = Rect::from_x_y_ranges(left..=left + width * share - 8.0, rect.y_range());
        let (at, align) = if number {
            (cell.right_center(), Align2::RIGHT_CENTER)
        } else {
            (cell.left_center(), Align2::LEFT_CENTER)
        };
        let painter = ui.painter().with_clip_rect(cell.intersect(ui.clip_rect()));
        painter.text(at, align, text, FontId::proportional(12.0), color);
        left += width * share;
    }
}

/// A row that can be chosen, read out as a sentence.
fn row_ui(
    ui: &mut Ui,
    id: impl std::hash::Hash + std::fmt::Debug,
    columns: Columns<'_>,
    cells: &[String],
    chosen: bool,
) -> bool {
    let theme = Theme::of(ui.ctx());
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), ROW), Sense::hover());
    let response = ui.interact(rect, ui.scope_id().with(id), Sense::click());
    response.widget_info(|| {
        let parts = columns
            .iter()
            .zip(cells)
            .map(|(column, cell)| format!("{} {cell}", column.0));
        let text = parts.collect::<Vec<_>>().join(", ");
        WidgetInfo::selected(Role::Row, true, chosen, text)
    });
    if chosen || response.hovered() || response.has_focus() {
        let fill = if chosen {
            theme.selection
        } else {
            theme.raised
        };
        ui.painter().rect_filled(rect, 2.0, fill);
    }
    paint_cells(ui, rect, columns, cells, theme.text);
    response.clicked()
}

fn tracks_ui(
    ui: &mut Ui,
    timeline: &Timeline,
    view: &TimelineView,
    commands: &mut Vec<TimelineCommand>,
) {
    const COLUMNS: Columns<'static> = &[
        ("Track", 0.52, false),
        ("Spans", 0.16, true),
        ("Busy", 0.16, true),
        ("Share", 0.16, true),
    ];
    heading(ui, COLUMNS);
    let tracks = timeline.tracks();
    let area = ScrollArea::vertical()
        .id_salt("table of tracks")
        .auto_shrink([false, false]);
    ui.spacing_mut().item_spacing.y = 0.0;
    area.show_rows(ui, ROW, tracks.len(), |ui, rows| {
        for track in &tracks[rows] {
            let all = track.spans.joined(0..track.spans.spans().len());
            let busy = all.map_or(0, |bar| bar.busy.as_picos());
            let share = busy as f64 / timeline.end().as_picos().max(1) as f64;
            let cells = [
                timeline.title(track.key()),
                number::count(track.spans.spans().len() as u64),
                number::secs(busy as f64 * 1e-12),
                number::percent(share),
            ];
            let key = track.key();
            let chosen =
                matches!(&view.selection, Selection::Range { tracks, .. } if tracks.contains(&key));
            if row_ui(ui, ("track", key), COLUMNS, &cells, chosen) {
                let window = view.camera.window();
                commands.push(TimelineCommand::Select(Selection::Range {
                    from: window.start,
                    to: window.end,
                    tracks: vec![key],
                }));
            }
        }
    });
}

/// Where the spans of a window lie: of each track the first place, and how many stand before it.
fn places(timeline: &Timeline, view: &TimelineView) -> (Vec<(usize, usize, usize)>, usize) {
    let mut n = 0;
    let mut places = Vec::new();
    let words = view.filter.to_lowercase();
    let words: Vec<&str> = words.split_whitespace().collect();
    for (at, track) in timeline.tracks().iter().enumerate() {
        if !words.is_empty() {
            let title = timeline.title(track.key());
            if !words.iter().all(|word| title.contains(word)) {
                continue;
            }
        }
        let touching = track.spans.touching(view.camera.window());
        if !touching.is_empty() {
            places.push((n, at, touching.start));
            n += touching.len();
        }
    }
    (places, n)
}

fn spans_ui(
    ui: &mut Ui,
    timeline: &Timeline,
    view: &TimelineView,
    commands: &mut Vec<TimelineCommand>,
) {
    const COLUMNS: Columns<'static> = &[
        ("Span", 0.24, false),
        ("Track", 0.34, false),
        ("Kind", 0.14, false),
        ("Start", 0.14, true),
        ("Duration", 0.14, true),
    ];
    let (places, n) = places(timeline, view);
    let theme = Theme::of(ui.ctx());
    let text = format!("{} in the window", number::counted(n as u64, "span"));
    ui.label(RichText::new(text).color(theme.faint));
    heading(ui, COLUMNS);
    ui.spacing_mut().item_spacing.y = 0.0;
    let area = ScrollArea::vertical()
        .id_salt("table of spans")
        .auto_shrink([false, false]);
    area.show_rows(ui, ROW, n, |ui, rows| {
        for row in rows {
            let of = places.partition_point(|&(before, ..)| before <= row);
            let Some(&(before, track, first)) = of.checked_sub(1).and_then(|of| places.get(of))
            else {
                continue;
            };
            let track = &timeline.tracks()[track];
            let id = track.spans.spans()[first + row - before];
            span_row(ui, timeline, view, (track.key(), id), COLUMNS, commands);
        }
    });
}

fn span_row(
    ui: &mut Ui,
    timeline: &Timeline,
    view: &TimelineView,
    (key, id): (TrackKey, SpanId),
    columns: Columns<'_>,
    commands: &mut Vec<TimelineCommand>,
) {
    let Some(span) = timeline.span(id) else {
        return;
    };
    let duration = span.end.as_picos() - span.start.as_picos();
    let kind = with_pass(span.category.name(), span.pass);
    let cells = [
        timeline.name(span).to_owned(),
        timeline.title(key),
        kind,
        number::secs(span.start.as_seconds().as_secs()),
        number::secs(duration as f64 * 1e-12),
    ];
    let chosen = view.selection == Selection::Span(id);
    if row_ui(ui, ("span", id), columns, &cells, chosen) {
        commands.push(TimelineCommand::Reveal(id));
    }
}
