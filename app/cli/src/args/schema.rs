//! The arguments of `schema`.

use clap::{Args, ValueEnum};
use session::Layout;

pub(super) const SCHEMA_EXAMPLES: &str = "\
Examples:
  windtunnel schema > scenario.schema.json
  windtunnel schema cluster";

/// Print the JSON Schema of a kind of file.
#[derive(Args, Clone, Debug)]
pub(crate) struct SchemaArgs {
    /// Which kind of file
    #[arg(value_name = "FILE", default_value = "scenario")]
    pub(crate) file: SchemaFile,
}

/// The kinds of files that are TOML of our own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SchemaFile {
    /// A run: model, cluster, training, plan
    Scenario,
    /// Nodes and what connects them
    Cluster,
    /// The data sheet of a GPU
    Gpu,
    /// A kind of node
    Node,
    /// A fabric between nodes
    Fabric,
    /// What a GPU or a network achieves
    Profile,
    /// What a training framework does without being asked
    Framework,
}

impl SchemaFile {
    /// What the file describes.
    pub(crate) const fn layout(self) -> Layout {
        match self {
            Self::Scenario => Layout::Scenario,
            Self::Cluster => Layout::Cluster,
            Self::Gpu => Layout::Gpu,
            Self::Node => Layout::Node,
            Self::Fabric => Layout::Fabric,
            Self::Profile => Layout::Profile,
            Self::Framework => Layout::Framework,
        }
    }
}
