//! Boxes and the lines between them.

use egui::{Align2, Pos2, Rect, Vec2, pos2, vec2};
use look::palette;

use super::legend::{Entry, Key, legend};
use super::page::{Page, pale, size};
use super::{Drawing, Target, Zone};
use crate::Dash;
use crate::diagram::{Diagram, DiagramBox, DiagramLine};
use crate::figure::Figure;
use crate::item::{Item, Pen, Text};
use crate::mark::MarkRef;

/// The largest that a unit of the drawing gets, in points.
const LARGEST: f32 = 2.0;
/// The size of names for each unit, and the least that is written.
const NAME: (f32, f32) = (11.0, 3.0);

pub(super) fn layout(mut page: Page<'_>, figure: &Figure, diagram: &Diagram) -> Drawing {
    let entries = diagram.legend.iter().map(|(name, ink)| Entry {
        name: name.clone(),
        key: Key::Line(Pen::new(3.0, ink.line_color(&page.theme))),
    });
    let entries = entries.collect();
    legend(&mut page, entries);
    let Some(bounds) = diagram.bounds() else {
        return page.no_data();
    };
    let map = Map::new(&page, diagram, bounds);
    levels(&mut page, diagram, &map);
    for frame in &diagram.frames {
        framed(&mut page, &map, frame);
    }
    let mut targets = Vec::new();
    for (index, line) in diagram.lines.iter().enumerate() {
        targets.push(drawn(&mut page, figure, &map, (index, line)));
    }
    for frame in &diagram.frames {
        named(&mut page, &map, frame);
    }
    for of in &diagram.boxes {
        boxed(&mut page, &map, of);
    }
    for line in diagram.lines.iter().filter(|line| !line.label.is_empty()) {
        labeled(&mut page, &map, line);
    }
    Drawing {
        plot: map.plot,
        items: page.items,
        targets,
        axes: Vec::new(),
        stems: Vec::new(),
    }
}

/// From units of the drawing to points of the page.
struct Map {
    plot: Rect,
    center: Pos2,
    zoom: f32,
}

impl Map {
    fn new(page: &Page<'_>, diagram: &Diagram, bounds: Rect) -> Self {
        let words = diagram.levels.iter().map(|(_, word)| page.width(word));
        let mut plot = page.room;
        let gutter = words.fold(0.0, f32::max) + size::GAP;
        plot.min.x = (plot.min.x + gutter).min(plot.max.x - 1.0);
        let room = plot.size() / bounds.size().max(Vec2::splat(1.0));
        Self {
            plot,
            center: bounds.center(),
            zoom: room.min_elem().min(LARGEST),
        }
    }

    fn at(&self, place: Pos2) -> Pos2 {
        self.plot.center() + (place - self.center) * self.zoom
    }

    fn rect(&self, rect: Rect) -> Rect {
        Rect::from_min_max(self.at(rect.min), self.at(rect.max))
    }
}

fn levels(page: &mut Page<'_>, diagram: &Diagram, map: &Map) {
    let mut free = f32::MIN;
    for (height, word) in &diagram.levels {
        let y = map.at(pos2(0.0, *height)).y;
        if y - size::TEXT / 2.0 < free {
            continue;
        }
        free = y + size::TEXT / 2.0;
        let at = pos2(page.room.left(), y);
        page.text(at, Align2::LEFT_CENTER, word.clone(), page.theme.faint);
    }
}

fn outlined(page: &mut Page<'_>, rect: Rect, pen: Pen) {
    let [a, b, c, d] = crate::item::corners_of(rect);
    page.items.push(Item::Polyline {
        points: vec![a, b, c, d, a],
        pen,
    });
}

fn framed(page: &mut Page<'_>, map: &Map, frame: &DiagramBox) {
    let rect = map.rect(frame.rect);
    let fill = page.theme.panel;
    page.items.push(Item::Rect { rect, fill });
    let pen = Pen::new(1.0, page.theme.line);
    outlined(page, rect, pen);
}

