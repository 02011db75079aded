//! Slurm's `topology.conf` and `topology.yaml`: which nodes hang on which switches, or form blocks.
//!
//! ```text
//! SwitchName=leaf0 Nodes=node[001-016]        BlockName=rack0 Nodes=tray[00-17]
//! SwitchName=leaf1 Nodes=node[017-032]        BlockName=rack1 Nodes=tray[18-35]
//! SwitchName=top   Switches=leaf[0-1]         BlockSizes=18,36
//! ```
//!
//! Source: the manual page topology.conf(5) of Slurm 24.11, and topology.yaml(5) of 25.05.

mod conf;
mod hostlist;
mod yaml_file;

use std::collections::BTreeMap;

use crate::import_error::{ImportError, shown};

pub use hostlist::expand;

/// Names that one file may have in all; Slurm itself manages fewer than 65,534 nodes.
const MAX_NAMES: usize = 1 << 17;

/// What the file describes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topology {
    /// Switches or blocks.
    pub kind: Kind,
    /// What of the file is not kept.
    pub ignored: Vec<String>,
}

/// How nodes are grouped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A tree of switches, or several.
    Tree(Vec<Switch>),
    /// Blocks of nodes that are near to each other.
    Blocks {
        /// The blocks.
        blocks: Vec<Block>,
        /// In which sizes they may be planned together.
        sizes: Vec<u32>,
    },
    /// All nodes are alike.
    Flat,
}

/// A switch of a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Switch {
    /// Its name.
    pub name: String,
    /// Where the file has it.
    pub line: u64,
    /// The switches below it.
    pub switches: Vec<String>,
    /// The nodes on it.
    pub nodes: Vec<String>,
    /// The words of the file for the speed of its links, which Slurm does not use.
    pub link_speed: Option<String>,
}

/// A block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// Its name.
    pub name: String,
    /// Where the file has it.
    pub line: u64,
    /// Its nodes.
    pub nodes: Vec<String>,
}

/// Reads either file: YAML is told by its first sign.
///
/// # Errors
///
/// The first line that is not understood; a switch that is not there, or that two others have;
/// a node in two places; a circle of switches.
///
/// ```
/// use formats::slurm_topology::{Kind, read};
///
/// let file = "SwitchName=a Nodes=n[0-1]\nSwitchName=b Nodes=n[2-3]\nSwitchName=t Switches=a,b\n";
/// let Kind::Tree(switches) = read(file).unwrap().kind else { panic!() };
/// assert_eq!(switches[1].nodes, ["n2", "n3"]);
/// ```
pub fn read(text: &str) -> Result<Topology, ImportError> {
    let mut lines = text.lines().map(str::trim);
    let first = lines.find(|line| !line.is_empty() && !line.starts_with('#'));
    let is_yaml = first.is_some_and(|line| line.starts_with("- ") || line == "---" || line == "-");
    let topology = if is_yaml {
        yaml_file::read(text)?
    } else {
        conf::read(text)?
    };
    match &topology.kind {
        Kind::Tree(switches) => check_tree(switches)?,
        Kind::Blocks { blocks, .. } => check_blocks(blocks)?,
        Kind::Flat => {}
    }
    Ok(topology)
}

fn check_tree(switches: &[Switch]) -> Result<(), ImportError> {
    let mut places = BTreeMap::new();
    for (at, switch) in switches.iter().enumerate() {
        if let Some(first) = places.insert(&*switch.name, at) {
            let first = switches[first].line;
            return Err(repeated(switch.line, "the switch", &switch.name, first));
        }
    }
    let mut parents = vec![None; switches.len()];
    let mut nodes = BTreeMap::new();
    for (at, switch) in switches.iter().enumerate() {
        for child in &switch.switches {
            let Some(&below) = places.get(&**child) else {
                return Err(ImportError::Unknown {
                    line: switch.line,
                    what: "the switch",
                    name: shown(child),
                });
            };
            if let Some(first) = parents[below].replace(at) {
                let first = switches[first].line;
                return Err(repeated(
                    switch.line,
                    "below another, the switch",
                    child,
                    first,
                ));
            }
        }
        once(&mut nodes, &switch.nodes, switch.line)?;
    }
    for (at, switch) in switches.iter().enumerate() {
        // From any switch of a circle as many steps up as there are switches stay on it.
        let mut above = parents[at];
        let mut steps = 0;
        while let Some(next) = above {
            steps += 1;
            if next == at || 64 < steps {
                let line = switch.line;
                let what = format!(
                    "the switch {:?} is below itself, or more than 64 deep",
                    shown(&switch.name)
                );
                return Err(ImportError::Contradiction { line, what });
            }
            above = parents[next];
        }
    }
    Ok(())
}

fn check_blocks(blocks: &[Block]) -> Result<(), ImportError> {
    let mut names = BTreeMap::new();
    let mut nodes = BTreeMap::new();
    for block in blocks {
        if let Some(first) = names.insert(&*block.name, block.line) {
            return Err(repeated(block.line, "the block", &block.name, first));
        }
        once(&mut nodes, &block.nodes, block.line)?;
    }
    Ok(())
}

/// Notes the line of nodes that may stand in one place only.
fn once<'n>(
    seen: &mut BTreeMap<&'n str, u64>,
    nodes: &'n [String],
    line: u64,
) -> Result<(), ImportError> {
    for node in nodes {
        if let Some(first) = seen.insert(node, line) {
            return Err(repeated(line, "the node", node, first));
        }
    }
    Ok(())
}

fn repeated(line: u64, what: &'static str, name: &str, first: u64) -> ImportError {
    ImportError::Repeated {
        line,
        what,
        name: shown(name),
        first,
    }
}
