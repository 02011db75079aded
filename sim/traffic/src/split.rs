//! Minimal splitting: flows over equal or unequal ways in few pieces.

/// How flows are cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Split {
    /// The paper's construction: `⌊n/s⌋·s` flows whole; each of the `r` that remain is cut into
    /// `s/g` equal parts, `g = gcd(r, s)`: `r (s/g − 1)` more pieces.
    Equal,
    /// The fewest pieces: what remains is laid end to end and cut at every `r/s`: `s − gcd(r, s)`
    /// more pieces. Also for flows of unequal sizes and ways of unequal capacities, where all
    /// flows are laid end to end and cut where a way has its share: at most `s − 1` more pieces.
    Fewest,
    /// No flow is cut: the largest first, each on the way that would be done with it first. Over `s`
    /// equal ways none gets more than its share and `(s − 1)/s` of the largest flow (Graham, *SIAM J.
    /// Appl. Math.* 17(2), 1969); a way with a part `c` of all capacity at most its share and
    /// `(s − 1) c` largest flows, since every other way would have been done no sooner with the flow
    /// that it took last.
    Greedy,
}

impl Split {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Equal, Self::Fewest, Self::Greedy];

    /// The name in scenarios.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Equal => "equal",
            Self::Fewest => "fewest",
            Self::Greedy => "greedy",
        }
    }

    /// The rule of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|other| other.name() == name)
    }
}

/// A part of a flow on a way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Piece {
    /// The flow, by its place.
    pub flow: usize,
    /// The way.
    pub way: u32,
    /// How many of its bytes.
    pub bytes: u64,
}

/// Spreads flows over ways.
///
/// * `sizes` — of the flows, in bytes. Every flow gets at least one piece.
/// * `capacities` — of the ways; only their ratios matter.
/// * `offset` — the way with which the first flow begins.
pub fn split(how: Split, sizes: &[u64], capacities: &[f64], offset: u32) -> Vec<Piece> {
    let ways = capacities.len();
    let mut capacities = capacities.to_vec();
    capacities.rotate_left(offset as usize % ways);
    let capacities = &capacities[..];
    let is_even = capacities
        .iter()
        .all(|c| (c / capacities[0] - 1.0).abs() < 1e-9);
    let is_equal = is_even && sizes.iter().all(|size| *size == sizes[0]);
    let mut pieces = match how {
        Split::Greedy => greedy(sizes, capacities),
        _ if !is_equal => end_to_end(sizes, capacities),
        Split::Equal | Split::Fewest => {
            let n_whole = sizes.len() / ways * ways;
            let mut pieces: Vec<Piece> = (0..n_whole)
                .map(|flow| Piece {
                    flow,
                    way: number(flow % ways),
                    bytes: sizes[flow],
                })
                .collect();
            let rest = &sizes[n_whole..];
            let cut = if how == Split::Equal {
                equal_parts(rest, ways)
            } else {
                end_to_end(rest, capacities)
            };
            pieces.extend(cut.into_iter().map(|piece| Piece {
                flow: piece.flow + n_whole,
                ..piece
            }));
            pieces
        }
    };
    let ways = number(ways);
    for piece in &mut pieces {
        piece.way = (piece.way + offset % ways) % ways;
    }
    pieces
}

/// Cuts each of `r` flows into `s/g` parts, so that every way has `r/g` of them.
fn equal_parts(sizes: &[u64], ways: usize) -> Vec<Piece> {
    let (r, s) = (sizes.len(), ways);
    if r == 0 {
        return Vec::new();
    }
    let parts = s / gcd(r, s);
    let mut pieces = Vec::with_capacity(r * parts);
    for (flow, &size) in sizes.iter().enumerate() {
        for part in 0..parts {
            let end = |part: usize| share(size, part as u64, parts as u64);
            let bytes = end(part + 1) - end(part);
            // Bytes that do not come out even go to other ways flow after flow.
            let way = number((flow * parts + part) % s);
            pieces.push(Piece { flow, way, bytes });
        }
    }
    pieces.retain(|piece| piece.bytes > 0 || sizes[piece.flow] == 0);
    pieces
}

/// Lays flows end to end and cuts where a way has its share of all bytes.
fn end_to_end(sizes: &[u64], capacities: &[f64]) -> Vec<Piece> {
    let total: u64 = sizes.iter().sum();
    let sum: f64 = capacities.iter().sum();
    let even = capacities
        .iter()
        .all(|c| (c / capacities[0] - 1.0).abs() < 1e-9);
    let n = capacities.len() as u64;
    // Up to where each way reaches; the last one takes the rest.
    let mut reach = 0.0;
    let mut ends: Vec<u64> = Vec::with_capacity(capacities.len());
    for (way, capacity) in (1..).zip(capacities) {
        reach += capacity / sum;
        ends.push(if way == n {
            total
        } else if even {
            share(total, way, n)
        } else {
            rounded(total, reach)
        });
    }
    let mut pieces = Vec::new();
    let (mut at, mut way) = (0, 0);
    for (flow, &size) in sizes.iter().enumerate() {
        let mut left = size;
        loop {
            while way + 1 < ends.len() && ends[way] <= at && 0 < size {
                way += 1;
            }
            let bytes = left
                .min(ends[way].saturating_sub(at))
                .max(if way + 1 == ends.len() { left } else { 0 });
            pieces.push(Piece {
                flow,
                way: number(way),
                bytes,
            });
            at += bytes;
            left -= bytes;
            if left == 0 {
                break;
            }
        }
    }
    pieces
}

