//! Chrome's JSON of all ranks, which Perfetto and `chrome://tracing` open.
//!
//! A process is a rank, a thread is a stream (or one row of it, where its spans overlap), complete
//! events are spans, counters are memory, and arrows lead from the span that released another
//! one, where that lies on another rank or stream. Times are microseconds with three decimals.
//!
//! Format: "Trace Event Format", Google, 2016 (phases X, M, C, s, f).

use std::io::Write;

use trace::{MemoryKind, NO_INDEX, Pyramid, Span, SpanId, Trace, Track, memory_timeline};
use units::SimTime;

use crate::action::{Action, Label, folds};
use crate::event::{Event, Events, Nanos, quote};
use crate::export::{View, carries_arrows, choose, views};
use crate::ranks::{Rank, counterpart, kernels, places, ranks, track_name, tracks_by_lane};
use crate::{Detail, Export, FormatError};

/// What to write, and what to say about its origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Perfetto {
    /// The program, with its version.
    pub tool: String,
    /// The seed of the run.
    pub seed: u64,
    /// Events at most, about 140 bytes each; see [`Export`] for what is left out to stay below.
    pub budget: u64,
}

impl Default for Perfetto {
    /// 600,000 events, some 80 MB before compression: what opens in a browser.
    fn default() -> Self {
        Self {
            tool: format!("windtunnel {}", env!("CARGO_PKG_VERSION")),
            seed: 0,
            budget: 600_000,
        }
    }
}

/// Writes a timeline. The caller gives a buffered file; [`compressed`](crate::compressed) makes it
/// `.json.gz`.
///
/// # Errors
///
/// Where the output fails, or the trace breaks a rule of [`Trace::check`].
pub fn write_perfetto(
    out: impl Write,
    trace: &Trace,
    options: &Perfetto,
) -> Result<Export, FormatError> {
    trace.check()?;
    let tracks = tracks_by_lane(trace);
    let places = places(trace, &tracks);
    let views = views(trace, tracks);
    let ranks = ranks(trace);
    let (first, others) = choose(trace, &views, &ranks, options.budget);
    let mut timeline = Timeline {
        trace,
        views,
        places,
        names: trace.names.texts().iter().map(String::as_str).collect(),
        first,
        others,
        events: Events::new(out),
        n_arrows: 0,
    };
    timeline.write(options, &ranks)?;
    Ok(Export {
        n_ranks: ranks
            .iter()
            .filter(|rank| timeline.detail(rank) != Detail::Nothing)
            .count() as u64,
        n_events: timeline.events.n_events(),
        first,
        others,
    })
}

struct Timeline<'t, W> {
    trace: &'t Trace,
    views: Vec<View>,
    /// The track of each span on its lane.
    places: Vec<u32>,
    names: Vec<&'t str>,
    first: Detail,
    others: Detail,
    events: Events<W>,
    n_arrows: u64,
}

