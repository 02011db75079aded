//! The time of an iteration on measured matrices, and on all snapshots of a source at once:
//!
//! ```sh
//! cargo run --release -p placement --example iteration -- MATRICES.csv --source time --key 0
//! ```
//!
//! Stages of 64 layers in all, each of which takes 1 ms forward and 2 ms backward for one micro-batch
//! of 64; 50 MB over each hop, and 700 MB of gradients on each server, half of whose reduction is
//! hidden. Without a path a generated matrix and the same links later take the place of
//! measured ones.

use std::time::Instant;

use placement::{
    Bandwidth, Cost, Effort, Iteration, IterationSpec, Links, Spread, Worst, drifted, generated,
    parse_snapshots, place,
};
use units::{Bytes, Control, Seconds};

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let option = |name: &str| {
        let at = arguments.iter().position(|argument| argument == name);
        at.and_then(|at| arguments.get(at + 1)).map(String::as_str)
    };
    let path = arguments.first().filter(|first| !first.starts_with("--"));
    let effort = Effort {
        restarts: option("--restarts").map_or(Ok(8), str::parse)?,
        steps: option("--steps").map_or(Ok(100_000), str::parse)?,
        seed: option("--seed").map_or(Ok(1), str::parse)?,
    };
    let matrices = matrices(path, option("--source"), option("--key"))?;
    for pp in [2, 4, 8, 16] {
        let costs = matrices.iter().map(|bandwidth| iteration(bandwidth, pp));
        let costs = costs.collect::<Result<Vec<_>, _>>()?;
        for (at, cost) in costs.iter().enumerate() {
            report(&format!("pp {pp}, matrix {at}"), cost, &effort)?;
        }
        report(&format!("pp {pp}, worst"), &Worst::new(costs)?, &effort)?;
    }
    Ok(())
}

fn matrices(
    path: Option<&String>,
    source: Option<&str>,
    key: Option<&str>,
) -> Result<Vec<Bandwidth>, Failure> {
    let Some(path) = path else {
        let spread = Spread::infiniband_200g();
        let now = generated(16, &spread, 1)?;
        let later = drifted(&now, &spread, 0.983, 2)?;
        return Ok(vec![now, later]);
    };
    let snapshots = parse_snapshots(&std::fs::read_to_string(path)?)?.into_iter();
    let asked = snapshots.filter(|snapshot| {
        key.is_none_or(|key| snapshot.key == key)
            && source.is_none_or(|source| snapshot.source.contains(source))
    });
    let bandwidths = asked.map(|snapshot| snapshot.bandwidth);
    Ok(bandwidths.filter(|b| b.n_servers() == 16).collect())
}

fn iteration(bandwidth: &Bandwidth, pp: usize) -> Result<Iteration, Failure> {
    let layers = 64.0 / pp as f64;
    let spec = IterationSpec {
        links: Links::new(bandwidth, Seconds::from_micros(8.0))?,
        forward: vec![Seconds::from_millis(layers); pp],
        backward: vec![Seconds::from_millis(2.0 * layers); pp],
        hops: vec![Bytes::new(50_331_648); pp - 1],
        gradients: vec![Bytes::new(700_000_000); pp],
        micro_batches: 64,
        overlap: 0.5,
    };
    Ok(Iteration::new(spec)?)
}

#[expect(
    clippy::disallowed_methods,
    reason = "an example measures its own speed"
)]
fn report(name: &str, cost: &impl Cost, effort: &Effort) -> Result<(), Failure> {
    let order: Vec<u32> = (0..16).collect();
    let begun = Instant::now();
    let found = place(cost, &order, effort, &Control::new(), &|_| {})?;
    println!(
        "{name:<16} listed {:>10.4} ms, found {:>10.4}, bound {:>10.4}, gap {:.4} %{}, \
         {} evaluations in {:.2} s",
        found.given.as_millis(),
        found.cost.as_millis(),
        found.bound.as_millis(),
        100.0 * found.gap(),
        if found.is_proven() { " (proven)" } else { "" },
        found.evaluations,
        begun.elapsed().as_secs_f64(),
    );
    Ok(())
}
