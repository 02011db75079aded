//! What lies over the window: the command palette, the list of shortcuts, a path that is typed.

use std::path::PathBuf;

use egui::{Align2, Context, Id, Key, Modal, RichText, ScrollArea, TextEdit, Ui};
use look::{Theme, space};

use crate::command::{Command, actions};
use crate::dialogs::Question;
use crate::state::{State, Then};

/// What lies over the window.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Overlay {
    /// Nothing.
    #[default]
    None,
    /// All commands, filtered by what was typed.
    Palette {
        /// What was typed.
        query: String,
        /// The entry that Enter takes.
        at: usize,
    },
    /// All shortcuts.
    Shortcuts,
    /// Edits that are not saved, before something else takes their place.
    Unsaved(Box<Command>),
    /// A path instead of a dialog.
    TypedPath {
        /// What is asked.
        question: Question,
        /// What follows.
        then: Then,
        /// What was typed.
        text: String,
        /// Whether the field is still to get the focus, with all that is in it selected.
        is_fresh: bool,
    },
}

impl Overlay {
    /// Opens the palette, or closes it.
    pub fn toggle_palette(&mut self) {
        *self = match self {
            Self::Palette { .. } => Self::None,
            _ => Self::Palette {
                query: String::new(),
                at: 0,
            },
        };
    }

    /// Opens the list of shortcuts, or closes it.
    pub fn toggle_shortcuts(&mut self) {
        *self = match self {
            Self::Shortcuts => Self::None,
            _ => Self::Shortcuts,
        };
    }

    /// Asks for a path to be typed.
    pub fn typed_path(question: Question, then: Then) -> Self {
        let name = question.save_as.clone().unwrap_or_default();
        let path = match &question.folder {
            // Without a name it ends in a slash, behind which one is typed.
            Some(folder) => folder.join(name),
            None => PathBuf::from(name),
        };
        Self::TypedPath {
            text: path.display().to_string(),
            question,
            then,
            is_fresh: true,
        }
    }
}

/// What an overlay asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum Reply {
    /// A command; the overlay closes.
    Command(Box<Command>),
    /// A file.
    Path(Then, PathBuf),
    /// The overlay as it is now.
    Change(Overlay),
    /// The overlay closes.
    Close,
}

/// Draws what lies over the window.
pub fn overlay_ui(ctx: &Context, state: &State) -> Option<Reply> {
    let overlay = &state.overlay;
    if *overlay == Overlay::None {
        return None;
    }
    let modal = Modal::new(Id::unique("overlay"));
    let top = matches!(overlay, Overlay::Palette { .. });
    let modal = if top {
        let area = Modal::default_area(Id::unique("overlay"));
        Modal {
            area: area.anchor(Align2::CENTER_TOP, egui::vec2(0.0, 72.0)),
            ..modal
        }
    } else {
        modal
    };
    let shown = modal.show(ctx, |ui| match overlay {
        Overlay::None => None,
        Overlay::Palette { query, at } => palette_ui(ui, state, query, *at),
        Overlay::Shortcuts => shortcuts_ui(ui, state),
        Overlay::Unsaved(then) => unsaved_ui(ui, state, then),
        Overlay::TypedPath {
            question,
            then,
            text,
            is_fresh,
        } => path_ui(ui, (question, then), text, *is_fresh),
    });
    let closes = shown.should_close();
    shown.inner.or_else(|| closes.then_some(Reply::Close))
}

/// The height of the palette's list.
const LIST: f32 = 320.0;

