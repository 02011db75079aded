//! Max-min fair rates by progressive filling.
//!
//! All rates rise together, in proportion to the weights, until a link is full; its flows are
//! frozen, and the others rise on (Bertsekas and Gallager, *Data Networks*, section 6.5.2). The
//! *level* of a link is `left / Σ load · count · weight` of its unfrozen paths. Levels only rise
//! as paths freeze elsewhere, so a heap of links needs no updates: an entry that turns out to be
//! too low goes back with its present level.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::paths::Paths;

/// What keeps a path from being faster.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Bound {
    /// Nothing yet: the path is idle.
    #[default]
    Nothing,
    /// Its own cap.
    Cap,
    /// A link on which it need not share.
    Alone,
    /// That link, with others.
    Link(u32),
}

/// A path in a solve.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Solved {
    pub(crate) path: u32,
    pub(crate) rate: f64,
    pub(crate) bound: Bound,
}

/// What holds before a solve.
#[derive(Clone, Copy, Debug)]
pub(crate) struct View<'a> {
    pub(crate) paths: &'a Paths,
    /// Bytes per second of each transfer, by path.
    pub(crate) rates: &'a [f64],
    pub(crate) bounds: &'a [Bound],
}

/// Scratch of a link during a solve.
#[derive(Clone, Copy, Debug, Default)]
struct Tank {
    round: u32,
    /// Unfrozen paths.
    open: u32,
    /// Whether paths outside the solve use the link.
    others: bool,
    left: f64,
    weight: f64,
}

/// Rates that differ by less than this share are equal.
const EQUAL: f64 = 1e-9;

/// After so many rounds a solve takes in everything that shares links with what it has.
const ROUNDS: u32 = 6;

/// The solver, with scratch that is kept between solves.
///
/// A solve begins with the paths that an event concerns and keeps all others at their rates.
/// Where that breaks the condition of max-min fairness (every path is at its cap, or has a full
/// link on which nobody is faster), the paths concerned join, and the solve is repeated.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fill {
    /// Counts solves, and rounds of all solves: marks that need no clearing.
    stamp: u32,
    round: u32,
    tanks: Vec<Tank>,
    /// The solve in which a path was seen last, and its place in `solved`.
    seen: Vec<(u32, u32)>,
    links: Vec<u32>,
    levels: BinaryHeap<Reverse<(u64, u32)>>,
    /// Levels at which paths meet a limit of their own.
    own: Vec<(u64, u32)>,
    pub(crate) solved: Vec<Solved>,
}

impl Fill {
    /// Begins a solve without paths.
    pub(crate) fn clear(&mut self, paths: &Paths) {
        if u32::MAX - 2 * ROUNDS < self.round {
            *self = Self::default();
        }
        self.stamp += 1;
        self.tanks.resize(paths.rates.len(), Tank::default());
        self.seen.resize(paths.routes.len(), (0, 0));
        self.solved.clear();
    }

    /// Adds an active path, once.
    pub(crate) fn add_path(&mut self, path: u32) {
        let seen = &mut self.seen[path as usize];
        if seen.0 != self.stamp {
            let place = u32::try_from(self.solved.len()).expect("fewer than all paths");
            *seen = (self.stamp, place);
            self.solved.push(Solved {
                path,
                rate: f64::NAN,
                bound: Bound::Nothing,
            });
        }
    }

    /// Computes the rates of the paths that were added, and of those that these concern.
    pub(crate) fn run(&mut self, view: View<'_>) {
        for _ in 0..ROUNDS {
            self.open(view);
            self.solve(view.paths);
            if !self.grow(view) {
                return;
            }
        }
        self.close(view.paths);
        self.open(view);
        self.solve(view.paths);
    }

