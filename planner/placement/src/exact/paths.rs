//! The cheapest path through every set of servers from every first one (Held and Karp, J. SIAM
//! 10(1), 1962).
//!
//! ```text
//! path(S, f) = min over g in S \ f of link(f, g) + path(S \ f, g)
//! ```

use units::{Control, Interrupted};

/// Sets are bits of a word. `2^18 × 18` costs take 38 MB.
pub(super) const MOST_SERVERS: usize = 18;

/// Costs of the cheapest paths, for sets of at most so many servers.
pub(super) struct Paths {
    n: usize,
    /// By set, then first server; infinite where it is not of the set.
    costs: Vec<f64>,
}

impl Paths {
    /// All paths through at most `longest` of `n` servers, `n` being at most [`MOST_SERVERS`].
    pub(super) fn new(
        n: usize,
        longest: usize,
        link: &[f64],
        control: &Control,
    ) -> Result<Self, Interrupted> {
        let mut costs = vec![f64::INFINITY; n << n];
        for set in 1_usize..1 << n {
            if set.trailing_zeros() >= 12 {
                control.check()?;
            }
            if set.count_ones() as usize <= longest {
                for first in bits(set) {
                    costs[set * n + first] = cheapest(n, set, first, link, &costs);
                }
            }
        }
        Ok(Self { n, costs })
    }

    /// The cheapest path from a server through a set that it is in.
    #[inline]
    pub(super) fn cost(&self, set: usize, first: usize) -> f64 {
        self.costs[set * self.n + first]
    }

    /// The servers of that path, in order.
    pub(super) fn servers(&self, set: usize, first: usize, link: &[f64]) -> Vec<usize> {
        let (mut set, mut at) = (set, first);
        let mut servers = vec![at];
        while set.count_ones() > 1 {
            set &= !(1 << at);
            let through = |next: &usize| link[at * self.n + next] + self.cost(set, *next);
            let best = bits(set).min_by(|a, b| through(a).total_cmp(&through(b)));
            at = best.expect("a set of two has another");
            servers.push(at);
        }
        servers
    }
}

fn cheapest(n: usize, set: usize, first: usize, link: &[f64], costs: &[f64]) -> f64 {
    let rest = set & !(1 << first);
    if rest == 0 {
        return 0.0;
    }
    let through = |next: usize| link[first * n + next] + costs[rest * n + next];
    bits(rest)
        .map(through)
        .fold(f64::INFINITY, |a, b| if b < a { b } else { a })
}

/// The members of a set, the smallest first.
#[inline]
pub(super) fn bits(set: usize) -> impl Iterator<Item = usize> {
    let mut left = set;
    std::iter::from_fn(move || {
        (left != 0).then(|| {
            let bit = left.trailing_zeros() as usize;
            left &= left - 1;
            bit
        })
    })
}
