//! Analysis of a trace of a million spans.

use criterion::{Criterion, criterion_group, criterion_main};
use trace::{
    Category, Lane, NO_INDEX, Pyramid, Span, StreamKind, Trace, breakdowns, critical_path, explain,
    tracks,
};
use units::{ClassId, LaneId, SimTime};

/// A million spans on 16 lanes: kernels and reductions in turn, each released by the one before.
fn million() -> Trace {
    let mut trace = Trace::default();
    let name = trace.names.intern("kernel");
    for lane in 0..16 {
        trace.lanes.push(Lane {
            class: ClassId::new(lane),
            name: format!("stage {lane}"),
            stage: lane,
            ranks: vec![lane],
            resident: [0; 7],
        });
    }
    for id in 0..1_000_000_u32 {
        let kernel = id / 16 % 2 == 0;
        let start = u64::from(id / 16) * 1_000;
        trace.spans.push(Span {
            lane: LaneId::new(id % 16),
            stream: if kernel {
                StreamKind::Compute
            } else {
                StreamKind::Tp
            },
            category: if kernel {
                Category::Compute
            } else {
                Category::Tp
            },
            name,
            pass: trace::Pass::Forward,
            start: SimTime::from_picos(start),
            end: SimTime::from_picos(start + 1_000),
            micro_batch: id / 16 / 1_000,
            stage: id % 16,
            cause: id.checked_sub(16).unwrap_or(NO_INDEX),
            detail: NO_INDEX,
        });
    }
    trace.end = SimTime::from_picos(62_500_000);
    trace
}

fn analysis(c: &mut Criterion) {
    let trace = million();
    c.bench_function("critical_path_1m", |b| b.iter(|| critical_path(&trace)));
    c.bench_function("breakdowns_1m", |b| b.iter(|| breakdowns(&trace)));
    c.bench_function("tracks_1m", |b| b.iter(|| tracks(&trace)));
    c.bench_function("explain_1m", |b| b.iter(|| explain(&trace)));
    let row = &tracks(&trace)[0];
    c.bench_function("pyramid_31k", |b| b.iter(|| Pyramid::new(&trace, row)));
    let pyramid = Pyramid::new(&trace, row);
    c.bench_function("summarize_1000_pixels", |b| {
        b.iter(|| pyramid.summarize(SimTime::ZERO..trace.end, 1_000));
    });
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(10);
    targets = analysis
}
criterion_main!(benches);
