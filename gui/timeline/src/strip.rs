//! The strip with the whole run, and the axis of time.

use egui::{Align2, CursorIcon, FontId, Rect, Response, Role, Sense, Ui, WidgetInfo, pos2, vec2};

use units::SimTime;

use crate::camera::Camera;
use crate::canvas::{Canvas, Drag};
use crate::command::TimelineCommand;
use crate::frame::{Frame, Side};
use crate::overview::{COLUMNS, runs};
use crate::paint::Shade;
use crate::quad::{Layer, Quad};
use crate::round::{count, pixels, single};
use crate::ruler::{moment, ticks};
use crate::tile::style;

/// The whole run, with the window on it: drag the window, or click where it shall go.
pub(crate) fn overview_ui(
    ui: &Ui,
    frame: &Frame<'_>,
    canvas: &mut Canvas,
    commands: &mut Vec<TimelineCommand>,
) {
    let rect = frame.overview;
    let response = ui.interact(rect, frame.id.with("overview"), Sense::click_and_drag());
    response.widget_info(|| {
        let camera = frame.view.camera;
        let text = format!(
            "{}Overview: {} to {} of {}",
            frame.side.prefix(),
            moment(camera.start(), frame.scale.0),
            moment(camera.end(), frame.scale.0),
            moment(frame.end, 1.0),
        );
        WidgetInfo::labeled(Role::Canvas, true, text)
    });
    let painter = ui.painter().with_clip_rect(rect);
    painter.rect_filled(rect, 2.0, frame.theme.ground);
    let key = vec![
        u64::from(rect.width().to_bits()),
        u64::from(rect.height().to_bits()),
        frame.end.as_picos(),
        u64::from(frame.pixels_per_point.to_bits()),
        u64::from(frame.theme.dark),
    ];
    let layer = match frame.side {
        Side::Other => Layer::OtherOverview,
        Side::Alone | Side::Base => Layer::Overview,
    };
    let batch = canvas.overview.batch(layer, key, || quads(frame));
    canvas.sink.quads(ui.painter(), rect, &batch);
    if let Some(line) = frame.view.ledger {
        path(frame, &painter, line);
    }
    let window = window(frame);
    let shade = frame.theme.panel.gamma_multiply(0.72);
    painter.rect_filled(
        Rect::from_min_max(rect.min, window.left_bottom()),
        0.0,
        shade,
    );
    painter.rect_filled(Rect::from_min_max(window.right_top(), rect.max), 0.0, shade);
    let stroke = egui::Stroke::new(1.5, frame.theme.accent);
    painter.rect_stroke(window, 2.0, stroke, egui::StrokeKind::Inside);
    drag(frame, &response, canvas, commands);
}

/// The window of time on the strip.
fn window(frame: &Frame<'_>) -> Rect {
    let rect = frame.overview;
    let end = frame.end.as_picos().max(1) as f64;
    let x = |picos: u64| rect.left() + single(picos as f64 / end) * rect.width();
    let camera = frame.view.camera;
    let (left, right) = (x(camera.start().as_picos()), x(camera.end().as_picos()));
    // A window of nanoseconds must still be seen and gripped.
    let middle = f32::midpoint(left, right);
    let half = ((right - left) / 2.0).max(3.0);
    Rect::from_x_y_ranges(middle - half..=middle + half, rect.y_range())
}

/// Where a line of the ledger is on the critical path, below the whole run.
fn path(frame: &Frame<'_>, painter: &egui::Painter, line: crate::view::LedgerLine) {
    let rect = frame.overview;
    let end = frame.end.as_picos().max(1) as f64;
    let x = |time: SimTime| rect.left() + single(time.as_picos() as f64 / end) * rect.width();
    let segments = &frame.timeline.path().segments;
    let pixel = (end / f64::from(rect.width().max(1.0))).ceil();
    let mut at = 0;
    while let Some(segment) = segments.get(at) {
        at += 1;
        if crate::ledger::line_of(frame.timeline, segment) != line {
            continue;
        }
        let (left, right) = (x(segment.start), x(segment.end));
        let mark = Rect::from_x_y_ranges(
            left..=right.max(left + 1.0),
            rect.bottom() - 4.0..=rect.bottom(),
        );
        painter.rect_filled(mark, 0.0, frame.theme.accent);
        // At most one mark a pixel.
        let next = SimTime::from_picos(crate::round::shift(segment.end.as_picos(), pixel));
        at += segments[at..].partition_point(|segment| segment.end < next);
    }
}

