//! A message becomes flows.

use cluster::Topology;
use units::math::mix;
use units::{HostId, SimTime};

use super::balance::{Balance, Bitmap, Good, Reps, Round, low, stream};
use super::bits::Bits;
use super::config::{Balancing, Config, Control, Transport};
use super::core::Core;
use super::dcqcn::Dcqcn;
use super::error::PacketError;
use super::flow::{Pace, Receiver, Sender};
use super::message::{Message, MessageId, Record, Times};
use super::nscc::{Nscc, picos};
use super::pool::NONE;
use super::routes::{END, Side};
use super::wheel::Kind;

/// Queues that must drain before a packet counts as lost.
const DRAINS: u64 = 6;
/// Idle round trips that a sender waits at least: `RTO = SRTT + 4 RTTVAR` with `SRTT = R` and
/// `RTTVAR = R/2`, as before anything is measured (RFC 6298, section 2.2).
const ROUND_TRIPS: u64 = 3;

impl Core {
    pub(super) fn submit(
        &mut self,
        net: &impl Topology,
        message: Message,
        connection: Option<u32>,
    ) -> Result<MessageId, PacketError> {
        let (src, dst) = (message.src, message.dst);
        let hosts = net.n_hosts();
        for host in [src.get(), dst.get()] {
            if hosts <= host {
                return Err(PacketError::UnknownHost { host, hosts });
            }
        }
        let packets = message
            .bytes
            .as_u64()
            .div_ceil(u64::from(self.sizes.payload));
        if Config::MOST_PACKETS < packets {
            let bytes = message.bytes.as_u64();
            return Err(PacketError::TooLong { bytes });
        }
        let sides = self.sides(net, src, dst)?;
        let way = self.fixed_way(net, message, sides[0])?;
        let id = u32::try_from(self.messages.len()).unwrap_or(NONE);
        if id == NONE {
            let messages = self.messages.len();
            return Err(PacketError::TooMany { messages });
        }
        let parts = self.parts(message.bytes.as_u64());
        let idle = packets == 0 || self.routes.first(sides[0]) == END;
        let n_parts = if idle {
            1
        } else {
            u32::try_from(parts.len()).unwrap_or(1)
        };
        self.messages.push(Record {
            tag: message.tag,
            ends: [src, dst],
            left: [n_parts; 2],
            times: Times {
                released: SimTime::from_picos(self.clock),
                finish: None,
                acked: None,
            },
        });
        self.open += 1;
        self.schedule_sample();
        if idle {
            let latency: u64 = self.latency(sides[0]);
            self.wheel.push(self.clock + latency, Kind::Arrival, id);
            return Ok(MessageId(id));
        }
        for (part, bytes) in parts.into_iter().enumerate() {
            let part = low(part as u64);
            let flow = self.begin(id, part, bytes, sides, way, dst);
            if let Some(connection) = connection {
                self.queue(flow, (connection, part));
            }
            self.set_off(flow);
        }
        Ok(MessageId(id))
    }

    /// The ways there and back.
    fn sides(
        &mut self,
        net: &impl Topology,
        src: HostId,
        dst: HostId,
    ) -> Result<[Side; 2], PacketError> {
        let no_way = PacketError::NoWay {
            src: src.get(),
            dst: dst.get(),
        };
        let known = self.routes.sets.len();
        let there = self
            .routes
            .side(net, src, dst)
            .ok_or_else(|| no_way.clone())?;
        let back = self.routes.side(net, dst, src).ok_or(no_way)?;
        for set in known..self.routes.sets.len() {
            self.refresh(set);
        }
        if self.eager {
            self.find_switches(there);
            self.find_switches(back);
        }
        if self.config.transport == Transport::Uec && self.config.control != Control::Sender {
            let last = self.routes.middle(there.tail).last().copied();
            if let Some(last) = last {
                self.links[last as usize].marks = [u64::MAX; 2];
            }
        }
        Ok([there, back])
    }

    fn latency(&self, side: Side) -> u64 {
        let links = self.routes.links(side, 0);
        links.map(|link| self.links[link as usize].latency).sum()
    }

    fn fixed_way(
        &self,
        net: &impl Topology,
        message: Message,
        side: Side,
    ) -> Result<u32, PacketError> {
        if self.config.balancing != Balancing::SinglePath {
            return Ok(0);
        }
        let (src, dst) = (message.src, message.dst);
        let ways = self.routes.sets[side.set as usize].starts.len();
        let way = match message.way {
            Some(way) => way,
            None => net.static_way(src, dst),
        };
        if (way as usize) < ways {
            return Ok(way);
        }
        let (src, dst) = (src.get(), dst.get());
        Err(PacketError::UnknownWay {
            way,
            ways,
            src,
            dst,
        })
    }

