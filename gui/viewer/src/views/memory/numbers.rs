//! The figures of memory, each with what it means.

use look::{Told, Worth, number};
use session::Prediction;
use units::Bytes;

use super::figures::bytes;
use crate::views::told::Figures;

/// Peaks, limit and headroom; with their differences to a base where there is one.
pub(super) fn numbers(now: &Prediction, base: Option<&Prediction>) -> Vec<Told> {
    let against = |of: fn(&Prediction) -> Bytes| {
        let difference = |base: &Prediction| {
            let (now, base) = (of(now).as_u64() as f64, of(base).as_u64() as f64);
            let sign = if base < now { "+" } else { "" };
            format!("  ({sign}{})", bytes(now - base))
        };
        let value = number::bytes(of(now));
        format!("{value}{}", base.map_or(String::new(), difference))
    };
    let left = now.device_memory_bytes.as_u64() as f64 - now.device_used_bytes.as_u64() as f64;
    let figures = Figures::of(now);
    vec![
        figures.told(
            "peak_allocated_bytes",
            "Peak allocated",
            against(|of| of.peak_allocated_bytes),
        ),
        figures.told(
            "peak_reserved_bytes",
            "Peak reserved",
            against(|of| of.peak_reserved_bytes),
        ),
        figures.told(
            "device_used_bytes",
            "Device used",
            against(|of| of.device_used_bytes),
        ),
        figures.told(
            "device_memory_bytes",
            "Device limit",
            number::bytes(now.device_memory_bytes),
        ),
        Told::new(
            if left < 0.0 {
                "Over the limit by"
            } else {
                "Headroom"
            },
            bytes(left.abs()),
            "What is between device used and the limit",
            Worth::Derived,
            "the two figures before",
        )
        .with_formula("limit − device used"),
    ]
}
