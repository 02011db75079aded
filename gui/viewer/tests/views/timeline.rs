//! The timeline in the window: small windows, details, two runs, keys.

use crate::common::{Person, SMALL};
use egui::{Key, Modifiers};
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use timeline::{Camera, LedgerLine, Selection, TimelineCommand};
use viewer::command::Command;
use viewer::layout::Pane;
use viewer::state::Standing;
use viewer::views::{scenario, timeline as timeline_view, what_if};

fn widget(command: TimelineCommand) -> Command {
    Command::Timeline(timeline_view::Command::Widget(command))
}

/// Streams whose titles are on the screen.
fn streams_seen(person: &Person) -> usize {
    let size = person.harness.ctx.content_rect();
    let titles = person.harness.query_all_by_label_contains("stream ");
    titles
        .filter(|node| size.contains_rect(node.rect()))
        .count()
}

#[test]
fn the_smallest_window_shows_lanes_and_all_panes_as_tabs() {
    let mut person = Person::small();
    person.send(Command::OpenExample(SMALL.to_owned()));
    assert!(4 <= streams_seen(&person), "{}", streams_seen(&person));
    person.click("Memory");
    assert_eq!(person.state().view.now().front, Pane::Memory);
    // The layout of a large window is as it was.
    assert!(person.state().view.now().layout.is_whole());
    person.click("Timeline");
    assert!(4 <= streams_seen(&person));
}

#[test]
fn a_click_on_a_span_brings_its_details_to_the_front() {
    let mut person = Person::with_example(SMALL);
    person.send(Command::Show(Pane::Ledger));
    assert!(!person.sees("Released by"));
    person.send(widget(TimelineCommand::Select(Selection::Span(3))));
    assert!(person.sees("Released by"));
}

#[test]
fn kernels_of_one_name_do_not_share_an_identity() {
    let mut person = Person::with_example("llama3-8b-fsdp-64-a100");
    let run = person.state().results.current.clone().unwrap();
    let facts = person.state().results.timeline.facts.clone().unwrap().1;
    let twice = |id: u32| {
        let operators = facts.of(&run.trace, id)?.operators.clone();
        let count = |name: &str| operators.iter().filter(|one| one.name == name).count();
        let name = operators.iter().find(|one| 1 < count(one.name))?.name;
        Some((id, name, count(name)))
    };
    let mut ids = 0..u32::try_from(run.trace.spans.len()).unwrap();
    let (id, name, n) = ids.find_map(twice).expect("a span with a kernel twice");
    person.send(widget(TimelineCommand::Select(Selection::Span(id))));
    // Of those that share an identity readers would find one.
    let told = person.harness.query_all_by_label_contains(" at ");
    let told = told.filter_map(|node| node.accesskit_node().value());
    assert_eq!(
        told.filter(|label| label.starts_with(&format!("{name} ")))
            .count(),
        n
    );
}

#[test]
fn escape_closes_what_lies_over_the_timeline_and_nothing_else() {
    let mut person = Person::with_example(SMALL);
    person.send(widget(TimelineCommand::Select(Selection::Span(3))));
    person.send(Command::TogglePalette);
    person.press(Modifiers::NONE, Key::Escape);
    let selection = &person.state().view.now().timeline.selection;
    assert_eq!(*selection, Selection::Span(3));
    person.press(Modifiers::NONE, Key::Escape);
    let selection = &person.state().view.now().timeline.selection;
    assert_eq!(*selection, Selection::None);
}

fn set(person: &mut Person, field: &str, value: &str) {
    person.send(Command::Scenario(scenario::Command::Set {
        field: field.to_owned(),
        value: value.to_owned(),
    }));
    person.send(Command::Run);
}

#[test]
fn a_whole_window_stays_whole_and_a_part_within_the_run() {
    let mut person = Person::with_example(SMALL);
    let end = |person: &Person| {
        person
            .state()
            .results
            .current
            .as_ref()
            .unwrap()
            .timeline
            .end()
    };
    let camera = |person: &Person| person.state().view.now().timeline.camera;
    let before = end(&person);
    assert_eq!(camera(&person), Camera::whole(before));
    let batch = person
        .state()
        .draft()
        .unwrap()
        .value("training.global_batch")
        .unwrap();
    let batch: u32 = batch.parse().unwrap();
    set(
        &mut person,
        "training.global_batch",
        &(batch / 2).to_string(),
    );
    let shorter = end(&person);
    assert!(shorter < before);
    assert_eq!(camera(&person), Camera::whole(shorter));
    set(&mut person, "training.global_batch", &batch.to_string());
    assert_eq!(camera(&person), Camera::whole(before));
    // What lay in the last part of the longer run has no place in the shorter one.
    let late = Camera::new(shorter.as_picos(), 1_000_000, before);
    for command in [
        TimelineCommand::Look(late),
        TimelineCommand::Playhead(before),
        TimelineCommand::ToggleMark(before),
    ] {
        person.send(widget(command));
    }
    set(
        &mut person,
        "training.global_batch",
        &(batch / 2).to_string(),
    );
    let view = &person.state().view.now().timeline;
    assert_eq!(view.camera.end(), shorter);
    assert_eq!(view.playhead, Some(shorter));
    assert!(view.marks.is_empty());
}

