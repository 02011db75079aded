//! What links between servers do.

use units::{BytesPerSec, Seconds};

use crate::PlacementError;

/// More servers than a dense matrix is for: 4096 take 128 MiB.
const MOST_SERVERS: usize = 4_096;

/// Rates between all pairs of servers, in each direction.
///
/// Invariant: square, and every rate between two different servers is finite and positive.
#[derive(Clone, Debug, PartialEq)]
pub struct Bandwidth {
    n: usize,
    /// Bytes per second from row to column.
    rates: Vec<f64>,
}

impl Bandwidth {
    /// Rates in bytes per second, row by row: entry `from * servers + to`. The diagonal is ignored.
    ///
    /// # Errors
    ///
    /// [`PlacementError::NotSquare`], [`PlacementError::TooMany`] and [`PlacementError::Link`].
    pub fn new(servers: usize, rates: Vec<f64>) -> Result<Self, PlacementError> {
        check_square(servers, rates.len())?;
        for (at, rate) in rates.iter().enumerate() {
            let (from, to) = (at / servers, at % servers);
            if from != to && BytesPerSec::new(*rate).is_none() {
                return Err(PlacementError::Link {
                    what: "bandwidth",
                    from,
                    to,
                    value: *rate,
                });
            }
        }
        Ok(Self { n: servers, rates })
    }

    /// The same rate between all servers.
    ///
    /// # Errors
    ///
    /// [`PlacementError::TooMany`].
    pub fn uniform(servers: usize, rate: BytesPerSec) -> Result<Self, PlacementError> {
        Self::new(
            servers,
            vec![
                rate.as_f64();
                servers
                    .saturating_mul(servers)
                    .min(MOST_SERVERS * MOST_SERVERS)
            ],
        )
    }

    /// How many servers there are.
    pub const fn n_servers(&self) -> usize {
        self.n
    }

    /// Bytes per second from one server to another; meaningless for a server and itself.
    ///
    /// # Panics
    ///
    /// If there is no such server.
    pub fn rate(&self, from: usize, to: usize) -> f64 {
        assert!(to < self.n, "server {to} of {}", self.n);
        self.rates[from * self.n + to]
    }

    /// Seconds a byte from row to column; 0 on the diagonal.
    pub(crate) fn seconds_per_byte(&self) -> Vec<f64> {
        let inverse = |(at, rate): (usize, &f64)| {
            if at / self.n == at % self.n {
                0.0
            } else {
                1.0 / rate
            }
        };
        self.rates.iter().enumerate().map(inverse).collect()
    }
}

/// Latency and rate between all pairs of servers: a message of `b` bytes takes `latency + b / rate`.
#[derive(Clone, Debug, PartialEq)]
pub struct Links {
    pub(crate) n: usize,
    /// Seconds from row to column.
    pub(crate) latency: Vec<f64>,
    /// Seconds a byte from row to column.
    pub(crate) per_byte: Vec<f64>,
}

impl Links {
    /// Measured rates with the same latency everywhere.
    ///
    /// # Errors
    ///
    /// [`PlacementError::Value`] for a latency that is negative or not finite.
    pub fn new(bandwidth: &Bandwidth, latency: Seconds) -> Result<Self, PlacementError> {
        let n = bandwidth.n_servers();
        Self::with_latencies(bandwidth, vec![latency.as_secs(); n * n])
    }

    /// Measured rates and latencies; `latencies` are seconds, row by row, the diagonal is ignored.
    ///
    /// # Errors
    ///
    /// [`PlacementError::NotSquare`] and [`PlacementError::Link`].
    pub fn with_latencies(
        bandwidth: &Bandwidth,
        latencies: Vec<f64>,
    ) -> Result<Self, PlacementError> {
        let n = bandwidth.n_servers();
        check_square(n, latencies.len())?;
        let bad = |value: &f64| !(value.is_finite() && 0.0 <= *value);
        if let Some(at) = latencies.iter().position(bad) {
            return Err(PlacementError::Link {
                what: "latency",
                from: at / n,
                to: at % n,
                value: latencies[at],
            });
        }
        Ok(Self {
            n,
            latency: latencies,
            per_byte: bandwidth.seconds_per_byte(),
        })
    }

    /// How many servers there are.
    pub const fn n_servers(&self) -> usize {
        self.n
    }

    /// Seconds a byte over the fastest and over the slowest link; infinite and 0 for one server.
    pub fn extremes(&self) -> [f64; 2] {
        let pairs = (0..self.n * self.n).filter(|at| at / self.n != at % self.n);
        let all = pairs.map(|at| self.per_byte[at]);
        all.fold([f64::INFINITY, 0.0], |[least, most], one| {
            [least.min(one), most.max(one)]
        })
    }

    /// Seconds of a message.
    #[inline]
    pub(crate) fn time(&self, from: u32, to: u32, bytes: f64) -> f64 {
        let at = from as usize * self.n + to as usize;
        self.latency[at] + bytes * self.per_byte[at]
    }
}

fn check_square(servers: usize, entries: usize) -> Result<(), PlacementError> {
    if MOST_SERVERS < servers {
        let limit = MOST_SERVERS;
        return Err(PlacementError::TooMany { servers, limit });
    }
    if servers == 0 || servers * servers != entries {
        return Err(PlacementError::NotSquare { servers, entries });
    }
    Ok(())
}
