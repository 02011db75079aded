//! Switches that are joined otherwise than in levels: dragonflies, tori, any graph.
//!
//! A web knows its cables and finds the ways between two switches: those of regular shapes are
//! computed from the numbers of the switches, those of a graph are the ones with fewest cables.
//! For these it keeps, once somebody asks, the distances to a switch; nothing is kept by pair.
//!
//! Where links are down, a regular shape keeps to those of its ways that work; between switches
//! that have none left, the ways with fewest cables are taken, as in a graph.

mod dragonfly;
mod graph;
mod torus;
mod tree;

use std::ops::Range;
use std::sync::OnceLock;

use units::BytesPerSec;

use crate::cluster::Cluster;
use crate::device::{Device, Link, LinkKind};
use crate::route::pick;
use crate::spec::{FabricKind, FabricSpec};
use dragonfly::Dragonfly;
use graph::Places;
pub(crate) use graph::{attached, by_name};
use torus::Torus;
use tree::Tree;

/// Switches, cables and what hangs on them.
#[derive(Clone, Debug)]
pub(crate) struct Web {
    shape: Shape,
    /// The names of a graph's switches; routers have numbers only.
    pub(crate) names: Vec<String>,
    /// The switches at the two ends of every cable.
    pub(crate) ends: Vec<[u32; 2]>,
    /// What the cables are; empty once they are drawn.
    pub(crate) links: Vec<Link>,
    places: Places,
    /// By switch, where its ports begin in `ports`.
    starts: Vec<u32>,
    /// Neighbor, and direction of a cable that leads there: `2 · cable`, or 1 more for the way
    /// back. In the order of neighbors; cables that are down are not among them.
    ports: Vec<(u32, u32)>,
    /// By switch, the first of those that it is joined to while every cable works: rails of a
    /// graph may have no cable between them.
    parts: Vec<u32>,
    /// By switch, the distances to it.
    trees: OnceLock<Box<[OnceLock<Tree>]>>,
    is_hurt: bool,
}

/// Where ways come from.
#[derive(Clone, Copy, Debug)]
enum Shape {
    Dragonfly(Dragonfly),
    Torus(Torus),
    Graph,
}

/// Cables while a web is made: ends and links.
#[derive(Debug, Default)]
struct Cables {
    ends: Vec<[u32; 2]>,
    links: Vec<Link>,
}

impl Cables {
    /// Adds cables between two switches, as one link.
    fn join(&mut self, ends: [u32; 2], count: u32, one: Link) {
        let rate = one.rate.scale(f64::from(count)).unwrap_or(one.rate);
        self.ends.push(ends);
        self.links.push(Link { rate, ..one });
    }
}

/// The web of a checked fabric; `None` where its switches form levels.
///
/// * `nodes`, `nics` — nodes of the cluster, and the most NICs that one has.
/// * `cable` — the rate of a cable where the fabric gives none.
pub(crate) fn web(spec: &FabricSpec, nodes: u32, nics: u32, cable: BytesPerSec) -> Option<Web> {
    let link = Link {
        rate: spec.link_rate.unwrap_or(cable),
        latency: spec.link_latency + spec.switch_latency,
        kind: LinkKind::Fabric,
    };
    let mut cables = Cables::default();
    let per_router = Places::Even(spec.routers.nodes_per_router.unwrap_or(1));
    let (shape, n, places) = match spec.kind {
        FabricKind::Dragonfly => {
            let dragonfly = Dragonfly::new(&spec.routers);
            dragonfly.join(spec, link, &mut cables);
            (
                Shape::Dragonfly(dragonfly),
                dragonfly.n_routers(),
                per_router,
            )
        }
        FabricKind::Torus => {
            let torus = Torus::new(&spec.routers.dimensions);
            torus.join(link, &mut cables);
            (Shape::Torus(torus), torus.n_routers(), per_router)
        }
        FabricKind::Graph => {
            graph::join(spec, link, &mut cables);
            let places = graph::places(&spec.graph, nodes, nics);
            (Shape::Graph, number(spec.graph.switches.len()), places)
        }
        _ => return None,
    };
    let mut web = Web {
        shape,
        names: spec.graph.switches.clone(),
        ends: cables.ends,
        links: cables.links,
        places,
        starts: vec![0; n as usize + 1],
        ports: Vec::new(),
        parts: vec![0; n as usize],
        trees: OnceLock::new(),
        is_hurt: false,
    };
    if spec.kind != FabricKind::Graph {
        web.names.clear();
    }
    web.sort_ports();
    if spec.kind == FabricKind::Graph {
        web.parts = parts(n, &web.ends);
    }
    Some(web)
}

impl Web {
    /// How many switches there are.
    pub(crate) fn n_switches(&self) -> u32 {
        number(self.starts.len() - 1)
    }

