//! How full every link is at any moment, and with what: asked while a playhead moves.
//!
//! What a link carried is kept as bytes until moments, between which the rate is the same. A moment
//! and a stretch of time are both found by bisection, whatever the length of the run.

use std::collections::BTreeMap;
use std::ops::Range;

use cluster::{Cluster, LinkKind, ScaleUpSpec, Sharing, Topology as _};
use predict::{LinkClass, Links, Scenario};
use units::{BytesPerSec, LinkId, NodeId, SimTime};

use crate::network::{NetworkAnswer, Traffic};

/// Of which links a run says what they carried. A link that it could not load is not idle: nobody
/// knows what it carried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Routed {
    /// Of none: the engine knows no links.
    #[default]
    Nothing,
    /// Of those that lead out of scale-up domains. What stays in a domain is priced as a whole and
    /// loads no link.
    BetweenDomains {
        /// Whether GPUs of a domain reach each other over the `PCIe` of their host.
        over_host: bool,
    },
    /// Of all.
    Everything,
}

impl Routed {
    /// What a training iteration says on a cluster.
    fn of_training(cluster: &Cluster) -> Self {
        let nodes = (0..cluster.n_nodes()).map(NodeId::from_index);
        let mut specs = nodes.map(|node| &cluster.node(node).scale_up);
        Self::BetweenDomains {
            over_host: specs.any(|spec| matches!(spec, ScaleUpSpec::Pcie)),
        }
    }

    /// Whether a link without a load was idle.
    ///
    /// * `kind` — what the link is part of; none on platforms.
    pub const fn knows(self, kind: Option<LinkKind>) -> bool {
        match (self, kind) {
            (Self::Nothing, _) | (Self::BetweenDomains { .. }, Some(LinkKind::ScaleUp)) => false,
            (Self::BetweenDomains { over_host }, Some(LinkKind::Host)) => !over_host,
            (Self::BetweenDomains { .. } | Self::Everything, _) => true,
        }
    }
}

/// What links carried, by classes of links that carried the same at the same time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LinkLoads {
    /// Of which links something is known.
    pub routed: Routed,
    /// How long the run took: until the last byte of all arrived.
    pub end: SimTime,
    /// The classes, the busiest first.
    pub classes: Vec<LoadClass>,
    class_of: BTreeMap<LinkId, usize>,
}

/// Links that carried the same at the same time.
#[derive(Clone, Debug, PartialEq)]
pub struct LoadClass {
    /// The first link's cable.
    pub name: String,
    /// Its direction.
    pub direction: &'static str,
    /// The links, ascending.
    pub members: Vec<LinkId>,
    /// What one of them could carry.
    pub rate: BytesPerSec,
    /// Whether it bounds transfers one by one and is never full.
    pub is_fat: bool,
    /// What the traffic was for, most bytes first.
    pub kinds: Vec<KindLoad>,
}

/// Traffic of one kind on a link.
#[derive(Clone, Debug, PartialEq)]
pub struct KindLoad {
    /// Whose it was and what for.
    pub what: String,
    /// Moments and the bytes until then, both ascending.
    points: Vec<(SimTime, f64)>,
}

impl LinkLoads {
    /// The loads of a training iteration.
    pub fn of_links(scenario: &Scenario, links: &Links) -> Self {
        let classes = links.links.iter().map(|link| class(scenario, link));
        let routed = Routed::of_training(&scenario.cluster);
        Self::new(routed, links.end, classes.collect())
    }

    /// The loads of a network workload that was run with [`Keep::Loads`](traffic::Keep).
    pub fn of_traffic(traffic: &Traffic, answer: &NetworkAnswer) -> Self {
        let classes = answer.curves.iter().map(|curve| {
            let (name, wire) = (
                traffic.fabric.wire_name(curve.link),
                traffic.fabric.wire(curve.link),
            );
            LoadClass {
                name: name.name,
                direction: name.direction.name(),
                members: curve.members.clone(),
                rate: wire.rate,
                is_fat: wire.sharing == Sharing::FatPipe,
                kinds: vec![KindLoad {
                    what: "flows".to_owned(),
                    points: curve.points.clone(),
                }],
            }
        });
        let mut classes: Vec<LoadClass> = classes.collect();
        let need = |class: &LoadClass| class.bytes() / class.rate.as_f64();
        classes.sort_by(|a, b| need(b).total_cmp(&need(a)).then(a.members.cmp(&b.members)));
        Self::new(Routed::Everything, answer.makespan, classes)
    }

