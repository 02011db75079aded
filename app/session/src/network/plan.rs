//! Which load balancing is best for a workload on a cluster.
//!
//! Each candidate runs on the scenario's engine; those that hash run with several seeds. The order
//! is that of the median completion time. Where two take the same within 0.5 %, in the worst run,
//! too, fewer pieces come first, then what is simpler to set up; what acts packet by packet
//! counts as cut into most pieces. Spraying runs where it is no candidate, too: it is what all are
//! compared with.

use std::collections::BTreeMap;

use cluster::Topology as _;
use format::tree::{Table, Value};
use format::{Engine, Failure};
use rayon::iter::{ParallelBridge, ParallelIterator};
use traffic::{Keep, Policy, RunError};
use units::{Control, Seconds, SimTime};

use super::Traffic;
use super::candidates::{Candidate, NetworkField};
use crate::Opened;
use crate::complete::set;
use format::{Rules, how_cut, rules, usual_balancing};

/// Runs of a candidate that hashes.
const SEEDS: u64 = 5;
/// Times that differ by less are the same.
const SAME: f64 = 1.005;
/// Pieces that a candidate may cut the flows into: each takes some 200 bytes of memory.
const MOST_PIECES: u64 = 1 << 22;

/// What came of a candidate.
#[derive(Clone, Debug)]
pub struct NetworkPlan {
    /// What was chosen.
    pub candidate: Candidate,
    /// When the last byte of all arrived, in the median run.
    pub makespan: Seconds,
    /// The same in the worst run.
    pub worst: Seconds,
    /// How many runs there were.
    pub runs: usize,
    /// The longest time that a link needs for what it carries, in the median run; with headers and
    /// what is sent again where there are packets.
    pub congestion: Seconds,
    /// Pieces beyond one for each flow; none where packets are spread.
    pub extra_pieces: Option<u64>,
    /// What the cluster needs for it.
    pub needs: String,
    /// Whether it is what the scenario says itself.
    pub is_own: bool,
    /// The scenario with it, as TOML.
    pub scenario: String,
}

/// A candidate whose runs did not all end, such as one that locks up under pauses.
#[derive(Clone, Debug)]
pub struct FailedPlan {
    /// What was chosen.
    pub candidate: Candidate,
    /// How many of its runs failed, and how many there were.
    pub runs: [usize; 2],
    /// Why the first of them failed, and what to do about it.
    pub error: String,
    /// See [`FailedPlan::error`].
    pub hint: Option<&'static str>,
}

/// Candidates, the best first.
#[derive(Clone, Debug)]
pub struct NetworkPlans {
    /// What reports call the scenario.
    pub name: String,
    /// Those that ran.
    pub plans: Vec<NetworkPlan>,
    /// Those of which a run failed: they are no choice.
    pub failed: Vec<FailedPlan>,
    /// Those that no other beats in time and in pieces, the fastest first.
    pub pareto: Vec<usize>,
    /// What spraying takes, where it ran: the ideal in the flow engine, every packet on the next
    /// way in the packet engine.
    pub ideal: Option<Seconds>,
    /// The longest time that a link needs under ideal spraying.
    pub ideal_congestion: Seconds,
    /// Reasons why candidates did not run, and how many.
    pub excluded: Vec<(String, usize)>,
    /// Whether the search was stopped before every run had ended.
    pub partial: bool,
    /// The engine.
    pub engine: &'static str,
    /// The seed of the first run.
    pub seed: u64,
    /// What was not given.
    pub assumptions: Vec<predict::Assumed>,
    /// What is suspicious but no error.
    pub warnings: Vec<String>,
}

/// Why there are no plans.
#[derive(Debug, thiserror::Error)]
pub enum NetworkPlanError {
    /// The scenario is wrong.
    #[error("the scenario is wrong")]
    Scenario(Vec<Failure>),
    /// No candidate could run, and what to do about it.
    #[error("no candidate could run: {0}")]
    Nothing(String, Option<&'static str>),
    /// Stopped before a run had ended.
    #[error("interrupted before a run had ended")]
    Interrupted,
}

impl Opened {
    /// The scenario on another engine.
    #[must_use]
    pub fn on_engine(mut self, engine: Engine) -> Self {
        self.spec.settings.engine = Some(engine);
        let name = Value::Text(engine.name().to_owned());
        set(&mut self.document, &["settings", "engine"], name);
        self
    }

