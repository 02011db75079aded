//! A graph with the loads of its links: made once for a run and what is open, off the frame.

use std::collections::BTreeMap;
use std::sync::Arc;

use session::{Extent, Part, Routed, TopologyView};
use units::{LinkId, SimTime};

use super::plan::{Plan, plan};
use super::side::{Fabric, Side};
use super::ways::{Way, ways};

/// A drawing of a cluster.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    /// What is seen.
    pub view: TopologyView,
    /// Where it is.
    pub plan: Plan,
    /// Where cables lie; none for those with an end that is not drawn.
    pub ways: Vec<Option<Way>>,
    /// How wide each cable is drawn, from 0 to 1: by the root of what it carries in all.
    pub widths: Vec<f32>,
    /// The names of parts.
    pub names: BTreeMap<Part, String>,
}

impl Graph {
    /// The drawing of a fabric with some groups open.
    pub fn new(fabric: &Fabric, extent: &Extent) -> Self {
        let view = fabric.topology(extent);
        let mut plan = plan(&view);
        let ways = ways(&view, &plan);
        // Bent cables lead out of what they are bent around.
        for way in ways.iter().flatten() {
            plan.bounds.extend_with(way.at(0.5));
        }
        let capacity = |cable: &session::CableView| {
            let most = cable.links.iter().map(Vec::len).max().unwrap_or(0);
            cable.rate.as_f64() * most as f64
        };
        let most = view.cables.iter().map(capacity).fold(0.0, f64::max);
        #[expect(clippy::cast_possible_truncation, reason = "a share")]
        let widths = view
            .cables
            .iter()
            .map(|cable| (capacity(cable) / most).sqrt() as f32);
        let devices = view
            .devices
            .iter()
            .map(|device| (device.part, device.name.clone()));
        let groups = view
            .groups
            .iter()
            .map(|group| (Part::Group(group.id), group.name.clone()));
        Self {
            ways,
            widths: widths.collect(),
            names: devices.chain(groups).collect(),
            plan,
            view,
        }
    }

    /// The name of a part.
    pub fn name(&self, part: Part) -> &str {
        self.names.get(&part).map_or("", String::as_str)
    }

    /// The cable that holds a link, and in which of its directions.
    pub fn cable_of(&self, link: LinkId) -> Option<(usize, usize)> {
        let cables = self.view.cables.iter().enumerate();
        cables
            .flat_map(|(at, cable)| [(at, 0, &cable.links[0]), (at, 1, &cable.links[1])])
            .find(|(_, _, links)| links.contains(&link))
            .map(|(at, direction, _)| (at, direction))
    }

    /// Where a direction of a cable leads, in words.
    pub fn way(&self, cable: usize, direction: usize) -> String {
        let [a, b] = self.view.cables[cable].ends;
        let (from, to) = if direction == 0 { (a, b) } else { (b, a) };
        format!("{} to {}", self.name(from), self.name(to))
    }
}

/// The classes of a direction of a cable, each with how many of its links are in it.
type Classes = Vec<(usize, u32)>;

/// How full the links of each class are, found once for a frame.
#[derive(Clone, Debug)]
pub(super) struct Fill {
    /// At the playhead; on average where there is none.
    pub(super) now: Vec<f64>,
    /// On average over the window.
    pub(super) mean: Vec<f64>,
}

/// A graph with the loads of its links.
#[derive(Clone, Debug)]
pub struct Scene {
    /// The drawing.
    pub graph: Arc<Graph>,
    /// What links carried.
    pub side: Arc<Side>,
    /// By cable and direction.
    classes: Vec<[Classes; 2]>,
}

impl Scene {
    /// Finds the loads of all cables.
    pub fn new(graph: Arc<Graph>, side: Arc<Side>) -> Self {
        let classes = graph.view.cables.iter();
        let classes = classes.map(|cable| {
            [0, 1].map(|direction| {
                let mut counts: BTreeMap<usize, u32> = BTreeMap::new();
                for link in &cable.links[direction] {
                    if let Some(class) = side.loads.class_of(*link) {
                        *counts.entry(class).or_default() += 1;
                    }
                }
                counts.into_iter().collect()
            })
        });
        Self {
            classes: classes.collect(),
            graph,
            side,
        }
    }

