//! Sliders: the estimate while they move, the engine when they rest, what is kept.

use crate::common::{Person, SMALL};
use egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable as _;
use session::Knob;
use viewer::command::Command;
use viewer::layout::Pane;
use viewer::state::Standing;
use viewer::views::what_if;

/// Somebody with an example and its sliders in front.
fn in_front() -> Person {
    let mut person = Person::with_example(SMALL);
    person.send(Command::Show(Pane::WhatIf));
    person
}

fn turn(knob: Knob, value: f64, gesture: u64) -> Command {
    Command::WhatIf(what_if::Command::Turn {
        knob,
        value: Some(value),
        gesture,
    })
}

fn estimated(person: &Person) -> f64 {
    let estimate = person.state().results.what_if.estimate.as_ref().unwrap();
    estimate.answer.as_ref().unwrap().iteration_time_s
}

fn base(person: &Person) -> f64 {
    let tuned = person.state().results.what_if.tuner.as_ref().unwrap();
    tuned.tuner.base().iteration_time_s
}

#[test]
fn without_a_change_nothing_differs() {
    let person = in_front();
    assert!(person.sees("no change"));
    assert_eq!(estimated(&person).to_bits(), base(&person).to_bits());
}

#[test]
fn a_drag_shows_the_difference_at_once_and_is_one_step_of_the_view() {
    let mut person = in_front();
    for (step, speed) in [1.1, 1.25, 1.5, 2.0].into_iter().enumerate() {
        person.send(turn(Knob::GpuSpeed, speed, 7));
        let tuning = person.state().view.now().what_if.tuning();
        assert_eq!(tuning.get(Knob::GpuSpeed), Some(speed), "step {step}");
    }
    assert!(estimated(&person) < base(&person));
    assert!(person.sees("better"));
    assert!(person.state().results.what_if.simulated.is_none());
    person.send(Command::UndoView);
    assert!(person.state().view.now().what_if.tuning().is_empty());
}

#[test]
fn the_keys_move_a_slider_and_the_engine_answers() {
    let mut person = in_front();
    let draft = person.state().draft().cloned();
    let slider = person
        .harness
        .get_by_role_and_label(egui::accesskit::Role::Slider, "GPU speed");
    slider.focus();
    person.settle();
    person.press(Modifiers::NONE, Key::ArrowLeft);
    let state = person.state();
    let tuning = state.view.now().what_if.tuning();
    let speed = tuning.get(Knob::GpuSpeed).unwrap();
    assert!(speed < 1.0, "{speed}");
    assert!(base(&person) < estimated(&person));
    let simulated = state.results.what_if.simulated.as_ref().unwrap();
    let run = simulated.answer.as_ref().unwrap();
    assert_eq!(run.prediction().unwrap().engine, "flow");
    assert!(person.sees("worse"));
    // The scenario and its run stay as they are.
    assert_eq!(state.draft().cloned(), draft);
    assert_eq!(
        state.results.current.as_ref().unwrap().draft.as_ref(),
        draft.as_ref()
    );
}

#[test]
fn values_are_applied_as_one_edit() {
    let mut person = in_front();
    let before = person.state().draft().cloned();
    person.send(turn(Knob::GpuSpeed, 0.5, 7));
    person.send(turn(Knob::GlobalBatch, 256.0, 8));
    person.send(Command::WhatIf(what_if::Command::Simulate));
    let tuned = estimated(&person);
    person.click("Apply to the scenario");
    let state = person.state();
    let draft = state.draft().unwrap();
    assert_eq!(
        draft.value("cluster.scale.gpu_speed").as_deref(),
        Some("0.5")
    );
    assert_eq!(draft.value("training.global_batch").as_deref(), Some("256"));
    assert!(state.view.now().what_if.tuning().is_empty());
    // What was simulated is the run of the scenario now.
    assert_eq!(state.standing(), Standing::Fresh);
    assert_eq!(base(&person).to_bits(), tuned.to_bits());
    person.send(Command::Undo);
    assert_eq!(person.state().draft().cloned(), before);
}

#[test]
fn a_value_is_reset_alone_or_with_all_others() {
    let mut person = in_front();
    person.send(turn(Knob::GpuSpeed, 2.0, 7));
    person.send(turn(Knob::SeqLen, 4096.0, 8));
    person.click("Reset GPU speed");
    let tuning = person.state().view.now().what_if.tuning();
    assert_eq!(
        (tuning.get(Knob::GpuSpeed), tuning.is_empty()),
        (None, false)
    );
    person.click("Reset all");
    assert!(person.state().view.now().what_if.tuning().is_empty());
    assert_eq!(estimated(&person).to_bits(), base(&person).to_bits());
}

