//! From a run to the answer.

use engine::{LaneTotals, Run};
use lower::Lowered;
use serde_json::{Map, Value, json};
use trace::Category;
use traffic::Policy;
use units::{Seconds, SimTime};

use crate::memory::{Memory, memory};
use crate::nccl::unheeded;
use crate::plan_json::plan_json;
use crate::prediction::{Assumed, Breakdown, Prediction, SCHEMA, Sources};
use crate::rates::{Rates, counted_otherwise};
use crate::scenario::{Engine, Scenario};
use crate::sources::sources;

/// The prediction of a simulated iteration.
pub(crate) fn prediction(scenario: &Scenario, lowered: &Lowered, run: &Run) -> Prediction {
    let (bottleneck, totals) = bottleneck(lowered, run);
    let answer = Answer {
        time: run.end.as_seconds(),
        memory: memory(scenario, &scenario.plan, lowered, run),
        breakdown: breakdown(&totals.by_category, totals.idle),
        bottleneck,
        critical_path: (run.path.as_ref()).map(|path| breakdown(&path.by_category, path.waiting)),
        assumptions: assumptions(scenario, lowered, run),
        sources: sources(scenario, lowered),
    };
    let mut prediction = answer.prediction(scenario);
    if scenario.settings.engine == Engine::Estimate {
        // A timeline was asked for, which the closed form does not have.
        prediction.engine = Engine::Analytic.name();
    }
    prediction
}

/// The scenario's assumptions, and what lowering simplifies.
pub(crate) fn assumptions(scenario: &Scenario, lowered: &Lowered, run: &Run) -> Vec<Assumed> {
    let notes = lowered.notes.iter().map(|note| Assumed {
        field: format!("plan.{}", note.field),
        value: note.value.to_string(),
        reason: note.reason.to_owned(),
    });
    let engine = (scenario.settings.engine == Engine::Estimate).then(|| Assumed {
        field: "settings.engine".to_owned(),
        value: Engine::Analytic.name().to_owned(),
        reason: "the closed form has no timeline".to_owned(),
    });
    let is_folded = run.lanes.len() < scenario.plan.n_ranks() as usize;
    let is_uneven = lowered
        .fabric
        .as_ref()
        .is_some_and(|fabric| !fabric.is_even);
    let folded = (is_folded && is_uneven).then(|| Assumed {
        field: "settings.unfold".to_owned(),
        value: "false".to_owned(),
        reason: "ranks of a class move as one, though their links differ: up to 0.4 % off; --unfold is exact".to_owned(),
    });
    scenario
        .assumptions
        .iter()
        .cloned()
        .chain(notes)
        .chain(engine)
        .chain(folded)
        .chain(beyond_measured(scenario))
        .chain(on_links(scenario))
        .chain(unheeded(scenario, lowered))
        .collect()
}

/// That collectives between more nodes than were measured follow from the closed form.
pub(crate) fn beyond_measured(scenario: &Scenario) -> Option<Assumed> {
    let (cluster, comm) = (&scenario.cluster, &scenario.comm);
    let entry = comm.network_of(cluster.network(), cluster.fabric_name());
    let entry = &comm.network[usize::from(entry)];
    let fit = &entry.reached.as_ref()?.fit;
    let domains = cluster.n_domains();
    let is_beyond = fit.counts[1] < domains && !fit.measured.is_empty();
    is_beyond.then(|| Assumed {
        field: "cluster.fabric".to_owned(),
        value: entry.name.clone(),
        reason: format!(
            "collectives over {domains} domains follow from the closed form: over this network were measured, by \
             number of domains, {}",
            fit.measured_in_words()
        ),
    })
}

/// What is simplified between NICs.
fn on_links(scenario: &Scenario) -> Vec<Assumed> {
    let mut assumed = Vec::new();
    let mut assume = |field: &str, value: &str, reason: &str| {
        assumed.push(Assumed {
            field: field.to_owned(),
            value: value.to_owned(),
            reason: reason.to_owned(),
        });
    };
    let settings = &scenario.settings;
    let balancing = "network.load_balancing";
    match settings.engine {
        Engine::Packet => {
            assume(
                "settings.engine",
                "packet",
                "each phase of a collective is one message for each pair of NICs that talk, with all its bytes; steps of a ring are not sent one by one",
            );
            if scenario.cluster.has_measured_rates() {
                assume(
                    "cluster.measured_bytes_per_s",
                    "the fastest of each node",
                    "packets cross links: the NICs of a node send and receive as fast as the fastest of what was measured from \
                     and to it, where all was measured; slower pairs are not slowed down",
                );
            }
        }
        Engine::Flow if settings.fabric.policy == Policy::AdaptiveFlow => assume(
            balancing,
            "adaptive-flow",
            "all transfers of a phase take the least loaded ways in turn, the same each time",
        ),
        Engine::Flow if settings.fabric.policy == Policy::Spray => assume(
            balancing,
            "spray",
            "without packets every policy that acts on them is ideal spraying",
        ),
        _ => {}
    }
    assumed
}

