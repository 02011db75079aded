//! Bars of groups.

use egui::{Align2, Pos2, Rect, pos2};

use super::legend::{Entry, Key, area, legend, letter_on};
use super::page::{Page, between, pale, size};
use super::xy::most;
use super::{Drawing, Target, Zone};
use crate::axis::{AxisMap, Range};
use crate::bars::{Bars, Direction, Grouping};
use crate::figure::Figure;
use crate::mark::MarkRef;
use crate::ticks::ticks;

/// The widest that a bar gets.
const WIDEST: f32 = 34.0;

pub(super) fn layout(mut page: Page<'_>, figure: &Figure, bars: &Bars) -> Drawing {
    let entries = entries(bars, &page);
    legend(&mut page, entries);
    let Some(range) = resolved(bars) else {
        return page.no_data();
    };
    let frame = match bars.direction {
        Direction::Horizontal => horizontal(&mut page, bars, range),
        Direction::Vertical => vertical(&mut page, bars, range),
    };
    let targets = parts(&mut page, figure, bars, &frame);
    if bars.grouping == Grouping::Stacked && 1 < bars.series.len() {
        sums(&mut page, bars, &frame);
    }
    limits(&mut page, bars, &frame);
    let base = frame.value.at(0.0).unwrap_or(0.0);
    let ends = frame.across(base);
    page.baseline(ends[0], ends[1]);
    Drawing {
        items: page.items,
        targets,
        plot: frame.plot,
        axes: vec![frame.value],
        stems: Vec::new(),
    }
}

fn entries(bars: &Bars, page: &Page<'_>) -> Vec<Entry> {
    if bars.series.len() < 2 {
        return Vec::new();
    }
    let entry = |series: &crate::Series| Entry {
        name: series.name.clone(),
        key: Key::Area {
            color: series.ink.color(&page.theme),
            letter: series.letter,
            hatched: series.hatched,
        },
    };
    bars.series.iter().map(entry).collect()
}

/// The range of the values; `None` where there is nothing to show. Bars begin at 0.
fn resolved(bars: &Bars) -> Option<(f64, f64)> {
    let ends = bars.parts();
    if ends.is_empty() {
        return None;
    }
    let limits = bars.limits.iter().map(|limit| limit.value);
    let mut axis = bars.value.clone();
    if axis.range == Range::Auto {
        axis.range = Range::FromZero;
    }
    axis.resolve(ends.iter().flat_map(|part| [part.2, part.3]).chain(limits))
}

/// Where bars lie.
struct Frame {
    direction: Direction,
    plot: Rect,
    value: AxisMap,
    /// From the first to the last group, how much each takes.
    start: f32,
    pitch: f32,
}

impl Frame {
    /// The line across all bars at a value.
    fn across(&self, at: f32) -> [Pos2; 2] {
        match self.direction {
            Direction::Horizontal => [pos2(at, self.plot.top()), pos2(at, self.plot.bottom())],
            Direction::Vertical => [pos2(self.plot.left(), at), pos2(self.plot.right(), at)],
        }
    }

    /// The middle of a group.
    fn middle(&self, group: usize) -> f32 {
        self.start + self.pitch * (group as f32 + 0.5)
    }

    /// The rectangle between two places along the values.
    fn bar(&self, from: f32, to: f32, middle: f32, thickness: f32) -> Rect {
        let (low, high) = (middle - thickness / 2.0, middle + thickness / 2.0);
        match self.direction {
            Direction::Horizontal => between(pos2(from, low), pos2(to, high)),
            Direction::Vertical => between(pos2(low, from), pos2(high, to)),
        }
    }

    fn thickness(&self) -> f32 {
        (self.pitch * 0.7).min(WIDEST)
    }
}

fn horizontal(page: &mut Page<'_>, bars: &Bars, range: (f64, f64)) -> Frame {
    let widest = bars
        .groups
        .iter()
        .map(|group| page.width(&group.label))
        .fold(0.0, f32::max);
    let labels = widest.min(page.room.width() * 0.4);
    if !bars.limits.is_empty() {
        page.take_row_above();
    }
    let mut plot = page.room;
    plot.min.x += labels + 2.0 * size::GAP;
    plot.max.x = (plot.max.x - room_for_sums(page, bars, range)).max(plot.min.x + 1.0);
    plot.max.y = (plot.max.y - 2.0 * size::ROW - 1.0).max(plot.min.y + 1.0);
    let n = bars.groups.len().max(1) as f32;
    let pitch = (plot.height() / n).min(WIDEST * 1.6);
    plot.max.y = plot.min.y + pitch * n;
    let value = AxisMap::new(bars.value.scale, range, plot.left(), plot.right());
    let found = ticks(&bars.value, range, most(plot.width(), 64.0));
    page.x_ticks(&found, value, plot, true);
    page.x_title(
        &bars.value.title(range),
        plot,
        plot.bottom() + size::ROW + 4.0,
    );
    let frame = Frame {
        direction: Direction::Horizontal,
        plot,
        value,
        start: plot.top(),
        pitch,
    };
    let mut free = f32::MIN;
    for (index, group) in bars.groups.iter().enumerate() {
        let middle = frame.middle(index);
        if middle - size::TEXT / 2.0 < free {
            continue;
        }
        free = middle + size::TEXT / 2.0 + 2.0;
        let label = page.fitted(&group.label, labels + 0.5);
        let at = pos2(plot.left() - size::GAP - 2.0, middle);
        page.text(at, Align2::RIGHT_CENTER, label, page.theme.text);
    }
    frame
}

