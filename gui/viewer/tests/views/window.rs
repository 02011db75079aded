//! The window as a whole: opening, editing, undoing, running, looking for commands.

use std::path::PathBuf;

use crate::common::{Person, SMALL};
use egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable as _;
use viewer::command::Command;
use viewer::dialogs::{Answering, Chosen, Typed};
use viewer::keep::Keeper;
use viewer::layout::Pane;
use viewer::overlay::Overlay;
use viewer::worker::{Mode, Slot};

/// A folder for the files of a test.
fn scratch(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("windtunnel-{}-{name}", std::process::id()));
    drop(std::fs::remove_dir_all(&folder));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

fn example_text(name: &str) -> String {
    session::Draft::example(name).unwrap().text().to_owned()
}

#[test]
fn an_example_opens_and_runs_with_a_click() {
    let mut person = Person::new();
    assert!(person.sees("Examples"));
    person.click_containing("Example Llama 3 8B");
    let state = person.state();
    assert!(state.document.is_some());
    assert!(
        state.results.current.is_some(),
        "{:?}",
        state.notices.texts()
    );
    assert!(person.sees("Iteration time"));
}

#[test]
fn the_palette_finds_a_command_by_its_words() {
    let mut person = Person::with_example(SMALL);
    person.press(Modifiers::COMMAND | Modifiers::SHIFT, Key::P);
    assert!(matches!(person.state().overlay, Overlay::Palette { .. }));
    person.type_text("light th");
    person.press(Modifiers::NONE, Key::Enter);
    assert_eq!(person.state().overlay, Overlay::None);
    assert_eq!(person.state().settings.theme, egui::ThemePreference::Light);
}

/// Looks for a command, and takes the first that is found.
fn take(person: &mut Person, words: &str) {
    person.press(Modifiers::COMMAND | Modifiers::SHIFT, Key::P);
    person.type_text(words);
    person.press(Modifiers::NONE, Key::Enter);
    assert_eq!(person.state().overlay, Overlay::None, "{words}");
}

#[test]
fn the_palette_has_what_views_do() {
    let mut person = Person::with_example(SMALL);
    take(&mut person, "group by node");
    let grouping = person.state().view.now().timeline.grouping;
    assert_eq!(grouping, timeline::Grouping::Node);
    take(&mut person, "show chain of causes");
    let view = &person.state().view.now().timeline;
    assert!(view.shows(timeline::Overlay::Chain));
    take(&mut person, "fold all");
    assert!(!person.state().view.now().timeline.folded.is_empty());
    take(&mut person, "compare policies");
    let view = person.state().view.now();
    assert!(view.topology.compare.is_some());
    assert_eq!(view.front, Pane::Topology);
    take(&mut person, "search plans");
    assert!(person.state().results.planner.searched.is_some());
    take(&mut person, "compare plans");
    assert_eq!(person.state().view.now().front, Pane::Planner);
    take(&mut person, "search names");
    assert!(person.harness.get_by_label("Search names").is_focused());
    take(&mut person, "open example spray");
    let name = person.state().draft().unwrap().name().to_owned();
    assert_eq!(name, "spray-vs-singlepath");
}

#[test]
fn recent_files_are_in_the_menu_and_in_the_palette() {
    let folder = scratch("recent");
    let file = folder.join("mine.toml");
    std::fs::write(&file, example_text(SMALL)).unwrap();
    let mut person = Person::new();
    person.send(Command::Open(file));
    person.send(Command::Close);
    person.click("File");
    person.click("Recent");
    person.click_containing("/mine.toml");
    assert!(person.state().document.is_some());
    person.send(Command::Close);
    take(&mut person, "recent mine");
    assert!(person.state().document.is_some());
}

#[test]
fn the_list_of_shortcuts_is_as_high_each_time_and_in_the_middle() {
    let mut person = Person::new();
    let mut bounds = || {
        person.press(Modifiers::NONE, Key::F1);
        let close = person.harness.get_by_label("Close shortcuts").rect();
        let head = person.harness.get_by_label("Keyboard and mouse").rect();
        person.press(Modifiers::NONE, Key::Escape);
        (head.top(), close.bottom())
    };
    let (first, second) = (bounds(), bounds());
    assert_eq!(first, second);
    let (above, below) = (first.0, 800.0 - first.1);
    assert!((above - below).abs() < 12.0, "{first:?}");
    assert!(500.0 < first.1 - first.0, "{first:?}");
}

