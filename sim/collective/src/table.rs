//! The table that nccl-tests prints.

use profile::{Algorithm, CollectiveKind, CommProfile, Protocol};
use units::{Bytes, Seconds};

use crate::{Choice, CommShape, Priced};

/// One row: a size, its time and the two bandwidths.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BusRow {
    /// The size, in nccl-tests' sense.
    pub bytes: Bytes,
    /// The time of one operation.
    pub time: Seconds,
    /// Size over time, in 10⁹ bytes per second.
    pub algbw: f64,
    /// The same times the kind's factor, which makes it comparable to a link's rate whatever the
    /// number of ranks.
    pub busbw: f64,
    /// How it was carried out.
    pub algorithm: Algorithm,
    /// How its data travelled.
    pub protocol: Protocol,
}

/// The rows of some sizes of one kind of collective on one shape.
pub fn bus_table(
    kind: CollectiveKind,
    sizes: &[Bytes],
    shape: &CommShape,
    comm: &CommProfile,
    choice: &Choice,
) -> Vec<BusRow> {
    let priced = Priced::new(kind, shape, comm, choice);
    let row = |&bytes: &Bytes| {
        let cost = priced.time(bytes);
        let seconds = cost.time.as_secs();
        let algbw = if seconds > 0.0 {
            bytes.as_f64() / seconds / 1e9
        } else {
            0.0
        };
        BusRow {
            bytes,
            time: cost.time,
            algbw,
            busbw: algbw * kind.bus_factor(shape.ranks),
            algorithm: cost.algorithm,
            protocol: cost.protocol,
        }
    };
    sizes.iter().map(row).collect()
}
