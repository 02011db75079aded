//! The state of a packet network and its loop over events.

use std::collections::BTreeMap;

use units::SimTime;

use super::config::{Config, Transport};
use super::connection::Lane;
use super::flow::{Receiver, Sender};
use super::link::Link;
use super::message::{Record, Report};
use super::nscc::Terms;
use super::pool::{Form, List, NONE, Packet, Pool};
use super::routes::Routes;
use super::sample::Samples;
use super::stats::Totals;
use super::wheel::{Event, Kind, Wheel};
use rand_pcg::Pcg32;

/// Sizes that all flows share, from the configuration.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sizes {
    pub(super) payload: u32,
    pub(super) header: u16,
    pub(super) whole: u16,
    pub(super) ack_every: u64,
    /// Bytes with headers that one credit allows.
    pub(super) credit: u64,
}

/// The pacer of a host's credits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Granter {
    /// Flows that want credit, in turn.
    pub(super) line: List,
    pub(super) next_at: u64,
    pub(super) called: bool,
    /// Picoseconds between credits.
    pub(super) every: u64,
}

/// A change of a link to come.
#[derive(Clone, Copy, Debug)]
pub(super) enum Change {
    /// Picoseconds a byte takes.
    Rate(u32, f64),
    Fail(u32),
    Restore(u32),
}

/// A switch with a shared buffer.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Switch {
    pub(super) used: u64,
    /// Incoming links.
    pub(super) ports: u32,
    /// What they need of the buffer for pauses under way.
    pub(super) reserved: u64,
}

/// Everything but the topology.
#[derive(Clone, Debug)]
pub(super) struct Core {
    pub(super) config: Config,
    pub(super) sizes: Sizes,
    pub(super) terms: Terms,
    /// Whether starts are looked at when they happen: buffers and pauses depend on them.
    pub(super) eager: bool,
    pub(super) clock: u64,
    pub(super) wheel: Wheel,
    pub(super) pool: Pool,
    pub(super) links: Vec<Link>,
    /// The switch at the end of each link, where switches matter.
    pub(super) ends: Vec<u32>,
    pub(super) switches: Vec<Switch>,
    pub(super) routes: Routes,
    pub(super) senders: Vec<Sender>,
    pub(super) receivers: Vec<Receiver>,
    pub(super) spare: Vec<u32>,
    /// By connection, the last flow of those that have packets left to send.
    pub(super) lanes: BTreeMap<Lane, u32>,
    pub(super) granters: Vec<Granter>,
    pub(super) messages: Vec<Record>,
    pub(super) changes: Vec<Change>,
    pub(super) changes_left: u32,
    pub(super) reports: Vec<Report>,
    pub(super) totals: Totals,
    pub(super) samples: Option<Samples>,
    /// Messages that have not ended.
    pub(super) open: u64,
    /// For marks and trims.
    pub(super) rng: Pcg32,
    pub(super) pool_bytes: u64,
    /// Of each incoming link beyond the buffer; none where it is a part of the buffer.
    pub(super) headroom: Option<u64>,
    pub(super) resume_below: u64,
    pub(super) pause_bytes: u64,
    /// Links of the way that is looked at.
    pub(super) scratch: Vec<u32>,
    /// A message that nothing is heard of.
    pub(super) stuck: Option<u32>,
}

impl Core {
    /// Handles events until something is reported or none lies at or before `to`.
    pub(super) fn run(&mut self, to: u64) -> bool {
        loop {
            while let Some(event) = self.wheel.pop(to) {
                self.clock = event.at;
                self.handle(event);
                if !self.reports.is_empty() || self.stuck.is_some() {
                    return self.stuck.is_none();
                }
            }
            if !(self.eager && self.is_stalled() && self.release_pauses()) {
                return false;
            }
        }
    }

    #[inline]
    fn handle(&mut self, event: Event) {
        match event.kind {
            Kind::Arrive => self.arrive(event.id),
            Kind::Serve => self.serve(event.id),
            Kind::Pause => self.pause(event.id),
            Kind::Resume => self.resume(event.id),
            Kind::Timeout => self.time_out(event.id),
            Kind::Paced => self.paced(event.id),
            Kind::Rate => self.tick_rate(event.id),
            Kind::Grant => self.grant(event.id),
            Kind::Arrival => self.arrive_empty(event.id),
            Kind::Change => self.change(event.id),
            Kind::Reroute => self.reroute(),
            Kind::Sample => self.sample(),
        }
    }

    /// Gives up one use of a flow's slot, which others may take when it has none left.
    #[inline]
    pub(super) fn release(&mut self, flow: u32) {
        let sender = &mut self.senders[flow as usize];
        sender.uses -= 1;
        if sender.uses == 0 && sender.done {
            self.spare.push(flow);
        }
    }

    pub(super) fn drop_packet(&mut self, link: u32, packet: u32) {
        self.links[link as usize].count.dropped += 1;
        self.totals.dropped += 1;
        let entry = *self.pool.get(packet);
        self.pool.free(packet);
        if self.config.transport == Transport::Ideal {
            self.recover(entry);
        }
        self.release(entry.flow);
    }

    /// Without a transport the network itself tells the sender of a loss, a round trip later.
    fn recover(&mut self, entry: Packet) {
        if entry.form == Form::Data {
            self.lose(entry.flow, entry.number);
        }
        let sender = &self.senders[entry.flow as usize];
        let at = self.clock + (sender.round_trip << sender.backoff.min(6));
        self.set_timer(entry.flow, at);
    }

    pub(super) const fn now(&self) -> SimTime {
        SimTime::from_picos(self.clock)
    }

    pub(super) const fn is_link(link: u32) -> bool {
        link != NONE
    }
}
