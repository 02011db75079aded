//! The files that a plan names: schedule, ranks, experts.

use std::sync::Arc;

use cluster::Cluster;
use plan::{ExpertPlacement, PlanSpec, Routing};

use crate::error::{Failure, Problem};
use crate::files::PROFILE_LIMIT;
use crate::library::{At, Library};
use crate::plan_section::PlanSection;
use crate::source::{Place, Source};

/// The plan with the content of its files.
pub(crate) fn read(
    section: &PlanSection,
    cluster: &Cluster,
    library: &Library<'_>,
    at: &dyn Fn(&str) -> At,
) -> Result<PlanSpec, Vec<Failure>> {
    let mut failures = Vec::new();
    let mut open = |name: &Option<String>, field: &str| {
        let name = name.as_ref()?;
        let read = library.files.read(&library.path(name), PROFILE_LIMIT);
        read.map_err(|problem| failures.push(at(field).failure(problem)))
            .ok()
    };
    let schedule = open(&section.schedule_file, "plan.schedule_file");
    let ranks = open(&section.rank_order_file, "plan.rank_order_file");
    let routing = open(&section.routing_file, "plan.moe.routing");
    let experts = open(&section.experts_file, "plan.moe.experts_file");
    let mut spec = section.spec.clone();
    spec.schedule_file = schedule.map(|source| source.text.clone());
    let mut read = Cells {
        failures: &mut failures,
    };
    if let Some(source) = ranks {
        spec.rank_gpus = Some(read.gpus(&source, cluster));
    }
    if let Some(source) = routing {
        let shares = read.rows(&source, "a share from 0", |cell| {
            cell.parse::<f64>()
                .ok()
                .filter(|share| share.is_finite() && 0.0 <= *share)
        });
        spec.moe.routing = Some(Routing::Shares(Arc::new(shares)));
    }
    if let Some(source) = experts {
        let layers = read.rows(&source, "the number of an expert", |cell| {
            cell.parse::<u32>().ok()
        });
        spec.moe.experts = Some(ExpertPlacement {
            layers: Arc::new(layers),
        });
    }
    if failures.is_empty() {
        Ok(spec)
    } else {
        Err(failures)
    }
}

/// Reads tables of cells: a row a line, cells separated by commas or spaces, comments after `#`.
struct Cells<'f> {
    failures: &'f mut Vec<Failure>,
}

impl Cells<'_> {
    fn rows<T>(
        &mut self,
        source: &Arc<Source>,
        expected: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Vec<Vec<T>> {
        let mut rows = Vec::new();
        let mut start = 0;
        for line in source.text.split_inclusive('\n') {
            let content = line.split('#').next().unwrap_or_default();
            let mut row = Vec::new();
            for (offset, cell) in cells(content) {
                match parse(cell) {
                    Some(value) => row.push(value),
                    None => self.refuse(source, start + offset, cell, expected),
                }
            }
            if !row.is_empty() {
                rows.push(row);
            }
            start += line.len();
        }
        rows
    }

    /// The GPU of every rank, by number or name.
    fn gpus(&mut self, source: &Arc<Source>, cluster: &Cluster) -> Vec<u32> {
        let rows = self.rows(
            source,
            "the number of a GPU, or a name such as n0g0",
            |cell| {
                let by_name = || cluster.gpu_named(cell).map(units::GpuId::get);
                cell.parse::<u32>().ok().or_else(by_name)
            },
        );
        rows.into_iter().flatten().collect()
    }

    fn refuse(&mut self, source: &Arc<Source>, at: usize, cell: &str, expected: &str) {
        let problem = Problem::BadCell {
            cell: cell.to_owned(),
            expected: expected.to_owned(),
        };
        let place = Place::new(source, at..at + cell.len());
        crate::error::push(self.failures, Failure::at(place, problem));
    }
}

/// The cells of a line with their offsets.
fn cells(line: &str) -> impl Iterator<Item = (usize, &str)> {
    let is_separator = |c: char| c == ',' || c.is_whitespace();
    line.split(is_separator)
        .filter(|cell| !cell.is_empty())
        .map(|cell| (cell.as_ptr() as usize - line.as_ptr() as usize, cell))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_read_by_row_and_errors_show_their_place() {
        let source = Source::new("x.csv", "1, 2 # first\n\n3 x\n");
        let mut failures = Vec::new();
        let mut cells = Cells {
            failures: &mut failures,
        };
        let rows = cells.rows(&source, "a number", |cell| cell.parse::<u32>().ok());
        assert_eq!(rows, [vec![1, 2], vec![3]]);
        assert_eq!(failures[0].place.as_ref().unwrap().to_string(), "x.csv:3:3");
        assert_eq!(failures[0].to_string(), "\"x\" is not a number");
    }
}
