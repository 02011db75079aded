//! The packet network as its callers see it.

use std::fmt::Write as _;

use cluster::{Direction, Topology};
use units::{BytesPerSec, LinkId, SimTime, TimeOverflow};

use super::config::Config;
use super::core::{Change, Core};
use super::error::PacketError;
use super::link::LinkStats;
use super::message::{Message, MessageId, Report, Times};
use super::sample::Samples;
use super::stats::Totals;
use super::wheel::Kind;

/// Moments from here on are an error: a quarter of the clock's range.
const END_OF_TIME: u64 = u64::MAX / 4;
/// Links of a deadlock that an error names.
const MOST_TOLD: usize = 8;

/// A packet network over a topology. See the [module](super) for an example.
#[derive(Clone, Debug)]
pub struct Packets<T> {
    pub(super) topology: T,
    pub(super) core: Core,
}

impl<T: Topology> Packets<T> {
    /// An idle network.
    ///
    /// # Errors
    ///
    /// [`PacketError::BadConfig`] and [`PacketError::SlowLink`].
    pub fn new(topology: T, config: Config) -> Result<Self, PacketError> {
        let core = Core::new(&topology, config)?;
        Ok(Self { topology, core })
    }

    /// Accepts a message at `now`, from which moment on its packets may leave. What happens until
    /// `now` is done first; its reports come with the next call that asks for reports.
    ///
    /// # Errors
    ///
    /// [`PacketError::Past`], [`PacketError::UnknownHost`], [`PacketError::NoWay`],
    /// [`PacketError::UnknownWay`], [`PacketError::TooLong`], [`PacketError::TooMany`].
    pub fn submit(&mut self, now: SimTime, message: Message) -> Result<MessageId, PacketError> {
        self.accept(now, message, None)
    }

    /// The same for a message of a connection, whose messages go one after the other: a message
    /// begins as soon as the one before it has sent each of its packets once. Connections are
    /// numbers of the caller's own; all messages of one go from one host to one other.
    ///
    /// # Errors
    ///
    /// Those of [`Packets::submit`].
    pub fn submit_on(
        &mut self,
        connection: u32,
        now: SimTime,
        message: Message,
    ) -> Result<MessageId, PacketError> {
        self.accept(now, message, Some(connection))
    }

    fn accept(
        &mut self,
        now: SimTime,
        message: Message,
        connection: Option<u32>,
    ) -> Result<MessageId, PacketError> {
        self.check_time(now)?;
        while self.core.run(now.as_picos()) {}
        self.core.clock = now.as_picos();
        self.core.submit(&self.topology, message, connection)
    }

    /// The next moment at which anything happens; `None` when every message was acknowledged and
    /// no link is to change.
    pub fn next_event(&self) -> Option<SimTime> {
        let core = &self.core;
        if !core.reports.is_empty() {
            return Some(core.now());
        }
        if core.is_stalled() {
            // The next call that moves the clock says why.
            return Some(core.now());
        }
        let busy = 0 < core.open || core.changes_left != 0;
        let next = if busy { core.wheel.next() } else { None };
        next.map(SimTime::from_picos)
    }

    /// Moves the clock, and appends what was delivered and acknowledged until then, in order of
    /// time.
    ///
    /// # Errors
    ///
    /// [`PacketError::Past`], [`PacketError::Stuck`], [`PacketError::Deadlock`],
    /// [`PacketError::Stalled`], [`PacketError::Overflow`].
    pub fn advance(&mut self, to: SimTime, reports: &mut Vec<Report>) -> Result<(), PacketError> {
        self.check_time(to)?;
        while self.core.run(to.as_picos()) {
            reports.append(&mut self.core.reports);
        }
        reports.append(&mut self.core.reports);
        self.check_health()?;
        self.core.clock = self.core.clock.max(to.as_picos());
        Ok(())
    }

    /// Moves the clock to the first moment, not after `to`, at which something is delivered or
    /// acknowledged, and appends it; to `to` where nothing is. Much faster than to ask for each
    /// event.
    ///
    /// # Errors
    ///
    /// As [`Packets::advance`].
    pub fn advance_to_report(
        &mut self,
        to: SimTime,
        reports: &mut Vec<Report>,
    ) -> Result<(), PacketError> {
        self.check_time(to)?;
        let reported = !self.core.reports.is_empty() || self.core.run(to.as_picos());
        self.check_health()?;
        let now = SimTime::from_picos(if reported {
            self.core.clock
        } else {
            to.as_picos()
        });
        reports.append(&mut self.core.reports);
        self.advance(now, reports)
    }

    /// Runs until every message is acknowledged.
    ///
    /// # Errors
    ///
    /// As [`Packets::advance`].
    pub fn run(&mut self, reports: &mut Vec<Report>) -> Result<(), PacketError> {
        while 0 < self.core.open && self.core.run(END_OF_TIME) {
            reports.append(&mut self.core.reports);
        }
        reports.append(&mut self.core.reports);
        self.check_health()
    }

    /// Changes a link's rate at `at`.
    ///
    /// # Errors
    ///
    /// [`PacketError::UnknownLink`], [`PacketError::Past`], [`PacketError::SlowLink`].
    pub fn set_rate(
        &mut self,
        at: SimTime,
        link: LinkId,
        rate: BytesPerSec,
    ) -> Result<(), PacketError> {
        let per_byte = super::build::per_byte(link.get(), rate)?;
        self.change_at(at, link, Change::Rate(link.get(), per_byte))
    }

