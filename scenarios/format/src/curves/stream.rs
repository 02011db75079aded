//! `[stream]` and `[scan]`: kernels that memory binds, and state-space scans.

use profile::{ScanSpec, StreamKind, StreamKindSpec, StreamSpec};

use super::{FIT, MEASURED, SOURCE, fit, positive, share};
use crate::fields::Fields;
use crate::shape::{boolean, list, one_of, table, text};

/// The kinds of memory-bound kernels, as files write them.
const STREAM_KINDS: &[(&str, StreamKind)] = &[
    ("norm", StreamKind::Norm),
    ("activation", StreamKind::Activation),
    ("rotary", StreamKind::Rotary),
    ("residual", StreamKind::Residual),
    ("dropout", StreamKind::Dropout),
    ("bias", StreamKind::Bias),
    ("embedding", StreamKind::Embedding),
    ("cross-entropy", StreamKind::CrossEntropy),
    ("router", StreamKind::Router),
    ("permute", StreamKind::Permute),
    ("cast", StreamKind::Cast),
    ("convolution", StreamKind::Convolution),
    ("optimizer", StreamKind::Optimizer),
    ("copy", StreamKind::Copy),
];

pub(super) fn stream(t: &mut Fields<'_, '_>) -> StreamSpec {
    StreamSpec {
        bandwidth: t
            .get("bandwidth", "share that a large kernel reaches", share())
            .required(),
        ramp_bytes: t
            .get(
                "ramp_bytes",
                "bytes at which one launch reaches half of it",
                positive(),
            )
            .or(0.0),
        kinds: t
            .get(
                "kinds",
                "kinds that reach another share",
                list(table(stream_kind)),
            )
            .or_default(),
        source: t.get("source", SOURCE, text()).required(),
        measured: t.get("measured", MEASURED, boolean()).or(false),
    }
}

fn stream_kind(t: &mut Fields<'_, '_>) -> StreamKindSpec {
    StreamKindSpec {
        kind: t
            .get("kind", "the kind", one_of(STREAM_KINDS.to_vec()))
            .required(),
        bandwidth: t
            .get("bandwidth", "share that it reaches", share())
            .required(),
        measured: t.get("measured", MEASURED, boolean()).or(false),
    }
}

pub(super) fn scan(t: &mut Fields<'_, '_>) -> ScanSpec {
    ScanSpec {
        efficiency: t.get("efficiency", "share of the peak", share()).required(),
        bandwidth: t
            .get("bandwidth", "share of the memory bandwidth", share())
            .required(),
        source: t.get("source", SOURCE, text()).required(),
        fit: t.get("fit", FIT, table(fit)).optional(),
    }
}