/// What an engine finds out; everything else follows from the scenario.
pub(crate) struct Answer {
    pub(crate) time: Seconds,
    pub(crate) memory: Memory,
    pub(crate) breakdown: Breakdown,
    pub(crate) bottleneck: Option<String>,
    pub(crate) critical_path: Option<Breakdown>,
    pub(crate) assumptions: Vec<Assumed>,
    pub(crate) sources: Sources,
}

impl Answer {
    /// The prediction of a scenario.
    pub(crate) fn prediction(self, scenario: &Scenario) -> Prediction {
        let rates = Rates::new(scenario, self.time);
        let Self { memory, .. } = self;
        let spread = scenario.settings.spread.map(units::math::exp);
        Prediction {
            schema: SCHEMA,
            engine: scenario.settings.engine.name(),
            iteration_time_s: rates.time,
            iteration_time_p10_s: spread.map(|by| rates.time / by),
            iteration_time_p90_s: spread.map(|by| rates.time * by),
            tokens_per_s: rates.tokens / rates.time,
            tokens_per_s_per_gpu: rates.tokens / rates.time / rates.gpus,
            model_tflops_per_gpu: rates.model / 1e12,
            hardware_tflops_per_gpu: rates.hardware / 1e12,
            mfu: rates.mfu.unwrap_or(0.0),
            mfu_format: scenario.job.precision.compute.name(),
            peak_tflops_per_gpu: rates.peak / 1e12,
            gemm_format: scenario.job.precision.gemm().name(),
            mfu_of_gemm_format: rates.gemm_mfu,
            peak_allocated_bytes: memory.allocated,
            peak_reserved_bytes: memory.reserved,
            device_used_bytes: memory.used,
            device_memory_bytes: memory.limit,
            fits: memory.fits,
            peak_allocated_bytes_by_class: memory.by_class,
            breakdown: self.breakdown,
            bottleneck: self.bottleneck,
            critical_path: self.critical_path,
            plan: plan_json(&scenario.plan),
            assumptions: (self.assumptions.into_iter())
                .chain(counted_otherwise(scenario))
                .collect(),
            sources: self.sources,
            jobs: Vec::new(),
            totals: totals(scenario, &rates),
        }
    }
}

/// The lane that idles least, the one that others wait for: its name and its totals.
fn bottleneck<'r>(lowered: &Lowered, run: &'r Run) -> (Option<String>, &'r LaneTotals) {
    static EMPTY: LaneTotals = LaneTotals::EMPTY;
    let lanes = lowered.binding.lanes.lanes.iter().zip(&run.lanes);
    lanes
        .min_by_key(|(_, totals)| totals.idle)
        .map_or((None, &EMPTY), |(lane, totals)| {
            (Some(lane.name.clone()), totals)
        })
}

pub(crate) fn breakdown(
    by_category: &[SimTime; Category::ALL.len()],
    bubble: SimTime,
) -> Breakdown {
    let secs = |category: Category| by_category[category.index()].as_seconds().as_secs();
    Breakdown {
        compute_s: secs(Category::Compute),
        tp_s: secs(Category::Tp),
        pp_s: secs(Category::Pp),
        dp_s: secs(Category::Dp),
        cp_s: secs(Category::Cp),
        ep_s: secs(Category::Ep),
        bubble_s: bubble.as_seconds().as_secs(),
        optimizer_s: secs(Category::Optimizer),
        other_s: secs(Category::Other) + secs(Category::Offload),
    }
}

/// Time, GPU-hours, energy and money of the whole run, where its tokens are known.
fn totals(scenario: &Scenario, rates: &Rates) -> Map<String, Value> {
    let mut totals = Map::new();
    let Some(tokens) = scenario.job.total_tokens else {
        return totals;
    };
    let iterations = (tokens as f64 / rates.tokens).ceil();
    let hours = iterations * rates.time / 3600.0;
    let gpu_hours = hours * rates.gpus;
    totals.insert("iterations".into(), json!(iterations));
    totals.insert("days".into(), json!(hours / 24.0));
    totals.insert("gpu_hours".into(), json!(gpu_hours));
    let watts: f64 = scenario
        .plan
        .ranks()
        .all()
        .map(|rank| {
            scenario
                .cluster
                .gpu(scenario.plan.gpu_of(rank))
                .tdp
                .as_f64()
        })
        .sum();
    let kwh = hours * watts / 1000.0;
    totals.insert("gpu_energy_kwh_at_tdp".into(), json!(kwh));
    let prices = &scenario.prices;
    let gpu_cost = prices.gpu_hour.map(|price| price * gpu_hours);
    let energy_cost = prices.kwh.map(|price| price * kwh);
    if gpu_cost.is_some() || energy_cost.is_some() {
        let cost = gpu_cost.unwrap_or(0.0) + energy_cost.unwrap_or(0.0);
        totals.insert("cost".into(), json!(cost));
        let currency = prices.currency.clone().unwrap_or_default();
        totals.insert("currency".into(), json!(currency));
    }
    totals
}
