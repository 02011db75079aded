//! A cluster from Slurm's topology.

use std::collections::BTreeMap;

use units::BytesPerSec;

use super::graph::{About, Net, Place};
use super::{Choices, draft::Imported};
use crate::import_error::ImportError;
use crate::slurm_topology::{Block, Kind, Switch, Topology};

/// The nodes of the file, and a fabric in which no level blocks.
///
/// Slurm knows which switches are above which, but neither cables nor rates: every switch gets as
/// many cables upwards as there are NICs below it. Blocks become leaves.
///
/// # Errors
///
/// A topology without nodes.
pub fn of_slurm_topology(topology: &Topology, choices: &Choices) -> Result<Imported, ImportError> {
    let mut notes = Vec::new();
    let nic_rate = choices.nic_rate.or_else(|| {
        notes.push(
            "rates are not told: a NIC of 400 Gbit/s on every node taken; --nic-rate sets another"
                .to_owned(),
        );
        BytesPerSec::from_gbits(400.0)
    });
    let nic_rate = nic_rate.ok_or(ImportError::Without { what: "rate" })?;
    let net = match &topology.kind {
        Kind::Tree(switches) => {
            if switches.iter().any(|switch| switch.link_speed.is_some()) {
                notes.push("LinkSpeed has no unit and is not used".to_owned());
            }
            tree(switches, nic_rate, &mut notes)
        }
        Kind::Blocks { blocks, sizes } => {
            notes.push("blocks are taken as leaves; where they are domains of NVLink, --node gb200-nvl72 says so".to_owned());
            if !sizes.is_empty() {
                notes.push("BlockSizes say how Slurm plans, and are not used".to_owned());
            }
            self::blocks(blocks, nic_rate)
        }
        Kind::Flat => {
            let what = "a flat topology names no nodes".to_owned();
            return Err(ImportError::CannotSay(what));
        }
    };
    notes.push("cables between switches are not told: as many as there are NICs below".to_owned());
    let about = About {
        source: "Slurm's topology",
        network: None,
        nics: 1,
        nic_rate,
        cables_told: false,
    };
    net.imported(&about, choices, notes, topology.ignored.clone())
}

fn tree(switches: &[Switch], rate: BytesPerSec, notes: &mut Vec<String>) -> Net {
    let mut net = Net {
        switches: switches.iter().map(|switch| switch.name.clone()).collect(),
        ..Net::default()
    };
    let places: BTreeMap<&str, usize> = switches
        .iter()
        .zip(0..)
        .map(|(switch, at)| (switch.name.as_str(), at))
        .collect();
    let mut parent = vec![None; switches.len()];
    for (at, switch) in switches.iter().enumerate() {
        for child in switch
            .switches
            .iter()
            .filter_map(|name| places.get(name.as_str()))
        {
            parent[*child] = Some(at);
        }
        net.nodes.extend(switch.nodes.iter().map(|name| Place {
            name: name.clone(),
            on: vec![at],
        }));
    }
    // Nodes below a switch count for all switches above it.
    let mut below = vec![0_usize; switches.len()];
    for (at, switch) in switches.iter().enumerate() {
        let mut above = Some(at);
        while let Some(next) = above {
            below[next] += switch.nodes.len();
            above = parent[next];
        }
    }
    let below = as_the_largest(&below, &parent);
    let roots: Vec<usize> = (0..switches.len())
        .filter(|at| parent[*at].is_none())
        .collect();
    for (at, above) in parent.iter().enumerate() {
        if let Some(above) = above {
            net.bundle(at, *above, below[at], rate);
        }
    }
    if 1 < roots.len() {
        notes.push(format!(
            "{} trees that nothing joins: one more switch taken above",
            roots.len()
        ));
        net.switches.push(unused(&net.switches));
        let top = net.switches.len() - 1;
        for at in roots {
            net.bundle(at, top, below[at], rate);
        }
    }
    net
}

/// By switch, the most nodes below any switch of its level, counted from the leaves: a smaller one
/// has room for as many.
fn as_the_largest(below: &[usize], parent: &[Option<usize>]) -> Vec<usize> {
    let mut level = vec![0_usize; below.len()];
    for at in 0..below.len() {
        let (mut up, mut height) = (parent[at], 1);
        while let Some(next) = up {
            level[next] = level[next].max(height);
            (up, height) = (parent[next], height + 1);
        }
    }
    let mut most: BTreeMap<usize, usize> = BTreeMap::new();
    for (level, below) in level.iter().zip(below) {
        let most = most.entry(*level).or_default();
        *most = (*most).max(*below);
    }
    level.iter().map(|level| most[level]).collect()
}

fn blocks(blocks: &[Block], rate: BytesPerSec) -> Net {
    let mut net = Net {
        switches: blocks.iter().map(|block| block.name.clone()).collect(),
        ..Net::default()
    };
    for (at, block) in blocks.iter().enumerate() {
        net.nodes.extend(block.nodes.iter().map(|name| Place {
            name: name.clone(),
            on: vec![at],
        }));
    }
    if 1 < blocks.len() {
        net.switches.push(unused(&net.switches));
        let most = blocks.iter().map(|block| block.nodes.len()).max();
        for at in 0..blocks.len() {
            net.bundle(at, blocks.len(), most.unwrap_or(1), rate);
        }
    }
    net
}

impl Net {
    /// As many cables as there are NICs below, as one that carries as much.
    fn bundle(&mut self, low: usize, high: usize, nics: usize, rate: BytesPerSec) {
        if let Some(all) = rate.scale(nics.max(1) as f64) {
            self.join(low, high, all);
        }
    }
}

/// A name that no switch has.
fn unused(names: &[String]) -> String {
    let mut name = "top".to_owned();
    while names.contains(&name) {
        name.push('_');
    }
    name
}
