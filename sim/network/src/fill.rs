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

/// Scratch of a link during a solve.
#[derive(Clone, Copy, Debug, Default)]
struct Tank {
    stamp: u32,
    /// Unfrozen paths.
    open: u32,
    left: f64,
    weight: f64,
}

/// The solver, with scratch that is kept between solves.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fill {
    stamp: u32,
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
        self.stamp = self.stamp.wrapping_add(1);
        if self.stamp == 0 {
            self.tanks.clear();
            self.seen.clear();
            self.stamp = 1;
        }
        self.tanks.resize(paths.rates.len(), Tank::default());
        self.seen.resize(paths.routes.len(), (0, 0));
        self.links.clear();
        self.levels.clear();
        self.own.clear();
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

    /// Adds every path that shares a link with one already added, directly or over others.
    /// Links that cannot bind connect nobody.
    pub(crate) fn close(&mut self, paths: &Paths) {
        let mut next = 0;
        while next < self.solved.len() {
            for slot in paths.crossings(self.solved[next].path) {
                if self.tanks[slot.link as usize].stamp != self.stamp && !paths.is_slack(slot.link)
                {
                    self.open_link(paths, slot.link);
                }
            }
            next += 1;
        }
    }

    fn open_link(&mut self, paths: &Paths, link: u32) {
        let mut weight = 0.0;
        let users = &paths.users[link as usize];
        for &slot in users {
            let slot = &paths.slots[slot as usize];
            let count = f64::from(paths.count(slot.path));
            weight += slot.load * count * paths.routes[slot.path as usize].weight;
            self.add_path(slot.path);
        }
        let left = paths.rates[link as usize];
        self.tanks[link as usize] = Tank {
            stamp: self.stamp,
            open: u32::try_from(users.len()).expect("fewer than all crossings"),
            left,
            weight,
        };
        self.links.push(link);
    }

    /// Computes the rates of the paths that were added.
    pub(crate) fn solve(&mut self, paths: &Paths) {
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
            if self.tanks[slot.link as usize].stamp == self.stamp {
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
            if self.solved[self.seen[path as usize].1 as usize]
                .rate
                .is_nan()
            {
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
            if tank.stamp == self.stamp {
                tank.open -= 1;
                tank.left -= slot.load * taken;
                tank.weight -= slot.load * count * weight;
            }
        }
    }
}
