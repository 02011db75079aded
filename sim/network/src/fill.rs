//! Max-min fair rates by progressive filling, begun where something changed.
//!
//! All levels rise together until a link is full; its paths are frozen, and the others rise on
//! (Bertsekas and Gallager, *Data Networks*, section 6.5.2). The *level* of a path is its rate
//! over its weight.
//!
//! An event changes little, so the filling is not run again over the whole network. It follows
//! what changes in the order of levels, as the theory of bottleneck structures says it spreads
//! (Ros-Giralt et al., *Proc. ACM Meas. Anal. Comput. Syst.* 3(3), 2019). A path is *settled* as
//! long as it keeps the level from before, *open* once it cannot or need not, and *final* when
//! it was frozen anew. A link is looked at once one of its paths changes:
//!
//! ```text
//! fill     the link is full at a level: paths above it are frozen there. Those that were lower
//!          before leave room on their other links, which are looked at, too
//! release  the link is not full at the level at which it used to bind: the paths that it bound
//!          are open, and their other links are looked at
//! ```
//!
//! A *fat pipe* bounds every path by itself; with weights `SimGrid` has it fill at the level at which
//! the path of the largest weight has its rate, and freezes all its open paths there. But it also
//! bounds a path by its narrowest link: where rounding puts that level below the one of the fat pipe
//! (`rate · penalty < rate / (1 / penalty)`), the path is frozen by itself, and the others rise on.
//! Fat pipes whose levels are the same to the last bit fill together.
//!
//! Both happen in rising order of levels. A path that the filling has not reached stays settled,
//! because whatever could change it happens at a level above its own.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::paths::{Bound, NOTHING, OWN, Paths, State};

/// Levels that differ by less than this share are equal: a settled path keeps its level.
const EQUAL: f64 = 1e-10;

/// What sums of many paths may be off by, as a share.
const NOISE: f64 = 1e-12;

/// Bounds of paths that differ by less than this are equal: `precision/work-amount` of `SimGrid`.
const SAME_BOUND: f64 = 1e-5;

/// What happens to a link at a level. Of equal levels, releases come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Release,
    Fill,
}

/// What happens to which link at a level, as one number: in rising order of levels, steps and
/// links. Levels are not negative, so that their bits are in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Due(u128);

impl Due {
    fn new(level: f64, step: Step, link: u32) -> Self {
        Self(u128::from(level.to_bits()) << 64 | u128::from(step as u8) << 32 | u128::from(link))
    }

    fn level(self) -> f64 {
        f64::from_bits((self.0 >> 64) as u64)
    }

    fn step(self) -> Step {
        if self.0 >> 32 & 1 == 0 {
            Step::Release
        } else {
            Step::Fill
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "the low half is the link")]
    const fn link(self) -> u32 {
        self.0 as u32
    }
}

/// Scratch of a link during a solve.
#[derive(Clone, Copy, Debug, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each says what has happened to the link, by itself"
)]
struct Tank {
    /// The solve in which the link was looked at last.
    round: u32,
    /// Paths that rise with the level: all but final ones and those that stop below `stop`.
    open: u32,
    /// Whether it was filled, and whether it released what it bound.
    filled: bool,
    released: bool,
    /// Whether it is among the links that releases concern.
    concerned: bool,
    /// Whether it is a fat pipe: `scale` is then the largest weight of an open path.
    is_fat: bool,
    /// What open paths may take, and the sum of their loads and scales.
    left: f64,
    scale: f64,
    /// Paths whose ceiling lies below this level count as stopping there.
    stop: f64,
    /// No ceiling of an open path lies below this level.
    ceiling: f64,
    /// The level at which the link binds settled paths; infinite where it binds none.
    bound: f64,
}

impl Tank {
    /// The level at which the link would be full.
    fn level(&self) -> f64 {
        if self.open == 0 {
            f64::INFINITY
        } else if self.scale > 0.0 {
            (self.left / self.scale).max(0.0)
        } else {
            0.0
        }
    }
}

