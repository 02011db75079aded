//! Titles of rows: fold, pin, and what a reader hears.

use egui::{
    Align2, Color32, FontId, Painter, Rect, Role, Sense, Shape, Stroke, Ui, WidgetInfo, pos2, vec2,
};
use look::number;

use crate::command::TimelineCommand;
use crate::frame::Frame;
use crate::key::TrackKey;
use crate::rows::{Row, RowKey, Rows, Shows};
use crate::timeline::Timeline;

/// The least and the greatest width of the titles, in points.
const WIDTHS: std::ops::RangeInclusive<f32> = 120.0..=320.0;
/// Titles that are measured: the longest by their letters.
const MEASURED: usize = 24;
/// Left of a title of no depth, and right of all: the pin.
const MARGINS: (f32, f32) = (8.0, 22.0);
/// A step of depth, and the triangle of what folds.
const STEPS: (f32, f32) = (12.0, 14.0);
const TITLE: f32 = 12.0;
const PEAK: f32 = 10.0;

/// As wide as titles need.
pub(crate) fn width(painter: &Painter, timeline: &Timeline, rows: &Rows) -> f32 {
    let all = rows.pinned.iter().chain(&rows.scrolled);
    let letters = |row: &Row| {
        let counter = 12 * usize::from(matches!(row.shows, Shows::Counter(_)));
        row.title.chars().count() + counter + 2 * usize::from(row.depth)
    };
    let mut all: Vec<&Row> = all.collect();
    all.sort_by_key(|row| std::cmp::Reverse(letters(row)));
    let text = |text: String, size: f32| {
        let galley = painter.layout_no_wrap(text, FontId::proportional(size), Color32::WHITE);
        galley.size().x
    };
    let need = all.into_iter().take(MEASURED).map(|row| {
        let triangle = row.folded.map_or(0.0, |_| STEPS.1);
        let peak = match row.shows {
            Shows::Counter(key) => peak(timeline, key),
            _ => None,
        };
        let peak = peak.map_or(0.0, |peak| text(peak, PEAK) + 6.0);
        let indent = MARGINS.0 + STEPS.0 * f32::from(row.depth);
        indent + triangle + text(row.title.clone(), TITLE) + 1.0 + peak + MARGINS.1
    });
    let need = need.fold(0.0, f32::max).ceil();
    need.clamp(*WIDTHS.start(), *WIDTHS.end())
}

/// Titles of the rows that are seen.
pub(crate) fn headers_ui(ui: &Ui, frame: &Frame<'_>, commands: &mut Vec<TimelineCommand>) {
    let n_pinned = frame.rows.pinned.len();
    for ((row, rect), place) in frame.seen().zip(0..) {
        let area = if place < n_pinned {
            Rect::from_x_y_ranges(
                frame.headers.x_range(),
                frame.headers.top()..=frame.scrolled.top(),
            )
        } else {
            Rect::from_x_y_ranges(frame.headers.x_range(), frame.scrolled.y_range())
        };
        let rect = Rect::from_x_y_ranges(frame.headers.x_range(), rect.y_range());
        header_ui(ui, frame, (row, rect, area), commands);
    }
    let painter = ui.painter();
    if n_pinned != 0 {
        let x = frame.headers.left()..=frame.lanes.right();
        painter.hline(x, frame.scrolled.top(), (1.0, frame.theme.faint));
    }
    painter.vline(
        frame.lanes.left(),
        frame.lanes.y_range(),
        (1.0, frame.theme.line),
    );
}

fn header_ui(
    ui: &Ui,
    frame: &Frame<'_>,
    (row, rect, area): (&Row, Rect, Rect),
    commands: &mut Vec<TimelineCommand>,
) {
    let seen = rect.intersect(area);
    if seen.height() < 1.0 {
        return;
    }
    let response = ui.interact(seen, frame.id.with(row.key), Sense::click());
    response.widget_info(|| {
        let name = match row.folded {
            Some(true) => format!("{}{}, folded", frame.side.prefix(), row.name),
            _ => format!("{}{}", frame.side.prefix(), row.name),
        };
        WidgetInfo::labeled(Role::Button, true, name)
    });
    let painter = ui.painter().with_clip_rect(area);
    let active = response.hovered() || response.has_focus();
    if active {
        painter.rect_filled(rect, 2.0, frame.theme.raised);
    }
    if response.has_focus() {
        let stroke = Stroke::new(1.5, frame.theme.accent);
        painter.rect_stroke(rect.shrink(1.0), 2.0, stroke, egui::StrokeKind::Inside);
    }
    title(&painter, frame, row, rect);
    if response.clicked()
        && let RowKey::Fold(fold) = row.key
    {
        commands.push(TimelineCommand::ToggleFold(fold));
    }
    if let Some(track) = row.track() {
        pin_ui(ui, frame, (track, rect, area), active, commands);
    }
    if 13.0 <= row.height {
        response.on_hover_text(&row.name);
    }
}