    /// A link fails at `at`: what is on it or waits for it is lost, and so is what comes.
    ///
    /// # Errors
    ///
    /// [`PacketError::UnknownLink`], [`PacketError::Past`].
    pub fn fail(&mut self, at: SimTime, link: LinkId) -> Result<(), PacketError> {
        self.change_at(at, link, Change::Fail(link.get()))
    }

    /// A failed link works again from `at` on.
    ///
    /// # Errors
    ///
    /// [`PacketError::UnknownLink`], [`PacketError::Past`].
    pub fn restore(&mut self, at: SimTime, link: LinkId) -> Result<(), PacketError> {
        self.change_at(at, link, Change::Restore(link.get()))
    }

    fn change_at(&mut self, at: SimTime, link: LinkId, change: Change) -> Result<(), PacketError> {
        self.check_time(at)?;
        self.check_link(link.get())?;
        let core = &mut self.core;
        let id = u32::try_from(core.changes.len()).unwrap_or(u32::MAX);
        core.changes.push(change);
        core.changes_left += 1;
        core.wheel.push(at.as_picos(), Kind::Change, id);
        Ok(())
    }

    fn check_link(&self, link: u32) -> Result<(), PacketError> {
        let links = self.core.links.len();
        if (link as usize) < links {
            return Ok(());
        }
        Err(PacketError::UnknownLink { link, links })
    }

    fn check_time(&self, now: SimTime) -> Result<(), PacketError> {
        let [asked, clock] = [now.as_picos(), self.core.clock];
        if asked < clock {
            return Err(PacketError::Past { asked, clock });
        }
        Ok(())
    }

    fn check_health(&self) -> Result<(), PacketError> {
        let stuck = self.core.stuck;
        if stuck.is_some() || self.core.is_stalled() {
            return Err(self.standstill(stuck));
        }
        if END_OF_TIME <= self.core.clock {
            return Err(TimeOverflow.into());
        }
        Ok(())
    }

    /// Why nothing moves, or nothing is heard of a message.
    fn standstill(&self, stuck: Option<u32>) -> PacketError {
        let after_us = self.core.now().as_seconds().as_micros();
        let messages = self.core.open;
        if let Some(circle) = self.core.circle() {
            let circle = self.told(&circle);
            return PacketError::Deadlock {
                after_us,
                messages,
                circle,
            };
        }
        let records = &self.core.messages;
        let ends = match stuck {
            Some(message) => records.get(message as usize),
            None => records.iter().find(|record| record.left[1] != 0),
        };
        let name = |place: usize| {
            let ends = ends.map(|record| record.ends[place]);
            ends.map_or_else(String::new, |host| self.topology.host_name(host))
        };
        let (src, dst) = (name(0), name(1));
        match stuck {
            Some(_) => PacketError::Stuck {
                src,
                dst,
                timeouts: super::acknowledge::PATIENCE,
            },
            None => PacketError::Stalled {
                after_us,
                messages,
                src,
                dst,
            },
        }
    }

    /// Links that wait for each other, in words.
    fn told(&self, circle: &[u32]) -> String {
        let name = |link: &u32| {
            let wire = self.topology.wire_name(LinkId::new(*link));
            match wire.direction {
                Direction::Both => wire.name,
                direction => format!("{} {}", wire.name, direction.name()),
            }
        };
        let mut text = circle.first().map_or_else(String::new, name);
        for (at, link) in circle.iter().enumerate().skip(1).take(MOST_TOLD) {
            let joint = if at == 1 { "" } else { ", which" };
            let _ = write!(text, "{joint} waits for {}", name(link));
        }
        if MOST_TOLD + 1 < circle.len() {
            let more = circle.len() - MOST_TOLD - 1;
            let _ = write!(
                text,
                ", and so on over {more} more links to the last, which"
            );
        } else if 1 < circle.len() {
            text += ", which";
        }
        text + " waits for the first"
    }

    /// The clock.
    pub fn now(&self) -> SimTime {
        self.core.now()
    }

    /// The topology.
    pub const fn topology(&self) -> &T {
        &self.topology
    }

    /// What the network is made of.
    pub const fn config(&self) -> &Config {
        &self.core.config
    }

    /// The moments of a message; `None` for an id of another network.
    pub fn times(&self, id: MessageId) -> Option<Times> {
        let record = self.core.messages.get(id.0 as usize);
        record.map(|record| record.times)
    }

    /// What was counted so far.
    pub const fn totals(&self) -> &Totals {
        &self.core.totals
    }

    /// What a link did so far.
    ///
    /// # Errors
    ///
    /// [`PacketError::UnknownLink`].
    pub fn link(&self, link: LinkId) -> Result<LinkStats, PacketError> {
        self.check_link(link.get())?;
        Ok(self.core.links[link.index()].stats(self.core.now()))
    }

    /// Queues over time, if they are sampled.
    pub const fn samples(&self) -> Option<&Samples> {
        self.core.samples.as_ref()
    }

    /// Packets that wait or are on links now.
    pub fn n_packets(&self) -> usize {
        self.core.pool.n_used()
    }
}
