//! The time of an iteration on one pipeline, exactly, for few servers: branch and bound.

use units::{Control, Interrupted};

use crate::place::ROUNDING;
use crate::{Cost, Iteration, PipelineScratch};

/// More servers have too many orders within a hair of the best.
const MOST_SERVERS: usize = 10;
/// Pipelines that are run before a proof is given up.
const MOST_TRIED: u64 = 200_000;

/// An order that no other undercuts; `None` where there are several pipelines, many servers, or
/// too many orders would have to be tried.
///
/// Servers are placed from the first stage on. A part of an order is left when the pipeline with
/// its links, and the shortest ones of any servers behind it, is no faster than the best one.
pub(crate) fn one_pipeline(
    cost: &Iteration,
    known: &[u32],
    control: &Control,
) -> Result<Option<Vec<u32>>, Interrupted> {
    if cost.n_pipelines() != 1 || MOST_SERVERS < cost.n_servers() {
        return Ok(None);
    }
    let (down, up) = cost.shortest_hops();
    let mut search = Search {
        cost,
        best: cost.full(known) * (1.0 - ROUNDING),
        order: known.to_vec(),
        placed: Vec::new(),
        down,
        up,
        scratch: PipelineScratch::default(),
        tried: 0,
        control,
    };
    let ended = search.extend((1 << cost.n_servers()) - 1)?;
    Ok(ended.then_some(search.order))
}

struct Search<'a> {
    cost: &'a Iteration,
    best: f64,
    order: Vec<u32>,
    placed: Vec<u32>,
    /// Hops of what is placed, and the shortest behind it.
    down: Vec<f64>,
    up: Vec<f64>,
    scratch: PipelineScratch,
    tried: u64,
    control: &'a Control,
}

impl Search<'_> {
    /// Tries all orders that go on from what is placed; whether it came to an end.
    fn extend(&mut self, left: u32) -> Result<bool, Interrupted> {
        self.control.check()?;
        if left == 0 {
            let time = self.cost.full(&self.placed);
            if time < self.best {
                self.best = time * (1.0 - ROUNDING);
                self.order.clone_from(&self.placed);
            }
            return Ok(true);
        }
        for (_, server) in self.choices(left) {
            if MOST_TRIED <= self.tried {
                return Ok(false);
            }
            if !self.place(server, left)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Servers that may come next, the nearest first.
    fn choices(&self, left: u32) -> Vec<(f64, u32)> {
        let hop = |server: u32| match self.placed.last() {
            Some(last) => {
                let (down, up) = self.cost.hop(self.placed.len() - 1, *last, server);
                down + up
            }
            None => 0.0,
        };
        let members = (0..u32::BITS).filter(|server| left >> server & 1 == 1);
        let mut choices: Vec<_> = members.map(|server| (hop(server), server)).collect();
        choices.sort_by(|a, b| a.0.total_cmp(&b.0));
        choices
    }

    /// Tries all orders with a server in the next place.
    fn place(&mut self, server: u32, left: u32) -> Result<bool, Interrupted> {
        let stage = self.placed.len();
        let shortest = stage
            .checked_sub(1)
            .map(|hop| (hop, self.down[hop], self.up[hop]));
        if let Some((hop, _, _)) = shortest {
            (self.down[hop], self.up[hop]) = self.cost.hop(hop, self.placed[hop], server);
        }
        self.tried += 1;
        self.placed.push(server);
        let running = self.cost.pipeline(&self.down, &self.up);
        let mut ended = true;
        if running.time(&mut self.scratch) < self.best {
            ended = self.extend(left & !(1 << server))?;
        }
        self.placed.pop();
        if let Some((hop, down, up)) = shortest {
            (self.down[hop], self.up[hop]) = (down, up);
        }
        Ok(ended)
    }
}
