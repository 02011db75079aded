//! Why tables cannot be fitted.

use std::path::PathBuf;

/// Why tables cannot be fitted.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the messages are the documentation")]
pub enum CollectivesError {
    #[error("cannot read it: {reason}: {}", path.display())]
    Unreadable { path: PathBuf, reason: String },
    #[error("`{column}` is {found:?} in line {line}: {}", path.display())]
    Cell {
        path: PathBuf,
        line: u64,
        column: &'static str,
        found: String,
    },
    #[error("{error}: {}", path.display())]
    Log {
        path: PathBuf,
        error: formats::ImportError,
    },
    #[error("{what}; {table}: {}", path.display())]
    Untold {
        path: PathBuf,
        table: String,
        what: &'static str,
    },
    #[error("line {line}: {fault}: {}", path.display())]
    Spoiled {
        path: PathBuf,
        line: u64,
        fault: LogFault,
    },
    #[error("{cluster}: {reason}")]
    Site { cluster: String, reason: String },
    #[error("{network:?} is not to be fitted: {what}")]
    Nothing { network: String, what: &'static str },
    #[error("{hardware:?} stands for the cluster {cluster:?}, which cannot be built: {reason}")]
    Cluster {
        hardware: String,
        cluster: String,
        reason: String,
    },
}

impl CollectivesError {
    /// What to change, where we can tell.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Unreadable { .. } => Some(
                "the folder is calibrate/data/collectives of a checkout; its SOURCE.md names every \
                 file"
                .to_owned(),
            ),
            Self::Cell { .. } => {
                Some("calibrate/data/collectives/SOURCE.md explains the columns".to_owned())
            }
            Self::Untold { .. } => Some(
                "keep the lines above the table: the command, and a line for every rank".to_owned(),
            ),
            Self::Spoiled { fault, .. } => Some(fault.hint().to_owned()),
            Self::Nothing { .. } => Some(
                "run nccl-tests on two nodes and more: all_reduce_perf, all_gather_perf and \
                 alltoall_perf from 8 bytes to some GiB (-b 8 -e 8G -f 2)"
                    .to_owned(),
            ),
            Self::Site { .. } => Some(
                "--cluster takes a cluster file, or a cluster of the zoo, with one kind of nodes"
                    .to_owned(),
            ),
            Self::Log { .. } | Self::Cluster { .. } => None,
        }
    }
}

/// Why a log of nccl-tests says nothing of a fabric.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the messages are the documentation")]
pub enum LogFault {
    #[error("the row was cut")]
    Cut,
    #[error("the table has no rows")]
    Empty,
    #[error("the table ends before `# Avg bus bandwidth`: its run was cut short")]
    Unfinished,
    #[error("{count} results are wrong")]
    Wrong { count: f64 },
    #[error("{bytes} bytes in {micros} µs are {expected:.2} GB/s, but `algbw` is {found}")]
    Units {
        bytes: u64,
        micros: f64,
        expected: f64,
        found: f64,
    },
    #[error("the table ran on {nodes} nodes, but the cluster has {most}")]
    Nodes { nodes: u32, most: u32 },
    #[error("{ranks} ranks are not the same number on each of {nodes} nodes")]
    Uneven { ranks: u32, nodes: u32 },
    #[error("the table ran on {ranks} GPUs of a node, but a node of the cluster has {most}")]
    Ranks { ranks: u32, most: u32 },
    #[error("the table ran on {found:?}, but the cluster has {expected:?}")]
    Gpu { found: String, expected: String },
    #[error("there is no model of {kind:?}")]
    Kind { kind: String },
}

impl LogFault {
    const fn hint(&self) -> &'static str {
        match self {
            Self::Cut | Self::Empty | Self::Unfinished => {
                "run it again to its end, or take the table out of the log"
            }
            Self::Wrong { .. } => "find out what corrupts data before measuring how fast it is",
            Self::Units { .. } => {
                "times are in µs and rates in 10^9 bytes/s, as nccl-tests prints them"
            }
            Self::Nodes { .. } => {
                "give the cluster file as many nodes, or check the lines `# Rank`: hosts are counted \
                 by their names"
            }
            Self::Uneven { .. } | Self::Ranks { .. } => {
                "run it with as many GPUs on every node, at most those that a node has"
            }
            Self::Gpu { .. } => "name the cluster that the log is of with --cluster",
            Self::Kind { .. } => "take the table out of the log",
        }
    }
}
