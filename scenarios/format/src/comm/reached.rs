//! `reached` of an entry: what collectives take where tables were fitted.

use std::collections::BTreeMap;

use profile::{BetweenReached, CollectiveKind, CommFit, InsideReached};

use super::{any, three};
use crate::fields::Fields;
use crate::shape::{Number, Shape, array, list, one_of, table, text, whole};

const START: &str = "time before the first hop, in µs: LL, LL128, Simple";
const HOP: &str = "time of a hop, in µs: LL, LL128, Simple";
const RING: &str = "share of the rate that rings reach: LL, LL128, Simple";
const TREE: &str = "share that trees reach: LL, LL128, Simple";
const RAMP: &str = "how slowly it is reached, in µs: LL, LL128, Simple";
const FIT: &str = "the rows behind these constants";

const fn one() -> Number {
    any()
}

pub(super) fn inside(t: &mut Fields<'_, '_>) -> InsideReached {
    InsideReached {
        start_us: t.get("start_us", START, three()).required(),
        hop_us: t.get("hop_us", HOP, three()).required(),
        ring: t.get("ring", RING, three()).required(),
        tree: t.get("tree", TREE, three()).required(),
        ramp_us: t.get("ramp_us", RAMP, three()).required(),
        nvls_us: t.get("nvls_us", "NVLS: start, in µs", one()).required(),
        nvls_rank_us: t
            .get("nvls_rank_us", "NVLS: each rank, in µs", one())
            .required(),
        nvls: t
            .get("nvls", "NVLS: bytes all-reduced over the rate", one())
            .required(),
        nvls_tree: t
            .get("nvls_tree", "the same between domains", one())
            .required(),
        nvls_ramp_us: t
            .get("nvls_ramp_us", "NVLS: how slowly, in µs", one())
            .required(),
        copy: t
            .get("copy", "rate of copying the own part over the rate", one())
            .required(),
        pairs_us: t
            .get(
                "pairs_us",
                "all-to-all: start, in µs: LL, Simple",
                array::<2, _>(one()),
            )
            .required(),
        pairs_ll: t
            .get("pairs_ll", "all-to-all: LL, in 10⁹ bytes/s a peer", one())
            .required(),
        pairs: t
            .get("pairs", "all-to-all: share of the rate", one())
            .required(),
        pairs_ramp_us: t
            .get("pairs_ramp_us", "all-to-all: how slowly, in µs", one())
            .required(),
        pairs_copy: t
            .get("pairs_copy", "all-to-all: copying the own part", one())
            .required(),
        fit: t.get("fit", FIT, table(fit)).required(),
    }
}

pub(super) fn between(t: &mut Fields<'_, '_>) -> BetweenReached {
    BetweenReached {
        hop_us: t.get("hop_us", HOP, three()).required(),
        ring: t.get("ring", RING, three()).required(),
        tree: t.get("tree", TREE, three()).required(),
        ramp_us: t.get("ramp_us", RAMP, three()).required(),
        fit: t.get("fit", FIT, table(fit)).required(),
    }
}

fn two() -> impl Shape<Out = [f64; 2]> {
    array::<2, _>(any())
}

fn fit(t: &mut Fields<'_, '_>) -> CommFit {
    let kinds = CollectiveKind::ALL.map(|kind| (kind.name(), kind)).to_vec();
    CommFit {
        rows: t.get("rows", "rows", whole(0)).required(),
        median_error: t
            .get(
                "median_error",
                "median error on them, below and from 1 MiB",
                two(),
            )
            .required(),
        held_out: t
            .get("held_out", "the same on tables left out", two())
            .required(),
        held_out_by: t
            .get("held_out_by", "what was left out together", text())
            .required(),
        small: t
            .get(
                "small",
                "measured over predicted where left out, 10th and 90th percentile, below 1 MiB",
                two(),
            )
            .required(),
        large: t.get("large", "the same from 1 MiB", two()).required(),
        kinds: t
            .get(
                "kinds",
                "collectives that were measured",
                list(one_of(kinds)),
            )
            .required(),
        counts: t
            .get(
                "counts",
                "fewest and most ranks or domains that were measured",
                array::<2, _>(whole::<u32>(0)),
            )
            .required(),
        measured: t.get("measured", MEASURED, table(measured)).or_default(),
    }
}

const MEASURED: &str = "by collective: the ranks or domains on which it was measured";

fn measured(t: &mut Fields<'_, '_>) -> BTreeMap<CollectiveKind, Vec<u32>> {
    let mut measured = BTreeMap::new();
    for kind in CollectiveKind::ALL {
        let doc = "ranks of a domain, or domains";
        let counts = t.get(kind.name(), doc, list(whole::<u32>(0))).optional();
        measured.extend(counts.map(|counts| (kind, counts)));
    }
    measured
}
