//! What the links of a network workload carried over time: for timelines and as a table.

use std::path::Path;

use ::traffic::Curve;
use cluster::Topology;
use trace::{LinkStretch, LinkTrack, Trace};
use units::SimTime;

use super::{NetworkAnswer, Traffic};
use crate::links::{HEADER, LEVELS, Row, row};
use crate::save::{Existing, SaveError, save};

/// What the traffic of a workload is called.
const KIND: &str = "flow";

impl Traffic {
    /// A timeline that shows nothing but so many of the busiest links, until the last byte of all
    /// arrived. The workload was run with [`Keep::Loads`](::traffic::Keep).
    pub fn link_trace(&self, answer: &NetworkAnswer, most: usize) -> Trace {
        let curves = self.busiest(answer).into_iter().take(most);
        Trace {
            end: answer.makespan,
            links: curves.map(|curve| self.track(answer, curve)).collect(),
            ..Trace::default()
        }
    }

    fn track(&self, answer: &NetworkAnswer, curve: &Curve) -> LinkTrack {
        let stretches = curve.stretches(answer.alike());
        // Acknowledgements are under way a little longer.
        let stretches = stretches.into_iter().filter_map(|(from, to, rate)| {
            let to = to.min(answer.makespan);
            (from < to).then_some(LinkStretch {
                from,
                to,
                kind: 0,
                rate,
            })
        });
        let name = self.fabric.wire_name(curve.link);
        LinkTrack::new(
            format!("{} {}", name.name, name.direction.name()),
            (curve.count, self.fabric.wire(curve.link).rate),
            vec![KIND.to_owned()],
            &stretches.collect::<Vec<_>>(),
            LEVELS,
        )
    }

    /// The curves, those of the fullest links first.
    fn busiest<'a>(&self, answer: &'a NetworkAnswer) -> Vec<&'a Curve> {
        let need = |curve: &Curve| curve.bytes() / self.fabric.wire(curve.link).rate.as_f64();
        let mut curves: Vec<(f64, &Curve)> = answer
            .curves
            .iter()
            .map(|curve| (need(curve), curve))
            .collect();
        curves.sort_by(|(x, a), (y, b)| y.total_cmp(x).then(a.link.cmp(&b.link)));
        curves.into_iter().map(|(_, curve)| curve).collect()
    }

    /// Writes what links carried to a CSV file, as [`save_links`](crate::save_links) does. The
    /// workload was run with [`Keep::Loads`](::traffic::Keep).
    ///
    /// # Errors
    ///
    /// Where the file is there already and may not be replaced, or cannot be written.
    pub fn save_links(
        &self,
        path: &Path,
        existing: Existing,
        answer: &NetworkAnswer,
    ) -> Result<(), SaveError> {
        save(path, existing, |out| {
            writeln!(out, "{HEADER}")?;
            for curve in self.busiest(answer) {
                let name = self.fabric.wire_name(curve.link);
                for (from, to, rate) in curve.stretches(answer.alike()) {
                    let of = Row {
                        link: &name.name,
                        direction: name.direction.name(),
                        time: [from, to],
                        bytes: rate * to.since(from).as_secs(),
                        rate,
                        job: &self.name,
                        what: KIND,
                        links: curve.count,
                    };
                    row(out, &of)?;
                }
            }
            Ok(())
        })
    }
}

impl NetworkAnswer {
    /// When everything was over, acknowledgements included.
    pub fn end(&self) -> SimTime {
        self.acked
            .map_or(self.makespan, |acked| acked.max(self.makespan))
    }

    /// By which share rates may differ that are told as one: counted bytes are never quite equal.
    fn alike(&self) -> f64 {
        if self.packets.is_some() { 1e-2 } else { 1e-9 }
    }
}
