//! The plans as a scatter with its front, and across parallel axes.

use std::collections::BTreeSet;

use chart::{
    Axis, Caption, Figure, Ink, Limit, Line, Parallel, ParallelAxis, ParallelLine, Path, Point,
    Points, Symbol, Xy,
};
use session::{Engine, Planned, Prediction, doubted};

use super::Property;
use super::plans::passes;
use super::property::places_of_range;
use super::row::{Basis, PlanRow};
use super::search::Searched;
use crate::run;
use crate::state::State;

/// The id of the scenario's own plan on the scatter.
const OWN: u64 = u64::MAX;
/// The id of the run that is shown.
const CURRENT: u64 = u64::MAX - 1;

/// What the numbers come from.
pub(super) fn caption(planned: &Planned) -> Caption {
    let scenario = &planned.planning.scenario;
    let seed = Some(scenario.settings.seed);
    run::caption(&scenario.name, &engines(planned), seed)
}

/// What is named in place of the estimate where its formulas alone were taken in spite of a doubt: a search
/// that was stopped had no time for more.
pub(super) const FORMULAS: &str = "formulas";

/// What answered for a plan.
pub(super) fn engine_of(prediction: &Prediction) -> &'static str {
    doubted(prediction).map_or(prediction.engine, |_| FORMULAS)
}

/// What answered for the plans: not the engine that was asked for where the search was stopped before.
pub(super) fn engines(planned: &Planned) -> String {
    let mut names: Vec<&str> = Vec::new();
    for plan in &planned.answer.plans {
        let engine = engine_of(&plan.prediction);
        if !names.contains(&engine) {
            names.push(engine);
        }
    }
    names.join(" and ")
}

/// What money is called in a scenario.
pub(super) fn currency(planned: &Planned) -> String {
    let best = planned.answer.plans.first();
    let currency = best.and_then(|best| best.prediction.totals.get("currency")?.as_str());
    currency.unwrap_or("").to_owned()
}

/// Plans that stand out: the one under the pointer with the selected one, or those that are let through.
fn highlighted(state: &State, searched: &Searched, hovered: Option<u64>) -> BTreeSet<u64> {
    let view = &state.view.now().planner;
    if let Some(hovered) = hovered {
        return std::iter::once(hovered).chain(view.selected).collect();
    }
    if view.filters.is_empty() {
        return BTreeSet::new();
    }
    let rows = searched.rows.iter().filter(|row| passes(state, row));
    let mut ids: BTreeSet<u64> = rows.map(|row| row.id).collect();
    ids.extend([OWN, CURRENT]);
    ids
}

