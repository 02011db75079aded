//! ASTRA-sim's analytical network: how each dimension joins its NPUs.
//!
//! ```text
//! topology: [ FullyConnected, Switch ]   # the innermost dimension first
//! npus_count: [ 8, 16 ]
//! bandwidth: [ 400.0, 50.0 ]             # GB/s, taken as 2³⁰ bytes
//! latency: [ 500.0, 1000.0 ]             # ns
//! ```

use units::{BytesPerSec, Seconds};

use crate::import_error::{ImportError, shown};
use crate::yaml::{self, Value};

const MAX_DIMENSIONS: usize = 16;
const MAX_NPUS: u64 = 1 << 20;

/// How the NPUs of a dimension are joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Each with its two neighbors.
    Ring,
    /// Each with every other.
    FullyConnected,
    /// All with one switch.
    Switch,
}

/// A dimension.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dimension {
    /// How its NPUs are joined.
    pub shape: Shape,
    /// How many there are.
    pub npus: u32,
    /// Of one link.
    pub rate: BytesPerSec,
    /// Of one link.
    pub latency: Seconds,
}

/// A network.
#[derive(Clone, Debug, PartialEq)]
pub struct Network {
    /// From the innermost dimension outwards.
    pub dimensions: Vec<Dimension>,
    /// Keys that are not kept.
    pub ignored: Vec<String>,
}

/// Reads a network.
///
/// # Errors
///
/// The first field that is missing or not what it should be.
///
/// ```
/// let file = "topology: [ Switch ]\nnpus_count: [ 64 ]\nbandwidth: [ 50.0 ]\nlatency: [ 500 ]\n";
/// let network = formats::astra_sim::read(file).unwrap();
/// assert_eq!(network.dimensions[0].rate.as_f64(), 50.0 * 1_073_741_824.0);
/// ```
pub fn read(text: &str) -> Result<Network, ImportError> {
    const FIELDS: [&str; 4] = ["topology", "npus_count", "bandwidth", "latency"];
    let document = yaml::parse(text)?;
    let mut lists = Vec::new();
    for field in FIELDS {
        let value = document.get(field).ok_or_else(|| ImportError::Missing {
            line: document.line,
            element: "the network".to_owned(),
            field: field.to_owned(),
        })?;
        lists.push((value.line, value.list(field)?));
    }
    let many = lists[0].1.len();
    for (field, (line, list)) in FIELDS.iter().zip(&lists) {
        if list.len() != many {
            let what = format!(
                "`{field}` has {} entries, `topology` has {many}",
                list.len()
            );
            return Err(ImportError::Contradiction { line: *line, what });
        }
    }
    if !(1..=MAX_DIMENSIONS).contains(&many) {
        let (line, what, limit) = (lists[0].0, "dimensions", MAX_DIMENSIONS);
        return match many {
            0 => Err(ImportError::Without { what: "dimension" }),
            _ => Err(ImportError::Many { line, what, limit }),
        };
    }
    let dimension = |at: usize| dimension([0, 1, 2, 3].map(|field: usize| &lists[field].1[at]));
    let dimensions: Vec<Dimension> = (0..many).map(dimension).collect::<Result<_, _>>()?;
    let npus = dimensions.iter().map(|one| u64::from(one.npus));
    if MAX_NPUS < npus.fold(1, u64::saturating_mul) {
        return Err(ImportError::Many {
            line: lists[1].0,
            what: "NPUs in all",
            limit: 1 << 20,
        });
    }
    let others = document.entries().iter().map(|(key, _)| key.as_str());
    Ok(Network {
        dimensions,
        ignored: others
            .filter(|key| !FIELDS.contains(key))
            .map(shown)
            .collect(),
    })
}

fn dimension([shape, npus, rate, latency]: [&Value; 4]) -> Result<Dimension, ImportError> {
    let expected = "a rate in GB/s";
    let gib: f64 = rate.number("bandwidth", expected)?;
    let bytes_per_s = BytesPerSec::new(gib * 1_073_741_824.0);
    let expected_ns = "a duration in ns";
    let nanos: f64 = latency.number("latency", expected_ns)?;
    let count = "a number of NPUs above 1";
    let found: u32 = npus.number("npus_count", count)?;
    if found < 2 {
        return Err(ImportError::not(
            npus.line,
            "npus_count",
            &found.to_string(),
            count,
        ));
    }
    if !(0.0..=1e12).contains(&nanos) {
        let found = latency.text("latency")?;
        return Err(ImportError::not(
            latency.line,
            "latency",
            found,
            expected_ns,
        ));
    }
    Ok(Dimension {
        shape: match shape.text("topology")? {
            "Ring" => Shape::Ring,
            "FullyConnected" => Shape::FullyConnected,
            "Switch" => Shape::Switch,
            other => {
                let expected = "Ring, FullyConnected or Switch";
                return Err(ImportError::not(shape.line, "topology", other, expected));
            }
        },
        npus: found,
        rate: bytes_per_s.ok_or_else(|| {
            let found = gib.to_string();
            ImportError::not(rate.line, "bandwidth", &found, expected)
        })?,
        latency: Seconds::from_secs(nanos * 1e-9),
    })
}
