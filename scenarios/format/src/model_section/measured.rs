//! `[[model.measured]]`: layers whose times were measured.

use workload::{LayerRow, LayerTime};

use crate::fields::Fields;
use crate::shape::{duration, list, size, table, text, whole};

/// The most equal layers that one row may stand for.
const MOST_REPEATS: usize = 4096;

/// One of `[[model.measured]]`, as often as it says.
pub(super) fn layer_row(t: &mut Fields<'_, '_>) -> Vec<LayerRow> {
    let times = t
        .get(
            "times",
            "times of one sample, one entry for each tensor-parallel degree",
            list(table(layer_time)),
        )
        .optional();
    let forward = t
        .get(
            "forward",
            "time of the forward pass of one sample on one GPU",
            duration(),
        )
        .optional();
    let backward = t
        .get(
            "backward",
            "time of its backward pass, default twice forward",
            duration(),
        )
        .optional();
    t.exclude("times", "forward");
    if !t.has("times") && !t.has("forward") {
        t.missing(
            "forward",
            "the time of one sample; or `times`, by tensor-parallel degree".to_owned(),
        );
    }
    let alone = forward.map(|forward| LayerTime {
        tp: 1,
        forward,
        backward,
    });
    let repeats = t
        .get(
            "count",
            "how many such layers follow each other",
            whole::<u32>(1),
        )
        .or(1);
    let row = LayerRow {
        name: t.get("name", "what it is called", text()).required(),
        times: times.unwrap_or_else(|| alone.into_iter().collect()),
        params: t
            .get("params", "how many parameters it has", whole(0))
            .required(),
        output: t
            .get(
                "output",
                "what it hands to the next layer, for one sample",
                size(),
            )
            .required(),
        saved: t
            .get(
                "saved",
                "what it keeps until backward, default output",
                size(),
            )
            .optional(),
    };
    vec![row; usize::try_from(repeats).map_or(MOST_REPEATS, |n| n.min(MOST_REPEATS + 1))]
}

fn layer_time(t: &mut Fields<'_, '_>) -> LayerTime {
    LayerTime {
        tp: t.get("tp", "tensor-parallel degree", whole(1)).required(),
        forward: t
            .get(
                "forward",
                "time of the forward pass of one sample",
                duration(),
            )
            .required(),
        backward: t
            .get(
                "backward",
                "time of the backward pass, default twice forward",
                duration(),
            )
            .optional(),
    }
}
