//! What a collective costs: the cheapest of its ways.

use profile::{Algorithm, CollectiveKind, CommProfile, Protocol, Provenance};
use units::{Bytes, Seconds};

use crate::CommShape;
use crate::cost::{MAX_WAYS, Model, Way};

/// Which ways of running collectives may be taken, as `NCCL_ALGO` and `NCCL_PROTO` restrict them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Choice {
    /// Only this algorithm. Kinds of collective that do not have it are free.
    pub algorithm: Option<Algorithm>,
    /// Only this protocol. Algorithms that do not have it are left out, if others have it.
    pub protocol: Option<Protocol>,
    /// Whether switches may reduce (SHARP), which NCCL does not do unless told.
    pub collnet: bool,
    /// Whether NVLS is out, as for types that NVSwitch does not add: integers of 8 bits and floats
    /// of 8 bits (NCCL 2.30.7, `src/include/device.h`, `ncclNvlsSupported`).
    pub without_nvls: bool,
}

impl Choice {
    pub(crate) fn allows(self, algorithm: Algorithm, protocol: Protocol) -> bool {
        self.algorithm.is_none_or(|only| only == algorithm)
            && self.protocol.is_none_or(|only| only == protocol)
    }
}

/// The cost of one collective.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CollectiveTime {
    /// From the moment at which all ranks have come to the end.
    pub time: Seconds,
    /// The part that does not depend on the size.
    pub latency: Seconds,
    /// How it is carried out.
    pub algorithm: Algorithm,
    /// How its data travel.
    pub protocol: Protocol,
    /// How much the constants are worth.
    pub provenance: Provenance,
}

impl CollectiveTime {
    /// The time of the best way, or nothing where there is none to choose.
    fn new(best: Option<(Algorithm, Protocol, Cost)>, provenance: Provenance) -> Self {
        let nothing = Cost {
            latency: 0.0,
            transfer: 0.0,
        };
        let (algorithm, protocol, cost) =
            best.unwrap_or((Algorithm::Ring, Protocol::Simple, nothing));
        Self {
            time: Seconds::from_secs(cost.total()),
            latency: Seconds::from_secs(cost.latency),
            algorithm,
            protocol,
            provenance,
        }
    }
}

/// One kind of collective on one shape, priced for any size.
///
/// Invariant: a larger size never takes less time. NCCL's model chooses the way and fitted
/// constants say how long it takes, so the model may leave a slow way too late. From there back a
/// size takes what the quickest of its own way and those of all larger sizes would.
///
/// Making it takes about a microsecond, asking it some ten nanoseconds.
#[derive(Clone, Debug)]
pub struct Priced<'a> {
    ways: [Option<Way>; MAX_WAYS],
    /// The largest size for which each way is chosen; absent where the times of ways are those by
    /// which they are chosen.
    until: Option<[f64; MAX_WAYS]>,
    factors: &'a [Vec<f64>; 3],
    provenance: Provenance,
}

impl<'a> Priced<'a> {
    /// Prices the ways that the choice allows; all of them, if it allows none.
    pub fn new(
        kind: CollectiveKind,
        shape: &CommShape,
        comm: &'a CommProfile,
        choice: &Choice,
    ) -> Self {
        let mut priced = Self {
            ways: [None; MAX_WAYS],
            until: None,
            factors: &comm.tuning.tree_factors,
            provenance: provenance(kind, shape, comm),
        };
        if shape.ranks < 2 {
            return priced;
        }
        let model = Model::new(kind, shape, comm);
        let open = Choice {
            collnet: choice.collnet,
            without_nvls: choice.without_nvls,
            ..Choice::default()
        };
        let relaxed = Choice {
            protocol: None,
            ..*choice
        };
        for choice in [*choice, relaxed, open] {
            let mut n_ways = 0;
            model.ways(choice, |way| {
                priced.ways[n_ways] = Some(way.at_pace(shape.pace).with_skew(shape.skew));
                n_ways += 1;
            });
            if n_ways > 0 {
                break;
            }
        }
        let fitted = |way: &Way| way.takes.is_some();
        if priced.ways.iter().flatten().any(fitted) {
            priced.until = Some(priced.until());
        }
        priced
    }

    /// The largest power of two for which each way is chosen; 0 for those that never are.
    fn until(&self) -> [f64; MAX_WAYS] {
        let mut until = [0.0; MAX_WAYS];
        for (from_top, exponent) in TRIED.rev().enumerate() {
            let size = (1_u64 << exponent) as f64;
            let Some((at, _)) = self.chosen(size) else {
                continue;
            };
            if until[at] == 0.0 {
                until[at] = if from_top == 0 { f64::INFINITY } else { size };
            }
        }
        until
    }

    /// The cost of a size.
    pub fn time(&self, bytes: Bytes) -> CollectiveTime {
        let size = bytes.as_f64();
        let best = self.cheapest(size);
        CollectiveTime::new(
            best.map(|(way, cost)| (way.algorithm, way.protocol, cost)),
            self.provenance,
        )
    }

