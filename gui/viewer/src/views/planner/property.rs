//! What plans are compared by: along axes, in columns, in filters.

use chart::Unit;
use serde::{Deserialize, Serialize};

use super::row::PlanRow;

/// What plans are compared by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Property {
    /// Seconds of an iteration.
    Time,
    /// Tokens a second, of all GPUs.
    Tokens,
    /// Bytes that the fullest GPU uses.
    Memory,
    /// GPU-hours for a billion tokens.
    GpuHours,
    /// Money for the whole run.
    Cost,
    /// Model FLOP/s utilization.
    Mfu,
    /// Tensor-parallel ranks.
    Tp,
    /// Pipeline stages.
    Pp,
    /// Data-parallel replicas.
    Dp,
    /// Context-parallel ranks.
    Cp,
    /// Expert-parallel ranks.
    Ep,
    /// Model chunks on a device.
    Vp,
    /// Sequences of a micro-batch.
    MicroBatch,
    /// What is computed again.
    Recompute,
}

impl Property {
    /// What the scatter can show.
    pub const MEASURED: [Self; 6] = [
        Self::Time,
        Self::Tokens,
        Self::Memory,
        Self::GpuHours,
        Self::Cost,
        Self::Mfu,
    ];

    /// The parallel axes, from left to right.
    pub const ACROSS: [Self; 10] = [
        Self::Tp,
        Self::Pp,
        Self::Dp,
        Self::Cp,
        Self::Ep,
        Self::Vp,
        Self::MicroBatch,
        Self::Recompute,
        Self::Time,
        Self::Memory,
    ];

    /// What it is called.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Time => "Iteration time",
            Self::Tokens => "Tokens a second",
            Self::Memory => "Memory used",
            Self::GpuHours => "GPU-hours a billion tokens",
            Self::Cost => "Cost of the run",
            Self::Mfu => "MFU",
            Self::Tp => "tp",
            Self::Pp => "pp",
            Self::Dp => "dp",
            Self::Cp => "cp",
            Self::Ep => "ep",
            Self::Vp => "vp",
            Self::MicroBatch => "Micro-batch",
            Self::Recompute => "Recompute",
        }
    }

    /// What it means, as part of a sentence.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Time => "from the start of an iteration to the end of its optimizer step",
            Self::Tokens => "global batch × sequence / iteration time, of all GPUs",
            Self::Memory => {
                "what the fullest GPU uses, with the allocator's reserve, context and communicators"
            }
            Self::GpuHours => "GPUs × time for a billion tokens",
            Self::Cost => "GPU-hours and energy of the whole run at the scenario's prices",
            Self::Mfu => "model FLOPs / (iteration time × GPUs × peak)",
            Self::Tp => "ranks that share each layer's matrices",
            Self::Pp => "stages that the layers are divided into",
            Self::Dp => "replicas that share the batch",
            Self::Cp => "ranks that share each sequence",
            Self::Ep => "ranks that share the experts of a layer",
            Self::Vp => "model chunks on each stage's device",
            Self::MicroBatch => "sequences that pass through the pipeline together",
            Self::Recompute => "the share of activations that the backward pass computes again",
        }
    }

    /// What its numbers are.
    pub fn unit(self, currency: &str) -> Unit {
        match self {
            Self::Time => Unit::Seconds,
            Self::Memory => Unit::Bytes,
            Self::Mfu => Unit::Share,
            Self::Cost => Unit::Of(currency.to_owned()),
            Self::GpuHours | Self::Tokens => Unit::Plain,
            _ => Unit::Count,
        }
    }

    /// Its value, in base units; not a number where there is none.
    pub fn of(self, row: &PlanRow) -> f64 {
        let degrees = row.choice.degrees;
        match self {
            Self::Time => row.time,
            Self::Tokens => row.tokens,
            Self::Memory => row.memory,
            Self::GpuHours => row.gpu_hours,
            Self::Cost => row.cost.unwrap_or(f64::NAN),
            Self::Mfu => row.mfu,
            Self::Tp => degrees.tp.into(),
            Self::Pp => degrees.pp.into(),
            Self::Dp => degrees.dp.into(),
            Self::Cp => degrees.cp.into(),
            Self::Ep => degrees.ep.into(),
            Self::Vp => row.choice.vp.into(),
            Self::MicroBatch => row.choice.micro_batch as f64,
            Self::Recompute => recomputed(&row.choice.recompute.words()),
        }
    }

    /// Whether less of it is better.
    pub const fn less_is_better(self) -> bool {
        !matches!(self, Self::Tokens | Self::Mfu)
    }

    /// Whether its values are few, so that an axis lists them.
    pub const fn is_listed(self) -> bool {
        !matches!(
            self,
            Self::Time | Self::Tokens | Self::Memory | Self::GpuHours | Self::Cost | Self::Mfu
        )
    }

    /// The values that some plans have, ascending, each with its text.
    pub fn listed(self, rows: &[PlanRow]) -> Vec<(f64, String)> {
        let text = |row: &PlanRow| match self {
            Self::Recompute => row.choice.recompute.words(),
            _ => format!("{}", self.of(row)),
        };
        let mut all: Vec<(f64, String)> =
            rows.iter().map(|row| (self.of(row), text(row))).collect();
        all.sort_by(|a, b| a.0.total_cmp(&b.0));
        all.dedup_by(|a, b| a.0.total_cmp(&b.0).is_eq());
        all
    }
}

