//! The analytic engine: every transfer has its path to itself.

use std::collections::VecDeque;

use units::{BytesPerSec, SimTime};

use crate::paths::Paths;
use crate::progress::Progress;
use crate::{Network, NetworkError, Path, PathId, Transfer, TransferId};

/// The network without contention.
///
/// A transfer takes its latency plus `bytes / min over links of rate/load`, at most its cap,
/// whatever else is under way: the alpha-beta model per path. Static contention belongs into the
/// loads. A change of a link's rate holds for transfers under way as well.
#[derive(Clone, Debug)]
pub struct Analytic {
    paths: Paths,
    progress: Progress,
    /// Rates of links that change at moments to come.
    changes: VecDeque<(SimTime, u32, f64)>,
}

impl Analytic {
    /// An idle network of links of those rates.
    pub fn new(rates: &[BytesPerSec]) -> Self {
        Self {
            paths: Paths::new(rates.iter().map(|rate| rate.as_f64())),
            progress: Progress::default(),
            changes: VecDeque::new(),
        }
    }

    /// The rate of each transfer of a path, in bytes per second.
    fn alone(&self, path: u32) -> f64 {
        let cap = self.paths.routes[path as usize].cap;
        self.paths.alone(path).min(cap)
    }

    fn change_links(&mut self, now: SimTime) {
        while let Some(&(_, link, rate)) = self.changes.front().filter(|change| change.0 <= now) {
            self.changes.pop_front();
            self.paths.set_link_rate(link, rate);
            for user in 0..self.paths.links[link as usize].users.len() {
                let path = self.paths.links[link as usize].users[user].path;
                self.progress.set_rate(path, now, self.alone(path));
            }
        }
    }
}

impl Network for Analytic {
    fn add_path(&mut self, path: &Path) -> Result<PathId, NetworkError> {
        let id = self.paths.add(path, 1.0)?;
        self.progress.add_path(id);
        Ok(id)
    }

    fn submit(&mut self, now: SimTime, transfer: Transfer) -> Result<TransferId, NetworkError> {
        self.paths.check_path(transfer.path)?;
        self.progress.submit(now, transfer)
    }

    fn next_event(&self) -> Option<SimTime> {
        let change = self.changes.front().map(|change| change.0);
        match (self.progress.next_event(), change) {
            (Some(progress), Some(change)) => Some(progress.min(change)),
            (progress, change) => progress.or(change),
        }
    }

    fn advance(&mut self, to: SimTime, finished: &mut Vec<TransferId>) -> Result<(), NetworkError> {
        self.progress.check_time(to)?;
        while let Some(now) = self.next_event().filter(|&next| next <= to) {
            self.progress.set_clock(now);
            let first = finished.len();
            while let Some((path, ended)) = self.progress.pop_end(now, finished)? {
                self.paths.set_count(path, self.paths.count(path) - ended);
            }
            self.change_links(now);
            while let Some(path) = self.progress.pop_join(now, finished) {
                self.paths.set_count(path, self.paths.count(path) + 1);
                self.progress.set_rate(path, now, self.alone(path));
            }
            finished[first..].sort_unstable();
        }
        self.progress.set_clock(to);
        Ok(())
    }

    fn set_rate(&mut self, now: SimTime, link: u32, rate: BytesPerSec) -> Result<(), NetworkError> {
        self.paths.check_link(link)?;
        self.progress.check_time(now)?;
        let later = self.changes.partition_point(|other| other.0 <= now);
        self.changes.insert(later, (now, link, rate.as_f64()));
        Ok(())
    }

    fn now(&self) -> SimTime {
        self.progress.clock()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use units::{Bytes, Seconds};

    #[test]
    fn a_transfer_takes_latency_plus_bytes_over_its_slowest_link() {
        let rate = |gbytes| BytesPerSec::from_gbytes(gbytes).unwrap();
        let mut net = Analytic::new(&[rate(4.0), rate(1.0)]);
        let path = net
            .add_path(&Path {
                links: vec![(0, 8.0), (1, 1.0)],
                cap: None,
            })
            .unwrap();
        let transfer = Transfer {
            path,
            bytes: Bytes::new(1_000_000),
            latency: Seconds::from_micros(5.0),
        };
        for _ in 0..3 {
            net.submit(SimTime::ZERO, transfer).unwrap();
        }
        let mut finished = Vec::new();
        while let Some(next) = net.next_event() {
            net.advance(next, &mut finished).unwrap();
        }
        assert_eq!(finished.len(), 3);
        assert_eq!(net.now().as_picos(), 2_005_000_000);
    }

    #[test]
    fn a_slower_link_stretches_what_is_left() {
        let rate = |gbytes| BytesPerSec::from_gbytes(gbytes).unwrap();
        let mut net = Analytic::new(&[rate(1.0)]);
        let path = net.add_path(&Path::over([0])).unwrap();
        let transfer = Transfer {
            path,
            bytes: Bytes::new(1_000_000),
            latency: Seconds::ZERO,
        };
        net.submit(SimTime::ZERO, transfer).unwrap();
        net.set_rate(SimTime::from_picos(500_000_000), 0, rate(0.5))
            .unwrap();
        let mut finished = Vec::new();
        while let Some(next) = net.next_event() {
            net.advance(next, &mut finished).unwrap();
        }
        assert_eq!(net.now().as_picos(), 1_500_000_000);
    }
}
