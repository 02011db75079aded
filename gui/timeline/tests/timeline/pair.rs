//! Two runs on one cursor.

use std::sync::Arc;

use egui::vec2;
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use timeline::{
    Camera, Canvas, Pair, PairCanvas, PairNames, Selection, Step, TimelineCommand, TimelineView,
    compare_ui, differences_ui, pair_ledger_ui,
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
        if pair.view_of_base(&view).selection.span().is_some() {
            break;
        }
    }
    let back = pair.view_of_other(&view).selection.span();
    assert!(back.is_some_and(|id| id < alone), "{:?}", view.selection);
}

#[test]
fn the_ledger_of_two_runs_is_of_both_on_paper_too() {
    let (short, long) = (four_stages(), timeline(pipeline(4, 8, 2)));
    let ends = [&short, &long].map(|run| run.end().as_seconds().as_secs());
    let pair = Pair::new(short, long);
    let table = timeline::ledger_figure_of_pair(&pair).table();
    for (column, end) in [1, 2].into_iter().zip(ends) {
        let cells = table
            .rows
            .iter()
            .filter_map(|row| row.cells[column].value());
        let sum: f64 = cells.sum();
        assert!((sum / end - 1.0).abs() < 1e-6, "{sum} {end}");
    }
}

#[test]
fn a_click_in_the_other_run_selects_there_and_its_match_in_the_base() {
    let (short, long) = (four_stages(), timeline(pipeline(4, 8, 2)));
    let pair = Pair::new(short, Arc::clone(&long));
    let mut view = TimelineView::of(&long);
    let (base, other) = (40, pair.other_of(40).unwrap());
    let clicked = TimelineCommand::Select(Selection::Span(other));
    pair.apply(&mut view, &pair.command_of_other(clicked));
    assert_eq!(view.selection, Selection::Other(other));
    assert_eq!(pair.view_of_base(&view).selection, Selection::Span(base));
    assert_eq!(pair.view_of_other(&view).selection, Selection::Span(other));
    let reveal = pair.command_of_other(TimelineCommand::Reveal(other));
    pair.apply(&mut view, &reveal);
    assert_eq!(view.selection, Selection::Other(other));
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
            let commands = differences_ui(ui, &state.pair, &state.view);
            for command in commands {
                state.pair.apply(&mut state.view, &command);
            }
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
fn the_columns_of_two_ledgers_do_not_touch() {
    for width in [280.0, 420.0, 900.0] {
        let (short, long) = (four_stages(), timeline(pipeline(4, 9, 3)));
        let pair = Pair::new(short, long);
        let ui = |ui: &mut egui::Ui, (pair, view): &mut (Pair, TimelineView)| {
            look::install(ui.ctx());
            pair_ledger_ui(ui, pair, view);
        };
        let view = TimelineView::of(pair.base());
        let builder = Harness::builder().with_size(vec2(width, 400.0));
        let mut window = builder.build_ui_state(ui, (pair, view));
        window.run();
        let shapes = window.output().shapes.iter();
        let texts = shapes.filter_map(|shape| match &shape.shape {
            egui::Shape::Text(text) => Some((text.galley.text(), text.visual_bounding_rect())),
            _ => None,
        });
        let texts: Vec<_> = texts.collect();
        assert!(12 < texts.len());
        for (at, (a, one)) in texts.iter().enumerate() {
            for (b, other) in &texts[at + 1..] {
                assert!(!one.intersects(*other), "{a} and {b} at {width}");
            }
        }
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
    window.get_by_label("now: ranks 0–7, stream compute, 33 spans");
    window.get_by_label("Run");
    assert_eq!(window.query_all_by_label("Now").count(), 2);
    // The last spans of both: what the window at the start does not show.
    let last = u32::try_from(window.state().pair.base().trace().spans.len() - 1).unwrap();
    let state = window.state_mut();
    let start = state.view.camera;
    state.view.camera = Camera::new(0, start.span() / 10, start.end());
    state.view.selection = Selection::Span(last);
    window.run();
    window
        .get_by_label_contains("Show its match in Now")
        .click();
    window.run();
    let state = window.state();
    let found = state
        .pair
        .other_of(last)
        .and_then(|id| state.pair.other().span(id));
    let found = found.expect("both runs end alike");
    assert!(state.view.camera.start() <= found.start && found.start < state.view.camera.end());
    window.state_mut().view = TimelineView::of(&timeline(pipeline(4, 8, 2)));
    window.run();
    if let Ok(folder) = std::env::var("TIMELINE_PICTURES") {
        let image = window.render().expect("an adapter draws");
        image
            .save(format!("{folder}/pair.png"))
            .expect("the folder can be written");
    }
}
