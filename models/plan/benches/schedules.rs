//! Speed of schedules: `cargo bench -p plan --bench schedules`.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use plan::schedule::{
    ClosedFormScratch, Costs, PassCosts, ScheduleKind, Scratch, makespan, one_f_one_b_time,
};

/// A pipeline of 16 devices and 128 micro-batches.
fn replays(c: &mut Criterion) {
    let mut group = c.benchmark_group("replay");
    for (kind, chunks) in [
        (ScheduleKind::OneFOneB, 1),
        (ScheduleKind::Interleaved, 8),
        (ScheduleKind::ZbV, 2),
        (ScheduleKind::Vocab1, 1),
    ] {
        let schedule = kind
            .generate(16, chunks, 128)
            .expect("a schedule of that kind");
        let mut costs = Costs::uniform(schedule.n_stages(), PassCosts::split(1_000, 1_100, 900));
        costs.links = vec![37; schedule.n_stages() - 1];
        let mut scratch = Scratch::default();
        group.throughput(Throughput::Elements(schedule.all_actions().len() as u64));
        group.bench_function(kind.name(), |b| {
            b.iter(|| makespan(black_box(&schedule), &costs, &mut scratch));
        });
    }
    group.finish();
}

fn closed_form(c: &mut Criterion) {
    let mut group = c.benchmark_group("closed-form");
    let forward: Vec<u64> = (0..16).map(|i| 1_000_000 + 977 * i).collect();
    let backward: Vec<u64> = (0..16).map(|i| 2_000_000 - 1_013 * i).collect();
    let links = vec![30_000; 15];
    let mut scratch = ClosedFormScratch::default();
    for n in [16, 128, 1_024] {
        group.bench_function(format!("1f1b-16x{n}"), |b| {
            b.iter(|| one_f_one_b_time(&forward, &backward, &links, black_box(n), &mut scratch));
        });
    }
    group.finish();
}

fn generators(c: &mut Criterion) {
    let mut group = c.benchmark_group("generate");
    for kind in [
        ScheduleKind::OneFOneB,
        ScheduleKind::ZbV,
        ScheduleKind::VHalf,
    ] {
        let chunks = kind.fixed_chunks().unwrap_or(1);
        group.bench_function(format!("{}-16x128", kind.name()), |b| {
            b.iter(|| kind.generate(16, chunks, black_box(128)));
        });
    }
    group.finish();
}

criterion_group!(benches, replays, closed_form, generators);
criterion_main!(benches);
