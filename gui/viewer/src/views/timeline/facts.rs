//! What is known of a span beyond its timeline: shapes, bytes, rates, and where its time is from.

use std::sync::Arc;

use look::{Told, number};
use session::{CommunicationFact, OperatorFact, Ready, SpanFacts};
use trace::{SpanId, Trace};

use crate::run::Run;
use crate::state::State;
use crate::views::told::worth;
use crate::worker::{Ask, Slot};

/// Kernels of a span that are told one by one.
const MOST: usize = 24;

/// Asks for the facts of a run, unless they are there.
pub(super) fn gather(state: &mut State, run: &Run) {
    let Some(ready) = run.ready().map(Arc::clone) else {
        state.results.timeline.facts = None;
        return;
    };
    let known = state.results.timeline.facts.as_ref();
    if known.is_some_and(|(of, _)| Arc::ptr_eq(of, &ready)) {
        return;
    }
    state.results.timeline.facts = None;
    state.asks.push(Ask::new(
        Slot::Facts,
        "Gathering what spans are made of",
        move |_| (Arc::clone(&ready), Arc::new(SpanFacts::new(&ready))),
        |state, facts: (Arc<Ready>, Arc<SpanFacts>)| state.results.timeline.facts = Some(facts),
    ));
}

/// What is known of a span.
pub(super) fn told(facts: &SpanFacts, trace: &Trace, span: SpanId) -> Vec<Told> {
    let Some(fact) = facts.of(trace, span) else {
        return Vec::new();
    };
    let kernels = fact.operators.iter().take(MOST).map(operator);
    let messages = fact.communication.iter().map(communication);
    kernels.chain(messages).collect()
}

fn operator(fact: &OperatorFact) -> Told {
    let rate = match fact.flops_per_s {
        Some(flops) => format!("{} TFLOP/s", number::digits(flops / 1e12)),
        None => format!("{} GB/s", number::digits(fact.bytes_per_s / 1e9)),
    };
    let shape = if fact.shape.is_empty() {
        "Measured as a whole, without a shape".to_owned()
    } else {
        format!("Shape {}", fact.shape)
    };
    let moved = number::bytes(fact.bytes);
    let work = if fact.flops_per_s.is_some() {
        format!(
            "{} GFLOP, {moved} at least",
            number::digits(fact.flops / 1e9)
        )
    } else {
        format!("{moved} at least")
    };
    Told::new(
        fact.name,
        format!("{} at {rate}", number::secs(fact.time.as_secs())),
        format!("{shape}; {work}"),
        worth(fact.worth),
        "the profile of the GPU; the time when nothing else runs",
    )
}

fn communication(fact: &CommunicationFact) -> Told {
    let bandwidth = fact.bus_bandwidth.map_or(String::new(), |rate| {
        format!(
            ", bus bandwidth {} GB/s",
            number::digits(rate.as_f64() / 1e9)
        )
    });
    let way = match (fact.algorithm, fact.protocol) {
        (Some(algorithm), Some(protocol)) => format!("; {algorithm:?}, {protocol:?}"),
        _ => String::new(),
    };
    Told::new(
        format!("{:?}", fact.kind),
        format!("{} alone{bandwidth}", number::secs(fact.alone.as_secs())),
        format!(
            "{} over {} in {}; {} do not depend on the size{way}",
            number::bytes(fact.bytes),
            number::counted(u64::from(fact.ranks), "rank"),
            number::counted(u64::from(fact.domains), "scale-up domain"),
            number::secs(fact.latency.as_secs()),
        ),
        worth(fact.worth.into()),
        fact.source.clone(),
    )
}
