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
    let messages = fact.communication.iter().flat_map(communication);
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

/// A collective or a message: what it moves, between whom, how, and how fast that is alone.
fn communication(fact: &CommunicationFact) -> Vec<Told> {
    let told = |label: &str, value: String, meaning: &str| {
        let source = fact.source.clone();
        Told::new(label, value, meaning, worth(fact.worth.into()), source)
    };
    let mut all = vec![told(
        fact.kind.name(),
        number::bytes(fact.bytes),
        "Its size in the sense of nccl-tests",
    )];
    let ranks = number::counted(u64::from(fact.ranks), "rank");
    let domains = number::counted(u64::from(fact.domains), "scale-up domain");
    all.push(told("Group", format!("{ranks} in {domains}"), ""));
    all.extend(
        fact.algorithm
            .map(|of| told("Algorithm", of.name().to_owned(), "")),
    );
    all.extend(
        fact.protocol
            .map(|of| told("Protocol", of.name().to_owned(), "")),
    );
    all.extend(fact.channels.map(|n| told("Channels", n.to_string(), "")));
    let latency = number::secs(fact.latency.as_secs());
    all.push(told(
        "Alone",
        format!(
            "{}, of which {latency} whatever the size",
            number::secs(fact.alone.as_secs())
        ),
        "",
    ));
    all.extend(fact.bus_bandwidth.map(|rate| {
        let rate = format!("{} GB/s", number::digits(rate.as_f64() / 1e9));
        told("Bus bandwidth", rate, "On idle links")
    }));
    all
}