#[test]
fn of_two_runs_the_span_that_was_clicked_is_told_with_its_run() {
    let mut person = Person::with_example(SMALL);
    person.send(Command::KeepAsBase);
    set(&mut person, "training.global_batch", "32");
    assert!(person.state().results.timeline.pair.is_some());
    person.send(widget(TimelineCommand::Select(Selection::Span(3))));
    let headings = |person: &Person, text: &str| {
        let nodes = person.harness.query_all_by_label_contains(text);
        nodes.count()
    };
    let bases = headings(&person, "Base: ");
    person.send(widget(TimelineCommand::Select(Selection::Other(3))));
    assert!(headings(&person, "Base: ") < bases);
    assert!(0 < headings(&person, "Now: "));
}

#[test]
fn details_tell_the_inputs_of_a_collective_and_every_kernel_once() {
    let mut person = Person::with_example("llama3-70b-dgx-h100");
    let run = person.state().results.current.clone().unwrap();
    let find = |is: &dyn Fn(&trace::Span) -> bool| {
        let mut spans = (0..).zip(&run.trace.spans);
        spans.find(|(_, span)| is(span)).expect("a span").0
    };
    let tp = find(&|span| span.category == trace::Category::Tp && span.start < span.end);
    person.send(widget(TimelineCommand::Select(Selection::Span(tp))));
    for part in ["Group ", "Algorithm ", "Protocol ", "Channels ", "Alone "] {
        assert!(person.sees(part), "{part}");
    }
    let facts = person.state().results.timeline.facts.clone().unwrap().1;
    let fact = facts.of(&run.trace, tp).unwrap().communication[0].clone();
    assert!(person.sees(&fact.source), "{}", fact.source);
    let kernels = find(&|span| (span.detail as usize) < run.trace.details.len());
    person.send(widget(TimelineCommand::Select(Selection::Span(kernels))));
    let details = &run.trace.details[run.trace.spans[kernels as usize].detail as usize];
    assert!(person.sees(&format!("Inside: {} kernel", details.len())));
    assert!(person.sees("Shape "));
    let name = details[0].name.as_str();
    let told = details.iter().filter(|detail| detail.name == name).count();
    let alone = person.harness.query_all_by_label(name).count();
    let titles = usize::from(run.timeline.name(&run.trace.spans[kernels as usize]) == name);
    let listed = alone - titles;
    assert!(listed <= told, "{name} is listed {listed} times for {told}");
}

#[test]
fn a_picture_of_details_has_something_to_tell() {
    let mut person = Person::with_example(SMALL);
    viewer::views::prepare(person.harness.state_mut(), Pane::Details);
    person.settle();
    let view = &person.state().view.now().timeline;
    let run = person.state().results.current.as_ref().unwrap();
    let id = view.selection.span().expect("a span");
    assert!(run.timeline.is_critical(id));
    assert!(!person.sees("Nothing selected"));
}

#[test]
fn a_line_of_the_ledger_is_reached_by_a_scroll() {
    let mut person = Person::with_example("llama3-70b-dgx-h100");
    let before = person.state().view.now().timeline.scroll;
    let tp = LedgerLine::Work(trace::Category::Tp);
    person.send(widget(TimelineCommand::Ledger(Some(tp))));
    // The last stage has most of it.
    assert!(before < person.state().view.now().timeline.scroll);
}

#[test]
fn values_of_sliders_are_shown_aside_with_both_paths() {
    let mut person = Person::with_example(SMALL);
    person.send(Command::Show(Pane::WhatIf));
    person.send(Command::WhatIf(what_if::Command::Turn {
        knob: session::Knob::GpuSpeed,
        value: Some(0.5),
        gesture: 7,
    }));
    person.send(Command::WhatIf(what_if::Command::Simulate));
    person.send(Command::WhatIf(what_if::Command::ShowTimeline));
    let standing = person.state().standing();
    assert_eq!(standing, Standing::Aside("the values of the sliders"));
    assert!(!person.sees("Stale"));
    person.send(Command::Show(Pane::Ledger));
    assert!(person.sees("compute base "));
    person.click("Back to the scenario");
    assert_eq!(person.state().standing(), Standing::Fresh);
}
