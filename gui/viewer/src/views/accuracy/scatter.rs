//! Predicted against measured, both on logarithmic axes.

use std::collections::BTreeMap;
use std::sync::Arc;

use chart::{Axis, Caption, Diagonal, Figure, FigureView, Ink, Point, Points, Symbol, Xy};
use egui::Ui;

use super::{Command, Measurement, Predicted, View};
use crate::command::Command as Any;
use crate::views::figure::plate_ui;
use crate::views::kept::kept;

/// Groups with a color of their own; all others share one.
const GROUPS: usize = 6;

/// Shows the scatter.
pub(super) fn scatter_ui(
    ui: &mut Ui,
    view: &View,
    predicted: &Arc<Predicted>,
    all: &[&Measurement],
) -> Vec<Any> {
    let figure = kept(
        ui,
        "scatter of runs",
        super::inputs(view, predicted),
        || figure(view, predicted, all),
    );
    let shown = FigureView {
        selected: view.selected,
        ..FigureView::default()
    };
    let (response, mut commands) = plate_ui(ui, &figure, &shown);
    let clicked = response.clicked.map(Command::Select);
    commands.extend(clicked.map(Any::Accuracy));
    commands
}

/// What the numbers come from.
pub(super) fn caption(predicted: &Predicted) -> Caption {
    crate::run::caption(&predicted.name, "estimate", None)
}

/// The groups by size, the largest first.
pub(super) fn by_size<'a>(
    view: &View,
    all: &[&'a Measurement],
) -> Vec<(&'a str, Vec<&'a Measurement>)> {
    let mut groups: BTreeMap<&str, Vec<&Measurement>> = BTreeMap::new();
    for one in all {
        groups.entry(view.by.of(one)).or_default().push(one);
    }
    let mut groups: Vec<_> = groups.into_iter().collect();
    groups.sort_by_key(|(name, members)| (std::cmp::Reverse(members.len()), *name));
    groups
}

fn figure(view: &View, predicted: &Predicted, all: &[&Measurement]) -> Figure {
    let (label, unit) = (view.shown.label(), view.shown.unit());
    let axis = |what: &str| Axis::new(format!("{what} {}", label.to_lowercase()), unit.clone());
    let band = Diagonal {
        name: "±10 %".to_owned(),
        band: 0.1,
    };
    let mut xy = Xy::new(axis("Measured").log10(), axis("Predicted").log10())
        .equal()
        .with(band);
    let groups = by_size(view, all);
    let (own, others) = groups.split_at(groups.len().min(GROUPS));
    let others: Vec<&Measurement> = others
        .iter()
        .flat_map(|(_, members)| members.clone())
        .collect();
    if !others.is_empty() {
        let name = if groups.len() == GROUPS + 1 {
            groups[GROUPS].0.to_owned()
        } else {
            format!("{} others", groups.len() - GROUPS)
        };
        xy = xy.with(points(&name, Ink::Faint, Symbol::Cross, &others));
    }
    for (at, (name, members)) in own.iter().enumerate().rev() {
        xy = xy.with(points(name, Ink::Series(at), Symbol::of(at), members));
    }
    let title = format!("Predicted against measured {}", label.to_lowercase());
    Figure::new(title, "run", xy)
        .with_caption(caption(predicted))
        .explained(
            "Measured as the source published it, predicted from the scenario that the run became. The \
             interval is the 10th to the 90th percentile by the errors of the fitted tables.",
        )
}

fn points(name: &str, ink: Ink, symbol: Symbol, members: &[&Measurement]) -> Points {
    let point = |one: &&Measurement| {
        let label = format!("Run {}: {}, {}", one.name, one.gpu, one.source);
        let mut point = Point::new(one.id, one.measured, one.predicted, label);
        point.interval = one.interval.map(|[low, high]| (low, high));
        point.size = if members.len() < 100 { 1.0 } else { 0.75 };
        point
    };
    Points {
        name: if name.is_empty() { "not named" } else { name }.to_owned(),
        ink,
        symbol,
        points: members.iter().map(point).collect(),
    }
}
