//! What links carried, as a table in CSV.

use std::io::{self, Write};
use std::path::Path;

use predict::{LinkClass, LinkLoad, Links, Scenario};

use crate::cell::csv_cell;
use crate::save::{Existing, SaveError, save};

/// The first line.
const HEADER: &str = "link,direction,from_s,to_s,bytes,rate_bytes_per_s,job,what,links";

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
                row(out, scenario, link, load)?;
            }
        }
        Ok(())
    })
}

fn row(
    out: &mut dyn Write,
    scenario: &Scenario,
    link: &LinkClass,
    load: &LinkLoad,
) -> io::Result<()> {
    let job = (load.carried).map_or("", |carried| scenario.job_name(carried.job));
    writeln!(
        out,
        "{},{},{},{},{:.0},{:.0},{},{},{}",
        csv_cell(&link.name),
        link.direction,
        load.from.as_seconds().as_secs(),
        load.to.as_seconds().as_secs(),
        load.bytes,
        load.rate(),
        csv_cell(job),
        load.what(),
        link.count,
    )
}
