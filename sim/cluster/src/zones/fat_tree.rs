//! Fat trees: parallel ports generalised fat trees with routing by destination (D-mod-k).
//!
//! A node has a label of one digit a level. A host's digits are its place among the children of
//! its ancestors; a switch of level `l` has, below `l`, digits that count its alternatives. A
//! switch is the parent of what differs from it in the digit of its own level only. Links are
//! numbered by child, then parent, then cable.
//!
//! Source: Zahavi, *D-Mod-K Routing Providing Non-Blocking Traffic for Shift Permutations on Real
//! Life Fat Trees*, Technion CCIT report 776, 2010; choices of cables as `SimGrid` 3.32 makes them.

use units::LinkId;

use super::regular::{Counters, Regular};
use crate::topology::Direction;

/// Parameters of a fat tree, from the hosts up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FatTree {
    /// How many children a switch of each level has.
    pub down: Vec<u32>,
    /// How many parents a node below each level has.
    pub up: Vec<u32>,
    /// How many cables connect a parent and a child.
    pub cables: Vec<u32>,
}

/// More levels than any fat tree has.
const MAX_LEVELS: usize = 16;

/// A fat tree of a platform.
#[derive(Clone, Debug)]
pub(super) struct FatTreeZone {
    tree: FatTree,
    /// How many hosts the fat trees before this one have: hosts are counted over all of them.
    first_host: u64,
    first_cable: u64,
    /// Nodes by level, hosts first.
    nodes: Vec<u64>,
    /// The first cable above each level, and one more.
    above: Vec<u64>,
}

impl FatTreeZone {
    pub(super) fn new(tree: FatTree, counters: &mut Counters) -> Result<Self, String> {
        let levels = tree.down.len();
        if levels == 0 || MAX_LEVELS < levels {
            return Err(format!(
                "a fat tree has 1 to {MAX_LEVELS} levels, not {levels}"
            ));
        }
        for (what, list) in [
            ("up", &tree.up),
            ("cables", &tree.cables),
            ("down", &tree.down),
        ] {
            if list.len() != levels {
                let found = list.len();
                return Err(format!(
                    "{found} counts of {what} stand beside {levels} levels"
                ));
            }
            if list.contains(&0) {
                return Err(format!("a count of {what} is 0"));
            }
        }
        let nodes_at = |level: usize| {
            let mut factors = tree.up[..level].iter().chain(&tree.down[level..]);
            factors.try_fold(1_u64, |product, &factor| {
                let product = product * u64::from(factor);
                u32::try_from(product).is_ok().then_some(product)
            })
        };
        let too_large = || "the fat tree has more than 2³² nodes of a level".to_owned();
        let nodes: Option<Vec<u64>> = (0..=levels).map(nodes_at).collect();
        let nodes = nodes.ok_or_else(too_large)?;
        let mut above = vec![0];
        for (level, count) in nodes[..levels].iter().enumerate() {
            let ports = u64::from(tree.up[level]) * u64::from(tree.cables[level]);
            let cables = count.checked_mul(ports);
            let sum = cables.and_then(|cables| cables.checked_add(above[level]));
            let sum = sum.filter(|&sum| u32::try_from(sum).is_ok());
            above.push(sum.ok_or_else(too_large)?);
        }
        let zone = Self {
            tree,
            first_host: counters.fat_tree_hosts,
            first_cable: counters.fat_tree_cables,
            nodes,
            above,
        };
        let [hosts, _, cables] = zone.counts();
        counters.fat_tree_hosts += hosts;
        counters.fat_tree_cables += cables;
        Ok(zone)
    }

    /// Hosts, switches and cables.
    pub(super) fn counts(&self) -> [u64; 3] {
        let switches = self.nodes[1..].iter().sum();
        [self.nodes[0], switches, self.above[self.levels()]]
    }

    pub(super) fn hosts_per_leaf(&self) -> u32 {
        self.tree.down[0]
    }

    fn levels(&self) -> usize {
        self.tree.down.len()
    }

