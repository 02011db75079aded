//! Bytes to traces.

use std::io::Read;

use trace::{
    Category, Detail, Lane, LinkLevel, LinkTrack, MemoryKind, MemorySample, NO_INDEX, Names, Pass,
    Span, StreamKind, Trace,
};
use units::{BytesPerSec, ClassId, LaneId, Seconds, SimTime};

use super::column::Cursor;
use super::frame::{Chunk, Chunks, Limits, Stored};
use crate::{FormatError, Header};

/// Chunks of spans that are held until they are opened together.
const AT_A_TIME: usize = 16;

/// Reads a trace. The caller gives a buffered file.
///
/// # Errors
///
/// Where the input fails or is no trace, is of another major version, is damaged or cut, exceeds
/// the limits, or breaks a rule of [`Trace::check`].
pub fn read(source: impl Read, limits: Limits) -> Result<(Header, Trace), FormatError> {
    let mut chunks = Chunks::open(source, limits)?;
    let mut parts = Parts::default();
    let mut waiting = Vec::new();
    loop {
        let stored = match chunks.next_stored() {
            Ok(stored) => stored,
            Err(error) => {
                // What is wrong before goes first.
                parts.add_spans(waiting)?;
                return Err(error);
            }
        };
        if stored.kind == *b"SPAN" {
            waiting.push(stored);
            if waiting.len() < AT_A_TIME {
                continue;
            }
            parts.add_spans(std::mem::take(&mut waiting))?;
            continue;
        }
        parts.add_spans(std::mem::take(&mut waiting))?;
        let chunk = stored.open()?;
        if parts.add(&chunk)? {
            let (header, trace) = parts.finish()?;
            trace.check()?;
            return Ok((header, trace));
        }
    }
}

/// Reads the header alone, which stands at the beginning.
///
/// # Errors
///
/// As [`read`], for as much of the file as it reads.
pub fn read_header(source: impl Read) -> Result<Header, FormatError> {
    let mut chunks = Chunks::open(source, Limits::default())?;
    loop {
        let chunk = chunks.next()?;
        match &chunk.kind {
            b"HEAD" => return header(&chunk),
            b"DONE" => return Err(no_header()),
            _ => {}
        }
    }
}

fn header(chunk: &Chunk) -> Result<Header, FormatError> {
    serde_json::from_slice(&chunk.data).map_err(|error| FormatError::Header(error.to_string()))
}

#[derive(Default)]
struct Parts {
    header: Option<Header>,
    trace: Trace,
    names: Vec<String>,
    operators: Vec<String>,
}

impl Parts {
    /// Takes a chunk in; whether it was the last.
    fn add(&mut self, chunk: &Chunk) -> Result<bool, FormatError> {
        let name = chunk.name();
        let mut cursor = Cursor::new(&chunk.data, &name, chunk.offset);
        match &chunk.kind {
            b"HEAD" => {
                self.header = Some(header(chunk)?);
                return Ok(false);
            }
            b"LANE" => list(&mut cursor, &mut self.trace.lanes, 5, lane)?,
            b"NAME" => list(&mut cursor, &mut self.names, 1, Cursor::text)?,
            b"OPER" => list(&mut cursor, &mut self.operators, 1, Cursor::text)?,
            b"DETL" => self.details(&mut cursor)?,
            b"MEMO" => samples(&mut cursor, &mut self.trace.memory)?,
            b"LINK" => list(&mut cursor, &mut self.trace.links, 11, link)?,
            b"DONE" => {
                self.done(&mut cursor)?;
                cursor.end()?;
                return Ok(true);
            }
            _ => return Ok(false),
        }
        cursor.end()?;
        Ok(false)
    }

    /// Takes chunks of spans in. They do not depend on each other but for the ids of causes, so
    /// that they are opened on all processors.
    fn add_spans(&mut self, stored: Vec<Stored>) -> Result<(), FormatError> {
        let n_threads = std::thread::available_parallelism().map_or(1, usize::from);
        let per_thread = stored.len().div_ceil(n_threads).max(1);
        let mut stored = stored.into_iter();
        let opened: Vec<Result<Opened, FormatError>> = std::thread::scope(|scope| {
            let mut threads = Vec::new();
            loop {
                let own: Vec<Stored> = stored.by_ref().take(per_thread).collect();
                if own.is_empty() {
                    break;
                }
                let open = || own.into_iter().map(Opened::new).collect::<Vec<_>>();
                threads.push(scope.spawn(open));
            }
            let joined = threads.into_iter().map(|thread| {
                thread
                    .join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            });
            joined.flatten().collect()
        });
        for opened in opened {
            opened?.append(&mut self.trace.spans)?;
        }
        Ok(())
    }

