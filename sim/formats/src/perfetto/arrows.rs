//! Arrows from the span that released another to that one.

use std::io::Write;

use trace::SpanId;

use super::{Timeline, thread};
use crate::FormatError;
use crate::event::Nanos;
use crate::export::{Drawn, carries_arrows};
use crate::ranks::{Rank, counterpart};

impl<W: Write> Timeline<'_, W> {
    /// Arrows to the spans of a rank from what released them.
    pub(super) fn arrows(&mut self, rank: &Rank) -> Result<(), FormatError> {
        let detail = self.detail(rank);
        if !detail.has_arrows() {
            return Ok(());
        }
        let view = &self.views[rank.lane.index()];
        for (row, actions) in view.tracks.iter().zip(&view.actions) {
            for action in actions {
                let ids = &row.spans[action.spans.clone()];
                let micro_batch = self.trace.spans[ids[0] as usize].micro_batch;
                let reached = match detail.draws(row.stream, micro_batch) {
                    Drawn::Kernels | Drawn::Spans => ids,
                    Drawn::Merged => &ids[..1],
                    Drawn::Not => &[],
                };
                for &id in reached {
                    self.arrow(rank, id)?;
                }
            }
        }
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
}
