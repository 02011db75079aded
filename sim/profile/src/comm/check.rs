//! Values of a [`CommProfile`] that no formula can use.

use crate::ProfileError;
use crate::comm::{CommProfile, LatencyTable, NetworkComm, ScaleUpComm, Tuning};

/// Shares are within these: a billionth is as good as nothing.
const SHARE: [f64; 2] = [1e-9, 1.0];
/// Factors on a model's bandwidth.
const FACTOR: [f64; 2] = [1e-3, 1e3];
/// Durations in microseconds, up to a minute.
const MICROS: [f64; 2] = [0.0, 6e7];
/// Rates in 10⁹ bytes per second.
const GBYTES: [f64; 2] = [1e-6, 1e9];

impl CommProfile {
    /// Everything that keeps this profile from being used; nothing for [`CommProfile::nccl`].
    pub fn check(&self) -> Vec<ProfileError> {
        let mut errors = Vec::new();
        let mut empty = |field: &'static str, is_empty: bool| {
            if is_empty {
                let section = "the constants of collectives".to_owned();
                errors.push(ProfileError::Empty { section, field });
            }
        };
        empty("scale_up", self.scale_up.is_empty());
        empty("network", self.network.is_empty());
        for entry in &self.scale_up {
            scale_up(entry, &mut Ranges::new(&entry.name, &mut errors));
        }
        for entry in &self.network {
            network(entry, &mut Ranges::new(&entry.name, &mut errors));
        }
        tuning(&self.tuning, &mut Ranges::new("comm.tuning", &mut errors));
        errors
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
            ("tcp", "hop_us"),
            ("comm.tuning", "pat_net_divisor"),
        ];
        assert_eq!(
            fields,
            expected.map(|(section, field)| (section.to_owned(), field))
        );
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
