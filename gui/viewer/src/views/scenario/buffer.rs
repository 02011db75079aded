//! What is typed into a field while it has the focus.

use egui::{Id, Ui};
use session::Draft;

/// What is typed: it stays as it is while it is edited, also where the scenario writes it otherwise.
#[derive(Clone, Debug, Default)]
pub(super) struct Buffer {
    /// What is shown.
    pub(super) text: String,
    /// The gesture that the edits belong to.
    pub(super) gesture: u64,
    /// The value in the scenario to which the text belongs.
    pub(super) seen: Option<String>,
    /// Why the text could not be taken, and by which scenario: until that changes the text stays.
    pub(super) refused: Option<(Draft, String)>,
}

impl Buffer {
    /// The text of a field that has the focus, unless its value was changed by something else.
    pub(super) fn load(ui: &Ui, id: Id, draft: &Draft, value: Option<&str>) -> Self {
        let kept: Option<Self> = ui.data(|data| data.get_temp(id));
        let stays = |kept: &Self| {
            let is_refused = kept.refused.as_ref().is_some_and(|(of, _)| of == draft);
            is_refused || kept.seen.as_deref() == value && ui.memory(|m| m.has_focus(id))
        };
        match kept {
            Some(kept) if stays(&kept) => kept,
            _ => Self {
                text: value.unwrap_or_default().to_owned(),
                gesture: gesture(ui),
                seen: value.map(str::to_owned),
                refused: None,
            },
        }
    }

    /// Keeps the text for the next frame.
    pub(super) fn keep(self, ui: &Ui, id: Id) {
        ui.data_mut(|data| data.insert_temp(id, self));
    }

    /// Forgets the text.
    pub(super) fn forget(ui: &Ui, id: Id) {
        ui.data_mut(|data| data.remove::<Self>(id));
    }
}

/// Why what stands in a field could not be taken.
pub(super) fn refused(ui: &Ui, id: Id, draft: &Draft) -> Option<String> {
    let kept: Buffer = ui.data(|data| data.get_temp(id))?;
    let (of, why) = kept.refused?;
    (of == *draft).then_some(why)
}

/// A number that no other gesture has.
pub(super) fn gesture(ui: &Ui) -> u64 {
    // Numbers below are those of gestures that are named in the code.
    const FIRST: u64 = 1 << 32;
    ui.data_mut(|data| {
        let id = Id::unique("gestures of the scenario");
        let next: &mut u64 = data.get_temp_mut_or(id, FIRST);
        *next += 1;
        *next
    })
}

/// What is brought into sight when it is drawn next.
const REVEALED: &str = "revealed in the scenario";

/// Asks for a field to take the focus when it is drawn.
pub(super) fn ask_focus(ui: &Ui, field: &str) {
    ui.data_mut(|data| data.insert_temp(Id::unique(REVEALED), field.to_owned()));
    ui.ctx().request_repaint();
}

/// Whether a field was asked to take the focus; it is asked once.
pub(super) fn takes_focus(ui: &Ui, field: &str) -> bool {
    let id = Id::unique(REVEALED);
    ui.data_mut(|data| {
        let is_asked = data.get_temp::<String>(id).is_some_and(|of| of == field);
        if is_asked {
            data.remove::<String>(id);
        }
        is_asked
    })
}
