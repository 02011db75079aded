//! By what errors are sorted: GPU, parallelism, size, age.

use super::point::Point;
use super::stats::{Stats, stats};
use super::subset::study;
use crate::row::Row;

/// A way to sort rows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slice {
    /// What headings and files call it.
    pub(super) name: &'static str,
    /// The slot of a row, and its name.
    pub(super) slot: fn(&Row) -> (u64, String),
}

/// Every way.
pub(super) const SLICES: [Slice; 5] = [
    Slice {
        name: "source",
        slot: |row| (0, study(row).to_owned()),
    },
    Slice {
        name: "GPU",
        slot: |row| (0, gpu(row)),
    },
    Slice {
        name: "parallelism",
        slot: parallelism,
    },
    Slice {
        name: "model size",
        slot: size,
    },
    Slice {
        name: "age",
        slot: |row| age(row).map_or((0, "not said".to_owned()), |year| (year, year.to_string())),
    },
];

/// Errors by slot, in the order of the slots.
pub(super) fn sliced<'a>(
    slice: Slice,
    points: impl Iterator<Item = &'a Point<'a>>,
) -> Vec<(String, Stats)> {
    let mut slots: std::collections::BTreeMap<(u64, String), Vec<&Point<'_>>> =
        std::collections::BTreeMap::new();
    for point in points {
        slots
            .entry((slice.slot)(point.row))
            .or_default()
            .push(point);
    }
    let of = |((_, name), members): ((u64, String), Vec<&Point<'_>>)| {
        Some((name, stats(members.into_iter())?))
    };
    slots.into_iter().filter_map(of).collect()
}

/// The GPU without the size of its memory, where that alone differs by source.
fn gpu(row: &Row) -> String {
    row.label.gpu.trim_end_matches("-80GB").to_owned()
}

/// Which ranks share a model, besides data-parallel ones.
fn parallelism(row: &Row) -> (u64, String) {
    let Some(facts) = &row.facts else {
        return (9, "not known".to_owned());
    };
    let (place, name) = match (1 < facts.ep, 1 < facts.cp, 1 < facts.tp, 1 < facts.pp) {
        (true, _, _, false) => (5, "experts"),
        (true, _, _, true) => (6, "experts and pipeline"),
        (false, true, _, _) => (4, "context"),
        (false, false, true, true) => (3, "tensor and pipeline"),
        (false, false, true, false) => (1, "tensor"),
        (false, false, false, true) => (2, "pipeline"),
        (false, false, false, false) => (0, "data alone"),
    };
    (place, name.to_owned())
}

/// Bounds of sizes, in billions of parameters.
const SIZES: [u64; 6] = [1, 4, 15, 50, 150, 400];

fn size(row: &Row) -> (u64, String) {
    let Some(facts) = &row.facts else {
        return (9, "not known".to_owned());
    };
    let above = SIZES
        .iter()
        .filter(|bound| **bound * 1_000_000_000 <= facts.params);
    let place = above.count();
    let name = match (place.checked_sub(1).map(|at| SIZES[at]), SIZES.get(place)) {
        (None, _) => format!("below {} B", SIZES[0]),
        (Some(low), Some(high)) => format!("{low} to {high} B"),
        (Some(low), None) => format!("{low} B and more"),
    };
    (place as u64, name)
}

/// The year of the release or date of a row: `2021-05-25`, `NeMo24.07`, `26.02.01 NeMo Container`.
pub(super) fn age(row: &Row) -> Option<u64> {
    let text = row.record.or_empty("release_or_date");
    let start = text.find(|c: char| c.is_ascii_digit())?;
    let digits: String = text[start..]
        .chars()
        .take_while(char::is_ascii_digit)
        .collect();
    match digits.parse::<u64>().ok()? {
        year @ 2000..=2099 => Some(year),
        short @ 10..=99 => Some(2000 + short),
        _ => None,
    }
}