/// One property against another.
pub(super) fn scatter(
    state: &State,
    searched: &Searched,
    planned: &Planned,
    hovered: Option<u64>,
) -> Figure {
    let view = &state.view.now().planner;
    let (x, y) = (view.x, view.y);
    let currency = currency(planned);
    let axis = |property: Property| Axis::new(property.label(), property.unit(&currency));
    let front = front(&searched.rows, x, y);
    let point = |row: &PlanRow, size: f32| {
        let label = format!("Plan {}: {}", row.name(), row.label());
        let mut point = Point::new(row.id, x.of(row), y.of(row), label);
        point.size = size;
        point
    };
    let of = |keep: &dyn Fn(&PlanRow) -> bool, size: f32| -> Vec<Point> {
        let kept = searched.rows.iter().filter(|row| keep(row));
        kept.map(|row| point(row, size)).collect()
    };
    let points = |name: &str, ink, symbol, points| Points {
        name: name.to_owned(),
        ink,
        symbol,
        points,
    };
    let is_front = |row: &PlanRow| front.contains(&row.id);
    let is_simulated = |row: &PlanRow| row.place().is_some();
    let judged = match engines(planned).as_str() {
        engine if engine == Engine::Estimate.name() => "Estimated".to_owned(),
        FORMULAS => "By formulas alone".to_owned(),
        engines => format!("Simulated ({engines})"),
    };
    let mut xy = Xy::new(axis(x), axis(y))
        .with(points(
            "Closed form",
            Ink::Faint,
            Symbol::Square,
            of(&|row| !is_simulated(row), 0.6),
        ))
        .with(step(searched, &front, x, y))
        .with(points(
            &judged,
            Ink::Series(5),
            Symbol::Circle,
            of(&|row| is_simulated(row) && !is_front(row), 1.0),
        ))
        .with(points(
            "Pareto front",
            Ink::Series(0),
            Symbol::Circle,
            of(&is_front, 1.6),
        ));
    for (name, id, symbol, prediction) in [
        (
            "Scenario's own plan",
            OWN,
            Symbol::Diamond,
            planned.own.as_ref(),
        ),
        (
            "Run that is shown",
            CURRENT,
            Symbol::Triangle,
            current(state),
        ),
    ] {
        let Some(prediction) = prediction else {
            continue;
        };
        let place = [x, y].map(|property| measured(property, prediction, searched));
        let name = format!("{name} ({})", engine_of(prediction));
        let mut point = Point::new(id, place[0], place[1], name.clone());
        point.size = 1.6;
        xy = xy.with(points(&name, Ink::Series(1), symbol, vec![point]));
    }
    if y == Property::Memory
        && let Some(limit) = limit(planned)
    {
        xy = xy.with(Limit::new("Memory of the GPU", limit));
    }
    xy.layers
        .retain(|layer| !matches!(layer, chart::Layer::Points(points) if points.points.is_empty()));
    let title = format!("{} and {}", x.label(), lowered(y.label()));
    let about = [x, y].map(|property| format!("{}: {}.", property.label(), property.meaning()));
    let mut figure = Figure::new(title, "plan", xy)
        .with_caption(caption(planned))
        .explained(format!("{} {BASES}", about.join(" ")));
    figure.highlighted = highlighted(state, searched, hovered);
    figure
}

/// On what the values of plans rest.
const BASES: &str = "Simulated plans by the engine that the legend names, all others by closed forms of \
                     their schedule and collectives.";

/// A label in the middle of a sentence.
fn lowered(label: &str) -> String {
    let abbreviated = label.chars().nth(1).is_some_and(char::is_uppercase);
    if abbreviated {
        return label.to_owned();
    }
    label.to_lowercase()
}

fn limit(planned: &Planned) -> Option<f64> {
    let best = planned.answer.plans.first()?;
    Some(best.prediction.device_memory_bytes.as_f64())
}

fn current(state: &State) -> Option<&Prediction> {
    state.results.current.as_ref()?.prediction()
}

/// What a prediction of any plan has of a property.
fn measured(property: Property, prediction: &Prediction, searched: &Searched) -> f64 {
    let per_gpu = prediction.tokens_per_s_per_gpu;
    match property {
        Property::Time => prediction.iteration_time_s,
        Property::Tokens => prediction.tokens_per_s,
        Property::Memory => prediction.device_used_bytes.as_f64(),
        Property::GpuHours => 1e9 / (per_gpu * 3600.0),
        Property::Mfu => prediction.mfu,
        Property::Cost => {
            let cost = prediction.totals.get("cost");
            cost.and_then(serde_json::Value::as_f64).unwrap_or(f64::NAN)
        }
        _ => searched
            .rows
            .first()
            .map_or(f64::NAN, |row| property.of(row)),
    }
}

/// Plans that were simulated and that no other beats in both properties.
fn front(rows: &[PlanRow], x: Property, y: Property) -> BTreeSet<u64> {
    let cost = |property: Property, row: &PlanRow| {
        let value = property.of(row);
        if property.less_is_better() {
            value
        } else {
            -value
        }
    };
    let simulated: Vec<&PlanRow> = rows.iter().filter(|row| row.place().is_some()).collect();
    let beats = |other: &PlanRow, row: &PlanRow| {
        let pairs = [x, y].map(|property| (cost(property, other), cost(property, row)));
        pairs.iter().all(|(other, own)| other <= own)
            && (pairs.iter().any(|(other, own)| other < own) || other.id < row.id)
    };
    let kept = simulated.iter().filter(|row| {
        simulated
            .iter()
            .all(|other| other.id == row.id || !beats(other, row))
    });
    kept.map(|row| row.id).collect()
}

