//! The figures of memory, each with what it means.

use look::{Told, Worth, number};
use session::Prediction;
use units::Bytes;

use super::figures::bytes;

/// Peaks, limit and headroom; with their differences to a base where there is one.
pub(super) fn numbers(now: &Prediction, base: Option<&Prediction>) -> Vec<Told> {
    let source = format!("the {} engine", now.engine);
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
    vec![
        Told::new(
            "Peak allocated",
            against(|of| of.peak_allocated_bytes),
            "The most that the framework's allocator gives out at once, on the rank where that is largest",
            Worth::Simulated,
            source.clone(),
        )
        .with_formula("weights + gradients + optimizer + activations + logits + workspace + communication"),
        Told::new(
            "Peak reserved",
            against(|of| of.peak_reserved_bytes),
            "The same with what the allocator keeps for later, since blocks of memory do not fit each other",
            Worth::Simulated,
            "constants of the framework's allocator",
        )
        .with_formula("peak allocated × (1 + fragmentation)"),
        Told::new(
            "Device used",
            against(|of| of.device_used_bytes),
            "What the device shows: with the context, libraries and buffers of communicators",
            Worth::Simulated,
            source,
        )
        .with_formula("reserved, as far as there is room + context + communicators"),
        Told::new(
            "Device limit",
            number::bytes(now.device_memory_bytes),
            "The memory of the GPU that is fullest against its limit",
            Worth::Nominal,
            "the GPU's file",
        ),
        Told::new(
            if left < 0.0 { "Over the limit by" } else { "Headroom" },
            bytes(left.abs()),
            "What is between device used and the limit",
            Worth::Derived,
            "the two figures before",
        )
        .with_formula("limit − device used"),
    ]
}
