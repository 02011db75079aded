//! JSON of one rank as PyTorch's profiler writes it, which `HolisticTraceAnalysis` reads.
//!
//! GPU work has the category `kernel` with `stream` and `correlation`, communication the
//! names of NCCL's kernels, copies the category `gpu_memcpy`; the iteration is `ProfilerStep#0`
//! on the host. What is not simulated is not there: launches on the host, so that analyses of launch delays
//! find nothing. Checked with `HolisticTraceAnalysis` 0.5.0: its breakdown by kernel type and its
//! temporal breakdown equal ours to the microsecond.

use std::io::Write;

use trace::{Category, NO_INDEX, Span, StreamKind, Trace, Track};

use crate::FormatError;
use crate::event::{Event, Events, Nanos};
use crate::ranks::{find, kernels, ranks, tracks_by_lane};

/// What to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kineto {
    /// The GPU's name.
    pub device: String,
    /// How times are written.
    pub resolution: Resolution,
}

/// How times are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// Whole microseconds. Moments are rounded, not durations, so that errors do not add up.
    /// `HolisticTraceAnalysis` cuts finer times to whole microseconds one by one.
    Micros,
    /// Three decimals, as newer versions of PyTorch write.
    Nanos,
}

impl Default for Kineto {
    fn default() -> Self {
        Self {
            device: "GPU".to_owned(),
            resolution: Resolution::Micros,
        }
    }
}

/// The process of the GPU and of the host in a file of one rank.
const GPU: u64 = 0;
const HOST: u64 = 1;
/// The number of PyTorch's default stream; the others follow.
const STREAM: u64 = 7;

/// Writes one rank. The caller gives a buffered file, one for each rank; the tool finds the rank
/// inside and not in the name.
///
/// # Errors
///
/// Where the output fails, the trace breaks a rule of [`Trace::check`], or has no such rank.
pub fn write_kineto(
    out: impl Write,
    trace: &Trace,
    rank: u32,
    options: &Kineto,
) -> Result<(), FormatError> {
    trace.check()?;
    let ranks = ranks(trace);
    let rank = find(&ranks, rank)?;
    let rows = &tracks_by_lane(trace)[rank.lane.index()];
    let mut file = Profile {
        trace,
        options,
        events: Events::new(out),
        correlation: 0,
    };
    file.events.raw("{\n\"schemaVersion\": 1,\n")?;
    let device = serde_json::Value::from(options.device.as_str());
    // The spaces matter: the tool looks for the rank with a pattern that has one.
    file.events.raw(&format!(
        "\"deviceProperties\": [{{\"id\": {GPU}, \"name\": {device}}}],\n\
         \"distributedInfo\": {{\"backend\": \"nccl\", \"rank\": {}, \"world_size\": {}}},\n\
         \"displayTimeUnit\": \"ms\",\n\"traceEvents\": [",
        rank.number,
        ranks.len(),
    ))?;
    file.write(rank.number, rows)?;
    file.events.raw("\n]}\n")?;
    Ok(file.events.flush()?)
}

struct Profile<'t, W> {
    trace: &'t Trace,
    options: &'t Kineto,
    events: Events<W>,
    correlation: u64,
}