    /// Adds every path that shares a link with one already added, directly or over others.
    /// Links that cannot bind connect nobody.
    pub(crate) fn close(&mut self, paths: &Paths) {
        self.round += 1;
        let mut next = 0;
        while next < self.solved.len() {
            for slot in paths.crossings(self.solved[next].path) {
                let tank = &mut self.tanks[slot.link as usize];
                if tank.round != self.round && !paths.is_slack(slot.link) {
                    tank.round = self.round;
                    for &slot in &paths.users[slot.link as usize] {
                        self.add_path(paths.slots[slot as usize].path);
                    }
                }
            }
            next += 1;
        }
    }

    /// Prepares the links of all paths that were added: what others leave there is to be shared.
    fn open(&mut self, view: View<'_>) {
        self.round += 1;
        self.links.clear();
        self.levels.clear();
        self.own.clear();
        for place in 0..self.solved.len() {
            self.solved[place].rate = f64::NAN;
            for slot in view.paths.crossings(self.solved[place].path) {
                if self.tanks[slot.link as usize].round != self.round
                    && !view.paths.is_slack(slot.link)
                {
                    self.tanks[slot.link as usize] = self.tank(view, slot.link);
                    self.links.push(slot.link);
                }
            }
        }
    }

    fn tank(&self, view: View<'_>, link: u32) -> Tank {
        let mut tank = Tank {
            round: self.round,
            open: 0,
            others: false,
            left: view.paths.rates[link as usize],
            weight: 0.0,
        };
        for &slot in &view.paths.users[link as usize] {
            let slot = &view.paths.slots[slot as usize];
            let load = slot.load * f64::from(view.paths.count(slot.path));
            if self.has(slot.path) {
                tank.open += 1;
                tank.weight += load * view.paths.routes[slot.path as usize].weight;
            } else {
                tank.others = true;
                tank.left -= load * view.rates[slot.path as usize];
            }
        }
        tank.left = tank.left.max(0.0);
        tank
    }

    fn has(&self, path: u32) -> bool {
        self.seen[path as usize].0 == self.stamp
    }

    /// Adds the paths that are no longer max-min fair beside the new rates; whether there are
    /// any.
    fn grow(&mut self, view: View<'_>) -> bool {
        let before = self.solved.len();
        for at in 0..self.links.len() {
            let link = self.links[at];
            if !self.tanks[link as usize].others {
                continue;
            }
            let (mut used, mut top, mut low) = (0.0, 0.0_f64, f64::INFINITY);
            for &slot in &view.paths.users[link as usize] {
                let slot = &view.paths.slots[slot as usize];
                let (rate, level, bound) = self.present(view, slot.path, before);
                used += slot.load * f64::from(view.paths.count(slot.path)) * rate;
                top = top.max(level);
                if bound == Bound::Link(link) && self.was(slot.path, before) {
                    low = low.min(level);
                }
            }
            let full = view.paths.rates[link as usize] * (1.0 - EQUAL) <= used;
            for &slot in &view.paths.users[link as usize] {
                let path = view.paths.slots[slot as usize].path;
                let (_, level, bound) = self.present(view, path, before);
                let freed = bound == Bound::Link(link) && (!full || level < top * (1.0 - EQUAL));
                if !self.was(path, before) && (freed || low * (1.0 + EQUAL) < level) {
                    self.add_path(path);
                }
            }
        }
        before < self.solved.len()
    }

    /// Whether a path was among the first so many that were added.
    fn was(&self, path: u32, before: usize) -> bool {
        self.has(path) && (self.seen[path as usize].1 as usize) < before
    }

    /// Rate, level and bound of a path: the new ones if it was solved.
    fn present(&self, view: View<'_>, path: u32, before: usize) -> (f64, f64, Bound) {
        let (rate, bound) = if self.was(path, before) {
            let solved = self.solved[self.seen[path as usize].1 as usize];
            (solved.rate, solved.bound)
        } else {
            (view.rates[path as usize], view.bounds[path as usize])
        };
        (rate, rate / view.paths.routes[path as usize].weight, bound)
    }

