//! Groups, folds and pins.

use egui::Key;
use egui_kittest::kittest::Queryable as _;
use timeline::{Fold, Grouping, TimelineCommand, TrackKey};
use trace::StreamKind;

use crate::fixtures::{four_stages, pipeline, timeline};
use crate::stage::{picture, press, stage};

#[test]
fn every_track_says_whose_it_is_and_what_it_holds() {
    let timeline = four_stages();
    let stage = stage(&timeline);
    for ranks in ["0–7", "8–15", "16–23", "24–31"] {
        stage.get_by_label(&format!("ranks {ranks}, stream compute, 25 spans"));
        stage.get_by_label(&format!("ranks {ranks}, memory"));
    }
    stage.get_by_label("link leaf0->spine0 up");
}

#[test]
fn a_click_on_a_group_folds_it_to_one_row() {
    let timeline = four_stages();
    let mut stage = stage(&timeline);
    stage.get_by_label("Stage 1 · ranks 8–15, 62 spans").click();
    stage.run();
    assert!(stage.state().view.folded.contains(&Fold::Stage(1)));
    assert!(
        stage
            .query_by_label("ranks 8–15, stream compute, 25 spans")
            .is_none()
    );
    stage.get_by_label("Stage 1 · ranks 8–15, 62 spans, folded");
    picture(&mut stage, "folded");
}

#[test]
fn a_pinned_track_stays_at_the_top() {
    let timeline = four_stages();
    let mut stage = stage(&timeline);
    stage
        .get_by_label("Pin ranks 24–31, stream compute")
        .click();
    stage.run();
    let key = TrackKey::Stream {
        lane: 3,
        stream: StreamKind::Compute,
        row: 0,
    };
    assert_eq!(stage.state().view.pinned, [key]);
    picture(&mut stage, "pinned");
    let top = stage
        .get_by_label("pinned ranks 24–31, stream compute, 25 spans")
        .rect();
    let first = stage
        .get_by_label("ranks 0–7, stream compute, 25 spans")
        .rect();
    assert!(top.bottom() <= first.top());
    stage
        .get_by_label("Unpin ranks 24–31, stream compute")
        .click();
    stage.run();
    assert!(stage.state().view.pinned.is_empty());
}

#[test]
fn lanes_group_by_node_where_nodes_are_known() {
    let timeline = four_stages();
    let mut stage = stage(&timeline);
    stage
        .state_mut()
        .apply(vec![TimelineCommand::Group(Grouping::Node)]);
    stage.run();
    stage.get_by_label("Node 0 · 2 lanes, 118 spans");
    stage.get_by_label("ranks 0–7 · stage 0, 56 spans");
    picture(&mut stage, "nodes");
}

#[test]
fn rows_that_are_too_low_merge() {
    let timeline = timeline(pipeline(12, 8, 4));
    let mut stage = stage(&timeline);
    let commands = vec![
        TimelineCommand::Group(Grouping::None),
        TimelineCommand::RowHeight(1.5),
    ];
    stage.state_mut().apply(commands);
    stage.run();
    assert!(stage.query_all_by_label_contains("3 tracks from ").count() > 10);
    picture(&mut stage, "thin");
    press(&mut stage, Key::W);
    picture(&mut stage, "thin-zoomed");
}

#[test]
fn titles_are_as_wide_as_they_need() {
    let mut trace = pipeline(2, 2, 1);
    let width = |trace: &trace::Trace| {
        let timeline = timeline(trace.clone());
        let stage = stage(&timeline);
        stage
            .get_by_label_contains("Stage 0 · ranks")
            .rect()
            .width()
    };
    let short = width(&trace);
    for link in &mut trace.links {
        link.name = format!("a rather long name of a {}", link.name);
    }
    let long = width(&trace);
    assert!((120.0..210.0).contains(&short), "{short}");
    assert!((short + 60.0..=320.0).contains(&long), "{long}");
}

#[test]
fn hosts_are_not_grouped_by_stages_that_they_do_not_have() {
    let stage = crate::stage::full_stage(&four_stages());
    assert!(stage.query_by_label_contains("Group lanes by").is_some());
    let mut trace = pipeline(2, 2, 1);
    for lane in &mut trace.lanes {
        lane.ranks.clear();
    }
    let stage = crate::stage::full_stage(&timeline(trace));
    assert!(stage.query_by_label_contains("Group lanes by").is_none());
}

#[test]
fn a_link_is_never_more_than_full() {
    let mut trace = pipeline(2, 2, 1);
    for level in trace.links.iter_mut().flat_map(|link| &mut link.levels) {
        for rate in &mut level.rates {
            *rate *= 1e6;
        }
    }
    let timeline = timeline(trace);
    let most = timeline.link(0).map(timeline::Counter::most);
    assert!(
        most.is_some_and(|most| (most - 1.0).abs() < 1e-12),
        "{most:?}"
    );
}