/// The solver, with scratch that is kept between solves.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fill {
    /// Counts solves. A path is settled unless its mark is twice the round (open) or one more
    /// (final).
    round: u32,
    tanks: Vec<Tank>,
    steps: BinaryHeap<Reverse<Due>>,
    /// Links that a release concerns.
    concerned: Vec<u32>,
    /// Paths that were opened or frozen.
    pub(crate) solved: Vec<u32>,
}

impl Fill {
    /// Begins a solve.
    pub(crate) fn begin(&mut self, paths: &mut Paths) {
        if self.round > u32::MAX / 2 - 2 {
            self.round = 0;
            self.tanks.clear();
            paths.states.iter_mut().for_each(|state| state.mark = 0);
        }
        self.round += 1;
        self.tanks.resize(paths.links.len(), Tank::default());
        self.solved.clear();
    }

    /// Opens a path whose transfers changed, whatever its level was.
    pub(crate) fn open(&mut self, paths: &mut Paths, path: u32) {
        if paths.states[path as usize].mark < 2 * self.round {
            paths.states[path as usize].mark = 2 * self.round;
            self.solved.push(path);
            paths.bind(path, NOTHING);
        }
    }

    /// Looks at the links of opened paths; to be called when all are open.
    pub(crate) fn look_at_opened(&mut self, paths: &Paths) {
        for at in 0..self.solved.len() {
            for &link in paths.crossed(self.solved[at]) {
                self.look_at(paths, link);
            }
        }
    }

    /// Looks at a link on which something changed, if it can bind anybody.
    pub(crate) fn look_at(&mut self, paths: &Paths, link: u32) {
        if self.tanks[link as usize].round == self.round {
            return;
        }
        if paths.links[link as usize].binds == 0 && paths.is_slack(link) {
            return;
        }
        self.tanks[link as usize] = Tank {
            round: self.round,
            ..Tank::default()
        };
        self.measure(paths, link);
        let tank = self.tanks[link as usize];
        if tank.bound.is_finite() {
            self.queue(tank.bound, Step::Release, link);
        }
        self.queue_fill(link);
    }

    /// Solves until nothing spreads any more.
    pub(crate) fn run(&mut self, paths: &mut Paths) {
        let (mut reached, mut released) = (0.0_f64, 0.0);
        while let Some(Reverse(due)) = self.steps.pop() {
            let (queued, step, link) = (due.level(), due.step(), due.link());
            if !self.concerned.is_empty()
                && (step == Step::Fill || released * (1.0 + EQUAL) < queued)
            {
                self.steps.push(Reverse(due));
                self.settle_releases(paths);
                continue;
            }
            reached = reached.max(queued);
            released = queued;
            match step {
                Step::Release => self.release(paths, link, queued),
                Step::Fill => self.fill(paths, link, queued, reached),
            }
            if self.steps.is_empty() {
                self.settle_releases(paths);
            }
        }
        for at in 0..self.solved.len() {
            let path = self.solved[at];
            if paths.states[path as usize].mark == 2 * self.round {
                let own = paths.states[path as usize].own;
                self.freeze(paths, path, own, OWN);
            }
        }
    }

    fn queue(&mut self, level: f64, step: Step, link: u32) {
        self.steps.push(Reverse(Due::new(level, step, link)));
    }

    fn queue_fill(&mut self, link: u32) {
        let level = self.tanks[link as usize].level();
        if level.is_finite() {
            self.queue(level, Step::Fill, link);
        }
    }

    /// The ceiling of a path on a fat pipe: that is its level, which is computed in two ways.
    fn fat_ceiling(&self, state: &State, link: u32) -> Option<f64> {
        let ceiling = self.ceiling(state, link);
        ceiling.map(|ceiling| ceiling * (1.0 + EQUAL))
    }

