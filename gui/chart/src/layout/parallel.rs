//! Parallel coordinates.

use egui::{Align2, Pos2, Rect, pos2};

use super::page::{Page, pale, size};
use super::xy::most;
use super::{Drawing, Target, Zone};
use crate::axis::AxisMap;
use crate::figure::Figure;
use crate::item::{Item, Pen};
use crate::mark::MarkRef;
use crate::parallel::{Parallel, ParallelAxis};
use crate::ticks::{Tick, ticks};

/// How far a label may reach into the next column.
const GAP: f32 = 8.0;

pub(super) fn layout(mut page: Page<'_>, figure: &Figure, parallel: &Parallel) -> Drawing {
    let ranges: Vec<_> = (0..parallel.axes.len())
        .map(|axis| range(parallel, axis))
        .collect();
    if parallel.lines.is_empty() || ranges.iter().all(Option::is_none) {
        return page.no_data();
    }
    let ranges: Vec<_> = ranges
        .into_iter()
        .map(|range| range.unwrap_or((0.0, 1.0)))
        .collect();
    let stems = stems(&page, parallel.axes.len());
    let rows = heads(&mut page, parallel, &ranges, &stems);
    page.take_top(size::ROW * rows as f32 + 4.0);
    page.take_bottom(size::TEXT / 2.0);
    let plot = page.room;
    let maps = ranges.iter().zip(&parallel.axes);
    let maps: Vec<_> = maps
        .map(|(range, axis)| AxisMap::new(axis.axis.scale, *range, plot.bottom(), plot.top()))
        .collect();
    let targets = lines(&mut page, figure, parallel, &maps, &stems);
    for (index, axis) in parallel.axes.iter().enumerate() {
        let last = index + 1 == stems.len();
        stem(
            &mut page,
            axis,
            ranges[index],
            maps[index],
            (stems[index], last),
        );
    }
    Drawing {
        items: page.items,
        targets,
        plot,
        axes: maps,
        stems,
    }
}

/// The range of an axis; of categories, with half a step of air.
fn range(parallel: &Parallel, axis: usize) -> Option<(f64, f64)> {
    let of = &parallel.axes[axis];
    if !of.categories.is_empty() {
        return Some((-0.35, of.categories.len() as f64 - 0.65));
    }
    of.axis.resolve(
        parallel
            .lines
            .iter()
            .filter_map(|line| line.values.get(axis).copied()),
    )
}

/// Where the axes stand: labels of ticks lie to their right, those of the last one to its left.
fn stems(page: &Page<'_>, n: usize) -> Vec<f32> {
    let (left, right) = (page.room.left() + 6.0, page.room.right() - 6.0);
    let pitch = (right - left) / n.saturating_sub(1).max(1) as f32;
    (0..n).map(|index| left + pitch * index as f32).collect()
}

/// The titles of the axes, in two rows where they would touch in one. Returns how many rows they take.
fn heads(page: &mut Page<'_>, parallel: &Parallel, ranges: &[(f64, f64)], stems: &[f32]) -> usize {
    let (left, right) = (page.room.left(), page.room.right());
    let titles = parallel
        .axes
        .iter()
        .zip(ranges)
        .map(|(axis, range)| title(axis, *range));
    let titles: Vec<_> = titles.collect();
    let extent = |title: &str, stem: f32| {
        let wide = page.width(title);
        let from = (stem - wide / 2.0).min(right - wide).max(left);
        (from, from + wide)
    };
    let extents: Vec<_> = titles
        .iter()
        .zip(stems)
        .map(|(title, &stem)| extent(title, stem))
        .collect();
    let touch = extents.windows(2).any(|pair| pair[1].0 < pair[0].1 + GAP);
    let rows = if touch { 2 } else { 1 };
    let top = page.room.top();
    for (index, title) in titles.iter().enumerate() {
        let from = extents[index].0;
        let until = extents
            .get(index + rows)
            .map_or(right + 1.0, |next| next.0 - GAP);
        let title = page.fitted(title, until - from);
        let y = top + size::ROW * (index % rows) as f32;
        page.text(pos2(from, y), Align2::LEFT_TOP, title, page.theme.text);
    }
    rows
}

/// What stands above an axis.
fn title(axis: &ParallelAxis, range: (f64, f64)) -> String {
    if axis.categories.is_empty() {
        axis.axis.title(range)
    } else {
        axis.axis.label.clone()
    }
}

