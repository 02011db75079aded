//! The busiest links, and jobs that share them.

use serde_json::{Value, json};
use session::{JobTime, LinkClass, Links, Scenario};

use crate::number::{count, duration, percent};
use crate::table::{Side, Table};
use crate::terminal::Terminal;

/// So many links are shown.
const SHOWN: usize = 8;

/// The section of links: which were busiest, and with what.
pub(crate) fn busiest(links: &Links, scenario: &Scenario, terminal: &Terminal) -> String {
    let mut table = Table::new(&[
        ("Link", Side::Left),
        ("Links", Side::Right),
        ("Used", Side::Right),
        ("By", Side::Left),
    ]);
    for link in links.links.iter().take(SHOWN) {
        table.row([
            format!("{} ({})", link.name, link.direction),
            count(u64::from(link.count)),
            percent(link.utilisation),
            by_kind(link, scenario),
        ]);
    }
    if table.is_empty() {
        return String::new();
    }
    format!("## Busiest links\n\n{}", table.render(terminal.width))
}

/// What used a link, in shares of its bytes.
fn by_kind(link: &LinkClass, scenario: &Scenario) -> String {
    let parts = link.by_kind().into_iter().map(|(carried, bytes)| {
        let share = percent(bytes / link.bytes);
        let what = carried.map_or("control", |carried| carried.kind.name());
        match carried.filter(|_| !scenario.beside.is_empty()) {
            Some(carried) => format!("{what} of {} {share}", scenario.job_name(carried.job)),
            None => format!("{what} {share}"),
        }
    });
    parts.collect::<Vec<_>>().join(", ")
}

/// The section of jobs: what each takes beside the others and alone.
pub(crate) fn jobs(times: &[JobTime], terminal: &Terminal) -> String {
    if times.is_empty() {
        return String::new();
    }
    let mut table = Table::new(&[
        ("Job", Side::Left),
        ("GPUs", Side::Right),
        ("Iteration", Side::Right),
        ("Alone", Side::Right),
        ("Longer by", Side::Right),
    ]);
    for job in times {
        table.row([
            job.job.clone(),
            count(u64::from(job.gpus)),
            duration(job.iteration_time_s),
            duration(job.alone_s),
            percent(job.iteration_time_s / job.alone_s - 1.0),
        ]);
    }
    format!("## Jobs on the cluster\n\n{}", table.render(terminal.width))
}

/// Links as JSON: what each carried in all.
pub(crate) fn links_json(links: &Links, scenario: &Scenario) -> Value {
    let link = |link: &LinkClass| {
        let by = link.by_kind().into_iter().map(|(carried, bytes)| {
            json!({
                "job": carried.map(|carried| scenario.job_name(carried.job)),
                "what": carried.map_or("control", |carried| carried.kind.name()),
                "bytes": bytes,
            })
        });
        json!({
            "name": link.name,
            "direction": link.direction,
            "links": link.count,
            "bytes": link.bytes,
            "utilisation": link.utilisation,
            "by": by.collect::<Vec<_>>(),
        })
    };
    links.links.iter().map(link).collect()
}
