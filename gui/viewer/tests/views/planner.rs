//! The planner as a person uses it.

use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Duration;

use crate::common::{Person, SMALL};
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use session::{Draft, Engine, PlanField};
use units::Control;
use viewer::command::Command;
use viewer::dialogs::Typed;
use viewer::keep::Keeper;
use viewer::layout::{Layout, Pane};
use viewer::views::planner::{self, Answer, Live, Property, Question, Searched, Tab};
use viewer::worker::{Mode, Slot};

fn planner(command: planner::Command) -> Command {
    Command::Planner(command)
}

/// Somebody with the planner in front and few plans to search.
fn before_search(mode: Mode) -> Person {
    let mut person = Person::with(mode, Typed, Keeper::nothing());
    person.send(Command::OpenExample(SMALL.to_owned()));
    person.harness.state_mut().worker().release();
    person.settle();
    person.harness.state_mut().only(Layout::only(Pane::Planner));
    person.send(planner(planner::Command::Engine(Engine::Estimate)));
    for field in [PlanField::Overlap, PlanField::Schedule, PlanField::Shard] {
        person.send(planner(planner::Command::Keep(field, true)));
    }
    person
}

fn after_search() -> Person {
    let mut person = before_search(Mode::Inline);
    person.click("Search plans");
    person
}

fn searched(person: &Person) -> &Searched {
    let found = &person.state().results.planner;
    let notices = person.state().notices.texts();
    found
        .searched
        .as_deref()
        .unwrap_or_else(|| panic!("{notices:?}"))
}

fn plan_text(person: &Person) -> Option<String> {
    person.state().draft()?.value("plan.tp")
}

#[test]
fn a_search_lists_plans_that_fit_the_fastest_first() {
    let person = after_search();
    let searched = searched(&person);
    assert!(2 <= searched.rows.len());
    assert!(searched.planned().is_some());
    assert_eq!(person.state().view.now().planner.selected, Some(0));
    assert!(person.sees("Table of Plans"));
    assert!(person.sees("Scatter of memory used against iteration time"));
    assert!(person.sees("Parallel coordinates of"));
    assert!(person.sees("What binds it"));
}

#[test]
fn a_click_on_a_column_sorts_by_it_and_another_one_turns_the_order() {
    let mut person = after_search();
    person.click_containing("Plans: sort by Memory");
    assert_eq!(person.state().view.now().planner.sort, Some((3, false)));
    person.click_containing("Plans: sort by Memory");
    assert_eq!(person.state().view.now().planner.sort, Some((3, true)));
    let rows: Vec<_> = person
        .harness
        .get_all_by_role(egui::accesskit::Role::Row)
        .collect();
    let label = rows[0].accesskit_node().label().unwrap();
    let all = &searched(&person).rows;
    let name = label.split(',').next().unwrap();
    let first = all.iter().find(|row| row.name() == name).unwrap();
    assert!(all.iter().all(|row| row.memory <= first.memory), "{label}");
}

#[test]
fn a_row_that_is_clicked_is_selected_everywhere() {
    let mut person = after_search();
    let name = searched(&person).rows[1].name();
    person.click_containing(&format!("{name}, Time"));
    assert_eq!(person.state().view.now().planner.selected, Some(1));
    assert!(person.sees(&format!("Plan {name}")));
}

#[test]
fn what_is_let_through_on_one_axis_filters_the_table() {
    let mut person = after_search();
    let fastest = searched(&person).rows[0].time;
    let range = Some((0.0, fastest * 1.000_001));
    person.send(planner(planner::Command::Filter(vec![(
        Property::Time,
        range,
    )])));
    assert!(person.sees("Table of Plans, 1 row"));
    person.click("Clear the filter");
    assert!(!person.sees("Table of Plans, 1 row,"));
    assert!(person.state().view.now().planner.filters.is_empty());
    person.send(Command::UndoView);
    assert!(!person.state().view.now().planner.filters.is_empty());
}

#[test]
fn a_plan_that_is_simulated_shows_its_timeline_beside_the_old_run() {
    let mut person = after_search();
    let old = person.state().results.current.clone().unwrap();
    person.click("Simulate it");
    let state = person.state();
    let base = state.results.base.as_ref().unwrap();
    assert!(std::sync::Arc::ptr_eq(base, &old));
    let now = state.results.current.as_ref().unwrap();
    assert!(
        now.caption.scenario.ends_with("plan 1"),
        "{}",
        now.caption.scenario
    );
    assert_eq!(state.view.now().front, Pane::Timeline);
}

