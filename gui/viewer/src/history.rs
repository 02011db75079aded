//! Undo and redo of a value.

/// Snapshots that are kept: older ones are forgotten.
const MOST: usize = 100;

/// A value with what it was and what it may become again.
///
/// Values are small or share their parts, so that a snapshot costs little.
#[derive(Clone, Debug)]
pub struct History<T> {
    now: T,
    before: Vec<T>,
    after: Vec<T>,
    /// Whether the last change may still grow: a drag is one entry.
    open: Option<u64>,
}

impl<T: Clone + PartialEq> History<T> {
    /// A value without a past.
    pub const fn new(now: T) -> Self {
        Self {
            now,
            before: Vec::new(),
            after: Vec::new(),
            open: None,
        }
    }

    /// The value.
    pub const fn now(&self) -> &T {
        &self.now
    }

    /// Changes the value; nothing happens where it stays the same.
    pub fn set(&mut self, value: T) {
        self.open = None;
        self.push(value);
    }

    /// Changes the value as part of a gesture: all changes of one gesture in a row are one entry.
    ///
    /// * `gesture` — what stays the same until the pointer is let go.
    pub fn set_within(&mut self, gesture: u64, value: T) {
        if self.open == Some(gesture) {
            self.now = value;
            self.after.clear();
        } else {
            self.push(value);
            self.open = Some(gesture);
        }
    }

    fn push(&mut self, value: T) {
        if value == self.now {
            return;
        }
        if self.before.len() == MOST {
            self.before.remove(0);
        }
        self.before.push(std::mem::replace(&mut self.now, value));
        self.after.clear();
    }

    /// Changes the value without an entry: what nobody would want to undo.
    pub fn amend(&mut self, value: T) {
        self.now = value;
    }

    /// Whether there is something to undo.
    pub const fn can_undo(&self) -> bool {
        !self.before.is_empty()
    }

    /// Whether there is something to do again.
    pub const fn can_redo(&self) -> bool {
        !self.after.is_empty()
    }

    /// Goes one change back; whether there was one.
    pub fn undo(&mut self) -> bool {
        self.open = None;
        let Some(value) = self.before.pop() else {
            return false;
        };
        self.after.push(std::mem::replace(&mut self.now, value));
        true
    }

    /// Goes one change forward again; whether there was one.
    pub fn redo(&mut self) -> bool {
        self.open = None;
        let Some(value) = self.after.pop() else {
            return false;
        };
        self.before.push(std::mem::replace(&mut self.now, value));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn undo_and_redo_walk_over_all_changes() {
        let mut history = History::new(0);
        history.set(1);
        history.set(1);
        history.set(2);
        assert!(history.undo() && *history.now() == 1);
        assert!(history.undo() && *history.now() == 0);
        assert!(!history.undo());
        assert!(history.redo() && *history.now() == 1);
        history.set(5);
        assert!(!history.can_redo());
    }

    #[test]
    fn a_gesture_is_one_entry() {
        let mut history = History::new(0);
        for value in 1..50 {
            history.set_within(7, value);
        }
        history.set_within(8, 100);
        assert!(history.undo() && *history.now() == 49);
        assert!(history.undo() && *history.now() == 0);
    }

    #[test]
    fn a_long_past_is_forgotten() {
        let mut history = History::new(0);
        for value in 1..=500 {
            history.set(value);
        }
        let mut steps = 0;
        while history.undo() {
            steps += 1;
        }
        assert_eq!((steps, *history.now()), (MOST, 400));
    }
}
