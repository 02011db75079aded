//! A cluster with faults: slow or dead links, slow GPUs.

use std::sync::OnceLock;

use units::{GpuId, LinkId};

use crate::cluster::Cluster;
use crate::device::{Device, LinkKind};
use crate::error::ClusterError;

/// What is wrong with a cluster. Links and GPUs are given by name.
#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    /// A link carries that share of its rate, in the direction of its name.
    SlowLink {
        /// Its name, for example `n3nic2->leaf4`.
        link: String,
        /// Its rate as a share of the data sheet's, above 0.
        rate: f64,
    },
    /// A link between two switches is down in both directions: routes go around it.
    DeadLink {
        /// Its name, in either direction.
        link: String,
    },
    /// A GPU computes at that share of its kind's speed.
    SlowGpu {
        /// Its name, for example `n0g0`.
        gpu: String,
        /// Above 0; 0.8 takes a quarter more time.
        speed: f64,
    },
}

impl Cluster {
    /// A copy with faults.
    ///
    /// # Errors
    ///
    /// Every fault that names nothing of this cluster, has a factor that is not a positive
    /// number, or leaves two leaves without a way.
    pub fn degraded(&self, faults: &[Fault]) -> Result<Self, Vec<ClusterError>> {
        let mut copy = self.clone();
        let errors: Vec<_> = faults
            .iter()
            .filter_map(|fault| copy.suffer(fault).err())
            .collect();
        if errors.is_empty() {
            Ok(copy)
        } else {
            Err(errors)
        }
    }

    /// A copy where a link carries a share of its rate.
    ///
    /// # Errors
    ///
    /// If the share is not a positive number.
    pub fn with_link_rate(&self, link: LinkId, share: f64) -> Result<Self, ClusterError> {
        let mut copy = self.clone();
        copy.slow_link(link, share)?;
        Ok(copy)
    }

    /// A copy where a GPU computes at a share of its speed.
    ///
    /// # Errors
    ///
    /// If the share is not a positive number.
    pub fn with_gpu_speed(&self, gpu: GpuId, share: f64) -> Result<Self, ClusterError> {
        let mut copy = self.clone();
        copy.slow_gpu(gpu, share)?;
        Ok(copy)
    }

    /// A copy where a link between switches is down in both directions.
    ///
    /// # Errors
    ///
    /// If the link is not between switches, or leaves two leaves without a way.
    pub fn without_link(&self, link: LinkId) -> Result<Self, ClusterError> {
        let mut copy = self.clone();
        copy.kill_link(link)?;
        Ok(copy)
    }

    /// Whether a link is down.
    pub fn is_down(&self, link: LinkId) -> bool {
        self.down.contains(&link)
    }

    fn suffer(&mut self, fault: &Fault) -> Result<(), ClusterError> {
        match fault {
            Fault::SlowLink { link, rate } => self.slow_link(self.known_link(link)?, *rate),
            Fault::DeadLink { link } => self.kill_link(self.known_link(link)?),
            Fault::SlowGpu { gpu, speed } => {
                let id = self.gpu_named(gpu);
                let id = id.ok_or_else(|| ClusterError::UnknownGpuName { name: gpu.clone() })?;
                self.slow_gpu(id, *speed)
            }
        }
    }

    fn known_link(&self, name: &str) -> Result<LinkId, ClusterError> {
        self.link_named(name)
            .ok_or_else(|| ClusterError::UnknownLink {
                name: name.to_owned(),
            })
    }

    fn slow_link(&mut self, link: LinkId, share: f64) -> Result<(), ClusterError> {
        let slow = self.link(link).rate.scale(share);
        let rate = slow.ok_or_else(|| ClusterError::NotANumber {
            field: format!("the rate of {}", self.link_name(link)),
            value: share,
            zero: false,
        })?;
        self.links[link.index()].rate = rate;
        self.graph = OnceLock::new();
        Ok(())
    }

    fn slow_gpu(&mut self, gpu: GpuId, share: f64) -> Result<(), ClusterError> {
        if !(share.is_finite() && 0.0 < share) {
            return Err(ClusterError::NotANumber {
                field: format!("the speed of {}", self.gpu_name(gpu)),
                value: share,
                zero: false,
            });
        }
        self.speeds.insert(gpu, share * self.gpu_speed(gpu));
        Ok(())
    }

    fn kill_link(&mut self, link: LinkId) -> Result<(), ClusterError> {
        if self.link(link).kind != LinkKind::Fabric {
            return Err(ClusterError::NoDetour {
                name: self.link_name(link),
            });
        }
        self.down.extend([link, self.reverse(link)]);
        let lost = match &mut self.fabric.web {
            Some(web) => {
                web.kill((link.get() - self.fabric.first_link[0]) / 2);
                web.cut().map(|ends| ends.map(|switch| web.name(switch)))
            }
            None => self
                .cut()
                .map(|(a, b)| [a, b].map(|leaf| Device::Leaf(leaf).to_string())),
        };
        match lost {
            Some([from, to]) => Err(ClusterError::Cut {
                name: self.link_name(link),
                from,
                to,
            }),
            None => Ok(()),
        }
    }

    /// Two leaves of one set without a way between them, where links are down.
    fn cut(&self) -> Option<(u32, u32)> {
        let leaves = self.fabric.n_leaves();
        let set = |leaf| self.fabric.set(leaf % self.fabric.lanes);
        let hurt = (0..leaves).filter(|leaf| self.is_hurt(*leaf));
        hurt.into_iter().find_map(|a| {
            let mut others = (0..leaves).filter(|b| *b != a && set(*b) == set(a));
            let lost = others.find(|b| !self.meet(a, *b))?;
            Some((a, lost))
        })
    }

    /// Whether a link above a leaf, or above a spine of its pod, is down.
    fn is_hurt(&self, leaf: u32) -> bool {
        let fabric = &self.fabric;
        let (pod, set) = (
            fabric.pod(leaf / fabric.lanes),
            fabric.set(leaf % fabric.lanes),
        );
        let above = fabric.leaf_up(leaf, 0)..fabric.leaf_up(leaf, fabric.spines);
        let first = fabric.spine(pod, set, 0);
        let cores = fabric.spine_up(first, 0)..fabric.spine_up(first + fabric.spines, 0);
        let down = |ids: std::ops::Range<u32>| {
            let mut lost = self
                .down
                .range(LinkId::new(ids.start)..LinkId::new(ids.end));
            lost.next().is_some()
        };
        down(above) || down(cores)
    }

    fn meet(&self, a: u32, b: u32) -> bool {
        let fabric = &self.fabric;
        let alive = |id: u32| !self.down.contains(&LinkId::new(id));
        let [pod_a, pod_b] = [a, b].map(|leaf| fabric.pod(leaf / fabric.lanes));
        let set = fabric.set(a % fabric.lanes);
        (0..fabric.spines).any(|s| {
            let leaves = alive(fabric.leaf_up(a, s)) && alive(fabric.leaf_up(b, s));
            let core = |c| {
                let [from, to] = [pod_a, pod_b].map(|pod| fabric.spine(pod, set, s));
                alive(fabric.spine_up(from, c)) && alive(fabric.spine_up(to, c))
            };
            leaves && (pod_a == pod_b || (0..fabric.cores).any(core))
        })
    }
}
