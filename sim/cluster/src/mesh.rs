//! Direct links between the GPUs of a node, and the paths over them.

use crate::device::{Link, LinkKind};
use crate::layout::{Layout, Local};
use crate::spec::{MeshLink, ScaleUpSpec};

/// Paths between GPUs over direct links.
#[derive(Debug, Default)]
pub(crate) struct Mesh {
    gpus: u32,
    /// By pair: hops, the narrowest bundle on the way, the first link and the next GPU.
    steps: Vec<Option<Step>>,
}

#[derive(Clone, Copy, Debug)]
struct Step {
    hops: u32,
    width: u32,
    link: u32,
    next: u32,
}

impl Mesh {
    fn new(gpus: u32, bundles: &[(MeshLink, u32)]) -> Self {
        let mut mesh = Self {
            gpus,
            steps: vec![None; (gpus * gpus) as usize],
        };
        for (
            MeshLink {
                gpus: [a, b],
                count,
            },
            link,
        ) in bundles
        {
            mesh.direct(*a, *b, *count, *link);
            mesh.direct(*b, *a, *count, *link + 1);
        }
        mesh.close();
        mesh
    }

    fn direct(&mut self, from: u32, to: u32, width: u32, link: u32) {
        self.steps[(from * self.gpus + to) as usize] = Some(Step {
            hops: 1,
            width,
            link,
            next: to,
        });
    }

    /// Fewest hops, then the widest narrowest bundle, then the lowest neighbor: NCCL takes a
    /// neighbor's `NVLink` (its path type NVB) before `PCIe`, by the same order.
    fn close(&mut self) {
        for via in 0..self.gpus {
            for from in 0..self.gpus {
                let Some(first) = self.steps[(from * self.gpus + via) as usize] else {
                    continue;
                };
                for to in (0..self.gpus).filter(|to| *to != from) {
                    let Some(second) = self.steps[(via * self.gpus + to) as usize] else {
                        continue;
                    };
                    let step = Step {
                        hops: first.hops + second.hops,
                        width: first.width.min(second.width),
                        ..first
                    };
                    let at = (from * self.gpus + to) as usize;
                    if self.steps[at].is_none_or(|old| step.beats(old)) {
                        self.steps[at] = Some(step);
                    }
                }
            }
        }
    }

    pub(crate) fn path(&self, from: u32, to: u32) -> Option<Vec<u32>> {
        let mut links = Vec::new();
        let mut at = from;
        while at != to {
            let step = (*self.steps.get((at * self.gpus + to) as usize)?)?;
            links.push(step.link);
            at = step.next;
        }
        Some(links)
    }
}

impl Step {
    fn beats(self, other: Self) -> bool {
        (self.hops, other.width) < (other.hops, self.width)
    }
}

/// Adds the links between GPUs.
pub(crate) fn scale_up_links(spec: &ScaleUpSpec, layout: &mut Layout) -> Mesh {
    let link = |rate, latency| Link {
        rate,
        latency,
        kind: LinkKind::ScaleUp,
    };
    let used = layout.gpus;
    match spec {
        ScaleUpSpec::NvSwitch { rate, latency, .. } => {
            for gpu in 0..used {
                layout.join(Local::Gpu(gpu), Local::Switch, link(*rate, *latency));
            }
            Mesh::default()
        }
        ScaleUpSpec::Mesh {
            rate,
            latency,
            links,
        } => {
            let pairs = links
                .iter()
                .filter(|pair| pair.gpus.iter().all(|gpu| *gpu < used));
            let bundles: Vec<_> = pairs
                .map(|pair| {
                    let [a, b] = pair.gpus.map(Local::Gpu);
                    let rate = rate.scale(f64::from(pair.count)).unwrap_or(*rate);
                    (*pair, layout.join(a, b, link(rate, *latency)))
                })
                .collect();
            Mesh::new(used, &bundles)
        }
        ScaleUpSpec::FullMesh { rate, latency } => {
            let pairs = (0..used).flat_map(|a| (a + 1..used).map(move |b| [a, b]));
            let bundles: Vec<_> = pairs
                .map(|gpus| {
                    let [a, b] = gpus.map(Local::Gpu);
                    let id = layout.join(a, b, link(*rate, *latency));
                    (MeshLink { gpus, count: 1 }, id)
                })
                .collect();
            Mesh::new(used, &bundles)
        }
        ScaleUpSpec::Pcie => Mesh::default(),
    }
}
