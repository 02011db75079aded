//! What the pointer does over the lanes.

use egui::{CursorIcon, PointerButton, Pos2, Rect, Response, Role, Sense, Ui, WidgetInfo, vec2};
use units::SimTime;

use crate::canvas::{Canvas, Drag};
use crate::command::TimelineCommand;
use crate::frame::Frame;
use crate::key::TrackKey;
use crate::rows::Shows;
use crate::tooltip::tooltip_ui;
use crate::view::Selection;

/// Wheel, click and drag over the lanes.
pub(crate) fn lanes_ui(
    ui: &Ui,
    frame: &Frame<'_>,
    canvas: &mut Canvas,
    commands: &mut Vec<TimelineCommand>,
) -> Response {
    let id = frame.id.with("lanes");
    let response = ui.interact(frame.lanes, id, Sense::click_and_drag());
    response.widget_info(|| WidgetInfo::labeled(Role::Canvas, true, lanes_name(frame)));
    if response.hovered() {
        wheel(ui, frame, commands);
    }
    drags(ui, frame, &response, canvas, commands);
    if response.clicked()
        && let Some(pos) = response.interact_pointer_pos()
    {
        response.request_focus();
        commands.push(TimelineCommand::Select(click(frame, pos)));
    }
    if response.double_clicked() {
        commands.push(TimelineCommand::Fit);
    }
    if canvas.drag.is_none() {
        tooltip_ui(frame, &response);
    }
    response
}

fn lanes_name(frame: &Frame<'_>) -> String {
    let rows = frame.rows.scrolled.len() + frame.rows.pinned.len();
    let selected = match &frame.view.selection {
        Selection::None | Selection::Other(_) => "nothing selected".to_owned(),
        Selection::Span(id) => {
            let span = frame.timeline.span(*id);
            let name = span.map_or("", |span| frame.timeline.name(span));
            format!("span {name} selected")
        }
        Selection::Range { tracks, .. } => {
            format!(
                "a range over {} selected",
                look::number::counted(tracks.len() as u64, "track")
            )
        }
    };
    format!(
        "Timeline, {}, {selected}",
        look::number::counted(rows as u64, "row")
    )
}

fn wheel(ui: &Ui, frame: &Frame<'_>, commands: &mut Vec<TimelineCommand>) {
    let (zoom, scroll, pointer, alt) = ui.input(|input| {
        let alt = input.modifiers.alt;
        (
            input.zoom_delta(),
            input.smooth_scroll_delta(),
            input.pointer.hover_pos(),
            alt,
        )
    });
    if 1e-4 < (zoom - 1.0).abs() {
        commands.push(TimelineCommand::Zoom {
            about: pointer.map(|pos| frame.time(pos.x)),
            factor: f64::from(zoom),
        });
    }
    if 0.01 < scroll.x.abs() {
        let share = -f64::from(scroll.x / frame.lanes.width().max(1.0));
        commands.push(TimelineCommand::Pan(share));
    }
    if 0.01 < scroll.y.abs() {
        commands.push(if alt {
            let factor = (scroll.y / 200.0).exp();
            TimelineCommand::RowHeight(frame.view.row_height * factor)
        } else {
            let to = (frame.scroll - scroll.y).clamp(0.0, frame.most_scroll());
            TimelineCommand::Scroll(to)
        });
    }
}

