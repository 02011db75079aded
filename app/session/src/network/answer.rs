//! What came of a network workload.

use ::network::packet::Totals;
use cluster::{Direction, Sharing, Topology};
use traffic::{Curve, Outcome, PacketOutcome, Program, Times, congestion};
use units::{LinkId, Seconds, SimTime};

/// What a workload took and what links carried.
#[derive(Clone, Debug)]
pub struct NetworkAnswer {
    /// When the last byte of all arrived.
    pub makespan: SimTime,
    /// When the last acknowledgement reached its sender; none in the flow engine.
    pub acked: Option<SimTime>,
    /// The times of every message.
    pub messages: Messages,
    /// Links that carried anything.
    pub links: Vec<LinkLoad>,
    /// Pieces beyond one for each flow.
    pub extra_pieces: usize,
    /// Classes of flows that were simulated in place of all.
    pub classes: Option<usize>,
    /// The longest time that a link needs for what it carries, and the same under ideal spraying.
    /// Where there are packets the first has headers, acknowledgements and what was sent again, the
    /// second has not.
    pub congestion: [Option<Seconds>; 2],
    /// What happened to packets.
    pub packets: Option<PacketCounts>,
    /// What links carried over time, where that was kept.
    pub curves: Vec<Curve>,
}

/// What a link carried.
#[derive(Clone, Debug, PartialEq)]
pub struct LinkLoad {
    /// The cable.
    pub name: String,
    /// The direction.
    pub direction: Direction,
    /// Bytes, headers included where there are packets.
    pub bytes: f64,
    /// Share of what it could have carried until the last byte of all arrived; 0 for a fat pipe.
    pub utilisation: f64,
    /// Whether it is a fat pipe: it bounds flows one by one, so that there is nothing it is full of.
    pub is_fat: bool,
    /// The longest queue in bytes and its average over time; none in the flow engine.
    pub queue: Option<[f64; 2]>,
    /// Packets that it lost, and that lost their payload; none in the flow engine.
    pub lost: Option<[u64; 2]>,
}

/// Packets over the whole run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PacketCounts {
    /// What was counted.
    pub totals: Totals,
}

impl PacketCounts {
    pub(super) const fn new(outcome: &PacketOutcome) -> Self {
        Self {
            totals: outcome.totals,
        }
    }
}

/// The times of messages, stream after stream.
#[derive(Clone, Debug, Default)]
pub struct Messages {
    /// By message.
    pub times: Vec<Times>,
    /// Steps of each stream; empty where all have one.
    steps: Vec<u32>,
}

impl Messages {
    /// The times of whole messages from those of their pieces.
    pub(super) fn new(program: &Program, origin: &[u32], pieces: Vec<Times>) -> Self {
        let streams = program.streams();
        let has_one = streams.iter().all(|stream| stream.steps == 1);
        let steps = if has_one {
            Vec::new()
        } else {
            streams.iter().map(|stream| stream.steps).collect()
        };
        if pieces.is_empty() || origin.len() == streams.len() {
            return Self {
                times: pieces,
                steps,
            };
        }
        let first = program.first_messages();
        let mut times: Vec<Option<Times>> = vec![None; first[streams.len()]];
        let mut at = 0;
        for &stream in origin {
            let range = first[stream as usize]..first[stream as usize + 1];
            for whole in &mut times[range] {
                let piece = pieces[at];
                at += 1;
                *whole = Some(whole.map_or(piece, |whole| Times {
                    released: whole.released.min(piece.released),
                    finish: whole.finish.max(piece.finish),
                    acked: whole.acked.max(piece.acked),
                }));
            }
        }
        Self {
            times: times.into_iter().map(Option::unwrap_or_default).collect(),
            steps,
        }
    }

    /// Calls `each` with the stream, the step where streams have several, and the times.
    pub(super) fn for_each(&self, mut each: impl FnMut(usize, Option<u32>, &Times)) {
        if self.steps.is_empty() {
            for (stream, times) in self.times.iter().enumerate() {
                each(stream, None, times);
            }
            return;
        }
        let mut at = 0;
        for (stream, &steps) in self.steps.iter().enumerate() {
            for step in 0..steps {
                if let Some(times) = self.times.get(at) {
                    each(stream, Some(step), times);
                }
                at += 1;
            }
        }
    }
}

pub(super) fn flow_links(topology: &impl Topology, outcome: &Outcome) -> Vec<LinkLoad> {
    let time = outcome.makespan.as_seconds();
    let links = (0..).zip(&outcome.link_bytes);
    links
        .filter(|(_, bytes)| 0.0 < **bytes)
        .map(|(link, &bytes)| carried(topology, LinkId::new(link), bytes, time))
        .collect()
}

pub(super) fn packet_links(topology: &impl Topology, outcome: &PacketOutcome) -> Vec<LinkLoad> {
    // Packets that are sent again and acknowledgements are under way until the last one is in.
    let time = outcome.makespan.max(outcome.acked).as_seconds();
    let links = (0..).zip(&outcome.links);
    links
        .filter(|(_, stats)| 0 < stats.bytes)
        .map(|(link, stats)| LinkLoad {
            queue: Some([stats.longest as f64, stats.average]),
            lost: Some([stats.dropped, stats.trimmed]),
            ..carried(topology, LinkId::new(link), stats.bytes as f64, time)
        })
        .collect()
}

/// The longest time that a link needs for what it carried: with headers, acknowledgements and what
/// was sent again.
pub(super) fn busiest(topology: &impl Topology, outcome: &PacketOutcome) -> Seconds {
    let loads: Vec<f64> = outcome.links.iter().map(|link| link.bytes as f64).collect();
    congestion(topology, &loads)
}

/// What a link carried in some time, without queues.
fn carried(topology: &impl Topology, link: LinkId, bytes: f64, time: Seconds) -> LinkLoad {
    let name = topology.wire_name(link);
    let wire = topology.wire(link);
    let is_fat = wire.sharing == Sharing::FatPipe;
    let most = wire.rate.as_f64() * time.as_secs();
    LinkLoad {
        name: name.name,
        direction: name.direction,
        bytes,
        utilisation: if most > 0.0 && !is_fat {
            bytes / most
        } else {
            0.0
        },
        is_fat,
        queue: None,
        lost: None,
    }
}
