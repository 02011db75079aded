//! How long a slider waits for its answer: `cargo run --release -p session --example what_if_time`.

#![expect(
    clippy::disallowed_methods,
    reason = "it measures how long answers take"
)]

use std::time::{Duration, Instant};

use session::{Draft, Knob, Tuner, Tuning};
use units::Control;

/// Answers of which the median is told.
const RUNS: usize = 21;

fn main() {
    for name in [
        "llama3-70b-dgx-h100",
        "llama3-405b-16384-h100",
        "deepseek-v3-2048-h800",
        "mixed-t4-v100",
    ] {
        let opened = Draft::example(name).map(|draft| draft.open());
        let Some(Ok(opened)) = opened else {
            println!("{name} cannot be opened");
            continue;
        };
        let start = Instant::now();
        let Ok(tuner) = Tuner::new(&opened, &Control::new()) else {
            println!("{name} has no closed form");
            continue;
        };
        println!("{name}: prepared in {:?}", start.elapsed());
        for setting in tuner.settings() {
            let next = setting
                .steps
                .iter()
                .copied()
                .find(|step| setting.value < *step);
            let value = next.unwrap_or(setting.value * 1.1);
            println!(
                "  {:20} {:?}",
                setting.knob.label(),
                median(&tuner, setting.knob, value)
            );
        }
        let start = Instant::now();
        let n = tuner.sensitivities(&Control::new()).len();
        println!("  {n} sensitivities in {:?}", start.elapsed());
    }
}

/// The median time of an answer; values that make no plan are told as well.
fn median(tuner: &Tuner, knob: Knob, value: f64) -> (f64, Duration, Option<String>) {
    let tuning = Tuning::default().with(knob, value);
    let mut refused = None;
    let mut times: Vec<Duration> = Vec::new();
    for _ in 0..RUNS {
        let start = Instant::now();
        refused = tuner.quick(&tuning).err().map(|error| error.to_string());
        times.push(start.elapsed());
    }
    times.sort_unstable();
    (value, times[RUNS / 2], refused)
}
