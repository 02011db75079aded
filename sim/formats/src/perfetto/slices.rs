//! What a rank shows: its names, its spans at some detail, its memory.

use std::io::Write;

use trace::{NO_INDEX, Pass, Pyramid, Span, SpanId, Track};
use units::SimTime;

use super::{Timeline, thread};
use crate::action::{Action, Label};
use crate::event::{Event, Nanos};
use crate::export::{Drawn, View};
use crate::ranks::{Rank, kernels, track_name};
use crate::{Detail, FormatError};

impl<W: Write> Timeline<'_, W> {
    pub(super) fn process(&mut self, rank: &Rank, detail: Detail) -> Result<(), FormatError> {
        let lane = &self.trace.lanes[rank.lane.index()];
        let pid = u64::from(rank.number);
        let name = format!("rank {} · {}", rank.number, lane.name);
        let label = match detail {
            Detail::Kernels => format!("with kernels; class of {}", lane.ranks.len()),
            Detail::Spans => format!("class of {}", lane.ranks.len()),
            Detail::Window { micro_batches } => format!(
                "kernels of {micro_batches} micro-batches; class of {}",
                lane.ranks.len()
            ),
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
        // Links stand above the ranks.
        let place = pid + u64::from(!self.trace.links.is_empty());
        Ok(self.events.event("M", |event| {
            event.number("pid", pid).text("name", "process_sort_index");
            event.object("args", |args| _ = args.number("sort_index", place));
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

    pub(super) fn row(
        &mut self,
        rank: &Rank,
        track: u32,
        row: &Track,
        actions: &[Action],
    ) -> Result<(), FormatError> {
        let spans = &self.trace.spans;
        let detail = self.detail(rank);
        let drawn = |action: &Action| {
            let first = row.spans[action.spans.start];
            detail.draws(row.stream, spans[first as usize].micro_batch)
        };
        if actions.iter().all(|action| drawn(action) == Drawn::Not) {
            return Ok(());
        }
        self.thread(rank, track, row)?;
        if let Some(pixels) = detail.pixels() {
            return self.bars(rank, track, row, pixels);
        }
        for action in actions {
            match drawn(action) {
                Drawn::Merged => self.action(rank, track, row, action)?,
                Drawn::Not => {}
                how => {
                    for &id in &row.spans[action.spans.clone()] {
                        self.span(rank, track, id)?;
                        if how == Drawn::Kernels {
                            self.kernels(rank, track, id)?;
                        }
                    }
                }
            }
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
            Label::Pass(pass) => format!("{} {}", pass.name(), first.micro_batch),
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
    pub(super) fn memory(&mut self, rank: &Rank, view: &View) -> Result<(), FormatError> {
        if view.held.is_empty() {
            return Ok(());
        }
        for level in view.memory(self.detail(rank)) {
            let time = Nanos::from_picos(level.time.as_picos());
            self.events.event("C", |event| {
                event
                    .number("pid", u64::from(rank.number))
                    .micros("ts", time);
                event.text("name", "memory (bytes)");
                event.object("args", |args| {
                    for kind in &view.held {
                        args.number(kind.name(), level.by_kind[kind.index()].as_u64());
                    }
                });
            })?;
        }
        Ok(())
    }
}

fn place_of(args: &mut Event<'_>, span: &Span) {
    if span.pass != Pass::None {
        args.text("pass", span.pass.name());
    }
    if span.micro_batch != NO_INDEX {
        args.number("micro_batch", u64::from(span.micro_batch));
    }
    if span.stage != NO_INDEX {
        args.number("stage", u64::from(span.stage));
    }
}
