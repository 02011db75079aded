//! A scenario to the files that start it.
//!
//! ```text
//! scenario --Program--> train script, arguments or configuration     what one process runs
//!          --launcher-> torchrun.sh + hosts.txt, or job.sbatch + rank.sh   where processes run
//!          -----------> env.sh                                        NCCL's environment
//! ```

mod deepspeed;
mod environment;
mod flags;
mod header;
mod megatron;
mod nemo;
pub mod overrides;
mod program;
mod slurm;
mod torchrun;
mod torchtitan;

use std::fmt::Write as _;

use predict::Scenario;

use crate::bundle::{Bundle, LaunchFile};
use crate::error::ExportError;
use crate::places::Places;

pub use deepspeed::TOP_LEVEL_KEYS as DEEPSPEED_KEYS;
pub use environment::{nccl_algorithm, nccl_protocol};
use program::Program;
pub(crate) use torchtitan::{
    layers as titan_layers, of_config as titan_model, of_flavor as titan_flavor,
};

/// Who reads the files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consumer {
    /// Megatron-LM's arguments, started by torchrun.
    Megatron,
    /// Scripts for torchrun, with the program of the scenario's framework.
    Torchrun,
    /// A job for Slurm that places every rank, with the program of the scenario's framework.
    Slurm,
    /// `DeepSpeed`'s configuration, started by torchrun.
    DeepSpeed,
    /// torchtitan's flags, started by torchrun.
    Torchtitan,
    /// Overrides of a recipe of Megatron-Bridge (`NeMo`), started by torchrun.
    Nemo,
}

impl Consumer {
    /// Every consumer, as `--to` lists them.
    pub const ALL: [Self; 6] = [
        Self::Megatron,
        Self::Torchrun,
        Self::Slurm,
        Self::DeepSpeed,
        Self::Torchtitan,
        Self::Nemo,
    ];

    /// The name as `--to` has it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Megatron => "megatron",
            Self::Torchrun => "torchrun",
            Self::Slurm => "slurm",
            Self::DeepSpeed => "deepspeed",
            Self::Torchtitan => "torchtitan",
            Self::Nemo => "nemo",
        }
    }
}

/// What a scenario's values do not hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// The version of the consumer; the newest known where absent. Only torchtitan's versions are
    /// told apart.
    pub version: Option<String>,
    /// `nccl.channels`.
    pub channels: Option<u32>,
    /// `nccl.qps`.
    pub qps: Option<u32>,
}

/// The files that start a scenario.
///
/// # Errors
///
/// What of the plan the consumer has no way to say.
pub fn export(scenario: &Scenario, to: Consumer, options: &Options) -> Result<Bundle, ExportError> {
    let program = Program::of(scenario, to);
    let mut bundle = Bundle::default();
    bundle.warnings.extend(program.stand_in(scenario));
    let order = program.rank_order(scenario);
    let places = Places::of(scenario, order).ok_or_else(|| program.no_order(scenario))?;
    let own = program.files(scenario, options, &mut bundle.warnings)?;
    launcher(scenario, &places, to, &mut bundle)?;
    bundle.files.extend(own);
    let environment = environment::script(scenario, options, &mut bundle.warnings);
    bundle.files.push(environment);
    note_warnings(&mut bundle);
    Ok(bundle)
}

/// The files that start one process for every rank.
fn launcher(
    scenario: &Scenario,
    places: &Places,
    to: Consumer,
    bundle: &mut Bundle,
) -> Result<(), ExportError> {
    if to == Consumer::Slurm {
        bundle.files.extend(slurm::files(scenario, places));
        return Ok(());
    }
    match torchrun::files(scenario, places) {
        Ok(files) => bundle.files.extend(files),
        Err(error) if to == Consumer::Torchrun => return Err(error),
        Err(error) => bundle.warnings.push(format!(
            "no torchrun.sh: {error}; `--to slurm` places every rank by itself"
        )),
    }
    Ok(())
}

/// Writes the warnings into the file that is started, as comments behind its header.
fn note_warnings(bundle: &mut Bundle) {
    let mut lines = String::new();
    for warning in &bundle.warnings {
        let _ = writeln!(lines, "# Note: {}", crate::shell::comment(warning));
    }
    let Some(first) = bundle.files.iter_mut().find(|file| file.is_script()) else {
        return;
    };
    if let Some(at) = first.text.find("\nset -euo pipefail") {
        first.text.insert_str(at + 1, &lines);
    }
}

/// A file of the launcher or the program, for tests and front ends.
pub(crate) type Files = Vec<LaunchFile>;
