//! How long it takes to predict every row of the committed tables on one core: 2 s at most.

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use runs::Table;
use units::Control;
use validate::{Kind, Settings, run_as};

const TRAINING: &[u8] = include_bytes!("../../data/runs/training_runs.csv");
const MEGATRON_CI: &[u8] = include_bytes!("../../data/runs/megatron_ci_memory.csv");

fn rows(criterion: &mut Criterion) {
    let read = |name, bytes| {
        let table = Table::parse(name, bytes).expect("a committed table");
        (Kind::of(&table).expect("its columns"), table)
    };
    let tables = [
        read("training_runs.csv", TRAINING),
        read("megatron_ci_memory.csv", MEGATRON_CI),
    ];
    let (settings, control) = (Settings::default(), Control::new());
    let n_rows: usize = tables.iter().map(|(_, table)| table.records.len()).sum();
    let mut group = criterion.benchmark_group("rows");
    group.throughput(Throughput::Elements(n_rows as u64));
    group
        .sample_size(10)
        .measurement_time(Duration::from_secs(20));
    group.bench_function("every row of both tables, closed form", |bencher| {
        bencher.iter(|| {
            for (kind, table) in &tables {
                for record in &table.records {
                    let run = run_as(*kind, record, table, &settings, &control);
                    black_box(run.expect("cells that can be read"));
                }
            }
        });
    });
    group.finish();
}

criterion_group!(benches, rows);
criterion_main!(benches);