/// The lines: those that fail a brush and pale ones behind, the others in front.
fn lines(
    page: &mut Page<'_>,
    figure: &Figure,
    parallel: &Parallel,
    maps: &[AxisMap],
    stems: &[f32],
) -> Vec<Target> {
    let theme = page.theme;
    let width = if parallel.lines.len() < 200 {
        1.25
    } else {
        1.0
    };
    let (mut behind, mut front, mut targets) = (Vec::new(), Vec::new(), Vec::new());
    for (index, line) in parallel.lines.iter().enumerate() {
        let places = line.values.iter().zip(maps).zip(stems);
        let points: Vec<_> = places
            .filter_map(|((&value, map), &x)| Some(pos2(x, map.at(value)?)))
            .collect();
        if points.len() < 2 {
            continue;
        }
        let passes = parallel.passes(line);
        let is_pale = figure.is_pale(line.id) || !passes;
        let color = line.ink.line_color(&theme);
        let color = if is_pale { pale(color, &theme) } else { color };
        let wide = if !figure.highlighted.is_empty() && !is_pale {
            width + 0.75
        } else {
            width
        };
        let pen = Pen::new(wide, color);
        if is_pale { &mut behind } else { &mut front }.push(Item::Polyline {
            points: points.clone(),
            pen,
        });
        if passes {
            targets.push(Target {
                mark: MarkRef::Line { index },
                id: line.id,
                at: points[0],
                zone: Zone::Path(points),
            });
        }
    }
    page.items.extend(behind);
    page.items.extend(front);
    targets
}

/// An axis with its ticks, over the lines.
fn stem(
    page: &mut Page<'_>,
    axis: &ParallelAxis,
    range: (f64, f64),
    map: AxisMap,
    (x, is_last): (f32, bool),
) {
    let plot = page.room;
    let theme = page.theme;
    page.items.push(Item::Segments {
        ends: vec![[pos2(x, plot.top()), pos2(x, plot.bottom())]],
        pen: Pen::new(1.0, theme.faint),
    });
    let side = if is_last { -1.0 } else { 1.0 };
    for tick in labels(axis, range, most(plot.height(), 40.0)) {
        let Some(y) = map.at(tick.value) else {
            continue;
        };
        page.items.push(Item::Segments {
            ends: vec![[pos2(x, y), pos2(x + 4.0 * side, y)]],
            pen: Pen::new(1.0, theme.faint),
        });
        plate(page, &tick.label, pos2(x + 6.0 * side, y), is_last);
    }
    if let Some((low, high)) = axis.brush
        && let (Some(low), Some(high)) = (map.at(low), map.at(high))
    {
        brush(
            page,
            x,
            plot.y_range().clamp(high),
            plot.y_range().clamp(low),
        );
    }
}

/// The label of a tick on a piece of ground, so that lines do not cross it.
fn plate(page: &mut Page<'_>, label: &str, at: Pos2, is_last: bool) {
    let anchor = if is_last {
        Align2::RIGHT_CENTER
    } else {
        Align2::LEFT_CENTER
    };
    let extent = egui::vec2(page.width(label) + 4.0, size::TEXT + 3.0);
    let rect = anchor.anchor_size(at, extent);
    let fill = page.theme.ground.gamma_multiply(0.82);
    page.items.push(Item::Rect { rect, fill });
    let inset = if is_last { -2.0 } else { 2.0 };
    page.text(pos2(at.x + inset, at.y), anchor, label, page.theme.faint);
}

fn labels(axis: &ParallelAxis, range: (f64, f64), most: usize) -> Vec<Tick> {
    if axis.categories.is_empty() {
        return ticks(&axis.axis, range, most);
    }
    let named = (0_u32..).zip(&axis.categories);
    named
        .map(|(index, label)| Tick {
            value: f64::from(index),
            label: label.clone(),
        })
        .collect()
}

fn brush(page: &mut Page<'_>, x: f32, top: f32, bottom: f32) {
    let rect = Rect::from_min_max(pos2(x - 5.0, top), pos2(x + 5.0, bottom));
    let color = page.theme.accent;
    page.items.push(Item::Rect {
        rect,
        fill: color.gamma_multiply(0.3),
    });
    let (left, right) = (rect.left(), rect.right());
    page.items.push(Item::Segments {
        ends: vec![
            [pos2(left, top), pos2(right, top)],
            [pos2(left, bottom), pos2(right, bottom)],
        ],
        pen: Pen::new(2.0, color),
    });
}