/// The room that the sum beside the longest bar needs.
fn room_for_sums(page: &Page<'_>, bars: &Bars, range: (f64, f64)) -> f32 {
    if bars.grouping == Grouping::Grouped || bars.series.len() < 2 {
        return size::MARGIN;
    }
    page.width(&bars.value.unit.text(range.1)) * 0.8 + size::MARGIN
}

fn vertical(page: &mut Page<'_>, bars: &Bars, range: (f64, f64)) -> Frame {
    page.y_title(&bars.value.title(range));
    let mut plot = page.room;
    plot.max.y = (plot.max.y - size::ROW - 2.0).max(plot.min.y + 1.0);
    let found = ticks(&bars.value, range, most(plot.height(), 36.0));
    let widths = found.iter().map(|tick| page.width(&tick.label));
    plot.min.x = (plot.min.x + widths.fold(0.0, f32::max) + size::GAP).min(plot.max.x - 1.0);
    let value = AxisMap::new(bars.value.scale, range, plot.bottom(), plot.top());
    page.y_ticks(&found, value, plot);
    let frame = Frame {
        direction: Direction::Vertical,
        plot,
        value,
        start: plot.left(),
        pitch: plot.width() / bars.groups.len().max(1) as f32,
    };
    let widest = bars
        .groups
        .iter()
        .map(|group| page.width(&group.label))
        .fold(0.0, f32::max);
    let stride = if frame.pitch < widest.min(24.0) {
        24.0_f32.min(widest) + 6.0
    } else {
        0.0
    };
    let mut free = f32::MIN;
    for (index, group) in bars.groups.iter().enumerate() {
        let middle = frame.middle(index);
        let label = page.fitted(&group.label, frame.pitch.max(stride) - 4.0);
        let half = page.width(&label) / 2.0;
        if middle - half < free {
            continue;
        }
        free = middle + half + 4.0;
        page.text(
            pos2(middle, plot.bottom() + size::GAP),
            Align2::CENTER_TOP,
            label,
            page.theme.text,
        );
    }
    frame
}

fn parts(page: &mut Page<'_>, figure: &Figure, bars: &Bars, frame: &Frame) -> Vec<Target> {
    let mut targets = Vec::new();
    let n = bars.series.len().max(1) as f32;
    for (group, index, from, to) in bars.parts() {
        let (Some(from), Some(to)) = (frame.value.at(from), frame.value.at(to)) else {
            continue;
        };
        let (middle, thickness) = match bars.grouping {
            Grouping::Stacked => (frame.middle(group), frame.thickness()),
            Grouping::Grouped => {
                let one = (frame.pitch * 0.8).min(WIDEST * n) / n;
                (
                    frame.middle(group) + (index as f32 - (n - 1.0) / 2.0) * one,
                    (one - 1.0).max(1.0),
                )
            }
        };
        let rect = frame
            .bar(from, to, middle, thickness)
            .intersect(frame.plot.expand(0.5));
        if !rect.is_positive() {
            continue;
        }
        let (series, id) = (&bars.series[index], bars.groups[group].id);
        let ink = bars.groups[group].ink.unwrap_or(series.ink);
        let color = ink.color(&page.theme);
        let color = if figure.is_pale(id) {
            pale(color, &page.theme)
        } else {
            color
        };
        area(page, seam(rect, frame.direction), color, series.hatched);
        if let Some(letter) = series
            .letter
            .filter(|_| 12.0 < rect.width() && 11.0 < rect.height())
        {
            letter_on(page, rect, color, letter);
        }
        targets.push(Target {
            mark: MarkRef::Part {
                group,
                series: index,
            },
            id,
            at: rect.center(),
            zone: Zone::Rect(rect),
        });
    }
    targets
}

/// A part without the hairline that separates it from the next one.
fn seam(mut rect: Rect, direction: Direction) -> Rect {
    match direction {
        Direction::Horizontal if 2.0 < rect.width() => rect.max.x -= 1.0,
        Direction::Vertical if 2.0 < rect.height() => rect.min.y += 1.0,
        _ => {}
    }
    rect
}

/// The sum of each stack at its end, where there is room.
fn sums(page: &mut Page<'_>, bars: &Bars, frame: &Frame) {
    let parts = bars.parts();
    let mut free = f32::MIN;
    for group in 0..bars.groups.len() {
        let of = parts.iter().filter(|part| part.0 == group);
        let end = of.clone().map(|part| part.3).fold(0.0, f64::max);
        let sum: f64 = of.map(|part| part.3 - part.2).sum();
        let (Some(at), text) = (frame.value.at(end), bars.value.unit.text(sum)) else {
            continue;
        };
        let middle = frame.middle(group);
        let half = page.width(&text) / 2.0;
        let (low, high, at, anchor) = match frame.direction {
            Direction::Horizontal => (
                middle - 6.0,
                middle + 7.0,
                pos2(at + 5.0, middle),
                Align2::LEFT_CENTER,
            ),
            Direction::Vertical => (
                middle - half,
                middle + half + 3.0,
                pos2(middle, at - 2.0),
                Align2::CENTER_BOTTOM,
            ),
        };
        if free <= low {
            free = high;
            page.text(at, anchor, text, page.theme.text);
        }
    }
}

fn limits(page: &mut Page<'_>, bars: &Bars, frame: &Frame) {
    for limit in &bars.limits {
        if let Some(at) = frame.value.at(limit.value) {
            let color = limit.ink.line_color(&page.theme);
            page.limit(&limit.name, color, frame.across(at), frame.plot);
        }
    }
}