/// How much is computed again, so that axes and columns have an order.
fn recomputed(words: &str) -> f64 {
    match words {
        "none" => 0.0,
        "selective" => 1.0,
        "full" => 1e6,
        layers => {
            let number = layers.split(' ').next().and_then(|n| n.parse::<f64>().ok());
            1.0 + number.unwrap_or(0.0)
        }
    }
}

/// A range of an axis that lists values, as the range of these values; empty ranges let nothing through.
pub(super) fn range_of_listed(listed: &[(f64, String)], (low, high): (f64, f64)) -> (f64, f64) {
    let inside = listed.iter().enumerate().filter(|(place, _)| {
        let place = *place as f64;
        low <= place && place <= high
    });
    let values: Vec<f64> = inside.map(|(_, (value, _))| *value).collect();
    match (values.first(), values.last()) {
        (Some(first), Some(last)) => (*first, *last),
        _ => (f64::MAX, f64::MAX),
    }
}

/// A range of values as the range of their places on an axis that lists them.
pub(super) fn places_of_range(listed: &[(f64, String)], (low, high): (f64, f64)) -> (f64, f64) {
    let first = listed.iter().position(|(value, _)| low <= *value);
    let last = listed.iter().rposition(|(value, _)| *value <= high);
    match (first, last) {
        (Some(first), Some(last)) if first <= last => (first as f64 - 0.3, last as f64 + 0.3),
        _ => (-1.0, -1.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recomputation_is_ordered_by_how_much_is_computed_again() {
        let order = ["none", "selective", "3 layers", "12 layers", "full"].map(recomputed);
        assert!(order.windows(2).all(|pair| pair[0] < pair[1]), "{order:?}");
    }

    #[test]
    fn a_brush_over_listed_values_is_kept_as_their_range() {
        let listed: Vec<(f64, String)> = [1.0, 2.0, 8.0]
            .into_iter()
            .map(|value| (value, value.to_string()))
            .collect();
        let range = range_of_listed(&listed, (0.6, 2.2));
        assert_eq!(range, (2.0, 8.0));
        let back = places_of_range(&listed, range);
        assert!(back.0 <= 1.0 && 2.0 <= back.1, "{back:?}");
        let none = range_of_listed(&listed, (0.2, 0.4));
        assert!(8.0 < none.0);
    }
}