    /// The bytes of the parts of a message: one, but for ECMP with several.
    fn parts(&self, bytes: u64) -> Vec<u64> {
        let Balancing::EcmpK { k } = self.config.balancing else {
            return vec![bytes];
        };
        let k = u64::from(k);
        let part = |nth| bytes / k + u64::from(nth < bytes % k);
        (0..k).map(part).filter(|&part| 0 < part).collect()
    }

    /// A flow begins: its number.
    fn begin(
        &mut self,
        message: u32,
        part: u16,
        bytes: u64,
        sides: [Side; 2],
        way: u32,
        dst: HostId,
    ) -> u32 {
        let flow = match self.spare.pop() {
            Some(flow) => flow,
            None => u32::try_from(self.senders.len()).unwrap_or(NONE),
        };
        let sender = self.sender(message, part, bytes, sides, way);
        let receiver = self.receiver(&sender, sides[1], dst);
        let per_byte = self.links[sender.narrow as usize].per_byte;
        let every = &mut self.granters[dst.index()].every;
        *every = picos(self.sizes.credit as f64 * per_byte).max(*every);
        if flow as usize == self.senders.len() {
            self.senders.push(sender);
            self.receivers.push(receiver);
        } else {
            self.senders[flow as usize] = sender;
            self.receivers[flow as usize] = receiver;
        }
        flow
    }

    /// A flow that has begun may send.
    fn set_off(&mut self, flow: u32) {
        let nic = self.senders[flow as usize].nic;
        self.catch_up(nic);
        self.make_ready(flow);
    }

    fn sender(
        &mut self,
        message: u32,
        part: u16,
        bytes: u64,
        sides: [Side; 2],
        way: u32,
    ) -> Sender {
        let payload = u64::from(self.sizes.payload);
        let packets = bytes.div_ceil(payload);
        let last = bytes - (packets - 1) * payload;
        let nic = self.routes.first(sides[0]);
        let key = u64::from(message) << 16 | u64::from(part);
        let mut rng = stream(self.config.seed, key);
        let round_trip = self.idle_round_trip(sides);
        let narrow = self.narrowest(sides[0]);
        let window = self.window(narrow, round_trip);
        let pace = self.pace(window, round_trip);
        let balance = self.balance(key, sides[0], way, &mut rng);
        let way = match balance {
            Balance::Fixed(way) => way,
            _ => 0,
        };
        Sender {
            side: sides[0],
            nic,
            narrow,
            way,
            packets: u32::try_from(packets).unwrap_or(u32::MAX),
            next: 0,
            all_below: 0,
            fresh: 0,
            in_flight: 0,
            credit: i64::try_from(window).unwrap_or(i64::MAX),
            granted: 0,
            speculates: true,
            is_ready: false,
            waits: false,
            done: false,
            timer: false,
            backoff: 0,
            last_size: low(last + u64::from(self.sizes.header)),
            next_ready: NONE,
            lane: None,
            behind: NONE,
            is_held: false,
            uses: 0,
            message,
            round_trip,
            timeout: self.timeout(narrow, round_trip),
            window,
            acked: Bits::default(),
            lost: Bits::default(),
            sent: Vec::new(),
            entropies: Vec::new(),
            pace,
            balance,
            rng,
            salt: mix(self.config.seed ^ mix(key ^ 0x7761_7973)),
        }
    }

    fn receiver(&self, sender: &Sender, side: Side, dst: HostId) -> Receiver {
        Receiver {
            side,
            nic: self.routes.first(side),
            expected: 0,
            packets: sender.packets,
            highest: 0,
            seen: Bits::default(),
            unanswered: 0,
            message: sender.message,
            granted: 0,
            wanted: 0,
            extra: 0,
            in_line: false,
            next_in_line: NONE,
            host: dst.get(),
            notified: None,
            asked: None,
        }
    }

    /// A whole packet there and a header back, in picoseconds.
    fn idle_round_trip(&self, sides: [Side; 2]) -> u64 {
        let (whole, header) = (u32::from(self.sizes.whole), u32::from(self.sizes.header));
        let time = |side, bytes| -> u64 {
            let links = self.routes.links(side, 0);
            let links = links.map(|link| &self.links[link as usize]);
            links.map(|link| link.latency + link.time(bytes)).sum()
        };
        time(sides[0], whole) + time(sides[1], header)
    }

    /// The slowest link of the first way, the first of equals: what a sender's rate is measured by.
    fn narrowest(&self, side: Side) -> u32 {
        let speed = |link: u32| self.links[link as usize].per_byte;
        let slower = |a: u32, b: u32| if speed(a) < speed(b) { b } else { a };
        let links = self.routes.links(side, 0);
        links.reduce(slower).unwrap_or(0)
    }

