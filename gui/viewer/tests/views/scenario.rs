//! The scenario panel: fields, errors, filter, text, differences.

use crate::common::{Person, SMALL};
use egui::{Key, Modifiers};
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use viewer::command::Command;
use viewer::layout::Pane;
use viewer::state::Standing;
use viewer::views::scenario::{self, Manner};

/// Somebody with the small example and its fields in front.
fn in_front() -> Person {
    let mut person = Person::with_example(SMALL);
    person.send(Command::Show(Pane::Scenario));
    person
}

fn value(person: &Person, field: &str) -> Option<String> {
    person.state().draft().unwrap().value(field)
}

/// Replaces what stands in a field, as a person does.
fn fill(person: &mut Person, field: &str, text: &str) {
    person.harness.get_by_label(field).focus();
    person.settle();
    person.press(Modifiers::COMMAND, Key::A);
    person.type_text(text);
    person.press(Modifiers::NONE, Key::Enter);
}

fn scenario(command: scenario::Command) -> Command {
    Command::Scenario(command)
}

#[test]
fn a_number_is_edited_by_its_name_and_one_undo_brings_it_back() {
    let mut person = in_front();
    let before = value(&person, "training.global_batch");
    assert_eq!(before.as_deref(), Some("128"));
    fill(&mut person, "training.global_batch", "256");
    assert_eq!(
        value(&person, "training.global_batch").as_deref(),
        Some("256")
    );
    assert_eq!(person.state().standing(), Standing::Stale);
    person.press(Modifiers::COMMAND, Key::Z);
    assert_eq!(value(&person, "training.global_batch"), before);
    assert_eq!(person.state().standing(), Standing::Fresh);
}

#[test]
fn a_field_that_is_assumed_says_so_and_can_be_given_and_reset() {
    let mut person = in_front();
    assert_eq!(value(&person, "plan.tp"), None);
    person.send(scenario(scenario::Command::Filter("plan.tp".to_owned())));
    assert!(person.sees("assumed"));
    fill(&mut person, "plan.tp", "2");
    assert_eq!(value(&person, "plan.tp").as_deref(), Some("2"));
    person.click("Reset plan.tp");
    assert_eq!(value(&person, "plan.tp"), None);
    assert!(person.sees("assumed"));
}

#[test]
fn an_error_stands_beside_its_field_and_in_the_list_until_it_is_undone() {
    let mut person = in_front();
    fill(&mut person, "training.global_batch", "many");
    assert!(person.sees("1 error"));
    let message = "Go to training.global_batch";
    assert!(person.sees(message));
    assert_eq!(
        value(&person, "training.global_batch").as_deref(),
        Some("many")
    );
    let failures = person.state().checked.as_ref().unwrap().failures().to_vec();
    let beside = failures[0].to_string();
    assert!(
        person.harness.query_by_label(&beside).is_some(),
        "{beside:?}"
    );
    person.click("Undo this edit");
    assert!(!person.sees(message));
    assert_eq!(
        value(&person, "training.global_batch").as_deref(),
        Some("128")
    );
}

#[test]
fn a_field_stays_where_it_is_while_it_becomes_wrong() {
    let mut person = in_front();
    let place = |person: &Person| {
        let field = person.harness.get_by_label("training.global_batch");
        field.rect().top()
    };
    let before = place(&person);
    fill(&mut person, "training.global_batch", "many");
    assert!(person.sees("1 error"));
    assert!((place(&person) - before).abs() < 0.5);
}

#[test]
fn what_cannot_be_taken_is_told_beside_its_field() {
    let mut person = in_front();
    person.send(scenario(scenario::Command::Set {
        field: "cluster.fabric".to_owned(),
        value: "a-fabric".to_owned(),
    }));
    person.send(scenario(scenario::Command::Filter(
        "cluster.fabric.planes".to_owned(),
    )));
    let before = person.state().draft().unwrap().clone();
    fill(&mut person, "cluster.fabric.planes", "2");
    assert!(person.sees("Not taken: "));
    assert_eq!(person.state().draft().unwrap(), &before);
    // Once the name is gone, what was refused is gone too.
    person.send(Command::Undo);
    assert!(!person.sees("Not taken: "));
}

