//! Ways to balance the load of a network workload, the best first.

use std::fmt::Write as _;

use chart::{
    Axis, Bars, Cell, Column, Direction, Figure, FigureView, Group, Grouping, Ink, Limit, Row,
    Series, Table, TableCommand, TableView, Unit, table_ui,
};
use egui::{Button, RichText, ScrollArea, Ui};
use look::{Theme, number, space};
use session::{Candidate, NetworkPlan, NetworkPlans};

use super::{Command, wrapped};
use crate::command::Command as Any;
use crate::state::State;
use crate::views::figure::plate_ui;

/// Shows the choices.
pub(super) fn network_ui(ui: &mut Ui, state: &State, plans: &NetworkPlans) -> Vec<Any> {
    let mut commands = Vec::new();
    let view = &state.view.now().planner;
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        let at = view
            .selected
            .and_then(|id| usize::try_from(id).ok())
            .unwrap_or(0);
        if let Some(plan) = plans.plans.get(at) {
            commands.extend(choice_ui(ui, at, plan, plans));
        }
        let figure = figure(plans);
        let shown = FigureView {
            height: Some(70.0 + 26.0 * plans.plans.len() as f32),
            selected: view.selected,
            ..FigureView::default()
        };
        let (response, menu) = plate_ui(ui, &figure, &shown);
        commands.extend(menu);
        commands.extend(response.clicked.map(|id| wrapped(Command::Select(id))));
        ui.add_space(space::SMALL);
        commands.extend(rows_ui(ui, state, plans));
        rest_ui(ui, plans);
    });
    commands
}

/// A choice in words.
fn words(candidate: &Candidate) -> String {
    let split = candidate.split.map(|split| format!(" {split}"));
    let pairs = candidate.queue_pairs.map(|pairs| format!(" of {pairs}"));
    format!(
        "{}{}{}",
        candidate.policy,
        split.unwrap_or_default(),
        pairs.unwrap_or_default()
    )
}

fn choice_ui(ui: &mut Ui, at: usize, plan: &NetworkPlan, plans: &NetworkPlans) -> Vec<Any> {
    let theme = Theme::of(ui.ctx());
    let mut commands = Vec::new();
    let id = at as u64;
    ui.horizontal_wrapped(|ui| {
        ui.add_space(space::SMALL);
        ui.heading(words(&plan.candidate));
        let mut text = format!("done after {}", number::secs(plan.makespan.as_secs()));
        if let Some(ideal) = plans.ideal.filter(|ideal| 0.0 < ideal.as_secs()) {
            let ratio = plan.makespan.as_secs() / ideal.as_secs();
            let _ = write!(text, ", {ratio:.3} times spraying");
        }
        if plan.is_own {
            text.push_str(", the scenario's own");
        }
        ui.label(text);
        let take = Button::new(RichText::new("Take it into the scenario").color(theme.on_accent));
        if ui.add(take.fill(theme.accent)).clicked() {
            commands.push(wrapped(Command::Take(id)));
        }
        if ui.button("Simulate it").clicked() {
            commands.push(wrapped(Command::Simulate(id)));
        }
    });
    ui.horizontal(|ui| {
        ui.add_space(space::SMALL);
        let needs = format!("It needs {}", plan.needs);
        ui.label(RichText::new(needs).color(theme.faint));
    });
    commands
}

fn figure(plans: &NetworkPlans) -> Figure {
    let times = |of: &dyn Fn(&NetworkPlan) -> f64| plans.plans.iter().map(of).collect();
    let groups = plans.plans.iter().zip(0..);
    let bars = Bars {
        direction: Direction::Horizontal,
        grouping: Grouping::Stacked,
        value: Axis::new("Done after", Unit::Seconds).from_zero(),
        groups: groups
            .map(|(plan, id)| Group::new(id, words(&plan.candidate)))
            .collect(),
        series: vec![
            Series {
                name: "Median run".to_owned(),
                ink: Ink::Series(0),
                values: times(&|plan| plan.makespan.as_secs()),
                ..Series::default()
            },
            Series {
                name: "Worst run, beyond that".to_owned(),
                ink: Ink::Series(1),
                hatched: true,
                values: times(&|plan| plan.worst.as_secs() - plan.makespan.as_secs()),
                ..Series::default()
            },
        ],
        limits: plans
            .ideal
            .map(|ideal| Limit::new("Spraying", ideal.as_secs()).ink(Ink::Good))
            .into_iter()
            .collect(),
    };
    let mut figure = Figure::new("Completion by load balancing", "choice", bars).explained(
        "When the last byte of the workload arrived, by the engine that the caption names; where paths \
         are drawn, the median of several seeds and the worst.",
    );
    figure.caption = crate::run::caption(&plans.name, plans.engine, Some(plans.seed));
    figure
}

