//! Writes a hand-made run of two ranks to a folder, for the readers of other tools:
//! `cargo run -p formats --example two_ranks -- FOLDER`, then `python3 sim/formats/tests/readers.py FOLDER`.
//!
//! ```text
//! microseconds  0       100 110   140            240 250 260 270 280    300
//! rank 0        [qkv|mlp]...[tp   ][layer        ]...[copy]......[adam   ]
//! rank 1        [layer      ][tp  ][layer            ].....[copy ]...[adam ]
//! both                                 [grad reduce 190 to 270 ]
//! ```

use std::fs::{self, File};
use std::io::BufWriter;
use std::path::PathBuf;

use formats::{Kineto, Perfetto, compressed, write_kineto, write_perfetto};
use trace::{Category, Detail, Lane, NO_INDEX, Span, SpanId, StreamKind, Trace};
use units::{ClassId, LaneId, Seconds, SimTime};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = PathBuf::from(std::env::args_os().nth(1).ok_or("name a folder")?);
    let trace = two_ranks();
    let kineto = folder.join("kineto");
    fs::create_dir_all(&kineto)?;
    for rank in 0..2 {
        let file = BufWriter::new(File::create(kineto.join(format!("rank{rank}.json.gz")))?);
        compressed(file, |out| {
            write_kineto(out, &trace, rank, &Kineto::default())
        })?;
    }
    let file = BufWriter::new(File::create(folder.join("all.json"))?);
    write_perfetto(file, &trace, &Perfetto::default())?;
    Ok(())
}

fn two_ranks() -> Trace {
    let mut trace = Trace::default();
    let kernel = |name: &str, micros: f64| Detail {
        name: name.to_owned(),
        time: Seconds::from_secs(micros * 1e-6),
    };
    trace
        .details
        .push(vec![kernel("qkv", 60.0), kernel("mlp", 40.0)]);
    for rank in 0..2 {
        trace.lanes.push(Lane {
            class: ClassId::new(rank),
            name: format!("class {rank}"),
            stage: 0,
            ranks: vec![rank],
            resident: [0; 7],
        });
    }
    let compute = (StreamKind::Compute, Category::Compute);
    let optimizer = (StreamKind::Compute, Category::Optimizer);
    let tp = (StreamKind::Tp, Category::Tp);
    let dp = (StreamKind::Dp, Category::Dp);
    let copy = (StreamKind::Offload, Category::Offload);
    let mut first = [0; 2];
    for (rank, end) in [(0, 100), (1, 110)] {
        first[rank as usize] = push(&mut trace, rank, compute, "layer", (0, end), NO_INDEX);
    }
    trace.spans[0].detail = 0;
    for rank in 0..2 {
        push(&mut trace, rank, tp, "tp all-reduce", (110, 140), first[1]);
    }
    let spans: [(u32, _, &str, (u64, u64), SpanId); 8] = [
        (0, compute, "layer", (140, 240), 2),
        (1, compute, "layer", (140, 250), 3),
        (0, copy, "offload activations", (250, 260), 4),
        (0, dp, "grad reduce", (190, 270), NO_INDEX),
        (1, dp, "grad reduce", (190, 270), NO_INDEX),
        (1, copy, "load activations", (262, 272), 5),
        (0, optimizer, "adam", (280, 300), 7),
        (1, optimizer, "adam", (280, 302), 8),
    ];
    for (rank, kind, name, times, cause) in spans {
        push(&mut trace, rank, kind, name, times, cause);
    }
    trace
}

/// Appends a span; times are microseconds.
fn push(
    trace: &mut Trace,
    lane: u32,
    (stream, category): (StreamKind, Category),
    name: &str,
    (start, end): (u64, u64),
    cause: SpanId,
) -> SpanId {
    let name = trace.names.intern(name);
    let moment = |micros: u64| SimTime::from_picos(micros * 1_000_000);
    trace.spans.push(Span {
        lane: LaneId::new(lane),
        stream,
        category,
        name,
        pass: trace::Pass::None,
        start: moment(start),
        end: moment(end),
        micro_batch: NO_INDEX,
        stage: NO_INDEX,
        cause,
        detail: NO_INDEX,
    });
    trace.end = trace.end.max(moment(end));
    u32::try_from(trace.spans.len() - 1).unwrap_or(NO_INDEX)
}