#[test]
fn the_list_of_shortcuts_opens_by_its_key_and_closes_by_escape() {
    let mut person = Person::new();
    person.press(Modifiers::NONE, Key::F1);
    assert!(person.sees("Keyboard and mouse"));
    person.press(Modifiers::NONE, Key::Escape);
    assert!(!person.sees("Keyboard and mouse"));
}

#[test]
fn without_dialogs_a_path_is_typed() {
    let folder = scratch("typed");
    let file = folder.join("mine.toml");
    std::fs::write(&file, example_text(SMALL)).unwrap();
    let mut person = Person::new();
    person.press(Modifiers::COMMAND, Key::O);
    assert!(person.sees("No desktop portal answers"));
    person.type_text(&file.display().to_string());
    person.click("Open path");
    assert!(
        person.state().document.is_some(),
        "{:?}",
        person.state().notices.texts()
    );
    assert_eq!(person.state().settings.recent, [file]);
}

#[test]
fn a_typed_path_takes_the_place_of_the_folder_or_goes_on_from_it() {
    let folder = scratch("typed-again");
    let (first, second) = (folder.join("first.toml"), folder.join("second.toml"));
    for file in [&first, &second] {
        std::fs::write(file, example_text(SMALL)).unwrap();
    }
    let mut person = Person::new();
    person.send(Command::Open(first.clone()));
    let path = |person: &Person| {
        let edits = person.state().document.as_ref();
        edits.and_then(|edits| edits.now().path.clone())
    };
    for typed in [second.display().to_string(), "first.toml".to_owned()] {
        person.press(Modifiers::COMMAND, Key::O);
        person.type_text(&typed);
        person.press(Modifiers::NONE, Key::Enter);
        let open = path(&person).unwrap();
        assert!(
            open.ends_with(&typed) && open.starts_with(&folder),
            "{open:?}"
        );
    }
}

#[test]
fn a_file_that_only_ends_like_a_timeline_is_told_apart() {
    let folder = scratch("no-timeline");
    let file = folder.join("random.wtt");
    std::fs::write(&file, [0x9e, 0xff, 0x00, 0x13]).unwrap();
    let mut person = Person::new();
    person.send(Command::Open(file));
    let errors = person.state().notices.errors();
    assert!(
        errors[0].contains("no timeline of Windtunnel"),
        "{errors:?}"
    );
}

#[test]
fn a_scenario_with_errors_is_told_with_its_field_and_line() {
    let folder = scratch("wrong");
    let file = folder.join("wrong.toml");
    let text = example_text(SMALL).replace("global_batch = 128", "global_batch = \"many\"");
    std::fs::write(&file, text).unwrap();
    let mut person = Person::new();
    person.send(Command::Open(file));
    let errors = person.state().notices.errors().join(" ");
    for part in ["line ", "`training.global_batch` is", "from 1"] {
        assert!(errors.contains(part), "{errors}");
    }
    person.send(Command::Show(Pane::Timeline));
    assert!(person.sees("No run: the scenario has 1 error"));
}

#[test]
fn a_scenario_is_saved_where_the_dialog_says() {
    let folder = scratch("saved");
    let file = folder.join("copy.toml");
    let answer = Answering(Chosen::Path(file.clone()));
    let mut person = Person::with(Mode::Inline, answer, Keeper::nothing());
    person.send(Command::OpenExample(SMALL.to_owned()));
    person.press(Modifiers::COMMAND, Key::S);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), example_text(SMALL));
    assert!(!person.state().document.as_ref().unwrap().now().is_changed());
}

