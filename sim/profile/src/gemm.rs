//! The time of matrix products.

use crate::grid::Grid;
use crate::range::Range;
use crate::roof::{combine, soften, split_utilization, whole_tiles};
use crate::sheet::Sheet;
use crate::{Gemm, GemmSpec, Packing, PointSpec, Provenance};
use units::DType;

/// A curve for one input format and packing on one GPU; see [`GemmSpec`] for the formula.
#[derive(Clone, Debug)]
pub(crate) struct GemmCurve {
    /// Operations a second that large products reach.
    rate: f64,
    /// The data sheet's peak, which no correction may beat.
    peak: f64,
    half_k: f64,
    half_rows: f64,
    wave: f64,
    tile: [f64; 2],
    split_k: f64,
    /// Bytes a second that thin products reach.
    bandwidth: f64,
    /// The data sheet's memory bandwidth.
    roof: f64,
    accumulate: f64,
    /// Least seconds of each product of a batch or group.
    product: f64,
    sms: f64,
    /// Seconds of a kernel measured alone.
    pub(crate) base: f64,
    pub(crate) range: Range,
    grid: Option<Grid>,
    /// Measured shapes in rising order of [`key`].
    points: Vec<PointSpec>,
}

impl GemmCurve {
    /// The curve of a checked description.
    pub(crate) fn new(spec: &GemmSpec, dtype: DType, sheet: &Sheet, sustained: f64) -> Self {
        let peak = sheet.peak(dtype);
        let mut points = spec.points.clone();
        points.sort_by_key(key);
        Self {
            rate: (peak * spec.efficiency * sustained).min(peak),
            peak,
            half_k: spec.half_k,
            half_rows: spec.half_rows,
            wave: spec.wave,
            tile: spec.tile.map(f64::from),
            split_k: f64::from(spec.split_k),
            bandwidth: sheet.bandwidth * spec.bandwidth,
            roof: sheet.bandwidth,
            accumulate: spec.accumulate,
            product: spec.product_us * 1e-6,
            sms: sheet.sms,
            base: spec.base_us * 1e-6,
            range: Range::of(spec.fit.as_ref()),
            grid: spec.grid.as_ref().map(Grid::new),
            points,
        }
    }

    /// Seconds of a product, without launch gap, and what they are worth.
    pub(crate) fn time(&self, gemm: &Gemm) -> (f64, Provenance) {
        if let Some(found) = self.measured(gemm) {
            return found;
        }
        let (rows, products) = split(gemm);
        if rows == 0.0 || gemm.n == 0 || gemm.k == 0 {
            return (0.0, Provenance::Measured);
        }
        let shape = [rows, gemm.n as f64, gemm.k as f64];
        let bytes = gemm.bytes().as_f64();
        let curve = combine(
            self.compute(shape, products, gemm.accumulate),
            bytes / self.bandwidth,
        );
        let factor = self.grid.as_ref().map_or(1.0, |grid| grid.factor(shape));
        let time = combine(curve * factor, self.launches(gemm, products));
        let roofline = (gemm.flops().as_f64() / self.peak).max(bytes / self.roof);
        (time.max(roofline), self.range.provenance(shape))
    }

    /// Seconds of launching the products of experts one by one. What attention batches takes one
    /// launch.
    fn launches(&self, gemm: &Gemm, products: f64) -> f64 {
        match gemm.packing {
            Packing::Grouped(_) => products * self.product,
            Packing::Batched(_) if gemm.accumulate => products * self.product,
            _ => 0.0,
        }
    }

    /// Seconds of the multiply-adds alone.
    fn compute(&self, [m, n, k]: [f64; 3], batch: f64, accumulate: bool) -> f64 {
        let [rows, columns] = self.tile;
        let tiles = batch * (m / rows).ceil() * (n / columns).ceil();
        let used = split_utilization(tiles, k, self.split_k, self.sms);
        let flops = 2.0 * batch * whole_tiles(m, rows) * whole_tiles(n, columns) * k;
        let slow = (1.0 + self.half_k / k) * (1.0 + self.half_rows / m);
        let penalty = if accumulate { self.accumulate } else { 1.0 };
        flops * slow / (self.rate * soften(used, self.wave) * penalty)
    }

    /// The time of a shape that was measured, or of one that differs by a percent of its rows.
    fn measured(&self, gemm: &Gemm) -> Option<(f64, Provenance)> {
        if self.points.is_empty() || (gemm.accumulate && gemm.output != DType::Fp32) {
            return None;
        }
        let count = match gemm.packing {
            Packing::Single => 1,
            Packing::Batched(count) | Packing::Grouped(count) => count,
        };
        let wanted = [u64::from(gemm.accumulate), count, gemm.n, gemm.k, gemm.m];
        let above = self.points.partition_point(|point| key(point) < wanted);
        let beside = [above.checked_sub(1), Some(above)].into_iter().flatten();
        let near = beside
            .filter_map(|at| self.points.get(at))
            .filter(|point| key(point)[..4] == wanted[..4])
            .min_by_key(|point| point.m.abs_diff(gemm.m))?;
        if near.m == gemm.m {
            return Some((near.us * 1e-6, Provenance::Measured));
        }
        let is_near = near.m.abs_diff(gemm.m) * 100 <= gemm.m;
        let scale = gemm.m as f64 / near.m as f64;
        is_near.then_some((near.us * 1e-6 * scale, Provenance::Interpolated))
    }
}

/// The order of measured shapes: by all but the rows, then by the rows.
fn key(point: &PointSpec) -> [u64; 5] {
    let added = u64::from(point.accumulate);
    [added, point.count, point.n, point.k, point.m]
}

/// Rows of one product and the number of products in the launch.
fn split(gemm: &Gemm) -> (f64, f64) {
    match gemm.packing {
        Packing::Single => (gemm.m as f64, 1.0),
        Packing::Batched(count) => (gemm.m as f64, count as f64),
        Packing::Grouped(groups) => {
            let groups = groups.max(1) as f64;
            (gemm.m as f64 / groups, groups)
        }
    }
}
