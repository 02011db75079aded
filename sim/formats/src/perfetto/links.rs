//! What links carried, as counters of a process of their own.

use std::io::Write;

use trace::{LinkLevel, LinkTrack};

use super::Timeline;
use crate::FormatError;
use crate::event::Nanos;
use crate::ranks::Rank;

/// Events at most.
pub(super) fn cost(links: &[LinkTrack]) -> u64 {
    let of = |link: &LinkTrack| {
        let counters = if link.kinds.len() == 1 { 1 } else { 2 };
        counters * (link.levels.len() as u64 + 1)
    };
    let levels: u64 = links.iter().map(of).sum();
    levels + if links.is_empty() { 0 } else { 3 }
}

impl<W: Write> Timeline<'_, W> {
    /// The process `network`, above the ranks, with two counters a link: how full it is, and with
    /// what where that is several things.
    pub(super) fn links(&mut self, ranks: &[Rank]) -> Result<(), FormatError> {
        let trace = self.trace;
        if trace.links.is_empty() {
            return Ok(());
        }
        let last = ranks.iter().map(|rank| u64::from(rank.number)).max();
        let pid = last.map_or(0, |last| last + 1);
        let label = match trace.links.len() {
            1 => "the busiest link, in percent of its rate".to_owned(),
            n => format!("the {n} busiest links, in percent of their rates"),
        };
        for (what, key, text) in [
            ("process_name", "name", "network"),
            ("process_labels", "labels", &label),
        ] {
            self.events.event("M", |event| {
                event.number("pid", pid).text("name", what);
                event.object("args", |args| _ = args.text(key, text));
            })?;
        }
        self.events.event("M", |event| {
            event.number("pid", pid).text("name", "process_sort_index");
            event.object("args", |args| _ = args.number("sort_index", 0));
        })?;
        for link in &trace.links {
            self.link(pid, link)?;
        }
        Ok(())
    }

    fn link(&mut self, pid: u64, link: &LinkTrack) -> Result<(), FormatError> {
        let name = match link.count {
            1 => link.name.clone(),
            count => format!("{} (one of {count})", link.name),
        };
        let of_kinds = format!("{name} by kind");
        for (at, nanos, rates) in moments(&link.levels) {
            // A counter has no value before its first event.
            if at == 0 && nanos != Nanos(0) {
                let idle = vec![0.0; rates.len()];
                self.level(pid, (&name, &of_kinds), link, Nanos(0), &idle)?;
            }
            self.level(pid, (&name, &of_kinds), link, nanos, rates)?;
        }
        Ok(())
    }

    fn level(
        &mut self,
        pid: u64,
        (name, of_kinds): (&str, &str),
        link: &LinkTrack,
        time: Nanos,
        rates: &[f64],
    ) -> Result<(), FormatError> {
        self.events.event("C", |event| {
            event.number("pid", pid).micros("ts", time);
            event.text("name", name);
            let sum = link.percent(rates.iter().sum());
            event.object("args", |args| _ = args.decimal("percent", sum));
        })?;
        if link.kinds.len() == 1 {
            return Ok(());
        }
        Ok(self.events.event("C", |event| {
            event.number("pid", pid).micros("ts", time);
            event.text("name", of_kinds);
            event.object("args", |args| {
                for (kind, rate) in link.kinds.iter().zip(rates) {
                    args.decimal(kind, link.percent(*rate));
                }
            });
        })?)
    }
}

/// The levels with their places and nanoseconds; of those within one nanosecond, the last.
fn moments(levels: &[LinkLevel]) -> impl Iterator<Item = (usize, Nanos, &[f64])> {
    let nanos = |level: &LinkLevel| Nanos::from_picos(level.time.as_picos());
    let moments = levels.chunk_by(move |a, b| nanos(a) == nanos(b));
    let last = moments.filter_map(|moment| moment.last());
    last.enumerate()
        .map(move |(at, level)| (at, nanos(level), level.rates.as_slice()))
}
