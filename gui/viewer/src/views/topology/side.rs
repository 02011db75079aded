//! What the graph is drawn from: a fabric, and what its links carried in one run.

use std::sync::Arc;

use session::{
    Extent, GroupId, Keep, LinkLoads, Ready, Record, TopologyView, Traffic, link_name, topology,
};
use units::{Control, LinkId, SimTime};

use crate::document::{Checked, Runnable};
use crate::run::{Answer, Run};

/// Groups and devices that are seen at first, at most.
const MOST: usize = 80;
/// Moments of the strip that shows how full the fullest link is.
const STRIP: u32 = 200;
/// Links that the strip looks at: the busiest.
const BUSIEST: usize = 256;

/// What ran.
#[derive(Clone, Debug)]
pub enum Fabric {
    /// The cluster of a training iteration.
    Training(Arc<Ready>),
    /// The fabric of a network workload.
    Traffic(Arc<Traffic>),
}

impl Fabric {
    /// What it looks like with some groups open.
    pub fn topology(&self, extent: &Extent) -> TopologyView {
        match self {
            Self::Training(ready) => topology(&ready.scenario.cluster, extent),
            Self::Traffic(traffic) => traffic.topology(extent),
        }
    }

    /// What a link is called, with its direction.
    pub fn link_name(&self, link: LinkId) -> String {
        match self {
            Self::Training(ready) => link_name(&ready.scenario.cluster, link),
            Self::Traffic(traffic) => traffic.link_name(link),
        }
    }

    /// The groups that are open at first: all of a kind or none, from above, while they fit.
    pub fn extent(&self) -> Extent {
        type Is = fn(&GroupId) -> bool;
        let kinds: [Is; 5] = [
            |id| matches!(id, GroupId::Cores),
            |id| matches!(id, GroupId::Pod(_)),
            |id| matches!(id, GroupId::Spines(_)),
            |id| matches!(id, GroupId::Leaves(_)),
            |id| matches!(id, GroupId::Node(_)),
        ];
        let mut extent = Extent::default().toggled(GroupId::Whole);
        let mut seen = self.topology(&extent);
        for is in kinds {
            let folded = seen
                .groups
                .iter()
                .filter(|group| !group.is_open && group.has_parts);
            let folded: Vec<GroupId> = folded.map(|group| group.id).filter(is).collect();
            if folded.is_empty() || MOST < folded.len() {
                continue;
            }
            let wider = folded.into_iter().fold(extent.clone(), Extent::toggled);
            let view = self.topology(&wider);
            if view.groups.len() + view.devices.len() <= MOST {
                (extent, seen) = (wider, view);
            }
        }
        extent
    }
}

/// Where a rank runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RankPlace {
    /// The rank.
    pub rank: u32,
    /// Its node.
    pub node: u32,
    /// The name of its GPU.
    pub gpu: String,
}

/// A run as the graph shows it.
#[derive(Clone, Debug)]
pub struct Side {
    /// What it is called: the scenario, or a policy of load balancing.
    pub name: String,
    /// The engine that ran it.
    pub engine: String,
    /// What it ran on.
    pub fabric: Fabric,
    /// What links carried.
    pub loads: LinkLoads,
    /// Whether the engine knows links.
    pub knows_links: bool,
    /// Where the ranks of a training iteration run.
    pub ranks: Vec<RankPlace>,
    /// When it ended.
    pub end: SimTime,
    /// How full the fullest link is, over equal stretches of the run.
    pub strip: Vec<f64>,
}

impl Side {
    fn new(name: String, engine: String, fabric: Fabric, loads: LinkLoads, knows: bool) -> Self {
        Self {
            strip: strip(&loads),
            ranks: ranks(&fabric),
            end: loads.end,
            name,
            engine,
            fabric,
            loads,
            knows_links: knows,
        }
    }

    /// The side of a run; none for a timeline from a file, whose cluster nobody knows.
    pub fn of_run(run: &Run) -> Option<Self> {
        let (name, engine) = (run.caption.scenario.clone(), run.caption.engine.clone());
        match &run.answer {
            Answer::Training { ready, outcome } => {
                let links = outcome.links.as_ref();
                let loads = links.map(|links| LinkLoads::of_links(&ready.scenario, links));
                let knows = loads.is_some();
                let fabric = Fabric::Training(Arc::clone(ready));
                let mut side = Self::new(name, engine, fabric, loads.unwrap_or_default(), knows);
                side.end = run.timeline.end();
                Some(side)
            }
            Answer::Traffic { traffic, answer } => {
                let loads = LinkLoads::of_traffic(traffic, answer);
                let fabric = Fabric::Traffic(Arc::clone(traffic));
                Some(Self::new(name, engine, fabric, loads, true))
            }
            Answer::File { .. } => None,
        }
    }

    /// Runs a scenario for its links alone.
    ///
    /// # Errors
    ///
    /// What is wrong with the scenario or stopped the engine, in words.
    pub fn ran(draft: session::Draft, name: &str, control: &Control) -> Result<Self, String> {
        let runnable = Checked::new(draft).result.map_err(|failures| {
            let first = failures.first();
            first.map_or_else(String::new, |failure| {
                crate::state::hinted(failure, failure.hint())
            })
        })?;
        match runnable {
            Runnable::Training(ready) => {
                let outcome = ready.run_links(Record::Totals, control);
                let outcome = outcome.map_err(|error| error.to_string())?;
                let links = outcome.links.unwrap_or_default();
                let loads = LinkLoads::of_links(&ready.scenario, &links);
                let engine = outcome.prediction.engine.to_owned();
                let fabric = Fabric::Training(ready);
                Ok(Self::new(name.to_owned(), engine, fabric, loads, true))
            }
            Runnable::Traffic(traffic) => {
                let answer = traffic.run(Keep::Loads, control);
                let answer = answer.map_err(|error| error.to_string())?;
                let loads = LinkLoads::of_traffic(&traffic, &answer);
                let engine = crate::run::engine_of(&traffic.rules).to_owned();
                let fabric = Fabric::Traffic(traffic);
                Ok(Self::new(name.to_owned(), engine, fabric, loads, true))
            }
        }
    }

    /// The class that is fullest on average over the run, with how full it is.
    pub fn fullest(&self) -> Option<(usize, f64)> {
        let whole = SimTime::ZERO..self.loads.end;
        self.loads.fullest(&whole, 1).first().copied()
    }
}

fn ranks(fabric: &Fabric) -> Vec<RankPlace> {
    let Fabric::Training(ready) = fabric else {
        return Vec::new();
    };
    let places = ready.rank_places();
    let ranks = (0..).zip(places.node.into_iter().zip(places.gpu));
    ranks
        .map(|(rank, (node, gpu))| RankPlace { rank, node, gpu })
        .collect()
}

/// How full the fullest of the busiest links is, over equal stretches.
fn strip(loads: &LinkLoads) -> Vec<f64> {
    let whole = SimTime::ZERO..loads.end;
    let busiest = loads.fullest(&whole, BUSIEST);
    if busiest.is_empty() {
        return Vec::new();
    }
    let end = loads.end.as_picos();
    let at = |step: u32| {
        let picos = u128::from(end) * u128::from(step) / u128::from(STRIP);
        SimTime::from_picos(u64::try_from(picos).unwrap_or(end))
    };
    let stretches = (0..STRIP).map(|step| at(step)..at(step + 1));
    let fullest = stretches.map(|stretch| {
        let shares = busiest
            .iter()
            .map(|(class, _)| loads.classes[*class].over(&stretch));
        shares.fold(0.0, f64::max)
    });
    fullest.collect()
}
