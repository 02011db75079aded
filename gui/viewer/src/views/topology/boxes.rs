//! Devices and groups of the graph: drawn, named, clicked.

use egui::{
    Align2, Color32, FontId, Id, Painter, Pos2, Rect, Role, Sense, Stroke, StrokeKind, Ui,
    WidgetInfo, pos2, vec2,
};
use look::{Theme, number};
use session::{DeviceView, GroupId, GroupView, Part};

use super::Command;
use super::camera::Camera;
use super::plan::HEAD;
use super::scene::Graph;

/// Parts that have a name for readers at most; the tables have all.
const MOST_NAMED: usize = 600;
/// The least size of text, in points.
const SMALLEST: f32 = 9.5;

/// What boxes are drawn from.
pub(super) struct Boxes<'a> {
    pub(super) graph: &'a Graph,
    pub(super) camera: Camera,
    pub(super) screen: Rect,
    pub(super) theme: Theme,
    pub(super) id: Id,
    /// What tells this graph from another one; empty where it is alone.
    pub(super) of: String,
    /// The device or group that stands out, by its name.
    pub(super) selected: Option<&'a str>,
}

impl Boxes<'_> {
    fn place(&self, rect: Rect) -> Option<Rect> {
        let rect = self.camera.rect(rect, self.screen);
        self.screen.intersects(rect).then_some(rect)
    }

    /// The frames of open groups, behind everything.
    pub(super) fn frames(&self, painter: &Painter) {
        for group in &self.graph.view.groups {
            let Some(rect) = self.graph.plan.frames.get(&group.id) else {
                continue;
            };
            if let Some(rect) = self.place(*rect) {
                let fill = self.theme.panel.gamma_multiply(0.6);
                let stroke = if self.is_selected(&group.name) {
                    Stroke::new(1.5, self.theme.accent)
                } else {
                    Stroke::new(1.0, self.theme.line)
                };
                painter.rect(rect, 6.0, fill, stroke, StrokeKind::Inside);
            }
        }
    }

    /// Levels at the left edge.
    pub(super) fn bands(&self, painter: &Painter, gutter: Rect) {
        for band in &self.graph.plan.bands {
            let at = |y: f32| self.camera.at(pos2(0.0, y), self.screen).y;
            let (top, bottom) = (at(band.top), at(band.bottom));
            if bottom < gutter.top() || gutter.bottom() < top {
                continue;
            }
            let y = f32::midpoint(top, bottom).clamp(gutter.top() + 8.0, gutter.bottom() - 8.0);
            for (row, word) in band.name.split(", ").enumerate() {
                painter.text(
                    pos2(gutter.left() + 8.0, y + 12.0 * row as f32),
                    Align2::LEFT_CENTER,
                    word,
                    FontId::proportional(11.0),
                    self.theme.faint,
                );
            }
        }
    }

    /// Devices and folded groups; what was asked of them.
    pub(super) fn parts_ui(&self, ui: &Ui, painter: &Painter) -> Vec<Command> {
        let mut commands = Vec::new();
        let mut named = 0;
        for group in &self.graph.view.groups {
            let frame = self.graph.plan.frames.get(&group.id);
            let box_ = self.graph.plan.places.get(&Part::Group(group.id));
            let Some(rect) = frame.or(box_).and_then(|rect| self.place(*rect)) else {
                continue;
            };
            named += 1;
            if self.group_ui(ui, painter, group, rect) {
                commands.push(Command::Toggle(group.id));
            }
        }
        for device in &self.graph.view.devices {
            let rect = self.graph.plan.places.get(&device.part);
            let Some(rect) = rect.and_then(|rect| self.place(*rect)) else {
                continue;
            };
            named += 1;
            if self.device_ui(ui, painter, device, rect, named <= MOST_NAMED) {
                commands.push(Command::Inspect(Some(device.name.clone())));
            }
        }
        commands
    }

    /// An open group by its title, or a folded one by its box; whether it was clicked.
    fn group_ui(&self, ui: &Ui, painter: &Painter, group: &GroupView, rect: Rect) -> bool {
        let size = (11.5 * self.camera.zoom).clamp(SMALLEST, 13.0);
        let font = FontId::proportional(size);
        let target = if group.is_open {
            let title = format!("{}  –", group.name);
            let galley = painter.layout_no_wrap(title, font.clone(), self.theme.faint);
            let has_room = galley.size().y + 4.0 <= HEAD * self.camera.zoom;
            if !has_room || rect.width() < galley.size().x + 8.0 {
                let height = (HEAD * self.camera.zoom).max(8.0);
                Rect::from_min_size(rect.min, vec2(rect.width(), height))
            } else {
                let place = rect.min + vec2(6.0, 2.0);
                let target = Rect::from_min_size(place, galley.size()).expand2(vec2(3.0, 1.0));
                // Cables that pass behind do not touch the name.
                painter.rect_filled(target, 3.0, self.theme.ground.gamma_multiply(0.85));
                painter.galley(place, galley, self.theme.faint);
                target
            }
        } else {
            rect
        };
        let id = self.id.with(("group", group.id));
        let response = ui.interact(target, id, Sense::click());
        response.widget_info(|| WidgetInfo::labeled(Role::Button, true, self.group_name(group)));
        let lit = response.hovered() || response.has_focus();
        if group.is_open {
            if lit {
                painter.rect_stroke(
                    target,
                    3.0,
                    self.stroke(response.has_focus()),
                    StrokeKind::Inside,
                );
            }
        } else {
            self.folded(painter, group, rect, (lit, response.has_focus()), &font);
        }
        response.on_hover_text(self.group_name(group)).clicked()
    }

    /// A folded group looks like a stack.
    fn folded(
        &self,
        painter: &Painter,
        group: &GroupView,
        rect: Rect,
        (lit, focused): (bool, bool),
        font: &FontId,
    ) {
        let fill = if lit {
            self.theme.control_hovered
        } else {
            self.theme.control
        };
        if group.has_parts && 14.0 < rect.height() {
            let behind = rect.translate(vec2(2.5, -2.5));
            painter.rect(
                behind,
                5.0,
                self.theme.raised,
                Stroke::new(1.0, self.theme.hatch),
                StrokeKind::Inside,
            );
        }
        let stroke = self.stroke(focused || self.is_selected(&group.name));
        painter.rect(rect, 5.0, fill, stroke, StrokeKind::Inside);
        let name = group.name.as_str();
        let names = [name, short(name), number_of(name)];
        let counts = match group.id {
            GroupId::Node(_) => Vec::new(),
            _ => shorter_counts(group),
        };
        let small = FontId::proportional((font.size * 0.92).max(SMALLEST));
        let line_height = font.size * 1.25;
        let has_both = !counts.is_empty() && line_height + small.size < rect.height();
        let apart = if has_both { line_height / 2.0 } else { 0.0 };
        let (center, color) = (rect.center(), self.theme.text);
        let at = pos2(center.x, center.y - apart);
        text(painter, (rect, at), &names, (font.clone(), color));
        if has_both {
            let counts: Vec<&str> = counts.iter().map(String::as_str).collect();
            let at = pos2(center.x, center.y + apart);
            text(painter, (rect, at), &counts, (small, self.theme.faint));
        }
    }

    fn is_selected(&self, name: &str) -> bool {
        self.selected == Some(name)
    }

    /// A device; whether it was clicked.
    fn device_ui(
        &self,
        ui: &Ui,
        painter: &Painter,
        device: &DeviceView,
        rect: Rect,
        named: bool,
    ) -> bool {
        let (mut focused, mut hovered, mut clicked) = (false, false, false);
        if named {
            let id = self.id.with(("device", device.part));
            let response = ui.interact(rect, id, Sense::click());
            let name = || self.device_name(device);
            response.widget_info(|| WidgetInfo::labeled(Role::Button, true, name()));
            (focused, hovered, clicked) =
                (response.has_focus(), response.hovered(), response.clicked());
            response.on_hover_text(name());
        }
        let fill = if hovered {
            self.theme.control_hovered
        } else {
            self.theme.raised
        };
        let stroke = self.stroke(focused || self.is_selected(&device.name));
        painter.rect(rect, 4.0, fill, stroke, StrokeKind::Inside);
        let font = FontId::proportional((11.0 * self.camera.zoom).clamp(SMALLEST, 12.5));
        if (device.speed - 1.0).abs() > 1e-9 {
            // Slower or faster than its kind: a mark that needs no color.
            painter.rect_stroke(
                rect.shrink(2.0),
                3.0,
                Stroke::new(1.5, self.theme.warn),
                StrokeKind::Inside,
            );
        }
        let name = device.name.as_str();
        let words = [name, short(name), number_of(name)];
        text(
            painter,
            (rect, rect.center()),
            &words,
            (font, self.theme.text),
        );
        clicked
    }

    const fn stroke(&self, focused: bool) -> Stroke {
        if focused {
            Stroke {
                width: 2.0,
                color: self.theme.accent,
            }
        } else {
            Stroke {
                width: 1.0,
                color: self.theme.hatch,
            }
        }
    }

    /// What a reader hears of a group.
    fn group_name(&self, group: &GroupView) -> String {
        let verb = match (group.is_open, group.has_parts) {
            (true, _) => "Fold ",
            (false, true) => "Unfold ",
            (false, false) => "",
        };
        let counts = counts(group);
        let counts = if counts.is_empty() {
            String::new()
        } else {
            format!(": {counts}")
        };
        format!("{verb}{}{counts}{}", group.name, self.of)
    }

    /// What a reader hears of a device.
    fn device_name(&self, device: &DeviceView) -> String {
        let level = what(device);
        let kind = device
            .kind
            .as_ref()
            .map_or(String::new(), |kind| format!(", {kind}"));
        let speed = if (device.speed - 1.0).abs() > 1e-9 {
            format!(
                ", at {} of the speed of its kind",
                number::percent(device.speed)
            )
        } else {
            String::new()
        };
        format!("{}, {level}{kind}{speed}{}", device.name, self.of)
    }
}

