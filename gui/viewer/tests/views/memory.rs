//! Memory: peaks by class, levels over time, the limit, and what would make a plan fit.

use crate::common::{Person, SMALL};
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use trace::MemoryKind;
use viewer::command::Command;
use viewer::layout::Pane;
use viewer::views::memory;
use viewer::views::memory::Remedies;

fn person(example: &str) -> Person {
    let mut person = Person::with_example(example);
    person.send(Command::Show(Pane::Memory));
    let errors = person.state().notices.errors();
    assert!(errors.is_empty(), "{errors:?}");
    person
}

#[test]
fn every_class_has_a_bar_and_the_limit_a_name() {
    let person = person(SMALL);
    let run = person.state().results.current.as_ref().unwrap();
    let classes = memory::classes(run);
    let prediction = run.prediction().unwrap();
    assert_eq!(
        classes.len(),
        prediction.peak_allocated_bytes_by_class.len()
    );
    for (class, told) in classes
        .iter()
        .zip(&prediction.peak_allocated_bytes_by_class)
    {
        let told = told.peak_allocated_bytes.as_u64() as f64;
        assert!((class.peak() - told).abs() <= 1.0, "{class:?} {told}");
    }
    assert!(person.sees("Peak memory by class: Stacked bars of memory"));
    assert!(person.sees("Device limit 79"), "the limit is told");
    assert!(person.sees("Headroom"));
    assert!(person.sees("Peak reserved"));
}

#[test]
fn memory_over_time_ends_where_the_run_ends_and_reaches_its_peak() {
    let person = person(SMALL);
    let state = person.state();
    let run = state.results.current.as_ref().unwrap();
    let classes = memory::classes(run);
    let class = memory::fullest(&classes).unwrap();
    let levels = state.results.memory.levels(run, class.first_rank).unwrap();
    let end = run.timeline.end().as_seconds().as_secs();
    assert!((levels.times.last().unwrap() - end).abs() < 1e-12);
    let totals = (0..levels.times.len()).map(|at| {
        let kinds = MemoryKind::ALL.iter();
        kinds
            .map(|kind| levels.by_kind[kind.index()][at])
            .sum::<f64>()
    });
    let most = totals.fold(0.0, f64::max);
    // The optimizer's step may take more at the very end.
    assert!(most <= class.peak() * (1.0 + 1e-9) && class.peak() * 0.5 < most);
}

#[test]
fn a_click_on_memory_over_time_moves_the_playhead_of_all_views() {
    let mut person = person(SMALL);
    let node = person
        .harness
        .get_by_label_contains("Stacked areas of memory over time");
    node.scroll_to_me();
    person.settle();
    let node = person
        .harness
        .get_by_label_contains("Stacked areas of memory over time");
    node.click();
    person.settle();
    let playhead = person.state().view.now().timeline.playhead;
    let end = person
        .state()
        .results
        .current
        .as_ref()
        .unwrap()
        .timeline
        .end();
    let playhead = playhead.expect("a moment");
    assert!(playhead < end);
}

#[test]
fn a_remedy_is_written_into_a_plan_that_does_not_fit() {
    let mut person = person("llama3-70b-does-not-fit");
    assert!(person.sees("What would make it fit"));
    assert!(person.sees("Over the limit by"));
    let Remedies::Done(_, remedies) = &person.state().results.memory.remedies else {
        panic!("no remedies");
    };
    let first = remedies.changes[0].clone();
    assert!(first.fits);
    assert!(person.sees("enough alone"));
    let top = |text: &str| person.harness.get_by_label_contains(text).rect().top();
    let peaks = "Peak memory by class: Stacked bars of memory";
    assert!(top("What would make it fit") < top(peaks));
    let before = person.state().draft().unwrap().clone();
    let label = format!("Try it: {}", first.change);
    person.harness.get_by_label(&label).scroll_to_me();
    person.settle();
    person.click(&label);
    let now = person.state().draft().unwrap();
    assert_eq!(now, &first.apply(&before).unwrap());
    person.send(Command::Undo);
    assert_eq!(person.state().draft().unwrap(), &before);
}

#[test]
fn a_remedy_of_a_plan_that_was_found_is_not_written_into_another_one() {
    let mut person = person(SMALL);
    let before = person.state().draft().unwrap().clone();
    let other = before.set("training.global_batch", "256").unwrap();
    let run = viewer::run::Run::of(other, &units::Control::new()).unwrap();
    let Remedies::Done(_, remedies) = &person.state().results.memory.remedies else {
        panic!("no remedies");
    };
    let remedy = remedies.changes[0].clone();
    let shown = viewer::worker::Ask::new(
        viewer::worker::Slot::Simulate,
        "another plan",
        |_| run,
        |state, run| state.ran_aside(std::sync::Arc::new(run), "plan 3".to_owned()),
    );
    person.harness.state_mut().worker().ask(shown);
    person.settle();
    let label = format!("Try it: {}", remedy.change);
    let button = person.harness.get_by_label(&label);
    assert!(button.accesskit_node().is_disabled());
    person.send(Command::Memory(memory::Command::Try(Box::new(remedy))));
    assert_eq!(person.state().draft().unwrap(), &before);
    assert!(person.sees("This is of plan 3"));
}

#[test]
fn a_base_run_stands_beside() {
    let mut person = person(SMALL);
    person.send(Command::KeepAsBase);
    // A run is not compared with itself.
    assert!(!person.sees("Memory by kind against the base"));
    person.send(Command::Scenario(viewer::views::scenario::Command::Set {
        field: "training.global_batch".to_owned(),
        value: "256".to_owned(),
    }));
    person.send(Command::Run);
    assert!(person.sees("Memory by kind against the base"));
}

#[test]
fn a_network_workload_has_no_memory() {
    let mut person = Person::with_example("spray-vs-singlepath");
    person.send(Command::Show(Pane::Memory));
    assert!(person.sees("A network workload uses no memory of GPUs"));
}
