//! What a person can ask for, and how: menus, palette and shortcuts are made from one list.

use std::borrow::Cow;
use std::path::PathBuf;

use egui::{Key, KeyboardShortcut, Modifiers, ThemePreference};

use crate::export::Subject;
use crate::layout::{Layout, Pane};
use crate::state::State;
use crate::views::figure::Form;
use crate::views::{accuracy, memory, planner, scenario, timeline, topology, what_if};
use crate::worker::Slot;

/// What a person can ask for.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Open a file that a dialog chooses.
    AskOpen,
    /// Open a file: a scenario, a folder with one, a timeline.
    Open(PathBuf),
    /// Open an example.
    OpenExample(String),
    /// Go back to the start page.
    Close,
    /// Close the window; edits that are not saved come back with the next one.
    Quit,
    /// Save the scenario where it is from.
    Save,
    /// Save the scenario where a dialog says.
    AskSaveAs,
    /// Save the scenario to a file.
    SaveTo(PathBuf),
    /// Go on though a scenario with edits that are not saved is replaced.
    Leave {
        /// Whether it is saved first.
        save: bool,
        /// What replaces it.
        then: Box<Self>,
    },
    /// Take back the last edit.
    Undo,
    /// Make the last edit again.
    Redo,
    /// Go back to the last view.
    UndoView,
    /// Go forward to the next view.
    RedoView,
    /// Run the scenario.
    Run,
    /// Stop work.
    Cancel(Slot),
    /// Compare with the run that is shown now.
    KeepAsBase,
    /// Compare with the scenario as it was opened.
    CompareWithOriginal,
    /// Compare with nothing.
    ForgetBase,
    /// Bring a pane to the front.
    Show(Pane),
    /// The panes were moved.
    Layout(Layout),
    /// Put all panes where they were in the beginning.
    ResetLayout,
    /// Colors.
    SetTheme(ThemePreference),
    /// Size of everything, in percent.
    SetZoom(u16),
    /// Fewer things that move.
    SetReducedMotion(bool),
    /// Search all commands.
    TogglePalette,
    /// The list of shortcuts.
    ToggleShortcuts,
    /// Bring a pane to the front, and do something in it.
    In(Pane, Box<Self>),
    /// Give the field that searches the timeline the focus.
    SearchTimeline,
    /// Close what lies over the window.
    CloseOverlay,
    /// Put text on the clipboard.
    Copy(String),
    /// Put a chart as a picture on the clipboard.
    CopyPicture(Box<chart::Figure>),
    /// Write text or bytes to a file that a dialog chooses.
    Export(Export),
    /// Make a figure of what is drawn otherwise, and bring it out.
    Draw(Subject, Form),
    /// Close a message.
    CloseNotice(u64),
    /// Edits of the scenario.
    Scenario(scenario::Command),
    /// What the timeline does.
    Timeline(timeline::Command),
    /// What the topology does.
    Topology(topology::Command),
    /// What the planner does.
    Planner(planner::Command),
    /// What the memory view does.
    Memory(memory::Command),
    /// What the accuracy view does.
    Accuracy(accuracy::Command),
    /// What the sliders do.
    WhatIf(what_if::Command),
}

/// A file that is ready to be written.
#[derive(Clone, Debug, PartialEq)]
pub struct Export {
    /// The name that is proposed.
    pub name: String,
    /// What is in it.
    pub content: Content,
}

/// What is in a file.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    /// Text, such as SVG and CSV.
    Text(String),
    /// A chart as a picture, drawn when it is written.
    Picture(Box<chart::Figure>),
}

/// A command with a name: an entry of menus and of the palette.
#[derive(Clone, Debug)]
pub struct Action {
    /// The menu.
    pub menu: &'static str,
    /// What it is called.
    pub name: Cow<'static, str>,
    /// The keys.
    pub keys: Option<KeyboardShortcut>,
    /// What it sends.
    pub command: Command,
    /// Whether it can be done now.
    pub enabled: bool,
}

impl Action {
    /// Whether it is what is set now, of several that could be.
    pub fn is_now(&self, state: &State) -> bool {
        matches!(self.command, Command::SetTheme(theme) if theme == state.settings.theme)
    }
}

const CTRL: Modifiers = Modifiers::COMMAND;
const CTRL_SHIFT: Modifiers = Modifiers::COMMAND.plus(Modifiers::SHIFT);
const ALT: Modifiers = Modifiers::ALT;

#[expect(
    clippy::unnecessary_wraps,
    reason = "entries of the list have keys or none"
)]
const fn keys(modifiers: Modifiers, key: Key) -> Option<KeyboardShortcut> {
    Some(KeyboardShortcut::new(modifiers, key))
}