#[test]
fn a_plan_is_taken_into_the_scenario_by_one_edit() {
    let mut person = after_search();
    let before = person.state().draft().unwrap().clone();
    person.click("Take it into the scenario");
    let after = person.state().draft().unwrap().clone();
    assert_ne!(before, after);
    assert!(plan_text(&person).is_some());
    assert!(after.text().contains("# scales of the tensor at hand"));
    let result = &person.state().checked.as_ref().unwrap().result;
    assert!(result.is_ok(), "{result:?}");
    person.send(Command::Undo);
    assert_eq!(person.state().draft().unwrap(), &before);
}

#[test]
fn two_plans_stand_beside_each_other_with_their_differences() {
    let mut person = after_search();
    person.click("Compare with…");
    assert_eq!(person.state().view.now().planner.tab, Tab::Compare);
    assert!(person.sees("Table of Both plans"));
    assert!(person.sees("Iteration time, Plan 1"));
    person.click("Compare timelines");
    let results = &person.state().results;
    assert!(
        results
            .base
            .as_ref()
            .unwrap()
            .caption
            .scenario
            .ends_with("plan 1")
    );
    assert!(
        results
            .current
            .as_ref()
            .unwrap()
            .caption
            .scenario
            .ends_with("plan 2")
    );
}

#[test]
fn exclusions_are_listed_and_a_question_is_answered() {
    let mut person = after_search();
    person.click("Why not");
    assert!(person.sees("Export Excluded plans"));
    person.send(planner(planner::Command::TypeAsked("cp=2".to_owned())));
    person.click("Ask");
    assert!(
        person.sees("The best plan with cp=2 is"),
        "{:?}",
        person.state().notices.texts()
    );
    person.send(planner(planner::Command::TypeAsked("hall=8".to_owned())));
    person.click("Ask");
    assert!(person.sees("no field of a plan"));
}

#[test]
fn launch_files_are_read_before_they_are_saved() {
    let folder = std::env::temp_dir().join(format!("windtunnel-{}-launch", std::process::id()));
    drop(std::fs::remove_dir_all(&folder));
    let mut person = after_search();
    person.send(planner(planner::Command::Launch(0, "torchrun")));
    let launch = person.state().results.planner.launch.clone().unwrap();
    let bundle = launch.result.as_ref().unwrap();
    assert!(person.sees(&format!("Text of {}", bundle.files[0].name)));
    assert!(!folder.exists());
    let typed = folder.display().to_string();
    person.send(planner(planner::Command::TypeFolder(typed)));
    person.click(&format!("Save all {} files", bundle.files.len()));
    for file in &bundle.files {
        let text = std::fs::read_to_string(folder.join(file.name)).unwrap();
        assert_eq!(text, file.text);
    }
}

#[test]
fn a_search_that_is_cancelled_before_it_found_anything_says_so() {
    let mut person = before_search(Mode::Held);
    person.harness.get_by_label("Search plans").click();
    person.harness.run_steps(3);
    assert!(person.sees("Cancel search"));
    person.harness.get_by_label("Cancel search").click();
    person.harness.run_steps(3);
    person.harness.state_mut().worker().release();
    person.settle();
    assert!(person.sees("stopped before it found a plan"));
    assert!(person.sees("No search yet"));
}

#[test]
fn a_search_that_is_cancelled_later_keeps_what_it_found() {
    let draft = Draft::example("llama3-70b-dgx-h100").unwrap();
    let question = Question {
        draft,
        kept: vec![PlanField::Overlap],
        engine: Engine::Analytic,
    };
    let (live, control) = (Mutex::new(Live::default()), Control::new());
    let searched = std::thread::scope(|scope| {
        scope.spawn(|| {
            while live.lock().unwrap().best.is_none() {
                std::thread::sleep(Duration::from_millis(1));
            }
            control.cancel();
        });
        planner::search(&question, &live, &control)
    });
    let searched = searched.unwrap();
    let Answer::Plans(planned) = &searched.answer else {
        panic!("plans");
    };
    assert!(planned.answer.partial);
    assert!(!planned.answer.plans.is_empty());
    // Nobody asked the analytic engine, whatever was chosen.
    for (row, plan) in searched.rows.iter().zip(&planned.answer.plans) {
        let engine = plan.prediction.engine;
        let words = row.basis.words();
        assert_eq!(words == "estimate", engine == "estimate", "{words}");
        assert!(words.ends_with(engine), "{words} by {engine}");
    }
    let pairs = [("tp", "8")];
    let opened = &searched.opened;
    let asked = opened.why_not(planned, &pairs, "test", searched.engine, &Control::new());
    let with = asked.unwrap().best.unwrap();
    let engines =
        [planned, &std::sync::Arc::new(*with)].map(|one| one.answer.plans[0].prediction.engine);
    assert_eq!(engines[0], engines[1]);
}