    /// The label of a host.
    fn label(&self, host: u32) -> [u32; MAX_LEVELS] {
        let mut label = [0; MAX_LEVELS];
        let mut rest = host;
        for (digit, &base) in label.iter_mut().zip(&self.tree.down) {
            *digit = rest % base;
            rest /= base;
        }
        label
    }

    /// The place within its level of the node of a label.
    fn place(&self, level: usize, label: &[u32; MAX_LEVELS]) -> u64 {
        let base = |at: usize| {
            if at < level {
                self.tree.up[at]
            } else {
                self.tree.down[at]
            }
        };
        let digits = (0..self.levels()).rev();
        digits.fold(0, |place, at| {
            place * u64::from(base(at)) + u64::from(label[at])
        })
    }

    /// The number of a switch, counted over all levels.
    fn switch(&self, level: usize, label: &[u32; MAX_LEVELS]) -> u32 {
        let below: u64 = self.nodes[1..level].iter().sum();
        u32::try_from(below + self.place(level, label)).unwrap_or(u32::MAX)
    }

    /// The cable from a node to one of its parents.
    fn cable(&self, level: usize, child: &[u32; MAX_LEVELS], parent: u32, cable: u32) -> u32 {
        let [up, cables] = [self.tree.up[level], self.tree.cables[level]].map(u64::from);
        let place = self.place(level, child) * up + u64::from(parent);
        let cable = self.above[level] + place * cables + u64::from(cable);
        u32::try_from(cable).unwrap_or(u32::MAX)
    }

    /// The lowest level on which both hosts have an ancestor in common.
    fn meet(&self, from: u32, to: u32) -> usize {
        let mut subtree = 1_u64;
        for (level, &down) in self.tree.down.iter().enumerate() {
            subtree *= u64::from(down);
            if u64::from(from) / subtree == u64::from(to) / subtree {
                return level + 1;
            }
        }
        self.levels()
    }

