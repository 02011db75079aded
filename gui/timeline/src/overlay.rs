//! What lies on top of the spans: selection, arrows, playhead, marks.

use egui::epaint::CubicBezierShape;
use egui::{
    Align2, Color32, FontId, Painter, Pos2, Rect, Shape, Stroke, StrokeKind, Ui, pos2, vec2,
};
use look::palette;
use trace::SpanId;

use crate::frame::Frame;
use crate::ruler::moment;
use crate::view::{LedgerLine, Overlay, Selection};

/// Causes of a chain at most.
pub(crate) const MOST_CHAIN: usize = 200;
/// Arrows to effects at most.
const MOST_EFFECTS: usize = 64;

/// Draws it.
pub(crate) fn overlay_ui(ui: &Ui, frame: &Frame<'_>) {
    let painter = ui.painter().with_clip_rect(frame.scrolled);
    if let Some(line) = frame.view.ledger {
        ledger(frame, &painter, line);
    }
    selection(ui, frame, &painter);
    if let Some(id) = frame.view.selection.span() {
        arrows(frame, &painter, id);
    }
    let full = Rect::from_min_max(frame.ruler.min, frame.lanes.max);
    let painter = ui.painter().with_clip_rect(full);
    if frame.timeline.end() < frame.view.camera.end() {
        let x = frame.x(frame.timeline.end());
        painter.vline(
            x,
            frame.lanes.y_range(),
            Stroke::new(1.0, frame.theme.faint),
        );
    }
    for &time in &frame.view.marks {
        let x = frame.x(time);
        painter.vline(x, full.y_range(), Stroke::new(1.0, frame.theme.warn));
        flag(&painter, frame, x, &moment(time, frame.scale.0));
    }
    if let Some(time) = frame.view.playhead {
        let right = full.right() - 1.0;
        let x = frame.x(time);
        // At the end of the window it stands before the edge, and beyond the end of the run its moment
        // does.
        let x = if time == frame.view.camera.end() {
            x.min(right)
        } else {
            x
        };
        if frame.end < time && frame.view.camera.end() == frame.end {
            beyond(&painter, frame, right, &moment(time, frame.scale.0));
        }
        painter.vline(x, full.y_range(), Stroke::new(1.5, frame.theme.playhead));
        let top = frame.ruler.top();
        let corners = [vec2(-5.0, 0.0), vec2(5.0, 0.0), vec2(0.0, 7.0)];
        let corners = corners.map(|corner| pos2(x, top) + corner).to_vec();
        painter.add(Shape::convex_polygon(
            corners,
            frame.theme.playhead,
            Stroke::NONE,
        ));
    }
}

/// Where the playhead is, at the right edge: a run that is shown elsewhere lasts longer.
fn beyond(painter: &Painter, frame: &Frame<'_>, x: f32, text: &str) {
    let text = format!("playhead at {text} ›");
    let font = FontId::proportional(10.0);
    let galley = painter.layout_no_wrap(text, font, frame.theme.playhead);
    let size = galley.size() + vec2(8.0, 2.0);
    let rect = Rect::from_min_size(pos2(x - size.x, frame.ruler.top()), size);
    // No half of a moment of the axis below it.
    let ground = rect.with_max_y(frame.ruler.bottom() - 1.0);
    painter.rect_filled(ground, 2.0, frame.theme.raised);
    painter.galley(rect.min + vec2(4.0, 1.0), galley, frame.theme.playhead);
}

/// The moment of a mark beside it.
fn flag(painter: &Painter, frame: &Frame<'_>, x: f32, text: &str) {
    let font = FontId::proportional(10.0);
    let galley = painter.layout_no_wrap(text.to_owned(), font, frame.theme.warn);
    let rect = Rect::from_min_size(pos2(x, frame.ruler.top()), galley.size() + vec2(8.0, 2.0));
    painter.rect_filled(rect, 2.0, frame.theme.raised);
    painter.galley(rect.min + vec2(4.0, 1.0), galley, frame.theme.warn);
}

fn selection(ui: &Ui, frame: &Frame<'_>, painter: &Painter) {
    match &frame.view.selection {
        Selection::None | Selection::Other(_) => {}
        Selection::Span(id) => {
            if let Some(rect) = frame.span_rect(*id) {
                outline(frame, painter, rect);
            }
        }
        Selection::Range { from, to, tracks } => {
            let (left, right) = (frame.x(*from), frame.x(*to));
            let painter = ui.painter().with_clip_rect(frame.lanes);
            let fill = frame.theme.accent.gamma_multiply(0.14);
            for (row, rect) in frame.seen() {
                let own = row.track().is_some_and(|key| tracks.contains(&key));
                let inside = own || holds_one(frame, row, tracks);
                if inside {
                    let rect = Rect::from_x_y_ranges(left..=right, rect.y_range());
                    painter.rect_filled(rect, 0.0, fill);
                }
            }
            let stroke = Stroke::new(1.0, frame.theme.accent);
            painter.vline(left, frame.lanes.y_range(), stroke);
            painter.vline(right, frame.lanes.y_range(), stroke);
            range_text(
                frame,
                &painter,
                (left, right),
                to.as_picos() - from.as_picos(),
            );
        }
    }
}

/// Whether a row that stands for several tracks shows one of some.
fn holds_one(frame: &Frame<'_>, row: &crate::rows::Row, tracks: &[crate::key::TrackKey]) -> bool {
    let crate::rows::Shows::Spans(list) = &row.shows else {
        return false;
    };
    let all = frame.timeline.tracks();
    let first = list.first().map(|&at| all[at as usize].key());
    first.is_some_and(|key| tracks.binary_search(&key).is_ok())
}

