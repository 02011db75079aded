//! Figures on two axes.

use egui::{Pos2, Rect, pos2};
use look::Theme;

use super::layers::{Sheet, draw};
use super::legend::{Entry, Key, legend};
use super::page::{Page, size};
use super::{Drawing, Ranges};
use crate::Ink;
use crate::axis::{Axis, AxisMap, Range};
use crate::figure::Figure;
use crate::item::Pen;
use crate::ticks::{Tick, ticks};
use crate::xy::{Along, Areas, Layer, Xy};

pub(super) fn layout(mut page: Page<'_>, figure: &Figure, xy: &Xy, ranges: Ranges) -> Drawing {
    let entries = xy
        .layers
        .iter()
        .flat_map(|layer| entries(layer, &page.theme))
        .collect();
    legend(&mut page, entries);
    let Some((x_range, y_range)) = resolved(xy, ranges) else {
        return page.no_data();
    };
    page.y_title(&xy.y.title(y_range));
    let (plot, y_ticks) = plot(&page, &xy.y, y_range);
    let x = AxisMap::new(xy.x.scale, x_range, plot.left(), plot.right());
    let y = AxisMap::new(xy.y.scale, y_range, plot.bottom(), plot.top());
    page.y_ticks(&y_ticks, y, plot);
    let x_ticks = ticks(&xy.x, x_range, most(plot.width(), 64.0));
    let is_scatter = xy
        .layers
        .iter()
        .any(|layer| matches!(layer, Layer::Points(_)));
    page.x_ticks(&x_ticks, x, plot, is_scatter);
    page.x_title(&xy.x.title(x_range), plot, plot.bottom() + size::ROW + 4.0);
    let mut sheet = Sheet::new(page, figure, plot, x, y);
    for (index, layer) in xy.layers.iter().enumerate() {
        draw(&mut sheet, index, layer);
    }
    sheet.finish(base_of(y_range, y, plot))
}

/// Where the base line lies: at 0, or at the lower edge.
fn base_of(range: (f64, f64), y: AxisMap, plot: Rect) -> [Pos2; 2] {
    let zero = (range.0 < 0.0 && 0.0 < range.1)
        .then(|| y.at(0.0))
        .flatten();
    let at = zero.unwrap_or(plot.bottom());
    [pos2(plot.left(), at), pos2(plot.right(), at)]
}

/// The part inside the axes, with the ticks of the upward one.
fn plot(page: &Page<'_>, axis: &Axis, range: (f64, f64)) -> (Rect, Vec<Tick>) {
    let mut plot = page.room;
    plot.max.y = (plot.max.y - 2.0 * size::ROW - 1.0).max(plot.min.y + 1.0);
    let ticks = ticks(axis, range, most(plot.height(), 36.0));
    let widths = ticks.iter().map(|tick| page.width(&tick.label));
    plot.min.x += widths.fold(0.0, f32::max) + size::GAP;
    plot.max.x = (plot.max.x - size::MARGIN).max(plot.min.x + 1.0);
    (plot, ticks)
}

/// How many ticks have a place.
pub(super) fn most(length: f32, apart: f32) -> usize {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a cast saturates, and a negative length has room for none"
    )]
    let most = (length / apart) as usize;
    most.clamp(1, 20)
}

