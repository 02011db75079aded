//! Errors by slot: from the 10th to the 90th percentile, with the median marked.

use std::io;

use plotters::drawing::DrawingAreaErrorKind;
use plotters::prelude::{ChartBuilder, Circle, IntoDrawingArea, PathElement, SVGBackend, Text};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, IntoFont, RGBColor, TextStyle, WHITE};

use super::{COLORS, FONT, LIGHT};
use crate::accuracy::stats::Stats;

/// Height of a slot in the figure.
const SLOT: u32 = 30;

/// Errors further out than these are cut off, and the line ends in the border.
const LEAST: f64 = -1.0;
const MOST: f64 = 1.5;

/// The step of the lines in the background.
const STEP: f64 = 0.2;

/// Errors by slot, the first slot on top.
pub(super) fn intervals(title: &str, slots: &[(String, Stats)]) -> String {
    let mut svg = String::new();
    draw(&mut svg, title, slots).expect("a figure in memory has no device that could fail");
    svg
}

fn draw(
    svg: &mut String,
    title: &str,
    slots: &[(String, Stats)],
) -> Result<(), DrawingAreaErrorKind<io::Error>> {
    let n = u32::try_from(slots.len()).unwrap_or(u32::MAX / SLOT / 2);
    let height = 96 + SLOT * n;
    let steps = |value: f64| value / STEP;
    let ends = slots.iter().flat_map(|(_, stats)| stats.signed);
    let (low, high) = ends.fold((-STEP, STEP), |(low, high), end| {
        (low.min(end), high.max(end))
    });
    let low = (steps(low).floor() * STEP).max(LEAST);
    let high = (steps(high).ceil() * STEP).min(MOST);
    let root = SVGBackend::with_string(svg, (860, height)).into_drawing_area();
    root.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&root)
        .caption(title, (FONT, 20))
        .margin(12)
        .margin_right(28)
        .x_label_area_size(40)
        .y_label_area_size(270)
        .build_cartesian_2d(low..high, 0.0..f64::from(n.max(1)))?;
    chart
        .configure_mesh()
        .disable_y_mesh()
        .y_labels(0)
        .x_labels(9)
        .x_desc("predicted / measured - 1: 10th percentile, median, 90th percentile")
        .x_label_formatter(&|error| format!("{:+.0} %", error * 100.0))
        .bold_line_style(LIGHT)
        .light_line_style(WHITE)
        .label_style((FONT, 13))
        .draw()?;
    let zero = vec![(0.0, 0.0), (0.0, f64::from(n.max(1)))];
    chart.draw_series([PathElement::new(zero, RGBColor(0, 0, 0))])?;
    let style = TextStyle::from((FONT, 13).into_font()).pos(Pos::new(HPos::Right, VPos::Center));
    for (at, (name, stats)) in (0..n).zip(slots) {
        let middle = f64::from(n - at) - 0.5;
        let [from, median, to] = stats.signed.map(|end| end.clamp(low, high));
        let line = vec![(from, middle), (to, middle)];
        chart.draw_series([PathElement::new(line, COLORS[0].stroke_width(4))])?;
        chart.draw_series([Circle::new((median, middle), 5, COLORS[1].filled())])?;
        let (x, y) = chart.backend_coord(&(low, middle));
        let label = format!("{name} ({})", stats.n);
        root.draw(&Text::new(label, (x - 8, y), style.clone()))?;
    }
    root.present()
}
