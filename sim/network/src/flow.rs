//! The flow engine: links are shared max-min fairly at every moment.
//!
//! Only what an event can change is solved again (`network` keeps, for every path, what binds
//! it):
//!
//! - A departure frees room only for paths that are bound by a link it crossed. Where nobody is,
//!   as for rings on a fabric of full bisection, there is no solve at all.
//! - From the paths that an event concerns the solve spreads only to paths that are no longer
//!   max-min fair beside the new rates, and never over links whose users could not fill them even
//!   if each had the rest of the network to itself.
//! - Events of one instant are one batch: departures, link rates, arrivals, one solve.

use std::collections::VecDeque;

use units::{BytesPerSec, Seconds, SimTime};

use crate::fill::Fill;
use crate::paths::{NOTHING, OWN, Paths};
use crate::progress::Progress;
use crate::{Network, NetworkError, Path, PathId, Share, Transfer, TransferId};

/// A link's rate that changes at a moment to come.
#[derive(Clone, Copy, Debug)]
struct Change {
    at: SimTime,
    link: u32,
    rate: f64,
}

/// The max-min fair network.
///
/// With equal shares rates are unique, whatever the order of events; with the weights of
/// [`Share::CM02`] and [`Share::LV08`] they are `SimGrid`'s.
#[derive(Clone, Debug)]
pub struct Flow {
    share: Share,
    /// Latency of each link, for weights that follow the round-trip time.
    latencies: Vec<Seconds>,
    paths: Paths,
    progress: Progress,
    /// Links whose users may rise or must fall, and paths whose transfers changed.
    dirty_links: Vec<u32>,
    dirty_paths: Vec<u32>,
    changes: VecDeque<Change>,
    fill: Fill,
    solves: u64,
}

impl Flow {
    /// An idle network of links of those rates, without latencies of links: under weights by
    /// round-trip time every path weighs the same.
    pub fn new(rates: &[BytesPerSec], share: Share) -> Self {
        Self::with_latencies(rates, &[], share)
    }

    /// An idle network of links of those rates and latencies. Links past the end of `latencies`
    /// have none. The latencies enter the weights only; a transfer brings its own.
    pub fn with_latencies(rates: &[BytesPerSec], latencies: &[Seconds], share: Share) -> Self {
        let mut latencies = latencies.to_vec();
        latencies.resize(rates.len(), Seconds::ZERO);
        let carried = rates
            .iter()
            .map(|rate| rate.as_f64() * share.bandwidth_factor);
        Self {
            share,
            latencies,
            paths: Paths::new(carried),
            progress: Progress::default(),
            dirty_links: Vec::new(),
            dirty_paths: Vec::new(),
            changes: VecDeque::new(),
            fill: Fill::default(),
            solves: 0,
        }
    }

    /// The rate of each transfer of a path now, in bytes per second: 0 when it has none under
    /// way. Complete after [`Network::advance`] to the present moment.
    pub fn rate(&self, path: PathId) -> f64 {
        self.progress.rate(path)
    }

    /// The paths whose rates the last solve found, those that it left as they were among them.
    pub fn solved(&self) -> &[u32] {
        &self.fill.solved
    }

    /// Makes a link a fat pipe: its rate bounds every transfer by itself. To be said before paths
    /// cross it.
    ///
    /// # Errors
    ///
    /// [`NetworkError::UnknownLink`].
    pub fn make_fat(&mut self, link: u32) -> Result<(), NetworkError> {
        self.paths.check_link(link)?;
        self.paths.links[link as usize].is_fat = true;
        Ok(())
    }

    /// Transfers under way on a path, those in their latency apart.
    pub fn n_transfers(&self, path: PathId) -> u32 {
        self.paths.count(path.get())
    }

    /// Registers a path with a weight of its own: its share beside a path of weight 1.
    ///
    /// # Errors
    ///
    /// As [`Network::add_path`], and [`NetworkError::BadWeight`].
    pub fn add_path_weighing(&mut self, path: &Path, weight: f64) -> Result<PathId, NetworkError> {
        self.add_path_of_penalty(path, weight.recip())
    }

    /// Registers a path with the inverse of a weight of its own: [`Share::penalty`].
    ///
    /// # Errors
    ///
    /// As [`Flow::add_path_weighing`].
    pub fn add_path_of_penalty(
        &mut self,
        path: &Path,
        penalty: f64,
    ) -> Result<PathId, NetworkError> {
        let id = self.paths.add(path, penalty)?;
        self.progress.add_path(id);
        Ok(id)
    }

