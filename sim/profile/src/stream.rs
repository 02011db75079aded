//! The time of memory-bound kernels and of state-space scans.

use crate::range::Range;
use crate::roof::combine;
use crate::sheet::Sheet;
use crate::{Provenance, Scan, ScanSpec, Stream, StreamKind, StreamSpec};

/// Bytes over bandwidth by kind, with a ramp for small kernels; see [`StreamSpec`].
#[derive(Clone, Debug)]
pub(crate) struct StreamCurve {
    /// Bytes a second of kinds that are not listed.
    bandwidth: f64,
    ramp: f64,
    /// Bytes a second by kind.
    kinds: Vec<(StreamKind, f64, Provenance)>,
    roof: f64,
    pub(crate) provenance: Provenance,
}

/// The worth of constants that were measured, or not, on this GPU.
fn worth(measured: bool) -> Provenance {
    if measured {
        Provenance::Interpolated
    } else {
        Provenance::Nominal
    }
}

impl StreamCurve {
    /// The curve of a checked description.
    pub(crate) fn new(spec: &StreamSpec, sheet: &Sheet) -> Self {
        let rate = |share: f64| share * sheet.bandwidth;
        Self {
            bandwidth: rate(spec.bandwidth),
            ramp: spec.ramp_bytes,
            kinds: spec
                .kinds
                .iter()
                .map(|entry| (entry.kind, rate(entry.bandwidth), worth(entry.measured)))
                .collect(),
            roof: sheet.bandwidth,
            provenance: worth(spec.measured),
        }
    }

    /// The same curve, worth no more than `best`.
    #[must_use]
    pub(crate) fn at_best(mut self, best: Provenance) -> Self {
        self.provenance = self.provenance.max(best);
        for (_, _, worth) in &mut self.kinds {
            *worth = (*worth).max(best);
        }
        self
    }

    /// Seconds of a kernel, without launch gap, and what they are worth.
    pub(crate) fn time(&self, stream: &Stream) -> (f64, Provenance) {
        let listed = self.kinds.iter().find(|(kind, ..)| *kind == stream.kind);
        let (rate, provenance) = listed.map_or(
            (self.bandwidth, self.provenance),
            |(_, rate, provenance)| (*rate, *provenance),
        );
        let bytes = stream.bytes.as_f64();
        let launches = if bytes > 0.0 {
            f64::from(stream.launches)
        } else {
            0.0
        };
        let time = (bytes + launches * self.ramp) / rate;
        (time.max(bytes / self.roof), provenance)
    }

    /// Seconds for bytes moved by a kernel of no listed kind.
    pub(crate) fn plain(&self, bytes: f64) -> f64 {
        bytes / self.bandwidth
    }
}

/// Operations and bytes of a chunked scan over what the GPU reaches; see [`ScanSpec`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct ScanCurve {
    efficiency: f64,
    bandwidth: f64,
    sheet: Sheet,
    pub(crate) range: Range,
}

impl ScanCurve {
    /// The curve of a checked description.
    pub(crate) fn new(spec: &ScanSpec, sheet: &Sheet, sustained: f64) -> Self {
        Self {
            efficiency: (spec.efficiency * sustained).min(1.0),
            bandwidth: spec.bandwidth,
            sheet: *sheet,
            range: Range::of(spec.fit.as_ref()),
        }
    }

    /// Seconds of a scan, without launch gap, and what they are worth.
    pub(crate) fn time(&self, scan: &Scan) -> (f64, Provenance) {
        let peak = self.sheet.peak(scan.dtype);
        let flops = scan.flops().as_f64() / peak;
        let bytes = scan.bytes().as_f64() / self.sheet.bandwidth;
        let time = combine(flops / self.efficiency, bytes / self.bandwidth);
        let shape = [scan.tokens as f64, scan.heads as f64, scan.state as f64];
        (time.max(flops).max(bytes), self.range.provenance(shape))
    }
}