    /// Runs every load balancing that a user can set up, and orders them.
    ///
    /// * `fixed` — fields that stay as the scenario has them.
    ///
    /// # Errors
    ///
    /// A scenario that is wrong, and a search without a result.
    pub fn plan_network(
        &self,
        fixed: &[NetworkField],
        control: &Control,
    ) -> Result<NetworkPlans, NetworkPlanError> {
        let traffic = self.traffic_for(format::Search::LoadBalancing);
        let traffic = traffic.map_err(NetworkPlanError::Scenario)?;
        let search = Search::new(self, &traffic, fixed);
        let found = search.run(control);
        search.plans(found, control.is_cancelled())
    }
}

/// A candidate with its rules.
struct Entry {
    candidate: Candidate,
    is_own: bool,
    /// Whether it is only compared with.
    is_measure: bool,
    pieces: u64,
}

struct Search<'a> {
    opened: &'a Opened,
    traffic: &'a Traffic,
    engine: Engine,
    entries: Vec<Entry>,
    excluded: BTreeMap<String, usize>,
}

/// What of a run is kept.
#[derive(Clone, Copy, Debug)]
struct Ran {
    makespan: SimTime,
    congestion: Seconds,
    extra_pieces: usize,
}

type Found = Vec<Vec<Result<Ran, RunError>>>;

impl<'a> Search<'a> {
    fn new(opened: &'a Opened, traffic: &'a Traffic, fixed: &[NetworkField]) -> Self {
        let (network, nccl) = (&opened.spec.network, &opened.spec.nccl);
        let engine = match traffic.rules {
            Rules::Flow { .. } => Engine::Flow,
            Rules::Packet { .. } => Engine::Packet,
        };
        let usual = match engine {
            Engine::Packet => usual_balancing(network.transport),
            _ => "static",
        };
        let own = Candidate::own(network.load_balancing.unwrap_or(usual), network, nccl);
        let mut search = Self {
            opened,
            traffic,
            engine,
            entries: Vec::new(),
            excluded: BTreeMap::new(),
        };
        let mut all = Candidate::all(engine, network);
        if !all.contains(&own) {
            all.push(own.clone());
        }
        let has_ways = traffic.has_ways();
        let streams = traffic.program.streams().len() as u64;
        for candidate in all {
            let is_own = candidate == own;
            let is_fixed = |field: &NetworkField| own.agrees(&candidate, *field);
            let pieces = streams * u64::from(candidate.queue_pairs.unwrap_or(1));
            let is_fixed = fixed.iter().all(is_fixed);
            let reason = if !is_fixed && candidate.policy != "spray" {
                "a fixed field has another value"
            } else if !has_ways && !is_own && !matches!(candidate.policy, "static" | "spray") {
                "no two hosts have several ways between them"
            } else if MOST_PIECES < pieces && !is_own && 1 < candidate.queue_pairs.unwrap_or(1) {
                "flows would be cut into more than 4,194,304 pieces"
            } else {
                search.entries.push(Entry {
                    candidate,
                    is_own: is_own && network.load_balancing.is_some(),
                    is_measure: !is_fixed,
                    pieces,
                });
                continue;
            };
            *search.excluded.entry(reason.to_owned()).or_default() += 1;
        }
        search
    }

    /// Runs all, on as many threads as the pool has: first each once, those that take long last,
    /// so that a search that is stopped has most; then those that hash again.
    fn run(&self, control: &Control) -> Found {
        let mut tasks: Vec<(u64, usize)> = Vec::new();
        for round in 0..SEEDS {
            let mut again: Vec<usize> = (0..self.entries.len()).collect();
            again.retain(|at| round == 0 || self.entries[*at].candidate.is_drawn(self.engine));
            again.sort_by_key(|at| {
                let candidate = &self.entries[*at].candidate;
                candidate.is_drawn(self.engine) || candidate.policy == "adaptive-flow"
            });
            tasks.extend(again.into_iter().map(|at| (round, at)));
        }
        control.set_items(tasks.len() as u64);
        let mut done: Vec<(u64, usize, Result<Ran, RunError>)> = tasks
            .into_iter()
            .par_bridge()
            .filter(|_| !control.is_cancelled())
            .map(|(round, at)| {
                let ran = self.run_once(&self.entries[at].candidate, round, control);
                control.finish_item();
                (round, at, ran)
            })
            .collect();
        done.sort_by_key(|(round, at, _)| (*at, *round));
        let mut found: Found = self.entries.iter().map(|_| Vec::new()).collect();
        for (_, at, ran) in done {
            found[at].push(ran);
        }
        found
    }

