//! Bar, details, ledger and table.

use egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable as _;
use timeline::{LedgerLine, Overlay, Selection, TimelineCommand};
use trace::Category;

use crate::fixtures::{four_stages, pipeline, timeline};
use crate::stage::{Panes, click, dressed, full_stage, picture, place, press};

#[test]
fn details_tell_what_released_a_span_and_lead_there() {
    let timeline = four_stages();
    let mut stage = full_stage(&timeline);
    for _ in 0..3 {
        press(&mut stage, Key::W);
    }
    let pos = place(&stage, "ranks 8–15, stream compute", 0.5);
    click(&mut stage, pos);
    stage.run();
    picture(&mut stage, "panes");
    let id = stage
        .state()
        .view
        .selection
        .span()
        .expect("a kernel lies there");
    let cause = timeline.cause(id).expect("a message released it");
    stage.get_by_label_contains("Cause: ").click();
    stage.run();
    assert_eq!(stage.state().view.selection, Selection::Span(cause));
    press(&mut stage, Key::CloseBracket);
    assert_eq!(stage.state().view.selection, Selection::Span(id));
    let mut light = dressed(&timeline, Panes::All, egui::Theme::Light, 2.0);
    light.state_mut().view.selection = Selection::Span(id);
    light.run();
    picture(&mut light, "panes-light");
}

#[test]
fn a_search_steps_through_hits_in_order_of_time() {
    let timeline = four_stages();
    let mut stage = full_stage(&timeline);
    press(&mut stage, Key::Slash);
    stage.get_by_label("Search names").type_text("reduce grad");
    stage.run();
    stage.get_by_label("4 hits");
    let mut ends = Vec::new();
    for _ in 0..5 {
        press(&mut stage, Key::Enter);
        let id = stage
            .state()
            .view
            .selection
            .span()
            .expect("a hit is selected");
        ends.push(timeline.span(id).expect("it is a span").end);
    }
    assert!(ends[..4].is_sorted(), "{ends:?}");
    assert_eq!(ends[4], ends[0], "around the end");
    stage.get_by_label("1 of 4 hits");
    stage.key_press_modifiers(Modifiers::SHIFT, Key::Enter);
    stage.run();
    stage.get_by_label("4 of 4 hits");
}

#[test]
fn escape_leaves_the_field_then_the_selection_then_the_line_of_the_ledger() {
    let timeline = four_stages();
    let mut stage = full_stage(&timeline);
    let line = LedgerLine::Work(Category::Tp);
    let view = &mut stage.state_mut().view;
    view.selection = Selection::Span(3);
    view.ledger = Some(line);
    press(&mut stage, Key::Slash);
    assert!(stage.get_by_label("Search names").is_focused());
    press(&mut stage, Key::Escape);
    assert!(!stage.get_by_label("Search names").is_focused());
    let now = |stage: &crate::stage::Stage| {
        let view = &stage.state().view;
        (view.selection.clone(), view.ledger)
    };
    assert_eq!(now(&stage), (Selection::Span(3), Some(line)));
    press(&mut stage, Key::Escape);
    assert_eq!(now(&stage), (Selection::None, Some(line)));
    press(&mut stage, Key::Escape);
    assert_eq!(now(&stage), (Selection::None, None));
}

#[test]
fn a_name_that_is_its_pass_is_said_once() {
    let mut trace = pipeline(1, 1, 1);
    let name = trace.names.intern("recompute");
    for span in &mut trace.spans {
        if span.category == Category::Compute {
            (span.name, span.pass) = (name, trace::Pass::Recompute);
        }
    }
    let timeline = timeline(trace);
    let stage = full_stage(&timeline);
    stage.get_by_label("recompute");
    assert!(stage.query_by_label("recompute recompute").is_none());
}

#[test]
fn letters_in_a_field_do_not_move_the_window() {
    let timeline = four_stages();
    let mut stage = full_stage(&timeline);
    let before = stage.state().view.camera;
    stage.get_by_label("Filter tracks").focus();
    stage.run();
    press(&mut stage, Key::W);
    press(&mut stage, Key::D);
    assert_eq!(stage.state().view.camera, before);
}

#[test]
fn a_filter_leaves_the_tracks_that_fit() {
    let timeline = four_stages();
    let mut stage = full_stage(&timeline);
    stage.get_by_label("Filter tracks").focus();
    stage.run();
    stage.get_by_label("Filter tracks").type_text("8–15 tp");
    stage.run();
    assert!(
        stage
            .query_by_label("ranks 8–15, stream tp, 24 spans")
            .is_some()
    );
    assert!(
        stage
            .query_by_label("ranks 0–7, stream tp, 24 spans")
            .is_none()
    );
    picture(&mut stage, "filter");
}

#[test]
fn a_line_of_the_ledger_highlights_and_steps_through_its_spans() {
    let timeline = four_stages();
    let mut stage = full_stage(&timeline);
    stage.get_by_label_contains("tp 720").click();
    stage.run();
    let line = stage.state().view.ledger;
    assert_eq!(line, Some(LedgerLine::Work(Category::Tp)));
    stage.get_by_label("Next span of the path").click();
    stage.run();
    picture(&mut stage, "ledger");
    let id = stage
        .state()
        .view
        .selection
        .span()
        .expect("a span of the path");
    assert!(timeline.is_critical(id));
    assert_eq!(
        timeline.span(id).map(|span| span.category),
        Some(Category::Tp)
    );
}

#[test]
fn the_table_lists_tracks_and_spans() {
    let timeline = four_stages();
    let mut stage = full_stage(&timeline);
    stage.get_by_label_contains("Track ranks 0–7, stream tp, Spans 24");
    stage.get_by_label("Spans in the window").click();
    stage.run();
    let n = timeline.trace().spans.len();
    stage.get_by_label(&format!("{n} spans in the window"));
    picture(&mut stage, "table");
}

#[test]
fn overlays_are_shown_and_hidden_by_commands() {
    let timeline = timeline(pipeline(2, 2, 1));
    let mut view = timeline::TimelineView::of(&timeline);
    for overlay in Overlay::ALL {
        let before = view.shows(overlay);
        view.apply(&timeline, &TimelineCommand::Toggle(overlay));
        assert_ne!(view.shows(overlay), before);
    }
}
