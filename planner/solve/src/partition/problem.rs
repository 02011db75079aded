//! The question, and its checked form.

use units::{Bytes, Seconds, SimTime};

use super::{Partition, Rule};
use crate::SolveError;

/// What a layer, an embedding or a head costs on one device.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LayerCost {
    /// Time of one micro-batch, forward and backward.
    pub time: Seconds,
    /// Bytes whatever the schedule: weights, gradients, optimizer.
    pub fixed: Bytes,
    /// Bytes for each micro-batch in flight: saved activations.
    pub in_flight: Bytes,
}

/// Layers to be split over the stages of a pipeline.
#[derive(Clone, Debug, PartialEq)]
pub struct PartitionSpec {
    /// The layers, in order.
    pub layers: Vec<LayerCost>,
    /// What the first virtual stage holds besides layers: the embedding.
    pub first: LayerCost,
    /// What the last virtual stage holds besides layers: final norm, head and loss.
    pub last: LayerCost,
    /// Bytes that layers may take, by device; as many as the pipeline has devices (pp).
    pub limits: Vec<Bytes>,
    /// Virtual stages of a device (vp); 1 without interleaving.
    pub chunks: usize,
    /// Micro-batches in flight on each virtual stage at most; entry `v` lies on device `v % pp`.
    pub in_flight: Vec<f64>,
    /// What the split must keep besides.
    pub rules: Vec<Rule>,
}

impl PartitionSpec {
    /// One chunk a device, 1F1B's `pp − s` micro-batches in flight, the same memory everywhere.
    pub fn even(layers: Vec<LayerCost>, pp: usize, limit: Bytes) -> Self {
        Self {
            layers,
            first: LayerCost::default(),
            last: LayerCost::default(),
            limits: vec![limit; pp],
            chunks: 1,
            in_flight: (0..pp).map(|stage| (pp - stage) as f64).collect(),
            rules: Vec::new(),
        }
    }
}

/// A stage's share of the rules and costs.
#[derive(Clone, Debug)]
pub(super) struct Stage {
    /// Picoseconds besides its layers.
    pub(super) time: u64,
    pub(super) fixed: u64,
    pub(super) activation: u64,
    pub(super) in_flight: f64,
    pub(super) least: usize,
    pub(super) most: usize,
    /// How many of the first `i` layers may not lie here; empty where all may.
    forbidden: Vec<u32>,
}

/// A question that holds together. Sums over the first layers make the cost of a run of layers a
/// difference.
#[derive(Clone, Debug)]
pub(super) struct Problem {
    pub(super) n_layers: usize,
    pub(super) pp: usize,
    pub(super) chunks: usize,
    pub(super) limits: Vec<u64>,
    pub(super) stages: Vec<Stage>,
    /// Picoseconds, bytes and bytes a micro-batch of the first `i` layers.
    pub(super) time: Vec<u64>,
    fixed: Vec<u64>,
    activation: Vec<u64>,
}

impl Problem {
    pub(super) fn check(spec: &PartitionSpec) -> Result<Self, SolveError> {
        check_shape(spec)?;
        let mut time = vec![0];
        for (index, layer) in spec.layers.iter().enumerate() {
            let picos = picos(layer.time, || format!("the time of layer {index}"))?;
            time.push(sum(time[index], picos)?);
        }
        Ok(Self {
            n_layers: spec.layers.len(),
            pp: spec.limits.len(),
            chunks: spec.chunks,
            limits: spec.limits.iter().map(|limit| limit.as_u64()).collect(),
            stages: stages(spec)?,
            time,
            fixed: sums(spec.layers.iter().map(|layer| layer.fixed))?,
            activation: sums(spec.layers.iter().map(|layer| layer.in_flight))?,
        })
    }

    pub(super) fn n_stages(&self) -> usize {
        self.stages.len()
    }

    /// Picoseconds of layers `from..to` on a virtual stage.
    pub(super) fn stage_time(&self, stage: usize, from: usize, to: usize) -> u64 {
        self.time[to] - self.time[from] + self.stages[stage].time
    }

    /// Bytes of layers `from..to` on a virtual stage.
    pub(super) fn stage_memory(&self, stage: usize, from: usize, to: usize) -> u64 {
        let held = &self.stages[stage];
        let fixed = self.fixed[to] - self.fixed[from] + held.fixed;
        fixed.saturating_add(self.stage_activation(stage, from, to))
    }

    /// Those of them that are activations in flight.
    pub(super) fn stage_activation(&self, stage: usize, from: usize, to: usize) -> u64 {
        let held = &self.stages[stage];
        let one = self.activation[to] - self.activation[from] + held.activation;
        Bytes::from_f64((one as f64 * held.in_flight).ceil()).as_u64()
    }

