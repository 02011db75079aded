//! One prediction of a large run, for `/usr/bin/time -v` and profilers:
//! `cargo run --release -p predict --example at_scale -- llama-slow`.

#[path = "../tests/scale/mod.rs"]
mod scale;

use predict::{Record, Scenario, predict};
use units::Control;

/// A name and the scenario behind it.
type Case = (&'static str, fn() -> Scenario);

/// What can be asked for.
const CASES: [Case; 7] = [
    ("gpt3", scale::gpt3),
    ("gpt3-jitter", || with_jitter(scale::gpt3())),
    ("llama", scale::llama),
    ("llama-slow", scale::llama_with_a_slow_gpu),
    ("llama-unfolded", || unfolded(scale::llama())),
    ("llama-slow-unfolded", || {
        unfolded(scale::llama_with_a_slow_gpu())
    }),
    ("llama-jitter", || with_jitter(scale::llama())),
];

fn main() {
    let asked = std::env::args().nth(1).unwrap_or_default();
    let Some((_, scenario)) = CASES.iter().find(|(name, _)| *name == asked) else {
        let names = CASES.map(|(name, _)| name).join(", ");
        eprintln!("name one of {names}");
        std::process::exit(2);
    };
    let scenario = scenario();
    match predict(&scenario, Record::Totals, &Control::new()) {
        Ok(outcome) => println!(
            "{}: {} lanes, {} events, {:.9} s an iteration, {:.1} GB at most",
            scenario.name,
            outcome.n_lanes,
            outcome.events,
            outcome.prediction.iteration_time_s,
            outcome.prediction.peak_allocated_bytes.as_f64() / 1e9,
        ),
        Err(error) => {
            eprintln!("{error}");
            std::process::exit(1);
        }
    }
}

/// Every rank a lane of its own.
fn unfolded(mut scenario: Scenario) -> Scenario {
    scenario.settings.unfold = true;
    scenario
}

/// Kernel times that vary by 3 %, which no two ranks share.
fn with_jitter(mut scenario: Scenario) -> Scenario {
    scenario.settings.jitter = 0.03;
    scenario
}
