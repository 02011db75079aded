//! Figures on paper: SVG and CSV.

use crate::figures;
use chart::{
    Areas, Axis, Band, Bars, Caption, Column, Diagram, DiagramBox, DiagramLine, Direction, Figure,
    Gantt, GanttBar, GanttKind, GanttRow, Group, Ink, Limit, Point, Points, Row, Series, Table,
    Unit, Xy, csv, svg,
};
use egui::{Rect, pos2, vec2};
use look::Theme;

fn document(figure: &Figure) -> String {
    svg(figure, vec2(320.0, 200.0), &Theme::LIGHT)
}

/// All text of a document; fails where it is not well formed.
fn texts(document: &str) -> Vec<String> {
    let mut reader = quick_xml::Reader::from_str(document);
    reader.config_mut().check_end_names = true;
    let (mut texts, mut open) = (Vec::new(), false);
    loop {
        match reader.read_event().expect("well formed") {
            quick_xml::events::Event::Start(start) if start.name().as_ref() == "text" => {
                texts.push(String::new());
                open = true;
            }
            quick_xml::events::Event::End(_) => open = false,
            quick_xml::events::Event::Text(text) if open => {
                texts.last_mut().unwrap().push_str(&text);
            }
            quick_xml::events::Event::GeneralRef(name) if open => {
                texts.last_mut().unwrap().push_str(&format!("&{};", &*name));
            }
            quick_xml::events::Event::Eof => return texts,
            _ => {}
        }
    }
}

/// Two points, one of them with markup in its name.
fn two_points() -> Figure {
    let points = Points {
        name: "A & B".to_owned(),
        ink: Ink::Series(0),
        points: vec![
            Point::new(1, 1.0, 2.0, "first, \"one\""),
            Point::new(2, 3.0, f64::NAN, "second"),
        ],
        ..Points::default()
    };
    let xy = Xy::new(
        Axis::new("Time <t>", Unit::Seconds).fixed(0.0, 4.0),
        Axis::new("Memory", Unit::Bytes).fixed(0.0, 4.0),
    )
    .with(points)
    .with(Limit::new("Limit", 3.0));
    Figure::new("Title", "plan", xy).with_caption(Caption {
        scenario: "a.toml".to_owned(),
        engine: "flow".to_owned(),
        seed: Some(7),
        version: "0.1.0".to_owned(),
    })
}

/// Bars of two groups and two series.
fn small_bars() -> Figure {
    let series = |name: &str, letter, ink, values: [f64; 2]| Series {
        name: name.to_owned(),
        ink,
        letter: Some(letter),
        hatched: letter == 'B',
        values: values.to_vec(),
    };
    let bars = Bars {
        direction: Direction::Horizontal,
        value: Axis::new("Time", Unit::Seconds),
        groups: vec![Group::new(1, "one"), Group::new(2, "two")],
        series: vec![
            series("Alpha", 'A', Ink::Series(0), [1.0, 2.0]),
            series("Beta", 'B', Ink::Series(1), [3.0, 1.0]),
        ],
        ..Bars::default()
    };
    Figure::new("Bars", "plan", bars)
}

/// Two areas over three samples.
fn small_areas() -> Figure {
    let band = |name: &str, ink, values: [f64; 3]| Band {
        name: name.to_owned(),
        ink,
        values: values.to_vec(),
        ..Band::default()
    };
    let areas = Areas {
        x: vec![0.0, 1.0, 2.0],
        bands: vec![
            band("Low", Ink::Series(0), [1.0, 1.0, 1.0]),
            band("High", Ink::Series(1), [1.0, 2.0, 3.0]),
        ],
        ..Areas::default()
    };
    Figure::new(
        "Areas",
        "sample",
        Xy::new(
            Axis::new("Time", Unit::Seconds),
            Axis::new("Memory", Unit::Plain),
        )
        .with(areas),
    )
}

#[test]
fn small_figures_are_drawn_as_before() {
    let golden = [
        ("points", two_points(), include_str!("golden/points.svg")),
        ("bars", small_bars(), include_str!("golden/bars.svg")),
        ("areas", small_areas(), include_str!("golden/areas.svg")),
    ];
    for (name, figure, before) in golden {
        let now = document(&figure);
        assert!(now == before, "golden/{name}.svg should now be:\n{now}");
    }
}