fn greedy(sizes: &[u64], capacities: &[f64]) -> Vec<Piece> {
    let mut order: Vec<usize> = (0..sizes.len()).collect();
    order.sort_by_key(|&flow| std::cmp::Reverse(sizes[flow]));
    let mut loads = vec![0_u64; capacities.len()];
    let mut pieces = Vec::with_capacity(sizes.len());
    for flow in order {
        let after = |way: usize| (loads[way] + sizes[flow]) as f64 / capacities[way];
        let way = (0..capacities.len())
            .min_by(|&a, &b| after(a).total_cmp(&after(b)))
            .unwrap_or(0);
        loads[way] += sizes[flow];
        pieces.push(Piece {
            flow,
            way: number(way),
            bytes: sizes[flow],
        });
    }
    pieces.sort_unstable();
    pieces
}

/// `part` of `parts` of a number, rounded down.
fn share(whole: u64, part: u64, parts: u64) -> u64 {
    let share = u128::from(whole) * u128::from(part) / u128::from(parts);
    u64::try_from(share).unwrap_or(whole)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share of bytes is no larger than all of them"
)]
fn rounded(total: u64, share: f64) -> u64 {
    ((total as f64 * share).round() as u64).min(total)
}

const fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}

fn number(n: usize) -> u32 {
    u32::try_from(n).expect("no pair of hosts has 2³² ways")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn by_way(pieces: &[Piece], ways: usize) -> Vec<u64> {
        let mut loads = vec![0; ways];
        for piece in pieces {
            loads[piece.way as usize] += piece.bytes;
        }
        loads
    }

    #[test]
    fn two_flows_over_seven_ways_need_six_more_pieces_or_twelve() {
        let sizes = [7_000_000; 2];
        let capacities = [1.0; 7];
        assert_eq!(split(Split::Fewest, &sizes, &capacities, 0).len(), 2 + 6);
        assert_eq!(split(Split::Equal, &sizes, &capacities, 0).len(), 2 + 12);
    }

    #[test]
    fn one_flow_is_cut_into_as_many_pieces_as_there_are_ways() {
        for how in [Split::Equal, Split::Fewest] {
            assert_eq!(split(how, &[1 << 20], &[1.0; 8], 3).len(), 8);
        }
    }

    #[test]
    fn a_way_of_half_the_capacity_gets_half() {
        let pieces = split(Split::Fewest, &[1_000_000; 10], &[1.0, 0.5, 1.0], 0);
        assert_eq!(by_way(&pieces, 3), [4_000_000, 2_000_000, 4_000_000]);
        assert!(pieces.len() <= 10 + 2);
    }

    #[test]
    fn a_flow_that_is_not_cut_goes_where_it_is_done_first() {
        let sizes = [3_531_308, 3_531_308, 3_042_467];
        let pieces = split(Split::Greedy, &sizes, &[1.5, 4.0, 3.0], 0);
        assert_eq!(by_way(&pieces, 3), [0, 3_531_308 + 3_042_467, 3_531_308]);
    }

    proptest! {
        #[test]
        fn equal_flows_load_equal_ways_equally_with_the_pieces_that_theory_says(
            n in 1_usize..60, s in 1_usize..20, unit in 1_u64..1000,
        ) {
            // A size that every part divides.
            let size = unit * (1..=s as u64).fold(1, |lcm, k| lcm / gcd(usize::try_from(lcm).unwrap(), usize::try_from(k).unwrap()) as u64 * k);
            let (r, sizes) = (n % s, vec![size; n]);
            let g = gcd(r, s);
            for (how, extra) in [
                (Split::Equal, if r == 0 { 0 } else { r * (s / g - 1) }),
                (Split::Fewest, if r == 0 { 0 } else { s - g }),
            ] {
                let pieces = split(how, &sizes, &vec![1.0; s], 5);
                let each = size * n as u64 / s as u64;
                prop_assert!(by_way(&pieces, s).iter().all(|load| *load == each));
                prop_assert_eq!(pieces.len(), n + extra);
            }
        }

        #[test]
        fn every_byte_is_in_one_piece_and_no_way_exceeds_its_share(
            sizes in proptest::collection::vec(0_u64..5_000_000, 1..40),
            capacities in proptest::collection::vec(0.1_f64..4.0, 1..12),
            offset in 0_u32..50,
        ) {
            let total: u64 = sizes.iter().sum();
            let sum: f64 = capacities.iter().sum();
            let largest = sizes.iter().max().copied().unwrap_or(0);
            for how in Split::ALL {
                let pieces = split(how, &sizes, &capacities, offset);
                let mut flows = vec![0; sizes.len()];
                for piece in &pieces {
                    flows[piece.flow] += piece.bytes;
                }
                prop_assert_eq!(&flows, &sizes);
                for (load, capacity) in by_way(&pieces, capacities.len()).iter().zip(&capacities) {
                    let target = total as f64 * capacity / sum;
                    // Two roundings to whole bytes, or flows that were not cut.
                    let slack = if how == Split::Greedy {
                        (capacities.len() - 1) as f64 * capacity / sum * largest as f64 + 1e-3
                    } else {
                        2.0
                    };
                    prop_assert!(*load as f64 <= target + slack, "{how:?}: {load} {target}");
                }
                let most = if how == Split::Greedy { 0 } else { capacities.len() - 1 };
                prop_assert!(pieces.len() <= sizes.len() + most, "{how:?}");
            }
        }
    }
}
