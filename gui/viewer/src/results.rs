//! What came of the scenarios: never undone, only looked up again.

use std::sync::Arc;

use session::Draft;

use crate::run::Run;
use crate::views::{accuracy, memory, planner, timeline, topology, what_if};

/// Runs that are kept.
const MOST: usize = 8;

/// A run that is shown though it is of another scenario than the one that is edited.
#[derive(Clone, Debug)]
pub struct Aside {
    /// What it is, such as "plan 3".
    pub what: String,
    /// The scenario that was edited when it came: later edits make it stale.
    pub of: Draft,
}

/// What came of the scenarios.
#[derive(Clone, Debug, Default)]
pub struct Results {
    /// The run that is shown.
    pub current: Option<Arc<Run>>,
    /// Where the run that is shown is not meant to be of the scenario that is edited.
    pub aside: Option<Aside>,
    /// The run that it is compared with.
    pub base: Option<Arc<Run>>,
    /// Runs, the latest last: undoing an edit finds its run again.
    kept: Vec<Arc<Run>>,
    /// What the planner found.
    pub planner: planner::Found,
    /// Remedies.
    pub memory: memory::Found,
    /// Measured runs and what was predicted of them.
    pub accuracy: accuracy::Found,
    /// What the sliders say.
    pub what_if: what_if::Found,
    /// Two runs that are matched.
    pub timeline: timeline::Found,
    /// The graph and the loads of links.
    pub topology: topology::Found,
}

impl Results {
    /// Keeps a run and shows it.
    pub fn show(&mut self, run: Arc<Run>) {
        self.keep(&run);
        self.current = Some(run);
    }

    /// Keeps a run without showing it: it is there when its scenario is.
    pub fn keep(&mut self, run: &Arc<Run>) {
        let Some(draft) = &run.draft else { return };
        self.kept.retain(|kept| kept.draft.as_ref() != Some(draft));
        if self.kept.len() == MOST {
            self.kept.remove(0);
        }
        self.kept.push(Arc::clone(run));
    }

    /// The run of a scenario, where it is known.
    pub fn of(&self, draft: &Draft) -> Option<&Arc<Run>> {
        self.kept
            .iter()
            .find(|run| run.draft.as_ref() == Some(draft))
    }

    /// The run that the one that is shown is compared with, unless both are the same.
    pub fn compared(&self) -> Option<&Arc<Run>> {
        let is_shown = |base: &&Arc<Run>| {
            let shown = self.current.as_ref();
            shown.is_some_and(|shown| Arc::ptr_eq(shown, base))
        };
        self.base.as_ref().filter(|base| !is_shown(base))
    }

    /// Forgets everything that belongs to the document.
    pub fn clear(&mut self) {
        let accuracy = std::mem::take(&mut self.accuracy);
        *self = Self {
            accuracy,
            ..Self::default()
        };
    }
}
