//! Temporary: digests of outcomes.
#[path = "../tests/scale/mod.rs"]
mod scale;
use predict::*;
use std::hash::{Hash, Hasher};
use units::Control;
fn digest(name: &str, s: &Scenario, record: Record) {
    let outcome = predict(s, record, &Control::new()).unwrap();
    let mut h = std::collections::hash_map::DefaultHasher::new();
    format!("{:?}", outcome.prediction).hash(&mut h);
    let a = h.finish();
    let mut h = std::collections::hash_map::DefaultHasher::new();
    format!("{:?}", outcome.trace).hash(&mut h);
    println!(
        "{name} {} lanes {} events {} ps pred {:x} trace {:x}",
        outcome.n_lanes,
        outcome.events,
        (outcome.prediction.iteration_time_s * 1e12).round(),
        a,
        h.finish()
    );
}
fn main() {
    let big = std::env::args().nth(1).is_some();
    let mut g = scale::gpt3();
    digest("gpt3", &g, Record::Totals);
    digest("gpt3 trace", &g, Record::Trace);
    g.settings.jitter = 0.03;
    digest("gpt3 jitter", &g, Record::Totals);
    g.settings.jitter = 0.0;
    g.settings.engine = Engine::Analytic;
    digest("gpt3 analytic", &g, Record::Totals);
    digest(
        "gpt3 analytic unfolded",
        &scale::unfolded(g),
        Record::Totals,
    );
    digest("llama", &scale::llama(), Record::Trace);
    digest("llama slow", &scale::llama_with_a_slow_gpu(), Record::Trace);
    if big {
        digest(
            "llama slow unfolded",
            &scale::unfolded(scale::llama_with_a_slow_gpu()),
            Record::Totals,
        );
    }
}
