//! Simulating one iteration.

use engine::{Contention, Lists, Options, Run, run};
use lower::{
    Carrier, Fabric, FabricOptions, LowerOptions, Lowered, PacedGpus, Prices as CollectivePrices,
    lower_beside,
};
use network::packet::{Balancing, Config, PacketNetwork};
use network::{Analytic, Flow, Network, Share, Watched};
use trace::{Category, Lane, Trace};
use traffic::Policy;
use units::{Bytes, Control, Seconds};

use crate::beside::job_times;
use crate::closed_form::closed_form;
use crate::error::PredictError;
use crate::links::{Links, of_flows, of_packets};
use crate::outcome::prediction;
use crate::prediction::Prediction;
use crate::scenario::{Beside, Engine, Scenario};
use crate::together::{JointPrices, Together};

/// Whether a trace is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Record {
    /// Only totals.
    #[default]
    Totals,
    /// Totals, and what the critical path is spent on.
    Path,
    /// Every span, with the kernels inside.
    Trace,
}

/// A prediction and what led to it.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// The answer.
    pub prediction: Prediction,
    /// The timeline, where it was asked for.
    pub trace: Option<Trace>,
    /// What links carried, where it was asked for and the engine knows links.
    pub links: Option<Links>,
    /// Lanes that were simulated: one per class of ranks.
    pub n_lanes: usize,
    /// Events that the engine processed.
    pub events: u64,
}

/// Predicts one iteration.
///
/// The estimate has no timeline: with [`Record::Trace`] the analytic engine answers in its place.
///
/// # Errors
///
/// [`PredictError`] where the run is interrupted, overflows the clock, or the engine finds a
/// deadlock, which a checked plan never has.
pub fn predict(
    scenario: &Scenario,
    record: Record,
    control: &Control,
) -> Result<Outcome, PredictError> {
    if scenario.settings.engine == Engine::Estimate && record != Record::Trace {
        return Ok(Outcome {
            prediction: closed_form(scenario, control)?,
            trace: None,
            links: None,
            n_lanes: 0,
            events: 0,
        });
    }
    simulated(scenario, record, false, control)
}

/// Predicts one iteration, and tells what every link carried when.
///
/// # Errors
///
/// As [`predict`].
pub fn predict_links(
    scenario: &Scenario,
    record: Record,
    control: &Control,
) -> Result<Outcome, PredictError> {
    match scenario.settings.engine {
        Engine::Flow | Engine::Packet => simulated(scenario, record, true, control),
        Engine::Estimate | Engine::Analytic => predict(scenario, record, control),
    }
}

fn simulated(
    scenario: &Scenario,
    record: Record,
    links: bool,
    control: &Control,
) -> Result<Outcome, PredictError> {
    let lower_options = lower_options(scenario, record, links);
    let jobs = lowered(scenario, lower_options);
    let options = Options {
        jitter: scenario.settings.jitter,
        seed: scenario.settings.seed,
        record: record == Record::Trace,
        causes: record == Record::Path,
        ..Options::default()
    };
    control.check()?;
    let (mut run, links) = on_its_network(scenario, &jobs, &options, links, control)?;
    let trace = run.trace.take().map(|trace| finish_trace(trace, &jobs));
    let mut prediction = prediction(scenario, &jobs[0], &run);
    if !scenario.beside.is_empty() {
        prediction.jobs = job_times(scenario, prediction.iteration_time_s, control)?;
    }
    Ok(Outcome {
        prediction,
        trace,
        links,
        n_lanes: run.lanes.len(),
        events: run.events,
    })
}

/// The time of an iteration alone, in seconds, with what runs beside it.
pub(crate) fn time(scenario: &Scenario, control: &Control) -> Result<f64, PredictError> {
    let jobs = lowered(scenario, lower_options(scenario, Record::Totals, false));
    let options = Options {
        jitter: scenario.settings.jitter,
        seed: scenario.settings.seed,
        ..Options::default()
    };
    let (run, _) = on_its_network(scenario, &jobs, &options, false, control)?;
    Ok(run.end.as_seconds().as_secs())
}

/// How the engine wants a scenario lowered.
pub(crate) fn lower_options(scenario: &Scenario, record: Record, links: bool) -> LowerOptions {
    let settings = &scenario.settings;
    let fabric = &settings.fabric;
    let over = |carrier, policy| FabricOptions {
        carrier,
        policy,
        seed: settings.seed,
        loads: links,
    };
    let links = match settings.engine {
        Engine::Flow => Some(over(Carrier::Links, fabric.policy)),
        Engine::Packet => {
            let packet = Bytes::new(u64::from(fabric.packets.packet()));
            // What packets choose for themselves is to be expected on all ways.
            let policy = match fabric.packets.balancing {
                Balancing::SinglePath => fabric.policy,
                _ => Policy::Spray,
            };
            Some(over(Carrier::Messages { packet }, policy))
        }
        Engine::Estimate | Engine::Analytic => None,
    };
    // What is hashed or queues treats members of a class differently.
    let differs = settings.engine == Engine::Packet
        || !scenario.beside.is_empty()
        || links.is_some_and(|links| links.policy != Policy::Static);
    LowerOptions {
        unfold: settings.unfold || 0.0 < settings.jitter || differs,
        links,
        details: record == Record::Trace,
    }
}

/// The scenario and what runs beside it.
fn lowered(scenario: &Scenario, options: LowerOptions) -> Vec<Lowered> {
    let beside = scenario.beside.iter().map(|beside| match beside {
        Beside::Job(other) => lower::Beside::Plan(other.inputs()),
        Beside::Collective(of) => lower::Beside::Collective(lower::Repeated {
            name: &of.name,
            gpus: &of.gpus,
            kind: of.kind,
            bytes: of.bytes,
            every: of.every,
            comm: &scenario.comm,
            choice: &scenario.settings.choice,
        }),
    });
    let beside: Vec<_> = beside.collect();
    lower_beside(&scenario.inputs(), &beside, options)
}

