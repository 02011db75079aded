//! Writes a split of layers as an integer program, for another solver to read:
//!
//! ```sh
//! cargo run --release -p solve --example model -- 12 3 1 lp > split.lp
//! glpsol --lp split.lp
//! ```
//!
//! Arguments: layers, devices, chunks a device, `lp` or `mps`, and the number of a variation. The
//! optimum that our own solver finds goes to standard error.

use solve::{LayerCost, PartitionProgram, PartitionSpec, partition, solve};
use units::{Bytes, Control, Seconds};

/// Layers of three kinds in turn, an embedding and a head, and memory that binds on the first
/// devices of some variations.
fn spec(n_layers: usize, pp: usize, chunks: usize, variation: u64) -> PartitionSpec {
    let layer = |index: u64| {
        let kind = index.wrapping_mul(2 * variation + 1) % 7;
        LayerCost {
            time: Seconds::from_millis(3.0 + kind as f64 * 0.7),
            fixed: Bytes::from_gib(1.0 + kind as f64 * 0.1),
            in_flight: Bytes::from_gib(0.3),
        }
    };
    let layers: Vec<LayerCost> = (0..n_layers as u64).map(layer).collect();
    let each = n_layers.div_ceil(pp) as f64;
    let limit = Bytes::from_gib(2.5 + each * (1.45 + 0.3 * pp as f64));
    let mut spec = PartitionSpec::even(layers, pp, limit);
    spec.first.fixed = Bytes::from_gib(2.0);
    spec.last.time = Seconds::from_millis(5.0);
    spec.chunks = chunks;
    let in_flight = |v: usize| (pp - v % pp) as f64 / chunks as f64;
    spec.in_flight = (0..pp * chunks).map(in_flight).collect();
    spec
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize, default: usize| -> Result<usize, std::num::ParseIntError> {
        arguments.get(at).map_or(Ok(default), |text| text.parse())
    };
    let (layers, pp, chunks) = (number(0, 12)?, number(1, 3)?, number(2, 1)?);
    let spec = spec(layers, pp, chunks, number(4, 0)? as u64);
    let model = PartitionProgram::new(&spec)?;
    let mps = arguments.get(3).is_some_and(|format| format == "mps");
    let text = if mps {
        model.program.to_mps()
    } else {
        model.program.to_lp()
    };
    print!("{text}");
    let solution = solve(&model.program, Seconds::from_secs(60.0), &Control::new());
    let split = partition(&spec);
    eprintln!(
        "objective {:?}, integer program {:?}, dynamic program {:?}",
        solution.as_ref().map(solve::Solution::objective),
        solution.as_ref().map(|found| model.read(found)),
        split
    );
    Ok(())
}
