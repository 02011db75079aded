//! What can be done to a view.

use serde::{Deserialize, Serialize};
use trace::SpanId;
use units::SimTime;

use crate::camera::Camera;
use crate::key::{Fold, Grouping, TrackKey};
use crate::timeline::Timeline;
use crate::view::{LedgerLine, Overlay, ROW_HEIGHT, Selection, Table, TimelineView};

/// The next or the previous one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Step {
    /// The next.
    Next,
    /// The previous.
    Previous,
}

/// What can be done to a view; menu, palette, shortcut, pointer and test send the same.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum TimelineCommand {
    /// Show this window of time.
    Look(Camera),
    /// Show a time that is so many times shorter, with one moment at the same place; about the
    /// middle where none is given.
    Zoom {
        /// The moment.
        about: Option<SimTime>,
        /// Above 1 zooms in.
        factor: f64,
    },
    /// Move by a share of the window; to the right where that is positive.
    Pan(f64),
    /// Show the whole run.
    Home,
    /// Show the selection with its surroundings; where that is seen already, fill the window
    /// with it.
    Fit,
    /// Scroll the lanes to so many points from their top.
    Scroll(f32),
    /// Give rows of spans a height in points.
    RowHeight(f32),
    /// Fold or unfold.
    ToggleFold(Fold),
    /// Fold all groups and lanes to a row each.
    FoldAll,
    /// Unfold all.
    UnfoldAll,
    /// Keep a track at the top, or no longer.
    TogglePin(TrackKey),
    /// Show only tracks whose title contains all words of a text.
    Filter(String),
    /// Group lanes.
    Group(Grouping),
    /// Select.
    Select(Selection),
    /// Select a span and bring it into the window.
    Reveal(SpanId),
    /// Of two runs: select a span of the other one and bring it into the window.
    RevealOther(SpanId),
    /// Select the neighbor of the selected span on its track.
    Neighbor(Step),
    /// Select what released the selected span.
    Cause,
    /// Select what the selected span released: the one on the critical path, or the first.
    Effect,
    /// Search names.
    Search(String),
    /// Select the next or the previous hit.
    Hit(Step),
    /// Select the next or the previous span of the selected line of the ledger, or of the
    /// critical path where none is selected.
    Critical(Step),
    /// Highlight the spans of a line of the ledger, or of none.
    Ledger(Option<LedgerLine>),
    /// List something else in the table.
    List(Table),
    /// Move the playhead.
    Playhead(SimTime),
    /// Mark a moment, or remove its mark.
    ToggleMark(SimTime),
    /// Remove all marks.
    ClearMarks,
    /// Show or hide an overlay.
    Toggle(Overlay),
    /// Play or pause: for the owner of the clock; the view stays as it is.
    TogglePlay,
    /// Give the field for searching the focus: for the owner of the window; the view stays as it is.
    FocusSearch,
}

impl TimelineView {
    /// Does what a command says. It depends on nothing but its arguments.
    pub fn apply(&mut self, timeline: &Timeline, command: &TimelineCommand) {
        self.apply_until(timeline, timeline.end(), command);
    }

