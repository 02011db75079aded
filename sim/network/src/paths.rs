//! Links, paths and who uses what: the graph on which engines share.

use units::BytesPerSec;

use crate::{NetworkError, Path, PathId};

/// What keeps a path from being faster: a link by its number, or one of these.
pub(crate) type Bound = u32;

/// Nothing: the path is idle.
pub(crate) const NOTHING: Bound = u32::MAX;

/// A limit of its own: its cap, or a link on which it need not share.
pub(crate) const OWN: Bound = u32::MAX - 1;

/// An active path on a link.
#[derive(Clone, Copy, Debug)]
pub(crate) struct User {
    pub(crate) path: u32,
    pub(crate) slot: u32,
}

/// What a solve reads and writes of a path. The *level* of a path is its rate over its weight.
#[derive(Clone, Copy, Debug)]
pub(crate) struct State {
    pub(crate) level: f64,
    /// The level at which the path meets a limit of its own.
    pub(crate) own: f64,
    /// Bytes per second of all its transfers together at level 1.
    pub(crate) scale: f64,
    pub(crate) bound: Bound,
    /// The solve that the path is in, and how far it is there.
    pub(crate) mark: u32,
}

/// The unchanging part of a path, and how many transfers are under way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Route {
    first: u32,
    n_slots: u32,
    count: u32,
    /// Bytes per second of one transfer, infinite where there is no cap.
    pub(crate) cap: f64,
    pub(crate) weight: f64,
    /// The inverse of the weight, as it was given.
    penalty: f64,
}

/// A link whose users could not fill it, even by this much more than they can take, never binds.
const SLACK: f64 = 1.0 + 1e-9;

/// A link with its active paths.
#[derive(Clone, Debug)]
pub(crate) struct LinkUse {
    /// Bytes per second.
    pub(crate) rate: f64,
    /// Whether the rate bounds every transfer by itself (a fat pipe), not all together.
    pub(crate) is_fat: bool,
    /// The most that the users could put on it: the sum of loads times what each can take alone.
    demand: f64,
    /// How many active paths the link binds.
    pub(crate) binds: u32,
    pub(crate) users: Vec<User>,
}

/// Links with their rates, paths with their crossings, and the active paths of each link.
#[derive(Clone, Debug)]
pub(crate) struct Paths {
    pub(crate) links: Vec<LinkUse>,
    pub(crate) routes: Vec<Route>,
    pub(crate) states: Vec<State>,
    /// By crossing: its link, and where it stands in the link's list while the path is active.
    slot_links: Vec<u32>,
    slot_places: Vec<u32>,
    /// By crossing: its load; empty while all are 1.
    loads: Vec<f64>,
    /// Paths that were removed, by their number of crossings.
    free: Vec<Vec<u32>>,
}

impl Paths {
    pub(crate) fn new(rates: impl Iterator<Item = f64>) -> Self {
        let link = |rate| LinkUse {
            rate,
            is_fat: false,
            demand: 0.0,
            binds: 0,
            users: Vec::new(),
        };
        Self {
            links: rates.map(link).collect(),
            routes: Vec::new(),
            states: Vec::new(),
            slot_links: Vec::new(),
            slot_places: Vec::new(),
            loads: Vec::new(),
            free: Vec::new(),
        }
    }

    /// Adds a path; crossings of one link are merged.
    pub(crate) fn add(&mut self, path: &Path, penalty: f64) -> Result<PathId, NetworkError> {
        let weight = penalty.recip();
        if !(weight.is_finite() && 0.0 < weight) {
            return Err(NetworkError::BadWeight { weight });
        }
        for &(link, load) in &path.links {
            self.check_link(link)?;
            if !(load.is_finite() && 0.0 < load) {
                return Err(NetworkError::BadLoad { link, load });
            }
        }
        let cap = path.cap.map_or(f64::INFINITY, BytesPerSec::as_f64);
        if let Some(old) = self.reused(path) {
            let route = &mut self.routes[old as usize];
            (route.cap, route.weight, route.penalty) = (cap, weight, penalty);
            return Ok(PathId::new(old));
        }
        let first = self.slot_links.len();
        for &(link, load) in &path.links {
            let known = self.slot_links[first..]
                .iter()
                .position(|other| *other == link);
            if let Some(at) = known {
                self.loads_of_all()[first + at] += load;
                continue;
            }
            if load.to_bits() != 1.0_f64.to_bits() || !self.loads.is_empty() {
                self.loads_of_all().push(load);
            }
            self.slot_links.push(link);
            self.slot_places.push(0);
        }
        let id = count(self.routes.len());
        self.routes.push(Route {
            first: count(first),
            n_slots: count(self.slot_links.len() - first),
            count: 0,
            cap,
            weight,
            penalty,
        });
        self.states.push(State {
            level: 0.0,
            own: 0.0,
            scale: 0.0,
            bound: NOTHING,
            mark: 0,
        });
        Ok(PathId::new(id))
    }

    /// The loads, with an entry for every crossing.
    fn loads_of_all(&mut self) -> &mut Vec<f64> {
        if self.loads.is_empty() {
            self.loads.resize(self.slot_links.len(), 1.0);
        }
        &mut self.loads
    }

    /// A removed path in whose place this one goes: of as many different links, each with load 1.
    fn reused(&mut self, path: &Path) -> Option<u32> {
        let n = path.links.len();
        let plain = self.loads.is_empty()
            && path
                .links
                .iter()
                .all(|(_, load)| load.to_bits() == 1.0_f64.to_bits());
        let repeats = (1..n).any(|at| {
            path.links[..at]
                .iter()
                .any(|(link, _)| *link == path.links[at].0)
        });
        if !plain || repeats {
            return None;
        }
        let id = self.free.get_mut(n)?.pop()?;
        for (slot, &(link, _)) in self.range(id).zip(&path.links) {
            self.slot_links[slot] = link;
        }
        Some(id)
    }

