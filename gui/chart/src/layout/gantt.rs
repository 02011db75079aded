//! Rows of bars along an axis of time.

use egui::{Align2, Color32, Rect, pos2, vec2};
use look::palette;

use super::legend::{Entry, Key, legend};
use super::page::{Page, pale, size};
use super::xy::most;
use super::{Drawing, Target, Zone};
use crate::axis::AxisMap;
use crate::figure::Figure;
use crate::gantt::{Gantt, GanttBar, GanttRow};
use crate::item::{Item, Pen, Text};
use crate::mark::MarkRef;
use crate::ticks::ticks;

/// The highest that a row gets.
const HIGHEST: f32 = 22.0;
/// How far a step moves a title.
const STEP: f32 = 10.0;
/// The least width of a bar.
const NARROWEST: f32 = 0.6;
/// The size of names on bars.
const NAME: f32 = 9.0;

pub(super) fn layout(mut page: Page<'_>, figure: &Figure, gantt: &Gantt) -> Drawing {
    let entries = entries(gantt, &page);
    legend(&mut page, entries);
    let ends = gantt.bars().flat_map(|(.., bar)| [bar.from, bar.to]);
    let Some(range) = gantt.time.resolve(ends) else {
        return page.no_data();
    };
    let frame = frame(&mut page, gantt, range);
    titles(&mut page, gantt, &frame);
    let mut inside = Inside::default();
    for bar in gantt.bars() {
        inside.bar(&page, (figure, gantt), &frame, bar);
    }
    page.items.push(Item::Clip {
        rect: frame.plot,
        items: inside.items,
    });
    playhead(&mut page, gantt, &frame);
    Drawing {
        items: page.items,
        targets: inside.targets,
        plot: frame.plot,
        axes: vec![frame.time],
        stems: Vec::new(),
    }
}

fn entries(gantt: &Gantt, page: &Page<'_>) -> Vec<Entry> {
    let kinds = gantt.kinds.iter().map(|kind| Entry {
        name: kind.name.clone(),
        key: Key::Area {
            color: kind.ink.color(&page.theme),
            letter: kind.letter,
            hatched: false,
        },
    });
    let line = (!gantt.outline.is_empty()).then(|| Entry {
        name: gantt.outline.clone(),
        key: Key::Line(Pen::new(2.0, page.theme.critical)),
    });
    kinds.chain(line).collect()
}

/// Where rows and moments lie.
struct Frame {
    plot: Rect,
    time: AxisMap,
    pitch: f32,
    titles: f32,
}

impl Frame {
    fn row(&self, row: usize) -> Rect {
        let top = self.plot.top() + self.pitch * row as f32;
        Rect::from_x_y_ranges(self.plot.x_range(), top..=top + self.pitch)
    }
}

fn frame(page: &mut Page<'_>, gantt: &Gantt, range: (f64, f64)) -> Frame {
    let wide = |row: &GanttRow| page.width(&row.title) + STEP * f32::from(row.depth);
    let widest = gantt.rows.iter().map(wide).fold(0.0, f32::max);
    let titles = (widest + 0.5).min(page.room.width() * 0.32);
    let mut plot = page.room;
    plot.min.x += titles + size::GAP + 2.0;
    plot.max.x = (plot.max.x - size::MARGIN).max(plot.min.x + 1.0);
    plot.max.y = (plot.max.y - 2.0 * size::ROW - 1.0).max(plot.min.y + 1.0);
    let n = gantt.rows.len().max(1) as f32;
    let pitch = (plot.height() / n).min(HIGHEST);
    plot.max.y = plot.min.y + pitch * n;
    let time = AxisMap::new(gantt.time.scale, range, plot.left(), plot.right());
    let found = ticks(&gantt.time, range, most(plot.width(), 90.0));
    page.x_ticks(&found, time, plot, true);
    let title = gantt.time.title(range);
    page.x_title(&title, plot, plot.bottom() + size::ROW + 4.0);
    Frame {
        plot,
        time,
        pitch,
        titles,
    }
}