fn palette_ui(ui: &mut Ui, state: &State, query: &str, at: usize) -> Option<Reply> {
    ui.set_width(460.0);
    let theme = Theme::of(ui.ctx());
    let mut text = query.to_owned();
    let field = ui.add(
        TextEdit::singleline(&mut text)
            .hint_text("Type a command")
            .desired_width(f32::INFINITY),
    );
    name(&field, "Search commands");
    field.request_focus();
    let words: Vec<String> = text
        .to_lowercase()
        .split_whitespace()
        .map(str::to_owned)
        .collect();
    let matches: Vec<_> = crate::palette::entries(state)
        .into_iter()
        .filter(|action| {
            let name = format!("{} {}", action.menu, action.name).to_lowercase();
            words.iter().all(|word| name.contains(word))
        })
        .collect();
    let last = matches.len().saturating_sub(1);
    let mut now = if text == query { at.min(last) } else { 0 };
    ui.input(|input| {
        if input.key_pressed(Key::ArrowDown) {
            now = (now + 1).min(last);
        }
        if input.key_pressed(Key::ArrowUp) {
            now = now.saturating_sub(1);
        }
    });
    let mut reply = None;
    ui.add_space(space::SMALL);
    let area = ScrollArea::vertical()
        .max_height(LIST)
        .min_scrolled_height(LIST);
    area.show(ui, |ui| {
        for (place, action) in matches.iter().enumerate() {
            let keys = action.keys.map(|keys| ui.ctx().format_shortcut(&keys));
            let label = egui::Button::selectable(place == now, action.name.as_ref())
                .truncate()
                .shortcut_text(keys.unwrap_or_default())
                .min_size(egui::vec2(ui.available_width(), 24.0));
            let row = ui.add_enabled(action.enabled, label);
            if place == now && (text != query || now != at) {
                row.scroll_to_me(None);
            }
            if row.clicked() {
                reply = Some(Reply::Command(Box::new(action.command.clone())));
            }
        }
        if matches.is_empty() {
            ui.label(RichText::new("No command is called that").color(theme.faint));
        }
    });
    if reply.is_none() && ui.input(|input| input.key_pressed(Key::Enter)) {
        let chosen = matches.get(now).filter(|action| action.enabled);
        reply = chosen.map(|action| Reply::Command(Box::new(action.command.clone())));
    }
    reply.or_else(|| {
        let changed = Overlay::Palette {
            query: text,
            at: now,
        };
        (changed != state.overlay).then_some(Reply::Change(changed))
    })
}

/// Keys and mouse of the timeline, which have no menu entry.
const GESTURES: [(&str, &str); 19] = [
    ("W  S", "Zoom in and out about the pointer"),
    ("A  D", "Pan; with Shift faster"),
    ("Ctrl + wheel, pinch", "Zoom about the pointer"),
    ("Wheel", "Scroll tracks"),
    ("Shift + wheel, middle drag", "Pan"),
    ("Click", "Select a span"),
    ("Drag", "Select a range"),
    ("F", "Fit the selection; again: the span"),
    ("Home", "The whole iteration"),
    (",  .", "Previous and next span in the track"),
    ("[  ]", "Follow an arrow back and forth"),
    ("M", "Mark the moment"),
    ("/", "Search"),
    ("Enter, Shift + Enter", "Next and previous hit"),
    ("Space", "Play and pause"),
    ("Esc", "Clear the selection"),
    ("Tab, Shift + Tab", "Next and previous control"),
    ("?", "This list"),
    ("Drop a file", "Open it"),
];

/// The width of the column of keys.
const KEYS: f32 = 220.0;

fn shortcuts_ui(ui: &mut Ui, state: &State) -> Option<Reply> {
    let theme = Theme::of(ui.ctx());
    ui.set_width(560.0);
    ui.heading("Keyboard and mouse");
    ui.add_space(space::MEDIUM);
    let height = ui.ctx().content_rect().height() * 0.7;
    // A height of its own: what a window gives is that of the last time.
    let list = ScrollArea::vertical()
        .max_height(height)
        .min_scrolled_height(height);
    list.auto_shrink([false, true]).show(ui, |ui| {
        egui::Grid::new("shortcuts")
            .num_columns(2)
            .min_col_width(KEYS)
            .striped(true)
            .show(ui, |ui| {
                let mut row = |keys: &str, what: &str| {
                    ui.label(RichText::new(keys).monospace());
                    ui.label(RichText::new(what).color(theme.text));
                    ui.end_row();
                };
                for (keys, what) in GESTURES {
                    row(keys, what);
                }
                for action in actions(state) {
                    if let Some(keys) = action.keys {
                        row(&keys_text(keys), &action.name);
                    }
                }
            });
    });
    ui.add_space(space::MEDIUM);
    ui.button("Close shortcuts")
        .clicked()
        .then_some(Reply::Close)
}