#[test]
fn a_table_stands_as_its_parts_alone() {
    let mut person = Person::with_example("two-jobs-one-fabric");
    person.send(Command::Show(Pane::Scenario));
    person.send(scenario(scenario::Command::Filter(
        "cluster.fabric".to_owned(),
    )));
    let fabric = value(&person, "cluster.fabric").unwrap();
    assert!(fabric.starts_with('{'), "{fabric}");
    let editors = |label: &'static str| {
        let all = person.harness.query_all_by_label(label);
        all.filter(|node| node.accesskit_node().role() != egui::accesskit::Role::Label)
            .count()
    };
    assert_eq!(editors("cluster.fabric"), 0);
    assert_eq!(editors("cluster.fabric.planes"), 1);
}

#[test]
fn long_numbers_are_short() {
    let mut person = in_front();
    person.send(scenario(scenario::Command::Set {
        field: "training.total_tokens".to_owned(),
        value: "1000000000000.0".to_owned(),
    }));
    let field = person.harness.get_by_label("training.total_tokens");
    assert_eq!(field.value().as_deref(), Some("1e12"));
}

#[test]
fn a_click_on_an_error_leads_to_its_field() {
    let mut person = in_front();
    fill(&mut person, "training.global_batch", "many");
    person.send(scenario(scenario::Command::Open(
        "training".to_owned(),
        false,
    )));
    assert!(
        person
            .harness
            .query_by_label("training.global_batch")
            .is_none()
    );
    person.click_containing("Go to training.global_batch");
    let field = person.harness.get_by_label("training.global_batch");
    assert!(field.is_focused());
}

#[test]
fn the_filter_finds_fields_by_name_and_help_also_in_closed_sections() {
    let mut person = in_front();
    assert!(person.harness.query_by_label("settings.jitter").is_none());
    person.harness.get_by_label("Filter fields").focus();
    person.settle();
    person.type_text("jitter");
    assert!(person.harness.query_by_label("settings.jitter").is_some());
    assert!(person.harness.query_by_label("plan.micro_batch").is_none());
    person.click("Clear the filter of fields");
    assert!(person.harness.query_by_label("plan.micro_batch").is_some());
}

#[test]
fn arrow_keys_step_a_number_and_all_steps_are_one_edit() {
    let mut person = in_front();
    person.harness.get_by_label("settings.seed").focus();
    person.settle();
    for _ in 0..3 {
        person.press(Modifiers::NONE, Key::ArrowUp);
    }
    assert_eq!(value(&person, "settings.seed").as_deref(), Some("4"));
    person.send(Command::Undo);
    assert_eq!(value(&person, "settings.seed").as_deref(), Some("1"));
}

#[test]
fn the_engine_is_chosen_with_a_click() {
    let mut person = in_front();
    person.click("Engine estimate");
    assert_eq!(
        value(&person, "settings.engine").as_deref(),
        Some("estimate")
    );
}

#[test]
fn a_yes_or_no_is_given_with_a_click() {
    let mut person = in_front();
    assert_eq!(
        value(&person, "plan.overlap.grad_reduce").as_deref(),
        Some("true")
    );
    person.send(scenario(scenario::Command::Filter(
        "grad_reduce".to_owned(),
    )));
    person.click("plan.overlap.grad_reduce");
    assert_eq!(
        value(&person, "plan.overlap.grad_reduce").as_deref(),
        Some("false")
    );
}

#[test]
fn a_name_is_chosen_from_a_list_that_can_be_filtered() {
    let mut person = in_front();
    person.click("model.config");
    person.harness.get_by_label("Filter model.config").focus();
    person.settle();
    person.type_text("llama3-70");
    assert!(person.harness.query_by_label("mixtral-8x7b").is_none());
    person.click("llama3-70b");
    assert_eq!(
        value(&person, "model.config").as_deref(),
        Some("llama3-70b")
    );
}

