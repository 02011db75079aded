//! The state of one lane: a window of fragments, and what its streams run.

use std::collections::VecDeque;

use task::{Fragment, LaneSetup, Program, Step, StepId};
use trace::{NO_INDEX, SpanId};
use units::SimTime;

use crate::account::Account;
use crate::code::{Code, MESSAGES, N_STREAMS, Wakes, holds_place};

/// A step of a fragment of a lane; fragments count from 0 over the run.
pub(crate) type Place = (u32, StepId);

/// One lane.
#[derive(Debug)]
pub(crate) struct Lane {
    window: VecDeque<Active>,
    /// The number of the oldest fragment in the window.
    first: u32,
    /// Fragments of the window that hold a place in it.
    n_holding: u32,
    pub(crate) program: u32,
    pub(crate) speed: f64,
    /// The next step of every stream.
    cursors: [Cursor; N_STREAMS],
    /// Streams that run a step, by bit.
    running: Wakes,
    /// What may have become able to go on since it was looked at.
    awake: Wakes,
    pub(crate) exhausted: bool,
    /// Counts the changes of rate of compute steps.
    pub(crate) version: u32,
    /// Sends and receives that wait for their dependencies.
    pub(crate) messages: Vec<Place>,
    /// Fragments some of whose messages may have become able to go on.
    stirred: Vec<u32>,
    /// Whether messages of any fragment may have: a signal was raised.
    all_stirred: bool,
    /// The delays that run now.
    pub(crate) delays: Vec<Delay>,
    pub(crate) signals: Vec<u32>,
    pub(crate) compute: Option<Compute>,
    pub(crate) account: Account,
}

/// Where a stream goes on.
#[derive(Clone, Copy, Debug, Default)]
struct Cursor {
    fragment: u32,
    /// Steps of the fragment that the stream has started.
    at: u32,
}

/// A fragment in the window.
#[derive(Debug)]
struct Active {
    fragment: Fragment,
    /// The number of its block in [`Code`].
    block: u32,
    left: u32,
    /// Steps left that hold its place in the window.
    holding: u32,
    done: Bits,
}

/// Which steps have ended. Few blocks have more than 64.
#[derive(Debug, Default)]
struct Bits {
    low: u64,
    high: Vec<u64>,
}

/// The compute step that runs now.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Compute {
    pub(crate) place: Place,
    pub(crate) started: SimTime,
    pub(crate) cause: SpanId,
    /// Undisturbed seconds of work left at `since`.
    pub(crate) left_secs: f64,
    pub(crate) rate: f64,
    pub(crate) since: SimTime,
}

/// A delay that runs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Delay {
    pub(crate) place: Place,
    pub(crate) started: SimTime,
    pub(crate) cause: SpanId,
}

impl Lane {
    pub(crate) fn new(setup: &LaneSetup, program: &Program) -> Self {
        Self {
            window: VecDeque::new(),
            first: 0,
            n_holding: 0,
            program: setup.program,
            speed: setup.speed,
            cursors: [Cursor::default(); N_STREAMS],
            running: 0,
            awake: 0,
            exhausted: false,
            version: 0,
            messages: Vec::new(),
            stirred: Vec::new(),
            all_stirred: false,
            delays: Vec::new(),
            signals: vec![0; usize::from(program.n_signals)],
            compute: None,
            account: Account::new(setup.resident),
        }
    }

    /// Whether every step of every fragment has ended.
    pub(crate) fn is_idle(&self) -> bool {
        self.window.is_empty()
    }

    /// Forgets that it has ended, and the signals that were raised.
    pub(crate) fn begin_anew(&mut self) {
        self.exhausted = false;
        self.signals.fill(0);
    }

    /// Fragments that hold a place in the window.
    pub(crate) const fn n_holding(&self) -> usize {
        self.n_holding as usize
    }

    /// Appends a fragment and queues its steps.
    pub(crate) fn load(&mut self, fragment: Fragment, block: u32, code: &Code<'_>) {
        let number = self.first + u32::try_from(self.window.len()).unwrap_or(NO_INDEX);
        let steps = code.block(block);
        self.window.push_back(Active {
            fragment,
            block,
            left: u32::try_from(steps.steps.len()).unwrap_or(NO_INDEX),
            holding: steps.n_holding,
            done: Bits::new(steps.steps.len()),
        });
        self.awake |= steps.has;
        self.n_holding += u32::from(steps.n_holding != 0);
        let messages = steps.messages.iter().map(|step| (number, *step));
        self.messages.extend(messages);
        if !steps.messages.is_empty() {
            self.stirred.push(number);
        }
    }

    /// The fragment of a place; present as long as one of its steps has not ended.
    pub(crate) fn fragment(&self, place: Place) -> Fragment {
        self.active(place).fragment
    }

    /// The block of a place, by its number in [`Code`].
    pub(crate) fn block(&self, place: Place) -> u32 {
        self.active(place).block
    }

