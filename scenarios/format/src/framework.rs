//! Framework files: what a training framework does without being asked, what its host takes, and
//! the scalars that were fitted on its runs.
//!
//! ```text
//! zoo/frameworks/megatron-bridge.toml ── nearest ──> megatron-core.toml ── nearest ──> neutral.toml
//!        │ choices, host, scales, by GPU, by release      (where it says nothing)
//!        ▼
//! FrameworkFile, the chain folded from the far end ──> Habits: Framework, host, scales of each GPU
//! ```

mod chain;
mod choices;
mod habits;
mod memory;
mod nearest;
mod scales;
mod version;

use crate::fields::Fields;
use crate::hardware::schema;
use crate::shape::{list, table, text};

pub(crate) use choices::choices;
pub use choices::{Choices, Chosen, DefaultShard};
pub use habits::Habits;
pub use memory::MemoryChoices;
pub use nearest::nearest_framework;
pub(crate) use scales::on;
pub use scales::{HostChoices, On, Scale, ScaleTable};
pub(crate) use version::holds as version_holds;

/// What a framework file says.
#[derive(Clone, Debug, PartialEq)]
pub struct FrameworkFile {
    /// Version of the format.
    pub schema: u32,
    /// The name as scenarios write it.
    pub name: String,
    /// The framework that holds where this file says nothing.
    pub nearest: Option<String>,
    /// Where the choices come from, in a line.
    pub source: String,
    /// What is uncertain.
    pub notes: String,
    /// What it does without being asked.
    pub choices: Choices,
    /// What its host takes.
    pub host: HostChoices,
    /// What it allocates besides tensors.
    pub memory: MemoryChoices,
    /// Fitted scalars.
    pub scales: ScaleTable,
    /// Fitted scalars on some GPUs, over the others.
    pub scales_on: Vec<ScalesOn>,
    /// What changed with a release, oldest first.
    pub releases: Vec<Release>,
}

/// Scalars on some GPUs.
#[derive(Clone, Debug, PartialEq)]
pub struct ScalesOn {
    /// On which.
    pub on: On,
    /// The scalars.
    pub scales: ScaleTable,
}

/// What changed with a release.
#[derive(Clone, Debug, PartialEq)]
pub struct Release {
    /// The first version for which it holds.
    pub from: String,
    /// On which GPUs.
    pub on: On,
    /// What changed, in words, and where that is said.
    pub source: String,
    /// Choices that changed.
    pub choices: Choices,
    /// Scalars that changed.
    pub scales: ScaleTable,
}

/// A framework file.
pub fn framework_file(t: &mut Fields<'_, '_>) -> FrameworkFile {
    FrameworkFile {
        schema: schema(t),
        name: t.get("name", "name of the framework", text()).required(),
        nearest: t
            .get(
                "nearest",
                "name or file of the framework that holds where this file says nothing; by default neutral",
                text(),
            )
            .optional(),
        source: t
            .get("source", "where the choices come from, in a line", text())
            .required(),
        notes: t
            .get("notes", "what is uncertain", text())
            .or(String::new()),
        choices: t
            .get("choices", CHOICES, table(choices::choices))
            .or_default(),
        host: t
            .get("host", "what the host takes, in place of the profile's", table(scales::host))
            .or_default(),
        memory: t
            .get("memory", "what it allocates besides tensors, in place of the profile's", table(memory::memory))
            .or_default(),
        scales: t.get("scales", SCALES, table(scales::scales)).or_default(),
        scales_on: t
            .get(
                "scales_on",
                "scalars on some GPUs, over [scales]",
                list(table(scales_on)),
            )
            .or_default(),
        releases: t
            .get(
                "release",
                "what changed with a release; `framework.version` of a scenario picks it, the newest by default",
                list(table(release)),
            )
            .or_default(),
    }
}

const CHOICES: &str = "what it does without being asked, each with its source";
const SCALES: &str = "multipliers of time, fitted on runs: a number, or value, log_sd and source";

fn scales_on(t: &mut Fields<'_, '_>) -> ScalesOn {
    let on = scales::on(t);
    if on == On::default() {
        t.missing(
            "architecture",
            "an architecture such as \"hopper\", or `gpu`",
        );
    }
    ScalesOn {
        on,
        scales: scales::scales(t),
    }
}

fn release(t: &mut Fields<'_, '_>) -> Release {
    Release {
        from: t
            .get("from", "the first version, such as \"26.06\"", text())
            .required(),
        on: scales::on(t),
        source: t
            .get("source", "where the change is said or seen", text())
            .required(),
        choices: t
            .get("choices", CHOICES, table(choices::choices))
            .or_default(),
        scales: t.get("scales", SCALES, table(scales::scales)).or_default(),
    }
}
