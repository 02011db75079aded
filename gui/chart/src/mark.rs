//! What a mark says when it is pointed at.

use crate::axis::titled;
use crate::figure::{Content, Figure};
use crate::xy::{Areas, Layer, Line, Path, Xy};

/// Which mark of a figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MarkRef {
    /// A point of a layer.
    Point { layer: usize, index: usize },
    /// A column of a histogram.
    Column { layer: usize, index: usize },
    /// All lines and areas at a sample of a layer.
    Sample { layer: usize, index: usize },
    /// A part of a bar.
    Part { group: usize, series: usize },
    /// A line across parallel axes, or between boxes.
    Line { index: usize },
    /// A bar in a row.
    Bar { row: usize, bar: usize },
}

/// What a mark says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Said {
    /// What it is called.
    pub(crate) head: String,
    /// Its properties with their values.
    pub(crate) rows: Vec<(String, String)>,
}

impl Said {
    /// Everything in one line, for readers.
    pub(crate) fn sentence(&self) -> String {
        let rows: Vec<_> = self
            .rows
            .iter()
            .map(|(what, value)| format!("{what} {value}"))
            .collect();
        match (self.head.is_empty(), rows.is_empty()) {
            (true, _) => rows.join(", "),
            (false, true) => self.head.clone(),
            (false, false) => format!("{}: {}", self.head, rows.join(", ")),
        }
    }

    fn row(&mut self, what: impl Into<String>, value: impl Into<String>) {
        self.rows.push((what.into(), value.into()));
    }
}

impl Figure {
    /// What a mark says; nothing where there is no such mark.
    pub(crate) fn said(&self, mark: MarkRef) -> Said {
        self.try_said(mark).unwrap_or_default()
    }

    fn try_said(&self, mark: MarkRef) -> Option<Said> {
        let mut said = Said::default();
        match (&self.content, mark) {
            (Content::Xy(xy), MarkRef::Point { layer, index }) => {
                let Layer::Points(points) = xy.layers.get(layer)? else {
                    return None;
                };
                let point = points.points.get(index)?;
                said.head.clone_from(&point.label);
                said.row(&xy.x.label, xy.x.unit.text(point.x));
                said.row(&xy.y.label, xy.y.unit.text(point.y));
                if let Some((low, high)) = point.interval {
                    said.row(
                        "Interval",
                        format!("{} to {}", xy.y.unit.text(low), xy.y.unit.text(high)),
                    );
                }
                if !points.name.is_empty() {
                    said.row("Series", &points.name);
                }
            }
            (Content::Xy(xy), MarkRef::Column { layer, index }) => {
                let Layer::Columns(columns) = xy.layers.get(layer)? else {
                    return None;
                };
                let (from, to) = (columns.edges.get(index)?, columns.edges.get(index + 1)?);
                said.head = format!("{} to {}", xy.x.unit.text(*from), xy.x.unit.text(*to));
                said.row(&xy.y.label, xy.y.unit.text(*columns.heights.get(index)?));
            }
            (Content::Xy(xy), MarkRef::Sample { layer, index }) => {
                said = said_at(xy, layer, index)?;
            }
            (Content::Bars(bars), MarkRef::Part { group, series }) => {
                let part = bars.series.get(series)?;
                said.head.clone_from(&bars.groups.get(group)?.label);
                let name = if part.name.is_empty() {
                    &bars.value.label
                } else {
                    &part.name
                };
                said.row(name, bars.value.unit.text(part.value(group)?));
                if 1 < bars.series.len() && bars.grouping == crate::Grouping::Stacked {
                    let sum: f64 = bars
                        .series
                        .iter()
                        .filter_map(|part| part.value(group))
                        .sum();
                    said.row("Sum", bars.value.unit.text(sum));
                }
            }
            (Content::Parallel(parallel), MarkRef::Line { index }) => {
                let line = parallel.lines.get(index)?;
                said.head.clone_from(&line.label);
                for (axis, value) in parallel.axes.iter().zip(&line.values) {
                    said.row(&axis.axis.label, axis.text(*value));
                }
            }
            (Content::Gantt(gantt), MarkRef::Bar { row, bar }) => {
                let (row, unit) = (gantt.rows.get(row)?, &gantt.time.unit);
                let bar = row.bars.get(bar)?;
                said.head.clone_from(&bar.name);
                said.row("Row", row.full_name());
                said.row("Kind", gantt.kind_name(bar.kind));
                said.row("Start", unit.text(bar.from));
                said.row("End", unit.text(bar.to));
            }
            (Content::Diagram(diagram), MarkRef::Line { index }) => {
                let row = diagram.row(diagram.lines.get(index)?.id)?;
                let cells = (0..).zip(&diagram.table.columns).zip(&row.cells);
                for ((at, column), cell) in cells {
                    said.row(&column.label, diagram.table.format(at).text(column, cell));
                }
            }
            _ => return None,
        }
        Some(said)
    }
}