/// Titles, where they do not touch, and a line above each heading.
fn titles(page: &mut Page<'_>, gantt: &Gantt, frame: &Frame) {
    let mut free = f32::MIN;
    let mut lines = Vec::new();
    for (at, row) in gantt.rows.iter().enumerate() {
        let rect = frame.row(at);
        if row.depth == 0 && 4.0 < frame.pitch {
            lines.push([pos2(page.room.left(), rect.top()), rect.right_top()]);
        }
        if rect.center().y - size::TEXT / 2.0 < free || row.title.is_empty() {
            continue;
        }
        free = rect.center().y + size::TEXT / 2.0;
        let indent = STEP * f32::from(row.depth);
        let title = page.fitted(&row.title, frame.titles + 0.5 - indent);
        let at = pos2(page.room.left() + indent, rect.center().y);
        page.text(at, Align2::LEFT_CENTER, title, page.theme.text);
    }
    if !lines.is_empty() {
        let pen = Pen::new(1.0, page.theme.line);
        page.items.push(Item::Segments { ends: lines, pen });
    }
}

/// What is drawn inside the axes.
#[derive(Default)]
struct Inside {
    items: Vec<Item>,
    targets: Vec<Target>,
}

impl Inside {
    fn bar(
        &mut self,
        page: &Page<'_>,
        (figure, gantt): (&Figure, &Gantt),
        frame: &Frame,
        (id, (row, bar), of): (u64, (usize, usize), &GanttBar),
    ) {
        let (Some(from), Some(to)) = (frame.time.at(of.from), frame.time.at(of.to)) else {
            return;
        };
        let (from, to) = (from.max(frame.plot.left()), to.min(frame.plot.right()));
        if to < from {
            return;
        }
        let to = to.max(from + NARROWEST);
        let inset = if frame.pitch < 6.0 { 0.0 } else { 1.5 };
        let mut rect = frame.row(row).shrink2(vec2(0.0, inset));
        rect.min.y = rect.max.y - rect.height() * of.level.clamp(0.0, 1.0);
        let rect = Rect::from_x_y_ranges(from..=to, rect.y_range());
        let color = gantt.kinds.get(of.kind).map_or(page.theme.faint, |kind| {
            let color = kind.ink.color(&page.theme);
            if figure.is_pale(id) {
                pale(color, &page.theme)
            } else {
                color
            }
        });
        self.filled(page, rect, color, of);
        self.targets.push(Target {
            mark: MarkRef::Bar { row, bar },
            id,
            at: rect.center(),
            zone: Zone::Rect(rect),
        });
    }

    fn filled(&mut self, page: &Page<'_>, rect: Rect, color: Color32, of: &GanttBar) {
        // A gap of a hair tells neighbors of one color apart, except where heights do.
        let is_whole = 1.0 <= of.level;
        let seam = if is_whole && 3.0 < rect.width() {
            0.6
        } else {
            0.0
        };
        let body = rect.with_max_x(rect.right() - seam);
        self.items.push(Item::Rect {
            rect: body,
            fill: color,
        });
        if of.outlined && 4.0 < rect.height() {
            self.outline(body, page.theme.critical);
        }
        let room = body.width() - 6.0;
        let fits = NAME + 1.0 < body.height() && 10.0 < room && of.count == 1;
        if fits && page.measure.width(&of.name, NAME) <= room {
            self.items.push(Item::Text(Text {
                at: body.left_center() + vec2(3.0, 0.0),
                anchor: Align2::LEFT_CENTER,
                words: of.name.clone(),
                size: NAME,
                color: palette::text_on(color),
            }));
        }
    }

    /// All four sides, or a line below where it is narrow.
    fn outline(&mut self, body: Rect, fill: Color32) {
        const LINE: f32 = 1.6;
        let mut sides = vec![body.with_min_y(body.bottom() - LINE)];
        if 5.0 <= body.width() {
            sides.push(body.with_max_y(body.top() + LINE));
            sides.push(body.with_max_x(body.left() + LINE));
            sides.push(body.with_min_x(body.right() - LINE));
        }
        let sides = sides.into_iter();
        self.items
            .extend(sides.map(|rect| Item::Rect { rect, fill }));
    }
}

fn playhead(page: &mut Page<'_>, gantt: &Gantt, frame: &Frame) {
    let Some(x) = gantt.playhead.and_then(|time| frame.time.at(time)) else {
        return;
    };
    if frame.plot.x_range().contains(x) {
        let ends = [pos2(x, frame.plot.top()), pos2(x, frame.plot.bottom())];
        page.items.push(Item::Segments {
            ends: vec![ends],
            pen: Pen::new(1.2, page.theme.playhead),
        });
    }
}
