//! What was excluded and why: of the whole search, and of plans that somebody asks for.

use chart::{Cell, Column, Row, Table, TableView, Unit, table_ui};
use egui::{Button, Key, RichText, ScrollArea, TextEdit, Ui};
use look::{Theme, number, space};
use session::{Planned, Tally, WhyNot};

use super::card::bytes;
use super::fields::fields_of;
use super::search::Nothing;
use super::{Asked, Command, wrapped};
use crate::command::Command as Any;
use crate::state::State;
use crate::views::figure::table_menu_ui;

/// Shows what was excluded, and answers questions.
pub(super) fn why_not_ui(ui: &mut Ui, state: &State, planned: &Planned) -> Vec<Any> {
    let mut commands = ask_ui(ui, state);
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        if let Some(asked) = &state.results.planner.asked {
            commands.extend(answer_ui(ui, planned, asked));
            ui.add_space(space::MEDIUM);
        }
        let answer = &planned.answer;
        let text = format!(
            "{} have room and were evaluated in closed form; these are no candidates:",
            number::counted(answer.n_with_room(), "plan")
        );
        ui.label(text);
        commands.extend(tally_ui(ui, "Excluded plans", &answer.excluded));
    });
    commands
}

fn ask_ui(ui: &mut Ui, state: &State) -> Vec<Any> {
    let mut commands = Vec::new();
    let theme = Theme::of(ui.ctx());
    let asked = &state.view.now().planner.asked;
    ui.horizontal(|ui| {
        ui.add_space(space::SMALL);
        ui.label(RichText::new("Why not").color(theme.faint));
        let mut text = asked.clone();
        let field = ui.add(
            TextEdit::singleline(&mut text)
                .hint_text("tp=8, pp=4")
                .desired_width(220.0),
        );
        let typed = text.clone();
        field.widget_info(|| {
            let mut info = egui::WidgetInfo::text_edit(true, asked, &typed, "");
            info.label = Some("Values of a plan that is not the best".to_owned());
            info
        });
        let enters = field.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
        if text != *asked {
            commands.push(wrapped(Command::TypeAsked(text)));
        }
        let ask = ui.add_enabled(!asked.trim().is_empty(), Button::new("Ask"));
        if ask.clicked() || enters {
            commands.push(wrapped(Command::AskWhyNot));
        }
    });
    ui.add_space(space::SMALL);
    commands
}

/// What became of plans with some values.
fn answer_ui(ui: &mut Ui, planned: &Planned, asked: &Asked) -> Vec<Any> {
    let values = &asked.values;
    match &asked.answer.best {
        Err(nothing) => {
            ui.label(RichText::new(format!("No plan with {values} is possible")).strong());
            tally_ui(ui, "Plans with these values", &nothing.excluded)
        }
        Ok(other) => {
            ui.label(RichText::new(sentence(values, &asked.answer)).strong());
            table_of(ui, planned, other, &asked.answer);
            ui.add_space(space::SMALL);
            ui.label("Of plans with these values, these are no candidates:");
            tally_ui(ui, "Plans with these values", &other.answer.excluded)
        }
    }
}

fn sentence(values: &str, answer: &WhyNot) -> String {
    let slower = answer.slower.unwrap_or(0.0);
    let by = number::percent(slower.abs());
    let compared = if slower < 0.0 { "faster" } else { "slower" };
    let lost = answer.loses.first().filter(|(_, secs)| 0.0 < *secs);
    let lost = lost.map_or_else(String::new, |(part, secs)| {
        format!("; it loses most in {part}, {}", number::secs(*secs))
    });
    format!("The best plan with {values} is {by} {compared} than the best{lost}")
}

/// The best plan with some values beside the best of all.
fn table_of(ui: &mut Ui, planned: &Planned, other: &Planned, answer: &WhyNot) {
    let columns = ["Field", "Best", "Best with these values"].map(Column::text);
    let mut table = Table::new("The best plan with these values", columns.into());
    let mut row = |name: &str, values: [String; 2]| {
        let [first, second] = values;
        let cells: Vec<Cell> = [name.to_owned(), first, second].map(Cell::from).into();
        table.rows.push(Row::new(table.rows.len() as u64, cells));
    };
    let [Some(best), Some(with)] = [planned, other].map(|one| one.answer.plans.first()) else {
        return;
    };
    let both = [best, with];
    row(
        "Iteration time",
        both.map(|one| number::secs(one.prediction.iteration_time_s)),
    );
    row(
        "Memory used",
        both.map(|one| number::bytes(one.prediction.device_used_bytes)),
    );
    for (part, more) in answer.loses.iter().filter(|(_, secs)| secs.abs() > 1e-9) {
        let sign = if *more < 0.0 { "−" } else { "+" };
        let text = format!("{sign}{}", number::secs(more.abs()));
        row(part, [String::new(), text]);
    }
    let [own, theirs] = [(best, planned), (with, other)]
        .map(|(one, of)| fields_of(&one.evaluated.choice, &of.planning.fixed));
    for (name, value) in &own {
        let found = theirs.iter().find(|(known, _)| known == name);
        let found = found.map_or_else(|| "1".to_owned(), |(_, value)| value.clone());
        if *value != found {
            row(name, [value.clone(), found]);
        }
    }
    for (name, value) in &theirs {
        if own.iter().all(|(known, _)| known != name) {
            row(name, ["1".to_owned(), value.clone()]);
        }
    }
    sized(ui, &table);
}

