//! Running a program on the packet engine.

use cluster::Topology;
use network::packet::{Config, LinkStats, Message, PacketError, Packets, Report, Stage, Totals};
use units::{Control, LinkId, SimTime};

use crate::loads::{Curve, of_samples};
use crate::program::{Program, Route};
use crate::run::{RunError, check_all_arrived};
use crate::schedule::{Keep, Schedule, Times};

/// What a run on the packet engine found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PacketOutcome {
    /// When the last byte of all arrived.
    pub makespan: SimTime,
    /// When the last acknowledgement reached its sender.
    pub acked: SimTime,
    /// By message, stream after stream; empty where they were not asked for.
    pub times: Vec<Times>,
    /// By link.
    pub links: Vec<LinkStats>,
    /// What links carried over time, where the configuration takes samples.
    pub curves: Vec<Curve>,
    /// Packets sent, lost, marked, out of order.
    pub totals: Totals,
}

/// Runs a program on the packet engine.
///
/// A stream whose route is [`Route::Way`] takes that way under
/// [`Balancing::SinglePath`](network::packet::Balancing::SinglePath); every other policy of the
/// configuration chooses ways itself.
///
/// # Errors
///
/// What the engine refuses, messages that never arrive, and a run that is cancelled.
pub fn run_packets<T: Topology>(
    topology: T,
    program: &Program,
    config: Config,
    keep: Keep,
    control: &Control,
) -> Result<PacketOutcome, RunError> {
    let mut net = Packets::new(topology, config)?;
    let mut schedule = Schedule::new(program, keep);
    let mut outcome = PacketOutcome::default();
    let mut reports = Vec::new();
    submit(&mut net, &mut schedule, SimTime::ZERO)?;
    loop {
        if schedule.next_start().is_none() && net.next_event().is_none() {
            break;
        }
        control.check()?;
        let until = schedule.next_start().unwrap_or(LATE);
        net.advance_to_report(until, &mut reports)?;
        for report in reports.drain(..) {
            note(&mut schedule, &mut outcome, report);
        }
        let now = net.now();
        schedule.start(now);
        submit(&mut net, &mut schedule, now)?;
    }
    check_all_arrived(&schedule)?;
    outcome.totals = *net.totals();
    let links = (0..net.topology().n_links()).map(|link| net.link(LinkId::new(link)));
    outcome.links = links.collect::<Result<_, _>>()?;
    if let Some(samples) = net.samples() {
        let end = outcome.makespan.max(outcome.acked);
        outcome.curves = of_samples(samples, &outcome.links, end);
    }
    outcome.times = schedule.into_times();
    Ok(outcome)
}

/// Later than anything that the engine accepts.
const LATE: SimTime = SimTime::from_picos(u64::MAX / 4);

fn submit<T: Topology>(
    net: &mut Packets<T>,
    schedule: &mut Schedule<'_>,
    now: SimTime,
) -> Result<(), PacketError> {
    for at in 0..schedule.ready.len() {
        let index = schedule.ready[at];
        let stream = schedule.stream(index);
        let way = match stream.route {
            Route::Way(way) => Some(way),
            Route::Static | Route::Spray | Route::LeastLoaded => None,
        };
        let message = Message {
            src: stream.src,
            dst: stream.dst,
            bytes: stream.bytes,
            way,
            tag: u64::from(index),
        };
        // Messages of a stream that are under way at once are those of one connection.
        if 1 < stream.window {
            net.submit_on(index, now, message)?;
        } else {
            net.submit(now, message)?;
        }
    }
    schedule.ready.clear();
    Ok(())
}

fn note(schedule: &mut Schedule<'_>, outcome: &mut PacketOutcome, report: Report) {
    let stream = u32::try_from(report.tag).expect("tags are numbers of streams");
    match report.stage {
        Stage::Delivered => {
            outcome.makespan = report.at;
            schedule.end(report.at, stream);
        }
        Stage::Acked => {
            outcome.acked = report.at;
            schedule.acknowledge(report.at, stream);
        }
    }
}
