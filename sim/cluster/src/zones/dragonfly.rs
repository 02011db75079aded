//! Dragonflies with minimal routing.
//!
//! Groups of chassis of routers of hosts. Routers of a chassis are connected each to each (green),
//! those of equal place in the chassis of a group, too (black), and group `i` reaches group `j`
//! (blue) from its router `j` of chassis 0.
//!
//! After Faanes et al., *Cray Cascade*, SC 2012, as `SimGrid` 3.32 routes it.

use units::{BytesPerSec, LinkId};

use super::regular::{Counters, Regular};
use crate::topology::Direction;

/// Parameters of a dragonfly. Each count of links multiplies the rate of the one cable there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dragonfly {
    /// Groups, and links between two of them (blue).
    pub groups: [u32; 2],
    /// Chassis of a group, and links between two routers of them (black).
    pub chassis: [u32; 2],
    /// Routers of a chassis, and links between two of them (green).
    pub routers: [u32; 2],
    /// Hosts of a router.
    pub hosts: u32,
}

/// A dragonfly of a platform.
#[derive(Clone, Debug)]
pub(super) struct DragonflyZone {
    fly: Dragonfly,
    first_cable: u64,
    /// The first green, black and blue cable, and one past the last.
    first: [u64; 4],
}

/// A router by group, chassis and place in it.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Router {
    group: u32,
    chassis: u32,
    blade: u32,
}

/// The cable between two of `n` that are connected each to each, in the order of the lower and
/// then of the higher one.
fn pair(n: u64, a: u32, b: u32) -> u64 {
    let [low, high] = [a.min(b), a.max(b)].map(u64::from);
    low * (2 * n - low - 1) / 2 + high - low - 1
}

/// The two that the cable of that number connects.
fn unpair(n: u64, mut cable: u64) -> (u64, u64) {
    for low in 0..n {
        let row = n - low - 1;
        if cable < row {
            return (low, low + 1 + cable);
        }
        cable -= row;
    }
    (0, 0)
}

impl DragonflyZone {
    pub(super) fn new(fly: Dragonfly, counters: &mut Counters) -> Result<Self, String> {
        let [[groups, blue], [chassis, black], [blades, green]] =
            [fly.groups, fly.chassis, fly.routers];
        if [groups, blue, chassis, black, blades, green, fly.hosts].contains(&0) {
            return Err("a count of the dragonfly is 0".to_owned());
        }
        if blades < groups && 1 < groups {
            return Err(format!(
                "{groups} groups need at least {groups} routers a chassis to reach each other, there are {blades}"
            ));
        }
        let zone = Self::layout(fly).ok_or("the dragonfly has more than 2³² cables")?;
        let first_cable = counters.dragonfly_cables;
        counters.dragonfly_cables += zone.first[3];
        Ok(Self {
            first_cable,
            ..zone
        })
    }

    fn layout(fly: Dragonfly) -> Option<Self> {
        let [groups, chassis, blades] =
            [fly.groups[0], fly.chassis[0], fly.routers[0]].map(u64::from);
        let pairs = |n: u64| n * (n - 1) / 2;
        let times = |a: u64, b: u64| {
            a.checked_mul(b)
                .filter(|&product| u32::try_from(product).is_ok())
        };
        let racks = times(groups, chassis)?;
        let hosts = times(times(racks, blades)?, u64::from(fly.hosts))?;
        let counts = [
            hosts,
            times(racks, pairs(blades))?,
            times(times(groups, pairs(chassis))?, blades)?,
            pairs(groups),
        ];
        let mut sum = 0;
        let first = counts.map(|count| {
            sum += count;
            sum
        });
        u32::try_from(first[3]).is_ok().then_some(Self {
            fly,
            first_cable: 0,
            first,
        })
    }

    /// Hosts, routers and cables.
    pub(super) fn counts(&self) -> [u64; 3] {
        let hosts = self.first[0];
        [hosts, hosts / u64::from(self.fly.hosts), self.first[3]]
    }

    /// What a cable carries, if a single one carries `rate`.
    pub(super) fn rate(&self, cable: u32, rate: BytesPerSec) -> BytesPerSec {
        let kind = self
            .first
            .partition_point(|&first| first <= u64::from(cable));
        let links = match kind {
            0 => 1,
            1 => self.fly.routers[1],
            2 => self.fly.chassis[1],
            _ => self.fly.groups[1],
        };
        BytesPerSec::new(rate.as_f64() * f64::from(links)).unwrap_or(rate)
    }

    fn router(&self, host: u32) -> Router {
        let [chassis, blades] = [self.fly.chassis[0], self.fly.routers[0]];
        let router = host / self.fly.hosts;
        Router {
            group: router / (chassis * blades),
            chassis: router / blades % chassis,
            blade: router % blades,
        }
    }

    fn number(&self, router: Router) -> u32 {
        (router.group * self.fly.chassis[0] + router.chassis) * self.fly.routers[0] + router.blade
    }