    /// The links of a path with their loads.
    pub fn links_of(&self, path: PathId) -> impl Iterator<Item = (u32, f64)> + '_ {
        let slots = self.paths.range(path.get());
        slots.map(|slot| (self.paths.link_of(slot), self.paths.load(slot)))
    }

    /// Forgets a path that carries nothing, so that its place serves another one.
    ///
    /// # Errors
    ///
    /// [`NetworkError::UnknownPath`], and [`NetworkError::Busy`] while a transfer is under way. The
    /// caller sees to it that none is in its latency.
    pub fn remove_path(&mut self, path: PathId) -> Result<(), NetworkError> {
        self.paths.check_path(path)?;
        if self.paths.count(path.get()) > 0 {
            return Err(NetworkError::Busy { path: path.get() });
        }
        self.paths.remove(path.get());
        Ok(())
    }

    /// Transfers under way that cross a link, a class of flows counted once: a measure of load for
    /// those who choose among ways.
    pub fn n_users(&self, link: u32) -> usize {
        self.paths.links[link as usize].users.len()
    }

    /// How often rates were solved, and what a measure of its cost is: for benchmarks and tests.
    pub fn solves(&self) -> u64 {
        self.solves
    }

    /// The rates of all paths by one solve over the whole network that ignores what is known from
    /// before. Equal to [`Flow::rate`] of each up to rounding; for tests.
    pub fn solve_afresh(&self) -> Vec<f64> {
        let mut paths = self.paths.clone();
        let mut fill = Fill::default();
        paths.states.iter_mut().for_each(|state| state.mark = 0);
        fill.begin(&mut paths);
        let all = (0..).take(paths.routes.len());
        for path in all.clone().filter(|&path| 0 < self.paths.count(path)) {
            fill.open(&mut paths, path);
        }
        fill.look_at_opened(&paths);
        fill.run(&mut paths);
        let rate = |path| match paths.count(path) {
            0 => 0.0,
            _ => paths.rate(path),
        };
        all.map(rate).collect()
    }

    /// The penalty and the cap of a path under the rule of sharing.
    fn terms(&self, path: &Path) -> Result<(f64, Option<BytesPerSec>), NetworkError> {
        for &(link, _) in &path.links {
            self.paths.check_link(link)?;
        }
        let latency = |&(link, _): &(u32, f64)| self.latencies[link as usize];
        let latency: Seconds = path.links.iter().map(latency).sum();
        let rate = |&(link, _): &(u32, f64)| {
            BytesPerSec::new(self.paths.links[link as usize].rate / self.share.bandwidth_factor)
        };
        let penalty = self
            .share
            .penalty(latency, path.links.iter().filter_map(rate));
        let cap = match (path.cap, self.share.cap(latency)) {
            (Some(cap), Some(window)) => Some(cap.min(window)),
            (cap, window) => cap.or(window),
        };
        Ok((penalty, cap))
    }

    fn end_transfers(
        &mut self,
        now: SimTime,
        finished: &mut Vec<TransferId>,
    ) -> Result<(), NetworkError> {
        while let Some((path, ended)) = self.progress.pop_end(now, finished)? {
            let left = self.paths.count(path) - ended;
            self.paths.set_count(path, left);
            if left == 0 {
                self.paths.bind(path, NOTHING);
                self.paths.states[path as usize].level = 0.0;
            } else if !self.is_capped(path) {
                self.dirty_paths.push(path);
            }
            for &link in self.paths.crossed(path) {
                if self.paths.links[link as usize].binds > 0 {
                    self.dirty_links.push(link);
                }
            }
        }
        Ok(())
    }

    fn change_links(&mut self, now: SimTime) {
        while let Some(&change) = self.changes.front().filter(|change| change.at <= now) {
            self.changes.pop_front();
            self.paths.set_link_rate(change.link, change.rate);
            self.dirty_links.push(change.link);
            // Users that can take less now may leave room on their other links.
            for user in &self.paths.links[change.link as usize].users {
                self.dirty_paths.push(user.path);
                let links = self.paths.crossed(user.path).iter().copied();
                let binding = links.filter(|&link| self.paths.links[link as usize].binds > 0);
                self.dirty_links.extend(binding);
            }
        }
    }

    fn begin_transfers(&mut self, now: SimTime, finished: &mut Vec<TransferId>) {
        while let Some(path) = self.progress.pop_join(now, finished) {
            self.paths.set_count(path, self.paths.count(path) + 1);
            self.dirty_paths.push(path);
        }
    }

    /// Solves again what the batch may have changed.
    fn solve(&mut self, now: SimTime) {
        if self.dirty_paths.is_empty() && self.dirty_links.is_empty() {
            return;
        }
        self.fill.begin(&mut self.paths);
        for path in self.dirty_paths.drain(..) {
            if self.paths.count(path) > 0 {
                self.fill.open(&mut self.paths, path);
            }
        }
        self.fill.look_at_opened(&self.paths);
        for link in self.dirty_links.drain(..) {
            self.fill.look_at(&self.paths, link);
        }
        self.fill.run(&mut self.paths);
        self.solves += 1;
        for &path in &self.fill.solved {
            self.progress.set_rate(path, now, self.paths.rate(path));
        }
    }

    /// Whether nothing but its own cap binds a path.
    fn is_capped(&self, path: u32) -> bool {
        let (state, route) = (
            &self.paths.states[path as usize],
            &self.paths.routes[path as usize],
        );
        state.bound == OWN && route.cap.is_finite() && route.cap <= state.level * route.weight
    }
}

impl Network for Flow {
    fn add_path(&mut self, path: &Path) -> Result<PathId, NetworkError> {
        let (penalty, cap) = self.terms(path)?;
        let id = if cap == path.cap {
            self.paths.add(path, penalty)?
        } else {
            let links = path.links.clone();
            self.paths.add(&Path { links, cap }, penalty)?
        };
        self.progress.add_path(id);
        Ok(id)
    }

    fn submit(&mut self, now: SimTime, transfer: Transfer) -> Result<TransferId, NetworkError> {
        self.paths.check_path(transfer.path)?;
        self.progress.submit(now, transfer)
    }

    fn next_event(&self) -> Option<SimTime> {
        let change = self.changes.front().map(|change| change.at);
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
            self.end_transfers(now, finished)?;
            self.change_links(now);
            self.begin_transfers(now, finished);
            self.solve(now);
            finished[first..].sort_unstable();
        }
        self.progress.set_clock(to);
        Ok(())
    }

    fn set_rate(&mut self, now: SimTime, link: u32, rate: BytesPerSec) -> Result<(), NetworkError> {
        self.paths.check_link(link)?;
        self.progress.check_time(now)?;
        let change = Change {
            at: now,
            link,
            rate: rate.as_f64() * self.share.bandwidth_factor,
        };
        let later = self.changes.partition_point(|other| other.at <= now);
        self.changes.insert(later, change);
        Ok(())
    }

    fn now(&self) -> SimTime {
        self.progress.clock()
    }
}