impl<W: Write> Profile<'_, W> {
    fn write(&mut self, rank: u32, rows: &[Track]) -> Result<(), FormatError> {
        self.name("process_name", (GPU, 0), &format!("rank {rank} GPU"))?;
        self.name("process_name", (HOST, 0), &format!("rank {rank} host"))?;
        self.name("thread_name", (HOST, HOST), "host")?;
        let end = self.trace.end.as_picos();
        self.slice((HOST, HOST), (0, end), |event| {
            event
                .text("name", "ProfilerStep#0")
                .text("cat", "user_annotation");
        })?;
        for (stream, row) in (STREAM..).zip(rows) {
            if row.stream == StreamKind::Host {
                self.host(row)?;
                continue;
            }
            self.name(
                "thread_name",
                (GPU, stream),
                &format!("stream {stream} {}", row.stream.name()),
            )?;
            for &id in &row.spans {
                self.span(stream, id)?;
            }
        }
        Ok(())
    }

    fn host(&mut self, row: &Track) -> Result<(), FormatError> {
        for &id in &row.spans {
            let span = &self.trace.spans[id as usize];
            let name = self.trace.names.get(span.name);
            let thread = HOST + 1 + u64::from(row.row);
            let times = (span.start.as_picos(), span.end.as_picos());
            self.slice((HOST, thread), times, |event| {
                event.text("name", name).text("cat", "cpu_op");
            })?;
        }
        Ok(())
    }

    fn span(&mut self, stream: u64, id: u32) -> Result<(), FormatError> {
        let trace = self.trace;
        let span = &trace.spans[id as usize];
        let name = trace.names.get(span.name);
        let times = (span.start.as_picos(), span.end.as_picos());
        if span.category.is_communication() {
            let (kernel, collective) = nccl(name, span.category);
            return self.kernel(stream, span, "kernel", &kernel, times, Some(collective));
        }
        if span.category == Category::Offload {
            return self.kernel(stream, span, "gpu_memcpy", copy(name), times, None);
        }
        let mut any = false;
        for (kernel, from, to) in kernels(trace, id) {
            any = true;
            self.kernel(stream, span, "kernel", kernel, (from, to), None)?;
        }
        if any {
            return Ok(());
        }
        self.kernel(stream, span, "kernel", name, times, None)
    }

    fn kernel(
        &mut self,
        stream: u64,
        span: &Span,
        category: &str,
        name: &str,
        times: (u64, u64),
        collective: Option<&str>,
    ) -> Result<(), FormatError> {
        self.correlation += 1;
        let correlation = self.correlation;
        self.slice((GPU, stream), times, |event| {
            event.text("name", name).text("cat", category);
            event.object("args", |args| {
                args.number("device", GPU)
                    .number("stream", stream)
                    .number("correlation", correlation);
                if let Some(collective) = collective {
                    args.text("Collective name", collective);
                    args.text("Process Group Description", span.category.name());
                }
                if span.micro_batch != NO_INDEX {
                    args.number("micro_batch", u64::from(span.micro_batch));
                }
                if span.stage != NO_INDEX {
                    args.number("stage", u64::from(span.stage));
                }
            });
        })
    }

    fn slice(
        &mut self,
        (pid, tid): (u64, u64),
        (start, end): (u64, u64),
        fill: impl FnOnce(&mut Event<'_>),
    ) -> Result<(), FormatError> {
        let (start, end) = (self.moment(start), self.moment(end));
        Ok(self.events.event("X", |event| {
            event.number("pid", pid).number("tid", tid);
            event
                .micros("ts", start)
                .micros("dur", Nanos(end.0 - start.0));
            fill(event);
        })?)
    }

    const fn moment(&self, picos: u64) -> Nanos {
        match self.options.resolution {
            Resolution::Micros => {
                let rest = picos % 1_000_000;
                let up = if rest < 500_000 { 0 } else { 1 };
                Nanos((picos / 1_000_000 + up) * 1_000)
            }
            Resolution::Nanos => Nanos::from_picos(picos),
        }
    }

    fn name(&mut self, what: &str, (pid, tid): (u64, u64), name: &str) -> Result<(), FormatError> {
        Ok(self.events.event("M", |event| {
            event
                .number("pid", pid)
                .number("tid", tid)
                .number("ts", 0)
                .text("name", what);
            event.object("args", |args| _ = args.text("name", name));
        })?)
    }
}

/// The name of NCCL's kernel for a collective, and what PyTorch calls the operation. All-to-alls
/// and messages are sends and receives to NCCL.
fn nccl(name: &str, category: Category) -> (String, &'static str) {
    let plain: String = name.chars().filter(char::is_ascii_alphabetic).collect();
    let plain = plain.to_ascii_lowercase();
    let has = |word: &str| plain.contains(word);
    let (kernel, collective) = if has("reducescatter") {
        ("ReduceScatter", "_reduce_scatter_base")
    } else if has("allgather") || has("gather") {
        ("AllGather", "_allgather_base")
    } else if has("broadcast") {
        ("Broadcast", "broadcast")
    } else if has("alltoall") || has("dispatch") || has("combine") || category == Category::Ep {
        ("SendRecv", "all_to_all")
    } else if matches!(category, Category::Pp | Category::Cp) && !has("reduce") {
        ("SendRecv", "send")
    } else {
        ("AllReduce", "allreduce")
    };
    (format!("ncclDevKernel_{kernel}({name})"), collective)
}

/// The name of a copy; the direction is part of it.
fn copy(name: &str) -> &'static str {
    let name = name.to_ascii_lowercase();
    let to_device = ["load", "fetch", "upload", "restore", "in"];
    let is = |word: &str| {
        name.split(|c: char| !c.is_alphanumeric())
            .any(|part| part == word)
    };
    if to_device.into_iter().any(is) {
        "Memcpy HtoD (Pinned -> Device)"
    } else {
        "Memcpy DtoH (Device -> Pinned)"
    }
}
