//! Tori with routing by dimension, the shorter way round.

use units::LinkId;

use super::regular::Regular;
use crate::topology::Direction;

/// More dimensions than any torus has.
const MAX_DIMENSIONS: usize = 64;

/// The sizes of a torus, the one in which neighbours have consecutive numbers first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Torus {
    /// How many hosts each dimension has.
    pub dimensions: Vec<u32>,
}

impl Torus {
    /// How many hosts there are.
    pub(super) fn n_hosts(&self) -> Result<u64, String> {
        let count = self.dimensions.len();
        if count == 0 || MAX_DIMENSIONS < count {
            return Err(format!(
                "a torus has 1 to {MAX_DIMENSIONS} dimensions, not {count}"
            ));
        }
        if self.dimensions.contains(&0) {
            return Err("a dimension of the torus is 0".to_owned());
        }
        let mut factors = self.dimensions.iter();
        factors
            .try_fold(1_u64, |hosts, &size| {
                let hosts = hosts * u64::from(size);
                u32::try_from(hosts).is_ok().then_some(hosts)
            })
            .ok_or_else(|| "the torus has more than 2³² hosts".to_owned())
    }

    fn size(&self) -> u32 {
        u32::try_from(self.dimensions.len()).unwrap_or(1)
    }

    /// Appends the links from one host to another: each dimension in turn, upwards where that is
    /// not longer, as seen from the source. A host owns the cable to its upper neighbour.
    pub(super) fn way(&self, cluster: &Regular, from: u32, to: u32, out: &mut Vec<LinkId>) {
        let (mut at, mut stride) = (from, 1_u32);
        for (dimension, &size) in (0..).zip(&self.dimensions) {
            let [mine, target] = [from, to].map(|host| host / stride % size);
            let half = size / 2;
            let right = mine < target && target <= mine + half;
            let around = half < mine && target <= (mine + half) % size;
            let mut here = mine;
            while here != target {
                cluster.push_host_limiter(at, out);
                let next = if right || around {
                    (here + 1) % size
                } else {
                    (here + size - 1) % size
                };
                let neighbour = at - here * stride + next * stride;
                let (owner, direction) = if right || around {
                    (at, Direction::Up)
                } else {
                    (neighbour, Direction::Down)
                };
                out.push(cluster.link(owner * self.size() + dimension, direction));
                (at, here) = (neighbour, next);
            }
            stride *= size;
        }
        cluster.push_host_limiter(to, out);
    }

    /// The name of a cable.
    pub(super) fn cable_name(&self, cluster: &str, cable: u32) -> String {
        let (host, dimension) = (cable / self.size(), cable % self.size());
        let below = &self.dimensions[..dimension as usize];
        let stride: u32 = below.iter().product();
        let size = self.dimensions[dimension as usize];
        let here = host / stride % size;
        let neighbour = host - here * stride + (here + 1) % size * stride;
        format!("{cluster}_link_from_{host}_to_{neighbour}")
    }

    /// The cable of a name.
    pub(super) fn cable_named(&self, cluster: &str, name: &str) -> Option<u32> {
        let rest = name.strip_prefix(cluster)?.strip_prefix("_link_from_")?;
        let host = rest.split('_').next()?.parse::<u32>().ok()?;
        if self.n_hosts().ok()? <= u64::from(host) {
            return None;
        }
        let mut cables = (0..self.size()).map(|dimension| host * self.size() + dimension);
        cables.find(|&cable| self.cable_name(cluster, cable) == name)
    }
}