fn quads(frame: &Frame<'_>) -> Vec<Quad> {
    let overview = frame.timeline.overview();
    let shade = Shade::new(frame.theme);
    // Of two runs the shorter one ends where it ends.
    let lasts = frame.timeline.end().as_picos() as f64 / frame.end.as_picos().max(1) as f64;
    let width = frame.overview.width() * frame.pixels_per_point * single(lasts);
    let height = frame.overview.height() * frame.pixels_per_point - 4.0;
    let each = height / overview.rows.len().max(1) as f32;
    let mut quads = Vec::new();
    for (at, row) in (0_u16..).zip(&overview.rows) {
        let (top, bottom) = (2.0 + f32::from(at) * each, 2.0 + f32::from(at + 1) * each);
        let high = pixels(bottom).saturating_sub(pixels(top));
        let high = if 6 <= high { high - 1 } else { high };
        runs(row, |from, columns, cell| {
            let x = |column: u32| (single(f64::from(column) / f64::from(COLUMNS)) * width).round();
            let (left, right) = (x(from), x(from + columns));
            if let Some((category, pass)) = cell.style
                && left < right
                && 0 < high
            {
                let color = shade.of(style(category, pass), cell.busy);
                quads.push(Quad::new(left, right - left, pixels(top), high, color));
            }
        });
    }
    quads
}

fn drag(
    frame: &Frame<'_>,
    response: &Response,
    canvas: &mut Canvas,
    commands: &mut Vec<TimelineCommand>,
) {
    let Some(pos) = response.interact_pointer_pos() else {
        if matches!(canvas.drag, Some(Drag::Overview(_))) {
            canvas.drag = None;
        }
        return;
    };
    let end = frame.end;
    let camera = frame.view.camera;
    let rect = frame.overview;
    let share = f64::from((pos.x - rect.left()) / rect.width().max(1.0));
    let at = share * end.as_picos() as f64;
    let grip = match canvas.drag {
        Some(Drag::Overview(grip)) => grip,
        _ if window(frame).contains(pos) => {
            (at - camera.start().as_picos() as f64) / camera.span() as f64
        }
        _ => 0.5,
    };
    let start = crate::round::shift(0, (at - grip * camera.span() as f64).max(0.0));
    if response.dragged() {
        canvas.drag = Some(Drag::Overview(grip));
    }
    if response.dragged() || response.clicked() {
        commands.push(TimelineCommand::Look(Camera::new(
            start,
            camera.span(),
            end,
        )));
    }
}

/// The axis of time: click or drag to move the playhead.
pub(crate) fn ruler_ui(
    ui: &Ui,
    frame: &Frame<'_>,
    canvas: &mut Canvas,
    commands: &mut Vec<TimelineCommand>,
) {
    let rect = frame.ruler;
    let response = ui.interact(rect, frame.id.with("ruler"), Sense::click_and_drag());
    response.widget_info(|| {
        let playhead = frame.view.playhead.map_or_else(
            || "no playhead".to_owned(),
            |time| format!("playhead at {}", moment(time, frame.scale.0)),
        );
        WidgetInfo::labeled(
            Role::Slider,
            true,
            format!("{}Time axis, {playhead}", frame.side.prefix()),
        )
    });
    let painter = ui.painter().with_clip_rect(rect);
    let most = count(rect.width() / 110.0).max(1);
    for tick in ticks(frame.view.camera, most) {
        let x = frame.x(tick.time);
        painter.vline(
            x,
            rect.bottom() - 6.0..=rect.bottom(),
            (1.0, frame.theme.faint),
        );
        painter.text(
            pos2(x + 4.0, rect.center().y),
            Align2::LEFT_CENTER,
            tick.text,
            FontId::proportional(11.0),
            frame.theme.faint,
        );
    }
    painter.hline(rect.x_range(), rect.bottom() - 0.5, (1.0, frame.theme.line));
    span_text(ui, frame);
    let dragging = canvas.drag == Some(Drag::Playhead);
    match response.interact_pointer_pos() {
        Some(pos) if response.dragged() || response.clicked() => {
            canvas.drag = response.dragged().then_some(Drag::Playhead);
            commands.push(TimelineCommand::Playhead(frame.time(pos.x)));
        }
        _ if dragging => canvas.drag = None,
        _ => {}
    }
    response.on_hover_cursor(CursorIcon::ResizeHorizontal);
}

/// How long the window is, left of the axis.
fn span_text(ui: &Ui, frame: &Frame<'_>) {
    let camera = frame.view.camera;
    let seen = look::number::secs(camera.span() as f64 * 1e-12);
    let all = look::number::secs(frame.end.as_seconds().as_secs());
    let at = frame.ruler.left_center() - vec2(8.0, 0.0);
    let text = format!("{seen} of {all}");
    let font = FontId::proportional(11.0);
    ui.painter()
        .text(at, Align2::RIGHT_CENTER, text, font, frame.theme.faint);
}
