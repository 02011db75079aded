//! What leaves the window: timeline, ledger and graph as figures, by their menus and by the palette.

use std::path::PathBuf;

use crate::common::{Person, SMALL};
use egui::{Key, Modifiers};
use viewer::command::Command;
use viewer::dialogs::{Answering, Chosen};
use viewer::keep::Keeper;
use viewer::layout::Pane;
use viewer::worker::Mode;

/// Somebody with the small example, whose dialogs always answer with one file.
fn saving(name: &str) -> (Person, PathBuf) {
    let folder = std::env::temp_dir().join(format!("windtunnel-{}-export", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join(name);
    let answer = Answering(Chosen::Path(file.clone()));
    let mut person = Person::with(Mode::Inline, answer, Keeper::nothing());
    person.send(Command::OpenExample(SMALL.to_owned()));
    (person, file)
}

/// What a menu's entry writes.
fn exported(pane: Pane, menu: &str, entry: &str, name: &str) -> String {
    let (mut person, file) = saving(name);
    person.send(Command::Show(pane));
    person.click(menu);
    person.click(entry);
    let text = std::fs::read_to_string(&file);
    text.unwrap_or_else(|error| panic!("{error}: {:?}", person.state().notices.texts()))
}

#[test]
fn the_timeline_is_saved_as_rows_of_spans() {
    let text = exported(
        Pane::Timeline,
        "Export Timeline",
        "Save as CSV…",
        "timeline.csv",
    );
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("# Timeline"));
    assert!(lines.next().unwrap().contains("engine"), "{text}");
    let header = lines.next().unwrap();
    assert!(
        header.starts_with("Row,Name,Kind,Start (s),End (s)"),
        "{header}"
    );
    let starts: Vec<f64> = lines
        .filter(|line| line.contains("stream compute"))
        .map(|line| {
            let mut cells = line
                .rsplit(',')
                .skip(usize::from(header.ends_with("Level")) + 2);
            cells.next().unwrap().parse().unwrap()
        })
        .collect();
    assert!(10 < starts.len(), "{text}");
    assert!(starts.iter().all(|start| (0.0..100.0).contains(start)));
}

#[test]
fn the_timeline_is_saved_as_a_drawing_with_its_caption() {
    let text = exported(
        Pane::Timeline,
        "Export Timeline",
        "Save as SVG…",
        "timeline.svg",
    );
    assert!(text.starts_with("<svg"));
    for part in ["Stage 0", "on the critical path", "Time (s)", "Windtunnel"] {
        assert!(text.contains(part), "{part}");
    }
}

#[test]
fn the_ledger_is_saved_as_seconds_by_cause() {
    let text = exported(
        Pane::Ledger,
        "Export Critical path",
        "Save as CSV…",
        "ledger.csv",
    );
    let rows: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(rows[0], "Cause,Time on the critical path (s)");
    assert!(1 < rows.len(), "{text}");
}

#[test]
fn the_graph_is_saved_as_boxes_and_as_its_cables() {
    let drawing = exported(
        Pane::Topology,
        "Export Topology",
        "Save as SVG…",
        "topology.svg",
    );
    for part in ["<svg", "n0", "heavy, below 90 %"] {
        assert!(drawing.contains(part), "{part}");
    }
    let cables = exported(
        Pane::Topology,
        "Export Topology",
        "Save as CSV…",
        "topology.csv",
    );
    assert!(cables.contains("From and to,Links,Fullest"), "{cables}");
}

#[test]
fn the_palette_exports_too() {
    let (mut person, file) = saving("palette.csv");
    person.press(Modifiers::COMMAND | Modifiers::SHIFT, Key::P);
    person.type_text("critical path save as csv");
    person.press(Modifiers::NONE, Key::Enter);
    let text = std::fs::read_to_string(file).unwrap();
    assert!(text.contains("Cause,"), "{text}");
}

#[test]
fn each_of_several_exports_is_asked_for_its_path() {
    use viewer::{dialogs::Typed, export::Subject, overlay::Overlay, views::figure::Form};
    let mut person = Person::with(Mode::Inline, Typed, Keeper::nothing());
    person.send(Command::OpenExample(SMALL.to_owned()));
    for (subject, form) in [
        (Subject::Timeline, Form::SaveCsv),
        (Subject::Timeline, Form::SaveSvg),
        (Subject::Ledger, Form::SaveCsv),
    ] {
        let app = person.harness.state_mut();
        app.send(Command::Draw(subject, form));
    }
    person.settle();
    let mut names = Vec::new();
    while let Overlay::TypedPath { text, .. } = &person.state().overlay {
        names.push(text.clone());
        person.press(Modifiers::NONE, Key::Escape);
    }
    assert_eq!(
        names,
        ["timeline.csv", "timeline.svg", "critical-path-9-363-s.csv"]
    );
}
