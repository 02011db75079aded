//! Speed of whole predictions, lowering included: `cargo bench -p predict --bench iteration`.
//! Runs with a lane for every rank take longer than a benchmark should: see the example
//! `at_scale`.

#[path = "../tests/scale/mod.rs"]
mod scale;

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use predict::{Record, Scenario, predict};
use units::Control;

fn at_scale(c: &mut Criterion) {
    let mut group = c.benchmark_group("flow");
    group.sample_size(10);
    let mut bench = |name: &str, scenario: &Scenario| {
        let control = Control::new();
        group.bench_function(name, |b| {
            b.iter(|| predict(black_box(scenario), Record::Totals, &control).expect("it runs"));
        });
    };
    bench("gpt3-175b-1024-a100", &scale::gpt3());
    bench("llama3-405b-16384-h100", &scale::llama());
    bench(
        "llama3-405b-16384-h100-slow",
        &scale::llama_with_a_slow_gpu(),
    );
    group.finish();
}

criterion_group!(benches, at_scale);
criterion_main!(benches);