#[test]
fn the_text_takes_anything_and_says_the_line_of_an_error() {
    let mut person = in_front();
    person.click("As text");
    assert_eq!(person.state().view.now().scenario.manner, Manner::Text);
    person.harness.get_by_label("Text of the scenario").focus();
    person.settle();
    let n_lines = person.state().draft().unwrap().text().lines().count();
    person.type_text("broken = \n");
    let draft = person.state().draft().unwrap();
    assert!(draft.text().ends_with("broken = \n"), "{}", draft.text());
    assert!(person.sees(&format!("Line {}", n_lines + 1)));
    person.click("Form");
    assert!(person.sees("The form waits"));
    person.send(Command::Undo);
    assert!(!person.sees("The form waits"));
}

#[test]
fn differences_are_listed_and_reverted_one_by_one_or_all() {
    let mut person = in_front();
    for (field, value) in [
        ("training.global_batch", "256"),
        ("plan.tp", "2"),
        ("settings.seed", "7"),
    ] {
        person.send(scenario(scenario::Command::Set {
            field: field.to_owned(),
            value: value.to_owned(),
        }));
    }
    person.click_containing("3 changes to the original");
    assert!(person.sees("128 to 256"));
    assert!(person.sees("assumed to 2"));
    person.click("Revert training.global_batch");
    assert_eq!(
        value(&person, "training.global_batch").as_deref(),
        Some("128")
    );
    assert!(person.sees("2 changes to the original"));
    person.click("Revert all");
    assert!(!person.state().document.as_ref().unwrap().now().is_changed());
    assert!(!person.sees("to the original"));
}

#[test]
fn the_original_is_run_to_compare_with_it() {
    let mut person = in_front();
    person.send(scenario(scenario::Command::Set {
        field: "training.global_batch".to_owned(),
        value: "256".to_owned(),
    }));
    person.send(Command::Run);
    person.click_containing("1 change to the original");
    person.click("Compare with the original");
    let state = person.state();
    let base = state.results.base.as_ref().unwrap();
    let original = &state.document.as_ref().unwrap().now().original;
    assert_eq!(base.draft.as_ref(), Some(original));
    assert_ne!(
        state.results.current.as_ref().unwrap().draft.as_ref(),
        Some(original)
    );
}

#[test]
fn a_file_over_the_window_shows_what_letting_it_go_does() {
    let mut person = Person::new();
    let file = egui::HoveredFile {
        path: Some("/a/folder/mine.toml".into()),
        ..egui::HoveredFile::default()
    };
    person.harness.input_mut().hovered_files.push(file);
    person.settle();
    assert!(person.sees("Drop to open"));
}

#[test]
fn a_list_is_edited_item_by_item() {
    let mut person = in_front();
    person.send(scenario(scenario::Command::Filter("plan.shard".to_owned())));
    let shard = |person: &Person| value(person, "plan.shard").unwrap_or_default();
    assert_eq!(shard(&person).matches("what").count(), 3);
    fill(&mut person, "plan.shard.group 1", "4");
    assert!(shard(&person).starts_with("[{ what = \"weights\", group = 4 }"));
    person.click("Remove plan.shard 3");
    assert_eq!(shard(&person).matches("what").count(), 2);
    person.click("Add to plan.shard");
    assert_eq!(shard(&person).matches("\"gradients\"").count(), 2);
    // What makes no sense is told as anywhere else, and undone as anywhere else.
    fill(&mut person, "plan.shard.group 2", "many");
    assert!(shard(&person).contains("group = \"many\""));
    assert!(person.sees("plan.shard"));
    for _ in 0..4 {
        person.send(Command::Undo);
    }
    assert_eq!(shard(&person).matches("group = 8").count(), 3);
    assert!(
        person
            .state()
            .document
            .as_ref()
            .is_some_and(|edits| !edits.now().is_changed())
    );
}
