//! Operators to steps: kernels in a row become one step, collectives stay whole.
//!
//! ```text
//! operators   k k k C k C* k k K K ..      C waits, C* is asynchronous
//! steps       [k k k] [C] [k] [C*] [k k] ..
//! streams     compute  tp  compute  tp      in order per stream
//! ```
//!
//! A waiting collective starts after everything before it, and everything after it waits. An
//! asynchronous one starts after everything before it; only an operator that names its slot,
//! and the end of the list, wait for it.

mod collectives;
mod worth;

use profile::{Gemm, Kernel, Packing, Place, Profile, Provenance};
use task::{Block, MemoryEffect, Step, StepId, Work as TaskWork};
use trace::{Category, Detail, NO_INDEX, Pass};
use units::Seconds;
use workload::ops::{Op, Region, Work};

use crate::axes;

pub use worth::Worth;

/// The kernels inside steps, shared by all programs of a run.
#[derive(Debug, Default)]
pub(crate) struct Details {
    pub(crate) lists: Vec<Vec<Detail>>,
    /// What the kernels of each list are.
    pub(crate) kernels: Vec<Vec<KernelFact>>,
}

/// A kernel inside a step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct KernelFact {
    /// The operator.
    pub name: &'static str,
    /// Its shape; none where its time was measured as a whole.
    pub kernel: Option<Kernel>,
    /// Its duration when nothing else runs, with its launches.
    pub time: Seconds,
    /// What that time is worth.
    pub worth: Provenance,
}

/// A kernel and the part of the model that it works for.
#[derive(Clone, Copy, Debug)]
struct Located {
    kernel: Kernel,
    place: Place,
}

impl Located {
    fn of(kernel: Kernel, region: Region) -> Self {
        let place = match region {
            Region::Router
            | Region::Dispatch
            | Region::Experts
            | Region::ExpertActivation
            | Region::Combine => Place::Experts,
            Region::Logits | Region::Loss => Place::Head,
            _ => Place::Dense,
        };
        Self { kernel, place }
    }
}

/// What the host has launched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Launched {
    /// Kernels.
    pub(crate) kernels: u32,
    /// Attention cores whose softmax is several kernels.
    pub(crate) loose: u32,
    /// Collectives inside layers.
    pub(crate) collectives: u32,
}

/// Appends operators to a block.
pub(crate) struct Writer<'a> {
    profile: &'a Profile,
    details: Option<&'a mut Details>,
    block: Block,
    category: Category,
    pass: Pass,
    /// What the next operator waits for.
    frontier: Vec<StepId>,
    kernels: Vec<(KernelFact, Located)>,
    slots: Vec<(u16, StepId)>,
    /// Parts of an all-gather that feed the next kernel.
    feeds: Vec<StepId>,
    label: &'static str,
    launched: Launched,
    worth: Worth,
}

impl<'a> Writer<'a> {
    /// A writer of a new block.
    pub(crate) fn new(name: &str, profile: &'a Profile, details: Option<&'a mut Details>) -> Self {
        Self {
            profile,
            details,
            block: Block {
                name: name.to_owned(),
                steps: Vec::new(),
            },
            category: Category::Compute,
            pass: Pass::None,
            frontier: Vec::new(),
            kernels: Vec::new(),
            slots: Vec::new(),
            feeds: Vec::new(),
            label: "compute",
            launched: Launched::default(),
            worth: Worth::default(),
        }
    }

    /// What later compute counts for.
    pub(crate) fn set_category(&mut self, category: Category) {
        self.flush();
        self.category = category;
    }

    /// The pass of all steps that have none of their own.
    pub(crate) const fn set_pass(&mut self, pass: Pass) {
        self.pass = pass;
    }

    /// The pass of some steps.
    pub(crate) fn mark(&mut self, steps: std::ops::Range<usize>, pass: Pass) {
        for step in &mut self.block.steps[steps] {
            step.pass = pass;
        }
    }

    /// The name of later compute steps.
    pub(crate) fn set_label(&mut self, label: &'static str) {
        self.flush();
        self.label = label;
    }

