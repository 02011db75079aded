//! What a search has found while it is under way.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use crate::Request;
use crate::evaluate::{Evaluated, Found};
use crate::front::front;
use crate::shortlist::Simulated;

/// What a search is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Plans are evaluated in closed form.
    Evaluating,
    /// Layers of leading plans are spread by their costs, and switches tried.
    Refining,
    /// Leading plans are simulated.
    Simulating,
}

/// What a search has found so far.
#[derive(Clone, Debug)]
pub struct Progress<'a> {
    /// What it is at.
    pub phase: Phase,
    /// Plans that were evaluated in closed form, or excluded.
    pub decided: u64,
    /// Plans of the space, refinements apart.
    pub total: u64,
    /// The fastest plan so far that fits, in closed form.
    pub best: Option<Evaluated>,
    /// Those that fit and that no other so far beats in time, memory and GPUs. While degrees are
    /// worked on, the front as it was at the end of the last ones.
    pub front: &'a [Evaluated],
    /// Plans that were simulated, fastest first.
    pub simulated: &'a [Simulated],
}

/// Somebody who is told of progress whenever plans of some degrees were looked at: up to some
/// thousand times a second, from any thread, one call at a time, so it has to be quick.
pub type Observer<'a> = dyn Fn(&Progress<'_>) + Sync + 'a;

/// Keeps what was found and tells it.
pub(crate) struct Watch<'a> {
    observer: Option<&'a Observer<'a>>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    total: u64,
    /// By degrees, how many of their plans are decided.
    decided: BTreeMap<crate::DegreeChoice, u64>,
    front: Vec<Evaluated>,
    phase: Option<Phase>,
}

impl<'a> Watch<'a> {
    /// A watch that tells nobody and keeps nothing.
    pub(crate) const fn silent() -> Self {
        Self {
            observer: None,
            state: Mutex::new(State {
                total: 0,
                decided: BTreeMap::new(),
                front: Vec::new(),
                phase: None,
            }),
        }
    }

    /// A watch over the search of a request.
    pub(crate) fn new(request: &Request<'_>, observer: &'a Observer<'a>) -> Self {
        let watch = Self::silent();
        if let Ok(mut state) = watch.state.lock() {
            state.total = crate::size(request);
        }
        Self {
            observer: Some(observer),
            ..watch
        }
    }

    /// The plans of some degrees were looked at once more.
    pub(crate) fn part(&self, degrees: crate::DegreeChoice, found: &Found) {
        let Some(observer) = self.observer else {
            return;
        };
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state
            .decided
            .insert(degrees, found.n_with_room() + found.tally.total());
        let known = std::mem::take(&mut state.front);
        // Plans of these degrees are in the front from the last time they were looked at.
        let others = known
            .into_iter()
            .filter(|plan| plan.choice.degrees != degrees);
        let all: Vec<Evaluated> = others.chain(found.plans.iter().copied()).collect();
        state.front = front(&all);
        state.phase = Some(Phase::Evaluating);
        observer(&state.progress(&[]));
    }

    /// Another phase has begun, or more plans were simulated in it.
    pub(crate) fn phase(&self, phase: Phase, simulated: &[Simulated]) {
        let Some(observer) = self.observer else {
            return;
        };
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.phase = Some(phase);
        observer(&state.progress(simulated));
    }
}

impl State {
    fn progress<'s>(&'s self, simulated: &'s [Simulated]) -> Progress<'s> {
        Progress {
            phase: self.phase.unwrap_or(Phase::Evaluating),
            decided: self.decided.values().sum(),
            total: self.total,
            best: self.front.first().copied(),
            front: &self.front,
            simulated,
        }
    }
}
