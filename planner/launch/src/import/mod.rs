//! What other programs read, as scenarios.
//!
//! ```text
//! script or arguments --script--> options, variables, #SBATCH lines
//!                     --megatron, torchtitan, slurm--> scenario
//! job --scripts that it starts, files that they name--> the same
//! JSON, TOML          --deepspeed, torchtitan--------> scenario
//! ```
//!
//! A file seldom says everything: what is missing is a note, and what nobody looked at is listed.

mod deepspeed;
mod layout;
mod megatron;
mod megatron_deepspeed;
mod options;
mod pattern;
mod scenario;
mod script;
mod slurm;
mod torchtitan;
mod world;

use crate::error::ImportError;

/// Who wrote the file, or reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Producer {
    /// Arguments of Megatron-LM: a script, or a file with one argument a line.
    Megatron,
    /// torchtitan's flags in a script, or a TOML file of versions before 0.3.
    Torchtitan,
    /// `DeepSpeed`'s JSON.
    DeepSpeed,
    /// A job for sbatch, with the arguments of Megatron-LM, Megatron-DeepSpeed or torchtitan that
    /// stand in it or in the scripts that it starts.
    Slurm,
}

impl Producer {
    /// Every producer, as `--from` lists them.
    pub const ALL: [Self; 4] = [
        Self::Megatron,
        Self::Torchtitan,
        Self::DeepSpeed,
        Self::Slurm,
    ];

    /// The name as `--from` has it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Megatron => "megatron",
            Self::Torchtitan => "torchtitan",
            Self::DeepSpeed => "deepspeed",
            Self::Slurm => "slurm",
        }
    }
}

/// A file as a scenario.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// The scenario as TOML.
    pub scenario: String,
    /// What the file does not say, and what was taken for it.
    pub notes: Vec<String>,
    /// Options and keys of the file that say nothing about a scenario, or that a scenario cannot
    /// say.
    pub ignored: Vec<String>,
}

/// The text of a file beside the one that is read, by its name or its path from there; none where
/// there is none.
pub type Beside<'f> = &'f dyn Fn(&str) -> Option<String>;

/// Reads a file.
///
/// # Errors
///
/// What in it is wrong, or cannot be in a scenario.
///
/// ```
/// use launch::{Producer, import};
///
/// let script = "TP=4\nARGS=\"--num-layers 24 --hidden-size 1024 --num-attention-heads 16 \
///     --seq-length 2048 --micro-batch-size 2 --global-batch-size 64 \
///     --tensor-model-parallel-size $TP\"\n";
/// let imported = import(Producer::Megatron, script).unwrap();
/// assert!(imported.scenario.contains("tp = 4\n"));
/// ```
pub fn import(from: Producer, text: &str) -> Result<Imported, ImportError> {
    import_beside(from, text, &|_| None)
}

/// Reads a file that may start or name others.
///
/// # Errors
///
/// What in it or in those is wrong, or cannot be in a scenario.
pub fn import_beside(
    from: Producer,
    text: &str,
    beside: Beside<'_>,
) -> Result<Imported, ImportError> {
    match from {
        Producer::Megatron => megatron::import(text),
        Producer::Torchtitan => torchtitan::import(text),
        Producer::DeepSpeed => deepspeed::import(text),
        Producer::Slurm => slurm::import(text, beside),
    }
}