#[test]
fn every_document_is_well_formed_and_ends_with_its_caption() {
    for (name, figure) in figures::all() {
        let texts = texts(&svg(&figure, vec2(760.0, 400.0), &Theme::LIGHT));
        let caption = figures::caption().line();
        assert_eq!(
            texts.iter().filter(|text| **text == caption).count(),
            1,
            "{name}"
        );
        assert_eq!(texts.first(), Some(&figure.title), "{name}");
    }
}

#[test]
fn markup_in_names_is_escaped() {
    let texts = texts(&document(&two_points()));
    assert!(
        texts.contains(&"Time &lt;t&gt; (s)".to_owned()),
        "{texts:?}"
    );
    assert!(texts.contains(&"A &amp; B".to_owned()), "{texts:?}");
}

#[test]
fn figures_without_data_say_so() {
    for content in figures::empty() {
        let figure = Figure::new("Nothing", "thing", content);
        assert!(document(&figure).contains(">No data<"), "{figure:?}");
    }
}

#[test]
fn areas_lie_on_top_of_each_other() {
    let document = document(&small_areas());
    let strips: Vec<_> = document
        .lines()
        .filter(|line| line.contains("Z\""))
        .collect();
    let ends = |strip: &str| {
        let d = strip.split('"').nth(1).unwrap();
        let points = d.trim_end_matches('Z').split(['M', 'L']).skip(1);
        let y = |point: &str| point.split(' ').nth(1).unwrap().parse::<f32>().unwrap();
        points.map(y).collect::<Vec<_>>()
    };
    let (low, high) = (ends(strips[0]), ends(strips[1]));
    let mut below = low[..3].to_vec();
    below.reverse();
    assert_eq!(
        high[3..],
        below,
        "the upper area starts where the lower one ends"
    );
    let unit = low[5] - low[0];
    assert!(
        (high[2] - (low[2] - 3.0 * unit)).abs() < 0.05,
        "{low:?} {high:?}"
    );
}

#[test]
fn values_keep_their_units_and_commas_are_quoted() {
    let text = csv(&two_points());
    let expected = "# Title\n# a.toml · engine flow · seed 7 · Windtunnel 0.1.0\n# Limit: 3 B\n\
                    Plan,Series,Time <t> (s),Memory (B)\n\
                    \"first, \"\"one\"\"\",A & B,1,2\nsecond,A & B,3,\n";
    assert_eq!(text, expected);
}

#[test]
fn bars_and_areas_are_told_with_their_sums() {
    assert_eq!(
        csv(&small_bars()),
        "# Bars\nPlan,Alpha (s),Beta (s),Sum (s)\none,1,3,4\ntwo,2,1,3\n"
    );
    assert_eq!(
        csv(&small_areas()),
        "# Areas\nTime (s),Low,High\n0,1,1\n1,1,2\n2,1,3\n"
    );
}

#[test]
fn what_stands_out_is_drawn_in_front_and_all_else_is_pale() {
    let mut figure = figures::scatter(60);
    let plain = svg(&figure, vec2(760.0, 400.0), &Theme::LIGHT);
    figure.highlighted.insert(3);
    let pale = svg(&figure, vec2(760.0, 400.0), &Theme::LIGHT);
    let blue = |document: &str| {
        document
            .lines()
            .filter(|line| line.starts_with("<circle") && line.contains("#0072b2"))
            .count()
    };
    assert!(20 < blue(&plain));
    assert_eq!(blue(&pale), 2, "one in the legend, one in the figure");
}

