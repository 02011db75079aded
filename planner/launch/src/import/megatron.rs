//! Arguments of Megatron-LM.

mod model;
mod plan;
mod training;

use super::Imported;
use super::options::Options;
use super::scenario::{Draft, start};
use super::script::{self, Script};
use super::world::World;
use crate::error::ImportError;

const NAME: &str = "Megatron-LM";

pub(super) fn import(text: &str) -> Result<Imported, ImportError> {
    let script = script::read(text);
    let options = Options::of(&script, NAME);
    let world = World::of(&script, &options);
    of_options(&options, world).map(Draft::finish)
}

/// Whether a script has arguments of Megatron-LM.
pub(super) fn is_in(script: &Script) -> bool {
    Options::of(script, NAME).has("num-layers")
}

/// A scenario from arguments.
pub(super) fn of_options(options: &Options, world: World) -> Result<Draft, ImportError> {
    let (mut out, mut notes) = (start(), Vec::new());
    let layers = options.needed("num-layers")?;
    model::write(options, layers, &mut out, &mut notes)?;
    let degrees = plan::degrees(options, world, &mut notes)?;
    world.write(degrees.ranks(), &mut out, &mut notes);
    training::write(options, &mut out, &mut notes)?;
    plan::write(options, &degrees, layers, &mut out, &mut notes)?;
    out.set("framework.name", "megatron-core");
    let multiple: Option<u64> = options.number("make-vocab-size-divisible-by")?;
    let multiple = multiple.filter(|multiple| *multiple != 128);
    out.set_some("framework.choices.vocab_multiple", multiple);
    options.known(&SILENT);
    Ok(Draft {
        out,
        notes,
        ignored: options.ignored(),
    })
}

/// Options that say nothing that a prediction needs: they are no news.
const SILENT: [&str; 30] = [
    "data-path",
    "mock-data",
    "split",
    "tokenizer-type",
    "tokenizer-model",
    "rotary-base",
    "norm-epsilon",
    "lr",
    "min-lr",
    "train-iters",
    "eval-iters",
    "eval-interval",
    "log-interval",
    "log-throughput",
    "save",
    "load",
    "save-interval",
    "use-mcore-models",
    "moe-grouped-gemm",
    "moe-permute-fusion",
    "te-rng-tracker",
    "no-gradient-accumulation-fusion",
    "moe-router-score-function",
    "moe-pad-expert-input-to-capacity",
    "moe-router-dtype",
    "moe-router-pre-softmax",
    "cuda-graph-modules",
    "no-bias-gelu-fusion",
    "ckpt-format",
    "use-precision-aware-optimizer",
];