/// Runs jobs on the network of the scenario's engine.
fn on_its_network(
    scenario: &Scenario,
    jobs: &[Lowered],
    options: &Options,
    links: bool,
    control: &Control,
) -> Result<(Run, Option<Links>), PredictError> {
    let Some(fabric) = &jobs[0].fabric else {
        let mut network = Analytic::new(&[]);
        let run = simulate_all(scenario, jobs, &mut network, options, control)?;
        return Ok((run, None));
    };
    let cluster = &scenario.cluster;
    if scenario.settings.engine == Engine::Packet {
        let sample_every = links.then_some(SAMPLE_EVERY);
        let config = Config {
            sample_every,
            ..scenario.settings.fabric.packets
        };
        let mut network = PacketNetwork::new(PacedGpus::new(cluster), config)?;
        for parts in &fabric.messages {
            network.add_parts(parts);
        }
        let run = simulate_all(scenario, jobs, &mut network, options, control)?;
        let links = links.then(|| of_packets(cluster, fabric, &network, run.end));
        return Ok((run, links));
    }
    let mut network = Flow::new(&fabric.rates, Share::EQUAL);
    if !links {
        add_paths(&mut network, fabric)?;
        let run = simulate_all(scenario, jobs, &mut network, options, control)?;
        return Ok((run, None));
    }
    let mut network = Watched::new(network);
    add_paths(&mut network, fabric)?;
    let run = simulate_all(scenario, jobs, &mut network, options, control)?;
    network.close(run.end);
    let folded = run.lanes.len() < scenario.plan.n_ranks() as usize;
    let links = of_flows(cluster, fabric, network.stretches(), run.end, folded);
    Ok((run, Some(links)))
}

/// How often links are looked at where their packets are counted.
const SAMPLE_EVERY: Seconds = Seconds::from_secs(100e-6);

fn add_paths(network: &mut impl Network, fabric: &Fabric) -> Result<(), PredictError> {
    for path in &fabric.paths {
        network.add_path(path)?;
    }
    Ok(())
}

/// Runs jobs on a network that knows their paths, until the first one has ended.
fn simulate_all<N: Network>(
    scenario: &Scenario,
    jobs: &[Lowered],
    network: &mut N,
    options: &Options,
    control: &Control,
) -> Result<Run, PredictError> {
    if let [only] = jobs {
        return simulate(scenario, only, network, options, control);
    }
    let together = Together::new(jobs);
    let others = scenario.beside.iter().map(|beside| match beside {
        Beside::Job(other) => &**other,
        Beside::Collective(_) => scenario,
    });
    let scenarios = std::iter::once(scenario).chain(others);
    let prices = JointPrices {
        of: scenarios
            .zip(jobs)
            .map(|(scenario, job)| prices(scenario, job))
            .collect(),
        together: &together,
    };
    let n_main = jobs[0].binding.lanes.lanes.len();
    let options = Options {
        window: jobs[0].window,
        contention: contention(scenario),
        main: Some(n_main),
        ..*options
    };
    let list_of = together.lanes.lanes.iter().map(|lane| lane.program);
    let mut driver = Lists::new(&together.lists, list_of.collect()).repeating_from(n_main);
    let run = run(
        &together.programs,
        &together.lanes,
        &mut driver,
        network,
        &prices,
        &options,
        control,
    )?;
    Ok(run)
}

fn prices<'a>(scenario: &'a Scenario, lowered: &'a Lowered) -> CollectivePrices<'a> {
    CollectivePrices {
        binding: &lowered.binding,
        comm: &scenario.comm,
        choice: &scenario.settings.choice,
        fabric: lowered.fabric.as_ref(),
    }
}

/// Runs what was lowered, on a network that knows its paths.
///
/// * `options` — what is random and what is kept; window and contention follow from the scenario.
pub(crate) fn simulate<N: Network>(
    scenario: &Scenario,
    lowered: &Lowered,
    network: &mut N,
    options: &Options,
    control: &Control,
) -> Result<Run, PredictError> {
    let lanes = &lowered.binding.lanes;
    let list_of = lanes.lanes.iter().map(|lane| lane.program).collect();
    let mut driver = Lists::new(&lowered.lists, list_of);
    let options = Options {
        window: lowered.window,
        contention: contention(scenario),
        ..*options
    };
    let run = run(
        &lowered.programs,
        lanes,
        &mut driver,
        network,
        &prices(scenario, lowered),
        &options,
        control,
    )?;
    Ok(run)
}

/// What communication takes from compute, by the profile of the slowest kind of GPU: the SMs
/// that its kernels hold.
pub(crate) fn contention(scenario: &Scenario) -> Contention {
    let speed = scenario
        .profiles
        .iter()
        .map(|profile| 1.0 - profile.interference().sm_share)
        .fold(1.0, f64::min);
    let mut contention = Contention::NONE;
    for category in [Category::Tp, Category::Cp, Category::Ep, Category::Dp] {
        contention.compute_beside[category.index()] = speed;
    }
    contention
}

fn finish_trace(mut trace: Trace, jobs: &[Lowered]) -> Trace {
    trace.details.clone_from(&jobs[0].details);
    let lanes = Together::lanes_of(jobs);
    trace.lanes = lanes
        .into_iter()
        .map(|lane| Lane {
            class: lane.class,
            name: lane.name,
            stage: lane.stage,
            ranks: lane.ranks,
            resident: lane.resident,
        })
        .collect();
    trace
}
