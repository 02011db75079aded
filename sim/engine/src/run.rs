//! The entry point of the engine.

use network::Network;
use task::{Lanes, Program};
use trace::{PathTime, Trace};
use units::{Control, SimTime};

use crate::account::LaneTotals;
use crate::simulation::Simulation;
use crate::{Contention, Driver, EngineError, Pricing};

/// What a run may do beside its graph.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    /// Fragments that a lane works on at a time: 1 runs them one by one, 2 lets the
    /// communication of the next one start beside the current one. A fragment of which only
    /// data-parallel communication and copies are left does not count.
    pub window: usize,
    /// How communication slows compute.
    pub contention: Contention,
    /// Relative standard deviation of kernel times; 0 for none.
    pub jitter: f64,
    /// The seed of every random stream.
    pub seed: u64,
    /// Whether to record a trace.
    pub record: bool,
    /// Whether to find the critical path where no trace is recorded.
    pub causes: bool,
    /// How many lanes count, the first ones: the run ends when they have, and leaves the others
    /// in the midst of what they do. All lanes where it is none.
    pub main: Option<usize>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            window: 2,
            contention: Contention::NONE,
            jitter: 0.0,
            seed: 1,
            record: false,
            causes: false,
            main: None,
        }
    }
}

/// The outcome of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// The end of the last step.
    pub end: SimTime,
    /// Totals by lane, of those that count.
    pub lanes: Vec<LaneTotals>,
    /// Events processed.
    pub events: u64,
    /// The trace, where it was asked for; without names of lanes' details, which lowering adds.
    pub trace: Option<Trace>,
    /// What the critical path was spent on, where a trace or its causes were asked for; none where
    /// the run had more spans than [`trace::Causes::LIMIT`] and kept no trace.
    pub path: Option<PathTime>,
}

/// Runs until the driver has no more fragments and every step has ended.
///
/// * `programs` — what lanes can run; a lane names its program by index.
/// * `pricing` — expands collectives to phases; asked once per price, operation and size.
///
/// # Errors
///
/// [`EngineError::Deadlock`] where a step waits for something that cannot happen, overflow of
/// the clock, cancellation, and errors of the network engine.
pub fn run<D: Driver, N: Network>(
    programs: &[Program],
    lanes: &Lanes,
    driver: &mut D,
    network: &mut N,
    pricing: &dyn Pricing,
    options: &Options,
    control: &Control,
) -> Result<Run, EngineError> {
    let mut simulation = Simulation::new(programs, lanes, driver, network, pricing, options);
    simulation.run(control)?;
    Ok(simulation.finish())
}