fn rows_ui(ui: &mut Ui, state: &State, plans: &NetworkPlans) -> Vec<Any> {
    let view = &state.view.now().planner;
    let sort = view
        .sort
        .map(|(column, descending)| chart::Sort { column, descending });
    let mut table = table(plans);
    if let Some(sort) = sort {
        table.sort(sort);
    }
    let shown = TableView {
        height: Some((table.rows.len() as f32 + 1.0) * 22.0 + 10.0),
        selected: view.selected,
        hovered: None,
        sort,
    };
    let mut commands = Vec::new();
    for command in table_ui(ui, &table, &shown) {
        match command {
            TableCommand::Sort(sort) => commands.push(wrapped(Command::Sort(sort))),
            TableCommand::Select(id) => commands.push(wrapped(Command::Select(id))),
            TableCommand::Open(id) => commands.push(wrapped(Command::Simulate(id))),
            TableCommand::Hover(_) => {}
        }
    }
    commands
}

fn table(plans: &NetworkPlans) -> Table {
    let columns = vec![
        Column::number("Rank", Unit::Count),
        Column::text("Policy"),
        Column::number("Done after", Unit::Seconds).explained(
            "When the last byte arrived, by the engine that the caption names; the median where paths are drawn",
        ),
        Column::number("Worst", Unit::Seconds)
            .explained("The same of the slowest of the seeds; none where nothing is drawn"),
        Column::number("× spray", Unit::Plain)
            .explained("Done after, over what spraying takes in the same engine"),
        Column::number("× load", Unit::Plain).explained(
            "The longest time that a link needs for what it carries, over that under ideal spraying",
        ),
        Column::number("More pieces", Unit::Count)
            .explained("Pieces of flows beyond one for each flow: what switches or hosts have to keep apart"),
        Column::text("Needs"),
    ];
    let mut table = Table::new("Choices", columns);
    let over = |time: f64, of: Option<f64>| match of {
        Some(of) if 0.0 < of => Cell::Worded(time / of, format!("{:.3}", time / of)),
        _ => Cell::Missing,
    };
    for (plan, id) in plans.plans.iter().zip(0_u64..) {
        let worst = (1 < plan.runs).then(|| plan.worst.as_secs());
        let ideal = plans.ideal.map(units::Seconds::as_secs);
        let cells = vec![
            Cell::from((id + 1) as f64),
            words(&plan.candidate).into(),
            plan.makespan.as_secs().into(),
            worst.into(),
            over(plan.makespan.as_secs(), ideal),
            over(
                plan.congestion.as_secs(),
                Some(plans.ideal_congestion.as_secs()),
            ),
            match plan.extra_pieces {
                Some(pieces) => Cell::from(pieces as f64),
                None => Cell::Worded(f64::MAX, "every packet".to_owned()),
            },
            plan.needs.clone().into(),
        ];
        table.rows.push(Row::new(id, cells));
    }
    table
}

/// What is no choice, and how the order was made.
fn rest_ui(ui: &mut Ui, plans: &NetworkPlans) {
    let theme = Theme::of(ui.ctx());
    ui.add_space(space::SMALL);
    for plan in &plans.failed {
        let [failed, runs] = plan.runs;
        let text = format!(
            "Fails: {} in {failed} of {runs} runs: {}",
            words(&plan.candidate),
            plan.error
        );
        ui.label(RichText::new(text).color(theme.bad));
    }
    for (reason, count) in &plans.excluded {
        let text = format!("Not run: {}, since {reason}", number::count(*count as u64));
        ui.label(RichText::new(text).color(theme.faint));
    }
    let text = "In order of the median: those within half a percent of each other count as equal, and the one with fewer pieces comes first. Policies that hash ran with several seeds: the median and the worst run. × spray is the time over that of spraying; × load what the fullest link carries over what it carries when everything is sprayed.";
    ui.label(RichText::new(text).color(theme.faint));
}
