//! Pipette's placement case on measured matrices:
//!
//! ```sh
//! cargo run --release -p placement --example pipette -- MATRICES.csv --key 0 --source time_0 \
//!     --known 2=231.1883,4=116.5983,8=72.1960,16=77.3007
//! ```
//!
//! The 8.1 B GPT of Pipette's artifact on 16 servers: 64 layers, hidden 3072, vocabulary 50256,
//! sequence 1024, micro-batch 4, fp32, tensor parallelism over the 8 GPUs of a server. Without a
//! path a generated matrix takes the place of a measured one. Best known costs are in
//! milliseconds.

use std::time::Instant;

use placement::{
    Bandwidth, Effort, Pipette, PipetteSpec, Spread, generated, parse_snapshots, place,
};
use units::{Bytes, Control};

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
        steps: option("--steps").map_or(Ok(200_000), str::parse)?,
        seed: option("--seed").map_or(Ok(1), str::parse)?,
    };
    let known = option("--known").unwrap_or_default();
    println!(
        "{:>3} {:>10} {:>10} {:>10} {:>10} {:>8} {:>7} {:>9} {:>6}",
        "pp", "listed ms", "found ms", "known ms", "bound ms", "gap %", "proven", "Meval/s", "s"
    );
    for (name, bandwidth) in matrices(path, &option)? {
        println!("{name}");
        for pp in [2, 4, 8, 16] {
            report(&bandwidth, pp, &effort, best_known(known, pp))?;
        }
    }
    Ok(())
}

/// The matrices whose source contains `--source` and whose key is `--key`.
fn matrices<'a>(
    path: Option<&String>,
    option: &impl Fn(&str) -> Option<&'a str>,
) -> Result<Vec<(String, Bandwidth)>, Failure> {
    let Some(path) = path else {
        let bandwidth = generated(16, &Spread::infiniband_200g(), 1)?;
        return Ok(vec![("generated".to_owned(), bandwidth)]);
    };
    let (key, source) = (option("--key"), option("--source").unwrap_or_default());
    let snapshots = parse_snapshots(&std::fs::read_to_string(path)?)?;
    let asked = snapshots.into_iter().filter(|snapshot| {
        key.is_none_or(|key| snapshot.key == key) && snapshot.source.contains(source)
    });
    let named = asked.map(|s| (format!("{} {}", s.source, s.key), s.bandwidth));
    Ok(named
        .filter(|(_, bandwidth)| bandwidth.n_servers() == 16)
        .collect())
}

fn best_known(known: &str, pp: usize) -> Option<f64> {
    let pairs = known.split(',').filter_map(|pair| pair.split_once('='));
    let mut of_pp = pairs.filter(|(stages, _)| stages.parse() == Ok(pp));
    of_pp.next().and_then(|(_, cost)| cost.parse().ok())
}

#[expect(
    clippy::disallowed_methods,
    reason = "an example measures its own speed"
)]
fn report(
    bandwidth: &Bandwidth,
    pp: usize,
    effort: &Effort,
    known: Option<f64>,
) -> Result<(), Failure> {
    let cost = Pipette::new(&PipetteSpec {
        bandwidth: bandwidth.clone(),
        pp,
        hop: Bytes::new(4 * 1_024 * 3_072 * 4),
        gradients: Bytes::from_f64(
            (3_072.0 * 50_256.0 + 64.0 / pp as f64 * 16.0 * 3_072.0 * 3_072.0) / 8.0 * 4.0,
        ),
    })?;
    let order: Vec<u32> = (0..16).collect();
    let begun = Instant::now();
    let annealed = std::sync::Mutex::new(0.0);
    let found = place(&cost, &order, effort, &Control::new(), &|_| {
        if let Ok(mut last) = annealed.lock() {
            *last = begun.elapsed().as_secs_f64();
        }
    })?;
    let seconds = annealed.into_inner()?;
    println!(
        "{pp:>3} {:>10.4} {:>10.4} {:>10} {:>10.4} {:>8.4} {:>7} {:>9.2} {:>6.2}",
        found.given.as_millis(),
        found.cost.as_millis(),
        known.map_or_else(|| "-".to_owned(), |known| format!("{known:.4}")),
        found.bound.as_millis(),
        100.0 * found.gap(),
        found.is_proven(),
        found.evaluations as f64 / 1e6 / seconds,
        begun.elapsed().as_secs_f64(),
    );
    Ok(())
}