fn drags(
    ui: &Ui,
    frame: &Frame<'_>,
    response: &Response,
    canvas: &mut Canvas,
    commands: &mut Vec<TimelineCommand>,
) {
    let (origin, pos) =
        ui.input(|input| (input.pointer.press_origin(), input.pointer.latest_pos()));
    if response.drag_started_by(PointerButton::Primary)
        && let Some(origin) = origin
    {
        let top = origin.y - frame.scrolled.top() + frame.scroll;
        canvas.drag = Some(Drag::Range(frame.time(origin.x), top));
    }
    if response.dragged_by(PointerButton::Middle) {
        let by = response.drag_delta();
        let share = -f64::from(by.x / frame.lanes.width().max(1.0));
        commands.push(TimelineCommand::Pan(share));
        commands.push(TimelineCommand::Scroll(
            (frame.scroll - by.y).clamp(0.0, frame.most_scroll()),
        ));
        canvas.drag = Some(Drag::Pan);
    }
    if let (Some(Drag::Range(time, top)), Some(pos)) = (canvas.drag, pos)
        && (response.dragged_by(PointerButton::Primary) || response.drag_stopped())
        && let Some(selection) = range(frame, (time, top), pos)
    {
        commands.push(TimelineCommand::Select(selection));
    }
    if response.drag_stopped() {
        canvas.drag = None;
    }
    if canvas.drag == Some(Drag::Pan) {
        ui.set_cursor_icon(CursorIcon::Grabbing);
    }
}

/// What a click selects.
fn click(frame: &Frame<'_>, pos: Pos2) -> Selection {
    frame
        .hit(pos)
        .map_or(Selection::None, |hit| Selection::Span(hit.span))
}

/// The range that a drag covers: the tracks of all rows between its corners.
fn range(frame: &Frame<'_>, (from, top): (SimTime, f32), to: Pos2) -> Option<Selection> {
    let time = frame.time(to.x.clamp(frame.lanes.left(), frame.lanes.right()));
    let y = to.y.clamp(frame.lanes.top(), frame.lanes.bottom());
    let bottom = y - frame.scrolled.top() + frame.scroll;
    let (from, to) = (from.min(time), from.max(time));
    if from == to {
        return None;
    }
    let (top, bottom) = (top.min(bottom), top.max(bottom));
    let mut tracks: Vec<TrackKey> = Vec::new();
    // Rows that stay at the top lie above those that scroll.
    let above = frame.scroll - frame.rows.pinned_height();
    let pinned = frame.rows.pinned.iter().filter(|row| {
        let y = above + row.y;
        top < y + row.height && y < bottom && top < frame.scroll
    });
    let scrolled = frame.rows.between(top.max(0.0), bottom.max(0.0) + 0.01);
    for row in pinned.chain(scrolled) {
        match &row.shows {
            Shows::Spans(list) => tracks.extend(
                list.iter()
                    .map(|&at| frame.timeline.tracks()[at as usize].key()),
            ),
            Shows::Counter(key) => tracks.push(*key),
            Shows::Title => {}
        }
    }
    tracks.sort_unstable();
    tracks.dedup();
    Some(Selection::Range { from, to, tracks })
}

/// The bar at the right that shows which rows are seen.
pub(crate) fn scroll_bar_ui(
    ui: &Ui,
    frame: &Frame<'_>,
    canvas: &mut Canvas,
    commands: &mut Vec<TimelineCommand>,
) {
    let rect = frame.scroll_bar;
    let most = frame.most_scroll();
    if most <= 0.0 {
        return;
    }
    let response = ui.interact(rect, frame.id.with("scroll bar"), Sense::click_and_drag());
    response.widget_info(|| {
        let text = format!("{}Scroll lanes", frame.side.prefix());
        WidgetInfo::labeled(Role::Slider, true, text)
    });
    let share = rect.height() / frame.rows.height();
    let height = (share * rect.height()).clamp(24.0_f32.min(rect.height()), rect.height());
    let room = rect.height() - height;
    let top = rect.top() + room * frame.scroll / most;
    let handle = Rect::from_min_size(
        egui::pos2(rect.left() + 2.0, top),
        vec2(rect.width() - 4.0, height),
    );
    let color = if response.hovered() || response.dragged() {
        frame.theme.faint
    } else {
        frame.theme.control_hovered
    };
    ui.painter().rect_filled(handle, 3.0, color);
    if response.dragged() {
        canvas.drag = Some(Drag::Scroll);
        let by = response.drag_delta().y * most / room.max(1.0);
        commands.push(TimelineCommand::Scroll(
            (frame.scroll + by).clamp(0.0, most),
        ));
    } else if canvas.drag == Some(Drag::Scroll) {
        canvas.drag = None;
    }
}
