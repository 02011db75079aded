//! What a packet network is made of: transport, load balancing, queues.

use units::{Bytes, BytesPerSec, Seconds};

/// A size of a queue, a threshold or a window.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Amount {
    /// That many bytes.
    Bytes(u64),
    /// That many whole packets.
    Packets(u32),
    /// That many whole packets, or the bandwidth-delay product where that is more.
    PacketsOrBdp(u32),
    /// That many times the bandwidth-delay product: the rate of the link, or of the sender's NIC
    /// for a window, times the round trip of an idle network.
    Bdp(f64),
}

impl Amount {
    /// The amount in bytes.
    ///
    /// * `rate`, `round_trip` — the two factors of the bandwidth-delay product.
    /// * `packet` — a whole packet with its header.
    pub fn bytes(self, rate: BytesPerSec, round_trip: Seconds, packet: u32) -> Bytes {
        let whole = |packets| Bytes::new(u64::from(packets) * u64::from(packet));
        let bdp = |times: f64| Bytes::from_f64(rate.as_f64() * round_trip.as_secs() * times);
        match self {
            Self::Bytes(bytes) => Bytes::new(bytes),
            Self::Packets(packets) => whole(packets),
            Self::PacketsOrBdp(packets) => whole(packets).max(bdp(1.0)),
            Self::Bdp(times) => bdp(times),
        }
    }
}

/// How a sender decides when to send, and what it does about losses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Transport {
    /// At the rate of its NIC into queues without end: what load balancing does by itself.
    Ideal,
    /// `DCQCN`, and everything from the first gap again after a loss (go-back-N).
    DcqcnGbn,
    /// `DCQCN`, and what was lost again (selective repeat).
    DcqcnSr,
    /// `NDP`: a first window, then one packet for each pull; trimmed packets are asked for again.
    Ndp,
    /// `EQDS`: a first window of speculative packets, then credits of the receiver.
    Eqds,
    /// As Ultra Ethernet: a window by delay and marks (`NSCC`), credits of the receiver, or both.
    Uec,
}

impl Transport {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Ideal,
        Self::DcqcnGbn,
        Self::DcqcnSr,
        Self::Ndp,
        Self::Eqds,
        Self::Uec,
    ];

    /// The name in scenarios.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ideal => "ideal",
            Self::DcqcnGbn => "dcqcn-gbn",
            Self::DcqcnSr => "dcqcn-sr",
            Self::Ndp => "ndp",
            Self::Eqds => "eqds",
            Self::Uec => "uec",
        }
    }

    /// The transport of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|other| other.name() == name)
    }

    /// Whether receivers grant what is sent after the first window.
    pub(super) const fn pulls(self) -> bool {
        matches!(self, Self::Ndp | Self::Eqds)
    }
}

/// Which of the equal ways a packet takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Balancing {
    /// One way for each message, by a hash.
    Ecmp,
    /// The message is cut into `k` parts, each with a way by a hash: several queue pairs.
    EcmpK {
        /// How many parts.
        k: u32,
    },
    /// A new way by a hash after a pause of the message.
    Flowlet {
        /// How long a pause; 50 to 500 µs are usual, above the skew of ways.
        gap: Seconds,
    },
    /// The way with the fewest flows on its fullest link when the message begins; of equals that with
    /// the shortest queues.
    AdaptiveFlow,
    /// The way with the shortest queue when a packet reaches the switch where ways branch.
    AdaptivePacket,
    /// Each packet the next way, in proportion to the ways' capacities: no randomness.
    Spray,
    /// A counter of entropies, with a random exclusive-or that changes every round.
    Oblivious,
    /// REPS: entropies whose acknowledgement came without a mark are used again.
    Reps,
    /// A counter of entropies that skips those with a penalty by marks and losses.
    Bitmap,
    /// An entropy that was acknowledged without a mark, else what the bitmap says.
    Mixed,
    /// The way that comes with the message; by destination where none does.
    SinglePath,
}