    fn run_once(
        &self,
        candidate: &Candidate,
        round: u64,
        control: &Control,
    ) -> Result<Ran, RunError> {
        let spec = &self.opened.spec;
        let (network, nccl) = candidate.sections(&spec.network, &spec.nccl);
        let seed = self.traffic.seed.wrapping_add(round);
        let rules = rules(self.engine, &network, &nccl, seed, &mut Vec::new());
        let answer = self
            .traffic
            .run_under(&rules, seed, Keep::Totals, control)?;
        Ok(Ran {
            makespan: answer.makespan,
            congestion: answer.congestion[0].unwrap_or(Seconds::ZERO),
            extra_pieces: answer.extra_pieces,
        })
    }

    fn plans(self, found: Found, stopped: bool) -> Result<NetworkPlans, NetworkPlanError> {
        let (mut plans, mut failed) = (Vec::new(), Vec::new());
        let (mut partial, mut ideal) = (false, None);
        for (at, runs) in found.into_iter().enumerate() {
            let mut ended = Vec::new();
            let mut errors = Vec::new();
            for run in runs {
                match run {
                    Ok(ran) => ended.push(ran),
                    Err(RunError::Interrupted(_)) => partial = true,
                    Err(error) => errors.push(error),
                }
            }
            let wanted = if self.entries[at].candidate.is_drawn(self.engine) {
                SEEDS
            } else {
                1
            };
            partial |= stopped && (ended.len() as u64) < wanted;
            let entry = &self.entries[at];
            if let Some(error) = errors.first() {
                failed.push(FailedPlan {
                    candidate: entry.candidate.clone(),
                    runs: [errors.len(), errors.len() + ended.len()],
                    error: error.to_string(),
                    hint: error.hint(),
                });
                continue;
            }
            if entry.candidate.policy == "spray" {
                ideal = ended.first().copied();
            }
            if !ended.is_empty() && !entry.is_measure {
                plans.push(self.plan(entry, &mut ended));
            }
        }
        if plans.is_empty() {
            let hint = failed.iter().find_map(|plan: &FailedPlan| plan.hint);
            let errors = failed
                .into_iter()
                .map(|plan| format!("{}: {}", plan.candidate.policy, plan.error));
            let reasons: Vec<String> = self.excluded.into_keys().chain(errors).collect();
            return Err(if stopped {
                NetworkPlanError::Interrupted
            } else {
                NetworkPlanError::Nothing(reasons.join("; "), hint)
            });
        }
        let plans = ordered(plans);
        Ok(NetworkPlans {
            name: self.traffic.name.clone(),
            pareto: pareto(&plans),
            plans,
            failed,
            ideal: ideal.map(|ran: Ran| ran.makespan.as_seconds()),
            ideal_congestion: self.traffic.ideal_congestion(),
            excluded: self.excluded.into_iter().collect(),
            partial,
            engine: self.engine.name(),
            seed: self.traffic.seed,
            assumptions: self.traffic.assumptions.clone(),
            warnings: self.traffic.warnings.clone(),
        })
    }

