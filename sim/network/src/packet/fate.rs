//! Links that change, fail and return, and what routing makes of it.

use super::core::{Change, Core};
use super::pool::List;
use super::routes::WaySet;
use super::wheel::Kind;

/// Ways in a schedule of ideal spraying, at most this many times the number of ways.
const FINENESS: f64 = 16.0;

impl Core {
    pub(super) fn change(&mut self, change: u32) {
        self.changes_left -= 1;
        match self.changes[change as usize] {
            Change::Rate(link, per_byte) => self.change_rate(link, per_byte),
            Change::Fail(link) => self.fail(link),
            Change::Restore(link) => self.restore(link),
        }
        let wait = self.config.reroute_after.as_secs() * 1e12;
        let at = self.clock.saturating_add(super::nscc::picos(wait));
        self.wheel.push(at, Kind::Reroute, 0);
    }

    fn change_rate(&mut self, at: u32, per_byte: f64) {
        self.catch_up(at);
        let whole = u32::from(self.sizes.whole);
        let link = &mut self.links[at as usize];
        link.per_byte = per_byte;
        link.whole = link.time(whole);
    }

    /// What is on the link or waits for it is lost.
    fn fail(&mut self, at: u32) {
        self.catch_up(at);
        self.links[at as usize].dead = true;
        let now = self.clock;
        let link = &mut self.links[at as usize];
        link.settle(now);
        let lists = [link.flying, link.headers, link.data];
        link.flying = List::EMPTY;
        link.headers = List::EMPTY;
        link.data = List::EMPTY;
        link.header_bytes = 0;
        link.data_bytes = 0;
        for (nth, mut list) in lists.into_iter().enumerate() {
            while !list.is_empty() {
                let packet = self.pool.take(&mut list);
                if 0 < nth && self.eager {
                    let entry = self.pool.get(packet);
                    self.departed(at, entry.from, u64::from(entry.size));
                }
                self.drop_packet(at, packet);
            }
        }
    }

    fn restore(&mut self, at: u32) {
        let link = &mut self.links[at as usize];
        link.dead = false;
        link.free_at = link.free_at.max(self.clock);
        self.kick(at);
    }

    /// Routing learns which links work, and how fast they are.
    pub(super) fn reroute(&mut self) {
        for set in 0..self.routes.sets.len() {
            self.refresh(set);
        }
    }

    /// Computes a set's live ways and its schedule from the links as they are.
    pub(super) fn refresh(&mut self, set: usize) {
        let starts = &self.routes.sets[set].starts;
        let capacity = starts.iter().map(|&start| {
            let links = self.routes.middle(start).iter();
            let rate = links.map(|&link| {
                let link = &self.links[link as usize];
                if link.dead { 0.0 } else { 1.0 / link.per_byte }
            });
            rate.fold(f64::INFINITY, f64::min)
        });
        let capacity: Vec<f64> = capacity.collect();
        let all = || 0..u32::try_from(capacity.len()).unwrap_or(u32::MAX);
        let mut live: Vec<u32> = all().filter(|&way| 0.0 < capacity[way as usize]).collect();
        if live.is_empty() {
            live = all().collect();
        }
        let entry: &mut WaySet = &mut self.routes.sets[set];
        entry.schedule = schedule(&live, &capacity);
        entry.live = live;
    }
}

/// The live ways in proportion to their capacities, each as evenly spaced as possible: at every
/// place the way whose share is furthest behind, the first of equals.
fn schedule(live: &[u32], capacity: &[f64]) -> Vec<u32> {
    let of = |way: u32| capacity[way as usize];
    let least = live
        .iter()
        .map(|&way| of(way))
        .fold(f64::INFINITY, f64::min);
    let most = live.iter().map(|&way| of(way)).fold(0.0, f64::max);
    if most <= least {
        return live.to_vec();
    }
    let total: f64 = live.iter().map(|&way| of(way)).sum();
    let length = (total / least).min(FINENESS * live.len() as f64).ceil();
    let mut behind = vec![0.0; live.len()];
    let places = 0..super::nscc::picos(length);
    let place = |_| {
        for (nth, &way) in live.iter().enumerate() {
            behind[nth] += of(way) / total;
        }
        let mut chosen = 0;
        for nth in 1..live.len() {
            if behind[chosen] < behind[nth] {
                chosen = nth;
            }
        }
        behind[chosen] -= 1.0;
        live[chosen]
    };
    places.map(place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ideal_spraying_follows_capacity() {
        let ways = schedule(&[0, 1, 3], &[1.0, 2.0, 0.0, 1.0]);
        assert_eq!(ways, [1, 0, 3, 1]);
        assert_eq!(schedule(&[0, 1], &[5.0, 5.0]), [0, 1]);
    }
}
