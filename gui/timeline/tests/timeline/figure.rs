//! What is seen as a figure.

use chart::{Cell, Content, csv};
use timeline::{Camera, Fold, TimelineView, figure, ledger_figure};

use crate::fixtures::{at, four_stages, timeline, two_at_once};
use crate::stage::{click, place, stage};

fn seconds(cell: &Cell) -> f64 {
    cell.value().expect("a number")
}

#[test]
fn a_figure_has_the_rows_of_the_view_and_its_window() {
    let timeline = four_stages();
    let mut view = TimelineView::of(&timeline);
    let half = timeline.end().as_picos() / 2;
    view.camera = Camera::new(0, half, timeline.end());
    let of_half = figure(&timeline, &view);
    let table = of_half.table();
    assert!(!table.rows.is_empty());
    for row in &table.rows {
        assert!(seconds(&row.cells[3]) <= at(half).as_seconds().as_secs());
        assert!(seconds(&row.cells[3]) <= seconds(&row.cells[4]));
    }
    view.camera = Camera::whole(timeline.end());
    let spans: f64 = figure(&timeline, &view)
        .table()
        .rows
        .iter()
        .filter(|row| matches!(&row.cells[0], Cell::Text(text) if text.contains("stream")))
        .map(|row| seconds(&row.cells[5]))
        .sum();
    assert!((spans - timeline.trace().spans.len() as f64).abs() < 0.5);
}

#[test]
fn a_folded_group_is_one_row() {
    let timeline = four_stages();
    let mut view = TimelineView::of(&timeline);
    let rows = |view: &TimelineView| match figure(&timeline, view).content {
        Content::Gantt(gantt) => gantt.rows,
        _ => Vec::new(),
    };
    let open = rows(&view).len();
    view.folded.insert(Fold::Stage(0));
    let folded = rows(&view);
    assert!(folded.len() < open);
    assert!(folded[0].title.starts_with("Stage 0"));
    assert!(!folded[0].bars.is_empty());
}

/// What the pointer selects and what a figure shows of a folded lane.
#[test]
fn a_folded_lane_shows_points_at_and_exports_the_same() {
    let timeline = timeline(two_at_once());
    let mut stage = stage(&timeline);
    stage.state_mut().view.folded.insert(Fold::Stage(0));
    stage.run();
    let view = stage.state().view.clone();
    let Content::Gantt(gantt) = figure(&timeline, &view).content else {
        unreachable!("a timeline is rows of bars");
    };
    let bars = &gantt.rows[0].bars;
    let mut names = std::collections::BTreeSet::new();
    for at in [50, 90, 150, 190, 250, 390, 500, 690] {
        let moment = f64::from(at) * 1e-6;
        let share = moment / timeline.end().as_seconds().as_secs();
        #[expect(clippy::cast_possible_truncation, reason = "a share")]
        let pos = place(&stage, "Stage 0", share as f32);
        click(&mut stage, pos);
        let id = stage.state().view.selection.span().expect("a span");
        let clicked = timeline.name(timeline.span(id).expect("a span"));
        let bar = bars
            .iter()
            .find(|bar| bar.from <= moment && moment < bar.to)
            .expect("a bar");
        assert_eq!(bar.name, clicked, "at {at} µs");
        names.insert(clicked.to_owned());
    }
    assert_eq!(names.len(), 3, "{names:?}");
    let reduce = bars.iter().find(|bar| bar.name == "reduce").expect("a bar");
    assert!((reduce.from - 100e-6).abs() < 1e-12 && (reduce.to - 200e-6).abs() < 1e-12);
}

#[test]
fn the_outline_of_a_figure_is_that_of_the_critical_path() {
    let timeline = four_stages();
    let mut view = TimelineView::of(&timeline);
    view.folded.insert(Fold::Stage(0));
    let Content::Gantt(gantt) = figure(&timeline, &view).content else {
        unreachable!("a timeline is rows of bars");
    };
    let middle = |bar: &chart::GanttBar| f64::midpoint(bar.from, bar.to);
    let segments = &timeline.path().segments;
    let is_on = |time: f64| {
        let own = segments.iter().find(|segment| {
            let [from, to] = [segment.start, segment.end].map(|at| at.as_seconds().as_secs());
            from <= time && time < to
        });
        let span = own.and_then(|segment| timeline.span(segment.span));
        span.is_some_and(|span| span.lane.get() == 0)
    };
    let bars = gantt.rows[0].bars.iter();
    let outlined: Vec<_> = bars.filter(|bar| bar.outlined).collect();
    assert!(!outlined.is_empty());
    assert!(
        outlined
            .iter()
            .all(|bar| bar.count != 1 || is_on(middle(bar)))
    );
}

#[test]
fn the_ledger_adds_up_to_the_run() {
    let timeline = four_stages();
    let table = ledger_figure(&timeline).table();
    let sum: f64 = table.rows.iter().map(|row| seconds(&row.cells[1])).sum();
    let end = timeline.end().as_seconds().as_secs();
    assert!((sum / end - 1.0).abs() < 1e-6, "{sum} {end}");
    assert!(csv(&ledger_figure(&timeline)).contains("Cause,"));
}
