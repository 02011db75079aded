//! Our objective: the time of one iteration.
//!
//! ```text
//! T = max over stages s of ( max over pipelines d of end(d, s) + (1 − overlap) · ring(s) )
//! ring(s) = 2 (q − 1) · max over its links of ( latency + bytes(s) / q / rate )
//! ```
//!
//! `end(d, s)` is when stage `s` of pipeline `d` ends its last backward pass, from the exact recursion
//! of [`Pipeline`] with the links that the pipeline's servers have in either
//! direction. The ring of each stage runs through the pipelines in their order and closes
//! (Patarasuk and Yuan, J. Parallel Distrib. Comput. 69(2), 2009); it starts when the last of its
//! servers is done. What it leaves out: rings of several stages that share a link, and messages
//! of a pipeline that wait for a ring.

mod walk;

use units::{Bytes, Control, Interrupted, Seconds};

use crate::bound::{least_hops, least_ring};
use crate::{Cost, Links, Pipeline, PipelineScratch, PlacementError, Walk, exact};

pub use walk::IterationWalk;

/// What an iteration is made of.
#[derive(Clone, Debug, PartialEq)]
pub struct IterationSpec {
    /// What links between servers do.
    pub links: Links,
    /// Forward time of one micro-batch, by stage; the servers are a multiple of the stages.
    pub forward: Vec<Seconds>,
    /// Backward time of one micro-batch, by stage.
    pub backward: Vec<Seconds>,
    /// Bytes of one micro-batch from stage `i` to `i + 1`, and of its gradient back; one less than
    /// stages.
    pub hops: Vec<Bytes>,
    /// Bytes of gradients that a server reduces, by stage.
    pub gradients: Vec<Bytes>,
    /// Micro-batches of an iteration, of each pipeline.
    pub micro_batches: u64,
    /// Share of the rings' time that backward passes hide, from 0 to 1.
    pub overlap: f64,
}

/// The time of an iteration over given links.
#[derive(Clone, Debug)]
pub struct Iteration {
    links: Links,
    pub(crate) forward: Vec<f64>,
    pub(crate) backward: Vec<f64>,
    hops: Vec<f64>,
    /// Bytes over a link of the ring in one step, by stage.
    steps: Vec<f64>,
    /// How often a link of a ring is used, less what is hidden.
    uses: f64,
    pub(crate) micro_batches: u64,
}

impl Iteration {
    /// The objective.
    ///
    /// # Errors
    ///
    /// [`PlacementError::DoesNotTile`], [`PlacementError::Length`] and [`PlacementError::Value`].
    pub fn new(spec: IterationSpec) -> Result<Self, PlacementError> {
        let (n, pp) = (spec.links.n_servers(), spec.forward.len());
        if pp == 0 || n % pp != 0 {
            return Err(PlacementError::DoesNotTile { pp, servers: n });
        }
        length("backward", spec.backward.len(), pp)?;
        length("hops", spec.hops.len(), pp - 1)?;
        length("gradients", spec.gradients.len(), pp)?;
        if !(0.0..=1.0).contains(&spec.overlap) {
            return Err(PlacementError::Value {
                field: "overlap",
                value: spec.overlap,
                must: "from 0 to 1",
            });
        }
        let q = (n / pp) as f64;
        let bytes = |bytes: &Bytes| bytes.as_f64();
        Ok(Self {
            links: spec.links,
            forward: times("forward", &spec.forward)?,
            backward: times("backward", &spec.backward)?,
            hops: spec.hops.iter().map(bytes).collect(),
            steps: spec.gradients.iter().map(|b| b.as_f64() / q).collect(),
            uses: 2.0 * (q - 1.0) * (1.0 - spec.overlap),
            micro_batches: spec.micro_batches,
        })
    }

    pub(crate) fn pp(&self) -> usize {
        self.forward.len()
    }

    pub(crate) fn n_pipelines(&self) -> usize {
        self.links.n / self.pp()
    }

    /// Seconds of the hop behind a stage: activations there, gradients back.
    #[inline]
    pub(crate) fn hop(&self, stage: usize, from: u32, to: u32) -> (f64, f64) {
        let bytes = self.hops[stage];
        (
            self.links.time(from, to, bytes),
            self.links.time(to, from, bytes),
        )
    }

    #[inline]
    fn ring_link(&self, stage: usize, from: u32, to: u32) -> f64 {
        if from == to {
            return 0.0;
        }
        self.uses * self.links.time(from, to, self.steps[stage])
    }

