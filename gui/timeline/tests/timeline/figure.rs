//! What is seen as a figure.

use chart::{Cell, Content, csv};
use timeline::{Camera, Fold, TimelineView, figure, ledger_figure};

use crate::fixtures::{at, four_stages};

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

#[test]
fn the_ledger_adds_up_to_the_run() {
    let timeline = four_stages();
    let table = ledger_figure(&timeline).table();
    let sum: f64 = table.rows.iter().map(|row| seconds(&row.cells[1])).sum();
    let end = timeline.end().as_seconds().as_secs();
    assert!((sum / end - 1.0).abs() < 1e-6, "{sum} {end}");
    assert!(csv(&ledger_figure(&timeline)).contains("Cause,"));
}
