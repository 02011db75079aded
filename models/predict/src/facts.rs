//! What the spans of a timeline are made of: kernels with their shapes, collectives with their bytes.
//!
//! A trace keeps names and times alone. The scenario that it is of says the rest: it is lowered
//! again, without its fabric, and gives the same programs and lists of kernels.

use collective::Priced;
use lower::{KernelFact, LowerOptions, Lowered, lower};
use profile::{Algorithm, CollectiveKind, Protocol, Provenance};
use task::{LaneSetup, Step, Work};
use trace::{Span, Trace};
use units::{Bytes, BytesPerSec, Seconds};

use crate::scenario::Scenario;
use crate::simulate::{Record, lower_options};

/// What the spans of a scenario's timeline are made of.
#[derive(Clone, Debug)]
pub struct Facts {
    lowered: Lowered,
}

/// A collective or a message.
#[derive(Clone, Debug, PartialEq)]
pub struct CommunicationFact {
    /// The operation.
    pub kind: CollectiveKind,
    /// Its size in the sense of nccl-tests.
    pub bytes: Bytes,
    /// Ranks that take part.
    pub ranks: u32,
    /// Scale-up domains over which they are spread.
    pub domains: u32,
    /// What it takes on idle links.
    pub alone: Seconds,
    /// The part of that which does not depend on the size.
    pub latency: Seconds,
    /// How it is carried out; none for messages between stages.
    pub algorithm: Option<Algorithm>,
    /// How its data travel; none for messages between stages.
    pub protocol: Option<Protocol>,
    /// Over how many channels its data travel side by side; none for messages between stages.
    pub channels: Option<u32>,
    /// Bus bandwidth in the sense of nccl-tests, on idle links; none where nothing is sent.
    pub bus_bandwidth: Option<BytesPerSec>,
    /// What the constants are worth.
    pub worth: Provenance,
    /// Whose constants they are, and where they are from.
    pub source: String,
}

impl Facts {
    /// The facts of a scenario.
    pub fn of(scenario: &Scenario) -> Self {
        let options = LowerOptions {
            links: None,
            ..lower_options(scenario, Record::Trace, false)
        };
        Self {
            lowered: lower(&scenario.inputs(), options),
        }
    }

    /// The kernels inside a span, in order; none for communication and what is unknown.
    pub fn kernels(&self, span: &Span) -> &[KernelFact] {
        let list = self.lowered.kernels.get(span.detail as usize);
        list.map_or(&[], Vec::as_slice)
    }

    /// The collective or message that a span is, or those that it may be: spans of one name in one
    /// pass are mostly, but not always, of one size.
    pub fn communication(
        &self,
        scenario: &Scenario,
        trace: &Trace,
        span: &Span,
    ) -> Vec<CommunicationFact> {
        let Some(lane) = self.lowered.binding.lanes.lanes.get(span.lane.index()) else {
            return Vec::new();
        };
        let name = trace.names.get(span.name);
        let mut found: Vec<CommunicationFact> = Vec::new();
        for step in self.steps(lane, span) {
            // A sender that waits for its message does so on the stream of its kernels.
            let is_named = step.name == name || receives(step, name);
            let is_it = is_named && step.category == span.category;
            let fact = is_it.then(|| self.fact(scenario, lane, step)).flatten();
            if let Some(fact) = fact.filter(|fact| !found.contains(fact)) {
                found.push(fact);
            }
        }
        found
    }

    /// The steps of the fragments that a span may belong to.
    fn steps<'f>(&'f self, lane: &LaneSetup, span: &'f Span) -> impl Iterator<Item = &'f Step> {
        let program = lane.program as usize;
        let list = self.lowered.lists.get(program).into_iter().flatten();
        let blocks = self
            .lowered
            .programs
            .get(program)
            .map(|program| &program.blocks);
        let is_received = span.stage == trace::NO_INDEX;
        let own = list.filter(move |fragment| {
            fragment.micro_batch == span.micro_batch
                && (is_received || fragment.stage == span.stage)
        });
        own.filter_map(move |fragment| blocks?.get(fragment.block as usize))
            .flat_map(|block| &block.steps)
    }