    /// The same where the window of time may reach beyond the end of the run.
    pub(crate) fn apply_until(
        &mut self,
        timeline: &Timeline,
        end: SimTime,
        command: &TimelineCommand,
    ) {
        use TimelineCommand as C;
        match command {
            C::Look(camera) => {
                self.camera = Camera::new(camera.start().as_picos(), camera.span(), end);
            }
            C::Zoom { about, factor } => {
                let about = about.unwrap_or_else(|| self.camera.time_at(0.5));
                self.camera = self.camera.zoomed(about, *factor, end);
            }
            C::Pan(share) => self.camera = self.camera.panned(*share, end),
            C::Home => self.camera = Camera::whole(end),
            C::Fit => self.fit(timeline, end),
            C::Scroll(points) => self.scroll = points.max(0.0),
            C::RowHeight(points) => {
                self.row_height = points.clamp(*ROW_HEIGHT.start(), *ROW_HEIGHT.end());
            }
            C::ToggleFold(fold) => toggle(&mut self.folded, *fold),
            C::FoldAll => self.fold_all(timeline),
            C::UnfoldAll => self.folded.clear(),
            C::TogglePin(track) => self.toggle_pin(*track),
            C::Filter(text) => self.filter.clone_from(text),
            C::Group(grouping) => self.grouping = *grouping,
            C::Select(selection) => self.selection = selection.clone(),
            C::Reveal(id) => self.reveal(timeline, end, Some(*id)),
            C::Neighbor(_) | C::Cause | C::Effect | C::Hit(_) | C::Critical(_) => {
                let next = self.target(timeline, command);
                self.reveal(timeline, end, next);
            }
            C::Search(text) => self.search.clone_from(text),
            C::Ledger(line) => self.ledger = *line,
            C::List(table) => self.table = *table,
            C::Playhead(time) => self.playhead = Some((*time).min(end)),
            C::ToggleMark(time) => toggle(&mut self.marks, *time),
            C::ClearMarks => self.marks.clear(),
            C::Toggle(overlay) => toggle(&mut self.shown, *overlay),
            C::TogglePlay | C::FocusSearch | C::RevealOther(_) => {}
        }
    }

    /// The span that a step leads to.
    fn target(&self, timeline: &Timeline, command: &TimelineCommand) -> Option<SpanId> {
        use TimelineCommand as C;
        let here = self.selection.span();
        match command {
            C::Neighbor(step) => timeline.neighbor(here?, *step == Step::Next),
            C::Cause => timeline.cause(here?),
            C::Effect => {
                let effects = timeline.effects(here?);
                let on_path = effects.iter().find(|&&id| timeline.is_critical(id));
                let first = effects
                    .iter()
                    .min_by_key(|&&id| timeline.span(id).map(|s| s.start));
                on_path.or(first).copied()
            }
            C::Hit(step) => {
                let found = timeline.names().find(&self.search);
                let names = timeline.names();
                names.next(&found, here, *step == Step::Next)
            }
            C::Critical(step) => crate::ledger::step(timeline, self.ledger, here, *step),
            _ => None,
        }
    }

    /// What was looked at until one end, until another: the whole stays the whole, and the rest is cut.
    pub fn move_to(&mut self, before: Option<SimTime>, end: SimTime) {
        let was_whole = before.is_some_and(|before| self.camera == Camera::whole(before));
        self.camera = if was_whole {
            Camera::whole(end)
        } else {
            Camera::new(self.camera.start().as_picos(), self.camera.span(), end)
        };
        self.playhead = self.playhead.map(|time| time.min(end));
        self.marks.retain(|mark| *mark <= end);
    }

    fn fit(&mut self, timeline: &Timeline, end: SimTime) {
        let Some(stretch) = self.selection.stretch(timeline) else {
            return;
        };
        let loose = Camera::around(stretch.clone(), 0.25, end);
        self.camera = match self.selection {
            Selection::Span(_) if self.camera != loose => loose,
            _ => Camera::around(stretch, 1.0, end),
        };
    }

    fn reveal(&mut self, timeline: &Timeline, end: SimTime, id: Option<SpanId>) {
        let Some((id, span)) = id.and_then(|id| Some((id, timeline.span(id)?))) else {
            return;
        };
        self.selection = Selection::Span(id);
        self.camera = self.camera.revealing(span.start..span.end, end);
    }

    fn fold_all(&mut self, timeline: &Timeline) {
        let lanes = crate::round::index(timeline.trace().lanes.len());
        self.folded = (0..lanes).map(Fold::Lane).collect();
        let groups = timeline.groups(self.grouping);
        self.folded.extend(groups.iter().map(|group| group.fold));
    }

    fn toggle_pin(&mut self, track: TrackKey) {
        match self.pinned.iter().position(|&pinned| pinned == track) {
            Some(at) => {
                self.pinned.remove(at);
            }
            None => self.pinned.push(track),
        }
    }
}

fn toggle<T: Ord + Copy>(set: &mut std::collections::BTreeSet<T>, item: T) {
    if !set.remove(&item) {
        set.insert(item);
    }
}
