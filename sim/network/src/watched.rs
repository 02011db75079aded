//! The flow engine with a record of what every path carried when.

use units::{BytesPerSec, SimTime};

use crate::{Flow, Network, NetworkError, Path, PathId, Transfer, TransferId};

/// A stretch of time in which a path carried at one rate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stretch {
    /// The path.
    pub path: PathId,
    /// Its beginning.
    pub from: SimTime,
    /// Its end.
    pub to: SimTime,
    /// Bytes per second of all transfers of the path together.
    pub rate: f64,
}

/// A [`Flow`] that remembers the rates of its paths. Exact: between two events rates do not
/// change.
#[derive(Clone, Debug)]
pub struct Watched {
    flow: Flow,
    /// By path: since when it carries at a rate.
    current: Vec<(SimTime, f64)>,
    /// Paths that carry something or were just given something.
    active: Vec<u32>,
    stretches: Vec<Stretch>,
}

impl Watched {
    /// Watches a network.
    pub const fn new(flow: Flow) -> Self {
        Self {
            flow,
            current: Vec::new(),
            active: Vec::new(),
            stretches: Vec::new(),
        }
    }

    /// What was carried so far, in order of the ends of the stretches; one that goes on is not
    /// among them.
    pub fn stretches(&self) -> &[Stretch] {
        &self.stretches
    }

    /// Ends the stretches that go on at a moment that is not before the clock.
    pub fn close(&mut self, now: SimTime) {
        for at in 0..self.active.len() {
            self.change(self.active[at], now, 0.0);
        }
    }

    /// Notes the rates that hold from now on.
    fn note(&mut self, now: SimTime) {
        let mut active = std::mem::take(&mut self.active);
        active.retain(|&path| {
            let n = self.flow.n_transfers(PathId::new(path));
            let rate = match n {
                0 => 0.0,
                n => self.flow.rate(PathId::new(path)) * f64::from(n),
            };
            self.change(path, now, rate);
            0 < n
        });
        self.active = active;
    }

    fn change(&mut self, path: u32, now: SimTime, rate: f64) {
        let (from, before) = self.current[path as usize];
        if rate.to_bits() == before.to_bits() {
            return;
        }
        self.current[path as usize] = (now, rate);
        if 0.0 < before && from < now {
            self.stretches.push(Stretch {
                path: PathId::new(path),
                from,
                to: now,
                rate: before,
            });
        }
    }
}

impl Network for Watched {
    fn add_path(&mut self, path: &Path) -> Result<PathId, NetworkError> {
        let id = self.flow.add_path(path)?;
        if self.current.len() <= id.index() {
            self.current.resize(id.index() + 1, (SimTime::ZERO, 0.0));
        }
        Ok(id)
    }

    fn submit(&mut self, now: SimTime, transfer: Transfer) -> Result<TransferId, NetworkError> {
        let id = self.flow.submit(now, transfer)?;
        if !self.active.contains(&transfer.path.get()) {
            self.active.push(transfer.path.get());
        }
        Ok(id)
    }

    fn next_event(&self) -> Option<SimTime> {
        self.flow.next_event()
    }

    fn advance(&mut self, to: SimTime, finished: &mut Vec<TransferId>) -> Result<(), NetworkError> {
        while let Some(now) = self.flow.next_event().filter(|&next| next <= to) {
            self.flow.advance(now, finished)?;
            self.note(now);
        }
        self.flow.advance(to, finished)
    }

    fn set_rate(&mut self, now: SimTime, link: u32, rate: BytesPerSec) -> Result<(), NetworkError> {
        self.flow.set_rate(now, link, rate)
    }

    fn now(&self) -> SimTime {
        self.flow.now()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Share;
    use units::{Bytes, Seconds};

    #[test]
    fn two_transfers_that_share_a_link_halve_their_rate_while_both_go() {
        let rate = BytesPerSec::from_gbytes(1.0).unwrap();
        let mut net = Watched::new(Flow::new(&[rate], Share::EQUAL));
        let paths = [0, 1].map(|_| net.add_path(&Path::over([0])).unwrap());
        for (path, bytes) in paths.into_iter().zip([1_000_000, 3_000_000]) {
            let transfer = Transfer {
                path,
                bytes: Bytes::new(bytes),
                latency: Seconds::ZERO,
            };
            net.submit(SimTime::ZERO, transfer).unwrap();
        }
        while let Some(next) = net.next_event() {
            net.advance(next, &mut Vec::new()).unwrap();
        }
        let millis = |time: SimTime| time.as_seconds().as_millis();
        let of = |path: PathId| -> Vec<_> {
            let own = net.stretches().iter().filter(|one| one.path == path);
            own.map(|one| (millis(one.from), millis(one.to), one.rate))
                .collect()
        };
        assert_eq!(of(paths[0]), [(0.0, 2.0, 5e8)]);
        assert_eq!(of(paths[1]), [(0.0, 2.0, 5e8), (2.0, 4.0, 1e9)]);
    }
}
