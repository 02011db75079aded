//! Who decides what a lane runs next.

use task::Fragment;
use units::{LaneId, SimTime};

/// Hands in fragments as simulated time passes. Training hands in the actions of a schedule,
/// serving would decide the next step when the previous one has ended.
pub trait Driver {
    /// The next fragment of a lane, or `None` when it has no more for now. Asked whenever the
    /// lane works on fewer fragments than [`Options::window`](crate::Options::window).
    fn next(&mut self, lane: LaneId, now: SimTime) -> Option<Fragment>;

    /// Whether a lane that was handed everything, and has ended it, begins anew: it forgets its
    /// signals and is asked for fragments again.
    fn begins_anew(&mut self, lane: LaneId, now: SimTime) -> bool {
        let _ = (lane, now);
        false
    }

    /// Told when every step of a fragment has ended.
    fn finished(&mut self, lane: LaneId, fragment: &Fragment, now: SimTime) {
        let _ = (lane, fragment, now);
    }
}

/// The driver of runs whose order is known: every lane walks through the list of its program.
#[derive(Clone, Debug)]
pub struct Lists<'a> {
    fragments: &'a [Vec<Fragment>],
    list_of: Vec<u32>,
    cursors: Vec<u32>,
    /// Lanes from this one on walk through their lists again and again.
    repeating_from: usize,
}

impl<'a> Lists<'a> {
    /// A driver for lanes whose list is given by index.
    pub fn new(lists: &'a [Vec<Fragment>], list_of: Vec<u32>) -> Self {
        let cursors = vec![0; list_of.len()];
        Self {
            fragments: lists,
            list_of,
            cursors,
            repeating_from: usize::MAX,
        }
    }

    /// The same driver whose lanes from that one on begin anew whenever they have ended.
    #[must_use]
    pub const fn repeating_from(mut self, lane: usize) -> Self {
        self.repeating_from = lane;
        self
    }
}

impl Driver for Lists<'_> {
    fn next(&mut self, lane: LaneId, _now: SimTime) -> Option<Fragment> {
        let list = self
            .fragments
            .get(*self.list_of.get(lane.index())? as usize)?;
        let cursor = self.cursors.get_mut(lane.index())?;
        let fragment = list.get(*cursor as usize).copied();
        *cursor += u32::from(fragment.is_some());
        fragment
    }

    fn begins_anew(&mut self, lane: LaneId, _now: SimTime) -> bool {
        let lane = lane.index();
        let repeats = self.repeating_from <= lane && 0 < self.cursors[lane];
        if repeats {
            self.cursors[lane] = 0;
        }
        repeats
    }
}