    /// Computes the rates of the paths that were added.
    fn solve(&mut self, paths: &Paths) {
        for place in 0..self.solved.len() {
            self.own_limit(paths, place);
        }
        self.own.sort_unstable();
        let level = |tank: &Tank| (tank.left / tank.weight).to_bits();
        let tanks = &self.tanks;
        let entry = |&link: &u32| Reverse((level(&tanks[link as usize]), link));
        self.levels.extend(self.links.iter().map(entry));
        let mut next_own = 0;
        let mut reached = 0.0_f64;
        loop {
            let link = self.levels.peek().map(|&Reverse(entry)| entry);
            match (self.own.get(next_own).copied(), link) {
                (Some((level, place)), link) if link.is_none_or(|(other, _)| level <= other) => {
                    next_own += 1;
                    reached = reached.max(f64::from_bits(level));
                    self.freeze_own(paths, place, f64::from_bits(level));
                }
                (_, Some((level, link))) => {
                    self.levels.pop();
                    self.fill_link(paths, link, f64::from_bits(level), &mut reached);
                }
                (_, None) => break,
            }
        }
    }

    /// Finds the limit that a path has on its own: its cap, and links that are not in the solve.
    fn own_limit(&mut self, paths: &Paths, place: usize) {
        let path = self.solved[place].path;
        let route = &paths.routes[path as usize];
        let mut alone = f64::INFINITY;
        let mut shares = false;
        for slot in paths.crossings(path) {
            if self.tanks[slot.link as usize].round == self.round {
                shares = true;
            } else {
                alone = alone.min(paths.rates[slot.link as usize] / slot.load);
            }
        }
        alone /= f64::from(paths.count(path));
        let (rate, bound) = if route.cap <= alone {
            (route.cap, Bound::Cap)
        } else {
            (alone, Bound::Alone)
        };
        let solved = &mut self.solved[place];
        if !shares {
            (solved.rate, solved.bound) = (rate, bound);
        } else if rate.is_finite() {
            solved.bound = bound;
            let place = u32::try_from(place).expect("fewer than all paths");
            self.own.push(((rate / route.weight).to_bits(), place));
        }
    }

    fn freeze_own(&mut self, paths: &Paths, place: u32, level: f64) {
        let Solved {
            path, rate, bound, ..
        } = self.solved[place as usize];
        if rate.is_nan() {
            self.freeze(paths, path, level, bound);
        }
    }

    fn fill_link(&mut self, paths: &Paths, link: u32, queued: f64, reached: &mut f64) {
        let tank = self.tanks[link as usize];
        if tank.open == 0 {
            return;
        }
        // Rounding may leave nothing of a small weight: its flows are then as fast as the last.
        let level = if tank.weight > 0.0 {
            (tank.left / tank.weight).max(*reached)
        } else {
            *reached
        };
        if queued < level {
            self.levels.push(Reverse((level.to_bits(), link)));
            return;
        }
        *reached = level;
        for &slot in &paths.users[link as usize] {
            let path = paths.slots[slot as usize].path;
            let (stamp, place) = self.seen[path as usize];
            if stamp == self.stamp && self.solved[place as usize].rate.is_nan() {
                self.freeze(paths, path, level, Bound::Link(link));
            }
        }
    }

    fn freeze(&mut self, paths: &Paths, path: u32, level: f64, bound: Bound) {
        let weight = paths.routes[path as usize].weight;
        let count = f64::from(paths.count(path));
        let solved = &mut self.solved[self.seen[path as usize].1 as usize];
        solved.rate = level * weight;
        solved.bound = bound;
        let taken = count * level * weight;
        for slot in paths.crossings(path) {
            let tank = &mut self.tanks[slot.link as usize];
            if tank.round == self.round {
                tank.open -= 1;
                tank.left -= slot.load * taken;
                tank.weight -= slot.load * count * weight;
            }
        }
    }
}