#[test]
fn the_list_of_effects_names_every_knob() {
    let person = in_front();
    assert!(person.sees("10 % more of each"));
    let all = person.state().results.what_if.sensitivities.list().unwrap();
    for knob in Knob::ALL {
        let found = all.iter().find(|one| one.knob == knob);
        let text = match found {
            Some(one) => format!("{} ", one.knob.label()),
            None => format!("{}: ", knob.label()),
        };
        assert!(person.sees(&text), "{text:?}");
    }
    assert!(person.sees("tokens a second"));
}

#[test]
fn the_timeline_of_other_values_stands_beside_that_of_the_scenario() {
    let mut person = in_front();
    person.send(turn(Knob::GpuSpeed, 0.5, 7));
    person.send(Command::WhatIf(what_if::Command::Simulate));
    person.click("Show timeline");
    let state = person.state();
    let draft = state.draft();
    assert_eq!(state.results.base.as_ref().unwrap().draft.as_ref(), draft);
    assert_ne!(
        state.results.current.as_ref().unwrap().draft.as_ref(),
        draft
    );
    assert_eq!(state.view.now().front, Pane::Timeline);
}

#[test]
fn what_formulas_are_in_doubt_of_is_said_and_rehearsed_when_a_slider_rests() {
    let mut person = Person::with_example("mixed-t4-v100");
    person.send(Command::Show(Pane::WhatIf));
    assert!(person.sees("Rehearsed: GPUs differ"));
    assert_eq!(estimated(&person).to_bits(), base(&person).to_bits());
    person.send(turn(Knob::GpuSpeed, 1.25, 7));
    assert!(person.sees("Scaled from the rehearsed scenario"));
    let scaled = estimated(&person);
    assert!(scaled < base(&person));
    person.send(Command::WhatIf(what_if::Command::Simulate));
    assert!(person.sees("Rehearsed: GPUs differ"));
    assert!(!person.sees("Scaled from the rehearsed scenario"));
    let tuned = person.state().results.what_if.tuner.clone().unwrap();
    let tuning = person.state().view.now().what_if.tuning();
    let exact = tuned.tuner.estimate(&tuning, &units::Control::new());
    let exact = exact.unwrap().iteration_time_s;
    assert_eq!(estimated(&person).to_bits(), exact.to_bits());
}

#[test]
fn a_value_can_be_typed_exactly() {
    let mut person = in_front();
    person.click("Value of GPU speed");
    person.press(Modifiers::COMMAND, Key::A);
    person.type_text("1.03");
    person.press(Modifiers::NONE, Key::Enter);
    let tuning = person.state().view.now().what_if.tuning();
    assert_eq!(tuning.get(Knob::GpuSpeed), Some(1.03));
    assert!(estimated(&person) < base(&person));
}

#[test]
fn while_the_engine_works_the_view_says_so() {
    use viewer::{dialogs::Typed, keep::Keeper, worker::Mode};
    let mut person = Person::with(Mode::Held, Typed, Keeper::nothing());
    person.send(Command::OpenExample(SMALL.to_owned()));
    person.send(Command::Show(Pane::WhatIf));
    for _ in 0..6 {
        person.harness.state_mut().worker().release();
        person.settle();
    }
    person.send(turn(Knob::GpuSpeed, 1.25, 7));
    person.send(Command::WhatIf(what_if::Command::Simulate));
    assert!(person.sees("Simulating these values"));
    assert!(!person.sees("let the slider go"));
    person.harness.state_mut().worker().release();
    person.settle();
    assert!(!person.sees("Simulating these values"));
    assert!(person.state().results.what_if.simulating.is_none());
}

/// Seconds of an iteration that the engine found.
fn simulated(person: &Person) -> f64 {
    let simulated = person.state().results.what_if.simulated.as_ref().unwrap();
    let run = simulated.answer.as_ref().unwrap();
    run.prediction().unwrap().iteration_time_s
}

#[test]
fn an_edit_moves_what_the_sliders_compare_with() {
    let mut person = in_front();
    let before = base(&person);
    person.send(Command::Scenario(viewer::views::scenario::Command::Set {
        field: "training.global_batch".to_owned(),
        value: "256".to_owned(),
    }));
    assert!(before < base(&person));
    assert!(person.sees("run the scenario, or move a slider"));
    // Its run comes with the first answer of the engine.
    person.send(turn(Knob::GpuSpeed, 1.25, 7));
    person.send(Command::WhatIf(what_if::Command::Simulate));
    assert!(person.sees("simulated"));
    assert!(!person.sees("run the scenario"));
    let draft = person.state().draft().unwrap().clone();
    assert!(person.state().results.of(&draft).is_some());
}

