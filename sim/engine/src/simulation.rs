//! The event loop.

use std::collections::HashMap;

use network::{Network, TransferId};
use task::{Lanes, Program};
use trace::{Causes, NO_INDEX, SpanId, Trace, critical_path};
use units::{Control, SimTime};

use crate::code::Code;
use crate::jitter::Jitter;
use crate::lane::Lane;
use crate::message::ChannelState;
use crate::pricing::Prices;
use crate::queue::{Event, Queue};
use crate::rendezvous::Rendezvous;
use crate::{Driver, EngineError, Options, Pricing, Run};

/// Whom a transfer of the network engine belongs to.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Owner {
    Group(u32),
    Channel(u32),
}

pub(crate) struct Simulation<'a, D, N> {
    pub(crate) programs: &'a [Program],
    pub(crate) code: Code<'a>,
    pub(crate) setup: &'a Lanes,
    pub(crate) driver: &'a mut D,
    pub(crate) network: &'a mut N,
    pub(crate) options: &'a Options,
    pub(crate) prices: Prices<'a>,
    pub(crate) jitter: Option<Jitter>,
    pub(crate) now: SimTime,
    pub(crate) queue: Queue,
    pub(crate) lanes: Vec<Lane>,
    pub(crate) groups: Vec<Rendezvous>,
    pub(crate) channels: Vec<ChannelState>,
    pub(crate) owners: HashMap<TransferId, Owner>,
    /// Lanes in which something ended, with the span that did.
    pub(crate) touched: Vec<(u32, SpanId)>,
    pub(crate) trace: Option<Trace>,
    pub(crate) causes: Option<Causes>,
}

impl<'a, D: Driver, N: Network> Simulation<'a, D, N> {
    pub(crate) fn new(
        programs: &'a [Program],
        setup: &'a Lanes,
        driver: &'a mut D,
        network: &'a mut N,
        pricing: &'a dyn Pricing,
        options: &'a Options,
    ) -> Self {
        let lanes = setup
            .lanes
            .iter()
            .map(|lane| Lane::new(lane, &programs[lane.program as usize]))
            .collect::<Vec<_>>();
        let first_ranks = setup
            .lanes
            .iter()
            .map(|lane| lane.ranks.first().copied().unwrap_or(0));
        let jitter =
            (0.0 < options.jitter).then(|| Jitter::new(options.seed, options.jitter, first_ranks));
        let touched = (0..setup.lanes.len())
            .rev()
            .map(|lane| (index(lane), NO_INDEX))
            .collect();
        Self {
            programs,
            code: Code::new(programs),
            setup,
            driver,
            network,
            options,
            prices: Prices::new(pricing),
            jitter,
            now: SimTime::ZERO,
            queue: Queue::default(),
            lanes,
            groups: setup.groups.iter().map(Rendezvous::new).collect(),
            channels: setup
                .channels
                .iter()
                .map(|_| ChannelState::default())
                .collect(),
            owners: HashMap::new(),
            touched,
            trace: options.record.then(Trace::default),
            causes: (options.causes && !options.record).then(Causes::default),
        }
    }

    pub(crate) fn run(&mut self, control: &Control) -> Result<(), EngineError> {
        let mut finished = Vec::new();
        let mut rounds = 0_u32;
        loop {
            self.start_what_is_ready()?;
            if self.main_has_ended() {
                return Ok(());
            }
            rounds = rounds.wrapping_add(1);
            if rounds.is_multiple_of(4096) {
                control.check()?;
            }
            let in_network = self.network.next_event();
            let in_queue = self.queue.next_time();
            match (in_network, in_queue) {
                (None, None) => return self.check_all_ended(),
                (Some(at), other) if other.is_none_or(|other| at <= other) => {
                    finished.clear();
                    self.now = self.network.advance_to_end(other, &mut finished)?;
                    for &transfer in &finished {
                        self.transfer_ended(transfer)?;
                    }
                }
                _ => {
                    let Some((at, event)) = self.queue.pop() else {
                        continue;
                    };
                    if self.is_stale(event) {
                        continue;
                    }
                    self.now = at;
                    self.handle(event)?;
                }
            }
        }
    }

    pub(crate) fn finish(self) -> Run {
        let end = self.now;
        let mut trace = self.trace;
        if let Some(trace) = &mut trace {
            trace.end = end;
        }
        let of_trace = trace.as_ref().map(|trace| (&critical_path(trace)).into());
        let path = of_trace.or_else(|| self.causes.and_then(|causes| causes.critical(end)));
        Run {
            end,
            lanes: self
                .lanes
                .into_iter()
                .take(self.options.main.unwrap_or(usize::MAX))
                .map(|lane| lane.account.totals(end))
                .collect(),
            events: self.queue.inserted(),
            trace,
            path,
        }
    }

    /// Whether the lanes that count have ended while others go on.
    fn main_has_ended(&self) -> bool {
        let Some(n_main) = self.options.main else {
            return false;
        };
        let mut main = self.lanes.iter().take(n_main);
        main.all(|lane| lane.exhausted && lane.is_idle())
    }

    fn check_all_ended(&self) -> Result<(), EngineError> {
        let stuck = self
            .lanes
            .iter()
            .zip(&self.setup.lanes)
            .find(|(lane, _)| !lane.is_idle());
        let Some((lane, setup)) = stuck else {
            debug_assert!(self.owners.is_empty(), "a transfer that nobody waited for");
            return Ok(());
        };
        let program = &self.programs[setup.program as usize];
        let (block, step) = match lane.a_waiting_place() {
            Some(place) => {
                let block = &program.blocks[lane.fragment(place).block as usize];
                (
                    block.name.clone(),
                    block.steps[usize::from(place.1)].name.clone(),
                )
            }
            None => ("a collective".to_owned(), "its other members".to_owned()),
        };
        Err(EngineError::Deadlock {
            at_secs: self.now.as_seconds().as_secs(),
            lane: setup.name.clone(),
            block,
            step,
        })
    }

    /// Whether the event belongs to a kernel whose rate has changed since.
    fn is_stale(&self, event: Event) -> bool {
        matches!(event, Event::Compute { lane, version } if self.lanes[lane as usize].version != version)
    }

    fn handle(&mut self, event: Event) -> Result<(), EngineError> {
        match event {
            Event::Compute { lane, .. } => self.compute_ended(lane),
            Event::Delay {
                lane,
                fragment,
                step,
            } => self.delay_ended(lane, (fragment, step)),
            Event::Group(group) => self.phase_delay_over(group),
            Event::Arrive { channel, message } => self.arrived(channel, message),
        }
    }
}

pub(crate) fn index(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(NO_INDEX)
}