    fn details(&mut self, cursor: &mut Cursor<'_>) -> Result<(), FormatError> {
        let operators = &self.operators;
        list(cursor, &mut self.trace.details, 1, |cursor| {
            let count = cursor.count(9)?;
            let mut details = Vec::with_capacity(count);
            for _ in 0..count {
                let id = cursor.index()?;
                let name = operators.get(id as usize).cloned();
                let name = name.ok_or_else(|| cursor.damaged("an operator has no name"))?;
                let time = Seconds::from_secs(cursor.real()?);
                details.push(Detail { name, time });
            }
            Ok(details)
        })
    }

    /// Compares the counts with what was read.
    fn done(&mut self, cursor: &mut Cursor<'_>) -> Result<(), FormatError> {
        let found = [
            self.trace.lanes.len(),
            self.names.len(),
            self.trace.details.len(),
            self.trace.spans.len(),
            self.trace.memory.len(),
        ];
        for found in found {
            if cursor.number()? != found as u64 {
                return Err(cursor.damaged("a chunk of the file is missing"));
            }
        }
        self.trace.end = SimTime::from_picos(cursor.number()?);
        Ok(())
    }

    fn finish(self) -> Result<(Header, Trace), FormatError> {
        let header = self.header.ok_or_else(no_header)?;
        let names = Names::from(self.names);
        Ok((
            header,
            Trace {
                names,
                ..self.trace
            },
        ))
    }
}

fn no_header() -> FormatError {
    FormatError::Header("there is none".to_owned())
}

/// Appends items of at least `size` bytes each.
fn list<'a, T>(
    cursor: &mut Cursor<'a>,
    items: &mut Vec<T>,
    size: usize,
    mut item: impl FnMut(&mut Cursor<'a>) -> Result<T, FormatError>,
) -> Result<(), FormatError> {
    let count = cursor.count(size)?;
    items.reserve(count);
    for _ in 0..count {
        items.push(item(cursor)?);
    }
    Ok(())
}

fn lane(cursor: &mut Cursor<'_>) -> Result<Lane, FormatError> {
    let class = ClassId::new(cursor.index()?);
    let stage = cursor.index()?;
    let name = cursor.text()?;
    let count = cursor.count(1)?;
    let mut ranks = Vec::with_capacity(count);
    let mut before = 0;
    for _ in 0..count {
        let rank = cursor.difference(before)?;
        let index = u32::try_from(rank).map_err(|_| cursor.damaged("a rank is out of range"))?;
        ranks.push(index);
        before = rank + 1;
    }
    let mut resident = [0; MemoryKind::ALL.len()];
    let count = cursor.count(1)?;
    let known = resident.get_mut(..count);
    for bytes in known.ok_or_else(|| cursor.damaged("a kind is not known"))? {
        *bytes = cursor.number()?;
    }
    Ok(Lane {
        class,
        name,
        stage,
        ranks,
        resident,
    })
}

fn link(cursor: &mut Cursor<'_>) -> Result<LinkTrack, FormatError> {
    let name = cursor.text()?;
    let count = cursor.index()?;
    let rate = BytesPerSec::new(cursor.real()?);
    let rate = rate.ok_or_else(|| cursor.damaged("a link has no rate"))?;
    let mut kinds = Vec::new();
    list(cursor, &mut kinds, 1, Cursor::text)?;
    let mut levels = Vec::new();
    let mut before = 0;
    list(cursor, &mut levels, 1 + 8 * kinds.len(), |cursor| {
        before = cursor.difference(before)?;
        let mut rates = Vec::with_capacity(kinds.len());
        for _ in 0..kinds.len() {
            let rate = cursor.real()?;
            if !(rate.is_finite() && 0.0 <= rate) {
                return Err(cursor.damaged("a rate is no number"));
            }
            rates.push(rate);
        }
        Ok(LinkLevel {
            time: SimTime::from_picos(before),
            rates,
        })
    })?;
    Ok(LinkTrack {
        name,
        count,
        rate,
        kinds,
        levels,
    })
}

