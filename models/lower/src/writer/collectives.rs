//! Collectives, whole or in parts that feed or drain a kernel.

use task::{Step, Work as TaskWork};
use trace::{Category, StreamKind};
use workload::ops::{Axis, Op, Overlap};

use super::Writer;
use crate::axes;

impl Writer<'_> {
    /// Writes a collective, as it overlaps.
    pub(super) fn communicate(&mut self, op: &Op, axis: Axis, work: TaskWork, bytes: u64) {
        if bytes == 0 {
            return;
        }
        self.launched.collectives += 1;
        let (stream, category) = axes::stream(axis);
        let on = (stream, category);
        let share = self.exposed(axis);
        let overlap = if 1.0 <= share {
            Overlap::None
        } else {
            op.overlap
        };
        let (waited, work) = if overlap == Overlap::None || share <= 0.0 {
            (None, work)
        } else {
            (Some(scaled(work, share)), scaled(work, 1.0 - share))
        };
        let drains = matches!(overlap, Overlap::Drains(_));
        if let Some(waited) = waited.filter(|_| !drains) {
            self.wait(op.name, on, waited);
        }
        match overlap {
            Overlap::None => self.wait(op.name, on, work),
            Overlap::Async(slot) => {
                self.flush();
                let step = Step::new(op.name, stream, category, work, self.frontier.clone());
                let id = self.block.push(step);
                self.slots.push((slot.0, id));
            }
            Overlap::Feeds(parts) => {
                self.flush();
                for part in divide(work, parts) {
                    let step = Step::new(op.name, stream, category, part, self.frontier.clone());
                    let id = self.block.push(step);
                    self.feeds.push(id);
                }
            }
            Overlap::Drains(parts) => self.drain(op.name, on, work, parts),
        }
        if let Some(waited) = waited.filter(|_| drains) {
            self.wait(op.name, on, waited);
        }
    }

    /// Writes a collective that everything waits for.
    fn wait(
        &mut self,
        name: &'static str,
        (stream, category): (StreamKind, Category),
        work: TaskWork,
    ) {
        self.flush();
        let step = Step::new(name, stream, category, work, self.frontier.clone());
        let id = self.block.push(step);
        self.frontier = vec![id];
    }

    /// The share of an axis's overlapped collectives that is waited for nevertheless. It becomes a
    /// collective of its own, with a latency of its own.
    fn exposed(&self, axis: Axis) -> f64 {
        let exposed = self.profile.exposed();
        match axis {
            Axis::Tp | Axis::Etp => exposed.tp,
            Axis::Cp => exposed.cp,
            _ => 0.0,
        }
    }

    /// The previous kernel in parts, each followed by its part of the collective.
    fn drain(
        &mut self,
        name: &'static str,
        (stream, category): (StreamKind, Category),
        work: TaskWork,
        parts: u32,
    ) {
        let Some((whole, kernel)) = self.kernels.pop() else {
            let step = Step::new(name, stream, category, work, self.frontier.clone());
            let id = self.block.push(step);
            self.frontier = vec![id];
            return;
        };
        self.flush();
        let fact = self.part_of(whole, &kernel, parts as usize);
        let mut last = self.frontier.clone();
        for part in divide(work, parts) {
            let mut step = Step::compute(self.label, fact.time, self.frontier.clone());
            step.category = self.category;
            step.detail = self.detail(vec![fact]);
            let computed = self.block.push(step);
            let step = Step::new(name, stream, category, part, vec![computed]);
            last = vec![self.block.push(step)];
        }
        self.frontier = last;
    }
}

/// A collective of so many times the bytes.
fn scaled(work: TaskWork, by: f64) -> TaskWork {
    match work {
        TaskWork::Collective { group, kind, bytes } => TaskWork::Collective {
            group,
            kind,
            bytes: bytes.scale(by),
        },
        other => other,
    }
}

/// A collective in equal parts.
fn divide(work: TaskWork, parts: u32) -> impl Iterator<Item = TaskWork> {
    let parts = parts.max(1);
    let part = match work {
        TaskWork::Collective { group, kind, bytes } => TaskWork::Collective {
            group,
            kind,
            bytes: bytes / u64::from(parts),
        },
        other => other,
    };
    (0..parts).map(move |_| part)
}