impl<W: Write> Timeline<'_, W> {
    fn write(&mut self, options: &Perfetto, ranks: &[Rank]) -> Result<(), FormatError> {
        self.events
            .raw("{\"displayTimeUnit\":\"ns\",\"traceEvents\":[")?;
        for rank in ranks {
            self.rank(rank)?;
        }
        for rank in ranks {
            self.arrows(rank)?;
        }
        let end = self.end(options, ranks.len());
        self.events.raw(&end)?;
        Ok(self.events.flush()?)
    }

    const fn detail(&self, rank: &Rank) -> Detail {
        if rank.member == 0 {
            self.first
        } else {
            self.others
        }
    }

    fn rank(&mut self, rank: &Rank) -> Result<(), FormatError> {
        let detail = self.detail(rank);
        if detail == Detail::Nothing {
            return Ok(());
        }
        self.process(rank, detail)?;
        let views = std::mem::take(&mut self.views);
        let view = &views[rank.lane.index()];
        for (track, row) in (0..).zip(&view.tracks) {
            if detail == Detail::Actions && folds(row.stream) {
                continue;
            }
            self.thread(rank, track, row)?;
            self.row(rank, track, row, &view.actions[track as usize], detail)?;
        }
        self.views = views;
        if matches!(detail, Detail::Kernels | Detail::Spans) {
            self.memory(rank)?;
        }
        Ok(())
    }

    fn process(&mut self, rank: &Rank, detail: Detail) -> Result<(), FormatError> {
        let lane = &self.trace.lanes[rank.lane.index()];
        let pid = u64::from(rank.number);
        let name = format!("rank {} · {}", rank.number, lane.name);
        let label = match detail {
            Detail::Kernels => format!("with kernels; class of {}", lane.ranks.len()),
            Detail::Spans => format!("class of {}", lane.ranks.len()),
            _ => format!("folded; class of {}", lane.ranks.len()),
        };
        for (what, key, text) in [
            ("process_name", "name", &name),
            ("process_labels", "labels", &label),
        ] {
            self.events.event("M", |event| {
                event.number("pid", pid).text("name", what);
                event.object("args", |args| _ = args.text(key, text));
            })?;
        }
        Ok(self.events.event("M", |event| {
            event.number("pid", pid).text("name", "process_sort_index");
            event.object("args", |args| _ = args.number("sort_index", pid));
        })?)
    }

    fn thread(&mut self, rank: &Rank, track: u32, row: &Track) -> Result<(), FormatError> {
        let name = track_name(row);
        let (pid, tid) = (u64::from(rank.number), thread(rank, track));
        self.events.event("M", |event| {
            event
                .number("pid", pid)
                .number("tid", tid)
                .text("name", "thread_name");
            event.object("args", |args| _ = args.text("name", &name));
        })?;
        Ok(self.events.event("M", |event| {
            event
                .number("pid", pid)
                .number("tid", tid)
                .text("name", "thread_sort_index");
            event.object("args", |args| {
                _ = args.number("sort_index", u64::from(track));
            });
        })?)
    }

    fn row(
        &mut self,
        rank: &Rank,
        track: u32,
        row: &Track,
        actions: &[Action],
        detail: Detail,
    ) -> Result<(), FormatError> {
        match detail {
            Detail::Kernels | Detail::Spans => {
                for &id in &row.spans {
                    self.span(rank, track, id)?;
                    if detail == Detail::Kernels {
                        self.kernels(rank, track, id)?;
                    }
                }
            }
            Detail::Actions => {
                for action in actions {
                    self.action(rank, track, row, action)?;
                }
            }
            Detail::Bars { pixels } => self.bars(rank, track, row, pixels)?,
            Detail::Nothing => {}
        }
        Ok(())
    }

    /// A complete event.
    fn slice(
        &mut self,
        (rank, track): (&Rank, u32),
        (start, end): (u64, u64),
        fill: impl FnOnce(&mut Event<'_>),
    ) -> Result<(), FormatError> {
        let (start, end) = (Nanos::from_picos(start), Nanos::from_picos(end));
        Ok(self.events.event("X", |event| {
            event
                .number("pid", u64::from(rank.number))
                .number("tid", thread(rank, track));
            event
                .micros("ts", start)
                .micros("dur", Nanos(end.0 - start.0));
            fill(event);
        })?)
    }

    fn span(&mut self, rank: &Rank, track: u32, id: SpanId) -> Result<(), FormatError> {
        let span = &self.trace.spans[id as usize];
        let name = self.names[span.name as usize];
        let times = (span.start.as_picos(), span.end.as_picos());
        self.slice((rank, track), times, |event| {
            event.text("name", name).text("cat", span.category.name());
            event.object("args", |args| place_of(args, span));
        })
    }

    fn kernels(&mut self, rank: &Rank, track: u32, id: SpanId) -> Result<(), FormatError> {
        for (name, start, end) in kernels(self.trace, id) {
            self.slice((rank, track), (start, end), |event| {
                event.text("name", name).text("cat", "kernel");
            })?;
        }
        Ok(())
    }

    fn action(
        &mut self,
        rank: &Rank,
        track: u32,
        row: &Track,
        action: &Action,
    ) -> Result<(), FormatError> {
        let ids = &row.spans[action.spans.clone()];
        let first = &self.trace.spans[ids[0] as usize];
        let last = &self.trace.spans[ids[ids.len() - 1] as usize];
        let name = match action.label {
            Label::Forward => format!("forward {}", first.micro_batch),
            Label::Backward => format!("backward {}", first.micro_batch),
            Label::Named(name) => self.names[name as usize].to_owned(),
        };
        let times = (first.start.as_picos(), last.end.as_picos());
        self.slice((rank, track), times, |event| {
            event.text("name", &name).text("cat", first.category.name());
            event.object("args", |args| {
                place_of(args, first);
                if 1 < ids.len() {
                    args.number("spans", ids.len() as u64);
                }
            });
        })
    }

    fn bars(
        &mut self,
        rank: &Rank,
        track: u32,
        row: &Track,
        pixels: u32,
    ) -> Result<(), FormatError> {
        let past = SimTime::from_picos(self.trace.end.as_picos().saturating_add(1));
        for bar in Pyramid::new(self.trace, row).summarize(SimTime::ZERO..past, pixels) {
            if bar.count == 1 {
                self.span(rank, track, bar.longest)?;
                continue;
            }
            let longest = &self.trace.spans[bar.longest as usize];
            let name = self.names[longest.name as usize];
            let name = format!("{name} and {} more", bar.count - 1);
            let times = (bar.start.as_picos(), bar.end.as_picos());
            let busy = Nanos::from_picos(bar.busy.as_picos());
            self.slice((rank, track), times, |event| {
                event
                    .text("name", &name)
                    .text("cat", longest.category.name());
                event.object("args", |args| {
                    args.number("spans", u64::from(bar.count))
                        .micros("busy_us", busy);
                });
            })?;
        }
        Ok(())
    }

    /// One counter event per moment, with the kinds that the lane ever holds.
    fn memory(&mut self, rank: &Rank) -> Result<(), FormatError> {
        let levels = memory_timeline(self.trace, rank.lane);
        let held = MemoryKind::ALL.map(|kind| {
            levels
                .iter()
                .any(|level| level.by_kind[kind.index()].as_u64() != 0)
        });
        for (at, level) in levels.iter().enumerate() {
            let next = levels.get(at + 1);
            if next.is_some_and(|next| next.time == level.time) {
                continue;
            }
            let time = Nanos::from_picos(level.time.as_picos());
            self.events.event("C", |event| {
                event
                    .number("pid", u64::from(rank.number))
                    .micros("ts", time);
                event.text("name", "memory (bytes)");
                event.object("args", |args| {
                    for kind in MemoryKind::ALL
                        .into_iter()
                        .filter(|kind| held[kind.index()])
                    {
                        args.number(kind.name(), level.by_kind[kind.index()].as_u64());
                    }
                });
            })?;
        }
        Ok(())
    }

    /// Arrows to the spans of a rank from what released them.
    fn arrows(&mut self, rank: &Rank) -> Result<(), FormatError> {
        let detail = self.detail(rank);
        let views = std::mem::take(&mut self.views);
        let view = &views[rank.lane.index()];
        for (row, actions) in view.tracks.iter().zip(&view.actions) {
            match detail {
                Detail::Actions if folds(row.stream) => {}
                Detail::Actions => {
                    for action in actions {
                        self.arrow(rank, row.spans[action.spans.start])?;
                    }
                }
                Detail::Kernels | Detail::Spans => {
                    for &id in &row.spans {
                        self.arrow(rank, id)?;
                    }
                }
                Detail::Bars { .. } | Detail::Nothing => {}
            }
        }
        self.views = views;
        Ok(())
    }

    fn arrow(&mut self, rank: &Rank, id: SpanId) -> Result<(), FormatError> {
        if !carries_arrows(self.trace, id, self.detail(rank)) {
            return Ok(());
        }
        let Some((source, cause)) = self.source(rank, id) else {
            return Ok(());
        };
        let (from, to) = (
            &self.trace.spans[cause as usize],
            &self.trace.spans[id as usize],
        );
        let threads = [
            thread(&source, self.places[cause as usize]),
            thread(rank, self.places[id as usize]),
        ];
        if threads[0] == threads[1] {
            return Ok(());
        }
        let number = self.n_arrows;
        self.n_arrows += 1;
        // Within the last nanosecond of its source: viewers bind an arrow to the span around it.
        let left = Nanos(Nanos::from_picos(from.end.as_picos()).0 - 1);
        let reached = Nanos::from_picos(to.start.as_picos());
        self.events.event("s", |event| {
            event
                .number("pid", u64::from(source.number))
                .number("tid", threads[0]);
            event
                .micros("ts", left)
                .number("id", number)
                .text("name", "releases")
                .text("cat", "cause");
        })?;
        Ok(self.events.event("f", |event| {
            event
                .text("bp", "e")
                .number("pid", u64::from(rank.number))
                .number("tid", threads[1]);
            event
                .micros("ts", reached)
                .number("id", number)
                .text("name", "releases")
                .text("cat", "cause");
        })?)
    }

    /// The rank and span that an arrow comes from: the nearest cause that is shown.
    fn source(&self, rank: &Rank, id: SpanId) -> Option<(Rank, SpanId)> {
        let own = &self.trace.lanes[rank.lane.index()];
        let mut current = self.trace.spans[id as usize].cause;
        loop {
            let cause = self.trace.spans.get(current as usize)?;
            let lane = &self.trace.lanes[cause.lane.index()];
            let member = if cause.lane == rank.lane {
                rank.member
            } else {
                counterpart(own, rank.member, lane)
            };
            let number = lane.ranks.get(member as usize).copied();
            let source = number.map(|number| Rank {
                number,
                lane: cause.lane,
                member,
            });
            match source {
                Some(source) if carries_arrows(self.trace, current, self.detail(&source)) => {
                    return Some((source, current));
                }
                _ => current = cause.cause,
            }
        }
    }

    /// What follows the events.
    fn end(&self, options: &Perfetto, n_ranks: usize) -> String {
        let export = Export {
            n_ranks: 0,
            n_events: 0,
            first: self.first,
            others: self.others,
        };
        let mut data = Vec::new();
        let folded = export.folded().unwrap_or_else(|| "nothing".to_owned());
        let (seed, ranks) = (options.seed.to_string(), n_ranks.to_string());
        let picos = self.trace.end.as_picos().to_string();
        let entries = [
            ("tool", options.tool.as_str()),
            ("seed", &seed),
            ("ranks", &ranks),
            ("end_ps", &picos),
            ("left_out", &folded),
        ];
        for (at, (key, value)) in entries.into_iter().enumerate() {
            data.extend_from_slice(if at == 0 { b"" } else { b"," });
            quote(&mut data, key);
            data.push(b':');
            quote(&mut data, value);
        }
        format!(
            "\n],\"otherData\":{{{}}}}}\n",
            String::from_utf8_lossy(&data)
        )
    }
}

/// The number of a thread, unique over all ranks: viewers find it faster.
fn thread(rank: &Rank, track: u32) -> u64 {
    (u64::from(rank.number) + 1) * 1_000 + u64::from(track)
}

fn place_of(args: &mut Event<'_>, span: &Span) {
    if span.micro_batch != NO_INDEX {
        args.number("micro_batch", u64::from(span.micro_batch));
    }
    if span.stage != NO_INDEX {
        args.number("stage", u64::from(span.stage));
    }
}