    /// A switch as a device.
    pub(crate) fn device(&self, switch: u32) -> Device {
        match self.shape {
            Shape::Graph => Device::Switch(switch),
            Shape::Dragonfly(_) | Shape::Torus(_) => Device::Router(switch),
        }
    }

    /// The number of a device, if it is a switch of this web.
    pub(crate) fn switch(&self, device: Device) -> Option<u32> {
        let (Device::Router(switch) | Device::Switch(switch)) = device else {
            return None;
        };
        (switch < self.n_switches() && self.device(switch) == device).then_some(switch)
    }

    /// What a switch is called.
    pub(crate) fn name(&self, switch: u32) -> String {
        let named = self.names.get(switch as usize).cloned();
        named.unwrap_or_else(|| self.device(switch).to_string())
    }

    /// The switch that a NIC of a node hangs on.
    pub(crate) fn switch_of(&self, node: u32, nic: u32) -> u32 {
        self.places.switch(node, nic)
    }

    /// The group of a switch in a dragonfly; 0 elsewhere.
    pub(crate) fn group(&self, switch: u32) -> u32 {
        match self.shape {
            Shape::Dragonfly(dragonfly) => dragonfly.group(switch),
            Shape::Torus(_) | Shape::Graph => 0,
        }
    }

    /// Routers along each dimension of a torus; none elsewhere.
    pub(crate) const fn sizes(&self) -> Option<[u32; 3]> {
        match self.shape {
            Shape::Torus(torus) => Some(torus.sizes()),
            Shape::Dragonfly(_) | Shape::Graph => None,
        }
    }

    /// How many ways lead from one switch to another.
    pub(crate) fn n_ways(&self, from: u32, to: u32) -> u32 {
        match self.sort_of(from, to) {
            Sort::Regular(all) => all,
            Sort::Working(working) => working,
            Sort::Shortest => self.tree(to).n_ways(from),
        }
    }

    /// The way that a hash picks, or that routing by destination takes: by the number of the port
    /// of the receiver.
    pub(crate) fn static_way(&self, from: u32, to: u32, hash: u64, port: u32) -> u32 {
        let by_port = hash == Cluster::D_MOD_K;
        let ways = match self.sort_of(from, to) {
            Sort::Regular(ways) | Sort::Working(ways) => ways,
            Sort::Shortest => return self.static_shortest(from, to, hash, port),
        };
        let choose = |ways: u32| {
            if by_port {
                port % ways
            } else {
                pick(hash, 1, ways)
            }
        };
        match self.shape {
            // Dimension by dimension.
            Shape::Torus(_) if by_port => 0,
            Shape::Dragonfly(dragonfly) if dragonfly.offers_detours() => {
                let direct = self.direct(dragonfly, from, to);
                match u32::try_from(direct.len()) {
                    Ok(count) if 0 < count => direct[choose(count) as usize],
                    _ => choose(ways),
                }
            }
            _ => choose(ways),
        }
    }

    /// The numbers of the working ways of a dragonfly that are no detours.
    fn direct(&self, dragonfly: Dragonfly, from: u32, to: u32) -> Vec<u32> {
        let working = (0..).zip(self.working(from, to));
        let direct = working.filter(|(_, way)| dragonfly.is_direct(from, to, *way));
        direct.map(|(number, _)| number).collect()
    }

    /// Visits the directed links of a way: `2 · cable`, or 1 more for the way back.
    pub(crate) fn walk(&self, from: u32, to: u32, way: u32, mut visit: impl FnMut(u32)) {
        let way = match self.sort_of(from, to) {
            Sort::Regular(_) => way,
            Sort::Working(_) => self.working(from, to).nth(way as usize).unwrap_or(0),
            Sort::Shortest => return self.walk_shortest(from, to, way, visit),
        };
        let mut at = from;
        self.regular(from, to, way, &mut |next| {
            self.port(at, next).into_iter().for_each(&mut visit);
            at = next;
        });
    }

    /// The directed cable from a switch to a neighbor, whether it works or not.
    pub(crate) fn cable(&self, from: u32, to: u32) -> Option<u32> {
        let working = self.port(from, to);
        working.or_else(|| {
            let (at, back) = (0..).zip(&self.ends).find_map(|(cable, ends)| {
                let is_back = *ends == [to, from];
                (is_back || *ends == [from, to]).then_some((cable, is_back))
            })?;
            Some(2 * at + u32::from(back))
        })
    }

    /// Takes a cable out of service.
    pub(crate) fn kill(&mut self, cable: u32) {
        let gone: Vec<usize> = (0..self.ports.len())
            .filter(|&at| self.ports[at].1 / 2 == cable)
            .collect();
        for at in gone.into_iter().rev() {
            self.ports.remove(at);
            let behind = self.starts.iter_mut().filter(|start| at < **start as usize);
            behind.for_each(|start| *start -= 1);
        }
        self.trees = OnceLock::new();
        self.is_hurt = true;
    }

