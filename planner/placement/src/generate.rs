//! Matrices with the statistics of measured ones.
//!
//! Between 16 nodes with 200 Gb/s InfiniBand, mpiGraph measured 16.2 to 19.8 GB/s (two snapshots of
//! two runs each, published with Pipette, DATE 2024): around a median of some 18.7 GB/s pairs
//! spread by 3 to 3.7 % of it, from −12 % to +7 %, with the longer tail below. Servers differ among
//! themselves by less than 1 %, so pairs are drawn independently, and each direction by itself. The
//! second snapshot is 1.7 % slower, and single pairs moved by 3 %.

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;
use units::{BytesPerSec, math};

use crate::{Bandwidth, PlacementError};

/// How rates spread.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// The middle.
    pub median: BytesPerSec,
    /// Relative standard deviation.
    pub deviation: f64,
    /// Smallest rate relative to the middle, less 1.
    pub lowest: f64,
    /// Largest rate relative to the middle, less 1.
    pub highest: f64,
}

impl Spread {
    /// What was measured between nodes with 200 Gb/s InfiniBand; see [`generated`].
    ///
    /// # Panics
    ///
    /// Never: the rate is positive.
    pub fn infiniband_200g() -> Self {
        Self {
            median: BytesPerSec::from_gbytes(18.5).expect("a positive rate"),
            deviation: 0.03,
            lowest: -0.12,
            highest: 0.07,
        }
    }

    fn rate(&self, relative: f64) -> f64 {
        self.median.as_f64() * (1.0 + relative.clamp(self.lowest, self.highest))
    }
}

/// The share by which deviations below the middle are longer than those above are shorter.
const SKEW: f64 = 0.25;

/// The correlation of a pair's deviation between two snapshots, from the 3 % by which pairs moved.
const MEMORY: f64 = 0.5;

/// A matrix of the kind that was measured; equal seeds give equal matrices.
///
/// # Errors
///
/// [`PlacementError`] for a spread or a number of servers that gives no matrix.
pub fn generated(servers: usize, spread: &Spread, seed: u64) -> Result<Bandwidth, PlacementError> {
    // A matrix of one rate checks the number of servers before anything is drawn.
    let even = Bandwidth::uniform(servers, spread.median)?;
    drawn(&even, spread, seed, 0.0, 1.0)
}

/// The same links at a later time: `level` relative to before (0.983 was measured), single pairs
/// between their old deviation and a new one.
///
/// # Errors
///
/// As [`generated`].
pub fn drifted(
    before: &Bandwidth,
    spread: &Spread,
    level: f64,
    seed: u64,
) -> Result<Bandwidth, PlacementError> {
    drawn(before, spread, seed, MEMORY, level)
}

fn drawn(
    before: &Bandwidth,
    spread: &Spread,
    seed: u64,
    memory: f64,
    level: f64,
) -> Result<Bandwidth, PlacementError> {
    let n = before.n_servers();
    let mut rng = Pcg64Mcg::seed_from_u64(seed ^ 0x006c_696e_6b73);
    let fresh = (1.0 - memory * memory).sqrt();
    let mut rates = Vec::with_capacity(n * n);
    for at in 0..n * n {
        let held = before.rate(at / n, at % n) / spread.median.as_f64() - 1.0;
        let relative = memory * held + fresh * spread.deviation * skewed(&mut rng);
        rates.push(level * spread.rate(relative));
    }
    Bandwidth::new(n, rates)
}

/// A normal number (Box and Muller), longer below zero.
fn skewed(rng: &mut Pcg64Mcg) -> f64 {
    let u: f64 = 1.0 - rng.random::<f64>();
    let v: f64 = rng.random();
    let normal = (-2.0 * math::ln(u)).sqrt() * math::cos(std::f64::consts::TAU * v);
    if normal < 0.0 {
        normal * (1.0 + SKEW)
    } else {
        normal * (1.0 - SKEW)
    }
}
