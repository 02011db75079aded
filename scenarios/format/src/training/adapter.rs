//! `[training.peft]`: adapters beside frozen weights.

use workload::{Lora, LoraTargets};

use crate::fields::Fields;
use crate::shape::{list, one_of, whole};

pub(super) fn peft(t: &mut Fields<'_, '_>) -> Lora {
    t.get("kind", "the method", one_of(vec![("lora", ())]))
        .required();
    let targets = vec![
        (
            "qkv",
            LoraTargets {
                qkv: true,
                ..NO_TARGETS
            },
        ),
        (
            "output",
            LoraTargets {
                output: true,
                ..NO_TARGETS
            },
        ),
        (
            "up",
            LoraTargets {
                up: true,
                ..NO_TARGETS
            },
        ),
        (
            "down",
            LoraTargets {
                down: true,
                ..NO_TARGETS
            },
        ),
    ];
    let targets = t
        .get(
            "targets",
            "products with an adapter, default all four",
            list(one_of(targets)),
        )
        .optional();
    Lora {
        rank: t.get("rank", "rank of each adapter", whole(1)).required(),
        targets: targets.map_or(LoraTargets::ALL, |targets| {
            targets.into_iter().fold(NO_TARGETS, |a, b| LoraTargets {
                qkv: a.qkv || b.qkv,
                output: a.output || b.output,
                up: a.up || b.up,
                down: a.down || b.down,
            })
        }),
    }
}

const NO_TARGETS: LoraTargets = LoraTargets {
    qkv: false,
    output: false,
    up: false,
    down: false,
};