    /// Whether rules let layers `from..to` lie on a virtual stage.
    pub(super) fn may_hold(&self, stage: usize, from: usize, to: usize) -> bool {
        let held = &self.stages[stage];
        let count = to - from;
        let forbidden = held.forbidden.get(to).zip(held.forbidden.get(from));
        held.least <= count && count <= held.most && forbidden.is_none_or(|(b, a)| a == b)
    }

    /// A split in the words of the answer. Without a bound the split itself is the best.
    pub(super) fn describe(&self, counts: &[usize], bound: Option<u64>) -> Partition {
        let (times, memory) = self.by_device(counts);
        let slowest = times.iter().copied().max().unwrap_or(0);
        let seconds = |picos: u64| SimTime::from_picos(picos).as_seconds();
        let count = |count: &usize| u32::try_from(*count).unwrap_or(u32::MAX);
        Partition {
            counts: counts.iter().map(count).collect(),
            times: times.into_iter().map(seconds).collect(),
            memory: memory.into_iter().map(Bytes::new).collect(),
            slowest: seconds(slowest),
            bound: seconds(bound.unwrap_or(slowest)),
        }
    }

    /// Picoseconds and bytes of every device.
    pub(super) fn by_device(&self, counts: &[usize]) -> (Vec<u64>, Vec<u64>) {
        let (mut times, mut memory) = (vec![0; self.pp], vec![0_u64; self.pp]);
        let mut from = 0;
        for (stage, count) in counts.iter().enumerate() {
            let (to, device) = (from + count, stage % self.pp);
            times[device] += self.stage_time(stage, from, to);
            memory[device] = memory[device].saturating_add(self.stage_memory(stage, from, to));
            from = to;
        }
        (times, memory)
    }
}

fn check_shape(spec: &PartitionSpec) -> Result<(), SolveError> {
    let zero = |field| Err(SolveError::Zero { field });
    if spec.layers.is_empty() {
        return zero("the number of layers");
    }
    if spec.limits.is_empty() {
        return zero("the number of devices");
    }
    if spec.chunks == 0 {
        return zero("the number of chunks");
    }
    let needed = spec.limits.len().saturating_mul(spec.chunks);
    if spec.in_flight.len() != needed {
        return Err(SolveError::Length {
            field: "in_flight",
            given: spec.in_flight.len(),
            needed,
            of: "virtual stages",
        });
    }
    for rule in &spec.rules {
        rule.check(spec.layers.len(), needed)?;
    }
    Ok(())
}

fn stages(spec: &PartitionSpec) -> Result<Vec<Stage>, SolveError> {
    let n = spec.in_flight.len();
    let one = |stage: usize| {
        let mut extra = LayerCost::default();
        for (holds, cost) in [(stage == 0, &spec.first), (stage == n - 1, &spec.last)] {
            if holds {
                extra.time += cost.time;
                extra.fixed = Bytes::new(sum(extra.fixed.as_u64(), cost.fixed.as_u64())?);
                let activation = sum(extra.in_flight.as_u64(), cost.in_flight.as_u64())?;
                extra.in_flight = Bytes::new(activation);
            }
        }
        let in_flight = spec.in_flight[stage];
        if !(in_flight.is_finite() && 0.0 <= in_flight) {
            let what = format!("the number of micro-batches in flight on stage {stage}");
            return Err(SolveError::NotFinite {
                what,
                value: in_flight,
            });
        }
        Ok(Stage {
            time: picos(extra.time, || format!("the extra time of stage {stage}"))?,
            fixed: extra.fixed.as_u64(),
            activation: extra.in_flight.as_u64(),
            in_flight,
            least: Rule::least(&spec.rules, stage).min(spec.layers.len() + 1),
            most: Rule::most(&spec.rules, stage),
            forbidden: Rule::forbidden(&spec.rules, stage, spec.layers.len()),
        })
    };
    (0..n).map(one).collect()
}

fn sums(values: impl Iterator<Item = Bytes>) -> Result<Vec<u64>, SolveError> {
    let mut sums = vec![0];
    for value in values {
        sums.push(sum(sums[sums.len() - 1], value.as_u64())?);
    }
    Ok(sums)
}

/// A sum that leaves room to add a handful of its like.
fn sum(a: u64, b: u64) -> Result<u64, SolveError> {
    a.checked_add(b)
        .filter(|sum| *sum < u64::MAX / 8)
        .ok_or(SolveError::TooLarge)
}

fn picos(time: Seconds, what: impl Fn() -> String) -> Result<u64, SolveError> {
    let value = time.as_secs();
    if !(value.is_finite() && 0.0 <= value) {
        let what = what();
        return Err(SolveError::NotFinite { what, value });
    }
    let time = SimTime::from_picos(0).after(time);
    let picos = time.map(SimTime::as_picos);
    sum(picos.map_err(|_| SolveError::TooLarge)?, 0)
}
