//! Values of a [`CommProfile`] that no formula can use.

use crate::ProfileError;
use crate::comm::{
    BetweenReached, CommFit, CommProfile, InsideReached, LatencyTable, NetworkComm, ScaleUpComm,
    Tuning,
};

/// Shares are within these: a billionth is as good as nothing.
const SHARE: [f64; 2] = [1e-9, 1.0];
/// Factors on a model's bandwidth.
const FACTOR: [f64; 2] = [1e-3, 1e3];
/// Durations in microseconds, up to a minute.
const MICROS: [f64; 2] = [0.0, 6e7];
/// Rates in 10⁹ bytes per second.
const GBYTES: [f64; 2] = [1e-6, 1e9];

/// Entries of a list: a collective keeps the place of its entry in a byte.
const MAX_ENTRIES: usize = 250;

impl CommProfile {
    /// Everything that keeps this profile from being used; nothing for [`CommProfile::nccl`].
    pub fn check(&self) -> Vec<ProfileError> {
        let mut errors = Vec::new();
        for (field, count) in self.lists() {
            if count == 0 {
                let section = "the constants of collectives".to_owned();
                errors.push(ProfileError::Empty { section, field });
            }
        }
        errors.extend(self.check_entries());
        errors
    }

    /// What is wrong with the entries that there are, for a file that stands in front of others.
    pub fn check_entries(&self) -> Vec<ProfileError> {
        let mut errors = Vec::new();
        for (field, count) in self.lists() {
            let counts = [0.0, MAX_ENTRIES as f64];
            Ranges::new("comm", &mut errors).all(field, &[count as f64], counts);
        }
        for (at, entry) in self.scale_up.iter().enumerate() {
            let earlier = self.scale_up[..at].iter().map(|entry| &entry.name);
            twice("scale_up", &entry.name, earlier, &mut errors);
            scale_up(entry, &mut Ranges::new(&entry.name, &mut errors));
        }
        for (at, entry) in self.network.iter().enumerate() {
            let earlier = self.network[..at].iter().map(|entry| &entry.name);
            twice("network", &entry.name, earlier, &mut errors);
            network(entry, &mut Ranges::new(&entry.name, &mut errors));
        }
        tuning(&self.tuning, &mut Ranges::new("comm.tuning", &mut errors));
        errors
    }

    fn lists(&self) -> [(&'static str, usize); 2] {
        [
            ("scale_up", self.scale_up.len()),
            ("network", self.network.len()),
        ]
    }
}

/// An entry whose name an earlier one of its list has already.
fn twice<'a>(
    list: &str,
    name: &str,
    mut earlier: impl Iterator<Item = &'a String>,
    errors: &mut Vec<ProfileError>,
) {
    if earlier.any(|other| other == name) {
        errors.push(ProfileError::Twice {
            section: name.to_owned(),
            earlier: format!("an earlier entry of `{list}`"),
        });
    }
}

/// Collects the values of one entry that are out of range.
struct Ranges<'a> {
    section: &'a str,
    errors: &'a mut Vec<ProfileError>,
}

impl<'a> Ranges<'a> {
    fn new(section: &'a str, errors: &'a mut Vec<ProfileError>) -> Self {
        Self { section, errors }
    }

    fn all(&mut self, field: &'static str, values: &[f64], [low, high]: [f64; 2]) {
        let bad = values.iter().find(|value| !(low..=high).contains(*value));
        self.errors
            .extend(bad.map(|&value| ProfileError::OutOfRange {
                section: self.section.to_owned(),
                field,
                value,
                low,
                high,
            }));
    }

    fn latencies(&mut self, field: &'static str, table: &LatencyTable) {
        let single = [
            table.collnet_direct,
            table.collnet_chain,
            table.nvls,
            table.nvls_tree,
            table.pat,
        ];
        for values in [&table.tree[..], &table.ring, &single] {
            self.all(field, values, MICROS);
        }
    }
}

fn scale_up(entry: &ScaleUpComm, ranges: &mut Ranges<'_>) {
    ranges.all("efficiency", &[entry.efficiency], SHARE);
    ranges.all("send_efficiency", &[entry.send_efficiency], SHARE);
    ranges.all("pairs_efficiency", &[entry.pairs_efficiency], SHARE);
    ranges.latencies("hop_us", &entry.hop_us);
    ranges.all("ll_cap", &entry.ll_cap, GBYTES);
    ranges.all("ll128_ring_cap", &entry.ll128_ring_cap, GBYTES);
    ranges.all("ll128_tree_cap", &entry.ll128_tree_cap, GBYTES);
    ranges.all("tree_cap", &entry.tree_cap, GBYTES);
    ranges.all("nvls", entry.nvls.as_slice(), FACTOR);
    ranges.all("channels", &[f64::from(entry.channels)], [1.0, 1e6]);
    let factors: Vec<f64> = entry.factors.values().copied().collect();
    ranges.all("factors", &factors, FACTOR);
    ranges.all("overhead_us", &[entry.overhead_us], MICROS);
    ranges.all("ramp_us", &[entry.ramp_us], MICROS);
    if let Some(reached) = &entry.reached {
        inside(reached, ranges);
    }
}

