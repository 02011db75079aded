//! Two ways to balance load, beside each other.

use std::sync::{Arc, LazyLock};

use session::{Draft, FieldKind, ScenarioEngine, fields};
use units::Control;

use super::side::Side;
use crate::state::State;
use crate::worker::{Ask, Slot};

/// The field.
pub(super) const FIELD: &str = "network.load_balancing";

/// The policies that a scenario can name.
pub(super) static POLICIES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let field = fields().into_iter().find(|field| field.path == FIELD);
    let kinds = field.map_or(Vec::new(), |field| field.kinds);
    let choices = kinds.into_iter().find_map(|kind| match kind {
        FieldKind::Choice(choices) => Some(choices),
        _ => None,
    });
    choices.unwrap_or_default()
});

/// What is compared before somebody chooses.
pub(super) const FIRST: [&str; 2] = ["spray", "singlepath"];

/// The same as a view keeps it.
pub fn first_policies() -> [String; 2] {
    FIRST.map(str::to_owned)
}

/// A scenario under two policies.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    /// The scenario.
    pub draft: Draft,
    /// The policies.
    pub names: [String; 2],
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Policies {
    /// What was asked.
    pub asked: Asked,
    /// Both runs.
    pub sides: [Arc<Side>; 2],
}

impl Policies {
    /// Both completion times in seconds.
    pub fn times(&self) -> [f64; 2] {
        [0, 1].map(|at: usize| self.sides[at].end.as_seconds().as_secs())
    }

    /// How packets get there under both, and whether the scenario says so; none on engines without packets.
    pub fn transport(&self) -> Option<(String, bool)> {
        let is_packets = self.sides.iter().all(|side| side.engine == "packet");
        let named = || self.asked.draft.value("network.transport");
        is_packets.then(|| named().map_or_else(|| ("ideal".to_owned(), false), |name| (name, true)))
    }

    /// The second time over the first, less 1.
    pub fn difference(&self) -> f64 {
        let [first, second] = self.times();
        second / first - 1.0
    }
}

/// How far a comparison is.
#[derive(Clone, Debug, Default)]
pub enum Comparison {
    /// Nobody asked.
    #[default]
    None,
    /// It is under way.
    Going(Asked),
    /// It is there.
    Done(Arc<Policies>),
    /// It was stopped or failed; why.
    Failed(Asked, String),
}

impl Comparison {
    /// What was asked.
    pub fn asked(&self) -> Option<&Asked> {
        match self {
            Self::None => None,
            Self::Going(asked) | Self::Failed(asked, _) => Some(asked),
            Self::Done(policies) => Some(&policies.asked),
        }
    }

    /// Both runs, where they are there.
    pub const fn done(&self) -> Option<&Arc<Policies>> {
        match self {
            Self::Done(policies) => Some(policies),
            _ => None,
        }
    }
}

/// Runs a scenario under two policies, unless that was asked already.
pub(super) fn compare(state: &mut State, asked: Asked, again: bool) {
    let found = &mut state.results.topology;
    if !again && found.comparison.asked() == Some(&asked) {
        return;
    }
    found.comparison = Comparison::Going(asked.clone());
    let [first, second] = &asked.names;
    let what = format!("Comparing {first} with {second}");
    state.asks.push(Ask::new(
        Slot::Policies,
        what,
        move |control| {
            let result = both(&asked, control);
            (asked, result)
        },
        |state, (asked, result)| {
            let found = &mut state.results.topology;
            match result {
                Ok(policies) => found.comparison = Comparison::Done(Arc::new(policies)),
                Err(why) => {
                    found.comparison = Comparison::Failed(asked, why.clone());
                    if why != STOPPED {
                        state.notices.error(why);
                    }
                }
            }
        },
    ));
}

/// What is said of a comparison that somebody stopped.
pub(super) const STOPPED: &str = "The comparison was stopped";

fn both(asked: &Asked, control: &Control) -> Result<Policies, String> {
    control.set_items(2);
    let side = |name: &String| -> Result<Arc<Side>, String> {
        if control.is_cancelled() {
            return Err(STOPPED.to_owned());
        }
        let draft = under(&asked.draft, name)?;
        let side = Side::ran(draft, name, control);
        control.finish_item();
        let stopped = |why: String| {
            if control.is_cancelled() {
                STOPPED.to_owned()
            } else {
                format!("{name}: {why}")
            }
        };
        side.map(Arc::new).map_err(stopped)
    };
    let [first, second] = &asked.names;
    Ok(Policies {
        sides: [side(first)?, side(second)?],
        asked: asked.clone(),
    })
}

/// A scenario under a policy, on an engine that knows links.
fn under(draft: &Draft, policy: &str) -> Result<Draft, String> {
    let failed = |failure: Box<session::Failure>| crate::state::hinted(&failure, failure.hint());
    let draft = draft.set(FIELD, policy).map_err(failed)?;
    let engine = draft.value("settings.engine");
    let knows = [ScenarioEngine::Flow, ScenarioEngine::Packet];
    let knows_links = engine.is_none_or(|engine| knows.iter().any(|known| known.name() == engine));
    if knows_links {
        Ok(draft)
    } else {
        draft.set("settings.engine", "flow").map_err(failed)
    }
}
