//! The state of one lane: a window of fragments, and what its streams run.

use std::collections::VecDeque;

use task::{Block, Fragment, LaneSetup, Program, Step, StepId, Work};
use trace::{NO_INDEX, SpanId, StreamKind};
use units::SimTime;

use crate::account::Account;

/// A step of a fragment of a lane; fragments count from 0 over the run.
pub(crate) type Place = (u32, StepId);

/// One lane.
#[derive(Debug)]
pub(crate) struct Lane {
    window: VecDeque<Active>,
    first: u32,
    pub(crate) streams: [Stream; StreamKind::ALL.len()],
    /// Sends and receives that wait for their dependencies.
    pub(crate) messages: Vec<Place>,
    pub(crate) signals: Vec<u32>,
    pub(crate) account: Account,
    pub(crate) exhausted: bool,
    pub(crate) compute: Option<Compute>,
    pub(crate) version: u32,
}

/// A stream other than the pipeline's: its steps run in order.
#[derive(Debug, Default)]
pub(crate) struct Stream {
    pub(crate) queue: VecDeque<Place>,
    /// When the running step started, and what released it.
    pub(crate) running: Option<(SimTime, SpanId)>,
}

/// A fragment in the window.
#[derive(Debug)]
pub(crate) struct Active {
    pub(crate) fragment: Fragment,
    done: Vec<u64>,
    left: usize,
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

impl Lane {
    pub(crate) fn new(setup: &LaneSetup, program: &Program) -> Self {
        Self {
            window: VecDeque::new(),
            first: 0,
            streams: Default::default(),
            messages: Vec::new(),
            signals: vec![0; usize::from(program.n_signals)],
            account: Account::new(setup.resident),
            exhausted: false,
            compute: None,
            version: 0,
        }
    }

    /// Fragments in the window.
    pub(crate) fn n_open(&self) -> usize {
        self.window.len()
    }

    /// Appends a fragment and queues its steps.
    pub(crate) fn load(&mut self, fragment: Fragment, block: &Block) {
        let number = self.first + u32::try_from(self.window.len()).unwrap_or(NO_INDEX);
        let words = block.steps.len().div_ceil(64);
        self.window.push_back(Active {
            fragment,
            done: vec![0; words],
            left: block.steps.len(),
        });
        for (id, step) in (0..).zip(&block.steps) {
            if matches!(step.work, Work::Send { .. } | Work::Receive { .. }) {
                self.messages.push((number, id));
            } else {
                self.streams[step.stream.index()]
                    .queue
                    .push_back((number, id));
            }
        }
    }

    /// The fragment of a place; present as long as one of its steps has not ended.
    pub(crate) fn fragment(&self, place: Place) -> Fragment {
        self.window[(place.0 - self.first) as usize].fragment
    }

    /// Whether a step's dependencies inside its fragment and its signal allow it to start.
    pub(crate) fn is_ready(&self, place: Place, step: &Step) -> bool {
        let active = &self.window[(place.0 - self.first) as usize];
        let signalled = step
            .wait
            .is_none_or(|signal| signal.count <= self.signals[usize::from(signal.id)]);
        signalled
            && step
                .after
                .iter()
                .all(|&before| active.done[usize::from(before / 64)] >> (before % 64) & 1 == 1)
    }

    /// Marks a step as ended and raises its signal.
    pub(crate) fn mark_done(&mut self, place: Place, step: &Step) {
        let active = &mut self.window[(place.0 - self.first) as usize];
        active.done[usize::from(place.1 / 64)] |= 1 << (place.1 % 64);
        active.left -= 1;
        if let Some(signal) = step.raise {
            self.signals[usize::from(signal)] += 1;
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
        let active = self.window.front()?;
        let words = active.done.iter().zip(0_u16..);
        let (word, at) = words.into_iter().find(|(word, _)| **word != u64::MAX)?;
        let bit = u16::try_from(word.trailing_ones()).ok()?;
        Some((self.first, at * 64 + bit))
    }
}
