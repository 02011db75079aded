//! What links carried: as a table in CSV, and on timelines.

use std::io::{self, Write};
use std::path::Path;

use predict::{LinkClass, Links, Scenario};
use trace::{LinkStretch, LinkTrack};
use units::SimTime;

use crate::cell::csv_cell;
use crate::save::{Existing, SaveError, save};

/// The first line.
pub(crate) const HEADER: &str = "link,direction,from_s,to_s,bytes,rate_bytes_per_s,job,what,links";

/// Levels of a link that a timeline shows at most; where there are more, they are averages over
/// equal times.
pub(crate) const LEVELS: u32 = 4_096;

/// A row: a stretch of time in which a link carried traffic of one kind at one rate.
pub(crate) struct Row<'a> {
    pub(crate) link: &'a str,
    pub(crate) direction: &'static str,
    /// Its beginning and its end.
    pub(crate) time: [SimTime; 2],
    pub(crate) bytes: f64,
    /// Bytes per second.
    pub(crate) rate: f64,
    pub(crate) job: &'a str,
    pub(crate) what: &'static str,
    /// How many links carried just that.
    pub(crate) links: u32,
}

/// Writes what links carried to a CSV file: a row for each stretch of time in which a link
/// carried traffic of one kind at one rate. `links` is how many links carried just that.
///
/// # Errors
///
/// Where the file is there already and may not be replaced, or cannot be written.
pub fn save_links(
    path: &Path,
    existing: Existing,
    scenario: &Scenario,
    links: &Links,
) -> Result<(), SaveError> {
    save(path, existing, |out| {
        writeln!(out, "{HEADER}")?;
        for link in &links.links {
            for load in &link.loads {
                let of = Row {
                    link: &link.name,
                    direction: link.direction,
                    time: [load.from, load.to],
                    bytes: load.bytes,
                    rate: load.rate(),
                    job: (load.carried).map_or("", |carried| scenario.job_name(carried.job)),
                    what: load.what(),
                    links: link.count,
                };
                row(out, &of)?;
            }
        }
        Ok(())
    })
}

pub(crate) fn row(out: &mut dyn Write, of: &Row<'_>) -> io::Result<()> {
    let [from, to] = of.time.map(|time| time.as_seconds().as_secs());
    writeln!(
        out,
        "{},{},{from},{to},{:.0},{:.0},{},{},{}",
        csv_cell(of.link),
        of.direction,
        of.bytes,
        of.rate,
        csv_cell(of.job),
        of.what,
        of.links,
    )
}

/// So many of the busiest links as timelines show them, each with what it carried by job and kind.
pub fn link_tracks(scenario: &Scenario, links: &Links, most: usize) -> Vec<LinkTrack> {
    let busiest = links.links.iter().take(most);
    busiest.map(|link| track(scenario, link)).collect()
}

fn track(scenario: &Scenario, link: &LinkClass) -> LinkTrack {
    let carried: Vec<_> = link.by_kind().into_iter().map(|(of, _)| of).collect();
    let kinds = carried.iter().map(|of| match of {
        None => "control".to_owned(),
        Some(of) if scenario.beside.is_empty() => of.kind.name().to_owned(),
        Some(of) => format!("{} of {}", of.kind.name(), scenario.job_name(of.job)),
    });
    let stretches = link.loads.iter().filter_map(|load| {
        Some(LinkStretch {
            from: load.from,
            to: load.to,
            kind: carried.iter().position(|of| *of == load.carried)?,
            rate: load.rate(),
        })
    });
    LinkTrack::new(
        format!("{} {}", link.name, link.direction),
        (link.count, link.rate),
        kinds.collect(),
        &stretches.collect::<Vec<_>>(),
        LEVELS,
    )
}