    /// How full the links of each class are: at the playhead, or on average over a window where there
    /// is no playhead. Packets count whole when they begin, so that a short while may hold more than
    /// fits; it counts as full.
    pub fn shares(&self, playhead: Option<SimTime>, window: &std::ops::Range<SimTime>) -> Vec<f64> {
        let loads = &self.side.loads;
        let mut shares = playhead.map_or_else(|| loads.over(window), |time| loads.at(time));
        for share in &mut shares {
            *share = share.min(1.0);
        }
        shares
    }

    /// How full links are, for a frame.
    ///
    /// * `playhead`, `window` — as in [`Scene::shares`].
    pub(super) fn fill(
        &self,
        playhead: Option<SimTime>,
        window: &std::ops::Range<SimTime>,
    ) -> Fill {
        let mean = self.shares(None, window);
        let now = playhead.map_or_else(|| mean.clone(), |_| self.shares(playhead, window));
        Fill { now, mean }
    }

    /// How full the fullest link of a direction of a cable is; none where the run could not load any
    /// and none is loaded.
    ///
    /// * `shares` — what [`Scene::shares`] said.
    pub fn load(&self, cable: usize, direction: usize, shares: &[f64]) -> Option<f64> {
        let routed = self.side.loads.routed;
        let is_known = !self.classes[cable][direction].is_empty()
            || routed.knows(self.graph.view.cables[cable].kind);
        is_known.then(|| self.fullest(cable, direction, shares))
    }

    /// Whether a cable that is drawn has no load.
    pub(super) fn has_unknown(&self) -> bool {
        if self.side.loads.routed == Routed::Everything {
            return false;
        }
        let cables = self.graph.view.cables.iter().enumerate();
        let mut drawn =
            cables.filter(|(at, cable)| self.graph.ways[*at].is_some() && !cable.is_down);
        drawn.any(|(at, _)| [0, 1].iter().any(|way| self.load(at, *way, &[]).is_none()))
    }

    /// Why nobody knows the load of a link.
    pub fn why_unknown(&self) -> String {
        if self.side.loads.routed == Routed::Nothing {
            format!("not modelled by the {} engine", self.side.engine)
        } else {
            "not modelled: what stays in a scale-up domain is in the prices of its collectives, not in the loads of \
             links"
                .to_owned()
        }
    }

    /// How full the fullest link of a direction of a cable is.
    ///
    /// * `shares` — what [`Scene::shares`] said.
    pub fn fullest(&self, cable: usize, direction: usize, shares: &[f64]) -> f64 {
        let classes = self.classes[cable][direction].iter();
        let shares = classes.filter_map(|(class, _)| shares.get(*class));
        shares.copied().fold(0.0, f64::max)
    }

    /// How full the links of a direction of a cable are on average.
    pub fn mean(&self, cable: usize, direction: usize, shares: &[f64]) -> f64 {
        let classes = self.classes[cable][direction].iter();
        let sum: f64 = classes
            .filter_map(|(class, count)| Some(shares.get(*class)? * f64::from(*count)))
            .sum();
        sum / self.graph.view.cables[cable].links[direction].len().max(1) as f64
    }

    /// The link of a direction of a cable that is fullest; the first where none is loaded.
    pub fn link(&self, cable: usize, direction: usize, shares: &[f64]) -> Option<LinkId> {
        let classes = self.classes[cable][direction].iter();
        let share = |class: usize| shares.get(class).copied().unwrap_or(0.0);
        let fullest = classes.max_by(|a, b| share(a.0).total_cmp(&share(b.0)));
        let links = &self.graph.view.cables[cable].links[direction];
        match fullest {
            Some((class, _)) => {
                let members = &self.side.loads.classes[*class].members;
                links
                    .iter()
                    .find(|link| members.binary_search(link).is_ok())
            }
            None => links.first(),
        }
        .copied()
    }
}

/// How full links are, in a word: what the scale of colors means.
pub const fn word(share: f64) -> &'static str {
    if share <= 0.0 {
        "idle"
    } else if share < 0.25 {
        "light"
    } else if share < 0.6 {
        "moderate"
    } else if share < 0.9 {
        "heavy"
    } else {
        "full"
    }
}
