//! Two runs on one cursor.

use std::sync::Arc;

use egui::vec2;
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use timeline::{
    Canvas, Pair, PairCanvas, PairNames, Selection, Step, TimelineCommand, TimelineView,
    compare_ui, differences_ui,
};

use crate::fixtures::{four_stages, pipeline, timeline};
use crate::stage::seen;

#[test]
fn a_run_matches_itself_whole() {
    let run = four_stages();
    let pair = Pair::new(Arc::clone(&run), Arc::clone(&run));
    for id in (0..).take(run.trace().spans.len()) {
        assert_eq!(pair.other_of(id), Some(id));
        assert_eq!(pair.base_of(id), Some(id));
    }
    for kind in pair.kinds() {
        assert_eq!(kind.unmatched, 0);
        assert!((kind.base - kind.other).abs() < 1e-15);
    }
}

#[test]
fn a_longer_run_matches_in_part() {
    let (short, long) = (four_stages(), timeline(pipeline(4, 8, 2)));
    let pair = Pair::new(short, Arc::clone(&long));
    let missing = (0..)
        .take(long.trace().spans.len())
        .filter(|&id| pair.base_of(id).is_none());
    let batches: Vec<u32> = missing
        .map(|id| long.trace().spans[id as usize].micro_batch)
        .collect();
    assert!(!batches.is_empty());
    assert!(
        batches.iter().all(|&batch| batch == 6 || batch == 7),
        "{batches:?}"
    );
}

#[test]
fn a_span_without_a_match_is_selected_in_its_own_run() {
    let (short, long) = (four_stages(), timeline(pipeline(4, 8, 2)));
    let pair = Pair::new(short, Arc::clone(&long));
    let ids = || (0..).take(long.trace().spans.len());
    let alone = ids().find(|&id| pair.base_of(id).is_none()).unwrap();
    let mut view = TimelineView::of(&long);
    let clicked = TimelineCommand::Select(Selection::Span(alone));
    pair.apply(&mut view, &pair.command_of_other(clicked));
    assert_eq!(view.selection, Selection::Other(alone));
    assert_eq!(pair.view_of_other(&view).selection, Selection::Span(alone));
    // Back along its track to one that both runs have.
    for _ in ids() {
        pair.apply(&mut view, &TimelineCommand::Neighbor(Step::Previous));
        if view.selection.span().is_some() {
            break;
        }
    }
    let back = view.selection.span().and_then(|id| pair.other_of(id));
    assert!(back.is_some_and(|id| id < alone), "{:?}", view.selection);
}

struct State {
    pair: Pair,
    view: TimelineView,
    canvas: PairCanvas,
}

fn ui(ui: &mut egui::Ui, state: &mut State) {
    look::install(ui.ctx());
    egui::Panel::right("differences")
        .default_size(400.0)
        .show(ui, |ui| {
            differences_ui(ui, &state.pair, &state.view);
        });
    let names = PairNames {
        base: "six micro-batches",
        other: "eight micro-batches",
    };
    let commands = compare_ui(ui, &state.pair, &state.view, &mut state.canvas, names);
    for command in commands {
        state.pair.apply(&mut state.view, &command);
    }
}

#[test]
fn both_runs_show_the_selected_span() {
    let (short, long) = (four_stages(), timeline(pipeline(4, 8, 2)));
    let state = State {
        view: TimelineView::of(&long),
        pair: Pair::new(short, long),
        canvas: PairCanvas {
            base: Canvas::default(),
            other: Canvas::default(),
        },
    };
    let builder = Harness::builder().with_size(vec2(1_280.0, 800.0));
    let mut window = seen(builder).build_ui_state(ui, state);
    window.run();
    window.state_mut().view.selection = Selection::Span(40);
    window.run();
    window.get_by_label("base: ranks 0–7, stream compute, 25 spans");
    window.get_by_label("other: ranks 0–7, stream compute, 33 spans");
    window.get_by_label("Run");
    if let Ok(folder) = std::env::var("TIMELINE_PICTURES") {
        let image = window.render().expect("an adapter draws");
        image
            .save(format!("{folder}/pair.png"))
            .expect("the folder can be written");
    }
}