#[test]
fn what_cannot_be_opened_leaves_what_is_open_and_a_message() {
    let folder = scratch("broken");
    let corrupt = folder.join("corrupt.wtt");
    let mut bytes = b"WTT1".to_vec();
    bytes.extend([0xff; 300]);
    std::fs::write(&corrupt, &bytes).unwrap();
    let newer = folder.join("newer.toml");
    std::fs::write(&newer, "schema = 99\n").unwrap();
    let mut person = Person::with_example(SMALL);
    let open = person.state().document.as_ref().unwrap().now().clone();
    for file in [corrupt, folder.join("gone.toml"), folder.clone()] {
        person.send(Command::Open(file.clone()));
        let errors = person.state().notices.errors();
        assert!(!errors.is_empty(), "{}", file.display());
        assert_eq!(person.state().document.as_ref().unwrap().now(), &open);
        let name = file.file_name().unwrap().to_string_lossy();
        assert!(
            errors.iter().any(|error| error.contains(&*name)),
            "{errors:?}"
        );
    }
    person.send(Command::Open(newer));
    let checked = person.state().checked.as_ref().unwrap();
    assert!(checked.failures()[0].to_string().contains("schema 99"));
}

#[test]
fn a_file_that_is_deleted_while_it_is_open_can_be_saved_again() {
    let folder = scratch("deleted");
    let file = folder.join("mine.toml");
    std::fs::write(&file, example_text(SMALL)).unwrap();
    let mut person = Person::new();
    person.send(Command::Open(file.clone()));
    std::fs::remove_dir_all(&folder).unwrap();
    person.send(Command::Save);
    assert!(!person.state().notices.errors().is_empty());
    std::fs::create_dir_all(&folder).unwrap();
    person.send(Command::Save);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), example_text(SMALL));
}

#[test]
fn a_run_that_is_stopped_leaves_the_last_answer() {
    let mut person = Person::with(Mode::Held, Typed, Keeper::nothing());
    person
        .harness
        .state_mut()
        .send(Command::OpenExample(SMALL.to_owned()));
    person.harness.run_steps(2);
    assert!(person.sees("Simulating"));
    person.click("Stop run");
    person.harness.state_mut().worker().release();
    person.settle();
    assert!(person.state().results.current.is_none());
    assert!(
        person
            .harness
            .state_mut()
            .worker()
            .going()
            .get(&Slot::Run)
            .is_none()
    );
}

#[test]
fn the_session_comes_back_after_a_crash_and_not_after_a_goodbye() {
    let folder = scratch("session");
    let file = folder.join("window.json");
    let keeper = || Keeper::at(Some(file.clone()));
    let mut person = Person::with(Mode::Inline, Typed, keeper());
    person.send(Command::OpenExample(SMALL.to_owned()));
    person.send(Command::Show(Pane::Memory));
    // Two seconds of the window's clock.
    person.harness.run_steps(20);
    assert!(file.exists());
    drop(person);
    let back = Person::with(Mode::Inline, Typed, keeper());
    assert!(back.state().document.is_some());
    assert_eq!(back.state().view.now().front, Pane::Memory);
    assert!(back.sees("ended unexpectedly"));
    let mut app = back.harness.into_state();
    eframe::App::on_exit(&mut app);
    let fresh = Person::with(Mode::Inline, Typed, keeper());
    assert!(fresh.state().document.is_none());
}

/// Edits the open scenario.
fn edit(person: &mut Person) {
    person.send(Command::Scenario(viewer::views::scenario::Command::Set {
        field: "training.global_batch".to_owned(),
        value: "256".to_owned(),
    }));
    assert!(person.state().document.as_ref().unwrap().now().is_changed());
}

#[test]
fn edits_that_are_not_saved_are_not_lost_without_a_question() {
    const OTHER: &str = "llama3-70b-dgx-h100";
    let file = scratch("unsaved").join("mine.toml");
    let answer = Answering(Chosen::Path(file.clone()));
    let mut person = Person::with(Mode::Inline, answer, Keeper::nothing());
    person.send(Command::OpenExample(SMALL.to_owned()));
    edit(&mut person);
    let edited = person.state().draft().unwrap().clone();
    for command in [Command::Close, Command::OpenExample(OTHER.to_owned())] {
        person.send(command);
        assert!(person.sees("has unsaved edits"));
        person.click("Keep editing");
        assert_eq!(person.state().draft(), Some(&edited));
    }
    person.send(Command::OpenExample(OTHER.to_owned()));
    person.click("Save and go on");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), edited.text());
    assert_eq!(person.state().draft().unwrap().name(), OTHER);
    person.send(Command::OpenExample(SMALL.to_owned()));
    edit(&mut person);
    person.send(Command::Close);
    person.click("Discard edits");
    assert!(person.state().document.is_none());
    assert_eq!(person.state().overlay, Overlay::None);
}

