//! The time of an iteration of any layout: stages that share a node, and such that span several.
//!
//! ```text
//! T = max over stages s of ( max over pipelines d of end(d, s) + sums(s, slowest link of its rings) )
//! ```
//!
//! A place is a node with whatever ranks lie on it, which move as one. `end(d, s)` is as in
//! [`Iteration`](crate::Iteration), from the recursion of [`Pipeline`], but
//!
//! - a pass takes as long as the slowest link allows over which its stage talks to itself: a
//!   [`Curve`], which whoever knows the kernels samples;
//! - a message between stages takes nothing where both ends share a node, and as long as its
//!   slowest part where ranks of a stage lie on several;
//! - what gradients cost behind the passes is a curve, too, over the slowest link of all rings of a
//!   stage.
//!
//! Places that no rank needs are spare: the order says which nodes stand by. Nodes of several
//! kinds change places with their own kind only.
//!
//! Deliberately absent: rings of several stages that share a link, messages from the last stage back
//! to the first, and latencies inside curves.

mod curve;
mod spec;
mod walk;

use std::collections::BTreeMap;

use units::{Bytes, Control, Interrupted};

use crate::bound::least_ring;
use crate::exact::all_orders;
use crate::{Cost, Links, Pipeline, PipelineScratch, PlacementError};

pub use curve::Curve;
pub use spec::{Group, LayoutSpec, Message, PipelineLayout};
pub use walk::LayoutWalk;

/// The time of an iteration of a layout over given links.
#[derive(Clone, Debug)]
pub struct Layout {
    spec: LayoutSpec,
    /// Whether there are several kinds of nodes.
    is_mixed: bool,
}

impl Layout {
    /// The objective.
    ///
    /// # Errors
    ///
    /// [`PlacementError::Length`] where stages or kinds are not as many as they should be, and
    /// [`PlacementError::Order`] for places that do not exist.
    pub fn new(spec: LayoutSpec) -> Result<Self, PlacementError> {
        spec.check()?;
        let is_mixed = spec.kinds.windows(2).any(|pair| pair[0] != pair[1]);
        Ok(Self { spec, is_mixed })
    }

    /// Rounds of stages that one evaluation takes, about: some nanoseconds each.
    pub fn work(&self) -> u64 {
        let stages = self.stages() as u64;
        self.spec.pipelines.len() as u64 * stages * 4 * stages.max(2)
    }

    /// The server of every place where servers of an order fill the places of their own kind in
    /// turn. With one kind that is the order itself.
    pub fn decoded(&self, order: &[u32]) -> Vec<u32> {
        let mut places = Vec::new();
        self.decode(order, &mut places);
        places
    }

    fn decode(&self, order: &[u32], places: &mut Vec<u32>) {
        places.clear();
        if !self.is_mixed {
            places.extend_from_slice(order);
            return;
        }
        let kinds = &self.spec.kinds;
        let mut next: BTreeMap<u32, usize> = BTreeMap::new();
        for kind in kinds {
            let from = next.entry(*kind).or_default();
            let own = |server: &u32| kinds[*server as usize] == *kind;
            let found = order[*from..].iter().position(own);
            let at = *from + found.expect("there are as many servers of a kind as places");
            places.push(order[at]);
            *from = at + 1;
        }
    }

    fn stages(&self) -> usize {
        self.spec.forward.len()
    }

    /// Seconds a byte of the slowest link of a group; 0 without links.
    fn pace(&self, group: &Group, places: &[u32]) -> f64 {
        let links = &self.spec.links;
        let pace = |edge: &[u32; 2]| {
            let [from, to] = edge.map(|place| places[place as usize] as usize);
            links.per_byte[from * links.n + to]
        };
        group.edges.iter().map(pace).fold(0.0, f64::max)
    }

    /// Seconds of messages from one stage to the next and of those back.
    fn hop(&self, messages: &[Message], places: &[u32]) -> (f64, f64) {
        let links = &self.spec.links;
        let (mut down, mut up) = (0.0_f64, 0.0_f64);
        for message in messages {
            let [from, to] = [message.from, message.to].map(|place| places[place as usize]);
            let bytes = message.bytes.as_f64();
            down = down.max(links.time(from, to, bytes));
            up = up.max(links.time(to, from, bytes));
        }
        (down, up)
    }