/// A name without what its surroundings say: `0` of `leaf group 0`, `nic3` of `n2nic3`.
pub(super) fn short(name: &str) -> &str {
    let last = name.rsplit(' ').next().unwrap_or(name);
    let rest = last.strip_prefix('n').unwrap_or(last);
    let part = rest.trim_start_matches(|letter: char| letter.is_ascii_digit());
    if part.is_empty() || part == rest {
        last
    } else {
        part
    }
}

/// The number at the end of a name.
pub(super) fn number_of(name: &str) -> &str {
    let letters = name.trim_end_matches(|letter: char| letter.is_ascii_digit());
    &name[letters.len()..]
}

/// What is in a group, in words.
pub(super) fn counts(group: &GroupView) -> String {
    let mut parts = Vec::new();
    if 1 < group.nodes {
        parts.push(number::counted(u64::from(group.nodes), "node"));
    }
    if 0 < group.gpus {
        parts.push(number::counted(u64::from(group.gpus), "GPU"));
    }
    if 0 < group.switches && group.gpus == 0 {
        let plural = if group.switches == 1 { "" } else { "es" };
        parts.push(format!(
            "{} switch{plural}",
            number::count(u64::from(group.switches))
        ));
    }
    parts.join(", ")
}

/// What is in a group, from all of it to the least that says something.
fn shorter_counts(group: &GroupView) -> Vec<String> {
    let all = counts(group);
    let parts: Vec<String> = all.split(", ").map(str::to_owned).collect();
    let number = |part: &String| part.split(' ').next().map(str::to_owned);
    let last = parts.last().cloned();
    let bare = last.as_ref().and_then(number);
    let texts = std::iter::once(all).chain(last).chain(bare);
    texts.filter(|text| !text.is_empty()).collect()
}

/// What a device is, in words.
pub(super) const fn what(device: &DeviceView) -> &'static str {
    match device.part {
        Part::Host(_) => "host",
        Part::Junction(_) => "where links of the platform meet",
        _ => device.level.name(),
    }
}

/// The first of some texts that fits into a box, in the middle of a place.
fn text(
    painter: &Painter,
    (within, at): (Rect, Pos2),
    texts: &[&str],
    (font, color): (FontId, Color32),
) {
    if within.height() < font.size || within.width() < 10.0 {
        return;
    }
    for text in texts {
        let galley = painter.layout_no_wrap((*text).to_owned(), font.clone(), color);
        if galley.size().x <= within.width() - 4.0 {
            let rect = Align2::CENTER_CENTER.anchor_size(at, galley.size());
            painter.galley(rect.min, galley, color);
            return;
        }
    }
}
