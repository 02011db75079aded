//! `[[gemm]]`: curves of matrix products.

use profile::{GemmSpec, GridSpec, PackingKind, PointSpec};

use super::{BASE, FIT, SOURCE, WAVE, count, dtypes, fit, positive, share, wave};
use crate::fields::Fields;
use crate::kind::Limits;
use crate::shape::{OneOf, array, boolean, list, number, one_of, table, text};

fn packings() -> OneOf<PackingKind> {
    one_of(vec![
        ("single", PackingKind::Single),
        ("batched", PackingKind::Batched),
        ("grouped", PackingKind::Grouped),
    ])
}

pub(super) fn gemm(t: &mut Fields<'_, '_>) -> GemmSpec {
    GemmSpec {
        dtypes: t
            .get("dtypes", "input formats that the curve holds for", dtypes())
            .required(),
        packing: t
            .get("packing", "how the products are packed", packings())
            .or(PackingKind::Single),
        efficiency: t
            .get(
                "efficiency",
                "share of the peak that large products reach",
                share(),
            )
            .required(),
        half_k: t
            .get(
                "half_k",
                "inner length at which half the speed is lost",
                positive(),
            )
            .or(0.0),
        half_rows: t
            .get(
                "half_rows",
                "rows at which half the speed is lost",
                positive(),
            )
            .or(0.0),
        wave: t.get("wave", WAVE, wave()).or(0.0),
        tile: t
            .get(
                "tile",
                "rows and columns of one thread block",
                array::<2, _>(count()),
            )
            .or([128, 128]),
        split_k: t
            .get("split_k", "most parts of the inner dimension", count())
            .or(1),
        bandwidth: t
            .get(
                "bandwidth",
                "share of the bandwidth of thin products",
                share(),
            )
            .required(),
        accumulate: t
            .get(
                "accumulate",
                "speed of a product added to an fp32 result",
                share(),
            )
            .or(1.0),
        product_us: t
            .get(
                "product_us",
                "least time of the product of each expert, in µs",
                positive(),
            )
            .or(0.0),
        base_us: t.get("base_us", BASE, positive()).or(0.0),
        source: t.get("source", SOURCE, text()).required(),
        fit: t.get("fit", FIT, table(fit)).optional(),
        grid: t
            .get("grid", "correction of the curve by shape", table(grid))
            .optional(),
        points: t
            .get(
                "points",
                "shapes that were measured themselves",
                list(table(point)),
            )
            .or_default(),
    }
}

fn grid(t: &mut Fields<'_, '_>) -> GridSpec {
    let axis = || list(number(Limits::at_least(1.0)));
    GridSpec {
        m: t.get("m", "nodes of m, rising", axis()).required(),
        n: t.get("n", "nodes of n, rising", axis()).required(),
        k: t.get("k", "nodes of k, rising", axis()).required(),
        factor: t
            .get(
                "factor",
                "measured time over the curve's, k running fastest, then n",
                list(number(Limits::within(0.125, 8.0))),
            )
            .required(),
    }
}

fn point(t: &mut Fields<'_, '_>) -> PointSpec {
    PointSpec {
        m: t.get("m", "rows", count()).required(),
        n: t.get("n", "columns", count()).required(),
        k: t.get("k", "inner length", count()).required(),
        count: t
            .get("count", "products of a batch, or groups", count())
            .or(1),
        accumulate: t
            .get(
                "accumulate",
                "whether it was added to an fp32 result",
                boolean(),
            )
            .or(false),
        us: t
            .get("us", "measured time in µs", number(Limits::POSITIVE))
            .required(),
    }
}
