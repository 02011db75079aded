//! Shapes and degrees that published recipes have and tables of their results leave out.

use crate::Record;
use crate::spelled::{has_any, plain};

/// What a recipe says of a model.
#[derive(Debug)]
pub(crate) struct Recipe {
    /// The model, as [`plain`] writes it.
    pub(crate) model: &'static str,
    /// What its `[model.megatron]` says.
    pub(crate) shape: &'static [(&'static str, Given)],
    /// Degrees by column.
    pub(crate) degrees: &'static [(&'static str, u64)],
    /// Where it stands.
    pub(crate) source: &'static str,
}

/// A value of a field.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Given {
    Count(u64),
    Word(&'static str),
    Flag(bool),
}

use Given::{Count as N, Flag as B, Word as W};

const MPT: &str = "mosaicml/llm-foundry, scripts/train/yamls/pretrain/mpt-*.yaml";
/// The vocabulary is that of the tokenizer which the file names: `BertWordPieceCase`, 28,996 words,
/// and mT5's, 250,000, each with 100 sentinels.
const T5: &str = "NVIDIA/NeMo-Framework-Launcher, launcher_scripts/conf/training/{t5,mt5}/*.yaml";
/// The vocabulary is that of `BertWordPieceLowerCase`.
const BERT: &str = "NVIDIA/NeMo-Framework-Launcher, launcher_scripts/conf/training/bert/*.yaml";
const NEMO: &str =
    "NVIDIA/NeMo, nemo/collections/llm/gpt/model and launcher_scripts/conf/training/gpt3";

macro_rules! mpt {
    ($name:literal, $hidden:literal, $layers:literal, $heads:literal) => {
        Recipe {
            model: $name,
            shape: &[
                ("layers", N($layers)),
                ("hidden", N($hidden)),
                ("heads", N($heads)),
                ("vocab", N(50_368)),
                ("vocab_divisible_by", N(128)),
                ("bias", B(false)),
            ],
            degrees: &[],
            source: MPT,
        }
    };
}

macro_rules! t5 {
    ($name:literal, $hidden:literal, $ffn:literal, $layers:literal, $heads:literal, $vocab:literal, $tp:literal, $mbs:literal) => {
        Recipe {
            model: $name,
            shape: &[
                ("layers", N($layers)),
                ("hidden", N($hidden)),
                ("ffn", N($ffn)),
                ("heads", N($heads)),
                ("head_dim", N(64)),
                ("vocab", N($vocab)),
                ("vocab_divisible_by", N(128)),
                ("kind", W("t5")),
                ("activation", W("geglu")),
                ("norm", W("layer")),
            ],
            degrees: &[("tp", $tp), ("pp", 1), ("mbs", $mbs)],
            source: T5,
        }
    };
}

macro_rules! bert {
    ($name:literal, $hidden:literal, $layers:literal, $heads:literal, $mbs:literal) => {
        Recipe {
            model: $name,
            shape: &[
                ("layers", N($layers)),
                ("hidden", N($hidden)),
                ("heads", N($heads)),
                ("vocab", N(30_522)),
                ("vocab_divisible_by", N(128)),
                ("kind", W("bert")),
            ],
            degrees: &[("mbs", $mbs)],
            source: BERT,
        }
    };
}

const RECIPES: [Recipe; 15] = [
    mpt!("mpt-760m", 1536, 24, 12),
    mpt!("mpt-1b", 2048, 24, 16),
    mpt!("mpt-7b", 4096, 32, 32),
    mpt!("mpt-13b", 5120, 40, 40),
    mpt!("mpt-30b", 7168, 48, 56),
    t5!("t5-220m", 768, 2048, 12, 12, 29_096, 1, 64),
    t5!("t5-3b", 2048, 5120, 24, 32, 29_096, 2, 24),
    t5!("mt5-170m", 512, 1024, 8, 6, 250_100, 1, 64),
    t5!("mt5-390m", 768, 2048, 12, 12, 250_100, 1, 32),
    t5!("mt5-3b", 2048, 5120, 24, 32, 250_100, 2, 24),
    bert!("bert-110m", 768, 12, 12, 4),
    bert!("bert-4b", 2560, 48, 32, 8),
    bert!("bert-20b", 6144, 48, 96, 4),
    Recipe {
        model: "gpt3-20b",
        shape: &[
            ("layers", N(44)),
            ("hidden", N(6144)),
            ("heads", N(48)),
            ("vocab", N(50_257)),
            ("vocab_divisible_by", N(128)),
        ],
        degrees: &[],
        source: NEMO,
    },
    Recipe {
        model: "nemotron-22b",
        shape: &[
            ("layers", N(40)),
            ("hidden", N(6144)),
            ("ffn", N(24_576)),
            ("heads", N(48)),
            ("vocab", N(256_000)),
            ("vocab_divisible_by", N(128)),
            ("activation", W("squared-relu")),
            ("position", W("rope")),
            ("bias", B(false)),
            ("tied", B(false)),
        ],
        degrees: &[],
        source: NEMO,
    },
];

impl Recipe {
    /// Whether a width is that of the recipe, or not said.
    pub(crate) fn has_width(&self, hidden: Option<u64>) -> bool {
        let is_it =
            |given: &Given| matches!((given, hidden), (N(count), Some(hidden)) if *count == hidden);
        hidden.is_none()
            || self
                .shape
                .iter()
                .any(|(key, given)| *key == "hidden" && is_it(given))
    }

    /// A degree, by the column of tables of runs.
    pub(crate) fn degree(&self, column: &str) -> Option<u64> {
        let found = self.degrees.iter().find(|(name, _)| *name == column);
        found.map(|(_, value)| *value)
    }
}

/// The recipe of the model that a row names.
pub(crate) fn recipe(record: &Record) -> Option<&'static Recipe> {
    let name = plain(record.or_empty("model"));
    RECIPES.iter().find(|recipe| recipe.model == name)
}

/// Whether a row is of `NeMo` before it fused attention.
pub(crate) fn is_launcher(record: &Record) -> bool {
    has_any(record.or_empty("source_repo"), &["nemo-framework-launcher"])
        || has_any(
            record.or_empty("framework"),
            &["nemo-megatron", "nemo megatron"],
        )
}