    /// Ends of all stages of a pipeline with these times.
    fn ends<'s>(&self, times: &Times, scratch: &'s mut PipelineScratch) -> &'s [f64] {
        let pipeline = Pipeline {
            forward: &times.forward,
            backward: &times.backward,
            down: &times.down,
            up: &times.up,
            micro_batches: self.spec.micro_batches,
        };
        pipeline.ends(scratch)
    }
}

/// The largest over stages of the last end and the sums of gradients behind it.
fn total(ends: &[f64], sums: impl Fn(usize) -> f64) -> f64 {
    let stages = ends.iter().enumerate();
    stages.map(|(at, end)| end + sums(at)).fold(0.0, f64::max)
}

/// What a pipeline's stages and hops take, in seconds.
#[derive(Clone, Debug, Default)]
struct Times {
    forward: Vec<f64>,
    backward: Vec<f64>,
    down: Vec<f64>,
    up: Vec<f64>,
}

impl Times {
    fn clear(&mut self) {
        for times in [
            &mut self.forward,
            &mut self.backward,
            &mut self.down,
            &mut self.up,
        ] {
            times.clear();
        }
    }
}

impl Cost for Layout {
    type Walk<'a> = LayoutWalk<'a>;

    fn n_servers(&self) -> usize {
        self.spec.links.n
    }

    fn full(&self, order: &[u32]) -> f64 {
        LayoutWalk::new(self, order).total()
    }

    fn walk(&self, order: &[u32]) -> LayoutWalk<'_> {
        LayoutWalk::new(self, order)
    }

    /// Every pipeline over the fastest link for each of its messages, each group over the fastest
    /// ring that any nodes in its number have.
    fn bound(&self) -> f64 {
        let mut least = Least::new(&self.spec.links);
        let (mut scratch, mut times) = (PipelineScratch::default(), Times::default());
        let mut ends = vec![0.0_f64; self.stages()];
        for pipeline in &self.spec.pipelines {
            times.clear();
            for (stage, group) in pipeline.inside.iter().enumerate() {
                let pace = least.pace(group);
                times.forward.push(self.spec.forward[stage].at(pace));
                times.backward.push(self.spec.backward[stage].at(pace));
            }
            for messages in &pipeline.hops {
                let shortest = least.hop(messages);
                times.down.push(shortest);
                times.up.push(shortest);
            }
            let own = self.ends(&times, &mut scratch);
            for (end, own) in ends.iter_mut().zip(own) {
                *end = end.max(*own);
            }
        }
        let paces: Vec<f64> = self
            .spec
            .rings
            .iter()
            .map(|ring| least.pace(ring))
            .collect();
        total(&ends, |stage| self.spec.sums[stage].at(paces[stage]))
    }

    /// Of few servers all orders are tried.
    fn exact(&self, known: &[u32], control: &Control) -> Result<Option<Vec<u32>>, Interrupted> {
        all_orders(self, known, control)
    }
}

/// What links do at best.
struct Least<'a> {
    links: &'a Links,
    /// By number of nodes.
    rings: BTreeMap<usize, f64>,
    /// By bytes.
    hops: BTreeMap<Bytes, f64>,
}

impl<'a> Least<'a> {
    const fn new(links: &'a Links) -> Self {
        Self {
            links,
            rings: BTreeMap::new(),
            hops: BTreeMap::new(),
        }
    }

    /// Seconds a byte of the slowest link of a group at best.
    fn pace(&mut self, group: &Group) -> f64 {
        let links = self.links;
        let link = |from: usize, to: usize| links.per_byte[from * links.n + to];
        let nodes = group.nodes;
        *self
            .rings
            .entry(nodes)
            .or_insert_with(|| least_ring(links.n, nodes, link))
    }

    /// Seconds of the longest message at best.
    fn hop(&mut self, messages: &[Message]) -> f64 {
        let most = messages.iter().map(|message| message.bytes).max();
        let Some(bytes) = most else { return 0.0 };
        let links = self.links;
        *self.hops.entry(bytes).or_insert_with(|| {
            let pairs = (0..links.n * links.n).filter(|at| at / links.n != at % links.n);
            let time = |at: usize| links.latency[at] + bytes.as_f64() * links.per_byte[at];
            pairs.map(time).fold(f64::INFINITY, f64::min)
        })
    }
}
