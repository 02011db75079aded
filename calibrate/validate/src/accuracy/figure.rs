//! Figures as SVG: predicted against measured, and errors by slot. Text is left to the viewer's
//! fonts, and no meaning is carried by color alone.

mod interval;
mod scatter;

use plotters::style::RGBColor;
use runs::Quantity;

use super::Page;
use super::point::Point;
use super::slice::{SLICES, sliced};
use super::subset::is_test;

/// Colors that differ for people who see few: Okabe and Ito, "Color universal design", 2008.
const COLORS: [RGBColor; 7] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(86, 180, 233),
    RGBColor(230, 159, 0),
    RGBColor(0, 0, 0),
];

const GRAY: RGBColor = RGBColor(170, 170, 170);
const LIGHT: RGBColor = RGBColor(225, 225, 225);
const FONT: &str = "sans-serif";

/// The folder of the figures inside that of the report.
const FOLDER: &str = "accuracy";

/// Every figure.
pub(super) fn figures(points: &[Point<'_>]) -> Vec<Page> {
    let times = || {
        points
            .iter()
            .filter(|point| point.quantity == Quantity::IterationTime)
    };
    let memories = points
        .iter()
        .filter(|point| point.quantity != Quantity::IterationTime);
    let mut pages = vec![
        page(
            "time",
            &scatter::scatter("Iteration time, seconds", 1.0, times()),
        ),
        page(
            "memory",
            &scatter::scatter("Peak memory, GB", 1e-9, memories),
        ),
    ];
    for slice in SLICES {
        let slots = sliced(slice, times().filter(|point| !is_test(point.row)));
        let title = format!("Error of iteration time by {}", slice.name);
        pages.push(page(
            &file(slice.name),
            &interval::intervals(&title, &slots),
        ));
    }
    pages
}

/// The name of the file of errors by slot.
pub(super) fn file(slice: &str) -> String {
    format!("by-{}", slice.to_lowercase().replace(' ', "-"))
}

/// The path of a figure from the report.
pub(super) fn path(name: &str) -> String {
    format!("{FOLDER}/{name}.svg")
}

fn page(name: &str, svg: &str) -> Page {
    Page {
        name: path(name),
        text: svg.to_owned(),
    }
}
