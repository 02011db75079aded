//! The graph: pan, zoom, fold, point at links.

use egui::{Key, PointerButton, Pos2, Rect, Role, Sense, Ui, WidgetInfo, vec2};
use look::{Theme, number};
use units::LinkId;

use super::Command;
use super::boxes::Boxes;
use super::camera::Camera;
use super::scene::Scene;
use super::wires::{Half, Wires};

/// Room for the names of levels.
const GUTTER: f32 = 68.0;

/// How a graph is shown.
pub(super) struct GraphView<'a> {
    /// What tells it from another one beside it.
    pub(super) of: Option<&'a str>,
    /// The camera; none to see everything.
    pub(super) camera: Option<Camera>,
    /// The link that stands out.
    pub(super) selected: Option<LinkId>,
    /// The device or group that stands out, by its name.
    pub(super) part: Option<&'a str>,
}

/// Draws a graph into a rectangle.
pub(super) fn graph_ui(
    ui: &mut Ui,
    rect: Rect,
    scene: &Scene,
    shares: &[f64],
    view: &GraphView<'_>,
) -> Vec<Command> {
    let theme = Theme::of(ui.ctx());
    let painter = ui.painter_at(rect);
    painter.rect_filled(rect, 0.0, theme.ground);
    let id = ui.scope_id().with(("graph", view.of));
    // Without levels there are no names of levels.
    let gutter = if scene.graph.plan.bands.is_empty() {
        8.0
    } else {
        GUTTER
    };
    let screen = Rect::from_min_max(rect.min + vec2(gutter, 8.0), rect.max - vec2(8.0, 8.0));
    let whole = Camera::fitting(scene.graph.plan.bounds, screen.size());
    let camera = view.camera.unwrap_or(whole);
    let of = view.of.map_or(String::new(), |of| format!(", {of}"));
    let response = ui.interact(rect, id, Sense::click_and_drag());
    response.widget_info(|| WidgetInfo::labeled(Role::Figure, true, name(scene, &of)));
    let seen = rect.with_min_x(rect.left() + gutter);
    let boxes = Boxes {
        graph: &scene.graph,
        camera,
        screen: seen_of(seen, screen),
        theme,
        id,
        of,
        selected: view.part,
    };
    let wires = Wires {
        scene,
        shares,
        camera,
        screen: boxes.screen,
        theme,
    };
    let inside = painter.with_clip_rect(seen);
    boxes.frames(&inside);
    let over_part = over_part(ui, &boxes);
    let hovered = response
        .hover_pos()
        .filter(|_| !over_part)
        .and_then(|at| wires.near(at));
    wires.paint(&inside, &marked(scene, view.selected, hovered, theme));
    let mut commands = boxes.parts_ui(ui, &inside);
    boxes.bands(&painter, rect.with_max_x(rect.left() + gutter));
    commands.extend(link_ui(ui, &wires, hovered, &response));
    commands.extend(moved(ui, &response, camera, boxes.screen));
    if let Some(left_out) = &scene.graph.view.left_out {
        let at = seen.left_bottom() + vec2(8.0, -8.0);
        let font = egui::FontId::proportional(11.0);
        painter.text(at, egui::Align2::LEFT_BOTTOM, left_out, font, theme.faint);
    }
    if response.has_focus() {
        let stroke = egui::Stroke::new(1.5, theme.accent);
        painter.rect_stroke(rect, 2.0, stroke, egui::StrokeKind::Inside);
    }
    commands
}

/// The camera looks at the middle of what is inside the margins.
fn seen_of(seen: Rect, screen: Rect) -> Rect {
    Rect::from_center_size(screen.center(), seen.size())
}

fn name(scene: &Scene, of: &str) -> String {
    let view = &scene.graph.view;
    format!(
        "Graph of {}{of}: {}, {}, {}",
        view.groups
            .first()
            .map_or("the cluster", |group| group.name.as_str()),
        number::counted(view.groups.len() as u64, "group"),
        number::counted(view.devices.len() as u64, "device"),
        number::counted(view.cables.len() as u64, "cable"),
    )
}

