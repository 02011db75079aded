//! A dragonfly: groups of routers, each pair of groups joined by cables of some of their routers.
//!
//! ```text
//! group i                                      group j
//! router ── router with a cable to j ════════ router with a cable to i ── router
//! ```
//!
//! Routers of a group are joined with each other. Port `q` of a group (port `q mod h` of its router
//! `q / h`, with `h` global links per router) leads to the group `q mod (g − 1) + 1` further on, and
//! ports are used in whole rounds of the `g − 1` other groups, so that every pair of groups has
//! equally many cables.
//!
//! Source: Kim, Dally, Scott and Abts, "Technology-driven, highly-scalable dragonfly topology",
//! ISCA 2008. A way crosses one cable between groups; of these ways those with fewest cables count.
//! Where detours are asked for, there is one more way over each other group (Valiant, SIAM J.
//! Comput. 11(2), 1982), the shortest to it and the shortest from there; ways then have the order
//! of the numbers of their routers. Static routing takes none of them.

use super::Cables;
use crate::device::Link;
use crate::spec::{FabricSpec, RouterSpec};

/// The shape of a dragonfly.
#[derive(Clone, Copy, Debug)]
pub(super) struct Dragonfly {
    groups: u32,
    /// Routers of one group.
    routers: u32,
    /// Cables of one router to other groups.
    globals: u32,
    /// Whether ways over other groups are offered.
    detours: bool,
}

impl Dragonfly {
    pub(super) fn new(spec: &RouterSpec) -> Self {
        Self {
            groups: spec.groups.unwrap_or(1),
            routers: spec.per_group.unwrap_or(1),
            globals: spec.global_links.unwrap_or(0),
            detours: spec.detours,
        }
    }

    pub(super) fn n_routers(self) -> u32 {
        self.groups * self.routers
    }

    pub(super) fn group(self, router: u32) -> u32 {
        router / self.routers
    }

    /// Adds the cables of every group, then those between groups.
    pub(super) fn join(self, spec: &FabricSpec, local: Link, cables: &mut Cables) {
        for group in 0..self.groups {
            let first = group * self.routers;
            for a in 0..self.routers {
                for b in a + 1..self.routers {
                    cables.join([first + a, first + b], 1, local);
                }
            }
        }
        let cable = spec.routers.global_latency.unwrap_or(spec.link_latency);
        let global = Link {
            rate: spec.routers.global_rate.unwrap_or(local.rate),
            latency: cable + spec.switch_latency,
            ..local
        };
        for a in 0..self.groups {
            for b in a + 1..self.groups {
                for (ends, count) in self.bundles(a, b) {
                    cables.join(ends, count, global);
                }
            }
        }
    }

    pub(super) fn n_ways(self, from: u32, to: u32) -> u32 {
        let direct = self.n_direct(from, to);
        if self.has_detours(from, to) {
            direct + self.groups - 2
        } else {
            direct
        }
    }

    pub(super) fn walk(self, from: u32, to: u32, way: u32, visit: &mut dyn FnMut(u32)) {
        if self.has_detours(from, to) {
            let ways = self.all(from, to);
            let routers = ways.get(way as usize).into_iter().flatten();
            routers.for_each(|(router, _)| visit(*router));
        } else {
            self.walk_direct(from, to, way, visit);
        }
    }

    /// Whether a way crosses one cable between groups at most.
    pub(super) fn is_direct(self, from: u32, to: u32, way: u32) -> bool {
        let ways = || self.all(from, to);
        !self.has_detours(from, to)
            || ways().get(way as usize).is_some_and(|routers| {
                let is_detour = |(_, detour): &(u32, bool)| *detour;
                !routers.iter().any(is_detour)
            })
    }

    pub(super) fn offers_detours(self) -> bool {
        self.detours
    }

    fn has_detours(self, from: u32, to: u32) -> bool {
        self.detours && self.group(from) != self.group(to)
    }

    /// The routers of every way but the first, in order, each with whether the way is a detour.
    fn all(self, from: u32, to: u32) -> Vec<Vec<(u32, bool)>> {
        let [a, b] = [from, to].map(|router| self.group(router));
        let direct = (0..self.n_direct(from, to)).map(|way| {
            let mut routers = Vec::with_capacity(3);
            self.walk_direct(from, to, way, &mut |router| routers.push((router, false)));
            routers
        });
        let others = (0..self.groups).filter(|group| ![a, b].contains(group));
        let around = others.map(|group| {
            // The gate of the other group that is nearest, then the first way from there.
            let bundles = self.bundles(a, group).map(|(gates, _)| gates);
            let nearest = bundles.min_by_key(|gates| (gates[0] != from, *gates));
            let gate = nearest.map_or(from, |gates| gates[1]);
            let mut routers = Vec::with_capacity(5);
            self.walk_direct(from, gate, 0, &mut |router| routers.push((router, true)));
            self.walk_direct(gate, to, 0, &mut |router| routers.push((router, true)));
            routers
        });
        let mut all: Vec<_> = direct.chain(around).collect();
        all.sort_unstable();
        all
    }