    /// The way of a size and what it takes; none for a single rank.
    pub(crate) fn cheapest(&self, size: f64) -> Option<(&Way, Cost)> {
        let Some(until) = &self.until else {
            let (at, cost) = self.chosen(size)?;
            return self.ways[at].as_ref().map(|way| (way, cost));
        };
        let still = self.ways().zip(until).filter(|(_, last)| size <= **last);
        least(still.map(|(way, _)| (way, taken(way, cost(way, self.factors, size), size))))
    }

    /// The place of the way that NCCL's model finds cheapest, and what the model says of it.
    fn chosen(&self, size: f64) -> Option<(usize, Cost)> {
        let ways = self.ways().enumerate().filter(|(_, way)| size <= way.most);
        least(ways.map(|(at, way)| (at, cost(way, self.factors, size))))
    }

    fn ways(&self) -> impl Iterator<Item = &Way> {
        self.ways.iter().map_while(Option::as_ref)
    }
}

/// Exponents of two of the sizes at which ways are looked for: up to 64 GiB.
const TRIED: std::ops::RangeInclusive<u32> = 4..=36;

/// The cheapest, the first of several.
fn least<T>(costs: impl Iterator<Item = (T, Cost)>) -> Option<(T, Cost)> {
    costs.reduce(|best, next| {
        if next.1.total() < best.1.total() {
            next
        } else {
            best
        }
    })
}

/// What a chosen way takes: what tables say, else what it was chosen by.
fn taken(way: &Way, chosen: Cost, size: f64) -> Cost {
    way.takes.map_or(chosen, |takes| Cost {
        latency: takes.latency,
        transfer: takes.transfer(size),
    })
}

/// What a way takes for a size.
fn cost(way: &Way, factors: &[Vec<f64>; 3], size: f64) -> Cost {
    let plateau = if size < way.plateau_from {
        1.0
    } else {
        way.plateau
    };
    let factor = if way.tree_factor {
        tree_factor(&factors[way.protocol.index()], size)
    } else {
        1.0
    };
    let smooth = size * way.slope / factor;
    let ramp = if way.ramp > 0.0 {
        (way.ramp * smooth).sqrt()
    } else {
        0.0
    };
    Cost {
        latency: way.latency * plateau,
        transfer: smooth + ramp,
    }
}

/// Seconds of a way for one size.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cost {
    pub(crate) latency: f64,
    pub(crate) transfer: f64,
}

impl Cost {
    fn total(self) -> f64 {
        self.latency + self.transfer
    }
}

/// The factor on a tree's bandwidth, from values at 64 bytes times powers of two, linear in the
/// size between them.
fn tree_factor(values: &[f64], size: f64) -> f64 {
    let Some((&first, &last)) = values.first().zip(values.last()) else {
        return 1.0;
    };
    let scaled = size / 64.0;
    if scaled < 1.0 {
        return first;
    }
    // The exponent and the fraction of the number itself: ⌊log₂⌋ without a logarithm.
    let bits = scaled.to_bits();
    let place = usize::try_from((bits >> 52) - 1023).unwrap_or(usize::MAX);
    let fraction = f64::from_bits((bits & ((1 << 52) - 1)) | 1.0_f64.to_bits()) - 1.0;
    match (values.get(place), values.get(place + 1)) {
        (Some(low), Some(high)) => low + (high - low) * fraction,
        _ => last,
    }
}

/// The cost of a collective over a group of that shape, on otherwise idle links.
///
/// `bytes` is the size in nccl-tests' sense: see [`CollectiveKind`]. A group of one rank costs
/// nothing. For many sizes of one shape, [`Priced`] is cheaper.
pub fn time(
    kind: CollectiveKind,
    bytes: Bytes,
    shape: &CommShape,
    comm: &CommProfile,
) -> CollectiveTime {
    Priced::new(kind, shape, comm, &Choice::default()).time(bytes)
}

/// How much the constants of the slower level are worth for that kind and so many ranks.
fn provenance(kind: CollectiveKind, shape: &CommShape, comm: &CommProfile) -> Provenance {
    let (own, fit, count) = if shape.domains > 1 {
        let entry = &comm.network[usize::from(shape.network)];
        let fit = entry.reached.as_ref().map(|own| &own.fit);
        (entry.provenance, fit, shape.domains)
    } else {
        let entry = &comm.scale_up[usize::from(shape.scale_up)];
        let fit = entry.reached.as_ref().map(|own| &own.fit);
        (entry.provenance, fit, shape.ranks)
    };
    fit.map_or(own, |fit| fit.provenance(kind, count))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_factor_of_trees_is_the_table_at_powers_of_two_and_linear_between() {
        let values = [1.0, 0.5, 0.75];
        let factor = |size| tree_factor(&values, size);
        for (size, expected) in [
            (8.0, 1.0),
            (64.0, 1.0),
            (96.0, 0.75),
            (128.0, 0.5),
            (192.0, 0.625),
            (256.0, 0.75),
            (1e9, 0.75),
        ] {
            assert!((factor(size) - expected).abs() < 1e-12, "{size}");
        }
        assert!((tree_factor(&[], 1.0) - 1.0).abs() < 1e-12);
    }
}
