//! How long it takes to predict every row of the committed table on one core.

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use runs::Table;
use units::Control;
use validate::{Kind, Settings, run_as};

const TABLE: &[u8] = include_bytes!("../../data/runs/training_runs.csv");

fn rows(criterion: &mut Criterion) {
    let table = Table::parse("training_runs.csv", TABLE).expect("the committed table");
    let (settings, control) = (Settings::default(), Control::new());
    let mut group = criterion.benchmark_group("rows");
    group.throughput(Throughput::Elements(table.records.len() as u64));
    group
        .sample_size(10)
        .measurement_time(Duration::from_secs(20));
    group.bench_function("every training run, closed form", |bencher| {
        bencher.iter(|| {
            for record in &table.records {
                let run = run_as(Kind::Training, record, &table, &settings, &control);
                black_box(run.expect("cells that can be read"));
            }
        });
    });
    group.finish();
}

criterion_group!(benches, rows);
criterion_main!(benches);
