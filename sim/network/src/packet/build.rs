//! An idle network from a topology and a configuration.

use std::collections::BTreeMap;

use cluster::{Topology, Wire};
use rand::SeedableRng as _;
use rand_pcg::Pcg32;
use units::{BytesPerSec, HostId, LinkId, Seconds, SimTime};

use super::config::{Amount, Buffer, Config, Headroom, Pfc};
use super::core::{Core, Granter, Sizes};
use super::error::PacketError;
use super::link::Link;
use super::nscc::Terms;
use super::pool::{List, NONE, Pool};
use super::routes::Routes;
use super::sample::Samples;
use super::stats::Totals;
use super::wheel::Wheel;

/// Hosts that are asked for the diameter of the network.
const ASKED: u32 = 4096;

impl Core {
    pub(super) fn new(net: &impl Topology, config: Config) -> Result<Self, PacketError> {
        check(&config)?;
        let packet = config.packet();
        let wires: Vec<Wire> = (0..net.n_links())
            .map(|link| net.wire(LinkId::new(link)))
            .collect();
        let pace = line_rate(net).or(BytesPerSec::new(1.0));
        let Some(pace) = pace else {
            return Err(PacketError::SlowLink { link: 0, rate: 0.0 });
        };
        let round_trip = diameter(net, &config);
        let bytes = |amount: Amount, rate| amount.bytes(rate, round_trip, packet).as_u64();
        let mut links = Vec::with_capacity(wires.len());
        for (index, wire) in wires.iter().enumerate() {
            let room = match config.buffer {
                Buffer::PerPort(room) => bytes(room, wire.rate).max(u64::from(packet)),
                Buffer::Shared { .. } | Buffer::Endless => u64::MAX,
            };
            let rate = per_byte(LinkId::from_index(index).get(), wire.rate)?;
            let latency = SimTime::ZERO.after(wire.latency)?.as_picos();
            let mut link = Link::new(rate, latency, packet, room);
            if let Some(ecn) = config.ecn {
                link.marks = [ecn.kmin, ecn.kmax].map(|amount| bytes(amount, wire.rate));
                check_marks(link.marks)?;
            }
            links.push(link);
        }
        let whole = u16::try_from(packet).unwrap_or(u16::MAX);
        let credits = config.credit.as_u64().div_ceil(u64::from(config.payload));
        let sizes = Sizes {
            payload: config.payload,
            header: u16::try_from(config.header).unwrap_or(u16::MAX),
            whole,
            ack_every: config.ack_every.as_u64(),
            credit: credits.max(1) * u64::from(packet),
        };
        let bdp = pace.as_f64() * round_trip.as_secs();
        let terms = Terms::new(
            round_trip.as_secs() * 1e12,
            bdp,
            f64::from(config.payload),
            f64::from(packet),
            config.trimming,
        );
        let eager = config.pfc.is_some() || matches!(config.buffer, Buffer::Shared { .. });
        let pool_bytes = match config.buffer {
            Buffer::Shared { pool, .. } => bytes(pool, pace).max(u64::from(packet)),
            _ => u64::MAX,
        };
        let pfc = |amount: fn(&Pfc) -> Amount| {
            let amount = config.pfc.as_ref().map(amount);
            amount.map_or(0, |amount| bytes(amount, pace))
        };
        let headroom = match config.pfc.map(|pfc| pfc.headroom) {
            Some(Headroom::Beyond(amount)) => Some(bytes(amount, pace)),
            Some(Headroom::Within) => None,
            None => Some(0),
        };
        let granter = Granter {
            line: List::EMPTY,
            next_at: 0,
            called: false,
            every: 0,
        };
        Ok(Self {
            sizes,
            terms,
            eager,
            clock: 0,
            wheel: Wheel::new(ahead(&links)),
            pool: Pool::default(),
            ends: vec![NONE; if eager { links.len() } else { 0 }],
            switches: Vec::new(),
            routes: Routes::default(),
            senders: Vec::new(),
            receivers: Vec::new(),
            spare: Vec::new(),
            lanes: BTreeMap::new(),
            granters: vec![granter; net.n_hosts() as usize],
            messages: Vec::new(),
            changes: Vec::new(),
            changes_left: 0,
            reports: Vec::new(),
            totals: Totals::default(),
            samples: config
                .sample_every
                .map(|every| Samples::new(every, links.len())),
            open: 0,
            stuck: None,
            scratch: Vec::new(),
            rng: Pcg32::seed_from_u64(units::math::mix(config.seed)),
            pool_bytes,
            headroom,
            resume_below: pfc(|pfc| pfc.resume_below),
            pause_bytes: pfc(|pfc| pfc.pause),
            links,
            config,
        })
    }
}

