//! What links carried over time, as rates that hold from moments on.

use serde::{Deserialize, Serialize};
use units::{BytesPerSec, SimTime};

/// A link, or links that carried the same at the same time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LinkTrack {
    /// The cable and its direction, such as `leaf0->spine0 up`.
    pub name: String,
    /// How many links carried just that.
    pub count: u32,
    /// What one of them can carry.
    pub rate: BytesPerSec,
    /// What the traffic was for; one name at least.
    pub kinds: Vec<String>,
    /// In order of time; the last one holds to the end.
    pub levels: Vec<LinkLevel>,
}

/// What a link carries from a moment on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LinkLevel {
    /// The moment.
    pub time: SimTime,
    /// Bytes per second, by the kinds of the track.
    pub rates: Vec<f64>,
}

/// A stretch of time in which a link carried traffic of one kind at one rate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LinkStretch {
    /// Its beginning.
    pub from: SimTime,
    /// Its end.
    pub to: SimTime,
    /// The kind, by its place among those of the track.
    pub kind: usize,
    /// Bytes per second.
    pub rate: f64,
}

impl LinkTrack {
    /// A track of stretches; those of one kind do not overlap.
    ///
    /// * `most` — levels at most: where there would be more, they are averages over equal times.
    pub fn new(
        name: String,
        (count, rate): (u32, BytesPerSec),
        kinds: Vec<String>,
        stretches: &[LinkStretch],
        most: u32,
    ) -> Self {
        let levels = levels(kinds.len(), stretches);
        Self {
            name,
            count,
            rate,
            levels: averaged(levels, most.max(1)),
            kinds,
        }
    }

    /// Share of its rate that the link carries at a level, in percent.
    pub fn percent(&self, bytes_per_sec: f64) -> f64 {
        bytes_per_sec / self.rate.as_f64() * 100.0
    }
}

/// The rates of all kinds wherever one changes.
fn levels(n_kinds: usize, stretches: &[LinkStretch]) -> Vec<LinkLevel> {
    // Of one moment, ends stand before beginnings: those that follow each other leave no gap.
    let ends = stretches
        .iter()
        .map(|one| (one.to, false, one.kind, 0.0_f64));
    let begins = stretches
        .iter()
        .map(|one| (one.from, true, one.kind, one.rate));
    let mut changes: Vec<_> = ends.chain(begins).collect();
    changes.sort_by_key(|&(time, begins, kind, _)| (time, begins, kind));
    let mut rates = vec![0.0; n_kinds];
    let mut levels: Vec<LinkLevel> = Vec::new();
    for moment in changes.chunk_by(|a, b| a.0 == b.0) {
        for &(_, _, kind, rate) in moment {
            rates[kind] = rate;
        }
        if levels.last().is_none_or(|last| last.rates != rates) {
            levels.push(LinkLevel {
                time: moment[0].0,
                rates: rates.clone(),
            });
        }
    }
    levels
}

/// Averages over so many equal stretches of time, where there are more levels; the last level
/// stays as it is.
fn averaged(levels: Vec<LinkLevel>, most: u32) -> Vec<LinkLevel> {
    let (Some(first), Some(last)) = (levels.first(), levels.last()) else {
        return levels;
    };
    if levels.len() as u64 <= u64::from(most) + 1 {
        return levels;
    }
    let (begin, end) = (first.time.as_picos(), last.time.as_picos());
    let width = (end - begin).div_ceil(u64::from(most));
    let n_kinds = last.rates.len();
    let cell_of = |time: u64| usize::try_from((time - begin) / width).unwrap_or(usize::MAX);
    let cells = cell_of(end - 1) + 1;
    let mut sums = vec![vec![0.0; n_kinds]; cells];
    for pair in levels.windows(2) {
        let (mut from, to) = (pair[0].time.as_picos(), pair[1].time.as_picos());
        while from < to {
            let cell = cell_of(from);
            let until = to.min(begin + (cell as u64 + 1) * width);
            for (sum, rate) in sums[cell].iter_mut().zip(&pair[0].rates) {
                *sum += rate * (until - from) as f64;
            }
            from = until;
        }
    }
    let cells = (0..).zip(sums).map(|(cell, sums)| {
        let from = begin + cell * width;
        let length = width.min(end - from) as f64;
        LinkLevel {
            time: SimTime::from_picos(from),
            rates: sums.into_iter().map(|sum| sum / length).collect(),
        }
    });
    cells.chain([last.clone()]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn track(stretches: &[(u64, u64, usize, f64)], most: u32) -> LinkTrack {
        let stretches: Vec<_> = stretches
            .iter()
            .map(|&(from, to, kind, rate)| LinkStretch {
                from: SimTime::from_picos(from),
                to: SimTime::from_picos(to),
                kind,
                rate,
            })
            .collect();
        let rate = BytesPerSec::new(200.0).unwrap();
        let kinds = ["dp", "pp"].map(str::to_owned).to_vec();
        LinkTrack::new("a up".to_owned(), (1, rate), kinds, &stretches, most)
    }

    fn levels_of(track: &LinkTrack) -> Vec<(u64, &[f64])> {
        let levels = track.levels.iter();
        levels
            .map(|level| (level.time.as_picos(), level.rates.as_slice()))
            .collect()
    }

    #[test]
    fn levels_change_where_a_kind_begins_or_ends() {
        let track = track(
            &[
                (10, 20, 0, 100.0),
                (20, 30, 0, 50.0),
                (15, 25, 1, 100.0),
                (30, 40, 0, 50.0),
            ],
            100,
        );
        assert_eq!(
            levels_of(&track),
            [
                (10, [100.0, 0.0].as_slice()),
                (15, &[100.0, 100.0]),
                (20, &[50.0, 100.0]),
                (25, &[50.0, 0.0]),
                (40, &[0.0, 0.0]),
            ]
        );
        assert!((track.percent(50.0) - 25.0).abs() < 1e-12);
    }

    #[test]
    fn averages_carry_the_same_bytes() {
        let stretches: Vec<_> = (0..50)
            .map(|n| (n * 20, n * 20 + 10, 0, (n + 1) as f64))
            .collect();
        let bytes = |track: &LinkTrack| -> f64 {
            let pairs = track.levels.windows(2);
            pairs
                .map(|pair| pair[0].rates[0] * pair[1].time.since(pair[0].time).as_secs())
                .sum()
        };
        let (whole, thin) = (track(&stretches, 1_000), track(&stretches, 7));
        assert_eq!((whole.levels.len(), thin.levels.len()), (100, 8));
        assert!((bytes(&whole) / bytes(&thin) - 1.0).abs() < 1e-12);
        assert_eq!(thin.levels.last(), whole.levels.last());
    }
}
