//! A million spans to and from files.

use std::io::sink;

use criterion::{Criterion, criterion_group, criterion_main};
use formats::{Header, Perfetto, write_perfetto, wtt};
use trace::{Category, Lane, NO_INDEX, Span, StreamKind, Trace};
use units::{ClassId, LaneId, SimTime};

/// A million spans on 16 lanes: kernels and reductions in turn, each released by the one before,
/// as long as a generator of random numbers says.
fn million() -> Trace {
    let mut trace = Trace::default();
    let names = [
        trace.names.intern("layer"),
        trace.names.intern("all-reduce"),
    ];
    for lane in 0..16 {
        trace.lanes.push(Lane {
            class: ClassId::new(lane),
            name: format!("stage {lane}"),
            stage: lane,
            ranks: vec![lane],
            resident: [0; 7],
        });
    }
    let mut random = 1_u64;
    for id in 0..1_000_000_u32 {
        let kernel = id / 16 % 2 == 0;
        let end = u64::from(id / 16 + 1) * 1_234_567 + u64::from(id % 16) * 1_000;
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        let start = end - 900_000 - (random >> 46);
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
            name: names[usize::from(!kernel)],
            pass: trace::Pass::Forward,
            start: SimTime::from_picos(start),
            end: SimTime::from_picos(end),
            micro_batch: id / 16 / 1_000,
            stage: id % 16,
            cause: id.checked_sub(16).unwrap_or(NO_INDEX),
            detail: NO_INDEX,
        });
    }
    trace.end = SimTime::from_picos(62_501 * 1_234_567);
    trace
}

fn files(c: &mut Criterion) {
    let trace = million();
    let header = Header::default();
    c.bench_function("wtt_write_1m", |b| {
        b.iter(|| wtt::write(sink(), &header, &trace).expect("the trace keeps the rules"));
    });
    let mut bytes = Vec::new();
    wtt::write(&mut bytes, &header, &trace).expect("the trace keeps the rules");
    println!("wtt: {} bytes", bytes.len());
    c.bench_function("wtt_read_1m", |b| {
        b.iter(|| wtt::read(bytes.as_slice(), wtt::Limits::default()).expect("it was written"));
    });
    let all = Perfetto {
        budget: 10_000_000,
        ..Perfetto::default()
    };
    c.bench_function("json_write_1m", |b| {
        b.iter(|| write_perfetto(sink(), &trace, &all).expect("the trace keeps the rules"));
    });
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(10);
    targets = files
}
criterion_main!(benches);