    /// How many ways cross one cable between groups, or one inside.
    fn n_direct(self, from: u32, to: u32) -> u32 {
        let [a, b] = [from, to].map(|router| self.group(router));
        if a == b {
            return 1;
        }
        self.shortest(from, to).map(|_| 1).sum()
    }

    fn walk_direct(self, from: u32, to: u32, way: u32, visit: &mut dyn FnMut(u32)) {
        let mut at = from;
        let mut go = |next| {
            if next != at {
                visit(next);
            }
            at = next;
        };
        if self.group(from) != self.group(to) {
            let gates = self.shortest(from, to).nth(way as usize);
            gates.into_iter().flatten().for_each(&mut go);
        }
        go(to);
    }

    /// Routers at the ends of the cables between groups over which fewest cables lead from one
    /// router to another.
    fn shortest(self, from: u32, to: u32) -> impl Iterator<Item = [u32; 2]> {
        let [a, b] = [from, to].map(|router| self.group(router));
        let local = move |gates: [u32; 2]| u32::from(gates[0] != from) + u32::from(gates[1] != to);
        let all = move || self.bundles(a, b).map(|(gates, _)| gates);
        let fewest = all().map(local).min();
        all().filter(move |gates| Some(local(*gates)) == fewest)
    }

    /// The pairs of routers that cables from one group to another join, in order, with how many
    /// there are between them.
    fn bundles(self, from: u32, to: u32) -> impl Iterator<Item = ([u32; 2], u32)> {
        let others = self.groups - 1;
        let offset = (to + self.groups - from) % self.groups - 1;
        let back = others - 1 - offset;
        let rounds = self.routers * self.globals / others;
        let ends = move |round: u32| {
            let port = |offset| (round * others + offset) / self.globals;
            [
                from * self.routers + port(offset),
                to * self.routers + port(back),
            ]
        };
        let mut round = 0;
        std::iter::from_fn(move || {
            (round < rounds).then(|| {
                let (first, here) = (round, ends(round));
                while round < rounds && ends(round) == here {
                    round += 1;
                }
                (here, round - first)
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_groups_name_the_same_cables() {
        for (groups, routers, globals) in [(9, 4, 2), (3, 4, 2), (2, 3, 5), (5, 2, 2), (4, 5, 1)] {
            let dragonfly = Dragonfly {
                groups,
                routers,
                globals,
                detours: false,
            };
            for a in 0..groups {
                for b in (0..groups).filter(|b| *b != a) {
                    let mut back: Vec<_> = dragonfly
                        .bundles(b, a)
                        .map(|([to, from], count)| ([from, to], count))
                        .collect();
                    back.sort_unstable();
                    let there: Vec<_> = dragonfly.bundles(a, b).collect();
                    assert_eq!(there, back);
                    let cables: u32 = there.iter().map(|bundle| bundle.1).sum();
                    assert_eq!(cables, routers * globals / (groups - 1));
                }
            }
        }
    }

    #[test]
    fn no_router_has_more_cables_than_ports() {
        let dragonfly = Dragonfly {
            groups: 9,
            routers: 4,
            globals: 2,
            detours: false,
        };
        let mut used = vec![0; 36];
        for a in 0..9 {
            for b in a + 1..9 {
                for (ends, count) in dragonfly.bundles(a, b) {
                    for end in ends {
                        used[end as usize] += count;
                    }
                }
            }
        }
        assert_eq!(used, vec![2; 36]);
    }

    #[test]
    fn a_way_crosses_one_cable_between_groups_and_at_most_two_others() {
        let dragonfly = Dragonfly {
            groups: 9,
            routers: 4,
            globals: 2,
            detours: false,
        };
        for (from, to) in [(0, 35), (5, 5), (4, 7), (12, 3)] {
            for way in 0..dragonfly.n_ways(from, to) {
                let mut routers = vec![from];
                dragonfly.walk(from, to, way, &mut |router| routers.push(router));
                assert!(routers.len() <= 4 && routers.last() == Some(&to));
                let changes = routers.windows(2).filter(|two| two[0] / 4 != two[1] / 4);
                assert_eq!(changes.count(), usize::from(from / 4 != to / 4));
            }
        }
    }

    #[test]
    fn a_detour_crosses_one_other_group_and_every_group_has_one() {
        let dragonfly = Dragonfly {
            groups: 9,
            routers: 4,
            globals: 2,
            detours: true,
        };
        for (from, to) in [(0, 35), (4, 7), (12, 3), (1, 4)] {
            let mut groups: Vec<u32> = Vec::new();
            for way in 0..dragonfly.n_ways(from, to) {
                let mut routers = vec![from];
                dragonfly.walk(from, to, way, &mut |router| routers.push(router));
                assert_eq!(routers.last(), Some(&to));
                let mut visited: Vec<_> = routers.iter().map(|router| router / 4).collect();
                visited.dedup();
                assert_eq!(visited.len() < 3, dragonfly.is_direct(from, to, way));
                groups.extend(visited.get(1..visited.len() - 1).unwrap_or(&[]));
            }
            groups.sort_unstable();
            let others = (0..9).filter(|group| ![from / 4, to / 4].contains(group));
            let expected: Vec<u32> = others.filter(|_| from / 4 != to / 4).collect();
            assert_eq!(groups, expected);
        }
    }
}