    fn new(routed: Routed, end: SimTime, classes: Vec<LoadClass>) -> Self {
        let members = classes.iter().enumerate();
        let class_of = members
            .flat_map(|(at, class)| class.members.iter().map(move |link| (*link, at)))
            .collect();
        Self {
            routed,
            end,
            classes,
            class_of,
        }
    }

    /// The class of a link; none where it carried nothing.
    pub fn class_of(&self, link: LinkId) -> Option<usize> {
        self.class_of.get(&link).copied()
    }

    /// How full the links of each class are at a moment, from 0 to 1.
    pub fn at(&self, time: SimTime) -> Vec<f64> {
        self.classes.iter().map(|class| class.at(time)).collect()
    }

    /// How full the links of each class are on average over a stretch of time, from 0 to 1.
    pub fn over(&self, window: &Range<SimTime>) -> Vec<f64> {
        self.classes
            .iter()
            .map(|class| class.over(window))
            .collect()
    }

    /// The classes that are fullest over a stretch of time, with how full they are.
    pub fn fullest(&self, window: &Range<SimTime>, most: usize) -> Vec<(usize, f64)> {
        self.fullest_of(&self.over(window), most)
    }

    /// The same of what [`LinkLoads::over`] or [`LinkLoads::at`] said.
    pub fn fullest_of(&self, shares: &[f64], most: usize) -> Vec<(usize, f64)> {
        let shares = shares.iter().take(self.classes.len()).copied();
        let mut all: Vec<(usize, f64)> = shares.enumerate().collect();
        all.retain(|(at, share)| 0.0 < *share && !self.classes[*at].is_fat);
        all.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        all.truncate(most);
        all
    }
}

impl LoadClass {
    /// What one of the links carried in all.
    pub fn bytes(&self) -> f64 {
        let kinds = self.kinds.iter();
        kinds.filter_map(|kind| Some(kind.points.last()?.1)).sum()
    }

    /// How full one of the links is at a moment.
    pub fn at(&self, time: SimTime) -> f64 {
        let rate: f64 = self.kinds.iter().map(|kind| kind.rate_at(time)).sum();
        rate / self.rate.as_f64()
    }

    /// How full one of the links is on average over a stretch of time.
    pub fn over(&self, window: &Range<SimTime>) -> f64 {
        let bytes: f64 = self.kinds.iter().map(|kind| kind.bytes_in(window)).sum();
        let secs = window.end.since(window.start).as_secs();
        if secs <= 0.0 {
            return self.at(window.start);
        }
        bytes / secs / self.rate.as_f64()
    }

    /// What is on one of the links at a moment: bytes a second by what they are for.
    pub fn what_at(&self, time: SimTime) -> Vec<(&str, f64)> {
        let kinds = self.kinds.iter();
        let rates = kinds.map(|kind| (kind.what.as_str(), kind.rate_at(time)));
        rates.filter(|(_, rate)| 0.0 < *rate).collect()
    }
}

impl KindLoad {
    /// What was carried in all.
    pub fn bytes(&self) -> f64 {
        self.points.last().map_or(0.0, |(_, bytes)| *bytes)
    }

    /// Moments and the bytes until then; between two of them the rate is the same.
    pub fn points(&self) -> &[(SimTime, f64)] {
        &self.points
    }

    /// Bytes a second from a moment on.
    fn rate_at(&self, time: SimTime) -> f64 {
        let next = self.points.partition_point(|(at, _)| *at <= time);
        match (
            next.checked_sub(1).map(|at| self.points[at]),
            self.points.get(next),
        ) {
            (Some((from, before)), Some((to, bytes))) => {
                (bytes - before) / to.since(from).as_secs()
            }
            _ => 0.0,
        }
    }

    /// Bytes until a moment.
    fn until(&self, time: SimTime) -> f64 {
        let next = self.points.partition_point(|(at, _)| *at <= time);
        let Some((from, before)) = next.checked_sub(1).map(|at| self.points[at]) else {
            return 0.0;
        };
        before + self.rate_at(time) * time.since(from).as_secs()
    }

