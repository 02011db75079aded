//! Chrome's JSON of all ranks, which Perfetto and `chrome://tracing` open.
//!
//! A process is a rank, a thread is a stream (or one row of it, where its spans overlap), complete
//! events are spans, counters are memory, and arrows lead from the span that released another
//! one, where that lies on another rank or stream. Links are counters of a process of their own,
//! `network`: percent of what a link can carry, and what for where that is several things. Times are microseconds with three decimals.
//!
//! Format: "Trace Event Format", Google, 2016 (phases X, M, C, s, f).

mod arrows;
mod links;
mod slices;

use std::io::Write;

use trace::Trace;

use crate::event::{Events, quote};
use crate::export::{View, choose, views};
use crate::ranks::{Rank, places, ranks, tracks_by_lane};
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
    let budget = options.budget.saturating_sub(links::cost(&trace.links));
    let (first, others) = choose(trace, &views, &ranks, budget);
    let mut timeline = Timeline {
        trace,
        views: &views,
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
    views: &'t [View],
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
        self.links(ranks)?;
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
        let view = &self.views[rank.lane.index()];
        for (track, row) in (0..).zip(&view.tracks) {
            self.row(rank, track, row, &view.actions[track as usize])?;
        }
        self.memory(rank, view)
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
