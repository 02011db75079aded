//! The window as a whole: opening, editing, undoing, running, looking for commands.

use std::path::PathBuf;

use crate::common::{Person, SMALL};
use egui::{Key, Modifiers};
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