    /// A switch that nothing leads to from another of its part, and that other.
    pub(crate) fn cut(&self) -> Option<[u32; 2]> {
        let firsts = self.switches().filter(|&at| self.part(at) == at);
        firsts.into_iter().find_map(|first| {
            let tree = Tree::new(first, self);
            let mut part = self.switches().filter(|&at| self.part(at) == first);
            let lost = part.find(|&switch| !tree.reaches(switch))?;
            Some([first, lost])
        })
    }

    /// The first switch of those that a switch is joined to while every cable works.
    pub(crate) fn part(&self, switch: u32) -> u32 {
        self.parts[switch as usize]
    }

    /// Neighbors of a switch over cables that work, with the direction of the cable.
    fn ports(&self, switch: u32) -> &[(u32, u32)] {
        let switch = switch as usize;
        &self.ports[self.starts[switch] as usize..self.starts[switch + 1] as usize]
    }

    /// The directed cable to a neighbor.
    fn port(&self, from: u32, to: u32) -> Option<u32> {
        let ports = self.ports(from);
        let at = ports.binary_search_by_key(&to, |port| port.0).ok()?;
        Some(ports[at].1)
    }

    fn sort_ports(&mut self) {
        let mut all: Vec<(u32, u32, u32)> = Vec::with_capacity(2 * self.ends.len());
        for (cable, &[a, b]) in (0..).zip(&self.ends) {
            all.push((a, b, 2 * cable));
            all.push((b, a, 2 * cable + 1));
        }
        all.sort_unstable();
        for &(from, ..) in &all {
            self.starts[from as usize + 1] += 1;
        }
        for at in 1..self.starts.len() {
            self.starts[at] += self.starts[at - 1];
        }
        self.ports = all.into_iter().map(|(_, to, port)| (to, port)).collect();
    }

    /// Which ways there are between two switches.
    fn sort_of(&self, from: u32, to: u32) -> Sort {
        let all = match self.shape {
            Shape::Dragonfly(dragonfly) => dragonfly.n_ways(from, to),
            Shape::Torus(torus) => torus.n_ways(from, to),
            Shape::Graph => return Sort::Shortest,
        };
        if !self.is_hurt {
            return Sort::Regular(all);
        }
        match self.working(from, to).map(|_| 1).sum() {
            0 => Sort::Shortest,
            working => Sort::Working(working),
        }
    }

    /// The ways of a regular shape without links that are down.
    fn working(&self, from: u32, to: u32) -> impl Iterator<Item = u32> {
        let all = match self.shape {
            Shape::Dragonfly(dragonfly) => dragonfly.n_ways(from, to),
            Shape::Torus(torus) => torus.n_ways(from, to),
            Shape::Graph => 0,
        };
        (0..all).filter(move |&way| {
            let (mut at, mut works) = (from, true);
            self.regular(from, to, way, &mut |next| {
                works &= self.port(at, next).is_some();
                at = next;
            });
            works
        })
    }

    /// Visits the switches of a way of a regular shape, without the first.
    fn regular(&self, from: u32, to: u32, way: u32, visit: &mut dyn FnMut(u32)) {
        match self.shape {
            Shape::Dragonfly(dragonfly) => dragonfly.walk(from, to, way, visit),
            Shape::Torus(torus) => torus.walk(from, to, way, visit),
            Shape::Graph => {}
        }
    }

    /// The directed cables out of a switch.
    pub(crate) fn cables_of(&self, switch: u32) -> impl Iterator<Item = u32> {
        self.ports(switch).iter().map(|port| port.1)
    }

    /// Every switch.
    pub(crate) fn switches(&self) -> Range<u32> {
        0..self.n_switches()
    }
}

/// By switch, the first of those that cables join it to.
pub(crate) fn parts(n: u32, ends: &[[u32; 2]]) -> Vec<u32> {
    let mut parts: Vec<u32> = (0..n).collect();
    let root = |parts: &mut Vec<u32>, mut at: u32| {
        while parts[at as usize] != at {
            let above = parts[parts[at as usize] as usize];
            parts[at as usize] = above;
            at = above;
        }
        at
    };
    for &[a, b] in ends {
        let [a, b] = [a, b].map(|end| root(&mut parts, end));
        parts[a.max(b) as usize] = a.min(b);
    }
    (0..n).map(|at| root(&mut parts, at)).collect()
}

/// Which ways two switches have, and how many of them.
#[derive(Clone, Copy, Debug)]
enum Sort {
    /// All of a regular shape.
    Regular(u32),
    /// Those of them that work.
    Working(u32),
    /// Those with fewest cables.
    Shortest,
}

/// A number of switches, which the check bounds.
fn number(n: usize) -> u32 {
    u32::try_from(n).expect("the check bounds the switches of a fabric")
}
