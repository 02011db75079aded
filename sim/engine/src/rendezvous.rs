//! Collectives: lanes come together, phases follow each other, all go on at once.

use std::rc::Rc;

use network::Network;
use task::{Group, Work};
use trace::{NO_INDEX, SpanId};
use units::SimTime;

use crate::lane::Place;
use crate::pricing::Phase;
use crate::queue::Event;
use crate::simulation::{Owner, Simulation, index};
use crate::{Driver, EngineError};

/// One lane that has come to a collective.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Joined {
    pub(crate) lane: u32,
    pub(crate) place: Place,
}

/// The collective that a group gathers for or runs.
///
/// Invariant: a lane uses one stream for all collectives of a group, so that a group has at
/// most one collective at a time.
#[derive(Debug)]
pub(crate) struct Rendezvous {
    /// How many lanes come together.
    n_members: usize,
    price: u32,
    pub(crate) joined: Vec<Joined>,
    pub(crate) phases: Option<Rc<[Phase]>>,
    pub(crate) phase: usize,
    pub(crate) outstanding: u32,
    pub(crate) started: SimTime,
    /// What the last lane to come did before.
    pub(crate) cause: SpanId,
}

impl Rendezvous {
    pub(crate) fn new(group: &Group) -> Self {
        Self {
            n_members: group.members.len(),
            price: group.price,
            joined: Vec::new(),
            phases: None,
            phase: 0,
            outstanding: 0,
            started: SimTime::ZERO,
            cause: NO_INDEX,
        }
    }
}

impl<D: Driver, N: Network> Simulation<'_, D, N> {
    pub(crate) fn join(
        &mut self,
        group: u32,
        joined: Joined,
        cause: SpanId,
    ) -> Result<(), EngineError> {
        let rendezvous = &mut self.groups[group as usize];
        rendezvous.joined.push(joined);
        if rendezvous.joined.len() < rendezvous.n_members {
            return Ok(());
        }
        rendezvous.started = self.now;
        rendezvous.cause = cause;
        rendezvous.phase = 0;
        let price = rendezvous.price;
        let Work::Collective { kind, bytes, .. } = self.step(joined.lane, joined.place).work else {
            return Ok(());
        };
        debug_assert!(self.agree(group), "a group comes to different collectives");
        self.groups[group as usize].phases = Some(self.prices.phases(price, kind, bytes));
        for at in 0..self.groups[group as usize].joined.len() {
            let member = self.groups[group as usize].joined[at];
            let step = self.step(member.lane, member.place);
            self.begin(member.lane, step)?;
        }
        self.start_phase(group)
    }

    /// Whether all lanes of a group have come to the same operation and size.
    fn agree(&self, group: u32) -> bool {
        let joined = self.groups[group as usize].joined.iter();
        let mut works = joined.map(|member| match self.step(member.lane, member.place).work {
            Work::Collective { kind, bytes, .. } => Some((kind, bytes)),
            _ => None,
        });
        let first = works.next();
        works.all(|work| Some(work) == first)
    }

    pub(crate) fn start_phase(&mut self, group: u32) -> Result<(), EngineError> {
        let rendezvous = &self.groups[group as usize];
        let phase = rendezvous
            .phases
            .as_ref()
            .and_then(|phases| phases.get(rendezvous.phase));
        match phase {
            Some(phase) => {
                let at = self.now.after(phase.delay)?;
                self.queue.push(at, Event::Group(group));
                Ok(())
            }
            None => self.collective_ended(group),
        }
    }

    pub(crate) fn phase_delay_over(&mut self, group: u32) -> Result<(), EngineError> {
        let rendezvous = &mut self.groups[group as usize];
        let Some(phases) = rendezvous.phases.clone() else {
            return Ok(());
        };
        let transfers = &phases[rendezvous.phase].transfers;
        if transfers.is_empty() {
            rendezvous.phase += 1;
            return self.start_phase(group);
        }
        rendezvous.outstanding = index(transfers.len());
        for &(path, bytes) in transfers {
            self.submit(path, bytes, Owner::Group(group))?;
        }
        Ok(())
    }

    pub(crate) fn collective_ended(&mut self, group: u32) -> Result<(), EngineError> {
        let rendezvous = &mut self.groups[group as usize];
        let (started, cause) = (rendezvous.started, rendezvous.cause);
        let mut joined = std::mem::take(&mut rendezvous.joined);
        for member in &joined {
            let step = self.step(member.lane, member.place);
            let span = self.record(member.lane, member.place, step, started, cause);
            self.end(member.lane, member.place, step, span)?;
        }
        joined.clear();
        self.groups[group as usize].joined = joined;
        Ok(())
    }
}