/// Everything that has a value at a sample of one layer.
fn said_at(xy: &Xy, layer: usize, index: usize) -> Option<Said> {
    let x = sample_x(xy.layers.get(layer)?, index)?;
    let mut said = Said {
        head: titled(&format!("{} {}", xy.x.label, xy.x.unit.text(x)), ""),
        rows: Vec::new(),
    };
    for layer in &xy.layers {
        match layer {
            Layer::Line(line) => {
                if let Some(value) = line_at(line, x) {
                    let name = if line.name.is_empty() {
                        &xy.y.label
                    } else {
                        &line.name
                    };
                    said.row(name, xy.y.unit.text(value));
                }
            }
            Layer::Areas(areas) => areas_at(areas, x, xy, &mut said),
            _ => {}
        }
    }
    Some(said)
}

fn areas_at(areas: &Areas, x: f64, xy: &Xy, said: &mut Said) {
    let Some(at) = last_at(&areas.x, x) else {
        return;
    };
    let mut sum = 0.0;
    for band in areas.bands.iter().rev() {
        let value = band
            .values
            .get(at)
            .copied()
            .filter(|value| value.is_finite());
        let value = value.unwrap_or(0.0);
        sum += value;
        said.row(&band.name, xy.y.unit.text(value));
    }
    if 1 < areas.bands.len() {
        said.row("Sum", xy.y.unit.text(sum));
    }
}

fn line_at(line: &Line, x: f64) -> Option<f64> {
    let after = line.samples.partition_point(|sample| sample.0 <= x);
    let before = line.samples.get(after.checked_sub(1)?)?;
    let value = match (line.path, line.samples.get(after)) {
        (Path::Straight, Some(next)) if before.0 < x => {
            before.1 + (next.1 - before.1) * (x - before.0) / (next.0 - before.0)
        }
        _ => before.1,
    };
    value.is_finite().then_some(value)
}

/// The index of the last sample that is not after a place.
fn last_at(samples: &[f64], x: f64) -> Option<usize> {
    samples
        .partition_point(|&sample| sample <= x)
        .checked_sub(1)
}

/// The place of a sample to the right.
pub(crate) fn sample_x(layer: &Layer, index: usize) -> Option<f64> {
    match layer {
        Layer::Line(line) => line.samples.get(index).map(|sample| sample.0),
        Layer::Areas(areas) => areas.x.get(index).copied(),
        _ => None,
    }
}

/// How many samples a layer has.
pub(crate) fn n_samples(layer: &Layer) -> usize {
    match layer {
        Layer::Line(line) => line.samples.len(),
        Layer::Areas(areas) => areas.x.len(),
        _ => 0,
    }
}

/// The layer whose samples the pointer reads: areas before lines, then the one with most samples.
pub(crate) fn sampled_layer(xy: &Xy) -> Option<usize> {
    let rank = |layer: &Layer| (matches!(layer, Layer::Areas(_)), n_samples(layer));
    let layers = xy.layers.iter().enumerate();
    let best = layers.max_by_key(|(_, layer)| rank(layer));
    best.filter(|(_, layer)| 0 < n_samples(layer))
        .map(|(index, _)| index)
}

/// The sample nearest to a place; in steps, the one that holds there.
pub(crate) fn nearest_sample(layer: &Layer, x: f64) -> Option<usize> {
    let n = n_samples(layer);
    let at = |index: usize| sample_x(layer, index).unwrap_or(f64::NAN);
    let steps = match layer {
        Layer::Line(line) => line.path == Path::Steps,
        Layer::Areas(areas) => areas.path == Path::Steps,
        _ => false,
    };
    let (mut low, mut high) = (0, n);
    while low < high {
        let middle = usize::midpoint(low, high);
        if at(middle) <= x {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    let before = low.saturating_sub(1);
    if !steps && low < n && at(low) - x < x - at(before) {
        return Some(low);
    }
    (0 < n).then_some(before)
}