/// The line along the front.
fn step(searched: &Searched, front: &BTreeSet<u64>, x: Property, y: Property) -> Line {
    let rows = searched.rows.iter().filter(|row| front.contains(&row.id));
    let mut samples: Vec<(f64, f64)> = rows.map(|row| (x.of(row), y.of(row))).collect();
    samples.sort_by(|a, b| a.0.total_cmp(&b.0));
    let is_stair = x.less_is_better() && y.less_is_better();
    Line {
        ink: Ink::Series(0),
        path: if is_stair {
            Path::Steps
        } else {
            Path::Straight
        },
        samples,
        ..Line::default()
    }
}

/// The plans across parallel axes; gives what the axes are, too. Axes on which all plans agree are left
/// out.
pub(super) fn parallel(
    state: &State,
    searched: &Searched,
    hovered: Option<u64>,
) -> (Figure, Vec<Property>) {
    let filters = &state.view.now().planner.filters;
    let rows = &searched.rows;
    let varies = |property: &Property| {
        let mut values = rows.iter().map(|row| property.of(row));
        let first = values.next();
        !property.is_listed() || values.any(|value| Some(value) != first)
    };
    let across: Vec<Property> = Property::ACROSS.into_iter().filter(varies).collect();
    let mut all = Vec::new();
    let mut values: Vec<Vec<f64>> = vec![Vec::new(); rows.len()];
    for property in &across {
        let brush = filters.get(property).copied();
        let listed = property.is_listed().then(|| property.listed(rows));
        for (row, values) in rows.iter().zip(&mut values) {
            values.push(along(property.of(row), listed.as_deref()));
        }
        let label = short(*property);
        let mut axis = match &listed {
            Some(listed) => {
                let texts = listed.iter().map(|(_, text)| text.clone());
                ParallelAxis::categories(label, texts.collect())
            }
            None => ParallelAxis::numbers(Axis::new(label, property.unit(""))),
        };
        axis.brush = match listed {
            Some(listed) => brush.map(|range| places_of_range(&listed, range)),
            None => brush,
        };
        all.push(axis);
    }
    let lines = rows
        .iter()
        .zip(values)
        .rev()
        .map(|(row, values)| ParallelLine {
            id: row.id,
            label: format!("Plan {}: {}", row.name(), row.label()),
            ink: ink(row),
            values,
        });
    let parallel = Parallel {
        lines: lines.collect(),
        axes: all,
    };
    let mut figure = Figure::new("Plans across their fields", "plan", parallel).explained(BASES);
    if let Some(planned) = searched.planned() {
        figure.caption = caption(planned);
    }
    figure.highlighted = highlighted(state, searched, hovered);
    (figure, across)
}

/// Where a value lies on an axis: itself, or its place in what the axis lists.
fn along(value: f64, listed: Option<&[(f64, String)]>) -> f64 {
    let Some(listed) = listed else {
        return value;
    };
    let place = listed
        .iter()
        .position(|(known, _)| known.total_cmp(&value).is_eq());
    place.map_or(f64::NAN, |place| place as f64)
}

const fn short(property: Property) -> &'static str {
    match property {
        Property::MicroBatch => "mbs",
        Property::Time => "Time",
        Property::Memory => "Memory",
        _ => property.label(),
    }
}

const fn ink(row: &PlanRow) -> Ink {
    match row.basis {
        Basis::Judged { .. } if row.is_pareto => Ink::Series(0),
        Basis::Judged { .. } => Ink::Series(5),
        Basis::ClosedForm => Ink::Faint,
    }
}