impl Balancing {
    /// The name in scenarios.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ecmp => "ecmp",
            Self::EcmpK { .. } => "ecmp-k",
            Self::Flowlet { .. } => "flowlet",
            Self::AdaptiveFlow => "adaptive-flow",
            Self::AdaptivePacket => "adaptive-packet",
            Self::Spray => "spray",
            Self::Oblivious => "oblivious",
            Self::Reps => "reps",
            Self::Bitmap => "bitmap",
            Self::Mixed => "mixed",
            Self::SinglePath => "singlepath",
        }
    }

    /// The policy of that name, with 4 parts and a gap of 100 µs where those matter.
    pub fn named(name: &str) -> Option<Self> {
        let all = [
            Self::Ecmp,
            Self::EcmpK { k: 4 },
            Self::Flowlet {
                gap: Seconds::from_micros(100.0),
            },
            Self::AdaptiveFlow,
            Self::AdaptivePacket,
            Self::Spray,
            Self::Oblivious,
            Self::Reps,
            Self::Bitmap,
            Self::Mixed,
            Self::SinglePath,
        ];
        all.into_iter().find(|other| other.name() == name)
    }
}

/// Who controls the rate of a UEC sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Control {
    /// The sender's window (`NSCC`).
    Sender,
    /// The receiver's credits.
    Receiver,
    /// Both: what is sent needs room in the window and credit.
    Both,
}

/// Room for waiting packets in a switch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Buffer {
    /// Each port has a queue of its own.
    PerPort(Amount),
    /// The ports of a switch share a pool; a queue may hold `alpha` times what is free.
    Shared {
        /// The pool.
        pool: Amount,
        /// The dynamic threshold.
        alpha: f64,
    },
    /// Nothing is ever dropped or trimmed for want of room.
    Endless,
}

/// When a queue marks packets: never below `kmin`, with a probability that grows to `pmax` at
/// `kmax`, always above.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ecn {
    /// Where marking begins.
    pub kmin: Amount,
    /// Where it becomes certain.
    pub kmax: Amount,
    /// The probability just below `kmax`.
    pub pmax: f64,
}

/// Room for what arrives over a link while its pause is under way.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Headroom {
    /// That much for each incoming link, beyond the buffer. Invariant of a lossless network: at
    /// least twice the link's latency times its rate, and two packets.
    Beyond(Amount),
    /// A part of the buffer: what each incoming link needs, `t_flight` below.
    Within,
}

/// When a switch tells the sender of a link to stop (priority flow control).
///
/// A link is paused when the switch at its end holds more bytes that came over it than
///
/// ```text
/// shared buffer     share · (B − n·t_flight − used)       used: all that waits in the switch
/// a buffer a port   B/n − t_flight                        n incoming links
/// t_flight          2 · latency · rate + 2 packets        what arrives before the pause holds
/// ```
///
/// where headroom is a part of the buffer `B`: the dynamic and the static bound of Zhu et al.,
/// Congestion control for large-scale RDMA deployments, SIGCOMM 2015, section 4, with one priority.
/// Where it lies beyond the buffer, `t_flight` is left out, and a buffer a port pauses at `pause`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pfc {
    /// Bytes from a link that pause it, where buffers are per port and headroom lies beyond them.
    pub pause: Amount,
    /// Share of the free pool that pauses it, where the buffer is shared.
    pub share: f64,
    /// How far below the threshold it goes on.
    pub resume_below: Amount,
    /// Room for what arrives while a pause is under way.
    pub headroom: Headroom,
}

/// What a packet network is made of. [`Config::new`] has the defaults of a transport.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Config {
    /// How senders behave.
    pub transport: Transport,
    /// Which ways packets take.
    pub balancing: Balancing,
    /// Payload of a whole packet. Default 4,096 bytes; 4,086 for EQDS and UEC, as htsim's packets of
    /// 4,150 bytes have with their header.
    pub payload: u32,
    /// Header of a packet, the size of a trimmed one and of acknowledgements. Default 64 bytes.
    pub header: u32,
    /// What may be under way before the first acknowledgement; the most that a window grows to.
    pub window: Amount,
    /// Room in switches.
    pub buffer: Buffer,
    /// Whether packets that find no room lose their payload only.
    pub trimming: bool,
    /// Marks, if any.
    pub ecn: Option<Ecn>,
    /// Pauses, if any.
    pub pfc: Option<Pfc>,
    /// Who controls a UEC sender. Default: the sender.
    pub control: Control,
    /// Entropies of a sender, hashed to ways; `None`: one for each way.
    pub entropies: Option<u32>,
    /// Payload that a receiver lets pass without an acknowledgement. Marked packets, duplicates
    /// and packets that ask for it are acknowledged at once.
    pub ack_every: Bytes,
    /// Payload that one credit allows.
    pub credit: Bytes,
    /// The least time before an unacknowledged packet counts as lost. To it come three idle round
    /// trips of the message's way, or the drain of full queues where that is longer.
    pub min_timeout: Seconds,
    /// When routing no longer uses links that failed, and spreads by the rates that links have
    /// since they changed. Until then packets over a failed link are lost.
    pub reroute_after: Seconds,
    /// How often the queues of all links are recorded; never by default.
    pub sample_every: Option<Seconds>,
    /// Of everything random.
    pub seed: u64,
}

