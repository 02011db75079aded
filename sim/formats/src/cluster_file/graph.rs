//! Switches, the cables between them and the nodes on them, before anybody knows their shape.

use std::collections::BTreeMap;

use units::BytesPerSec;

use super::draft::{Attach, Cables, Draft, Fabric, Imported, Named, Node, Nodes, port_text};
use super::infiniband_shape::shape;
use super::node::{Found, Joined};
use super::order::natural;
use super::{Choices, gpu};
use crate::import_error::ImportError;

/// A fabric.
#[derive(Clone, Debug, Default)]
pub(super) struct Net {
    /// The names of the switches, each once.
    pub(super) switches: Vec<String>,
    /// The rates of the cables between two switches, the lower place first.
    pub(super) cables: BTreeMap<[usize; 2], Vec<BytesPerSec>>,
    /// The nodes.
    pub(super) nodes: Vec<Place>,
}

/// A node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) name: String,
    /// The switch of each of its NICs.
    pub(super) on: Vec<usize>,
}

/// A shape with the nodes in the order in which it counts them.
pub(super) struct Shaped {
    pub(super) fabric: Fabric,
    pub(super) nodes: Vec<Place>,
}

/// What the file is called, and what its NICs are.
pub(super) struct About<'a> {
    pub(super) source: &'a str,
    pub(super) network: Option<&'static str>,
    /// NICs of every node.
    pub(super) nics: usize,
    pub(super) nic_rate: BytesPerSec,
    /// Whether the file tells how switches are cabled, or only which are above which.
    pub(super) cables_told: bool,
}

impl Net {
    /// Joins two switches by one more cable.
    pub(super) fn join(&mut self, a: usize, b: usize, rate: BytesPerSec) {
        let key = [a.min(b), a.max(b)];
        self.cables.entry(key).or_default().push(rate);
    }

    /// A cluster file: the fabric in its shape, or as a graph, with plain nodes.
    pub(super) fn imported(
        mut self,
        about: &About<'_>,
        choices: &Choices,
        mut notes: Vec<String>,
        ignored: Vec<String>,
    ) -> Result<Imported, ImportError> {
        if self.nodes.is_empty() {
            return Err(ImportError::Without { what: "node" });
        }
        let count = u32::try_from(self.nodes.len()).unwrap_or(u32::MAX);
        self.sort();
        let mixed = self
            .cables
            .values()
            .filter(|rates| rates.iter().any(|rate| *rate != rates[0]));
        let mixed = mixed.count();
        if mixed != 0 {
            notes.push(format!(
                "between {mixed} pairs of switches cables have different rates: the mean taken for each"
            ));
        }
        let shaped = shape(&self, about.nic_rate);
        let shaped = shaped.unwrap_or_else(|| Shaped {
            fabric: self.graph(),
            nodes: self.nodes.clone(),
        });
        let mut fabric = Fabric {
            name: "imported",
            network: about.network,
            ..shaped.fabric
        };
        if !about.cables_told {
            fabric.oversubscription.clear();
            (fabric.spines, fabric.cores, fabric.link_rate) = (None, None, None);
        }
        notes.push(format!(
            "the fabric is {}; its latencies are not told: those of any fabric taken",
            fabric.kind
        ));
        let kind = kind(about, choices, &mut notes)?;
        let draft = Draft::new(
            about.source,
            &notes,
            Named::Own(fabric),
            vec![Nodes { count, kind }],
        );
        Ok(Imported {
            text: draft.text(&self.comments(&shaped.nodes))?,
            notes,
            ignored,
        })
    }

    /// Nodes by their switches, switches and nodes as people count them.
    fn sort(&mut self) {
        let key = |place: &Place| {
            let first = place.on.first().map(|at| natural(&self.switches[*at]));
            (first, natural(&place.name))
        };
        self.nodes.sort_by_cached_key(key);
    }

