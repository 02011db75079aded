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
        let (stream, category) = axes::stream(axis);
        match op.overlap {
            Overlap::None => {
                self.flush();
                let step = Step::new(op.name, stream, category, work, self.frontier.clone());
                let id = self.block.push(step);
                self.frontier = vec![id];
            }
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
            Overlap::Drains(parts) => self.drain(op.name, (stream, category), work, parts),
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
        let Some((kernel_name, kernel, time)) = self.kernels.pop() else {
            let step = Step::new(name, stream, category, work, self.frontier.clone());
            let id = self.block.push(step);
            self.frontier = vec![id];
            return;
        };
        self.flush();
        let part_time = self.price_part(&kernel, parts as usize, time);
        let mut last = self.frontier.clone();
        for part in divide(work, parts) {
            let mut step = Step::compute(self.label, part_time, self.frontier.clone());
            step.category = self.category;
            step.detail = self.detail(vec![(kernel_name, part_time)]);
            let computed = self.block.push(step);
            let step = Step::new(name, stream, category, part, vec![computed]);
            last = vec![self.block.push(step)];
        }
        self.frontier = last;
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
