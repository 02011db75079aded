//! Zoom, pan, and what is selected.

use egui::Key;
use timeline::{Camera, Selection};

use crate::fixtures::four_stages;
use crate::stage::{Panes, click, drag, dressed, lanes, picture, place, press, stage};

#[test]
fn a_timeline_opens_with_the_whole_run() {
    let timeline = four_stages();
    let mut stage = stage(&timeline);
    assert_eq!(stage.state().view.camera, Camera::whole(timeline.end()));
    picture(&mut stage, "whole");
    let mut light = dressed(&timeline, Panes::None, egui::Theme::Light, 2.0);
    picture(&mut light, "whole-light");
}

#[test]
fn w_zooms_about_the_cursor() {
    let timeline = four_stages();
    let mut stage = stage(&timeline);
    let pos = place(&stage, "ranks 0–7, stream compute", 0.25);
    stage.hover_at(pos);
    stage.run();
    let share = f64::from(pos.x - lanes(&stage).left()) / f64::from(lanes(&stage).width());
    let before = stage.state().view.camera.time_at(share);
    for _ in 0..5 {
        press(&mut stage, Key::W);
    }
    let camera = stage.state().view.camera;
    assert!(camera.span() < timeline.end().as_picos() / 3);
    let apart = camera.time_at(share).as_picos().abs_diff(before.as_picos());
    assert!(apart < 100, "{apart} ps");
    picture(&mut stage, "zoomed");
}

#[test]
fn a_click_selects_and_escape_clears() {
    let timeline = four_stages();
    let mut stage = stage(&timeline);
    for _ in 0..3 {
        press(&mut stage, Key::W);
    }
    let pos = place(&stage, "ranks 8–15, stream compute", 0.5);
    click(&mut stage, pos);
    let selected = stage.state().view.selection.span();
    let id = selected.expect("a kernel lies there");
    assert_eq!(timeline.span(id).map(|span| span.lane.get()), Some(1));
    picture(&mut stage, "selected");
    press(&mut stage, Key::Escape);
    assert_eq!(stage.state().view.selection, Selection::None);
}

#[test]
fn a_drag_selects_a_range_over_tracks() {
    let timeline = four_stages();
    let mut stage = stage(&timeline);
    let from = place(&stage, "ranks 0–7, stream compute", 0.2);
    let to = place(&stage, "ranks 8–15, stream tp", 0.4);
    drag(&mut stage, from, to);
    picture(&mut stage, "range");
    let Selection::Range { from, to, tracks } = stage.state().view.selection.clone() else {
        panic!("a range is selected");
    };
    assert!(from < to);
    assert_eq!(tracks.len(), 7, "{tracks:?}");
}