    /// Kernel launches written so far.
    pub(crate) fn launched(&self) -> Launched {
        self.launched
    }

    /// Steps written so far.
    pub(crate) fn n_steps(&mut self) -> usize {
        self.flush();
        self.block.steps.len()
    }

    /// Appends a list of operators; ends when all of them have, asynchronous ones included.
    /// Returns the range of the steps that it became.
    pub(crate) fn write<'o>(
        &mut self,
        ops: impl IntoIterator<Item = &'o Op>,
    ) -> std::ops::Range<usize> {
        let first = self.n_steps();
        self.frontier = self.write_open(ops);
        first..self.block.steps.len()
    }

    /// Appends a list of operators without waiting for asynchronous ones; returns what would
    /// have to be waited for.
    pub(crate) fn write_open<'o>(&mut self, ops: impl IntoIterator<Item = &'o Op>) -> Vec<StepId> {
        self.flush();
        for op in ops {
            self.op(op);
        }
        self.flush();
        let mut all = self.frontier.clone();
        for (_, step) in self.slots.drain(..) {
            if !all.contains(&step) {
                all.push(step);
            }
        }
        all
    }

    /// Appends a list of operators of whose time only a share is spent.
    pub(crate) fn write_share<'o>(&mut self, ops: impl IntoIterator<Item = &'o Op>, share: f64) {
        if share <= 0.0 {
            return;
        }
        for step in self.write(ops) {
            if let TaskWork::Compute(time) = &mut self.block.steps[step].work {
                *time = *time * share;
            }
        }
    }

    /// Appends a step that waits for everything before it and that everything after waits for.
    pub(crate) fn push(&mut self, step: Step) -> StepId {
        self.flush();
        let mut step = step;
        step.after.clone_from(&self.frontier);
        let id = self.block.push(step);
        self.frontier = vec![id];
        id
    }

    /// Appends a step that waits for the given steps and for which only `frontier` waits.
    pub(crate) fn push_beside(&mut self, step: Step) -> StepId {
        self.flush();
        self.block.push(step)
    }

    /// Makes everything that follows wait for a step.
    pub(crate) fn wait_for(&mut self, step: StepId) {
        self.flush();
        if !self.frontier.contains(&step) {
            self.frontier.push(step);
        }
    }

    /// What everything that follows waits for.
    pub(crate) fn frontier(&mut self) -> &[StepId] {
        self.flush();
        &self.frontier
    }

    /// Seconds of the compute steps written so far.
    pub(crate) fn compute_time(&mut self) -> Seconds {
        self.flush();
        compute_time(&self.block.steps)
    }

    /// A step of the block.
    pub(crate) fn step_mut(&mut self, step: usize) -> &mut Step {
        &mut self.block.steps[step]
    }

    /// Attaches memory effects to a step.
    pub(crate) fn remember(&mut self, step: usize, effect: MemoryEffect) {
        if effect.bytes.as_u64() != 0 {
            self.block.steps[step].memory.push(effect);
        }
    }

    /// The finished block and the worth of its prices.
    pub(crate) fn finish(mut self) -> (Block, Worth) {
        self.flush();
        for step in &mut self.block.steps {
            if step.pass == Pass::None {
                step.pass = self.pass;
            }
        }
        (self.block, self.worth)
    }

    fn op(&mut self, op: &Op) {
        if let Some(slot) = op.waits {
            self.flush();
            if let Some(&(_, step)) = self.slots.iter().rev().find(|(known, _)| *known == slot.0) {
                self.wait_for(step);
            }
        }
        match op.work {
            Work::Kernel(kernel) => self.kernel(op.name, Located::of(kernel, op.region)),
            Work::Measured(time) => {
                self.worth.add(Provenance::Measured, time);
                self.flush();
                let fact = KernelFact {
                    name: op.name,
                    kernel: None,
                    time,
                    worth: Provenance::Measured,
                };
                self.compute(vec![fact], time);
            }
            Work::Collective { axis, kind, bytes } => {
                let work = TaskWork::Collective {
                    group: axes::slot(axis),
                    kind,
                    bytes,
                };
                self.communicate(op, axis, work, bytes.as_u64());
            }
            Work::Shift {
                axis,
                forward,
                back,
                ..
            } => {
                let bytes = forward.max(back);
                let kind = profile::CollectiveKind::SendRecv;
                let work = TaskWork::Collective {
                    group: axes::slot(axis),
                    kind,
                    bytes,
                };
                self.communicate(op, axis, work, bytes.as_u64());
            }
        }
    }

    fn kernel(&mut self, name: &'static str, kernel: Located) {
        let fact = self.price(name, &kernel);
        if self.feeds.is_empty() {
            self.kernels.push((fact, kernel));
            return;
        }
        let feeds = std::mem::take(&mut self.feeds);
        let fact = self.part_of(fact, &kernel, feeds.len());
        let part = fact.time;
        let mut last = None;
        for feed in feeds {
            self.frontier.retain(|&step| step != feed);
            let mut step = Step::compute(self.label, part, self.frontier.clone());
            step.category = self.category;
            step.after.push(feed);
            step.detail = self.detail(vec![fact]);
            last = Some(self.block.push(step));
        }
        self.frontier.extend(last);
    }

    fn price(&mut self, name: &'static str, located: &Located) -> KernelFact {
        let launches = if let Kernel::Stream(stream) = &located.kernel {
            stream.launches
        } else {
            1
        };
        let timed = self.profile.time_at(&located.kernel, located.place);
        let time = timed.time + self.profile.launch() * f64::from(launches);
        self.launched.kernels += launches;
        self.launched.loose += u32::from(self.profile.is_loose(&located.kernel));
        self.worth.add(timed.provenance, time);
        KernelFact {
            name,
            kernel: Some(located.kernel),
            time,
            worth: timed.provenance,
        }
    }

    /// One of `parts` equal parts of a kernel: fewer rows of a product fill the GPU less well.
    fn part_of(&self, whole: KernelFact, located: &Located, parts: usize) -> KernelFact {
        let parts = parts.max(1);
        match &located.kernel {
            Kernel::Gemm(gemm) if gemm.packing == Packing::Single => {
                let part = Gemm {
                    m: gemm.m.div_ceil(parts as u64).max(1),
                    ..*gemm
                };
                let part = Kernel::Gemm(part);
                let time = self.profile.time_at(&part, located.place).time + self.profile.launch();
                KernelFact {
                    kernel: Some(part),
                    time,
                    ..whole
                }
            }
            // What it does is told whole, what it takes in parts.
            _ => KernelFact {
                time: whole.time / parts as f64,
                ..whole
            },
        }
    }

    fn flush(&mut self) {
        if self.kernels.is_empty() {
            return;
        }
        let kernels = std::mem::take(&mut self.kernels);
        let facts: Vec<KernelFact> = kernels.into_iter().map(|(fact, _)| fact).collect();
        let time = facts.iter().map(|fact| fact.time).sum();
        self.compute(facts, time);
    }

    fn compute(&mut self, kernels: Vec<KernelFact>, time: Seconds) {
        let mut step = Step::compute(self.label, time, self.frontier.clone());
        step.category = self.category;
        step.detail = self.detail(kernels);
        let id = self.block.push(step);
        self.frontier = vec![id];
    }

    fn detail(&mut self, kernels: Vec<KernelFact>) -> u32 {
        let Some(details) = self.details.as_deref_mut() else {
            return NO_INDEX;
        };
        let list = kernels
            .iter()
            .map(|kernel| Detail {
                name: kernel.name.to_owned(),
                time: kernel.time,
            })
            .collect();
        details.lists.push(list);
        details.kernels.push(kernels);
        u32::try_from(details.lists.len() - 1).unwrap_or(NO_INDEX)
    }
}

/// Seconds of the compute steps among some steps.
pub(crate) fn compute_time(steps: &[Step]) -> Seconds {
    let times = steps.iter().map(|step| match step.work {
        TaskWork::Compute(time) => time,
        _ => Seconds::ZERO,
    });
    times.sum()
}

#[cfg(test)]
mod tests;