/// The name of a frame above the lines that lead into it.
fn named(page: &mut Page<'_>, map: &Map, frame: &DiagramBox) {
    let rect = map.rect(frame.rect);
    let size = (NAME.0 * map.zoom).min(13.0);
    let at = rect.min + vec2(5.0, 2.0) * map.zoom;
    let name = fitting(page, frame, size, rect.width());
    if name.is_empty() || size < NAME.1 {
        return;
    }
    let wide = page.measure.width(&name, size);
    page.items.push(Item::Rect {
        rect: Rect::from_min_size(at, vec2(wide, 1.3 * size)).expand2(vec2(2.0, 0.0)),
        fill: page.theme.panel,
    });
    push_text(page, at, Align2::LEFT_TOP, name, size);
}

fn boxed(page: &mut Page<'_>, map: &Map, of: &DiagramBox) {
    let rect = map.rect(of.rect);
    let fill = page.theme.raised;
    page.items.push(Item::Rect { rect, fill });
    let (width, color) = if of.warns {
        (2.0, page.theme.warn)
    } else {
        (1.0, page.theme.hatch)
    };
    outlined(page, rect, Pen::new(width, color));
    let size = (NAME.0 * map.zoom).min(13.0);
    let name = fitting(page, of, size, rect.width() - 2.0);
    push_text(page, rect.center(), Align2::CENTER_CENTER, name, size);
}

/// The first name that fits; nothing where none does.
fn fitting(page: &Page<'_>, of: &DiagramBox, size: f32, room: f32) -> String {
    let fits = |name: &&String| page.measure.width(name, size) <= room;
    of.names.iter().find(fits).cloned().unwrap_or_default()
}

fn push_text(page: &mut Page<'_>, at: Pos2, anchor: Align2, words: String, size: f32) {
    if words.is_empty() || size < NAME.1 {
        return;
    }
    page.items.push(Item::Text(Text {
        at,
        anchor,
        words,
        size,
        color: page.theme.text,
    }));
}

fn drawn(
    page: &mut Page<'_>,
    figure: &Figure,
    map: &Map,
    (index, line): (usize, &DiagramLine),
) -> Target {
    let ends = line.ends.map(|end| map.at(end));
    let color = line.ink.color(&page.theme);
    let is_pale = figure.is_pale(line.id);
    let width = (line.width * map.zoom).max(0.5);
    if !is_pale && 1.5 < width && palette::contrast(color, page.theme.ground) < 3.0 {
        // A rim, where the color is close to that of the ground.
        page.items.push(Item::Segments {
            ends: vec![ends],
            pen: Pen::new(width + 1.4, page.theme.faint),
        });
    }
    let color = if is_pale {
        pale(color, &page.theme)
    } else {
        color
    };
    let dash = if line.dashed {
        Dash::Dashed
    } else {
        Dash::Solid
    };
    page.items.push(Item::Segments {
        ends: vec![ends],
        pen: Pen { width, color, dash },
    });
    Target {
        mark: MarkRef::Line { index },
        id: line.id,
        at: ends[0].lerp(ends[1], 0.5),
        zone: Zone::Path(ends.to_vec()),
    }
}

/// Writes on a line, on the ground of the page.
fn labeled(page: &mut Page<'_>, map: &Map, line: &DiagramLine) {
    let at = map.at(line.ends[0]).lerp(map.at(line.ends[1]), 0.62);
    let size = (NAME.0 * map.zoom).clamp(NAME.1, 10.5);
    let wide = page.measure.width(&line.label, size);
    page.items.push(Item::Rect {
        rect: Rect::from_center_size(at, vec2(wide + 4.0, size + 2.0)),
        fill: page.theme.ground,
    });
    let label = line.label.clone();
    push_text(page, at, Align2::CENTER_CENTER, label, size);
}