/// The ranges of both axes; `None` where there is nothing to show.
fn resolved(xy: &Xy, ranges: Ranges) -> Option<((f64, f64), (f64, f64))> {
    let from_zero = |layer: &Layer| matches!(layer, Layer::Areas(_) | Layer::Columns(_));
    let mut upward = xy.y.clone();
    if upward.range == Range::Auto && xy.layers.iter().any(from_zero) {
        upward.range = Range::FromZero;
    }
    let (mut xs, mut ys) = (Vec::new(), Vec::new());
    for layer in &xy.layers {
        collect(layer, &mut xs, &mut ys);
    }
    let any = xs.iter().any(|&x| xy.x.shows(x)) && ys.iter().any(|&y| xy.y.shows(y));
    if !any {
        return None;
    }
    for layer in &xy.layers {
        if let Layer::Limit(limit) = layer {
            match limit.of {
                Along::X => xs.push(limit.value),
                Along::Y => ys.push(limit.value),
            }
        }
    }
    if xy.equal {
        let both = xs.iter().chain(&ys).copied();
        let shared = xy.x.resolve(both)?;
        return Some((ranges.x.unwrap_or(shared), ranges.y.unwrap_or(shared)));
    }
    let mut x_range = xy.x.resolve(xs.iter().copied())?;
    if xy.x.range == Range::Auto
        && !xy
            .layers
            .iter()
            .any(|layer| matches!(layer, Layer::Points(_)))
    {
        x_range = without_air(xy, &xs).unwrap_or(x_range);
    }
    let y_range = upward.resolve(ys.into_iter())?;
    Some((ranges.x.unwrap_or(x_range), ranges.y.unwrap_or(y_range)))
}

/// Lines and areas go from edge to edge.
fn without_air(xy: &Xy, xs: &[f64]) -> Option<(f64, f64)> {
    let shown = xs.iter().copied().filter(|&x| xy.x.shows(x));
    let (low, high) = shown.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| {
        (low.min(x), high.max(x))
    });
    (low < high).then_some((low, high))
}

/// All values of a layer.
fn collect(layer: &Layer, xs: &mut Vec<f64>, ys: &mut Vec<f64>) {
    match layer {
        Layer::Points(points) => {
            for point in points
                .points
                .iter()
                .filter(|point| point.x.is_finite() && point.y.is_finite())
            {
                xs.push(point.x);
                ys.push(point.y);
                ys.extend(point.interval.iter().flat_map(|&(low, high)| [low, high]));
            }
        }
        Layer::Line(line) => {
            xs.extend(line.samples.iter().map(|sample| sample.0));
            ys.extend(line.samples.iter().map(|sample| sample.1));
        }
        Layer::Areas(areas) => {
            xs.extend(&areas.x);
            ys.extend((0..areas.x.len()).map(|index| total(areas, index)));
        }
        Layer::Columns(columns) => {
            xs.extend(&columns.edges);
            ys.extend(&columns.heights);
        }
        Layer::Limit(_) | Layer::Diagonal(_) => {}
    }
}

/// The height of all areas together at a sample.
pub(super) fn total(areas: &Areas, index: usize) -> f64 {
    areas
        .bands
        .iter()
        .map(|band| finite(&band.values, index))
        .sum()
}

/// A value, or 0 where it is missing.
pub(super) fn finite(values: &[f64], index: usize) -> f64 {
    values
        .get(index)
        .copied()
        .filter(|value| value.is_finite())
        .unwrap_or(0.0)
}

/// What a layer says in the legend.
fn entries(layer: &Layer, theme: &Theme) -> Vec<Entry> {
    let line = |name: &str, ink: Ink, dash| Entry {
        name: name.to_owned(),
        key: Key::Line(Pen {
            width: 1.75,
            color: ink.line_color(theme),
            dash,
        }),
    };
    match layer {
        Layer::Points(points) => vec![Entry {
            name: points.name.clone(),
            key: Key::Mark {
                symbol: points.symbol,
                color: points.ink.color(theme),
            },
        }],
        Layer::Line(of) => vec![line(&of.name, of.ink, of.dash)],
        Layer::Diagonal(diagonal) => vec![Entry {
            name: diagonal.name.clone(),
            key: Key::Area {
                color: super::layers::band_color(theme),
                letter: None,
                hatched: false,
            },
        }],
        Layer::Areas(areas) => areas
            .bands
            .iter()
            .map(|band| Entry {
                name: band.name.clone(),
                key: Key::Area {
                    color: band.ink.color(theme),
                    letter: band.letter,
                    hatched: band.hatched,
                },
            })
            .rev()
            .collect(),
        Layer::Columns(columns) => vec![Entry {
            name: columns.name.clone(),
            key: Key::Area {
                color: columns.ink.color(theme),
                letter: None,
                hatched: false,
            },
        }],
        Layer::Limit(_) => Vec::new(),
    }
}
