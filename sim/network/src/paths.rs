//! Links, paths and who uses what: the graph on which engines share.

use units::BytesPerSec;

use crate::{NetworkError, Path, PathId};

/// One crossing of a path over a link.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slot {
    pub(crate) path: u32,
    pub(crate) link: u32,
    /// Where the slot stands in the link's list of users, while the path is active.
    pub(crate) at: u32,
    pub(crate) load: f64,
}

/// The unchanging part of a path.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Route {
    first: u32,
    n_slots: u32,
    /// Bytes per second of one transfer, infinite where there is no cap.
    pub(crate) cap: f64,
    pub(crate) weight: f64,
}

/// A link whose users could not fill it, even by this much more than they can take, never binds.
const SLACK: f64 = 1.0 + 1e-9;

/// Links with their rates, paths with their crossings, and the active paths of each link.
#[derive(Clone, Debug)]
pub(crate) struct Paths {
    /// Bytes per second of each link.
    pub(crate) rates: Vec<f64>,
    /// Slots of active paths by link.
    pub(crate) users: Vec<Vec<u32>>,
    pub(crate) routes: Vec<Route>,
    pub(crate) slots: Vec<Slot>,
    /// Transfers under way, by path.
    counts: Vec<u32>,
    /// The most that the transfers of a path could move together if they were alone.
    wants: Vec<f64>,
    /// The most that the users of a link could put on it: the sum of loads times wants.
    demand: Vec<f64>,
}

impl Paths {
    pub(crate) fn new(rates: impl Iterator<Item = f64>) -> Self {
        let rates: Vec<f64> = rates.collect();
        Self {
            users: vec![Vec::new(); rates.len()],
            demand: vec![0.0; rates.len()],
            rates,
            routes: Vec::new(),
            slots: Vec::new(),
            counts: Vec::new(),
            wants: Vec::new(),
        }
    }

    /// Adds a path; crossings of one link are merged.
    pub(crate) fn add(&mut self, path: &Path, weight: f64) -> Result<PathId, NetworkError> {
        if !(weight.is_finite() && 0.0 < weight) {
            return Err(NetworkError::BadWeight { weight });
        }
        for &(link, load) in &path.links {
            self.check_link(link)?;
            if !(load.is_finite() && 0.0 < load) {
                return Err(NetworkError::BadLoad { link, load });
            }
        }
        let id = u32::try_from(self.routes.len()).expect("no simulation holds 2³² paths");
        let first = self.slots.len();
        for &(link, load) in &path.links {
            match self.slots[first..]
                .iter_mut()
                .find(|slot| slot.link == link)
            {
                Some(slot) => slot.load += load,
                None => self.slots.push(Slot {
                    path: id,
                    link,
                    at: 0,
                    load,
                }),
            }
        }
        let count = |n: usize| u32::try_from(n).expect("no simulation holds 2³² crossings");
        self.routes.push(Route {
            first: count(first),
            n_slots: count(self.slots.len() - first),
            cap: path.cap.map_or(f64::INFINITY, BytesPerSec::as_f64),
            weight,
        });
        self.counts.push(0);
        self.wants.push(0.0);
        Ok(PathId::new(id))
    }

    pub(crate) fn check_link(&self, link: u32) -> Result<(), NetworkError> {
        let links = self.rates.len();
        if (link as usize) < links {
            Ok(())
        } else {
            Err(NetworkError::UnknownLink { link, links })
        }
    }

    pub(crate) fn check_path(&self, path: PathId) -> Result<(), NetworkError> {
        let paths = self.routes.len();
        if path.index() < paths {
            Ok(())
        } else {
            Err(NetworkError::UnknownPath {
                path: path.get(),
                paths,
            })
        }
    }

    /// The range of a path's slots.
    pub(crate) fn range(&self, path: u32) -> std::ops::Range<usize> {
        let route = &self.routes[path as usize];
        route.first as usize..(route.first + route.n_slots) as usize
    }

    /// The crossings of a path.
    pub(crate) fn crossings(&self, path: u32) -> &[Slot] {
        &self.slots[self.range(path)]
    }

    /// What all transfers of a path together can move over its links alone, in bytes per second.
    pub(crate) fn alone(&self, path: u32) -> f64 {
        let limit = |slot: &Slot| self.rates[slot.link as usize] / slot.load;
        self.crossings(path)
            .iter()
            .map(limit)
            .fold(f64::INFINITY, f64::min)
    }

    /// Transfers under way on a path.
    pub(crate) fn count(&self, path: u32) -> u32 {
        self.counts[path as usize]
    }

    /// Sets how many transfers a path carries.
    pub(crate) fn set_count(&mut self, path: u32, count: u32) {
        let before = std::mem::replace(&mut self.counts[path as usize], count);
        match (before, count) {
            (0, 0) => {}
            (0, _) => self.attach(path),
            (_, 0) => self.detach(path),
            _ => {}
        }
        self.update_want(path);
    }

    /// Changes the rate of a link, and with it what its users can take.
    pub(crate) fn set_link_rate(&mut self, link: u32, rate: f64) {
        self.rates[link as usize] = rate;
        for user in 0..self.users[link as usize].len() {
            let slot = self.users[link as usize][user];
            self.update_want(self.slots[slot as usize].path);
        }
    }

    /// Whether a link has room for all that its users could ever take: such a link binds nobody.
    pub(crate) fn is_slack(&self, link: u32) -> bool {
        self.demand[link as usize] <= self.rates[link as usize] * SLACK
    }

    fn update_want(&mut self, path: u32) {
        let cap = f64::from(self.counts[path as usize]) * self.routes[path as usize].cap;
        let want = if self.counts[path as usize] == 0 {
            0.0
        } else {
            cap.min(self.alone(path))
        };
        let before = std::mem::replace(&mut self.wants[path as usize], want);
        for slot in self.range(path) {
            let Slot { link, load, .. } = self.slots[slot];
            let demand = &mut self.demand[link as usize];
            // An idle link starts again from zero, so that rounding does not pile up.
            *demand = if self.users[link as usize].is_empty() {
                0.0
            } else {
                *demand + load * (want - before)
            };
        }
    }

    /// Enters a path that became active into its links' lists.
    fn attach(&mut self, path: u32) {
        for slot in self.range(path) {
            let users = &mut self.users[self.slots[slot].link as usize];
            self.slots[slot].at = index(users.len());
            users.push(index(slot));
        }
    }

    /// Takes a path that became idle out of its links' lists.
    fn detach(&mut self, path: u32) {
        for slot in self.range(path) {
            let Slot { link, at, .. } = self.slots[slot];
            let users = &mut self.users[link as usize];
            users.swap_remove(at as usize);
            if let Some(&moved) = users.get(at as usize) {
                self.slots[moved as usize].at = at;
            }
        }
    }
}

/// An index that [`Paths::add`] has checked to fit.
#[expect(clippy::cast_possible_truncation, reason = "slots are counted in u32")]
const fn index(n: usize) -> u32 {
    n as u32
}
