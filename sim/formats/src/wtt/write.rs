//! Traces to bytes.

use std::io::Write;

use trace::{Lane, LinkTrack, MemorySample, NO_INDEX, Names, Span, Trace};

use super::column::{put, put_difference, put_text};
use super::frame::{write_chunk, write_start};
use crate::{FormatError, Header};

/// Spans and samples in one chunk.
const ROWS: usize = 1 << 16;
/// A list is cut into chunks where one passes this length in bytes.
const CHUNK: usize = 1 << 20;

/// Writes a trace. The caller gives a buffered file that it renames when all is written.
///
/// # Errors
///
/// Where the output fails, the trace breaks a rule of [`Trace::check`], or the header or one name exceeds 64 MiB.
pub fn write(mut out: impl Write, header: &Header, trace: &Trace) -> Result<(), FormatError> {
    trace.check()?;
    let out = &mut out;
    write_start(out)?;
    let head =
        serde_json::to_vec(header).map_err(|error| FormatError::Header(error.to_string()))?;
    write_chunk(out, *b"HEAD", &head)?;
    write_list(out, *b"LANE", &trace.lanes, put_lane)?;
    write_list(out, *b"NAME", trace.names.texts(), |data, name| {
        put_text(data, name);
    })?;
    write_details(out, trace)?;
    for (number, spans) in trace.spans.chunks(ROWS).enumerate() {
        write_chunk(out, *b"SPAN", &span_columns(number * ROWS, spans))?;
    }
    for samples in trace.memory.chunks(ROWS) {
        write_chunk(out, *b"MEMO", &memory_columns(samples))?;
    }
    write_list(out, *b"LINK", &trace.links, put_link)?;
    write_chunk(out, *b"DONE", &counts(trace))?;
    out.flush()?;
    Ok(())
}

/// Writes items in as many chunks as their length asks for, each beginning with its count.
fn write_list<T>(
    out: &mut impl Write,
    kind: [u8; 4],
    items: &[T],
    put_item: impl Fn(&mut Vec<u8>, &T),
) -> Result<(), FormatError> {
    let (mut data, mut count) = (Vec::new(), 0);
    for (at, item) in items.iter().enumerate() {
        put_item(&mut data, item);
        count += 1;
        if CHUNK <= data.len() || at + 1 == items.len() {
            let mut chunk = Vec::with_capacity(data.len() + 10);
            put(&mut chunk, count);
            chunk.append(&mut data);
            write_chunk(out, kind, &chunk)?;
            count = 0;
        }
    }
    Ok(())
}

fn put_lane(data: &mut Vec<u8>, lane: &Lane) {
    put(data, u64::from(lane.class.get()));
    put(data, u64::from(lane.stage));
    put_text(data, &lane.name);
    put(data, lane.ranks.len() as u64);
    let mut before = 0;
    for &rank in &lane.ranks {
        put_difference(data, u64::from(rank), before);
        before = u64::from(rank) + 1;
    }
    put(data, lane.resident.len() as u64);
    for bytes in lane.resident {
        put(data, bytes);
    }
}

fn put_link(data: &mut Vec<u8>, link: &LinkTrack) {
    put_text(data, &link.name);
    put(data, u64::from(link.count));
    data.extend_from_slice(&link.rate.as_f64().to_le_bytes());
    put(data, link.kinds.len() as u64);
    for kind in &link.kinds {
        put_text(data, kind);
    }
    put(data, link.levels.len() as u64);
    let mut before = 0;
    for level in &link.levels {
        put_difference(data, level.time.as_picos(), before);
        before = level.time.as_picos();
        for rate in &level.rates {
            data.extend_from_slice(&rate.to_le_bytes());
        }
    }
}

/// Operators by name once, then the lists with indices into them.
fn write_details(out: &mut impl Write, trace: &Trace) -> Result<(), FormatError> {
    let mut operators = Names::default();
    for detail in trace.details.iter().flatten() {
        operators.intern(&detail.name);
    }
    write_list(out, *b"OPER", operators.texts(), |data, name| {
        put_text(data, name);
    })?;
    let ids: std::collections::BTreeMap<&str, u64> = (0..)
        .zip(operators.texts())
        .map(|(id, name)| (name.as_str(), id))
        .collect();
    write_list(out, *b"DETL", &trace.details, |data, list| {
        put(data, list.len() as u64);
        for detail in list {
            put(
                data,
                ids.get(detail.name.as_str()).copied().unwrap_or_default(),
            );
            data.extend_from_slice(&detail.time.as_secs().to_le_bytes());
        }
    })
}

fn span_columns(first: usize, spans: &[Span]) -> Vec<u8> {
    let mut data = Vec::with_capacity(spans.len() * 16);
    put(&mut data, spans.len() as u64);
    let mut before = 0;
    for span in spans {
        put_difference(&mut data, span.end.as_picos(), before);
        before = span.end.as_picos();
    }
    for span in spans {
        put(&mut data, span.end.as_picos() - span.start.as_picos());
    }
    for span in spans {
        put(&mut data, u64::from(span.lane.get()));
    }
    data.extend(spans.iter().map(|span| code(span.stream.index())));
    data.extend(spans.iter().map(|span| code(span.category.index())));
    data.extend(spans.iter().map(|span| code(span.pass.index())));
    for of in [
        |span: &Span| span.name,
        |span: &Span| span.micro_batch,
        |span: &Span| span.stage,
        |span: &Span| span.detail,
    ] {
        for span in spans {
            put(&mut data, u64::from(of(span).wrapping_add(1)));
        }
    }
    for (id, span) in (first as u64..).zip(spans) {
        let distance = (span.cause != NO_INDEX).then(|| id - u64::from(span.cause));
        put(&mut data, distance.unwrap_or(0));
    }
    data
}

fn memory_columns(samples: &[MemorySample]) -> Vec<u8> {
    let mut data = Vec::with_capacity(samples.len() * 8);
    put(&mut data, samples.len() as u64);
    let mut before = 0;
    for sample in samples {
        put_difference(&mut data, sample.time.as_picos(), before);
        before = sample.time.as_picos();
    }
    for sample in samples {
        put(&mut data, u64::from(sample.lane.get()));
    }
    data.extend(samples.iter().map(|sample| code(sample.kind.index())));
    let mut before = 0;
    for sample in samples {
        put_difference(&mut data, sample.bytes, before);
        before = sample.bytes;
    }
    data
}

/// The code of a kind in files: its position in the list of all. New kinds go to the end.
fn code(index: usize) -> u8 {
    u8::try_from(index).unwrap_or(u8::MAX)
}

fn counts(trace: &Trace) -> Vec<u8> {
    let mut data = Vec::new();
    let counts = [
        trace.lanes.len(),
        trace.names.texts().len(),
        trace.details.len(),
        trace.spans.len(),
        trace.memory.len(),
    ];
    for count in counts {
        put(&mut data, count as u64);
    }
    put(&mut data, trace.end.as_picos());
    data
}