/// Two rows with three bars, one of which begins before what is shown.
fn two_rows() -> Figure {
    let bar = |from: f64, to: f64, name: &str, kind: usize| GanttBar {
        from,
        to,
        name: name.to_owned(),
        kind,
        ..GanttBar::default()
    };
    let row = |title: &str, bars: Vec<GanttBar>| GanttRow {
        title: title.to_owned(),
        bars,
        ..GanttRow::default()
    };
    let kind = |name: &str, series: usize| GanttKind {
        name: name.to_owned(),
        ink: Ink::Series(series),
        letter: None,
    };
    let gantt = Gantt {
        time: Axis::new("Time", Unit::Seconds).fixed(1.0, 3.0),
        rows: vec![
            row(
                "rank 0",
                vec![bar(0.5, 2.0, "gemm", 0), bar(2.0, 3.0, "send", 1)],
            ),
            row("rank 1", vec![bar(1.5, 1.5, "tiny", 0)]),
        ],
        kinds: vec![kind("compute", 0), kind("network", 1)],
        playhead: Some(2.5),
        ..Gantt::default()
    };
    Figure::new("Timeline", "span", gantt)
}

#[test]
fn bars_over_time_have_their_rows_names_and_kinds_on_paper() {
    let texts = texts(&svg(&two_rows(), vec2(640.0, 200.0), &Theme::LIGHT));
    for text in ["rank 0", "rank 1", "gemm", "compute", "network", "Time (s)"] {
        assert!(texts.iter().any(|of| of == text), "{text} in {texts:?}");
    }
    let text = csv(&two_rows());
    let rows: Vec<&str> = text.lines().collect();
    assert_eq!(
        rows,
        [
            "# Timeline",
            "Row,Name,Kind,Start (s),End (s),Spans",
            "rank 0,gemm,compute,0.5,2,1",
            "rank 0,send,network,2,3,1",
            "rank 1,tiny,compute,1.5,1.5,1",
        ]
    );
}

#[test]
fn a_drawing_of_boxes_is_read_as_the_table_of_its_lines() {
    let mut table = Table::new("Cables", vec![Column::text("From and to")]);
    table.rows = vec![Row::new(7, vec!["a to b".into()])];
    let at = |x: f32| Rect::from_min_size(pos2(x, 0.0), vec2(60.0, 28.0));
    let named = |x: f32, name: &str| DiagramBox {
        rect: at(x),
        names: vec![name.to_owned()],
        warns: false,
    };
    let diagram = Diagram {
        boxes: vec![named(0.0, "a"), named(200.0, "b")],
        lines: vec![DiagramLine {
            id: 7,
            ends: [pos2(60.0, 14.0), pos2(200.0, 14.0)],
            width: 3.0,
            ink: Ink::Load(0.9),
            dashed: false,
            label: "90 %".to_owned(),
        }],
        table,
        ..Diagram::default()
    };
    let figure = Figure::new("Graph", "link", diagram);
    let texts = texts(&document(&figure));
    for text in ["a", "b", "90 %"] {
        assert!(texts.iter().any(|of| of == text), "{text} in {texts:?}");
    }
    assert_eq!(csv(&figure), "# Graph\nFrom and to\na to b\n");
    assert_eq!(figure.name(), "Graph: Graph of 2 parts, 1 link");
}

#[test]
fn the_name_of_a_frame_is_written_over_the_lines_that_lead_into_it() {
    let named = |name: &str, rect| DiagramBox {
        rect,
        names: vec![name.to_owned()],
        warns: false,
    };
    let frame = Rect::from_min_max(pos2(0.0, 0.0), pos2(100.0, 100.0));
    let diagram = Diagram {
        frames: vec![named("group", frame)],
        lines: vec![DiagramLine {
            id: 0,
            ends: [pos2(-20.0, 8.0), pos2(80.0, 8.0)],
            width: 4.0,
            ink: Ink::Accent,
            dashed: false,
            label: String::new(),
        }],
        ..Diagram::default()
    };
    let document = document(&Figure::new("Graph", "link", diagram));
    let line = document.rfind("<path").or_else(|| document.rfind("<line"));
    let name = document.find("group</text>");
    assert!(line.unwrap() < name.unwrap(), "{document}");
}

#[test]
fn a_picture_of_few_bars_is_no_higher_than_they_are() {
    let bars = |n: u64| Bars {
        direction: Direction::Horizontal,
        groups: (0..n).map(|id| Group::new(id, "cause")).collect(),
        ..Bars::default()
    };
    let high = |n| Figure::new("Bars", "cause", bars(n)).picture().y;
    assert!(high(4) < 300.0 && high(4) < high(7), "{}", high(4));
    assert!(high(1_000) <= 552.0);
}