fn keys_text(keys: egui::KeyboardShortcut) -> String {
    let is_mac = cfg!(target_os = "macos");
    keys.format(&egui::ModifierNames::NAMES, is_mac)
}

/// Asks what becomes of edits before something else takes the place of the scenario.
fn unsaved_ui(ui: &mut Ui, state: &State, then: &Command) -> Option<Reply> {
    let theme = Theme::of(ui.ctx());
    ui.set_width(420.0);
    let name = state.draft().map_or("The scenario", |draft| draft.name());
    ui.heading(format!("{name} has unsaved edits"));
    let what = match then {
        Command::Close => "Closing it loses them.",
        _ => "Another scenario takes its place and they are lost.",
    };
    ui.label(RichText::new(what).color(theme.faint));
    ui.add_space(space::MEDIUM);
    let leave = |save| {
        let then = Box::new(then.clone());
        Some(Reply::Command(Box::new(Command::Leave { save, then })))
    };
    let mut reply = None;
    ui.horizontal(|ui| {
        let text = RichText::new("Save and go on").color(theme.on_accent);
        if ui.add(egui::Button::new(text).fill(theme.accent)).clicked() {
            reply = leave(true);
        }
        if ui.button("Discard edits").clicked() {
            reply = leave(false);
        }
        if ui.button("Keep editing").clicked() {
            reply = Some(Reply::Close);
        }
    });
    reply
}

fn path_ui(
    ui: &mut Ui,
    (question, then): (&Question, &Then),
    text: &str,
    is_fresh: bool,
) -> Option<Reply> {
    let theme = Theme::of(ui.ctx());
    ui.set_width(520.0);
    ui.heading(&question.title);
    ui.label(
        RichText::new("No desktop portal answers, so there is no file dialog. Type a path.")
            .color(theme.faint),
    );
    ui.add_space(space::MEDIUM);
    let mut typed = text.to_owned();
    let field = ui.add(TextEdit::singleline(&mut typed).desired_width(f32::INFINITY));
    name(&field, "Path");
    if is_fresh {
        field.request_focus();
        select_all(&field, &typed);
    }
    ui.add_space(space::MEDIUM);
    let entered = field.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
    let verb = if question.save_as.is_some() {
        "Save"
    } else {
        "Open"
    };
    let mut reply = None;
    ui.horizontal(|ui| {
        // What is not absolute lies where the question begins.
        let folder = question.folder.clone().unwrap_or_default();
        let path = folder.join(typed.trim());
        let some = !typed.trim().is_empty();
        let button = ui.add_enabled(some, egui::Button::new(format!("{verb} path")));
        if (button.clicked() || entered) && some {
            reply = Some(Reply::Path(then.clone(), path));
        }
        if ui.button("Cancel").clicked() {
            reply = Some(Reply::Close);
        }
    });
    reply.or_else(|| {
        (typed != text || is_fresh).then(|| {
            Reply::Change(Overlay::TypedPath {
                question: question.clone(),
                then: then.clone(),
                text: typed,
                is_fresh: false,
            })
        })
    })
}

/// Selects all text of a field, so that typing replaces it.
fn select_all(field: &egui::Response, text: &str) {
    use egui::text::{CCursor, CCursorRange};
    let end = CCursor::new(text.chars().count());
    let mut state = TextEdit::load_state(&field.ctx, field.id).unwrap_or_default();
    let all = CCursorRange::two(CCursor::default(), end);
    state.cursor.set_char_range(Some(all));
    state.store(&field.ctx, field.id);
}

/// Gives a text field a name for readers and tests.
pub fn name(response: &egui::Response, name: &str) {
    response.ctx.accesskit_node_builder(response.id, |node| {
        node.set_label(name);
    });
}