/// How far ahead most events lie: a crossing of the slowest link.
fn ahead(links: &[Link]) -> u64 {
    let crossing = links.iter().map(|link| link.latency + link.whole);
    crossing.max().unwrap_or(0).min(1 << 40)
}

/// Picoseconds that a byte takes.
pub(super) fn per_byte(link: u32, rate: BytesPerSec) -> Result<f64, PacketError> {
    let rate = rate.as_f64();
    if 1.0 <= rate {
        return Ok(1e12 / rate);
    }
    Err(PacketError::SlowLink { link, rate })
}

/// The slowest link between the first and the last host: the rate that senders have.
fn line_rate(net: &impl Topology) -> Option<BytesPerSec> {
    let mut links = Vec::new();
    let last = HostId::new(net.n_hosts().checked_sub(1)?);
    if net.n_ways(HostId::new(0), last) == 0 {
        return None;
    }
    net.way(HostId::new(0), last, 0, &mut links);
    let rates = links.iter().map(|&link| net.wire(link).rate);
    rates.reduce(BytesPerSec::min)
}

/// The longest idle round trip from the first host: of a whole packet there and of a header back.
fn diameter(net: &impl Topology, config: &Config) -> Seconds {
    let from = HostId::new(0);
    let round_trips = (1..net.n_hosts().min(ASKED)).chain(net.n_hosts().checked_sub(1));
    let mut longest = Seconds::ZERO;
    let mut links = Vec::new();
    for to in round_trips.map(HostId::new) {
        if net.n_ways(from, to) == 0 {
            continue;
        }
        links.clear();
        net.way(from, to, 0, &mut links);
        let sizes = f64::from(config.packet() + config.header);
        let hop = |wire: Wire| wire.latency * 2.0 + Seconds::from_secs(sizes / wire.rate.as_f64());
        longest = longest.max(links.iter().map(|&link| hop(net.wire(link))).sum());
    }
    longest
}

fn check_marks([least, most]: [u64; 2]) -> Result<(), PacketError> {
    if least <= most {
        return Ok(());
    }
    Err(PacketError::BadConfig {
        field: "ecn_kmin",
        value: format!("{least} bytes, above `ecn_kmax`, {most} bytes"),
        rule: "at most `ecn_kmax`; give both where one is given",
    })
}

fn check(config: &Config) -> Result<(), PacketError> {
    let whole = u64::from(config.payload) + u64::from(config.header);
    let bad = |field, value: String, rule| Err(PacketError::BadConfig { field, value, rule });
    if config.payload == 0 || config.header == 0 || u64::from(u16::MAX) < whole {
        return bad(
            "payload",
            format!("{} with a header of {}", config.payload, config.header),
            "positive, like the header, and both together at most 65,535 bytes",
        );
    }
    if let Some(n) = config.entropies
        && (n == 0 || 1 << 16 < n)
    {
        return bad("entropies", n.to_string(), "1 to 65,536");
    }
    if let super::config::Balancing::EcmpK { k } = config.balancing
        && (k == 0 || 4096 < k)
    {
        return bad("k", k.to_string(), "1 to 4,096");
    }
    if let Some(ecn) = &config.ecn
        && !(0.0..=1.0).contains(&ecn.pmax)
    {
        return bad("pmax", ecn.pmax.to_string(), "0 to 1");
    }
    Ok(())
}
