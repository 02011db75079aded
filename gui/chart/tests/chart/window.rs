//! Figures and tables as people use them: with the pointer, with the keys, by their names.

use crate::figures;
use chart::{
    Brush, Content, Figure, FigureView, Sort, Table, TableCommand, TableView, Zoom, figure_ui,
    table_ui,
};
use egui::{Key, Pos2, Vec2, vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT as _, Queryable as _};

/// What a figure answered, frame by frame.
#[derive(Debug, Default)]
struct Seen {
    clicked: Vec<u64>,
    focused: Option<u64>,
    hovered: Option<u64>,
    cursor: Option<(f64, f64)>,
    zoomed: Vec<Option<Zoom>>,
    brushed: Vec<Brush>,
}

fn shown(figure: Figure, view: FigureView) -> Harness<'static, Seen> {
    let ui = move |ui: &mut egui::Ui, seen: &mut Seen| {
        look::install(ui.ctx());
        let response = figure_ui(ui, &figure, &view);
        seen.clicked.extend(response.clicked);
        seen.focused = response.focused;
        seen.hovered = response.hovered;
        seen.cursor = response.cursor.or(seen.cursor);
        seen.zoomed.extend(response.zoomed);
        seen.brushed.extend(response.brushed);
    };
    let mut harness = Harness::builder()
        .with_size(vec2(640.0, 400.0))
        .with_max_steps(12)
        .with_step_dt(1.0 / 60.0)
        .build_ui_state(ui, Seen::default());
    harness.run();
    harness
}

const SCATTER: &str = "Plans: Scatter of iteration time against peak memory, 60 plans";

fn scatter() -> Harness<'static, Seen> {
    shown(figures::scatter(60), FigureView::default())
}

fn press(harness: &mut Harness<'_, Seen>, key: Key) -> Option<u64> {
    harness.key_press(key);
    harness.run();
    harness.state().focused
}

#[test]
fn every_figure_has_a_name_that_says_what_it_shows() {
    let names = [
        SCATTER,
        "Predicted against measured: Scatter of predicted iteration time against measured iteration time, 120 runs",
        "Memory of stage 0: Stacked areas of memory over time",
        "Where the time goes: Stacked bars of iteration time, 6 plans",
        "All plans: Parallel coordinates of TP, PP, DP, Micro-batch, Schedule, Recompute, Peak memory, \
         Iteration time, 90 plans",
        "Residuals: Histogram of runs by error",
    ];
    for ((_, figure), name) in figures::all().into_iter().zip(names) {
        shown(figure, FigureView::default()).get_by_label(name);
    }
}

#[test]
fn arrows_walk_the_points_and_enter_clicks_the_one_in_focus() {
    let mut harness = scatter();
    harness.get_by_label(SCATTER).focus();
    harness.run();
    let first = press(&mut harness, Key::ArrowRight).unwrap();
    let second = press(&mut harness, Key::ArrowRight).unwrap();
    assert_ne!(first, second);
    let back = press(&mut harness, Key::ArrowLeft);
    assert_eq!(back, Some(first));
    assert!(
        harness
            .query_by_label_contains(&format!("Plan {first}: Peak memory"))
            .is_some()
    );
    press(&mut harness, Key::Enter);
    assert_eq!(harness.state().clicked, [first]);
}

#[test]
fn a_click_on_a_point_returns_its_id() {
    let mut harness = scatter();
    harness.get_by_label(SCATTER).focus();
    harness.run();
    let last = press(&mut harness, Key::End).unwrap();
    let at = harness
        .get_by_label_contains(&format!("Plan {last}: "))
        .rect()
        .center();
    harness.hover_at(at);
    harness.run();
    assert_eq!(harness.state().hovered, Some(last));
    click(&mut harness, at);
    assert_eq!(harness.state().clicked, [last]);
    assert!(harness.state().cursor.is_some());
}

fn click(harness: &mut Harness<'_, Seen>, at: Pos2) {
    harness.drag_at(at);
    harness.drop_at(at);
    harness.run();
}

#[test]
fn a_drag_zooms_and_a_double_click_shows_everything() {
    let view = FigureView {
        can_zoom: true,
        ..FigureView::default()
    };
    let mut harness = shown(figures::scatter(60), view);
    drag(&mut harness, Pos2::new(200.0, 120.0), vec2(150.0, 120.0));
    let zoom = harness.state().zoomed[0].unwrap();
    let upward = zoom.y.unwrap();
    assert!(0.0 < zoom.x.0 && zoom.x.0 < zoom.x.1, "{zoom:?}");
    assert!(upward.0 < upward.1, "{zoom:?}");
    let at = Pos2::new(300.0, 200.0);
    harness.drag_at(at);
    harness.drop_at(at);
    harness.drag_at(at);
    harness.drop_at(at);
    harness.run();
    assert_eq!(harness.state().zoomed.last(), Some(&None));
}

fn drag(harness: &mut Harness<'_, Seen>, from: Pos2, by: Vec2) {
    harness.hover_at(from);
    harness.run();
    harness.drag_at(from);
    harness.run();
    harness.hover_at(from + by);
    harness.run();
    harness.drop_at(from + by);
    harness.run();
}