fn range_text(frame: &Frame<'_>, painter: &Painter, (left, right): (f32, f32), picos: u64) {
    let text = look::number::secs(picos as f64 * 1e-12);
    let font = FontId::proportional(11.0);
    let galley = painter.layout_no_wrap(text, font, frame.theme.text);
    let size = galley.size() + vec2(10.0, 4.0);
    let middle = pos2(
        f32::midpoint(left, right),
        frame.lanes.top() + size.y / 2.0 + 2.0,
    );
    let rect = Rect::from_center_size(middle, size);
    painter.rect_filled(rect, 3.0, frame.theme.raised);
    painter.galley(rect.min + vec2(5.0, 2.0), galley, frame.theme.text);
}

fn outline(frame: &Frame<'_>, painter: &Painter, rect: Rect) {
    let rect = rect.expand2(vec2(1.0, 0.0));
    painter.rect_stroke(
        rect,
        1.0,
        Stroke::new(3.0, frame.theme.ground),
        StrokeKind::Outside,
    );
    painter.rect_stroke(
        rect,
        1.0,
        Stroke::new(2.0, frame.theme.accent),
        StrokeKind::Outside,
    );
}

/// Lifts the spans of the path that a line of the ledger sums up, at most one per pixel, above all others.
fn ledger(frame: &Frame<'_>, painter: &Painter, line: LedgerLine) {
    /// Stretches that are looked at in a frame.
    const MOST: usize = 100_000;
    painter.rect_filled(frame.lanes, 0.0, frame.theme.ground.gamma_multiply(0.68));
    let window = frame.view.camera.window();
    let segments = &frame.timeline.path().segments;
    let mut at = segments.partition_point(|segment| segment.end <= window.start);
    let stop = segments.partition_point(|segment| segment.start < window.end);
    let stop = stop.min(at.saturating_add(MOST));
    while let Some(segment) = segments[..stop].get(at) {
        at += 1;
        if crate::ledger::line_of(frame.timeline, segment) != line {
            continue;
        }
        let (left, right) = (frame.x(segment.start), frame.x(segment.end));
        if let Some(rect) = frame.span_rect(segment.span) {
            let rect = Rect::from_x_y_ranges(left..=right.max(left + 1.5), rect.y_range());
            let color = match line {
                LedgerLine::Work(category) => palette::category(category),
                LedgerLine::Waiting => frame.theme.hatch,
            };
            painter.rect_filled(rect, 0.0, color);
            if 6.0 <= rect.width() {
                let stroke = Stroke::new(1.5, frame.theme.accent);
                painter.rect_stroke(rect, 1.0, stroke, StrokeKind::Inside);
            }
        }
        let next = frame.time(right + frame.pixels_per_point.recip());
        at += segments[at..stop].partition_point(|segment| segment.end < next);
    }
}

/// Arrows from the cause, to the effects, and along the chain behind a span.
fn arrows(frame: &Frame<'_>, painter: &Painter, id: SpanId) {
    if frame.view.shows(Overlay::Chain) {
        let chain = frame.timeline.chain(id, MOST_CHAIN);
        let mut to = id;
        for &cause in &chain {
            arrow(frame, painter, (cause, to), frame.theme.warn);
            to = cause;
        }
        let more = chain.len() == MOST_CHAIN && frame.timeline.cause(to).is_some();
        if let Some(rect) = frame.span_rect(id).filter(|_| !chain.is_empty()) {
            let more = if more { " and more" } else { "" };
            let text = look::number::counted(chain.len() as u64, "cause");
            let at = rect.right_top() + vec2(4.0, -2.0);
            let font = FontId::proportional(11.0);
            painter.text(
                at,
                Align2::LEFT_BOTTOM,
                format!("{text}{more}"),
                font,
                frame.theme.warn,
            );
        }
    }
    if frame.view.shows(Overlay::Arrows) {
        for &effect in frame.timeline.effects(id).iter().take(MOST_EFFECTS) {
            arrow(frame, painter, (id, effect), frame.theme.faint);
        }
        if let Some(cause) = frame.timeline.cause(id) {
            arrow(frame, painter, (cause, id), frame.theme.accent);
        }
    }
}

/// A curve from the end of a span to the start of one that it released.
fn arrow(frame: &Frame<'_>, painter: &Painter, (from, to): (SpanId, SpanId), color: Color32) {
    let (Some(a), Some(b)) = (frame.span_rect(from), frame.span_rect(to)) else {
        return;
    };
    let (start, end) = (a.right_center(), b.left_center());
    let apart = |y: f32| y < frame.scrolled.top() - 400.0 || frame.scrolled.bottom() + 400.0 < y;
    if apart(start.y) && apart(end.y) {
        return;
    }
    let bend = ((end.x - start.x).abs() / 2.0).clamp(6.0, 60.0);
    let points = [start, start + vec2(bend, 0.0), end - vec2(bend, 0.0), end];
    // A border keeps the curve apart from the spans that it crosses.
    for stroke in [
        Stroke::new(3.5, frame.theme.ground),
        Stroke::new(1.5, color),
    ] {
        let shape =
            CubicBezierShape::from_points_stroke(points, false, Color32::TRANSPARENT, stroke);
        painter.add(shape);
    }
    head(painter, end, color);
}

fn head(painter: &Painter, tip: Pos2, color: Color32) {
    let corners = vec![tip, tip + vec2(-7.0, -4.0), tip + vec2(-7.0, 4.0)];
    painter.add(Shape::convex_polygon(corners, color, Stroke::NONE));
}
