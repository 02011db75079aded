//! What binds a network workload, in words: one claim a line, the answer first.

use session::{FullestLink, NetworkExplanation};

use crate::number::{count, duration, large, number, percent};

/// At most ten lines; lines without content are left out.
pub(crate) fn in_words(of: &NetworkExplanation) -> String {
    let lines = [
        Some(answer(of)),
        chain(of),
        of.fullest.as_ref().map(|fullest| fullest_link(of, fullest)),
        Some(policy(of)),
        packets(of),
        queue(of),
        help(of),
        Some(sources(of)),
    ];
    let lines: Vec<String> = lines.into_iter().flatten().collect();
    lines.join("\n")
}

fn answer(of: &NetworkExplanation) -> String {
    let flows = match of.n_messages {
        1 => "1 flow".to_owned(),
        n => format!("{} flows", count(n)),
    };
    let engine = match of.transport {
        Some(transport) => format!("packets under the transport {transport}"),
        None => "max-min fair shares of links".to_owned(),
    };
    format!(
        "the workload takes {}: {flows}, engine {} ({engine})",
        duration(of.makespan.as_secs()),
        of.engine,
    )
}

fn chain(of: &NetworkExplanation) -> Option<String> {
    let (chain, [from, to]) = (&of.chain, of.ends.as_ref()?);
    let whole = of.makespan.as_secs();
    let rest = match of.transport {
        Some(_) => "links that others use, queues, headers and what is sent again",
        None => "links that others use",
    };
    let parts = [
        ("late start", chain.before),
        ("latency", chain.latency),
        ("bytes alone on their narrowest links", chain.alone),
        (rest, chain.shared),
    ];
    // What sums leave behind is nothing.
    let parts = parts
        .iter()
        .filter(|(_, time)| whole * 1e-6 < time.as_secs());
    let parts = parts.map(|(what, time)| {
        let secs = time.as_secs();
        format!("{what} {} ({})", percent(secs / whole), duration(secs))
    });
    let parts = parts.collect::<Vec<_>>().join(", ");
    let head = match chain.n_messages {
        1 => format!("the flow that ends last, {from} to {to}"),
        n => {
            let n = count(u64::from(n));
            format!("the chain that ends last, {n} flows one after the other from {from} to {to}")
        }
    };
    Some(format!("{head}: {parts}"))
}

fn fullest_link(of: &NetworkExplanation, fullest: &FullestLink) -> String {
    let load = &fullest.load;
    let alike = match fullest.n_alike {
        1 => String::new(),
        n => format!(" and {} more like it", count(n as u64 - 1)),
    };
    let ideal = of.over_ideal().map_or(String::new(), |ratio| {
        format!(
            ", {ratio:.3} times the {} of ideal spraying",
            duration(of.ideal.as_secs())
        )
    });
    format!(
        "fullest link: {} {}{alike}, used {} of the time; its {} need {} at its rate{ideal}",
        load.name,
        load.direction.name(),
        percent(load.utilisation),
        bytes(load.bytes),
        duration(fullest.need.as_secs()),
    )
}

fn bytes(bytes: f64) -> String {
    if bytes < 1e6 {
        format!("{} B", number(bytes.round()))
    } else {
        format!("{}B", large(bytes))
    }
}

fn policy(of: &NetworkExplanation) -> String {
    let [name, does] = of.policy;
    let seed = of
        .seed
        .map_or(String::new(), |seed| format!(", seed {seed}"));
    let pieces = match of.extra_pieces {
        0 => String::new(),
        n => format!("; flows are cut into {} more pieces", count(n as u64)),
    };
    format!(
        "load balancing {name}: {does}{seed}{pieces}; `windtunnel plan` compares it with others"
    )
}

fn packets(of: &NetworkExplanation) -> Option<String> {
    let totals = of.packets.as_ref()?;
    let share = |n: u64| {
        let share = n as f64 / (totals.sent.max(1)) as f64;
        format!("{} ({})", count(n), percent(share))
    };
    Some(format!(
        "packets: {} sent, {} of them again, {} lost, {} trimmed, {} marked, {} out of order",
        count(totals.sent),
        share(totals.resent),
        share(totals.dropped),
        share(totals.trimmed),
        share(totals.marked),
        share(totals.reordered),
    ))
}

fn queue(of: &NetworkExplanation) -> Option<String> {
    let (load, wait) = of.queue.as_ref()?;
    let [longest, mean] = load.queue?;
    Some(format!(
        "longest queue: {} before {} {}, {} of waiting; {} in the mean",
        bytes(longest),
        load.name,
        load.direction.name(),
        duration(wait.as_secs()),
        bytes(mean),
    ))
}

fn help(of: &NetworkExplanation) -> Option<String> {
    let remedies = of.remedies();
    let parts = remedies
        .iter()
        .map(|remedy| format!("{} {}", remedy.what, percent(remedy.saving)));
    let parts: Vec<String> = parts.collect();
    (!parts.is_empty()).then(|| {
        format!(
            "what would help, each alone and at most, if the same chain still ended last: {}",
            parts.join("; ")
        )
    })
}

fn sources(of: &NetworkExplanation) -> String {
    format!(
        "where numbers are from: times, bytes and queues are simulated; latency is the sum over the links of a way, bytes alone are size over rate, ideal spraying is bytes over rate of the fullest link when all ways carry in proportion to their capacities; rates and latencies are those of {}",
        of.fabric
    )
}
