//! From a figure and a size to drawing items.

mod bars;
mod diagram;
mod gantt;
mod layers;
mod legend;
mod page;
mod parallel;
mod xy;

use egui::{Pos2, Rect, Vec2};
use look::Theme;

use crate::axis::AxisMap;
use crate::figure::{Content, Figure};
use crate::item::{Item, Measure};
use crate::mark::MarkRef;
use page::Page;

/// Where a figure is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Surface {
    /// In the window, where the scenario is known.
    Screen,
    /// Away from the window: with its caption, on its own ground.
    Paper,
}

/// A figure laid out.
#[derive(Debug)]
pub(crate) struct Drawing {
    pub(crate) items: Vec<Item>,
    /// What can be pointed at, in the order of the keys.
    pub(crate) targets: Vec<Target>,
    /// The part inside the axes.
    pub(crate) plot: Rect,
    /// The maps of the axes: `x` and `y`, the value of bars, or every parallel axis. Empty without data.
    pub(crate) axes: Vec<AxisMap>,
    /// Where parallel axes stand.
    pub(crate) stems: Vec<f32>,
}

/// Something that can be pointed at.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Target {
    pub(crate) mark: MarkRef,
    pub(crate) id: u64,
    pub(crate) at: Pos2,
    pub(crate) zone: Zone,
}

/// Where a target can be hit.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Zone {
    /// About its place, so far.
    Disc(f32),
    /// In a rectangle.
    Rect(Rect),
    /// Along a line.
    Path(Vec<Pos2>),
}

impl Target {
    /// How far a place is from the target, if it is near enough to hit it.
    pub(crate) fn distance(&self, at: Pos2) -> Option<f32> {
        const REACH: f32 = 6.0;
        let distance = match &self.zone {
            Zone::Disc(radius) => (self.at.distance(at) - radius).max(self.at.distance(at) * 1e-3),
            Zone::Rect(rect) if rect.contains(at) => 0.0,
            Zone::Rect(_) => return None,
            Zone::Path(points) => distance_to_path(points, at),
        };
        (distance <= REACH).then_some(distance)
    }

    /// A rectangle about what is drawn.
    pub(crate) fn bounds(&self) -> Rect {
        match &self.zone {
            Zone::Disc(radius) => Rect::from_center_size(self.at, Vec2::splat(2.0 * radius)),
            Zone::Rect(rect) => *rect,
            Zone::Path(_) => Rect::from_center_size(self.at, Vec2::splat(8.0)),
        }
    }
}

fn distance_to_path(points: &[Pos2], at: Pos2) -> f32 {
    let to_segment = |pair: &[Pos2]| {
        let along = pair[1] - pair[0];
        let share = (at - pair[0]).dot(along) / along.length_sq().max(1e-6);
        (pair[0] + along * share.clamp(0.0, 1.0)).distance(at)
    };
    points.windows(2).map(to_segment).fold(f32::MAX, f32::min)
}

/// The ranges that are shown instead of those of the figure.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Ranges {
    pub(crate) x: Option<(f64, f64)>,
    pub(crate) y: Option<(f64, f64)>,
}

/// Lays out a figure.
pub(crate) fn layout(
    figure: &Figure,
    ranges: Ranges,
    surface: Surface,
    size: Vec2,
    theme: &Theme,
    measure: &dyn Measure,
) -> Drawing {
    let mut page = Page::new(size, *theme, measure);
    page.title(&figure.title);
    if surface == Surface::Paper {
        page.caption(&figure.caption.line());
    }
    match &figure.content {
        Content::Xy(content) => xy::layout(page, figure, content, ranges),
        Content::Bars(content) => bars::layout(page, figure, content),
        Content::Parallel(content) => parallel::layout(page, figure, content),
        Content::Gantt(content) => gantt::layout(page, figure, content),
        Content::Diagram(content) => diagram::layout(page, figure, content),
    }
}