#[test]
fn edits_that_are_not_saved_come_back_with_the_next_window() {
    let folder = scratch("goodbye");
    let keeper = || Keeper::within(&folder);
    let mut person = Person::with(Mode::Inline, Typed, keeper());
    person.send(Command::OpenExample(SMALL.to_owned()));
    edit(&mut person);
    let edited = person.state().draft().unwrap().text().to_owned();
    eframe::App::on_exit(&mut person.harness.into_state());
    let back = Person::with(Mode::Inline, Typed, keeper());
    assert_eq!(back.state().draft().unwrap().text(), edited);
    assert!(back.sees("edits that were not saved"));
    eframe::App::on_exit(&mut back.harness.into_state());
    // Where another file is opened they are put beside the session.
    let mut state = viewer::state::State::default();
    keeper().restore(&mut state, false);
    let aside = folder.join(format!("{SMALL}-unsaved.toml"));
    assert_eq!(std::fs::read_to_string(aside).unwrap(), edited);
}

#[test]
fn two_windows_keep_a_session_each() {
    let folder = scratch("windows");
    let mut first = Person::with(Mode::Inline, Typed, Keeper::within(&folder));
    first.send(Command::OpenExample(SMALL.to_owned()));
    first.harness.run_steps(20);
    let second = Person::with(Mode::Inline, Typed, Keeper::within(&folder));
    assert!(!second.sees("ended unexpectedly"));
    assert!(second.state().document.is_none());
    drop(second);
    // The one that crashes is the one that comes back.
    drop(first);
    let back = Person::with(Mode::Inline, Typed, Keeper::within(&folder));
    assert!(back.state().document.is_some());
}

#[test]
fn a_lost_device_loses_nothing() {
    let folder = scratch("lost");
    let file = folder.join("window.json");
    let keeper = || Keeper::at(Some(file.clone()));
    let mut person = Person::with(Mode::Inline, Typed, keeper());
    person.send(Command::OpenExample(SMALL.to_owned()));
    person.harness.state().lose_device();
    person.harness.run_steps(1);
    assert!(person.harness.state().is_lost());
    let back = Person::with(Mode::Inline, Typed, keeper());
    assert_eq!(back.state().draft().unwrap().text(), example_text(SMALL));
}

#[test]
fn a_session_that_cannot_be_read_is_put_aside() {
    let folder = scratch("unreadable");
    let file = folder.join("window.json");
    std::fs::write(&file, "{\"form\": 1, ").unwrap();
    let person = Person::with(Mode::Inline, Typed, Keeper::at(Some(file)));
    assert!(person.sees("could not be read"));
    assert!(folder.join("window.unreadable.json").exists());
}

#[test]
fn nothing_is_painted_while_nothing_happens() {
    let mut person = Person::with_example(SMALL);
    person.settle();
    let output = person.harness.output();
    let root = &output.viewport_output[&egui::ViewportId::ROOT];
    assert!(
        root.repaint_delay > std::time::Duration::from_secs(1),
        "{:?}",
        root.repaint_delay
    );
}

#[test]
fn the_numbers_are_those_of_the_engine_that_is_asked_for() {
    let mut person = Person::with_example(SMALL);
    person.send(Command::Scenario(viewer::views::scenario::Command::Set {
        field: "settings.engine".to_owned(),
        value: "\"estimate\"".to_owned(),
    }));
    person.send(Command::Run);
    let run = person.state().results.current.clone().unwrap();
    let shown = run.prediction().unwrap();
    let draft = person.state().draft().unwrap();
    let ready = draft.open().unwrap().ready().unwrap();
    let control = units::Control::new();
    let asked = ready.run(session::Record::Totals, &control).unwrap();
    assert_eq!(shown.engine, "estimate");
    assert_eq!(
        shown.iteration_time_s.to_bits(),
        asked.prediction.iteration_time_s.to_bits()
    );
    assert!(!run.trace.spans.is_empty());
    assert!(person.sees("engine estimate, timeline analytic"));
}
