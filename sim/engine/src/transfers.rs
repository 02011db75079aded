//! What leaves a scale-up domain, carried by the network engine.

use network::{Network, PathId, Transfer, TransferId};
use units::{Bytes, Seconds};

use crate::queue::Event;
use crate::simulation::{Owner, Simulation};
use crate::{Driver, EngineError};

impl<D: Driver, N: Network> Simulation<'_, D, N> {
    pub(crate) fn submit(
        &mut self,
        path: u32,
        bytes: Bytes,
        owner: Owner,
    ) -> Result<(), EngineError> {
        let transfer = Transfer {
            path: PathId::new(path),
            bytes,
            latency: Seconds::ZERO,
        };
        let id = self.network.submit(self.now, transfer)?;
        self.owners.insert(id, owner);
        Ok(())
    }

    pub(crate) fn transfer_ended(&mut self, transfer: TransferId) -> Result<(), EngineError> {
        let Some(owner) = self.owners.remove(&transfer) else {
            return Ok(());
        };
        match owner {
            Owner::Group(group) => {
                let rendezvous = &mut self.groups[group as usize];
                rendezvous.outstanding -= 1;
                if rendezvous.outstanding != 0 {
                    return Ok(());
                }
                rendezvous.phase += 1;
                self.start_phase(group)
            }
            Owner::Channel(channel) => self.message_left(channel),
        }
    }

    pub(crate) fn message_left(&mut self, channel: u32) -> Result<(), EngineError> {
        let link = self.setup.channels[channel as usize];
        let state = &mut self.channels[channel as usize];
        let Some(message) = state.leaving.pop_front() else {
            return Ok(());
        };
        state.travelling.push(message);
        let at = self.now.after(link.price.latency)?;
        self.queue.push(
            at,
            Event::Arrive {
                channel,
                message: message.number,
            },
        );
        match (
            state.leaving.front().map(|next| next.bytes),
            link.price.path,
        ) {
            (Some(bytes), Some(path)) => self.submit(path, bytes, Owner::Channel(channel)),
            _ => Ok(()),
        }
    }
}
