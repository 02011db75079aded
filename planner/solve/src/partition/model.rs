//! The split of layers as an integer program.
//!
//! ```text
//! minimize    T
//! subject to  sum over s of x(l, s) = 1                              every layer l lies somewhere
//!             sum over s' <= s of x(l + 1, s') <= sum over s' <= s of x(l, s')    layers in order
//!             sum of the times on device d <= T
//!             sum of the bytes on device d <= limit of d
//!             least <= sum over l of x(l, s) <= most
//! ```
//!
//! with `x(l, s)` 1 where layer `l` lies on virtual stage `s`. Times are in units of an even share
//! of all time, so that `T` is 1 for a perfect split; bytes are in units of the limit.

use super::problem::Problem;
use super::{Partition, PartitionSpec, Rule};
use crate::{Direction, Domain, Program, Relation, Solution, SolveError, VarId};

/// The integer program of a split, open to more constraints.
#[derive(Clone, Debug)]
pub struct PartitionProgram {
    /// The program; constrain it further with [`Program::constrain`].
    pub program: Program,
    pace: VarId,
    on: Vec<Vec<VarId>>,
    problem: Problem,
    /// Picoseconds of a perfect share.
    share: f64,
}

impl PartitionProgram {
    /// The program of a question.
    ///
    /// # Errors
    ///
    /// What of the input does not hold together.
    pub fn new(spec: &PartitionSpec) -> Result<Self, SolveError> {
        let problem = Problem::check(spec)?;
        let mut program = Program::new("layer_split", Direction::Minimize);
        let pace = program.variable("pace", Domain::Real, 0.0, f64::INFINITY)?;
        program.set_objective(&[(pace, 1.0)])?;
        let on = places(&mut program, &problem);
        let share = share(&problem);
        let mut model = Self {
            program,
            pace,
            on,
            problem,
            share,
        };
        model.in_order()?;
        model.devices()?;
        model.counts()?;
        model.rules(&spec.rules)?;
        Ok(model)
    }

    /// The variable that is 1 where a layer lies on a virtual stage.
    ///
    /// # Errors
    ///
    /// [`SolveError::RuleOutside`] where there is no such layer or stage.
    pub fn on(&self, layer: usize, stage: usize) -> Result<VarId, SolveError> {
        Rule::Pin { layer, stage }.check(self.problem.n_layers, self.problem.n_stages())?;
        Ok(self.on[layer][stage])
    }

    /// The variable that is minimized: the time of the slowest device over an even share.
    pub const fn pace(&self) -> VarId {
        self.pace
    }

    /// The split that a solution stands for.
    pub fn read(&self, solution: &Solution) -> Partition {
        let holds = |stage: usize| {
            let on = |layer: &&Vec<VarId>| 0.5 < solution.value(layer[stage]);
            self.on.iter().filter(on).count()
        };
        let counts: Vec<usize> = (0..self.problem.n_stages()).map(holds).collect();
        let bound = (!solution.is_proven()).then_some(0);
        self.problem.describe(&counts, bound)
    }

    fn in_order(&mut self) -> Result<(), SolveError> {
        for (layer, stages) in self.on.iter().enumerate() {
            let all: Vec<_> = stages.iter().map(|id| (*id, 1.0)).collect();
            let name = format!("layer {layer} somewhere");
            self.program.constrain(&name, &all, Relation::Equal, 1.0)?;
        }
        for layer in 1..self.on.len() {
            for stage in 0..self.problem.n_stages() - 1 {
                let later = self.on[layer][..=stage].iter().map(|id| (*id, 1.0));
                let earlier = self.on[layer - 1][..=stage].iter().map(|id| (*id, -1.0));
                let terms: Vec<_> = later.chain(earlier).collect();
                let name = format!("layer {layer} behind {} at stage {stage}", layer - 1);
                self.program
                    .constrain(&name, &terms, Relation::AtMost, 0.0)?;
            }
        }
        Ok(())
    }

    fn devices(&mut self) -> Result<(), SolveError> {
        for device in 0..self.problem.pp {
            let (mut times, mut bytes) = (vec![(self.pace, -1.0)], Vec::new());
            let (mut extra_time, mut extra_bytes) = (0.0, 0.0);
            let limit = self.problem.limits[device].max(1) as f64;
            for stage in (device..self.problem.n_stages()).step_by(self.problem.pp) {
                let held = &self.problem.stages[stage];
                extra_time += held.time as f64 / self.share;
                extra_bytes += self.problem.stage_memory(stage, 0, 0) as f64 / limit;
                for layer in 0..self.problem.n_layers {
                    let (time, memory) = self.layer(stage, layer);
                    times.push((self.on[layer][stage], time / self.share));
                    bytes.push((self.on[layer][stage], memory / limit));
                }
            }
            let name = format!("pace of device {device}");
            self.program
                .constrain(&name, &times, Relation::AtMost, -extra_time)?;
            let room = self.problem.limits[device] as f64 / limit - extra_bytes;
            let name = format!("memory of device {device}");
            self.program
                .constrain(&name, &bytes, Relation::AtMost, room)?;
        }
        Ok(())
    }

    /// Picoseconds and bytes that a layer adds to a stage.
    fn layer(&self, stage: usize, layer: usize) -> (f64, f64) {
        let problem = &self.problem;
        let time = problem.time[layer + 1] - problem.time[layer];
        let memory = problem.stage_memory(stage, layer, layer + 1);
        let memory = memory.saturating_sub(problem.stage_memory(stage, layer, layer));
        (time as f64, memory as f64)
    }

    fn counts(&mut self) -> Result<(), SolveError> {
        for stage in 0..self.problem.n_stages() {
            let held = &self.problem.stages[stage];
            let (least, most) = (held.least, held.most.min(self.problem.n_layers));
            let all: Vec<_> = self.on.iter().map(|layer| (layer[stage], 1.0)).collect();
            for (what, relation, count) in [
                ("least", Relation::AtLeast, least),
                ("most", Relation::AtMost, most),
            ] {
                let name = format!("{what} layers of stage {stage}");
                self.program
                    .constrain(&name, &all, relation, count as f64)?;
            }
        }
        Ok(())
    }

    fn rules(&mut self, rules: &[Rule]) -> Result<(), SolveError> {
        for rule in rules {
            let (layer, stage, value) = match *rule {
                Rule::Pin { layer, stage } => (layer, stage, 1.0),
                Rule::Forbid { layer, stage } => (layer, stage, 0.0),
                Rule::AtLeast { .. } | Rule::AtMost { .. } => continue,
            };
            let terms = [(self.on[layer][stage], 1.0)];
            let name = rule.to_string();
            self.program
                .constrain(&name, &terms, Relation::Equal, value)?;
        }
        Ok(())
    }
}

fn places(program: &mut Program, problem: &Problem) -> Vec<Vec<VarId>> {
    let mut place = |layer, stage| program.binary(&format!("layer {layer} on stage {stage}"));
    let mut of_layer = |layer| (0..problem.n_stages()).map(|s| place(layer, s)).collect();
    (0..problem.n_layers).map(&mut of_layer).collect()
}

/// Picoseconds of all layers and extras over the devices; 1 where nothing takes time.
fn share(problem: &Problem) -> f64 {
    let extras: u64 = problem.stages.iter().map(|stage| stage.time).sum();
    let total = problem.time[problem.n_layers] + extras;
    (total.max(1) as f64 / problem.pp as f64).max(1.0)
}
