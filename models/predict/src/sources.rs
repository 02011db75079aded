//! Where the figures behind a prediction come from.

use lower::{Lowered, Worth};
use profile::Provenance;

use crate::closed_form::add_worth;
use crate::prediction::{Sources, Table};
use crate::scenario::Scenario;

/// Shares of the compute time by the worth of its price, over all ranks, and the tables.
pub(crate) fn sources(scenario: &Scenario, lowered: &Lowered) -> Sources {
    let mut sum = Worth::default();
    for lane in &lowered.binding.lanes.lanes {
        let program = lane.program as usize;
        for fragment in &lowered.lists[program] {
            let worth: &Worth = &lowered.worth[program][fragment.block as usize];
            add_worth(&mut sum, worth, lane.ranks.len() as f64);
        }
    }
    sources_of(scenario, &sum)
}

/// Shares of the worth of prices, and the tables behind them.
pub(crate) fn sources_of(scenario: &Scenario, worth: &Worth) -> Sources {
    let secs = worth.secs;
    let total: f64 = secs.iter().sum::<f64>().max(f64::MIN_POSITIVE);
    let mut tables: Vec<Table> = Vec::new();
    let profiles = scenario.profiles.iter().flat_map(|profile| {
        let name = profile.name().to_owned();
        profile
            .sources()
            .into_iter()
            .map(move |(what, worth, source)| (format!("{name}: {what}"), worth, source))
    });
    let comm = collective::sources(&scenario.cluster, &scenario.comm);
    for (what, worth, source) in profiles.chain(comm) {
        tables.push(Table {
            what,
            worth: worth_name(worth).to_owned(),
            source,
        });
    }
    Sources {
        measured: secs[0] / total,
        interpolated: secs[1] / total,
        extrapolated: secs[2] / total,
        nominal: secs[3] / total,
        tables,
    }
}

const fn worth_name(worth: Provenance) -> &'static str {
    match worth {
        Provenance::Measured => "measured",
        Provenance::Interpolated => "interpolated",
        Provenance::Extrapolated => "extrapolated",
        Provenance::Nominal => "nominal",
    }
}