    fn window(&self, narrow: u32, round_trip: u64) -> u64 {
        let whole = u64::from(self.sizes.whole);
        let bdp = round_trip as f64 / self.links[narrow as usize].per_byte;
        let bytes = match self.config.window {
            super::Amount::Bdp(times) => picos(bdp * times),
            super::Amount::Bytes(bytes) => bytes,
            super::Amount::Packets(packets) => u64::from(packets) * whole,
            super::Amount::PacketsOrBdp(packets) => {
                (u64::from(packets) * whole).max(picos(bdp).next_multiple_of(whole))
            }
        };
        bytes.max(whole)
    }

    fn pace(&self, window: u64, round_trip: u64) -> Pace {
        let nscc = || {
            let least = f64::from(self.sizes.whole);
            Box::new(Nscc::new(window as f64, least, round_trip))
        };
        match (self.config.transport, self.config.control) {
            (Transport::Ideal, _) => Pace::None,
            (Transport::DcqcnGbn | Transport::DcqcnSr, _) => Pace::Rate(Box::new(Dcqcn::new())),
            (Transport::Ndp | Transport::Eqds, _) | (Transport::Uec, Control::Receiver) => {
                Pace::Credit
            }
            (Transport::Uec, Control::Sender) => Pace::Window(nscc()),
            (Transport::Uec, Control::Both) => Pace::Both(nscc()),
        }
    }

    /// How long a sender waits for an answer: the least timeout, and either some idle round trips
    /// or as long as full queues take to drain, whichever is longer.
    ///
    /// Over pauses a sender waits until a whole buffer of the slowest link has drained (`RTO_high` of
    /// Mittal et al., Revisiting network support for RDMA, SIGCOMM 2018): nothing is lost there for
    /// want of room, only late. Not so where go-back-N drops what overtakes: its timer is then what
    /// makes it go on.
    fn timeout(&self, narrow: u32, round_trip: u64) -> u64 {
        let least = picos(self.config.min_timeout.as_secs() * 1e12);
        let link = &self.links[narrow as usize];
        let pauses = self.config.pfc.is_some();
        let (queue, times) = match self.config.transport {
            Transport::Uec | Transport::Eqds => (link.room, DRAINS),
            Transport::DcqcnSr | Transport::DcqcnGbn
                if pauses
                    && (self.config.transport == Transport::DcqcnSr || self.keeps_order()) =>
            {
                (link.room.min(self.pool_bytes), 1)
            }
            _ => (0, 0),
        };
        let queue = if queue < u64::MAX { queue * times } else { 0 };
        let drained = picos(queue as f64 * link.per_byte);
        least + drained.max(round_trip.saturating_mul(ROUND_TRIPS))
    }

    /// Whether all packets of a flow go one way.
    const fn keeps_order(&self) -> bool {
        matches!(
            self.config.balancing,
            Balancing::Ecmp
                | Balancing::EcmpK { .. }
                | Balancing::AdaptiveFlow
                | Balancing::SinglePath
        )
    }

    fn balance(&mut self, key: u64, side: Side, way: u32, rng: &mut rand_pcg::Pcg32) -> Balance {
        let n_ways = self.routes.sets[side.set as usize].starts.len();
        let n_ways = u32::try_from(n_ways).unwrap_or(1).max(1);
        let n = self.config.entropies.unwrap_or(n_ways);
        match self.config.balancing {
            Balancing::Ecmp | Balancing::EcmpK { .. } => Balance::Fixed(low(mix(key))),
            Balancing::SinglePath => Balance::Fixed(low(u64::from(way))),
            Balancing::Flowlet { gap } => Balance::Flowlet {
                entropy: low(mix(key)),
                last: 0,
                gap: picos(gap.as_secs() * 1e12),
            },
            Balancing::AdaptiveFlow => Balance::Fixed(self.begin_on_calmest(side, key)),
            Balancing::AdaptivePacket => Balance::Adaptive,
            Balancing::Spray => Balance::Spray(side.head),
            Balancing::Oblivious => Balance::Oblivious(Round::new(n, rng)),
            Balancing::Reps => Balance::Reps(Box::new(Reps::new(n))),
            Balancing::Bitmap => Balance::Bitmap(Box::new(Bitmap::new(n, rng))),
            Balancing::Mixed => Balance::Mixed(Box::new((Good::default(), Bitmap::new(n, rng)))),
        }
    }

    /// The way of an answer: as its packet's, by the hash of the way back.
    pub(super) fn way_back(&mut self, flow: u32, side: Side, entropy: u16) -> [u32; 2] {
        let next = side.head + 1;
        let set = &self.routes.sets[side.set as usize];
        if set.starts.len() < 2 {
            return [next, NONE];
        }
        let salt = self.senders[flow as usize].salt;
        let hash = mix(!salt ^ u64::from(entropy));
        let nth = super::nic::scaled(hash, set.live.len() as u64);
        let way = set.live[usize::try_from(nth).unwrap_or(0)];
        let start = set.starts[way as usize];
        if self.routes.table[next as usize] == super::routes::TURN {
            [start, side.tail]
        } else {
            [next, start]
        }
    }
}
