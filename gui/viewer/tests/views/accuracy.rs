//! Measured runs beside their predictions, as a person uses them.

use std::path::PathBuf;

use crate::common::Person;
use egui_kittest::kittest::Queryable as _;
use viewer::command::Command;
use viewer::dialogs::Typed;
use viewer::keep::Keeper;
use viewer::layout::Pane;
use viewer::views::accuracy::{self, By, Predicted, Shown, Tab};
use viewer::worker::{Mode, Slot};

const RUNS: &str = include_str!("../../../../calibrate/data/runs/training_runs.csv");

/// A folder for the files of a test.
fn scratch(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("windtunnel-{}-{name}", std::process::id()));
    drop(std::fs::remove_dir_all(&folder));
    std::fs::create_dir_all(&folder).expect("a folder of our own");
    folder
}

/// The first five runs of the table that comes with the program.
fn five() -> String {
    let lines: Vec<&str> = RUNS.lines().take(6).collect();
    lines.join("\n") + "\n"
}

fn written(name: &str, text: &str) -> PathBuf {
    let file = scratch(name).join("mine.csv");
    std::fs::write(&file, text).expect("a file of our own");
    file
}

fn with_five(name: &str) -> Person {
    let mut person = Person::new();
    person.send(Command::Open(written(name, &five())));
    person
}

fn predicted(person: &Person) -> &Predicted {
    let found = &person.state().results.accuracy;
    let notices = person.state().notices.texts();
    found
        .predicted
        .as_deref()
        .unwrap_or_else(|| panic!("{notices:?}"))
}

#[test]
fn a_table_of_ones_own_is_predicted_without_any_scenario() {
    let person = with_five("own");
    assert_eq!(person.state().view.now().front, Pane::Accuracy);
    assert_eq!(predicted(&person).validation.rows.len(), 5);
    assert!(person.sees("Scatter of predicted iteration time against measured iteration time"));
    assert!(person.sees("Table of Groups"));
    assert!(person.sees("Median error"));
    assert!(person.sees("Errors of A100: 5 runs"));
}

#[test]
fn a_run_that_is_clicked_opens_its_scenario_and_its_timeline() {
    let mut person = with_five("click");
    person.send(Command::Accuracy(accuracy::Command::Tab(Tab::Rows)));
    let first = predicted(&person).measurements[0].clone();
    person.click_containing(&format!("{}, GPU A100", first.name));
    assert_eq!(person.state().view.now().accuracy.selected, Some(first.id));
    assert!(person.sees("Inferred:"));
    person.click("Open its scenario");
    let state = person.state();
    assert!(state.document.is_some(), "{:?}", state.notices.texts());
    assert!(
        state.results.current.is_some(),
        "{:?}",
        state.notices.texts()
    );
    assert_eq!(state.view.now().front, Pane::Timeline);
    assert!(state.results.accuracy.predicted.is_some());
}

#[test]
fn what_is_compared_and_let_through_can_be_chosen() {
    let mut person = with_five("filter");
    person.send(Command::Accuracy(accuracy::Command::FilterGpu(
        "h100".to_owned(),
    )));
    assert!(person.sees("Nothing is let through"));
    person.send(Command::UndoView);
    assert!(person.sees("Errors of A100"));
    person.send(Command::Accuracy(accuracy::Command::By(By::Source)));
    assert!(person.sees("Errors of VIA-Research/vTrain"));
    person.send(Command::Accuracy(accuracy::Command::Show(Shown::Memory)));
    assert!(person.sees("Nothing is let through"));
}

#[test]
fn a_cell_that_cannot_be_read_is_told_with_its_line() {
    let text = five();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let columns: Vec<&str> = lines[0].split(',').collect();
    let gbs = columns.iter().position(|column| *column == "gbs").unwrap();
    assert!(
        lines[2].contains(",2048,512,"),
        "the column {gbs} of the table"
    );
    lines[2] = lines[2].replace(",2048,512,", ",2048,many,");
    let mut person = Person::new();
    person.send(Command::Open(written("cell", &(lines.join("\n") + "\n"))));
    let errors = person.state().notices.errors();
    assert!(
        errors.iter().any(|error| error.contains("mine.csv:3")),
        "{errors:?}"
    );
    assert_eq!(predicted(&person).validation.errors.len(), 1);
}

#[test]
fn a_table_of_something_else_leaves_what_is_shown() {
    let mut person = with_five("other");
    person.send(Command::Open(written("wrong", "a,b\n1,2\n")));
    let errors = person.state().notices.errors();
    assert!(
        errors.iter().any(|error| error.contains("no column")),
        "{errors:?}"
    );
    assert_eq!(predicted(&person).validation.rows.len(), 5);
}

#[test]
fn predictions_can_be_cancelled() {
    let mut person = Person::with(Mode::Held, Typed, Keeper::nothing());
    person.send(Command::Show(Pane::Accuracy));
    let command = accuracy::Command::ReadShipped;
    person.harness.state_mut().send(Command::Accuracy(command));
    person.harness.run_steps(3);
    assert!(person.sees("Predicting the runs that come with Windtunnel"));
    person.harness.get_by_label("Cancel predictions").click();
    person.harness.run_steps(3);
    person.harness.state_mut().worker().release();
    person.settle();
    assert!(predicted(&person).validation.partial);
    assert!(person.sees("Stopped early"));
    assert!(
        !person
            .harness
            .state_mut()
            .worker()
            .going()
            .contains_key(&Slot::Validate)
    );
}