    fn fact(
        &self,
        scenario: &Scenario,
        lane: &LaneSetup,
        step: &Step,
    ) -> Option<CommunicationFact> {
        match step.work {
            Work::Collective { group, kind, bytes } => {
                let group = lane.groups.get(usize::from(group))?;
                let lanes = &self.lowered.binding.lanes;
                let price = lanes.groups.get(group.index())?.price;
                let shape = &self.lowered.binding.prices.get(price as usize)?.shape;
                let choice = &scenario.settings.choice;
                let cost = Priced::new(kind, shape, &scenario.comm, choice).time(bytes);
                let rate = bytes.as_f64() * kind.bus_factor(shape.ranks) / cost.time.as_secs();
                Some(CommunicationFact {
                    kind,
                    bytes,
                    ranks: shape.ranks,
                    domains: shape.domains,
                    alone: cost.time,
                    latency: cost.latency,
                    algorithm: Some(cost.algorithm),
                    protocol: Some(cost.protocol),
                    channels: Some(shape.channels(&scenario.comm)),
                    bus_bandwidth: BytesPerSec::new(rate),
                    worth: cost.provenance,
                    source: source(scenario, shape),
                })
            }
            Work::Send { channel, bytes } => self.message(scenario, lane, channel, bytes),
            Work::Receive { channel } => {
                let bytes = self.bytes_on(*lane.channels.get(usize::from(channel))?)?;
                self.message(scenario, lane, channel, bytes)
            }
            Work::Compute(_) | Work::Delay(_) => None,
        }
    }

    /// A message on a channel of a lane.
    fn message(
        &self,
        scenario: &Scenario,
        lane: &LaneSetup,
        channel: u16,
        bytes: Bytes,
    ) -> Option<CommunicationFact> {
        let channel = *lane.channels.get(usize::from(channel))?;
        let price = self
            .lowered
            .binding
            .lanes
            .channels
            .get(channel as usize)?
            .price;
        let mut routes = self.lowered.binding.routes.iter();
        let shape = &routes
            .find(|route| route.channels.contains(&channel))?
            .shape;
        let kind = CollectiveKind::SendRecv;
        let cost = Priced::new(kind, shape, &scenario.comm, &scenario.settings.choice).time(bytes);
        let moving = price.rate.map_or(Seconds::ZERO, |rate| bytes / rate);
        Some(CommunicationFact {
            kind,
            bytes,
            ranks: shape.ranks,
            domains: shape.domains,
            alone: price.latency + moving,
            latency: price.latency,
            algorithm: None,
            protocol: None,
            channels: None,
            bus_bandwidth: price.rate,
            worth: cost.provenance,
            source: source(scenario, shape),
        })
    }

    /// The bytes of a message on a channel.
    fn bytes_on(&self, channel: u32) -> Option<Bytes> {
        let lanes = &self.lowered.binding.lanes;
        let from = lanes.channels.get(channel as usize)?.from;
        let sender = lanes.lanes.get(from.index())?;
        let program = self.lowered.programs.get(sender.program as usize)?;
        let steps = program.blocks.iter().flat_map(|block| &block.steps);
        let sent = steps.filter_map(|step| match step.work {
            Work::Send {
                channel: slot,
                bytes,
            } => {
                let bound = sender.channels.get(usize::from(slot));
                (bound == Some(&channel)).then_some(bytes)
            }
            _ => None,
        });
        sent.max()
    }
}

/// Whether a step is the end of a message, as the engine names it.
fn receives(step: &Step, name: &str) -> bool {
    name == "receive" && matches!(step.work, Work::Receive { .. })
}

/// Whose constants hold for a shape, and where they are from.
fn source(scenario: &Scenario, shape: &collective::CommShape) -> String {
    let comm = &scenario.comm;
    let (name, source) = if 1 < shape.domains {
        let entry = &comm.network[usize::from(shape.network)];
        (&entry.name, &entry.source)
    } else {
        let entry = &comm.scale_up[usize::from(shape.scale_up)];
        (&entry.name, &entry.source)
    };
    format!("{name}: {source}")
}