#[test]
fn a_drag_along_a_parallel_axis_brushes_it_and_a_click_clears_it() {
    let mut harness = shown(figures::parallel(), FigureView::default());
    let right = 640.0 - 8.0 - 8.0 - 6.0;
    drag(&mut harness, Pos2::new(right, 150.0), vec2(3.0, 80.0));
    let brush = *harness.state().brushed.last().unwrap();
    let (low, high) = brush.range.unwrap();
    assert_eq!(brush.axis, 7);
    assert!(2.0 < low && low < high && high < 8.0, "{brush:?}");
    click(&mut harness, Pos2::new(right, 300.0));
    let cleared = Brush {
        axis: 7,
        range: None,
    };
    assert_eq!(harness.state().brushed.last(), Some(&cleared));
}

#[test]
fn arrows_walk_the_samples_of_areas_with_their_sum() {
    let mut harness = shown(figures::memory(), FigureView::default());
    harness
        .get_by_label("Memory of stage 0: Stacked areas of memory over time")
        .focus();
    harness.run();
    press(&mut harness, Key::Home);
    press(&mut harness, Key::ArrowRight);
    let said = harness.get_by_label_contains("Time 12.50 ms: ");
    let label = said.accesskit_node().label().unwrap();
    assert!(
        label.ends_with("Weights 16.40 GiB, Sum 46.83 GiB"),
        "{label}"
    );
}

#[test]
fn figures_without_data_are_shown_and_walked_without_harm() {
    for content in figures::empty() {
        let figure = Figure::new("Nothing", "thing", content);
        let name = figure.name();
        let mut harness = shown(figure, FigureView::default());
        harness.get_by_label(&name).focus();
        harness.run();
        assert_eq!(press(&mut harness, Key::ArrowRight), None);
    }
}

#[test]
fn a_figure_fits_into_any_rectangle() {
    for (_, figure) in figures::all() {
        for size in [vec2(1.0, 1.0), vec2(60.0, 400.0), vec2(900.0, 30.0)] {
            let figure = figure.clone();
            let mut harness = Harness::builder().with_size(size).build_ui(move |ui| {
                chart::paint(ui.painter(), ui.max_rect(), &figure, &look::Theme::LIGHT);
            });
            harness.run();
        }
    }
}

/// A table that does what it is asked, as its caller would.
fn table(table: Table) -> Harness<'static, (TableView, Vec<TableCommand>)> {
    let mut table = table;
    let ui = move |ui: &mut egui::Ui, (view, commands): &mut (TableView, Vec<TableCommand>)| {
        look::install(ui.ctx());
        for command in table_ui(ui, &table, view) {
            match command {
                TableCommand::Sort(sort) => {
                    view.sort = Some(sort);
                    table.sort(sort);
                }
                TableCommand::Select(id) => view.selected = Some(id),
                TableCommand::Open(_) | TableCommand::Hover(_) => {}
            }
            commands.push(command);
        }
    };
    let mut harness = Harness::builder()
        .with_size(vec2(640.0, 240.0))
        .build_ui_state(ui, (TableView::default(), Vec::new()));
    harness.run();
    harness
}

#[test]
fn a_table_sorts_by_number_from_its_header() {
    let mut harness = table(figures::plans());
    harness
        .get_by_label("Plans: sort by Iteration time")
        .click();
    harness.run();
    let ascending = Sort {
        column: 1,
        descending: false,
    };
    assert_eq!(harness.state().0.sort, Some(ascending));
    harness
        .get_by_label("Plans: sort by Iteration time, sorted, smallest first")
        .click();
    harness.run();
    assert!(harness.state().0.sort.unwrap().descending);
}

#[test]
fn keys_walk_the_rows_and_enter_opens_one() {
    let mut harness = table(figures::plans());
    harness.get_by_label("Table of Plans, 200 rows").focus();
    harness.run();
    for key in [Key::ArrowDown, Key::ArrowDown, Key::ArrowDown, Key::ArrowUp] {
        harness.key_press(key);
        harness.run();
    }
    assert_eq!(harness.state().0.selected, Some(1));
    harness.key_press(Key::End);
    harness.run();
    harness.key_press(Key::Enter);
    harness.run();
    assert_eq!(harness.state().1.last(), Some(&TableCommand::Open(199)));
    let last = figures::plans().rows.len() - 1;
    assert_eq!(harness.state().0.selected, u64::try_from(last).ok());
}

#[test]
fn only_rows_that_can_be_seen_are_drawn_and_a_click_selects_one() {
    let mut harness = table(figures::plans());
    let rows = harness.get_all_by_role(egui::accesskit::Role::Row).count();
    assert!((5..15).contains(&rows), "{rows}");
    let third = harness
        .get_all_by_role(egui::accesskit::Role::Row)
        .nth(2)
        .unwrap();
    third.click();
    harness.run();
    assert_eq!(harness.state().0.selected, Some(2));
}

#[test]
fn the_twin_of_a_figure_has_the_same_ids() {
    let figure = figures::scatter(60);
    let table = figure.table();
    let Content::Xy(xy) = &figure.content else {
        panic!("a scatter has two axes");
    };
    assert_eq!(xy.layers.len(), 4);
    assert_eq!(table.rows.len(), 60);
    assert!((0..60).all(|id| table.position(id).is_some()));
}