    /// The level above which a path that is not final cannot rise whatever this link does; `None`
    /// for a final one.
    fn ceiling(&self, state: &State, link: u32) -> Option<f64> {
        if state.mark == 2 * self.round + 1 {
            None
        } else if state.mark == 2 * self.round || state.bound == link {
            Some(state.own)
        } else {
            Some(state.level)
        }
    }

    /// Finds the level at which a link would be full, others staying as they are: paths stop at
    /// their ceilings, which leaves more for the rest, until no ceiling lies below the level.
    fn measure(&mut self, paths: &Paths, link: u32) {
        let mut tank = self.tanks[link as usize];
        tank.stop = 0.0;
        loop {
            self.pass(paths, link, &mut tank);
            let level = tank.level();
            if tank.open == 0 || level <= tank.ceiling {
                break;
            }
            tank.stop = level;
        }
        self.tanks[link as usize] = tank;
    }

    /// Adds up the users of a link, with ceilings below `tank.stop` counted as reached.
    fn pass(&self, paths: &Paths, link: u32, tank: &mut Tank) {
        let used = &paths.links[link as usize];
        (tank.open, tank.left, tank.scale) = (0, used.rate, 0.0);
        (tank.ceiling, tank.bound) = (f64::INFINITY, f64::INFINITY);
        tank.is_fat = used.is_fat;
        if used.is_fat {
            self.pass_fat(paths, link, tank);
        } else if paths.are_loads_one() {
            self.pass_shared(paths, link, tank, |_| 1.0);
        } else {
            self.pass_shared(paths, link, tank, |slot| paths.load(slot));
        }
    }

    #[inline]
    fn pass_shared(&self, paths: &Paths, link: u32, tank: &mut Tank, load: impl Fn(usize) -> f64) {
        let open = 2 * self.round;
        for user in &paths.links[link as usize].users {
            let state = &paths.states[user.path as usize];
            let scale = load(user.slot as usize) * state.scale;
            // As in `ceiling`, with what stops or is final taken off in one place.
            let is_settled = state.mark < open;
            let is_bound = state.bound == link;
            let stops_at = if open < state.mark || (is_settled && !is_bound) {
                state.level
            } else {
                state.own
            };
            if open < state.mark || stops_at < tank.stop {
                tank.left -= scale * stops_at;
            } else {
                tank.open += 1;
                tank.scale += scale;
                tank.ceiling = tank.ceiling.min(stops_at);
            }
            if is_settled && is_bound {
                tank.bound = state.level;
            }
        }
    }

    fn pass_fat(&self, paths: &Paths, link: u32, tank: &mut Tank) {
        for user in &paths.links[link as usize].users {
            let state = &paths.states[user.path as usize];
            let ceiling = self.fat_ceiling(state, link);
            if let Some(ceiling) = ceiling.filter(|ceiling| tank.stop <= *ceiling) {
                tank.open += 1;
                tank.scale = tank.scale.max(paths.weight(user.path));
                tank.ceiling = tank.ceiling.min(ceiling);
            }
            if state.bound == link && state.mark < 2 * self.round {
                tank.bound = state.level;
            }
        }
    }

    /// The link no longer binds at the level at which it did, unless it is full there again.
    fn release(&mut self, paths: &mut Paths, link: u32, level: f64) {
        let tank = &mut self.tanks[link as usize];
        if tank.filled || tank.released || tank.level() <= level * (1.0 + EQUAL) {
            return;
        }
        tank.released = true;
        for at in 0..paths.links[link as usize].users.len() {
            let path = paths.links[link as usize].users[at].path;
            let state = paths.states[path as usize];
            if state.bound == link && state.mark < 2 * self.round {
                self.let_rise(paths, path, link);
            }
        }
    }

