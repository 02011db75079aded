//! The widget: all of its parts, from top to bottom.

use std::sync::Arc;

use egui::{Align2, FontId, Role, Sense, Ui, WidgetInfo};
use units::SimTime;

use crate::camera::Camera;
use crate::canvas::Canvas;
use crate::command::TimelineCommand;
use crate::frame::{Frame, Side};
use crate::timeline::Timeline;
use crate::view::TimelineView;
use crate::{headers, hits, keys, lanes, overlay, pointer, strip};

/// Draws a timeline over what is left of a panel, and returns what the user asks for.
pub fn timeline_ui(
    ui: &mut Ui,
    timeline: &Arc<Timeline>,
    view: &TimelineView,
    canvas: &mut Canvas,
) -> Vec<TimelineCommand> {
    let header = canvas.header(ui, timeline, view);
    let whole = (Side::Alone, timeline.end(), header);
    side_ui(ui, timeline, view, canvas, whole)
}

/// The same for one of two runs.
///
/// * `header` — how wide titles are, where there is room.
pub(crate) fn side_ui(
    ui: &mut Ui,
    timeline: &Arc<Timeline>,
    view: &TimelineView,
    canvas: &mut Canvas,
    (side, end, header): (Side, SimTime, f32),
) -> Vec<TimelineCommand> {
    if timeline.tracks().is_empty() && timeline.trace().links.is_empty() {
        nothing_ui(ui);
        return Vec::new();
    }
    canvas.turn_to(timeline);
    let rows = canvas.rows(timeline, view);
    // A window of another run may reach beyond the end of this one.
    let aim = Camera::new(view.camera.start().as_picos(), view.camera.span(), end);
    let on_the_way;
    let view = match ease(ui, canvas, aim) {
        camera if camera == view.camera => view,
        camera => {
            on_the_way = TimelineView {
                camera,
                ..view.clone()
            };
            &on_the_way
        }
    };
    let frame = Frame::new(ui, timeline, view, rows, (side, end, header));
    let mut commands = Vec::new();
    ui.allocate_rect(frame.rect(), Sense::hover());
    ui.painter()
        .rect_filled(frame.rect(), 0.0, frame.theme.panel);
    if frame.overview.is_positive() {
        strip::overview_ui(ui, &frame, canvas, &mut commands);
    }
    if frame.ruler.is_positive() {
        strip::ruler_ui(ui, &frame, canvas, &mut commands);
    }
    hits::hits_ui(ui, &frame, canvas);
    lanes::lanes_ui(ui, &frame, aim, canvas);
    overlay::overlay_ui(ui, &frame);
    headers::headers_ui(ui, &frame, &mut commands);
    let response = pointer::lanes_ui(ui, &frame, canvas, &mut commands);
    pointer::scroll_bar_ui(ui, &frame, canvas, &mut commands);
    // Two runs share their keys.
    if side != Side::Other && canvas.listens {
        keys::keys(ui, &frame, &response, &mut commands);
    }
    if reveal(&frame, canvas, &mut commands) {
        ui.ctx().request_repaint();
    }
    canvas.tiles.tidy();
    commands
}

/// The window of time that is drawn now: on its way to the one that is asked for.
fn ease(ui: &Ui, canvas: &mut Canvas, aim: Camera) -> Camera {
    if canvas.drag.is_some() {
        canvas.ease.stop();
    }
    let clock = (ui.input(|input| input.time), ui.style().animation_time);
    let camera = canvas.ease.step(aim, clock, canvas.tiles.complete);
    if canvas.ease.is_under_way() {
        ui.ctx().request_repaint();
    }
    camera
}

fn nothing_ui(ui: &mut Ui) {
    let theme = look::Theme::of(ui.ctx());
    let text = "Nothing ran: the trace has neither spans nor loads of links";
    let (rect, response) = ui.allocate_exact_size(ui.available_size(), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, text));
    ui.painter().text(
        rect.center(),
        Align2::CENTER_CENTER,
        text,
        FontId::proportional(14.0),
        theme.faint,
    );
}

/// Scrolls to a span that was selected elsewhere, or to the lane that has most of a line of the ledger. Whether
/// it has to.
fn reveal(frame: &Frame<'_>, canvas: &mut Canvas, commands: &mut Vec<TimelineCommand>) -> bool {
    let (selection, line) = (&frame.view.selection, frame.view.ledger);
    let mut target = None;
    if canvas.ledger != line {
        canvas.ledger = line;
        target = line.and_then(|line| crate::ledger::longest(frame.timeline, line));
    }
    if canvas.selected != *selection {
        canvas.selected = selection.clone();
        target = selection.span();
    }
    let rect = target.and_then(|id| frame.span_rect(id));
    let Some(rect) = rect else { return false };
    let seen = frame.scrolled.y_range();
    if seen.min <= rect.top() && rect.bottom() <= seen.max {
        return false;
    }
    let middle = rect.center().y - frame.scrolled.center().y;
    let scroll = (frame.scroll + middle).clamp(0.0, frame.most_scroll());
    commands.push(TimelineCommand::Scroll(scroll));
    true
}