/// Every command with a name, in the order of the menus.
#[expect(
    clippy::too_many_lines,
    reason = "a list in the order of the menus, an entry a line"
)]
pub fn actions(state: &State) -> Vec<Action> {
    let mut list = Vec::new();
    let mut add = |menu, name: &'static str, keys, command, enabled| {
        list.push(Action {
            menu,
            name: name.into(),
            keys,
            command,
            enabled,
        });
    };
    let document = state.document.as_ref();
    let has_run = state.results.current.is_some();
    let is_open = document.is_some() || has_run;
    add("File", "Open…", keys(CTRL, Key::O), Command::AskOpen, true);
    add(
        "File",
        "Save",
        keys(CTRL, Key::S),
        Command::Save,
        document.is_some(),
    );
    add(
        "File",
        "Save as…",
        keys(CTRL_SHIFT, Key::S),
        Command::AskSaveAs,
        document.is_some(),
    );
    add("File", "Close", keys(CTRL, Key::W), Command::Close, is_open);
    add("File", "Quit", keys(CTRL, Key::Q), Command::Quit, true);
    let can = |can: fn(&crate::state::Edits) -> bool| document.is_some_and(can);
    add(
        "Edit",
        "Undo edit",
        keys(CTRL, Key::Z),
        Command::Undo,
        can(crate::state::Edits::can_undo),
    );
    add(
        "Edit",
        "Redo edit",
        keys(CTRL_SHIFT, Key::Z),
        Command::Redo,
        can(crate::state::Edits::can_redo),
    );
    add(
        "Run",
        "Run",
        keys(Modifiers::NONE, Key::F5),
        Command::Run,
        document.is_some(),
    );
    add(
        "Run",
        "Stop",
        keys(Modifiers::SHIFT, Key::F5),
        Command::Cancel(Slot::Run),
        state.running.is_some(),
    );
    add(
        "Run",
        "Compare with this run",
        keys(CTRL, Key::B),
        Command::KeepAsBase,
        has_run,
    );
    add(
        "Run",
        "Compare with the original",
        None,
        Command::CompareWithOriginal,
        document.is_some(),
    );
    add(
        "Run",
        "Compare with nothing",
        None,
        Command::ForgetBase,
        state.results.base.is_some(),
    );
    for (place, pane) in Pane::ALL.into_iter().enumerate() {
        const DIGITS: [Key; 9] = [
            Key::Num1,
            Key::Num2,
            Key::Num3,
            Key::Num4,
            Key::Num5,
            Key::Num6,
            Key::Num7,
            Key::Num8,
            Key::Num9,
        ];
        let digit = DIGITS.get(place).and_then(|digit| keys(CTRL, *digit));
        add("View", pane.title(), digit, Command::Show(pane), is_open);
    }
    add(
        "View",
        "Previous view",
        keys(ALT, Key::ArrowLeft),
        Command::UndoView,
        state.view.can_undo(),
    );
    add(
        "View",
        "Next view",
        keys(ALT, Key::ArrowRight),
        Command::RedoView,
        state.view.can_redo(),
    );
    add("View", "Reset the layout", None, Command::ResetLayout, true);
    let themes = [
        ("Theme of the system", ThemePreference::System),
        ("Dark theme", ThemePreference::Dark),
        ("Light theme", ThemePreference::Light),
    ];
    for (name, theme) in themes {
        add("View", name, None, Command::SetTheme(theme), true);
    }
    let zoom = state.settings.zoom;
    add(
        "View",
        "Larger",
        keys(CTRL, Key::Plus),
        Command::SetZoom(zoom.saturating_add(25)),
        zoom < 300,
    );
    add(
        "View",
        "Smaller",
        keys(CTRL, Key::Minus),
        Command::SetZoom(zoom.saturating_sub(25)),
        75 < zoom,
    );
    add(
        "View",
        "Normal size",
        keys(CTRL, Key::Num0),
        Command::SetZoom(100),
        zoom != 100,
    );
    let calm = state.settings.reduced_motion;
    let name = if calm {
        "Allow motion"
    } else {
        "Reduce motion"
    };
    add("View", name, None, Command::SetReducedMotion(!calm), true);
    add(
        "Help",
        "Command palette",
        keys(CTRL_SHIFT, Key::P),
        Command::TogglePalette,
        true,
    );
    add(
        "Help",
        "Keyboard shortcuts",
        keys(Modifiers::NONE, Key::F1),
        Command::ToggleShortcuts,
        true,
    );
    list
}

/// The commands whose keys were pressed. Keys without a modifier count only while no text is edited.
pub fn pressed(ctx: &egui::Context, state: &State) -> Vec<Command> {
    let types = ctx.egui_wants_keyboard_input();
    let actions = actions(state).into_iter().filter(|action| action.enabled);
    // Those with more modifiers first: Ctrl+Shift+Z is not Ctrl+Z.
    let mut actions: Vec<Action> = actions.filter(|action| action.keys.is_some()).collect();
    actions.sort_by_key(|action| {
        let shift = action.keys.is_some_and(|keys| keys.modifiers.shift);
        !shift
    });
    let mut commands = Vec::new();
    for action in actions {
        let Some(keys) = action.keys else { continue };
        let plain = keys.modifiers == Modifiers::NONE && !is_function(keys.logical_key);
        // Text fields have an undo of their own.
        let text_has_own = matches!(action.command, Command::Undo | Command::Redo);
        if types && (plain || text_has_own) {
            continue;
        }
        if ctx.input_mut(|input| input.consume_shortcut(&keys)) {
            commands.push(action.command);
        }
    }
    let asks_help = |input: &egui::InputState| {
        input
            .events
            .iter()
            .any(|event| matches!(event, egui::Event::Text(text) if text == "?"))
    };
    if !types && ctx.input(asks_help) {
        commands.push(Command::ToggleShortcuts);
    }
    commands
}

const fn is_function(key: Key) -> bool {
    matches!(key, Key::F1 | Key::F5)
}