    /// Opens a settled path that its link no longer binds.
    fn let_rise(&mut self, paths: &mut Paths, path: u32, link: u32) {
        let state = paths.states[path as usize];
        for slot in paths.range(path) {
            let other = paths.link_of(slot);
            if other == link {
                continue;
            }
            let tank = &mut self.tanks[other as usize];
            if tank.round == self.round {
                let scale = paths.load(slot) * state.scale;
                if tank.is_fat {
                    tank.stop = f64::INFINITY;
                } else if state.own < tank.stop {
                    tank.left += scale * (state.level - state.own);
                } else if state.level < tank.stop {
                    tank.left += scale * state.level;
                    tank.scale += scale;
                    tank.open += 1;
                    tank.ceiling = tank.ceiling.min(state.own);
                }
                if tank.concerned || tank.filled {
                    continue;
                }
                tank.concerned = true;
            }
            self.concerned.push(other);
        }
        paths.states[path as usize].mark = 2 * self.round;
        self.solved.push(path);
        paths.bind(path, NOTHING);
    }

    /// Queues what releases at one level concern, once for all of them.
    fn settle_releases(&mut self, paths: &Paths) {
        for at in 0..self.concerned.len() {
            let link = self.concerned[at];
            if self.tanks[link as usize].round != self.round {
                self.look_at(paths, link);
                continue;
            }
            let tank = &mut self.tanks[link as usize];
            if !std::mem::take(&mut tank.concerned) {
                continue;
            }
            // Paths that stopped below a level that has come down to them may have to share.
            let room = paths.links[link as usize].rate * NOISE;
            let is_full = tank.open == 0 && tank.left < -room;
            if tank.is_fat || is_full || tank.level() < tank.stop * (1.0 - NOISE) {
                self.measure(paths, link);
            }
            self.queue_fill(link);
        }
        self.concerned.clear();
    }

    /// The link is full at a level, unless its paths froze elsewhere in the meantime.
    fn fill(&mut self, paths: &mut Paths, link: u32, queued: f64, reached: f64) {
        let tank = self.tanks[link as usize];
        if tank.filled || tank.open == 0 {
            return;
        }
        if tank.ceiling < tank.level() {
            self.measure(paths, link);
        }
        let level = self.tanks[link as usize].level();
        if queued * (1.0 + NOISE) < level {
            if tank.bound.is_finite() && tank.bound * (1.0 + EQUAL) < level && !tank.released {
                self.queue(tank.bound.max(queued), Step::Release, link);
            }
            self.queue_fill(link);
            return;
        }
        if tank.is_fat {
            self.fill_fat(paths, link, reached);
            return;
        }
        self.tanks[link as usize].filled = true;
        let level = self.tanks[link as usize].level().max(reached);
        let stop = self.tanks[link as usize].stop;
        for at in 0..paths.links[link as usize].users.len() {
            let path = paths.links[link as usize].users[at].path;
            let ceiling = self.ceiling(&paths.states[path as usize], link);
            if ceiling.is_some_and(|ceiling| stop <= ceiling) {
                self.freeze_at(paths, path, level, link);
            }
        }
    }

    /// Freezes a path at the level of a link that is full, unless it is settled there already.
    fn freeze_at(&mut self, paths: &mut Paths, path: u32, level: f64, link: u32) {
        let state = paths.states[path as usize];
        let is_settled = state.mark < 2 * self.round;
        if !is_settled || level * EQUAL < (state.level - level).abs() {
            self.freeze(paths, path, level.min(state.own), link);
        } else if state.bound != link {
            // What bound it until now may release it: this link does not.
            self.freeze(paths, path, state.level, link);
        }
    }

    /// Fat pipes that are full at one level freeze together what is open on any of them, also
    /// paths that the others alone would let rise on.
    fn fill_fat(&mut self, paths: &mut Paths, link: u32, reached: f64) {
        let full = self.tanks[link as usize].level();
        let group = self.full_with(paths, link, full);
        let mut open: Vec<(u32, u32)> = Vec::new();
        for &link in &group {
            let stop = self.tanks[link as usize].stop;
            let users = paths.links[link as usize].users.iter();
            let paths_of = users.map(|user| user.path).filter(|&path| {
                let ceiling = self.fat_ceiling(&paths.states[path as usize], link);
                ceiling.is_some_and(|ceiling| stop <= ceiling)
            });
            open.extend(paths_of.map(|path| (path, link)));
        }
        if self.freeze_narrow(paths, &open, full) {
            for &link in &group {
                self.measure(paths, link);
                self.queue_fill(link);
            }
            return;
        }
        for &link in &group {
            self.tanks[link as usize].filled = true;
        }
        let level = full.max(reached);
        for (path, link) in open {
            if paths.states[path as usize].mark != 2 * self.round + 1 {
                self.freeze_at(paths, path, level, link);
            }
        }
    }

