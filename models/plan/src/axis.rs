//! Stand-in until `workload::ops::Axis` is published.

/// A group of ranks that communicate with each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Axis {
    /// Tensor parallel.
    Tp,
    /// Context parallel.
    Cp,
    /// Expert parallel.
    Ep,
    /// Tensor parallel inside an expert.
    Etp,
    /// Both.
    EpEtp,
    /// Data parallel, dense parameters.
    Dp,
    /// Data parallel, expert parameters.
    ExpertDp,
    /// Pipeline stages.
    Pp,
}
