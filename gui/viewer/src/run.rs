//! A run: what was asked and what came of it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use chart::Caption;
use session::{
    Draft, Engine, Failure, Header, NetworkAnswer, Opened, Outcome, PredictError, Ready, Record,
    Rules, RunError, Traffic, link_tracks, read_trace,
};
use timeline::{Placement, Timeline};
use trace::Trace;
use units::Control;

use crate::document::{Checked, Runnable, placed};

/// Links that a timeline shows at most: the busiest.
const LINKS: usize = 64;

/// What a run was, apart from its timeline.
#[derive(Clone, Debug)]
pub enum Answer {
    /// A training iteration.
    Training {
        /// The scenario.
        ready: Arc<Ready>,
        /// What the engine found; its timeline stands beside.
        outcome: Arc<Outcome>,
    },
    /// A network workload.
    Traffic {
        /// The workload.
        traffic: Arc<Traffic>,
        /// What the engine found.
        answer: Arc<NetworkAnswer>,
    },
    /// A timeline from a file.
    File {
        /// What the file says of itself.
        header: Arc<Header>,
        /// The file.
        path: PathBuf,
    },
}

/// What stands under figures that this program makes.
pub fn caption(scenario: &str, engine: &str, seed: Option<u64>) -> Caption {
    Caption {
        scenario: scenario.to_owned(),
        engine: engine.to_owned(),
        seed,
        version: session::VERSION.to_owned(),
    }
}

/// What a file of a timeline says of itself.
fn caption_of_file(path: &Path, header: &Header) -> Caption {
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    let engine = header.prediction["engine"].as_str();
    Caption {
        scenario: name.into_owned(),
        engine: engine.unwrap_or("unknown").to_owned(),
        seed: Some(header.seed),
        version: header.tool.trim_start_matches("windtunnel ").to_owned(),
    }
}

/// A run with its timeline.
#[derive(Clone, Debug)]
pub struct Run {
    /// The scenario that ran; none for a timeline from a file.
    pub draft: Option<Draft>,
    /// It with its sections read.
    pub opened: Option<Arc<Opened>>,
    /// What stands under figures.
    pub caption: Caption,
    /// What came of it.
    pub answer: Answer,
    /// Its timeline, as data.
    pub trace: Arc<Trace>,
    /// Its timeline, ready to draw.
    pub timeline: Arc<Timeline>,
}

/// Why there is no run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NoRun {
    /// The scenario is wrong.
    #[error("{}", wrong(.0))]
    Scenario(Arc<Vec<Failure>>),
    /// The engine failed.
    #[error(transparent)]
    Predict(#[from] PredictError),
    /// The network engine failed.
    #[error(transparent)]
    Traffic(#[from] RunError),
}

/// The first error of a scenario, and how many there are.
fn wrong(failures: &[Failure]) -> String {
    let first = failures.first().map_or_else(String::new, placed);
    match failures.len() {
        0 | 1 => format!("the scenario has an error: {first}"),
        n => format!("the scenario has {n} errors, the first: {first}"),
    }
}

impl NoRun {
    /// What to do about it, where we can tell.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Scenario(failures) => failures.first().and_then(Failure::hint),
            Self::Predict(error) => error.hint().map(str::to_owned),
            Self::Traffic(error) => error.hint().map(str::to_owned),
        }
    }
}

impl Run {
    /// Runs a scenario on its engine, with everything that views show.
    ///
    /// # Errors
    ///
    /// [`NoRun`].
    pub fn of(draft: Draft, control: &Control) -> Result<Self, NoRun> {
        let checked = Checked::new(draft);
        let runnable = checked.result.map_err(NoRun::Scenario)?;
        let (answer, trace, caption) = match runnable {
            Runnable::Training(ready) => train(ready, control)?,
            Runnable::Traffic(traffic) => send(traffic, control)?,
        };
        let placement = placement(&answer);
        Ok(Self {
            draft: Some(checked.draft),
            opened: checked.opened,
            caption,
            answer,
            timeline: Arc::new(Timeline::new(Arc::clone(&trace), placement)),
            trace,
        })
    }

    /// Reads a timeline from a file.
    ///
    /// # Errors
    ///
    /// What is wrong with the file, in words.
    pub fn read(path: &Path) -> Result<Self, String> {
        let (header, trace) =
            read_trace(path).map_err(|error| format!("{}: {error}", path.display()))?;
        let trace = Arc::new(trace);
        let placement = Placement::default();
        Ok(Self {
            draft: None,
            opened: None,
            caption: caption_of_file(path, &header),
            answer: Answer::File {
                header: Arc::new(header),
                path: path.to_owned(),
            },
            timeline: Arc::new(Timeline::new(Arc::clone(&trace), placement)),
            trace,
        })
    }

    /// The prediction, where it is of training.
    pub fn prediction(&self) -> Option<&session::Prediction> {
        match &self.answer {
            Answer::Training { outcome, .. } => Some(&outcome.prediction),
            Answer::Traffic { .. } | Answer::File { .. } => None,
        }
    }

    /// The scenario that ran, where it is of training.
    pub fn ready(&self) -> Option<&Arc<Ready>> {
        match &self.answer {
            Answer::Training { ready, .. } => Some(ready),
            Answer::Traffic { .. } | Answer::File { .. } => None,
        }
    }
}

type Ran = (Answer, Arc<Trace>, Caption);

fn train(ready: Arc<Ready>, control: &Control) -> Result<Ran, NoRun> {
    let mut outcome = ready.run_links(Record::Trace, control)?;
    let mut trace = outcome.trace.take().unwrap_or_default();
    if let Some(links) = &outcome.links {
        trace.links = link_tracks(&ready.scenario, links, LINKS);
    }
    let traced = outcome.prediction.engine;
    if ready.scenario.settings.engine == Engine::Estimate {
        // The numbers are those of the engine that is asked for; only the timeline is of another.
        outcome.prediction = ready.run(Record::Totals, control)?.prediction;
    }
    let engine = match outcome.prediction.engine {
        engine if engine == traced => engine.to_owned(),
        engine => format!("{engine}, timeline {traced}"),
    };
    let seed = Some(ready.scenario.settings.seed);
    let caption = caption(&ready.scenario.name, &engine, seed);
    let outcome = Arc::new(outcome);
    Ok((
        Answer::Training { ready, outcome },
        Arc::new(trace),
        caption,
    ))
}

fn send(traffic: Arc<Traffic>, control: &Control) -> Result<Ran, NoRun> {
    let answer = traffic.run(traffic.keep_for_timeline(), control)?;
    let trace = traffic.timeline(&answer, LINKS);
    let caption = caption(&traffic.name, engine_of(&traffic.rules), Some(traffic.seed));
    let answer = Arc::new(answer);
    Ok((
        Answer::Traffic { traffic, answer },
        Arc::new(trace),
        caption,
    ))
}

pub(crate) const fn engine_of(rules: &Rules) -> &'static str {
    match rules {
        Rules::Flow { .. } => "flow",
        Rules::Packet { .. } => "packet",
    }
}

/// Where ranks run, as far as the answer knows.
fn placement(answer: &Answer) -> Placement {
    let Answer::Training { ready, outcome } = answer else {
        return Placement::default();
    };
    let places = ready.rank_places();
    Placement {
        node_of_rank: places.node,
        replica_of_rank: places.replica,
        memory_limit: Some(outcome.prediction.device_memory_bytes.as_u64()),
    }
}
