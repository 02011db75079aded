//! Which way a flow takes that begins, where switches look for the calmest.
//!
//! A way costs what its fullest link would carry: flows under way on it and the new one, over its
//! rate, as the flow engine counts them (the `traffic` crate). The sum over its links, then the
//! time that what waits on them takes, tell apart ways whose fullest links are alike. What is
//! still equal is left to chance, which the seed and the flow decide.

use units::math::mix;

use super::balance::low;
use super::config::Balancing;
use super::core::Core;
use super::nic::scaled;
use super::routes::Side;

/// The weight of a way's other links: it only tells apart ways whose fullest links are alike.
const OTHERS: f64 = 1e-3;

impl Core {
    /// The number of the calmest live way for a flow that begins. The flow counts there from now on.
    pub(super) fn begin_on_calmest(&mut self, side: Side, key: u64) -> u16 {
        let n_live = self.routes.sets[side.set as usize].live.len();
        let draw = mix(self.config.seed ^ mix(key ^ 0x6361_6c6d));
        let first = usize::try_from(scaled(draw, n_live as u64)).unwrap_or(0);
        let mut best = ([f64::INFINITY; 2], 0);
        for nth in 0..n_live {
            let way = self.routes.sets[side.set as usize].live[(first + nth) % n_live];
            let cost = self.cost(side, way);
            if cost < best.0 {
                best = (cost, way);
            }
        }
        self.count_flow(side, best.1, 1);
        low(u64::from(best.1))
    }

    /// A flow has arrived and counts no longer.
    pub(super) fn end_on_way(&mut self, flow: u32) {
        if self.config.balancing == Balancing::AdaptiveFlow {
            let sender = &self.senders[flow as usize];
            let (side, way) = (sender.side, sender.way);
            self.count_flow(side, u32::from(way), -1);
        }
    }

    /// What a way costs by flows, then by what waits.
    fn cost(&mut self, side: Side, way: u32) -> [f64; 2] {
        let mut links = std::mem::take(&mut self.scratch);
        links.clear();
        links.extend(self.routes.links(side, way as usize));
        let [mut fullest, mut sum, mut waits] = [0.0_f64; 3];
        for &at in &links {
            self.catch_up(at);
            let link = &self.links[at as usize];
            let flows = f64::from(link.flows + 1) * link.per_byte;
            fullest = fullest.max(flows);
            sum += flows;
            waits += (link.occupied(self.clock) + link.header_bytes) as f64 * link.per_byte;
        }
        self.scratch = links;
        [fullest + sum * OTHERS, waits]
    }

    fn count_flow(&mut self, side: Side, way: u32, by: i32) {
        let routes = &self.routes;
        for at in routes.links(side, way as usize) {
            let link = &mut self.links[at as usize];
            link.flows = link.flows.saturating_add_signed(by);
        }
    }
}
