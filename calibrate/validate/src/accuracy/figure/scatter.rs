//! Predicted against measured, both on logarithmic axes.

use std::collections::BTreeMap;
use std::io;

use plotters::chart::SeriesLabelPosition;
use plotters::drawing::DrawingAreaErrorKind;
use plotters::prelude::{
    ChartBuilder, Circle, Cross, DynElement, IntoDrawingArea, IntoDynElement, PathElement,
    SVGBackend, TriangleMarker,
};
use plotters::style::{Color, RGBColor, ShapeStyle, WHITE};
use units::math::log10;

use super::{COLORS, FONT, GRAY};
use crate::accuracy::point::Point;
use crate::accuracy::subset::study;

type Drawn = Result<(), DrawingAreaErrorKind<io::Error>>;

/// One dot: the logarithms of measured and predicted.
type Dot = (f64, f64);

/// The scatter of some points by study.
///
/// * `unit` — by what values are multiplied before they are drawn.
pub(super) fn scatter<'a>(
    title: &str,
    unit: f64,
    points: impl Iterator<Item = &'a Point<'a>>,
) -> String {
    let mut studies: BTreeMap<&str, Vec<Dot>> = BTreeMap::new();
    for point in points {
        let dot = (log10(point.measured * unit), log10(point.predicted * unit));
        studies.entry(study(point.row)).or_default().push(dot);
    }
    let mut svg = String::new();
    draw(&mut svg, title, &studies).expect("a figure in memory has no device that could fail");
    svg
}

fn draw(svg: &mut String, title: &str, studies: &BTreeMap<&str, Vec<Dot>>) -> Drawn {
    let all = || studies.values().flatten().flat_map(|(x, y)| [*x, *y]);
    let low = all().fold(f64::INFINITY, f64::min).floor();
    let high = all().fold(f64::NEG_INFINITY, f64::max).ceil();
    let (low, high) = if low < high { (low, high) } else { (0.0, 1.0) };
    let root = SVGBackend::with_string(svg, (860, 720)).into_drawing_area();
    root.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&root)
        .caption(title, (FONT, 20))
        .margin(12)
        .margin_right(28)
        .x_label_area_size(44)
        .y_label_area_size(64)
        .build_cartesian_2d(low..high, low..high)?;
    let power = |value: &f64| label(*value);
    chart
        .configure_mesh()
        .x_desc("measured")
        .y_desc("predicted")
        .x_labels(n_labels(low, high))
        .y_labels(n_labels(low, high))
        .x_label_formatter(&power)
        .y_label_formatter(&power)
        .light_line_style(WHITE)
        .label_style((FONT, 14))
        .draw()?;
    // Equal, and a fifth more and less.
    for (off, color) in [(1.0, RGBColor(0, 0, 0)), (1.2, GRAY), (1.0 / 1.2, GRAY)] {
        let shift = log10(off);
        // Both ends lie inside: what leaves the figure would be bent to its border.
        let (from, to) = (low.max(low - shift), high.min(high - shift));
        let line = vec![(from, from + shift), (to, to + shift)];
        chart.draw_series([PathElement::new(line, color)])?;
    }
    for (at, (name, dots)) in studies.iter().enumerate() {
        let name = format!("{name} ({})", dots.len());
        chart
            .draw_series(dots.iter().map(|dot| marker(at, *dot)))?
            .label(name)
            .legend(move |spot| marker(at, spot));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .label_font((FONT, 13))
        .background_style(WHITE.mix(0.9))
        .border_style(GRAY)
        .draw()?;
    root.present()
}

/// One label for each power of ten.
fn n_labels(low: f64, high: f64) -> usize {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "some powers of ten"
    )]
    let powers = (high - low).max(1.0) as usize;
    powers + 1
}

fn label(power: f64) -> String {
    let value = units::math::powf(10.0, power);
    if value < 0.999 {
        format!("{value:.3}").trim_end_matches('0').to_owned()
    } else {
        format!("{value:.0}")
    }
}

/// A dot whose shape and color tell its study.
fn marker<'b, C>(study: usize, at: C) -> DynElement<'static, SVGBackend<'b>, C>
where
    C: Clone + 'static,
{
    let color = COLORS[study % COLORS.len()];
    let style: ShapeStyle = color.mix(0.7).filled();
    match study / COLORS.len() {
        0 => Circle::new(at, 3, style).into_dyn(),
        1 => TriangleMarker::new(at, 5, style).into_dyn(),
        _ => Cross::new(at, 4, color.stroke_width(1)).into_dyn(),
    }
}