/// Reasons with their counts.
fn tally_ui(ui: &mut Ui, name: &str, tally: &Tally) -> Vec<Any> {
    let theme = Theme::of(ui.ctx());
    let table = tally_table(name, tally);
    let commands = table_menu_ui(ui, &table);
    egui::Grid::new(name)
        .num_columns(3)
        .striped(true)
        .spacing(egui::vec2(space::LARGE, 4.0))
        .show(ui, |ui| {
            for column in &table.columns {
                ui.label(RichText::new(&column.label).color(theme.faint));
            }
            ui.end_row();
            for row in &table.rows {
                for cell in &row.cells {
                    let text = match cell {
                        Cell::Text(text) | Cell::Worded(_, text) => text.clone(),
                        Cell::Number(count) => Unit::Count.text(*count),
                        Cell::Missing => "–".to_owned(),
                    };
                    ui.label(text);
                }
                ui.end_row();
            }
        });
    commands
}

fn tally_table(name: &str, tally: &Tally) -> Table {
    let mut table = Table::new(
        name,
        vec![
            Column::number("Plans", Unit::Count)
                .explained("Plans that the search decided against for this reason"),
            Column::text("For example"),
            Column::text("Reason"),
        ],
    );
    for ((reason, count), id) in tally.by_count().into_iter().zip(0..) {
        let lacking = match (reason, tally.lacking()) {
            (session::Reason::Memory, Some([least, most])) => format!(
                " by {} to {}, with the margin",
                number::bytes(least),
                number::bytes(most)
            ),
            _ => String::new(),
        };
        let example = tally.example(reason).map(|degrees| {
            format!(
                "tp {}, pp {}, cp {}, dp {}",
                degrees.tp, degrees.pp, degrees.cp, degrees.dp
            )
        });
        let cells = vec![
            Cell::from(count as f64),
            example.map_or(Cell::Missing, Cell::from),
            Cell::from(format!("{reason}{lacking}")),
        ];
        table.rows.push(Row::new(id, cells));
    }
    table
}

/// A table as high as its rows.
fn sized(ui: &mut Ui, table: &Table) {
    let height = (table.rows.len() as f32 + 1.0) * 22.0 + 10.0;
    let view = TableView {
        height: Some(height),
        ..TableView::default()
    };
    table_ui(ui, table, &view);
}

/// Says that no plan fits, and what would help.
pub(super) fn nothing_ui(ui: &mut Ui, nothing: &Nothing) -> Vec<Any> {
    let theme = Theme::of(ui.ctx());
    let mut commands = Vec::new();
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        let text = match (&nothing.tried.nearest, nothing.device) {
            (Some(nearest), Some(device)) => format!(
                "No plan fits: the smallest needs {} a GPU and {} of it free, of {}",
                number::bytes(nearest.used),
                number::percent(session::memory_margin().margin),
                bytes(device)
            ),
            _ => "No plan fits the numbers of model and cluster".to_owned(),
        };
        ui.label(RichText::new(text).strong().color(theme.bad));
        ui.add_space(space::SMALL);
        if nothing.remedies.is_empty() {
            ui.label("Neither more nodes nor shorter sequences make one fit.");
        } else {
            ui.label("Each of these would make one fit:");
            let columns = vec![
                Column::text("Change"),
                Column::number("Iteration time", Unit::Seconds)
                    .explained("Of the fastest plan that fits after the change, in closed form"),
                Column::text("Optimizer"),
            ];
            let mut table = Table::new("What would make a plan fit", columns);
            for (remedy, id) in nothing.remedies.iter().zip(0..) {
                let host = if remedy.offloads {
                    "on the host"
                } else {
                    "on the GPU"
                };
                let cells = vec![
                    remedy.change.clone().into(),
                    remedy.time.into(),
                    host.into(),
                ];
                table.rows.push(Row::new(id, cells));
            }
            sized(ui, &table);
        }
        ui.add_space(space::MEDIUM);
        ui.label("Why plans are no candidates:");
        commands.extend(tally_ui(ui, "Excluded plans", &nothing.tried.excluded));
    });
    commands
}