    /// A fat pipe with all others that are full at exactly its level.
    fn full_with(&mut self, paths: &Paths, link: u32, full: f64) -> Vec<u32> {
        let is_alike = |due: &Due| {
            due.step() == Step::Fill
                && due.level().to_bits() == full.to_bits()
                && self.tanks[due.link() as usize].is_fat
        };
        let dues = self.steps.iter().map(|Reverse(due)| *due);
        let mut group: Vec<u32> = dues.filter(is_alike).map(Due::link).collect();
        group.push(link);
        group.sort_unstable();
        group.dedup();
        group.retain(|&other| {
            if other == link {
                return true;
            }
            let tank = self.tanks[other as usize];
            if tank.filled || tank.open == 0 {
                return false;
            }
            self.measure(paths, other);
            self.tanks[other as usize].level().to_bits() == full.to_bits()
        });
        group
    }

    /// Freezes those open paths of full fat pipes that their narrowest links stop just below the
    /// level, those of the lowest bound; whether there are any.
    fn freeze_narrow(&mut self, paths: &mut Paths, open: &[(u32, u32)], full: f64) -> bool {
        let bounds = open.iter().map(|&(path, _)| (path, paths.narrowest(path)));
        let bounds: Vec<(u32, f64)> = bounds.collect();
        let lowest = bounds.iter().map(|&(_, bound)| bound);
        let lowest = lowest.fold(f64::INFINITY, f64::min);
        if full <= lowest {
            return false;
        }
        for &(path, bound) in &bounds {
            let is_final = paths.states[path as usize].mark == 2 * self.round + 1;
            if bound - lowest < SAME_BOUND && !is_final {
                self.freeze(paths, path, paths.states[path as usize].own, OWN);
            }
        }
        true
    }

    /// Freezes a path, and tells its links.
    fn freeze(&mut self, paths: &mut Paths, path: u32, level: f64, bound: Bound) {
        let state = paths.states[path as usize];
        let is_settled = state.mark < 2 * self.round;
        for slot in paths.range(path) {
            let link = paths.link_of(slot);
            if link == bound {
                continue;
            }
            if self.tanks[link as usize].round == self.round {
                let ceiling = self.ceiling(&state, link);
                let tank = &mut self.tanks[link as usize];
                let scale = paths.load(slot) * state.scale;
                if tank.is_fat {
                    // Its level follows the largest weight: to be found again when it is asked.
                    tank.ceiling = 0.0;
                    continue;
                }
                match ceiling {
                    Some(ceiling) if ceiling < tank.stop => tank.left += scale * (ceiling - level),
                    Some(_) => {
                        tank.open -= 1;
                        tank.left -= scale * level;
                        tank.scale -= scale;
                    }
                    None => {}
                }
            }
        }
        let now = &mut paths.states[path as usize];
        (now.level, now.mark) = (level, 2 * self.round + 1);
        if is_settled {
            self.solved.push(path);
        }
        paths.bind(path, bound);
        if is_settled && level < state.level {
            self.look_at_room(paths, path, bound);
        }
    }

    /// A settled path fell: links that bind others have room for them.
    fn look_at_room(&mut self, paths: &Paths, path: u32, bound: Bound) {
        for &link in paths.crossed(path) {
            if link != bound && 0 < paths.links[link as usize].binds {
                self.look_at(paths, link);
            }
        }
    }
}
