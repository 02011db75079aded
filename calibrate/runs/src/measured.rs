//! What a row measured.

/// A quantity that runs measure and predictions have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Quantity {
    /// Seconds of one iteration.
    IterationTime,
    /// Bytes of memory at the peak.
    PeakMemory(MemoryKind),
    /// Whether it ran out of memory: 1, or 0.
    OutOfMemory,
}

impl Quantity {
    /// The name that `--json` prints.
    pub const fn name(self) -> &'static str {
        match self {
            Self::IterationTime => "iteration_time_s",
            Self::PeakMemory(_) => "peak_memory_bytes",
            Self::OutOfMemory => "oom",
        }
    }
}

/// Which memory was measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MemoryKind {
    /// The peak of the framework's allocator on the largest rank.
    AllocatedMax,
    /// The same on the last rank, which writes the log.
    AllocatedLastRank,
    /// The peak of what the allocator holds, used or not.
    ReservedMax,
    /// Memory of the device in use, on the fullest node.
    NvidiaSmi,
}

impl MemoryKind {
    /// The name that tables print.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AllocatedMax => "allocated_max",
            Self::AllocatedLastRank => "allocated_last_rank",
            Self::ReservedMax => "reserved_max",
            Self::NvidiaSmi => "nvidia_smi",
        }
    }
}

/// One measurement of a row.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// What was measured.
    pub quantity: Quantity,
    /// Seconds, bytes, or 1 for "ran out of memory".
    pub value: f64,
    /// How it follows from the row, where no cell holds it.
    pub derived: Option<&'static str>,
}
