//! Whole searches on two cores or more: the space in closed form, and with the shortlist behind it.

#[path = "../tests/fixtures/mod.rs"]
#[expect(clippy::unwrap_used, reason = "the scenarios below are well formed")]
mod fixtures;

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use search::{feasible, search};
use units::Control;

use fixtures::{planning, request};

/// Llama 3 70B on 16 DGX H100, as the first case of the README, and GPT-3 on 64 A100.
const SCENARIOS: [(&str, &str); 2] = [
    (
        "llama3-70b, 128 H100",
        "schema = 1\n[model]\nconfig = \"llama3-70b\"\n[cluster]\nname = \"dgx-h100\"\nnodes = 16\n\
         [training]\nglobal_batch = 1024\nseq_len = 8192\n[framework]\nname = \"megatron-core\"\n",
    ),
    (
        "gpt3-175b, 64 A100",
        "schema = 1\n[model]\nconfig = \"gpt3-175b\"\n[cluster]\nname = \"selene\"\nnodes = 8\n\
         [training]\nglobal_batch = 1536\nseq_len = 2048\n[framework]\nname = \"megatron-core\"\n",
    ),
];

fn searches(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("search");
    group.sample_size(10);
    for (name, text) in SCENARIOS {
        let planning = planning(text, &[]);
        let request = request(&planning);
        group.bench_function(format!("{name}, closed forms"), |bencher| {
            bencher.iter(|| black_box(feasible(&request, &Control::new())));
        });
        group.bench_function(format!("{name}, settled"), |bencher| {
            bencher.iter(|| black_box(search(&request, &Control::new()).expect("a plan fits")));
        });
    }
    group.finish();
}

criterion_group!(benches, searches);
criterion_main!(benches);