    /// Every cable and every node.
    fn graph(&self) -> Fabric {
        let mut cables = Vec::new();
        for ([a, b], rates) in &self.cables {
            let mut rates = rates.clone();
            rates.sort_by(|one, other| other.as_f64().total_cmp(&one.as_f64()));
            for same in rates.chunk_by(|one, other| one == other) {
                cables.push(Cables {
                    ends: [*a, *b].map(|at| self.switches[at].clone()),
                    count: u32::try_from(same.len()).unwrap_or(u32::MAX),
                    rate: Some(port_text(same[0])),
                    latency: None,
                });
            }
        }
        Fabric {
            kind: "graph",
            switches: self.switches.clone(),
            cables: joined_pairs(cables),
            attach: self.attach(),
            ..Fabric::default()
        }
    }

    /// Runs of nodes on the same switches.
    fn attach(&self) -> Vec<Attach> {
        let mut rules: Vec<Attach> = Vec::new();
        let mut first = 0;
        for run in self.nodes.chunk_by(|one, other| one.on == other.on) {
            let many = u32::try_from(run.len()).unwrap_or(u32::MAX);
            let on = &run[0].on;
            let name = |at: usize| self.switches[at].clone();
            let one = on.iter().all(|switch| *switch == on[0]);
            for (nic, switch) in (0..).zip(on).take(if one { 1 } else { on.len() }) {
                let nic = (!one).then_some(nic);
                match rules.last_mut() {
                    Some(rule) if one && rule.nic.is_none() && rule.nodes_per_switch == many => {
                        rule.switches.push(name(*switch));
                    }
                    _ => rules.push(Attach {
                        switches: vec![name(*switch)],
                        nodes_per_switch: many,
                        first_node: Some(first),
                        nic,
                    }),
                }
            }
            first += many;
        }
        rules
    }

    /// Which host is which node, a line for every run on the same switch.
    fn comments(&self, nodes: &[Place]) -> Vec<String> {
        let mut comments = Vec::new();
        let mut number = 0;
        for run in nodes.chunk_by(|one, other| one.on == other.on) {
            let switch = run[0].on.first().map_or("", |at| &self.switches[*at]);
            let names: Vec<_> = (number..)
                .zip(run)
                .map(|(number, place)| format!("n{number} {}", place.name))
                .collect();
            comments.push(format!("{switch}: {}", names.join(", ")));
            number += run.len();
        }
        comments
    }
}

/// Cables of two rates between the same switches as one bundle of their mean rate: a graph has one
/// row for a pair.
fn joined_pairs(cables: Vec<Cables>) -> Vec<Cables> {
    let mut rows: Vec<Cables> = Vec::new();
    for cable in cables {
        match rows.last_mut() {
            Some(last) if last.ends == cable.ends => {
                let sum = |row: &Cables| {
                    let rate = row.rate.as_deref().map(units::parse_rate)?.ok()?;
                    rate.scale(f64::from(row.count))
                };
                let both = sum(last).zip(sum(&cable));
                last.count += cable.count;
                let all = f64::from(last.count);
                let mean =
                    both.and_then(|(a, b)| BytesPerSec::new((a.as_f64() + b.as_f64()) / all));
                last.rate = mean.map(port_text);
            }
            _ => rows.push(cable),
        }
    }
    rows
}

/// The kind that was chosen, or a node with a GPU for each NIC.
fn kind(
    about: &About<'_>,
    choices: &Choices,
    notes: &mut Vec<String>,
) -> Result<Named<Node>, ImportError> {
    if let Some(name) = &choices.node {
        return Ok(Named::Name(name.clone()));
    }
    notes.push("the file tells nothing of nodes: a GPU for every NIC taken; --node names a kind of the zoo".to_owned());
    let kind = gpu::of_nic(about.nic_rate);
    let (name, kind) = gpu::chosen(choices, kind, false, notes);
    let found = Found {
        gpus: about.nics,
        joined: Joined::Untold,
        sockets: if 1 < about.nics { 2 } else { 1 },
        per_switch: Some(usize::from(1 < about.nics)),
        gpu_link: None,
        nic_link: None,
        nics: about.nics,
        nic_rate: Some(about.nic_rate),
    };
    Ok(Named::Own(found.node(name, kind, choices, notes)?))
}