/// Spans of a chunk, their causes still as distances.
struct Opened {
    chunk: String,
    offset: u64,
    spans: Vec<Span>,
}

impl Opened {
    fn new(stored: Stored) -> Result<Self, FormatError> {
        let chunk = stored.open()?;
        let name = chunk.name();
        let mut cursor = Cursor::new(&chunk.data, &name, chunk.offset);
        let spans = spans(&mut cursor)?;
        cursor.end()?;
        Ok(Self {
            offset: chunk.offset,
            chunk: name,
            spans,
        })
    }

    /// Appends the spans, which gives them their ids, and their causes theirs.
    fn append(mut self, all: &mut Vec<Span>) -> Result<(), FormatError> {
        for (id, span) in (all.len() as u64..).zip(&mut self.spans) {
            if span.cause == NO_INDEX {
                continue;
            }
            let cause = id
                .checked_sub(u64::from(span.cause))
                .and_then(|id| u32::try_from(id).ok());
            span.cause = cause.ok_or_else(|| {
                let cursor = Cursor::new(&[], &self.chunk, self.offset);
                cursor.damaged("a cause lies before the first span")
            })?;
        }
        all.append(&mut self.spans);
        Ok(())
    }
}

fn spans(cursor: &mut Cursor<'_>) -> Result<Vec<Span>, FormatError> {
    let count = cursor.count(11)?;
    let blank = Span {
        lane: LaneId::new(0),
        stream: StreamKind::Compute,
        category: Category::Compute,
        pass: Pass::None,
        name: 0,
        start: SimTime::ZERO,
        end: SimTime::ZERO,
        micro_batch: NO_INDEX,
        stage: NO_INDEX,
        cause: NO_INDEX,
        detail: NO_INDEX,
    };
    let mut rows = vec![blank; count];
    let mut before = 0;
    for span in &mut *rows {
        before = cursor.difference(before)?;
        span.end = SimTime::from_picos(before);
    }
    for span in &mut *rows {
        let time = cursor.number()?;
        let start = span.end.as_picos().checked_sub(time);
        let start = start.ok_or_else(|| cursor.damaged("a span is longer than the run"))?;
        span.start = SimTime::from_picos(start);
    }
    for span in &mut *rows {
        span.lane = LaneId::new(cursor.index()?);
    }
    for span in &mut *rows {
        span.stream = cursor.choice(&StreamKind::ALL)?;
    }
    for span in &mut *rows {
        span.category = cursor.choice(&Category::ALL)?;
    }
    for span in &mut *rows {
        span.pass = cursor.choice(&Pass::ALL)?;
    }
    for of in [
        |span: &mut Span, index| span.name = index,
        |span: &mut Span, index| span.micro_batch = index,
        |span: &mut Span, index| span.stage = index,
        |span: &mut Span, index| span.detail = index,
    ] {
        for span in &mut *rows {
            of(span, cursor.index()?.wrapping_sub(1));
        }
    }
    for span in &mut *rows {
        span.cause = distance(cursor)?;
    }
    Ok(rows)
}

/// How many spans before one its cause lies, or [`NO_INDEX`].
fn distance(cursor: &mut Cursor<'_>) -> Result<u32, FormatError> {
    match cursor.number()? {
        0 => Ok(NO_INDEX),
        distance => u32::try_from(distance)
            .ok()
            .filter(|&distance| distance != NO_INDEX)
            .ok_or_else(|| cursor.damaged("a cause lies before the first span")),
    }
}

fn samples(cursor: &mut Cursor<'_>, samples: &mut Vec<MemorySample>) -> Result<(), FormatError> {
    let count = cursor.count(4)?;
    let first = samples.len();
    let blank = MemorySample {
        lane: LaneId::new(0),
        time: SimTime::ZERO,
        kind: MemoryKind::Weights,
        bytes: 0,
    };
    samples.resize(first + count, blank);
    let rows = &mut samples[first..];
    let mut before = 0;
    for sample in &mut *rows {
        before = cursor.difference(before)?;
        sample.time = SimTime::from_picos(before);
    }
    for sample in &mut *rows {
        sample.lane = LaneId::new(cursor.index()?);
    }
    for sample in &mut *rows {
        sample.kind = cursor.choice(&MemoryKind::ALL)?;
    }
    let mut before = 0;
    for sample in &mut *rows {
        before = cursor.difference(before)?;
        sample.bytes = before;
    }
    Ok(())
}