    pub(crate) fn pipeline<'a>(&'a self, down: &'a [f64], up: &'a [f64]) -> Pipeline<'a> {
        Pipeline {
            forward: &self.forward,
            backward: &self.backward,
            down,
            up,
            micro_batches: self.micro_batches,
        }
    }

    /// Shortest times of every hop, there and back, each by itself.
    pub(crate) fn shortest_hops(&self) -> (Vec<f64>, Vec<f64>) {
        let n = u32::try_from(self.links.n).unwrap_or(u32::MAX);
        let shortest = |stage: usize| {
            let of = |from: u32| {
                (0..n)
                    .filter(move |to| *to != from)
                    .map(move |to| (from, to))
            };
            let hops = (0..n)
                .flat_map(of)
                .map(|(from, to)| self.hop(stage, from, to).0);
            hops.fold(f64::INFINITY, f64::min)
        };
        let mut hops: Vec<f64> = Vec::with_capacity(self.hops.len());
        for stage in 0..self.hops.len() {
            let same = same_as_before(&self.hops, stage);
            hops.push(same.map_or_else(|| shortest(stage), |other| hops[other]));
        }
        (hops.clone(), hops)
    }

    /// When the first stage ends at least, by a path through the recursion that any order has:
    ///
    /// ```text
    /// n = trips · p + rest + 1 − p, 0 <= rest < p:
    /// trips · (sum of F_j + B_j + down_j + up_j over all stages) + the same over the last `rest` stages
    /// ```
    ///
    /// A trip to the last stage and back lets the first stage begin the micro-batch `p` later; one
    /// to the last stage from stage `p − rest` lets that stage begin the one `rest` later. The links
    /// are the cheapest round trips that all pipelines can have at once, shared evenly.
    fn least_trips(&self) -> f64 {
        let (n, pp, q) = (self.links.n, self.pp(), self.n_pipelines());
        let Some(others) = self.micro_batches.checked_sub(1) else {
            return 0.0;
        };
        let (trips, rest) = (others / pp as u64 + 1, others % pp as u64);
        let rest = usize::try_from(rest).unwrap_or(0);
        let stages = |from: usize| -> f64 {
            let passes = self.forward[from..].iter().chain(&self.backward[from..]);
            passes.sum()
        };
        let hops =
            |hops: usize| least_hops(n, n - hops * q, |a, b| self.round_trip(a, b)) / q as f64;
        let short = match rest.checked_sub(1) {
            Some(links) => stages(pp - rest) + hops(links),
            None => 0.0,
        };
        trips as f64 * (stages(0) + hops(pp - 1)) + short
    }

    /// Seconds from one server to another and back, with the fewest bytes of any hop.
    fn round_trip(&self, a: usize, b: usize) -> f64 {
        let id = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        let bytes = self.hops.iter().copied().reduce(f64::min).unwrap_or(0.0);
        self.links.time(id(a), id(b), bytes) + self.links.time(id(b), id(a), bytes)
    }

    fn least_ring(&self, stage: usize) -> f64 {
        let id = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        let link = |from: usize, to: usize| self.ring_link(stage, id(from), id(to));
        least_ring(self.links.n, self.n_pipelines(), link)
    }
}

impl Cost for Iteration {
    type Walk<'a> = IterationWalk<'a>;

    fn n_servers(&self) -> usize {
        self.links.n
    }

    fn full(&self, order: &[u32]) -> f64 {
        self.walk(order).cost()
    }

    fn walk(&self, order: &[u32]) -> IterationWalk<'_> {
        IterationWalk::new(self, order)
    }

    /// The pipeline with the shortest hop everywhere, each stage followed by the fastest ring that
    /// can be had; and the cheapest round trips that can be had at once, followed by the ring of
    /// the first stage.
    fn bound(&self) -> f64 {
        let (down, up) = self.shortest_hops();
        let mut scratch = PipelineScratch::default();
        let ends = self.pipeline(&down, &up).ends(&mut scratch);
        // Stages of the same size have the same ring.
        let mut rings: Vec<f64> = Vec::with_capacity(ends.len());
        for stage in 0..ends.len() {
            let same = same_as_before(&self.steps, stage);
            rings.push(same.map_or_else(|| self.least_ring(stage), |other| rings[other]));
        }
        let stages = ends.iter().zip(&rings).map(|(end, ring)| end + ring);
        stages.fold(self.least_trips() + rings[0], f64::max)
    }

    fn exact(&self, known: &[u32], control: &Control) -> Result<Option<Vec<u32>>, Interrupted> {
        exact::one_pipeline(self, known, control)
    }
}

/// An earlier stage with the same bytes.
fn same_as_before(bytes: &[f64], stage: usize) -> Option<usize> {
    let (earlier, own) = (&bytes[..stage], bytes[stage]);
    earlier
        .iter()
        .position(|other| other.total_cmp(&own).is_eq())
}

fn length(field: &'static str, given: usize, needed: usize) -> Result<(), PlacementError> {
    if given == needed {
        return Ok(());
    }
    Err(PlacementError::Length {
        field,
        given,
        needed,
    })
}

fn times(field: &'static str, times: &[Seconds]) -> Result<Vec<f64>, PlacementError> {
    let one = |time: &Seconds| {
        let value = time.as_secs();
        if value.is_finite() && 0.0 <= value {
            return Ok(value);
        }
        let must = "not negative";
        Err(PlacementError::Value { field, value, must })
    };
    times.iter().map(one).collect()
}