    fn bytes_in(&self, window: &Range<SimTime>) -> f64 {
        self.until(window.end) - self.until(window.start)
    }
}

fn class(scenario: &Scenario, link: &LinkClass) -> LoadClass {
    let kinds = link.by_kind().into_iter().map(|(carried, _)| {
        let loads = link.loads.iter().filter(|load| load.carried == carried);
        let mut points: Vec<(SimTime, f64)> = Vec::new();
        let mut bytes = 0.0;
        for load in loads {
            if points.last().is_none_or(|(at, _)| *at < load.from) {
                points.push((load.from, bytes));
            }
            bytes += load.bytes;
            points.push((load.to, bytes));
        }
        let what = match carried {
            None => "control".to_owned(),
            Some(of) if scenario.beside.is_empty() => of.kind.name().to_owned(),
            Some(of) => format!("{} of {}", of.kind.name(), scenario.job_name(of.job)),
        };
        KindLoad { what, points }
    });
    LoadClass {
        name: link.name.clone(),
        direction: link.direction,
        members: link.members.clone(),
        rate: link.rate,
        is_fat: false,
        kinds: kinds.collect(),
    }
}

#[cfg(test)]
mod tests {
    use traffic::Keep;
    use units::Control;

    use super::*;
    use crate::{Draft, Record};

    fn run(draft: &Draft) -> (Scenario, Links) {
        let ready = draft.open().unwrap().ready().unwrap();
        let outcome = ready.run_links(Record::Totals, &Control::new()).unwrap();
        (ready.scenario, outcome.links.unwrap())
    }

    fn close(a: f64, b: f64) {
        assert!(
            (a - b).abs() <= 1e-9 * a.abs().max(b.abs()).max(1e-9),
            "{a} and {b}"
        );
    }

    #[test]
    fn every_link_of_a_run_finds_its_class_and_the_average_is_its_utilisation() {
        let draft = Draft::example("two-jobs-one-fabric").unwrap();
        let (scenario, links) = run(&draft);
        let loads = LinkLoads::of_links(&scenario, &links);
        let whole = SimTime::ZERO..loads.end;
        let over = loads.over(&whole);
        for (at, class) in links.links.iter().enumerate() {
            assert_eq!(class.members.len(), class.count as usize);
            assert!(
                class
                    .members
                    .iter()
                    .all(|link| loads.class_of(*link) == Some(at))
            );
            close(over[at], class.utilisation);
            close(loads.classes[at].bytes(), class.bytes);
        }
        assert_eq!(loads.fullest(&whole, 1)[0].0, 0);
    }

    #[test]
    fn a_moment_of_a_load_has_its_rate_and_kind() {
        let draft = Draft::example("two-jobs-one-fabric").unwrap();
        let (scenario, links) = run(&draft);
        let loads = LinkLoads::of_links(&scenario, &links);
        let load = links.links[0].loads[0];
        let class = &loads.classes[0];
        assert!(load.rate() / class.rate.as_f64() <= class.at(load.from) * (1.0 + 1e-9));
        let what = class.what_at(load.from);
        assert!(
            what.iter().any(|(what, _)| what.contains(load.what())),
            "{what:?}"
        );
        assert!(loads.at(loads.end).iter().all(|share| *share == 0.0));
    }

    #[test]
    fn links_of_a_workload_find_their_curve_folded_or_not() {
        let draft = Draft::example("spray-vs-singlepath").unwrap();
        let draft = draft.set("settings.engine", "flow").unwrap();
        let draft = draft.set("network.load_balancing", "spray").unwrap();
        let traffic = draft.open().unwrap().traffic().unwrap();
        let answer = traffic.run(Keep::Loads, &Control::new()).unwrap();
        let loads = LinkLoads::of_traffic(&traffic, &answer);
        let n: usize = loads.classes.iter().map(|class| class.members.len()).sum();
        assert_eq!(n, answer.links.len());
        let bytes: f64 = loads
            .classes
            .iter()
            .map(|c| c.bytes() * c.members.len() as f64)
            .sum();
        let told: f64 = answer.links.iter().map(|link| link.bytes).sum();
        assert!((bytes / told - 1.0).abs() < 1e-6, "{bytes} {told}");
    }
}