    /// How many choices each step of a way has: ports up to the common ancestor, then cables down.
    fn choices(&self, meet: usize) -> impl Iterator<Item = u32> + '_ {
        let up = (0..meet).map(|level| self.tree.up[level].saturating_mul(self.tree.cables[level]));
        up.chain((0..meet).rev().map(|level| self.tree.cables[level]))
    }

    /// How many ways lead from one host to another. Where they are more than can be counted, only
    /// that of the rule is offered.
    pub(super) fn n_ways(&self, from: u32, to: u32) -> u32 {
        let mut choices = self.choices(self.meet(from, to));
        choices.try_fold(1, u32::checked_mul).unwrap_or(1)
    }

    /// The way that the rule takes.
    pub(super) fn static_way(&self, from: u32, to: u32) -> u32 {
        let meet = self.meet(from, to);
        let steps = self.rule(from, to, meet);
        let mut steps = self.choices(meet).zip(&steps[..2 * meet]);
        steps
            .try_fold(0_u32, |way, (choices, &step)| {
                way.checked_mul(choices)?.checked_add(step)
            })
            .filter(|_| 1 < self.n_ways(from, to))
            .unwrap_or(0)
    }

    /// The steps of a way: ports up, then cables down.
    fn steps(&self, from: u32, to: u32, meet: usize, way: Option<u32>) -> [u32; 2 * MAX_LEVELS] {
        let Some(way) = way.filter(|_| 1 < self.n_ways(from, to)) else {
            return self.rule(from, to, meet);
        };
        let mut choices = [1; 2 * MAX_LEVELS];
        for (choice, count) in choices.iter_mut().zip(self.choices(meet)) {
            *choice = count;
        }
        let mut steps = [0; 2 * MAX_LEVELS];
        let mut rest = way;
        for at in (0..2 * meet).rev() {
            steps[at] = rest % choices[at];
            rest /= choices[at];
        }
        steps
    }

    /// The steps that the rule takes: up by the destination's number, down by the source's. A
    /// search for the cable down goes on from the place at which the level above found its own,
    /// and only starts anew where it finds none.
    fn rule(&self, from: u32, to: u32, meet: usize) -> [u32; 2 * MAX_LEVELS] {
        let [source, target] = [from, to].map(|host| self.first_host + u64::from(host));
        let label = self.label(to);
        let mut steps = [0; 2 * MAX_LEVELS];
        let mut divisor = 1_u64;
        for (level, step) in steps.iter_mut().enumerate().take(meet) {
            let ports = u64::from(self.tree.up[level]) * u64::from(self.tree.cables[level]);
            *step = u32::try_from(target / divisor % ports).unwrap_or(0);
            divisor = divisor.saturating_mul(u64::from(self.tree.up[level]));
        }
        let mut next: Option<u64> = None;
        for level in (0..meet).rev() {
            let [down, cables] = [self.tree.down[level], self.tree.cables[level]].map(u64::from);
            let digit = u64::from(label[level]);
            let found = |start: u64| {
                let skip = (digit + down - start % down) % down;
                Some(start + skip).filter(|&child| child < down * cables)
            };
            let child = next
                .and_then(found)
                .or_else(|| found(source % cables * down));
            let child = child.unwrap_or(digit);
            steps[2 * meet - 1 - level] = u32::try_from(child / down).unwrap_or(0);
            next = Some(child + 1);
        }
        steps
    }

    /// Appends the links of a way, or of that of the rule.
    pub(super) fn way(
        &self,
        cluster: &Regular,
        from: u32,
        to: u32,
        way: Option<u32>,
        out: &mut Vec<LinkId>,
    ) {
        let meet = self.meet(from, to);
        let steps = self.steps(from, to, meet, way);
        let (mut at, target) = (self.label(from), self.label(to));
        for level in 0..meet {
            let up = self.tree.up[level];
            match level {
                0 => cluster.push_host_limiter(from, out),
                _ => cluster.push_switch_limiter(self.switch(level, &at), out),
            }
            let (parent, cable) = (steps[level] % up, steps[level] / up);
            let cable = self.cable(level, &at, parent, cable);
            out.push(cluster.link(cable, Direction::Up));
            at[level] = parent;
        }
        for level in (0..meet).rev() {
            let switch = self.switch(level + 1, &at);
            let parent = std::mem::replace(&mut at[level], target[level]);
            let cable = self.cable(level, &at, parent, steps[2 * meet - 1 - level]);
            out.push(cluster.link(cable, Direction::Down));
            cluster.push_switch_limiter(switch, out);
        }
        cluster.push_host_limiter(to, out);
    }

    /// The cable of a number that is counted over all fat trees.
    pub(super) fn cable_of(&self, number: u32) -> Option<u32> {
        let cable = u64::from(number).checked_sub(self.first_cable)?;
        let cable = u32::try_from(cable).ok()?;
        (u64::from(cable) < self.above[self.levels()]).then_some(cable)
    }

    /// The name of a cable: the numbers of its ends, where switches count down from twice the
    /// hosts, and its own.
    pub(super) fn cable_name(&self, cable: u32) -> String {
        let number = u64::from(cable);
        let level = self.above.partition_point(|&first| first <= number) - 1;
        let [up, cables] = [self.tree.up[level], self.tree.cables[level]].map(u64::from);
        let place = (number - self.above[level]) / cables;
        let (child, parent) = (place / up, place % up);
        // Below its own level a node's digits count alternatives.
        let base = |at: usize| {
            u64::from(if at < level {
                self.tree.up[at]
            } else {
                self.tree.down[at]
            })
        };
        let mut label = [0; MAX_LEVELS];
        let mut rest = child;
        for (at, digit) in label.iter_mut().enumerate().take(self.levels()) {
            *digit = u32::try_from(rest % base(at)).unwrap_or(0);
            rest /= base(at);
        }
        label[level] = u32::try_from(parent).unwrap_or(0);
        let parent = self.id(level + 1, self.place(level + 1, &label));
        let child = self.id(level, child);
        format!("link_from_{child}_{parent}_{}", self.first_cable + number)
    }

    fn id(&self, level: usize, place: u64) -> i64 {
        let signed = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        if level == 0 {
            return signed(place);
        }
        let below: u64 = self.nodes[1..level].iter().sum();
        2 * signed(self.nodes[0]) - 1 - signed(below + place)
    }
}
