//! The plan that is selected: what it is, what binds it, and what can be done with it.

use chart::{Axis, Bars, Direction, Figure, FigureView, Group, Grouping, Ink, Series};
use egui::{Button, RichText, Ui};
use look::told_line;
use look::{Theme, Told, Worth, number, space};
use session::{Planned, Prediction, binding};
use trace::Category;
use units::Bytes;

use super::fields::fields_ui;
use super::figures::{caption, currency};
use super::row::PlanRow;
use super::{Command, wrapped};
use crate::command::Command as Any;
use crate::views::figure::plate_ui;
use crate::views::told::Figures;

/// Shows a plan.
pub(super) fn card_ui(ui: &mut Ui, row: &PlanRow, planned: &Planned) -> Vec<Any> {
    let theme = Theme::of(ui.ctx());
    let mut commands = Vec::new();
    ui.add_space(space::SMALL);
    ui.horizontal(|ui| {
        ui.heading(format!("Plan {}", row.name()));
        if row.is_pareto {
            ui.label(RichText::new("Pareto front").color(theme.good))
                .on_hover_text("No plan that an engine judged beats it in time, memory and GPUs");
        }
    });
    commands.extend(actions_ui(ui, row));
    ui.add_space(space::SMALL);
    fields_ui(ui, "fields of the plan", &row.fields);
    ui.add_space(space::SMALL);
    let simulated = row
        .place()
        .and_then(|place| planned.answer.plans.get(place));
    let Some(simulated) = simulated else {
        closed_ui(ui, row);
        return commands;
    };
    let prediction = &simulated.prediction;
    ui.label(RichText::new("What binds it").strong());
    ui.label(binding(prediction).words);
    ui.add_space(space::SMALL);
    for told in numbers(row, prediction, planned) {
        told_line(ui, &told);
    }
    ui.add_space(space::SMALL);
    commands.extend(breakdown_ui(ui, planned, row, prediction));
    commands
}

/// What can be done with it.
fn actions_ui(ui: &mut Ui, row: &PlanRow) -> Vec<Any> {
    let theme = Theme::of(ui.ctx());
    let mut commands = Vec::new();
    ui.horizontal_wrapped(|ui| {
        let text = RichText::new("Simulate it").color(theme.on_accent);
        let simulate = ui
            .add(Button::new(text).fill(theme.accent))
            .on_hover_text("Run it, and compare its timeline with the run that is shown");
        if simulate.clicked() {
            commands.push(wrapped(Command::Simulate(row.id)));
        }
        let take = ui.button("Take it into the scenario").on_hover_text(
            "Write its fields into the plan of the scenario; one undo takes it back",
        );
        if take.clicked() {
            commands.push(wrapped(Command::Take(row.id)));
        }
        let other = u64::from(row.id == 0);
        if ui.button("Compare with…").clicked() {
            commands.push(wrapped(Command::CompareWith(other)));
        }
        if ui.button("Launch files…").clicked() {
            commands.push(wrapped(Command::Launch(
                row.id,
                session::Consumer::Megatron.name(),
            )));
        }
    });
    commands
}

/// The figures of a plan that no engine has looked at.
fn closed_ui(ui: &mut Ui, row: &PlanRow) {
    if let Some(words) = &row.bound {
        ui.label(RichText::new("What binds it, in closed form").strong());
        ui.label(words);
        ui.add_space(space::SMALL);
    }
    let source = "closed forms of schedule and collectives";
    let told = |label: &str, value: String, meaning: &str| {
        Told::new(label, value, meaning, Worth::Derived, source)
    };
    for told in [
        told(
            "Iteration time",
            number::secs(row.time),
            "From the start of an iteration to the end of its optimizer step",
        ),
        told(
            "Memory used",
            bytes(row.memory),
            "What the fullest GPU uses",
        ),
    ] {
        told_line(ui, &told);
    }
    let theme = Theme::of(ui.ctx());
    ui.add_space(space::SMALL);
    let text = "The search did not simulate it: its closed form, or a rehearsal, left it behind others. Simulate it to see its timeline.";
    ui.label(RichText::new(text).color(theme.faint));
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a number of bytes"
)]
pub(super) fn bytes(value: f64) -> String {
    number::bytes(Bytes::new(value as u64))
}