    fn push(cluster: &Regular, cable: u64, up: bool, out: &mut Vec<LinkId>) {
        let direction = if up { Direction::Up } else { Direction::Down };
        let cable = u32::try_from(cable).unwrap_or(u32::MAX);
        out.push(cluster.link(cable, direction));
    }

    /// Within a chassis.
    fn green(&self, cluster: &Regular, at: Router, blade: u32, out: &mut Vec<LinkId>) {
        cluster.push_switch_limiter(self.number(at), out);
        let blades = u64::from(self.fly.routers[0]);
        let chassis = u64::from(at.group * self.fly.chassis[0] + at.chassis);
        let cable = chassis * (blades * (blades - 1) / 2) + pair(blades, at.blade, blade);
        Self::push(cluster, self.first[0] + cable, at.blade < blade, out);
    }

    /// Between chassis of a group.
    fn black(&self, cluster: &Regular, at: Router, chassis: u32, out: &mut Vec<LinkId>) {
        cluster.push_switch_limiter(self.number(at), out);
        let [count, blades] = [self.fly.chassis[0], self.fly.routers[0]].map(u64::from);
        let pairs = count * (count - 1) / 2;
        let cable = u64::from(at.group) * pairs + pair(count, at.chassis, chassis);
        let cable = cable * blades + u64::from(at.blade);
        Self::push(cluster, self.first[1] + cable, at.chassis < chassis, out);
    }

    /// Between groups; the limiter stands behind.
    fn blue(&self, cluster: &Regular, at: Router, group: u32, out: &mut Vec<LinkId>) {
        let cable = pair(u64::from(self.fly.groups[0]), at.group, group);
        Self::push(cluster, self.first[2] + cable, at.group < group, out);
        cluster.push_switch_limiter(self.number(at), out);
    }

    /// Appends the links from one host to another. Towards group `g`: to router `g` of the own
    /// chassis, then to chassis 0, then to the other group. There, and within one group: first to
    /// the router's place, then to its chassis, and the latter always from chassis 0 on.
    pub(super) fn way(&self, cluster: &Regular, from: u32, to: u32, out: &mut Vec<LinkId>) {
        let (mut at, target) = (self.router(from), self.router(to));
        cluster.push_host_limiter(from, out);
        Self::push(cluster, u64::from(from), true, out);
        if at != target {
            if at.group != target.group {
                if at.blade != target.group {
                    self.green(cluster, at, target.group, out);
                    at.blade = target.group;
                }
                if at.chassis != 0 {
                    self.black(cluster, at, 0, out);
                    at.chassis = 0;
                }
                self.blue(cluster, at, target.group, out);
                at = Router {
                    group: target.group,
                    chassis: 0,
                    blade: at.group,
                };
            }
            if at.blade != target.blade {
                self.green(cluster, at, target.blade, out);
                at = Router {
                    chassis: 0,
                    blade: target.blade,
                    ..at
                };
            }
            if at.chassis != target.chassis {
                self.black(cluster, at, target.chassis, out);
            }
        }
        cluster.push_switch_limiter(self.number(target), out);
        Self::push(cluster, u64::from(to), false, out);
        cluster.push_host_limiter(to, out);
    }

    /// The cable of a number that is counted over all dragonflies.
    pub(super) fn cable_of(&self, number: u32) -> Option<u32> {
        let cable = u64::from(number).checked_sub(self.first_cable)?;
        (cable < self.first[3]).then(|| u32::try_from(cable).ok())?
    }

    /// The name of a cable.
    pub(super) fn cable_name(&self, cable: u32) -> String {
        let number = self.first_cable + u64::from(cable);
        let cable = u64::from(cable);
        let [groups, chassis, blades] =
            [self.fly.groups[0], self.fly.chassis[0], self.fly.routers[0]].map(u64::from);
        if cable < self.first[0] {
            let hosts = u64::from(self.fly.hosts);
            let (router, host) = (cable / hosts, cable % hosts);
            return format!("local_link_from_router_{router}_to_node_{host}_{number}");
        }
        if let Some(cable) = cable
            .checked_sub(self.first[0])
            .filter(|_| cable < self.first[1])
        {
            let pairs = blades * (blades - 1) / 2;
            let (low, high) = unpair(blades, cable % pairs);
            let chassis = cable / pairs % chassis;
            return format!(
                "green_link_in_chassis_{chassis}_between_routers_{low}_and_{high}_{number}"
            );
        }
        if let Some(cable) = cable
            .checked_sub(self.first[1])
            .filter(|_| cable < self.first[2])
        {
            let pairs = chassis * (chassis - 1) / 2;
            let (blade, cable) = (cable % blades, cable / blades);
            let (low, high) = unpair(chassis, cable % pairs);
            let group = cable / pairs;
            return format!(
                "black_link_in_group_{group}_between_chassis_{low}_and_{high}_blade_{blade}_{number}"
            );
        }
        let (low, high) = unpair(groups, cable - self.first[2]);
        let in_group = chassis * blades;
        let (a, b) = (low * in_group + high, high * in_group + low);
        format!("blue_link_between_group_{low}_and_{high}_routers_{a}_and_{b}_{number}")
    }
}