fn over_part(ui: &Ui, boxes: &Boxes<'_>) -> bool {
    let Some(at) = ui.input(|input| input.pointer.hover_pos()) else {
        return false;
    };
    let mut places = boxes.graph.plan.places.values();
    places.any(|rect| boxes.camera.rect(*rect, boxes.screen).contains(at))
}

/// Halves with a halo.
fn marked(
    scene: &Scene,
    selected: Option<LinkId>,
    hovered: Option<Half>,
    theme: Theme,
) -> Vec<(Half, egui::Color32)> {
    let selected = selected.and_then(|link| scene.graph.cable_of(link));
    let halves = [(hovered, theme.control_hovered), (selected, theme.accent)];
    let halves = halves.into_iter();
    halves
        .filter_map(|(half, color)| Some((half?, color)))
        .collect()
}

/// The link under the pointer tells what it is, and is selected by a click.
fn link_ui(
    ui: &Ui,
    wires: &Wires<'_>,
    hovered: Option<Half>,
    response: &egui::Response,
) -> Option<Command> {
    let Some(half) = hovered else {
        // A click beside everything selects nothing.
        return response.clicked().then_some(Command::Select(None));
    };
    let sentence = wires.sentence(half);
    if let Some(bounds) = wires.bounds(half) {
        let node = ui.interact(bounds, response.id.with("link"), Sense::hover());
        node.widget_info(|| WidgetInfo::labeled(Role::Label, true, &sentence));
    }
    ui.ctx().set_cursor_icon(egui::CursorIcon::PointingHand);
    response.clone().on_hover_text_at_pointer(sentence);
    response
        .clicked()
        .then(|| Command::Select(wires.scene.link(half.0, half.1, wires.shares)))
}

/// What dragging, the wheel and keys ask of the camera.
fn moved(ui: &Ui, response: &egui::Response, camera: Camera, screen: Rect) -> Option<Command> {
    let look = |camera| Some(Command::Look(Some(camera)));
    let drags =
        response.dragged_by(PointerButton::Primary) || response.dragged_by(PointerButton::Middle);
    if drags && response.drag_delta() != egui::Vec2::ZERO {
        return look(camera.dragged(response.drag_delta()));
    }
    if response.double_clicked() {
        return Some(Command::Look(None));
    }
    let is_over = response.contains_pointer();
    let pointer = ui.input(|input| input.pointer.hover_pos());
    if let Some(at) = pointer.filter(|_| is_over) {
        let (scroll, pinch) = ui.input(|input| (input.smooth_scroll_delta().y, input.zoom_delta()));
        let factor = pinch * (scroll * 0.004).exp();
        if (factor - 1.0).abs() > 1e-4 {
            return look(camera.zoomed(factor, at, screen));
        }
    }
    if (!is_over && !response.has_focus()) || ui.ctx().text_edit_focused() {
        return None;
    }
    let about = pointer.filter(|_| is_over).unwrap_or(screen.center());
    key(ui, response.has_focus(), camera, about, screen)
}

fn key(ui: &Ui, focused: bool, camera: Camera, about: Pos2, screen: Rect) -> Option<Command> {
    let pressed = |key| ui.input_mut(|input| input.consume_key(egui::Modifiers::NONE, key));
    if pressed(Key::F) || pressed(Key::Home) {
        return Some(Command::Look(None));
    }
    if pressed(Key::Space) {
        return Some(Command::TogglePlay);
    }
    let zooms = [
        (Key::W, 1.25),
        (Key::S, 0.8),
        (Key::Plus, 1.25),
        (Key::Minus, 0.8),
    ];
    let mut moved = zooms.into_iter().find(|(key, _)| pressed(*key));
    if let Some((_, factor)) = moved.take() {
        return Some(Command::Look(Some(camera.zoomed(factor, about, screen))));
    }
    let pans = [(Key::A, vec2(60.0, 0.0)), (Key::D, vec2(-60.0, 0.0))];
    let by = pans
        .into_iter()
        .find(|(key, _)| focused && pressed(*key))?
        .1;
    Some(Command::Look(Some(camera.dragged(by))))
}
