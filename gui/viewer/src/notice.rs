//! Messages in the window.

use egui::{RichText, Ui};
use look::{Theme, space};

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Something was done.
    Info,
    /// Something is suspicious.
    Warning,
    /// Something could not be done.
    Error,
}

/// A message that stays until it is closed, or until the next one where it only says what was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// How bad it is.
    pub level: Level,
    /// What happened and what to do.
    pub text: String,
    id: u64,
}

/// The messages, the latest last.
#[derive(Clone, Debug, Default)]
pub struct Notices {
    list: Vec<Notice>,
    next: u64,
}

/// Messages that are shown at a time.
const MOST: usize = 4;

impl Notices {
    /// Says that something was done.
    pub fn info(&mut self, text: String) {
        self.push(Level::Info, text);
    }

    /// Says that something is suspicious.
    pub fn warn(&mut self, text: String) {
        self.push(Level::Warning, text);
    }

    /// Says that something could not be done.
    pub fn error(&mut self, text: String) {
        self.push(Level::Error, text);
    }

    fn push(&mut self, level: Level, text: String) {
        self.list
            .retain(|notice| notice.level != Level::Info && notice.text != text);
        if self.list.len() == MOST {
            self.list.remove(0);
        }
        self.next += 1;
        self.list.push(Notice {
            level,
            text,
            id: self.next,
        });
    }

    /// Takes a message away.
    pub fn close(&mut self, id: u64) {
        self.list.retain(|notice| notice.id != id);
    }

    /// Takes all messages away.
    pub fn clear(&mut self) {
        self.list.clear();
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// What those say that are errors.
    pub fn errors(&self) -> Vec<String> {
        let errors = self
            .list
            .iter()
            .filter(|notice| notice.level == Level::Error);
        errors.map(|notice| notice.text.clone()).collect()
    }

    /// What they say.
    pub fn texts(&self) -> Vec<String> {
        self.list.iter().map(|notice| notice.text.clone()).collect()
    }
}

/// The messages in a row under each other; gives those that were closed.
pub fn notices_ui(ui: &mut Ui, notices: &Notices) -> Vec<u64> {
    let theme = Theme::of(ui.ctx());
    let mut closed = Vec::new();
    for notice in &notices.list {
        let (color, word) = match notice.level {
            Level::Info => (theme.good, "Done"),
            Level::Warning => (theme.warn, "Warning"),
            Level::Error => (theme.bad, "Error"),
        };
        ui.horizontal(|ui| {
            let close = ui.small_button("×").on_hover_text("Close this message");
            close.widget_info(|| {
                egui::WidgetInfo::labeled(egui::Role::Button, true, "Close message")
            });
            if close.clicked() {
                closed.push(notice.id);
            }
            ui.label(RichText::new(word).color(color).strong());
            ui.add_space(space::SMALL);
            ui.add(egui::Label::new(&notice.text).wrap());
        });
    }
    closed
}
