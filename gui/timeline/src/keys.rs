//! Keys, by their place on the keyboard.

use egui::{Event, EventFilter, Id, Key, Modifiers, Response, Ui};

use crate::command::{Step, TimelineCommand};
use crate::frame::Frame;
use crate::view::{Selection, TimelineView};

/// Share of the window that one press pans.
const PAN: f64 = 0.12;
/// How much one press zooms.
const ZOOM: f64 = 1.3;
/// How much one press zooms with Shift.
const FAST_ZOOM: f64 = ZOOM * ZOOM * ZOOM;

/// The id of the field for searching, wherever it stands.
pub fn search_field_id() -> Id {
    Id::unique("timeline search field")
}

/// What the keys of this frame ask for: nothing while a text field has the focus.
pub(crate) fn keys(
    ui: &Ui,
    frame: &Frame<'_>,
    lanes: &Response,
    commands: &mut Vec<TimelineCommand>,
) {
    let (typing, typed) = (ui.ctx().text_edit_focused(), was_typing(ui));
    if typing || !ui.is_enabled() {
        return;
    }
    let focused = ui.memory(egui::Memory::focused);
    let free = focused.is_none_or(|id| id == lanes.id);
    if lanes.has_focus() {
        // Arrows move the window of time and not the focus.
        let filter = EventFilter {
            horizontal_arrows: true,
            vertical_arrows: true,
            escape: true,
            tab: false,
        };
        ui.memory_mut(|memory| memory.set_focus_lock_filter(lanes.id, filter));
    }
    let (events, pointer) = ui.input(|input| (input.events.clone(), input.pointer.hover_pos()));
    let about = pointer
        .filter(|pos| frame.lanes.contains(*pos))
        .map(|pos| frame.time(pos.x));
    for event in events {
        let Event::Key {
            key,
            physical_key,
            pressed: true,
            modifiers,
            ..
        } = event
        else {
            continue;
        };
        if modifiers.command || modifiers.ctrl || modifiers.alt {
            continue;
        }
        // It has taken the focus out of a text field before anybody is asked, and that is all.
        if key == Key::Escape && typed {
            continue;
        }
        let place = physical_key.unwrap_or(key);
        let command = letter(frame, place, modifiers, about)
            .or_else(|| sign(frame, key, place, modifiers, about))
            .or_else(|| free.then(|| arrow(frame, key, modifiers)).flatten());
        if command == Some(TimelineCommand::FocusSearch) {
            ui.memory_mut(|memory| memory.request_focus(search_field_id()));
        }
        commands.extend(command);
    }
}

/// Whether a text field had the focus in the frame before; keeps what holds in this one.
fn was_typing(ui: &Ui) -> bool {
    let id = Id::unique("timeline keys while typing");
    let now = ui.ctx().text_edit_focused();
    ui.data_mut(|data| std::mem::replace(data.get_temp_mut_or_default::<bool>(id), now))
}

/// What Escape gives up: the selection, then the line of the ledger that is highlighted.
fn given_up(view: &TimelineView) -> TimelineCommand {
    if view.selection == Selection::None && view.ledger.is_some() {
        TimelineCommand::Ledger(None)
    } else {
        TimelineCommand::Select(Selection::None)
    }
}

/// W and S zoom, A and D pan, F fits, M marks.
fn letter(
    frame: &Frame<'_>,
    key: Key,
    modifiers: Modifiers,
    about: Option<units::SimTime>,
) -> Option<TimelineCommand> {
    let fast = if modifiers.shift { 3.0 } else { 1.0 };
    let factor = if modifiers.shift { FAST_ZOOM } else { ZOOM };
    let zoom = |factor: f64| TimelineCommand::Zoom { about, factor };
    Some(match key {
        Key::W => zoom(factor),
        Key::S => zoom(factor.recip()),
        Key::A => TimelineCommand::Pan(-PAN * fast),
        Key::D => TimelineCommand::Pan(PAN * fast),
        Key::F => TimelineCommand::Fit,
        Key::M => {
            let middle = frame
                .view
                .playhead
                .unwrap_or(frame.view.camera.time_at(0.5));
            TimelineCommand::ToggleMark(about.unwrap_or(middle))
        }
        Key::Home => TimelineCommand::Home,
        Key::Escape => given_up(frame.view),
        _ => return None,
    })
}

/// Keys that are known by what is written on them.
fn sign(
    frame: &Frame<'_>,
    key: Key,
    place: Key,
    modifiers: Modifiers,
    about: Option<units::SimTime>,
) -> Option<TimelineCommand> {
    let step = if modifiers.shift {
        Step::Previous
    } else {
        Step::Next
    };
    let searching = !frame.view.search.trim().is_empty();
    Some(match (key, place) {
        (Key::Slash, _) => TimelineCommand::FocusSearch,
        (Key::Comma, _) | (_, Key::Comma) => TimelineCommand::Neighbor(Step::Previous),
        (Key::Period, _) | (_, Key::Period) => TimelineCommand::Neighbor(Step::Next),
        (Key::OpenBracket, _) | (_, Key::OpenBracket) => TimelineCommand::Cause,
        (Key::CloseBracket, _) | (_, Key::CloseBracket) => TimelineCommand::Effect,
        (Key::Plus | Key::Equals, _) => TimelineCommand::Zoom {
            about,
            factor: ZOOM,
        },
        (Key::Minus, _) => TimelineCommand::Zoom {
            about,
            factor: ZOOM.recip(),
        },
        (Key::F3, _) if searching => TimelineCommand::Hit(step),
        _ => return None,
    })
}

/// Keys that move the focus or press buttons elsewhere.
fn arrow(frame: &Frame<'_>, key: Key, modifiers: Modifiers) -> Option<TimelineCommand> {
    let fast = if modifiers.shift { 3.0 } else { 1.0 };
    let scroll = |by: f32| {
        let to = (frame.scroll + by).clamp(0.0, frame.most_scroll());
        TimelineCommand::Scroll(to)
    };
    let page = frame.scrolled.height() * 0.9;
    Some(match key {
        Key::ArrowLeft => TimelineCommand::Pan(-PAN * fast),
        Key::ArrowRight => TimelineCommand::Pan(PAN * fast),
        Key::ArrowUp => scroll(if modifiers.shift { -120.0 } else { -40.0 }),
        Key::ArrowDown => scroll(if modifiers.shift { 120.0 } else { 40.0 }),
        Key::PageUp => scroll(-page),
        Key::PageDown => scroll(page),
        Key::Space => TimelineCommand::TogglePlay,
        _ => return None,
    })
}
