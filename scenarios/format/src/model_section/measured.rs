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
            "of one sample, by tensor-parallel degree",
            list(table(layer_time)),
        )
        .optional();
    let forward = t
        .get("forward", "without tensor parallelism", duration())
        .optional();
    let backward = t
        .get("backward", "the same, default twice forward", duration())
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
        .get("count", "equal layers in a row", whole::<u32>(1))
        .or(1);
    let row = LayerRow {
        name: t.get("name", "what it is called", text()).required(),
        times: times.unwrap_or_else(|| alone.into_iter().collect()),
        params: t.get("params", "its parameters", whole(0)).required(),
        output: t
            .get("output", "what it hands on, for one sample", size())
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
        forward: t.get("forward", "of one sample", duration()).required(),
        backward: t
            .get("backward", "default twice forward", duration())
            .optional(),
    }
}