    /// Forgets an idle path: its id may be given again.
    pub(crate) fn remove(&mut self, path: u32) {
        let n = self.routes[path as usize].n_slots as usize;
        if self.free.len() <= n {
            self.free.resize(n + 1, Vec::new());
        }
        self.free[n].push(path);
    }

    pub(crate) fn check_link(&self, link: u32) -> Result<(), NetworkError> {
        let links = self.links.len();
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

    /// The links of a path, each once.
    pub(crate) fn crossed(&self, path: u32) -> &[u32] {
        &self.slot_links[self.range(path)]
    }

    /// The link of a crossing.
    pub(crate) fn link_of(&self, slot: usize) -> u32 {
        self.slot_links[slot]
    }

    /// Whether every crossing takes as much of its link as its path moves.
    pub(crate) const fn are_loads_one(&self) -> bool {
        self.loads.is_empty()
    }

    /// How much of a link a crossing takes for each byte that its path moves.
    pub(crate) fn load(&self, slot: usize) -> f64 {
        if self.loads.is_empty() {
            1.0
        } else {
            self.loads[slot]
        }
    }

    /// Bytes per second of each transfer of a path.
    pub(crate) fn rate(&self, path: u32) -> f64 {
        self.states[path as usize].level * self.routes[path as usize].weight
    }

    /// Transfers under way on a path.
    pub(crate) fn count(&self, path: u32) -> u32 {
        self.routes[path as usize].count
    }

    /// Sets how many transfers a path carries.
    pub(crate) fn set_count(&mut self, path: u32, count: u32) {
        let before = std::mem::replace(&mut self.routes[path as usize].count, count);
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
        self.links[link as usize].rate = rate;
        for user in 0..self.links[link as usize].users.len() {
            self.update_want(self.links[link as usize].users[user].path);
        }
    }

    /// Whether a link has room for all that its users could ever take: such a link binds nobody.
    pub(crate) fn is_slack(&self, link: u32) -> bool {
        let link = &self.links[link as usize];
        if link.is_fat {
            // Users of one weight reach the level of a fat pipe and their own limit together.
            let mut weights = link.users.iter().map(|user| self.weight(user.path));
            let first = weights.next();
            return weights.all(|weight| Some(weight) == first);
        }
        link.demand <= link.rate * SLACK
    }

    /// The weight of a path.
    pub(crate) fn weight(&self, path: u32) -> f64 {
        self.routes[path as usize].weight
    }

    /// The level at which a transfer of a path has the rate of its narrowest link, or its cap, as
    /// `SimGrid` computes it.
    pub(crate) fn narrowest(&self, path: u32) -> f64 {
        let route = &self.routes[path as usize];
        let links = self.crossed(path).iter();
        let rates = links.map(|&link| self.links[link as usize].rate);
        rates.fold(route.cap, f64::min) * route.penalty
    }

    /// What all transfers of a path together can move over its links alone, in bytes per second.
    pub(crate) fn alone(&self, path: u32) -> f64 {
        let transfers = f64::from(self.count(path).max(1));
        let limit = |slot| {
            let link = &self.links[self.slot_links[slot] as usize];
            if link.is_fat {
                link.rate * transfers
            } else {
                link.rate / self.load(slot)
            }
        };
        self.range(path).map(limit).fold(f64::INFINITY, f64::min)
    }

    fn update_want(&mut self, path: u32) {
        let route = self.routes[path as usize];
        let state = self.states[path as usize];
        let before = if state.scale > 0.0 {
            state.own * state.scale
        } else {
            0.0
        };
        let transfers = f64::from(route.count);
        let (own, want) = if route.count == 0 {
            (0.0, 0.0)
        } else {
            let want = (transfers * route.cap).min(self.alone(path));
            (want / (transfers * route.weight), want)
        };
        let state = &mut self.states[path as usize];
        state.own = own;
        state.scale = transfers * route.weight;
        for slot in self.range(path) {
            let load = self.load(slot);
            let link = &mut self.links[self.slot_links[slot] as usize];
            // An idle link starts again from zero, so that rounding does not pile up.
            link.demand = if link.users.is_empty() {
                0.0
            } else {
                link.demand + load * (want - before)
            };
        }
    }

    /// Enters a path that became active into its links' lists.
    fn attach(&mut self, path: u32) {
        for slot in self.range(path) {
            let users = &mut self.links[self.slot_links[slot] as usize].users;
            self.slot_places[slot] = index(users.len());
            users.push(User {
                path,
                slot: index(slot),
            });
        }
    }

    /// Takes a path that became idle out of its links' lists.
    fn detach(&mut self, path: u32) {
        for slot in self.range(path) {
            let users = &mut self.links[self.slot_links[slot] as usize].users;
            let at = self.slot_places[slot];
            users.swap_remove(at as usize);
            if let Some(moved) = users.get(at as usize) {
                self.slot_places[moved.slot as usize] = at;
            }
        }
    }

    /// Notes what binds a path from now on.
    pub(crate) fn bind(&mut self, path: u32, bound: Bound) {
        let before = std::mem::replace(&mut self.states[path as usize].bound, bound);
        if before < OWN {
            self.links[before as usize].binds -= 1;
        }
        if bound < OWN {
            self.links[bound as usize].binds += 1;
        }
    }
}

/// A number of paths or crossings.
fn count(n: usize) -> u32 {
    u32::try_from(n).expect("no simulation holds 2³² crossings")
}

/// An index that [`Paths::add`] has checked to fit.
#[expect(clippy::cast_possible_truncation, reason = "slots are counted in u32")]
const fn index(n: usize) -> u32 {
    n as u32
}