#[test]
fn a_search_that_something_else_took_the_place_of_is_not_shown_as_going_on() {
    let mut person = before_search(Mode::Held);
    person.harness.get_by_label("Search plans").click();
    person.harness.run_steps(3);
    assert!(person.sees("Cancel search"));
    let broken = viewer::worker::Ask::new(
        Slot::Plan,
        "broken",
        |_| assert!(!std::hint::black_box(true), "a bug"),
        |_, ()| {},
    );
    person.harness.state_mut().worker().ask(broken);
    person.harness.state_mut().worker().release();
    person.settle();
    assert!(person.state().results.planner.live.is_none());
    assert!(person.sees("failed by a bug"));
    assert!(person.sees("No search yet"));
}

#[test]
fn both_charts_can_be_reached_in_the_usual_layout() {
    let mut person = Person::with_example(SMALL);
    person.send(Command::Show(Pane::Planner));
    person.send(planner(planner::Command::Engine(Engine::Estimate)));
    for field in [PlanField::Overlap, PlanField::Schedule, PlanField::Shard] {
        person.send(planner(planner::Command::Keep(field, true)));
    }
    person.click("Search plans");
    let inside = |person: &Person, text: &str| {
        let node = person.harness.get_by_label_contains(text);
        let rect = node.rect();
        assert!(rect.bottom() < 800.0 && 0.0 < rect.top(), "{text}: {rect}");
        rect
    };
    let chart = inside(&person, "Scatter of memory used against");
    let table = inside(&person, "Table of Plans");
    assert!(chart.bottom() <= table.top() + 0.5);
    assert!(!person.sees("Parallel coordinates of"));
    person.click("Parallel axes");
    let chart = inside(&person, "Parallel coordinates of");
    assert!(chart.bottom() <= inside(&person, "Table of Plans").top() + 0.5);
}

#[test]
fn tables_stand_below_the_charts_of_the_same_plans() {
    let mut person = after_search();
    person.click("Compare with…");
    let rect = |text: &str| person.harness.get_by_label_contains(text).rect();
    let chart = rect("Where the time of both plans goes: Stacked bars");
    let table = rect("Table of Both plans");
    assert!(chart.bottom() <= table.top() + 0.5, "{chart} {table}");
}

#[test]
fn plans_say_what_tells_them_from_the_best_and_what_binds_them() {
    let person = after_search();
    let rows = &searched(&person).rows;
    assert!(rows[0].differs.is_empty());
    assert!(rows[1..].iter().all(|row| !row.differs.is_empty()));
    let closed = rows.iter().filter(|row| row.place().is_none());
    for row in closed {
        let bound = row.bound.as_ref().expect("what binds it");
        assert!(!bound.contains(" 0 %"), "{bound}");
    }
}

#[test]
fn what_a_search_found_so_far_is_shown_while_it_goes_on() {
    let mut person = before_search(Mode::Held);
    person.harness.get_by_label("Search plans").click();
    person.harness.run_steps(3);
    let live = person.state().results.planner.live.clone().unwrap();
    live.lock().unwrap().decided = [300, 1_200];
    person.harness.run_steps(2);
    assert!(person.sees("300 of 1,200 plans"));
    let worker = person.harness.state_mut().worker();
    assert!(worker.going().contains_key(&Slot::Plan));
}

#[test]
fn where_nothing_fits_remedies_are_listed() {
    let mut person = Person::with_example("llama3-70b-does-not-fit");
    person.send(Command::Show(Pane::Planner));
    person.send(planner(planner::Command::Engine(Engine::Estimate)));
    for field in PlanField::ALL {
        person.send(planner(planner::Command::Keep(field, true)));
    }
    person.click("Search plans");
    assert!(
        person.sees("No plan fits"),
        "{:?}",
        person.state().notices.texts()
    );
    assert!(person.sees("Table of What would make a plan fit"));
}

#[test]
fn load_balancing_of_a_workload_is_ranked_and_taken_over() {
    let mut person = Person::with_example("spray-vs-singlepath");
    person.send(Command::Show(Pane::Planner));
    person.click("Search plans");
    assert!(
        person.sees("Table of Choices"),
        "{:?}",
        person.state().notices.texts()
    );
    assert!(person.sees("It needs"));
    let before = person.state().draft().unwrap().clone();
    let last = match &searched(&person).answer {
        Answer::Network(plans) => plans.plans.len() as u64 - 1,
        _ => panic!("choices"),
    };
    person.send(planner(planner::Command::Select(last)));
    person.click("Take it into the scenario");
    assert_ne!(person.state().draft().unwrap(), &before);
    person.send(Command::Undo);
    assert_eq!(person.state().draft().unwrap(), &before);
}

#[test]
fn nothing_of_the_planner_needs_a_scenario_that_is_open() {
    let mut person = Person::new();
    person.send(planner(planner::Command::Search));
    person.send(planner(planner::Command::Simulate(0)));
    person.send(planner(planner::Command::SaveLaunch(
        PathBuf::from("/nowhere"),
        session::Existing::Refuse,
    )));
    assert!(person.state().results.planner.searched.is_none());
}