    /// Takes what may have become able to go on; streams that run a step cannot.
    pub(crate) const fn take_awake(&mut self) -> Wakes {
        let awake = self.awake & !self.running;
        self.awake = 0;
        awake
    }

    /// Takes the fragments whose messages are to be looked at, and whether those of all are.
    pub(crate) fn take_stirred(&mut self) -> (Vec<u32>, bool) {
        let all = std::mem::take(&mut self.all_stirred);
        (std::mem::take(&mut self.stirred), all)
    }

    /// Whether messages of all fragments are to be looked at.
    pub(crate) const fn all_are_stirred(&self) -> bool {
        self.all_stirred
    }

    /// Takes back the list of [`Lane::take_stirred`], for its memory.
    pub(crate) fn settle(&mut self, mut looked_at: Vec<u32>) {
        if self.stirred.is_empty() {
            looked_at.clear();
            self.stirred = looked_at;
        }
    }

    /// The next step of a stream.
    pub(crate) fn head(&mut self, stream: usize, code: &Code<'_>) -> Option<Place> {
        let cursor = &mut self.cursors[stream];
        if cursor.fragment < self.first {
            *cursor = Cursor {
                fragment: self.first,
                at: 0,
            };
        }
        while let Some(active) = self.window.get((cursor.fragment - self.first) as usize) {
            let steps = code.block(active.block).stream(stream);
            if let Some(step) = steps.get(cursor.at as usize) {
                return Some((cursor.fragment, *step));
            }
            *cursor = Cursor {
                fragment: cursor.fragment + 1,
                at: 0,
            };
        }
        None
    }

    /// Occupies a stream with its next step.
    pub(crate) const fn occupy(&mut self, stream: usize) {
        self.cursors[stream].at += 1;
        self.running |= 1 << stream;
    }

    /// Frees a stream.
    pub(crate) const fn vacate(&mut self, stream: usize) {
        self.running &= !(1 << stream);
    }

    /// Whether a step's dependencies inside its fragment and its signal allow it to start.
    pub(crate) fn is_ready(&self, place: Place, step: &Step) -> bool {
        let done = &self.active(place).done;
        step.after.iter().all(|&before| done.has(before))
            && step
                .wait
                .is_none_or(|signal| signal.count <= self.signals[usize::from(signal.id)])
    }

    /// Marks a step as ended, raises its signal, and wakes who may go on.
    pub(crate) fn mark_done(&mut self, place: Place, step: &Step, code: &Code<'_>) {
        let active = &mut self.window[(place.0 - self.first) as usize];
        active.done.set(place.1);
        active.left -= 1;
        let wakes = code.block(active.block).wakes(place.1);
        self.awake |= wakes;
        if wakes & MESSAGES != 0 && self.stirred.last() != Some(&place.0) {
            self.stirred.push(place.0);
        }
        if holds_place(step) {
            active.holding -= 1;
            self.n_holding -= u32::from(active.holding == 0);
        }
        if let Some(signal) = step.raise {
            self.signals[usize::from(signal)] += 1;
            self.all_stirred = true;
        }
    }

    /// Takes the oldest fragment out of the window if all its steps have ended.
    pub(crate) fn retire(&mut self) -> Option<Fragment> {
        if self.window.front()?.left != 0 {
            return None;
        }
        self.first += 1;
        self.window.pop_front().map(|active| active.fragment)
    }

    /// The first step of the oldest fragment that has not ended, for the message of a deadlock.
    pub(crate) fn a_waiting_place(&self) -> Option<Place> {
        let step = self.window.front()?.done.first_unset()?;
        Some((self.first, step))
    }

    fn active(&self, place: Place) -> &Active {
        &self.window[(place.0 - self.first) as usize]
    }
}

impl Bits {
    fn new(n: usize) -> Self {
        Self {
            low: 0,
            high: vec![0; n.div_ceil(64).saturating_sub(1)],
        }
    }

    fn has(&self, step: StepId) -> bool {
        let word = match usize::from(step / 64) {
            0 => self.low,
            word => self.high[word - 1],
        };
        word >> (step % 64) & 1 == 1
    }

    fn set(&mut self, step: StepId) {
        let word = match usize::from(step / 64) {
            0 => &mut self.low,
            word => &mut self.high[word - 1],
        };
        *word |= 1 << (step % 64);
    }

    fn first_unset(&self) -> Option<StepId> {
        let words = std::iter::once(&self.low).chain(&self.high).zip(0..);
        let mut open = words.filter(|(word, _)| **word != u64::MAX);
        let (word, at) = open.next()?;
        Some(at * 64 + StepId::try_from(word.trailing_ones()).ok()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_past_the_first_word_are_kept_apart() {
        let mut bits = Bits::new(130);
        assert_eq!(bits.first_unset(), Some(0));
        (0..129).for_each(|step| bits.set(step));
        assert!(bits.has(63) && bits.has(64) && bits.has(128));
        assert!(!bits.has(129));
        assert_eq!(bits.first_unset(), Some(129));
    }
}