fn title(painter: &Painter, frame: &Frame<'_>, row: &Row, rect: Rect) {
    let indent = MARGINS.0 + STEPS.0 * f32::from(row.depth);
    if row.height < 11.0 {
        return;
    }
    let color = match row.key {
        RowKey::Fold(_) | RowKey::Pinned(_) => frame.theme.text,
        RowKey::Track(_) | RowKey::Thin(_) => frame.theme.faint,
    };
    let mut left = rect.left() + indent;
    if let Some(folded) = row.folded {
        triangle(painter, pos2(left + 3.0, rect.center().y), folded, color);
        left += STEPS.1;
    }
    let size = if row.height < 16.0 { 10.0 } else { TITLE };
    let mut room = rect.right() - left - MARGINS.1;
    if let Shows::Counter(key) = row.shows
        && let Some(peak) = peak(frame.timeline, key)
    {
        let font = FontId::proportional(PEAK);
        let galley = painter.layout_no_wrap(peak, font, frame.theme.faint);
        let width = galley.size().x;
        let at = pos2(rect.right() - 24.0, rect.center().y);
        let place = Align2::RIGHT_CENTER.anchor_size(at, galley.size()).min;
        painter.galley(place, galley, frame.theme.faint);
        room -= width + 6.0;
    }
    let mut job = egui::text::LayoutJob::simple_singleline(
        row.title.clone(),
        FontId::proportional(size),
        color,
    );
    job.wrap = egui::text::TextWrapping::truncate_at_width(room.max(0.0));
    let galley = painter.layout_job(job);
    let at = pos2(left, rect.center().y);
    let place = Align2::LEFT_CENTER.anchor_size(at, galley.size()).min;
    painter.galley(place, galley, color);
}

/// The highest level of a counter: the scale of its row.
fn peak(timeline: &Timeline, key: TrackKey) -> Option<String> {
    match key {
        TrackKey::Memory { lane } => {
            let most = units::Bytes::from_f64(timeline.memory(lane)?.most());
            Some(format!("peak {}", number::bytes(most)))
        }
        TrackKey::Link { link } => {
            let most = timeline.link(link)?.most();
            Some(format!("peak {}", number::percent(most)))
        }
        TrackKey::Stream { .. } => None,
    }
}

/// Points right where something is folded, and down where it is not.
fn triangle(painter: &Painter, middle: egui::Pos2, folded: bool, color: Color32) {
    let corners = if folded {
        [vec2(-2.0, -4.0), vec2(3.0, 0.0), vec2(-2.0, 4.0)]
    } else {
        [vec2(-4.0, -2.0), vec2(4.0, -2.0), vec2(0.0, 3.0)]
    };
    let corners = corners.map(|corner| middle + corner).to_vec();
    painter.add(Shape::convex_polygon(corners, color, Stroke::NONE));
}

/// The button that keeps a track at the top; drawn where it is of use.
fn pin_ui(
    ui: &Ui,
    frame: &Frame<'_>,
    (track, rect, area): (TrackKey, Rect, Rect),
    active: bool,
    commands: &mut Vec<TimelineCommand>,
) {
    if rect.height() < 13.0 {
        return;
    }
    let middle = pos2(rect.right() - 13.0, rect.center().y);
    let button = Rect::from_center_size(middle, vec2(18.0, rect.height().min(18.0)));
    let seen = button.intersect(area);
    if !seen.is_positive() {
        return;
    }
    let pinned = frame.view.pinned.contains(&track);
    // A pinned track is seen twice, and its buttons are two.
    let id = frame
        .id
        .with(("pin", track, rect.top() < frame.scrolled.top()));
    let response = ui.interact(seen, id, Sense::click());
    let verb = if pinned { "Unpin" } else { "Pin" };
    let place = if pinned && frame.scrolled.top() <= rect.top() {
        " below"
    } else {
        ""
    };
    response.widget_info(|| {
        let text = format!(
            "{}{verb} {}{place}",
            frame.side.prefix(),
            frame.timeline.title(track)
        );
        WidgetInfo::selected(Role::Button, true, pinned, text)
    });
    let active = active || response.hovered() || response.has_focus();
    if pinned || active {
        let color = if pinned {
            frame.theme.accent
        } else {
            frame.theme.faint
        };
        let painter = ui.painter().with_clip_rect(area);
        pin(&painter, middle, pinned, color);
        if response.has_focus() {
            painter.rect_stroke(
                button,
                3.0,
                Stroke::new(1.5, frame.theme.accent),
                egui::StrokeKind::Inside,
            );
        }
    }
    if response.clicked() {
        commands.push(TimelineCommand::TogglePin(track));
    }
    response.on_hover_text(if pinned {
        "No longer keep at the top"
    } else {
        "Keep at the top"
    });
}

fn pin(painter: &Painter, middle: egui::Pos2, filled: bool, color: Color32) {
    let head = middle - vec2(0.0, 2.0);
    let stroke = Stroke::new(1.3, color);
    if filled {
        painter.circle_filled(head, 3.5, color);
    } else {
        painter.circle_stroke(head, 3.0, stroke);
    }
    painter.line_segment([head + vec2(0.0, 3.0), head + vec2(0.0, 8.0)], stroke);
}