#[test]
fn an_answer_for_the_scenario_before_an_edit_is_not_shown_for_that_after_it() {
    let mut person = in_front();
    person.send(turn(Knob::GpuSpeed, 1.25, 7));
    person.send(Command::WhatIf(what_if::Command::Simulate));
    let before = simulated(&person);
    person.send(Command::Scenario(viewer::views::scenario::Command::Set {
        field: "training.global_batch".to_owned(),
        value: "256".to_owned(),
    }));
    // The sliders stand where they were, and the engine answers for the scenario as it is now.
    assert!(1.5 * before < simulated(&person));
    assert!(person.sees("simulated"));
    assert!(!person.sees("stale"));
}

#[test]
fn a_step_back_through_views_brings_the_answer_of_its_values() {
    let mut person = in_front();
    person.send(turn(Knob::GpuSpeed, 1.25, 7));
    person.send(Command::WhatIf(what_if::Command::Simulate));
    assert!(estimated(&person) < base(&person));
    person.send(Command::UndoView);
    assert!(person.state().view.now().what_if.tuning().is_empty());
    assert!((estimated(&person) - base(&person)).abs() < 1e-12);
    person.send(Command::RedoView);
    assert!(estimated(&person) < base(&person));
    assert!(!person.sees("stale"));
}

#[test]
fn a_drag_goes_on_whatever_the_answers_say() {
    use viewer::{dialogs::Typed, keep::Keeper, worker::Mode};
    let mut person = Person::with(Mode::Held, Typed, Keeper::nothing());
    let work = |person: &mut Person| {
        for _ in 0..6 {
            person.harness.state_mut().worker().release();
            person.settle();
        }
    };
    person.send(Command::OpenExample(SMALL.to_owned()));
    person.send(Command::Show(Pane::WhatIf));
    work(&mut person);
    // The engine is at work on other values when the drag begins, and done before it ends.
    person.send(turn(Knob::LinkRate, 1.1, 7));
    person.send(Command::WhatIf(what_if::Command::Simulate));
    assert!(person.sees("Simulating these values"));
    let role = egui::accesskit::Role::Slider;
    let slider = person.harness.get_by_role_and_label(role, "GPU speed");
    let from = slider.rect().center();
    let pointer = |person: &mut Person, at: egui::Pos2, pressed: Option<bool>| {
        person.harness.event(egui::Event::PointerMoved(at));
        if let Some(pressed) = pressed {
            person.harness.event(egui::Event::PointerButton {
                pos: at,
                button: egui::PointerButton::Primary,
                pressed,
                modifiers: egui::Modifiers::NONE,
            });
        }
        person.harness.run_steps(2);
    };
    pointer(&mut person, from, Some(true));
    for step in 1..=12_u8 {
        let by = egui::vec2(f32::from(step) * 8.0, 0.0);
        pointer(&mut person, from + by, None);
        if step == 4 {
            work(&mut person);
            assert!(!person.sees("Simulating these values"));
        }
    }
    let reached = person.state().view.now().what_if.tuning();
    let reached = reached.get(Knob::GpuSpeed).unwrap();
    assert!(1.5 < reached, "{reached}");
    pointer(&mut person, from + egui::vec2(96.0, 0.0), Some(false));
    work(&mut person);
    let found = &person.state().results.what_if;
    let simulated = found.simulated.as_ref().unwrap();
    assert_eq!(simulated.tuning.get(Knob::GpuSpeed), Some(reached));
}

#[test]
fn a_network_workload_has_no_sliders_and_says_why() {
    let name = format!("windtunnel-{}-workload.toml", std::process::id());
    let file = std::env::temp_dir().join(name);
    let text = "schema = 1\n[workload]\ncollective = \"ring\"\nbytes = \"64 KiB\"\n\
                [cluster]\nname = \"dgx-h100\"\nnodes = 2\n";
    std::fs::write(&file, text).unwrap();
    let mut person = Person::new();
    person.send(Command::Open(file.clone()));
    person.send(Command::Show(Pane::WhatIf));
    std::fs::remove_file(&file).unwrap();
    assert!(person.sees("no closed form"));
}