impl Config {
    /// The most packets that a message may have.
    pub const MOST_PACKETS: u64 = (1 << 31) - 1;

    /// The defaults of a transport with a policy.
    ///
    /// | | window | buffer | marks | least timeout | acknowledged |
    /// |---|---|---|---|---|---|
    /// | ideal | none | endless | no | none needed | at the end |
    /// | dcqcn-gbn, dcqcn-sr | none | 32 MB a switch, PFC | 400 KB, 1,600 KB, 0.2 | 500 µs | each packet |
    /// | ndp | 50 packets, or 1 BDP | 15 packets, trimming | no | 5 ms | each packet |
    /// | eqds | 50 packets, or 1 BDP | 35 packets, trimming | no | 150 µs | each 16 KiB |
    /// | uec | 1.5 BDP | 1 BDP, trimming | 0.2 to 0.8 BDP | 15 µs | each 16 KiB |
    ///
    /// Sources: defaults of csg-htsim 841d9e7 and uet-htsim 40ccb05 for NDP, EQDS and UEC (NDP's
    /// first window of 15 packets is too small for round trips of 9 µs at 100 Gbit/s, and 50 packets
    /// for faster or longer ways: NDP's window is to cover a round trip at full rate, Handley et al.,
    /// SIGCOMM 2017); the ns-3
    /// configuration of HPCC (Li et al., SIGCOMM 2019) for 100 Gbit/s for DCQCN, with packets of
    /// 4,096 bytes, `RoCE`'s largest, in place of 1,000.
    pub fn new(transport: Transport, balancing: Balancing) -> Self {
        let config = Self {
            transport,
            balancing,
            payload: 4096,
            header: 64,
            window: Amount::Bdp(1.5),
            buffer: Buffer::PerPort(Amount::Bdp(1.0)),
            trimming: true,
            ecn: None,
            pfc: None,
            control: Control::Sender,
            entropies: Some(64),
            ack_every: Bytes::new(16_384),
            credit: Bytes::new(4 * 4096),
            min_timeout: Seconds::from_micros(15.0),
            reroute_after: Seconds::from_micros(100.0),
            sample_every: None,
            seed: 1,
        };
        match transport {
            Transport::Ideal => Self {
                buffer: Buffer::Endless,
                trimming: false,
                ..config
            },
            Transport::DcqcnGbn | Transport::DcqcnSr => config.lossless(),
            Transport::Ndp => Self {
                window: Amount::PacketsOrBdp(50),
                buffer: Buffer::PerPort(Amount::Packets(15)),
                entropies: None,
                ack_every: Bytes::ZERO,
                credit: Bytes::new(4096),
                min_timeout: Seconds::from_millis(5.0),
                ..config
            },
            Transport::Eqds => Self {
                payload: 4086,
                window: Amount::PacketsOrBdp(50),
                buffer: Buffer::PerPort(Amount::Packets(35)),
                credit: Bytes::new(4096),
                min_timeout: Seconds::from_micros(150.0),
                ..config
            },
            Transport::Uec => Self {
                payload: 4086,
                ecn: Some(Ecn {
                    kmin: Amount::Bdp(0.2),
                    kmax: Amount::Bdp(0.8),
                    pmax: 1.0,
                }),
                ..config
            },
        }
    }

    /// A shared buffer of 32 MB with PFC, as HPCC's ns-3 configuration has it.
    fn lossless(self) -> Self {
        Self {
            buffer: Buffer::Shared {
                pool: Amount::Bytes(32_000_000),
                alpha: 1.0,
            },
            trimming: false,
            ecn: Some(Ecn {
                kmin: Amount::Bytes(400_000),
                kmax: Amount::Bytes(1_600_000),
                pmax: 0.2,
            }),
            pfc: Some(Pfc {
                pause: Amount::Bytes(100_000),
                share: 0.125,
                resume_below: Amount::Bytes(3072),
                headroom: Headroom::Beyond(Amount::Bdp(1.0)),
            }),
            ack_every: Bytes::ZERO,
            min_timeout: Seconds::from_micros(500.0),
            ..self
        }
    }

    /// Bytes of a whole packet.
    pub const fn packet(&self) -> u32 {
        self.payload + self.header
    }
}