/// The numbers of a plan that was simulated.
pub(super) fn numbers(row: &PlanRow, prediction: &Prediction, planned: &Planned) -> Vec<Told> {
    let engine = format!("the {} engine", prediction.engine);
    let figures = Figures::of(prediction);
    let share = row.memory / prediction.device_memory_bytes.as_f64().max(1.0);
    let mut all = vec![
        figures.told("iteration_time_s", "Iteration time", number::secs(row.time)),
        figures.told(
            "tokens_per_s",
            "Tokens a second",
            number::digits(row.tokens),
        ),
        figures.told("mfu", "MFU", number::percent(row.mfu)),
        Told::new(
            "Memory used",
            format!(
                "{} of {}, {}",
                number::bytes(prediction.device_used_bytes),
                number::bytes(prediction.device_memory_bytes),
                number::percent(share)
            ),
            format!(
                "What the fullest GPU uses; the search keeps {} of that free besides",
                number::percent(planned.margin.margin)
            ),
            Worth::Simulated,
            engine,
        ),
        Told::new(
            "GPU-hours a billion tokens",
            number::digits(row.gpu_hours),
            "GPUs times the time for a billion tokens",
            Worth::Derived,
            "the iteration time",
        )
        .with_formula("GPUs × iteration time / tokens of an iteration × 10⁹"),
    ];
    if let Some(cost) = row.cost {
        all.push(Told::new(
            "Cost of the run",
            format!("{} {}", number::digits(cost), currency(planned)),
            "GPU-hours and energy of the whole run at the scenario's prices",
            Worth::Derived,
            "prices of the scenario",
        ));
    }
    all
}

/// Parts of an iteration by name, each with its ink, its letter and whether it is hatched.
pub(super) const PARTS: [(&str, Ink, char, bool); 9] = [
    ("Compute", Ink::Kind(Category::Compute), 'C', false),
    ("Tensor parallel", Ink::Kind(Category::Tp), 'T', false),
    ("Pipeline messages", Ink::Kind(Category::Pp), 'P', false),
    ("Data parallel", Ink::Kind(Category::Dp), 'D', false),
    ("Context parallel", Ink::Kind(Category::Cp), 'X', false),
    ("Expert parallel", Ink::Kind(Category::Ep), 'E', false),
    ("Bubble", Ink::Faint, 'B', true),
    ("Optimizer", Ink::Kind(Category::Optimizer), 'O', false),
    ("Host and other", Ink::Kind(Category::Other), '·', false),
];

/// Iterations of some plans as bars of their parts; parts that none has are left out.
pub(super) fn breakdown(title: &str, plans: &[(u64, String, &Prediction)]) -> Figure {
    let groups = plans
        .iter()
        .map(|(id, label, _)| Group::new(*id, label.clone()));
    let series = PARTS
        .iter()
        .enumerate()
        .map(|(at, (name, ink, letter, hatched))| {
            let value =
                |prediction: &Prediction| session::breakdown_parts(&prediction.breakdown)[at].1;
            Series {
                name: (*name).to_owned(),
                ink: *ink,
                letter: Some(*letter),
                hatched: *hatched,
                values: plans
                    .iter()
                    .map(|(_, _, prediction)| value(prediction))
                    .collect(),
            }
        });
    let total: f64 = plans.iter().map(|(_, _, one)| one.iteration_time_s).sum();
    let is_seen = |series: &Series| series.values.iter().any(|value| 1e-4 * total < *value);
    let bars = Bars {
        direction: Direction::Horizontal,
        grouping: Grouping::Stacked,
        value: Axis::new("Time of the bottleneck rank", chart::Unit::Seconds).from_zero(),
        groups: groups.collect(),
        series: series.filter(is_seen).collect(),
        limits: Vec::new(),
    };
    Figure::new(title, "plan", bars).explained(
        "Where the time of the rank goes that takes longest, as the plan's engine adds it up: \
         communication counts only where no kernel runs beside it.",
    )
}

fn breakdown_ui(
    ui: &mut Ui,
    planned: &Planned,
    row: &PlanRow,
    prediction: &Prediction,
) -> Vec<Any> {
    let plans = [(row.id, format!("Plan {}", row.name()), prediction)];
    let title = format!("Where the time of plan {} goes", row.name());
    let figure = breakdown(&title, &plans).with_caption(caption(planned));
    let view = FigureView {
        height: Some(170.0),
        ..FigureView::default()
    };
    plate_ui(ui, &figure, &view).1
}
