//! The run that is selected: what was measured, what is predicted, and what was inferred.

use egui::{Button, Label, RichText, Ui};
use look::told_line;
use look::{Theme, Told, Worth, number, space};

use super::{Command, Measurement, Predicted};
use crate::command::Command as Any;

/// Shows a run.
pub(super) fn card_ui(ui: &mut Ui, predicted: &Predicted, one: &Measurement) -> Vec<Any> {
    let theme = Theme::of(ui.ctx());
    let mut commands = Vec::new();
    let row = &predicted.validation.rows[one.row];
    ui.add_space(space::SMALL);
    ui.heading(format!("Run {}", one.name));
    let faint = |ui: &mut Ui, text: String| {
        ui.add(Label::new(RichText::new(text).color(theme.faint)).wrap());
    };
    faint(ui, format!("{} {}", one.source, row.label.source_path));
    faint(
        ui,
        format!(
            "{}, {}, line {} of {}",
            one.gpu,
            one.framework,
            row.record.line,
            row.record.path()
        ),
    );
    if let Some(apart) = one.apart {
        let text = format!("Counts in no group: {apart}");
        ui.add(Label::new(RichText::new(text).color(theme.warn)).wrap());
    }
    ui.add_space(space::SMALL);
    let open = Button::new(RichText::new("Open its scenario").color(theme.on_accent));
    let open = ui
        .add(open.fill(theme.accent))
        .on_hover_text("Open the scenario that the row became, run it, and show its timeline");
    if open.clicked() {
        commands.push(Any::Accuracy(Command::OpenRow(one.id)));
    }
    ui.add_space(space::SMALL);
    for told in numbers(one) {
        told_line(ui, &told);
    }
    if let Some(facts) = &row.facts {
        ui.add_space(space::SMALL);
        let text = format!(
            "tp {}, pp {}, cp {}, ep {}, dp {}; {}; {} parameters",
            facts.tp,
            facts.pp,
            facts.cp,
            facts.ep,
            facts.dp,
            number::counted(u64::from(facts.gpus), "GPU"),
            number::count(facts.params)
        );
        ui.add(Label::new(text).wrap());
    }
    ui.add_space(space::MEDIUM);
    let n = row.assumptions.len() as u64;
    ui.label(RichText::new(format!("Inferred: {}", number::counted(n, "field"))).strong());
    for inferred in &row.assumptions {
        let text = format!("{} = {}", inferred.field, inferred.value);
        let label = Label::new(RichText::new(text).monospace().small()).wrap();
        ui.add(label).on_hover_text(inferred.rule.reason);
        faint(ui, inferred.rule.reason.to_owned());
    }
    commands
}

fn numbers(one: &Measurement) -> Vec<Told> {
    let unit = one.shown.unit();
    let source = one
        .derived
        .clone()
        .unwrap_or_else(|| "a cell of the table".to_owned());
    let measured = Told::new(
        "Measured",
        unit.text(one.measured),
        "What the run took, as its source says",
        Worth::Measured,
        source,
    );
    let mut predicted = Told::new(
        "Predicted",
        unit.text(one.predicted),
        "What the scenario of the row gives, from its configuration alone",
        Worth::Simulated,
        "the estimate engine",
    );
    predicted.interval = one
        .interval
        .map(|[low, high]| format!("{} to {}, 80 %", unit.text(low), unit.text(high)));
    let mut all = vec![
        measured,
        predicted,
        Told::new(
            "Error",
            number::signed_percent(one.error()),
            "How far the prediction is off",
            Worth::Derived,
            "both numbers",
        )
        .with_formula("predicted / measured − 1"),
    ];
    if let (Some([low, high]), Some(covered)) = (one.interval, one.is_covered()) {
        let inside = if covered { "holds it" } else { "misses it" };
        all.push(Told::new(
            "Interval",
            format!("{} to {}, {inside}", unit.text(low), unit.text(high)),
            "8 of 10 such runs should lie within",
            Worth::Derived,
            "errors of runs that were left out of the fit",
        ));
    }
    all
}