fn inside(reached: &InsideReached, ranges: &mut Ranges<'_>) {
    ranges.all("reached.start_us", &reached.start_us, MICROS);
    ranges.all("reached.hop_us", &reached.hop_us, MICROS);
    ranges.all("reached.ring", &reached.ring, FACTOR);
    ranges.all("reached.tree", &reached.tree, FACTOR);
    ranges.all("reached.ramp_us", &reached.ramp_us, MICROS);
    ranges.all("reached.nvls_us", &[reached.nvls_us], MICROS);
    ranges.all("reached.nvls_rank_us", &[reached.nvls_rank_us], MICROS);
    ranges.all("reached.nvls", &[reached.nvls], FACTOR);
    ranges.all("reached.nvls_tree", &[reached.nvls_tree], FACTOR);
    ranges.all("reached.nvls_ramp_us", &[reached.nvls_ramp_us], MICROS);
    ranges.all("reached.copy", &[reached.copy], FACTOR);
    ranges.all("reached.pairs_us", &reached.pairs_us, MICROS);
    ranges.all("reached.pairs_ll", &[reached.pairs_ll], GBYTES);
    ranges.all("reached.pairs", &[reached.pairs], FACTOR);
    ranges.all("reached.pairs_ramp_us", &[reached.pairs_ramp_us], MICROS);
    ranges.all("reached.pairs_copy", &[reached.pairs_copy], FACTOR);
    fit(&reached.fit, ranges);
}

fn between(reached: &BetweenReached, ranges: &mut Ranges<'_>) {
    ranges.all("reached.hop_us", &reached.hop_us, MICROS);
    ranges.all("reached.ring", &reached.ring, FACTOR);
    ranges.all("reached.tree", &reached.tree, FACTOR);
    ranges.all("reached.ramp_us", &reached.ramp_us, MICROS);
    fit(&reached.fit, ranges);
}

fn fit(fit: &CommFit, ranges: &mut Ranges<'_>) {
    let errors = [fit.median_error, fit.held_out].concat();
    ranges.all("reached.fit", &errors, [0.0, FACTOR[1]]);
    ranges.all("reached.fit", &[fit.small, fit.large].concat(), FACTOR);
}

fn network(entry: &NetworkComm, ranges: &mut Ranges<'_>) {
    ranges.all("efficiency", &[entry.efficiency], SHARE);
    ranges.all("pairs_efficiency", &[entry.pairs_efficiency], SHARE);
    ranges.latencies("hop_us", &entry.hop_us);
    ranges.all("nic_us", &[entry.nic_us], MICROS);
    ranges.all("pairs_us", &[entry.pairs_us], MICROS);
    ranges.all("peer_us", &[entry.peer_us], MICROS);
    let channels = f64::from(entry.channels_per_nic);
    ranges.all("channels_per_nic", &[channels], [1.0, 1e6]);
    let factors: Vec<f64> = entry.factors.values().copied().collect();
    ranges.all("factors", &factors, FACTOR);
    ranges.all("overhead_us", &[entry.overhead_us], MICROS);
    ranges.all("ramp_us", &[entry.ramp_us], MICROS);
    if let Some(reached) = &entry.reached {
        between(reached, ranges);
    }
}

fn tuning(tuning: &Tuning, ranges: &mut Ranges<'_>) {
    ranges.latencies("base_us", &tuning.base_us);
    for values in &tuning.tree_factors {
        ranges.all("tree_factors", values, FACTOR);
    }
    ranges.all("ring_plateau", &[tuning.ring_plateau], FACTOR);
    ranges.all(
        "ring_plateau_bytes",
        &[tuning.ring_plateau_bytes],
        [0.0, 1e18],
    );
    ranges.all("ring_ll", &[tuning.ring_ll], SHARE);
    ranges.all("ring_ll128", &[tuning.ring_ll128], SHARE);
    ranges.all("tree", &[tuning.tree], FACTOR);
    ranges.all("tree_ll", &[tuning.tree_ll], SHARE);
    ranges.all("tree_ll128", &tuning.tree_ll128, SHARE);
    ranges.all("nvls", &[tuning.nvls], FACTOR);
    ranges.all("pat", &[tuning.pat], FACTOR);
    ranges.all("pat_net_divisor", &[tuning.pat_net_divisor], FACTOR);
    ranges.all("pat_rank_us", &[tuning.pat_rank_us], MICROS);
    ranges.all("collnet_rank_us", &[tuning.collnet_rank_us], MICROS);
    ranges.all("pairs_peer_us", &[tuning.pairs_peer_us], MICROS);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_figures_are_in_range() {
        assert_eq!(CommProfile::nccl().check(), []);
    }

    #[test]
    fn every_bad_value_is_named_at_once() {
        let mut comm = CommProfile::nccl();
        comm.scale_up[0].efficiency = 0.0;
        comm.network[0].hop_us.ring[1] = f64::NAN;
        comm.tuning.pat_net_divisor = -1.0;
        let fields: Vec<_> = comm
            .check()
            .into_iter()
            .map(|error| match error {
                ProfileError::OutOfRange { section, field, .. } => (section, field),
                other => panic!("{other}"),
            })
            .collect();
        let expected = [
            ("nvlink-blackwell", "efficiency"),
            ("tcpxo", "hop_us"),
            ("comm.tuning", "pat_net_divisor"),
        ];
        assert_eq!(
            fields,
            expected.map(|(section, field)| (section.to_owned(), field))
        );
    }

    #[test]
    fn a_name_stands_once_and_lists_are_counted_in_a_byte() {
        let mut comm = CommProfile::nccl();
        comm.scale_up.push(comm.scale_up[0].clone());
        let errors = comm.check();
        assert!(
            matches!(errors[..], [ProfileError::Twice { .. }]),
            "{errors:?}"
        );
        let entries = (0..300).map(|at| {
            let mut entry = CommProfile::nccl().network[0].clone();
            entry.name = at.to_string();
            entry
        });
        comm = CommProfile {
            network: entries.collect(),
            ..CommProfile::nccl()
        };
        assert_eq!(comm.check().len(), 1);
    }

    #[test]
    fn a_profile_without_entries_cannot_be_used() {
        let comm = CommProfile {
            scale_up: Vec::new(),
            network: Vec::new(),
            ..CommProfile::nccl()
        };
        assert_eq!(comm.check().len(), 2);
    }
}
