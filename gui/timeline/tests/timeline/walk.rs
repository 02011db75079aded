//! Keys that walk from span to span and from window to window.

use egui::{Event, Key, Modifiers};
use timeline::{Camera, Selection, TimelineCommand, TimelineView};
use trace::SpanId;

use crate::fixtures::{at, four_stages, pipeline, timeline};
use crate::stage::{Stage, place, press, stage};

/// Selects the first backward kernel of stage 0, in the middle of the run.
fn with_selected() -> (Stage, SpanId) {
    let timeline = four_stages();
    let mut stage = stage(&timeline);
    let spans = &timeline.trace().spans;
    let first = (0..)
        .zip(spans)
        .find(|(_, span)| span.lane.get() == 0 && span.pass == trace::Pass::Backward);
    let (id, _) = first.expect("stage 0 runs backward");
    stage.state_mut().view.selection = Selection::Span(id);
    stage.run();
    (stage, id)
}

#[test]
fn f_fits_the_selection_with_its_surroundings_and_then_alone() {
    let (mut stage, id) = with_selected();
    let span = stage.state().timeline.trace().spans[id as usize];
    let length = span.end.as_picos() - span.start.as_picos();
    press(&mut stage, Key::F);
    let camera = stage.state().view.camera;
    assert_eq!(camera.span(), 4 * length);
    assert!(camera.start() < span.start && span.end < camera.end());
    press(&mut stage, Key::F);
    let camera = stage.state().view.camera;
    assert_eq!((camera.start(), camera.end()), (span.start, span.end));
    press(&mut stage, Key::Home);
    let end = stage.state().timeline.end();
    assert_eq!(stage.state().view.camera, Camera::whole(end));
}

#[test]
fn period_and_comma_walk_along_the_track_and_back() {
    let (mut stage, id) = with_selected();
    press(&mut stage, Key::Period);
    let next = stage
        .state()
        .view
        .selection
        .span()
        .expect("there is a next");
    let spans = stage.state().timeline.trace().spans.clone();
    assert_eq!(spans[next as usize].stream, spans[id as usize].stream);
    assert!(spans[id as usize].end <= spans[next as usize].start);
    press(&mut stage, Key::Comma);
    assert_eq!(stage.state().view.selection, Selection::Span(id));
}

#[test]
fn brackets_walk_to_the_cause_and_to_the_effect() {
    let (mut stage, id) = with_selected();
    let cause = stage.state().timeline.cause(id).expect("a message");
    press(&mut stage, Key::OpenBracket);
    assert_eq!(stage.state().view.selection, Selection::Span(cause));
    press(&mut stage, Key::CloseBracket);
    assert_eq!(stage.state().view.selection, Selection::Span(id));
}

#[test]
fn d_and_a_pan_and_stop_at_the_ends() {
    let timeline = four_stages();
    let mut stage = stage(&timeline);
    for _ in 0..4 {
        press(&mut stage, Key::W);
    }
    let before = stage.state().view.camera;
    press(&mut stage, Key::D);
    let right = stage.state().view.camera;
    assert!(before.start() < right.start());
    assert_eq!(before.span(), right.span());
    press(&mut stage, Key::A);
    let apart = stage
        .state()
        .view
        .camera
        .start()
        .as_picos()
        .abs_diff(before.start().as_picos());
    assert!(apart <= 1);
    for _ in 0..40 {
        press(&mut stage, Key::A);
    }
    assert_eq!(stage.state().view.camera.start(), at(0));
}

#[test]
fn keys_are_known_by_their_place() {
    let timeline = four_stages();
    let mut stage = stage(&timeline);
    // The key where W stands says Z on French keyboards.
    stage.event(Event::Key {
        key: Key::Z,
        physical_key: Some(Key::W),
        pressed: true,
        repeat: false,
        modifiers: Modifiers::NONE,
    });
    stage.run();
    assert!(stage.state().view.camera.span() < timeline.end().as_picos());
}

#[test]
fn zoom_goes_down_to_a_nanosecond_and_no_further() {
    let timeline = four_stages();
    let mut view = TimelineView::of(&timeline);
    for _ in 0..200 {
        let zoom = TimelineCommand::Zoom {
            about: None,
            factor: 1.5,
        };
        view.apply(&timeline, &zoom);
    }
    assert_eq!(view.camera.span(), 1_000);
    for _ in 0..200 {
        let zoom = TimelineCommand::Zoom {
            about: None,
            factor: 0.5,
        };
        view.apply(&timeline, &zoom);
    }
    assert_eq!(view.camera, Camera::whole(timeline.end()));
}

#[test]
fn the_wheel_scrolls_and_with_control_zooms() {
    let timeline = timeline(pipeline(12, 4, 2));
    let mut stage = stage(&timeline);
    let pos = place(&stage, "ranks 8–15, stream compute", 0.5);
    let wheel = |stage: &mut Stage, modifiers| {
        stage.hover_at(pos);
        stage.run();
        stage.event(Event::MouseWheel {
            unit: egui::MouseWheelUnit::Point,
            delta: egui::vec2(0.0, -60.0),
            phase: egui::TouchPhase::Move,
            source: egui::MouseWheelSource::Unknown,
            modifiers,
        });
        stage.run_steps(30);
    };
    wheel(&mut stage, Modifiers::NONE);
    assert!(0.0 < stage.state().view.scroll);
    let before = stage.state().view.camera;
    assert_eq!(before, Camera::whole(timeline.end()));
    for _ in 0..2 {
        press(&mut stage, Key::W);
    }
    let before = stage.state().view.camera.span();
    stage.event(Event::ModifiersChanged(Modifiers::COMMAND));
    wheel(&mut stage, Modifiers::COMMAND);
    assert!(before < stage.state().view.camera.span());
}

#[test]
fn m_marks_and_space_is_for_the_clock() {
    let timeline = four_stages();
    let mut stage = stage(&timeline);
    press(&mut stage, Key::M);
    assert_eq!(stage.state().view.marks.len(), 1);
    press(&mut stage, Key::M);
    assert!(stage.state().view.marks.is_empty());
    press(&mut stage, Key::Space);
    assert_eq!(
        stage.state().sent.last(),
        Some(&TimelineCommand::TogglePlay)
    );
}

#[test]
fn a_playhead_beyond_the_run_is_told_at_the_edge() {
    let timeline = four_stages();
    let mut stage = stage(&timeline);
    let beyond = at(2 * timeline.end().as_picos());
    stage.state_mut().view.playhead = Some(beyond);
    stage.run();
    let texts = stage
        .output()
        .shapes
        .iter()
        .filter_map(|shape| match &shape.shape {
            egui::Shape::Text(text) => Some(text.galley.text().to_owned()),
            _ => None,
        });
    let told: Vec<String> = texts
        .filter(|text| text.starts_with("playhead at "))
        .collect();
    assert_eq!(told.len(), 1, "{told:?}");
}
