//! The packet engine as a [`Network`]: transfers over paths become messages between hosts.
//!
//! A path is one message or several that leave together, each with its part of the transfer's
//! bytes and, where hosts choose ways, its way. A transfer ends when the last byte of all of them
//! has arrived; what is still to be acknowledged goes on beside later transfers and holds up
//! nothing.

use std::collections::BTreeSet;

use cluster::Topology;
use units::{Bytes, BytesPerSec, HostId, LinkId, SimTime};

use super::config::Config;
use super::engine::Packets;
use super::error::PacketError;
use super::message::{Message, Report, Stage};
use crate::{Network, NetworkError, Path, PathId, Transfer, TransferId};

/// Later than anything that the engine accepts.
const LATE: SimTime = SimTime::from_picos(u64::MAX / 4);

/// A part of every transfer over a path: a message from one host to another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Part {
    /// The sender.
    pub src: HostId,
    /// The receiver.
    pub dst: HostId,
    /// The way, as [`Message::way`].
    pub way: Option<u32>,
    /// Which part of the transfer's bytes.
    pub share: f64,
}

/// A transfer that is over.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Carried {
    /// Its path.
    pub path: PathId,
    /// Its payload.
    pub bytes: Bytes,
    /// When it was submitted.
    pub from: SimTime,
    /// When its last byte arrived.
    pub to: SimTime,
}

/// A transfer under way.
#[derive(Clone, Copy, Debug)]
struct Open {
    transfer: Transfer,
    from: SimTime,
    /// Messages that have not arrived.
    left: usize,
}

/// A packet network whose transfers run between hosts.
#[derive(Clone, Debug)]
pub struct PacketNetwork<T> {
    packets: Packets<T>,
    paths: Vec<Vec<Part>>,
    /// By transfer.
    transfers: Vec<Open>,
    n_open: usize,
    /// Transfers in their latency.
    waiting: BTreeSet<(SimTime, u64)>,
    /// What has ended and was not told yet.
    ended: Vec<TransferId>,
    reports: Vec<Report>,
    carried: Vec<Carried>,
}

impl<T: Topology> PacketNetwork<T> {
    /// An idle network.
    ///
    /// # Errors
    ///
    /// As [`Packets::new`].
    pub fn new(topology: T, config: Config) -> Result<Self, PacketError> {
        Ok(Self {
            packets: Packets::new(topology, config)?,
            paths: Vec::new(),
            transfers: Vec::new(),
            n_open: 0,
            waiting: BTreeSet::new(),
            ended: Vec::new(),
            reports: Vec::new(),
            carried: Vec::new(),
        })
    }

    /// Registers a path by its messages.
    pub fn add_parts(&mut self, parts: &[Part]) -> PathId {
        self.paths.push(parts.to_vec());
        PathId::new(u32::try_from(self.paths.len() - 1).unwrap_or(u32::MAX))
    }

    /// The network of packets.
    pub const fn packets(&self) -> &Packets<T> {
        &self.packets
    }

    /// What was carried so far, in the order in which it ended.
    pub fn carried(&self) -> &[Carried] {
        &self.carried
    }

    /// Sends the messages of a transfer.
    fn send(&mut self, id: u64, now: SimTime) -> Result<(), NetworkError> {
        let open = &self.transfers[place(id)];
        let bytes = open.transfer.bytes;
        for part in &self.paths[open.transfer.path.index()] {
            let message = Message {
                src: part.src,
                dst: part.dst,
                bytes: bytes.scale(part.share),
                way: part.way,
                tag: id,
            };
            self.packets.submit(now, message)?;
        }
        if open.left == 0 {
            self.end(id, now);
        }
        Ok(())
    }

    fn end(&mut self, id: u64, at: SimTime) {
        let open = self.transfers[place(id)];
        self.n_open -= 1;
        self.ended.push(TransferId::new(id));
        self.carried.push(Carried {
            path: open.transfer.path,
            bytes: open.transfer.bytes,
            from: open.from,
            to: at,
        });
    }

    /// Takes in what the packets report.
    fn note(&mut self) {
        let mut reports = std::mem::take(&mut self.reports);
        for report in reports.drain(..) {
            if report.stage == Stage::Delivered {
                let open = &mut self.transfers[place(report.tag)];
                open.left -= 1;
                if open.left == 0 {
                    self.end(report.tag, report.at);
                }
            }
        }
        self.reports = reports;
    }

    /// Sends what has waited long enough.
    fn release(&mut self, now: SimTime) -> Result<(), NetworkError> {
        while let Some(&(at, id)) = self.waiting.first() {
            if now < at {
                break;
            }
            self.waiting.pop_first();
            self.send(id, now)?;
        }
        Ok(())
    }

    fn first_waiting(&self) -> Option<SimTime> {
        self.waiting.first().map(|(at, _)| *at)
    }
}

impl<T: Topology> Network for PacketNetwork<T> {
    /// Paths of links are none of hosts: see [`PacketNetwork::add_parts`].
    fn add_path(&mut self, _path: &Path) -> Result<PathId, NetworkError> {
        Err(NetworkError::NoEnds)
    }

    fn submit(&mut self, now: SimTime, transfer: Transfer) -> Result<TransferId, NetworkError> {
        let Some(parts) = self.paths.get(transfer.path.index()) else {
            return Err(NetworkError::UnknownPath {
                path: transfer.path.get(),
                paths: self.paths.len(),
            });
        };
        let id = self.transfers.len() as u64;
        self.transfers.push(Open {
            transfer,
            from: now,
            left: parts.len(),
        });
        self.n_open += 1;
        // Acknowledgements may lie between the last transfer and this one.
        self.packets.advance(now, &mut self.reports)?;
        self.note();
        let start = now.after(transfer.latency)?;
        if start == now {
            self.send(id, now)?;
        } else {
            self.waiting.insert((start, id));
        }
        Ok(TransferId::new(id))
    }

    fn next_event(&self) -> Option<SimTime> {
        if !self.ended.is_empty() {
            return Some(self.packets.now());
        }
        if self.n_open == 0 {
            return None;
        }
        let packets = self.packets.next_event();
        packets.into_iter().chain(self.first_waiting()).min()
    }

    fn advance(&mut self, to: SimTime, finished: &mut Vec<TransferId>) -> Result<(), NetworkError> {
        while let Some(at) = self.first_waiting().filter(|at| *at <= to) {
            self.packets.advance(at, &mut self.reports)?;
            self.note();
            self.release(at)?;
        }
        self.packets.advance(to, &mut self.reports)?;
        self.note();
        finished.append(&mut self.ended);
        Ok(())
    }

    fn advance_to_end(
        &mut self,
        limit: Option<SimTime>,
        finished: &mut Vec<TransferId>,
    ) -> Result<SimTime, NetworkError> {
        if self.ended.is_empty() && 0 < self.n_open {
            let limits = limit.into_iter().chain(self.first_waiting());
            let to = limits.min().unwrap_or(LATE);
            self.packets.advance_to_report(to, &mut self.reports)?;
            self.note();
            self.release(self.packets.now())?;
        }
        finished.append(&mut self.ended);
        Ok(self.packets.now())
    }

    fn set_rate(&mut self, now: SimTime, link: u32, rate: BytesPerSec) -> Result<(), NetworkError> {
        self.packets.set_rate(now, LinkId::new(link), rate)?;
        Ok(())
    }

    fn now(&self) -> SimTime {
        self.packets.now()
    }
}

fn place(id: u64) -> usize {
    usize::try_from(id).expect("transfers are stored by id")
}