    /// * `runs` — at least one.
    fn plan(&self, entry: &Entry, runs: &mut [Ran]) -> NetworkPlan {
        runs.sort_by_key(|ran| ran.makespan);
        let candidate = &entry.candidate;
        let median = runs[runs.len() / 2];
        let seconds = |ran: Ran| ran.makespan.as_seconds();
        let streams = self.traffic.program.streams().len() as u64;
        let extra = (entry.pieces - streams).max(median.extra_pieces as u64);
        let pieces = match candidate.policy {
            "singlepath" => self.most_pieces(candidate),
            _ => 1,
        };
        NetworkPlan {
            makespan: seconds(median),
            worst: seconds(runs[runs.len() - 1]),
            runs: runs.len(),
            congestion: median.congestion,
            extra_pieces: (!candidate.cuts_packets()).then_some(extra),
            needs: candidate.needs(pieces),
            is_own: entry.is_own,
            scenario: self.scenario(candidate),
            candidate: candidate.clone(),
        }
    }

    /// The most pieces of a flow.
    fn most_pieces(&self, candidate: &Candidate) -> u32 {
        let (network, _) = candidate.sections(&self.opened.spec.network, &self.opened.spec.nccl);
        self.traffic
            .most_pieces(Policy::SinglePath(how_cut(&network)))
    }

    /// The scenario with the candidate in it.
    fn scenario(&self, candidate: &Candidate) -> String {
        let mut document: Table = self.opened.document.clone();
        let text = |text: &str| Value::Text(text.to_owned());
        set(
            &mut document,
            &["network", "load_balancing"],
            text(candidate.policy),
        );
        if let Some(split) = candidate.split {
            set(&mut document, &["network", "split"], text(split));
        }
        let pairs = candidate.queue_pairs;
        // Others were run with one queue pair.
        let pairs = pairs.or_else(|| self.opened.spec.nccl.qps.map(|_| 1));
        if let Some(pairs) = pairs {
            set(
                &mut document,
                &["nccl", "qps"],
                Value::Integer(i64::from(pairs)),
            );
        }
        format::write::write(&document)
    }
}

impl Traffic {
    /// Whether any flow has several ways to choose from.
    fn has_ways(&self) -> bool {
        let mut last = None;
        self.program.streams().iter().any(|stream| {
            let ends = (stream.src, stream.dst);
            let is_new = last.replace(ends) != Some(ends);
            is_new && 1 < self.fabric.n_ways(stream.src, stream.dst)
        })
    }

    /// The most pieces of a flow under a policy.
    pub(super) fn most_pieces(&self, policy: Policy) -> u32 {
        let balanced = traffic::balance(&self.fabric, &self.program, policy, self.seed);
        let pieces = balanced.origin.chunk_by(|a, b| a == b).map(<[u32]>::len);
        u32::try_from(pieces.max().unwrap_or(0)).unwrap_or(u32::MAX)
    }
}

/// Of ordered plans, those that no other beats in time and in pieces: times within 0.5 % are the
/// same, and what is spread packet by packet counts as cut into most pieces.
fn pareto(plans: &[NetworkPlan]) -> Vec<usize> {
    let mut fewest = None;
    let mut front = Vec::new();
    for (at, plan) in plans.iter().enumerate() {
        let pieces = plan.extra_pieces.unwrap_or(u64::MAX);
        if fewest.is_none_or(|fewest| pieces < fewest) {
            fewest = Some(pieces);
            front.push(at);
        }
    }
    front
}

/// The plans in order; they come in that of their simplicity.
fn ordered(plans: Vec<NetworkPlan>) -> Vec<NetworkPlan> {
    let mut rest: Vec<(usize, NetworkPlan)> = plans.into_iter().enumerate().collect();
    rest.sort_by(|(a, x), (b, y)| {
        let by_time = x.makespan.as_secs().total_cmp(&y.makespan.as_secs());
        by_time.then(a.cmp(b))
    });
    let mut ordered = Vec::with_capacity(rest.len());
    while let Some((_, first)) = rest.first() {
        let limits = [first.makespan, first.worst].map(|time| time.as_secs() * SAME);
        let is_same = |plan: &NetworkPlan| {
            plan.makespan.as_secs() <= limits[0] && plan.worst.as_secs() <= limits[1]
        };
        let (mut same, other): (Vec<_>, Vec<_>) =
            rest.into_iter().partition(|(_, plan)| is_same(plan));
        same.sort_by_key(|(at, plan)| (plan.extra_pieces.unwrap_or(u64::MAX), *at));
        ordered.extend(same.into_iter().map(|(_, plan)| plan));
        rest = other;
    }
    ordered
}
