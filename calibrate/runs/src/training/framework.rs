//! Which framework ran a row, and what it does without being asked.

use super::{Row, recipe};
use crate::spelled::{has_any, has_name};
use crate::{Draft, Record, Rule};

/// A framework as the product knows it, and whether the row names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Family {
    /// The framework profile.
    pub name: &'static str,
    /// Why it stands for another name, where it does.
    pub stands_in: Option<Rule>,
    /// Whether kernels, formats and overlaps are those of 2021: fp16 gradients, dropout, nothing
    /// beside anything.
    pub of_2021: bool,
}

const fn known(name: &'static str) -> Family {
    Family {
        name,
        stands_in: None,
        of_2021: false,
    }
}

const fn old(name: &'static str) -> Family {
    Family {
        name,
        stands_in: None,
        of_2021: true,
    }
}

const UNKNOWN: Rule = Rule::new(
    "nearest-framework",
    "no profile of this framework: the one that is nearest by its documented features",
);
const UNNAMED: Rule = Rule::new("neutral-framework", "the row names no framework");

/// Words of names without spaces, hyphens and underscores, first match wins, and the profile that
/// they stand for. Words joined by `*` all stand in the name, in any order.
const NAMES: [(&[&str], Family); 14] = [
    (&["megatronbridge"], known("megatron-bridge")),
    (&["nemo"], known("nemo")),
    (&["composer", "foundry"], known("composer-fsdp")),
    (&["torchtitan"], known("torchtitan")),
    (&["megatroncore", "mcore"], known("megatron-core")),
    (&["megatron*deepspeed"], old("megatron-deepspeed")),
    (
        &[
            "internevo",
            "internlm",
            "hierarchical",
            "mics",
            "zero++",
            "amsp",
        ],
        known("hierarchical-zero"),
    ),
    (&["deepspeed"], known("deepspeed-zero")),
    (
        &[
            "huggingface",
            "transformers",
            "accelerate",
            "llamafactory",
            "axolotl",
        ],
        Family {
            name: "deepspeed-zero",
            stands_in: Some(UNKNOWN),
            of_2021: false,
        },
    ),
    (&["megatron"], known("megatron-core")),
    (
        &["fsdp", "torchtune", "lightning", "fairscale"],
        Family {
            name: "torchtitan",
            stands_in: Some(UNKNOWN),
            of_2021: false,
        },
    ),
    (
        &["maxtext", "jax", "alpa", "levanter", "torch"],
        Family {
            name: "torchtitan",
            stands_in: Some(UNKNOWN),
            of_2021: false,
        },
    ),
    (
        &[
            "nanotron",
            "colossal",
            "primus",
            "swift",
            "verl",
            "mindspeed",
            "simumax",
        ],
        Family {
            name: "megatron-core",
            stands_in: Some(UNKNOWN),
            of_2021: false,
        },
    ),
    (&["neutral"], known("neutral")),
];

/// The framework of a row.
pub fn family(record: &Record) -> Family {
    let name = record.or_empty("framework");
    if name.is_empty() {
        return Family {
            name: "neutral",
            stands_in: Some(UNNAMED),
            of_2021: false,
        };
    }
    let joined: String = name
        .chars()
        .filter(|c| !matches!(c, '-' | '_') && !c.is_whitespace())
        .map(|c| c.to_ascii_lowercase())
        .collect();
    let stands = |word: &str| word.split('*').all(|part| joined.contains(part));
    let found = NAMES
        .iter()
        .find(|(words, _)| words.iter().any(|word| stands(word)));
    let family = found.map_or(
        Family {
            name: "neutral",
            stands_in: Some(UNKNOWN),
            of_2021: false,
        },
        |(_, family)| *family,
    );
    if family.name == "megatron-core" && family.stands_in.is_none() && is_old(record) {
        return old("megatron-lm-2021");
    }
    Family {
        of_2021: family.of_2021 || (family.name == "deepspeed-zero" && is_old(record)),
        ..family
    }
}

/// The year of a run, where its row names one.
pub(super) fn year(record: &Record) -> Option<u32> {
    let date = record.or_empty("release_or_date");
    let mut numbers = date.split(|c: char| !c.is_ascii_digit());
    numbers.find(|part| part.len() == 4)?.parse().ok()
}

/// Whether a run of Megatron-LM is from the years before Megatron-Core, or on GPUs of that time.
fn is_old(record: &Record) -> bool {
    let year = year(record);
    year.is_some_and(|year| year <= 2022)
        || (year.is_none() && has_name(record.or_empty("gpu"), &["v100", "t4", "p100"]))
        || has_any(record.or_empty("section"), &["2104.04473"])
}

const BY_DATE: Rule = Rule::new(
    "release-by-date",
    "releases are numbered by year and month, and the row names a date",
);
const PADDED: Rule = Rule::new(
    "padding-masks",
    "models with padding masks ran without fused attention (NeMo-Framework-Launcher, BERT and T5)",
);
const LAUNCHER: Rule = Rule::new(
    "launcher-attention",
    "masked_softmax_fusion and no flash attention in launcher_scripts/conf/training/gpt3/5b.yaml",
);

const BEFORE_FLASH: Rule = Rule::new(
    "before-flash-attention",
    "the run is older than FlashAttention (arXiv 2205.14135)",
);

/// Writes `[framework]`.
pub(super) fn framework(row: &Row<'_>, draft: &mut Draft) {
    match row.family.stands_in {
        Some(rule) => draft.assume("framework", "name", row.family.name, rule),
        None => draft.set("framework", "name", row.family.name),
    }
    if let Some(version) = version(row.record) {
        draft.set("framework", "version", version);
    } else if let Some(version) = by_date(row) {
        draft.assume("framework", "version", version, BY_DATE);
    }
    let kind = draft
        .get("model.megatron", "kind")
        .and_then(toml::Value::as_str);
    if matches!(kind, Some("bert" | "t5")) {
        draft.assume("framework", "attention", "unfused", PADDED);
    } else if recipe::is_launcher(row.record) {
        draft.assume("framework", "attention", "unfused", LAUNCHER);
    } else if row.family.name == "deepspeed-zero" && row.family.of_2021 {
        draft.assume("framework", "attention", "unfused", BEFORE_FLASH);
    }
}

/// The release of a framework that is numbered by year and month, from the date of a run.
fn by_date(row: &Row<'_>) -> Option<String> {
    if !matches!(row.family.name, "nemo" | "megatron-bridge") {
        return None;
    }
    let date = row.record.text("release_or_date")?;
    let (year, rest) = date.split_once('-')?;
    let year = year.strip_prefix("20").filter(|year| year.len() == 2)?;
    let month: String = rest.chars().take_while(char::is_ascii_digit).collect();
    Some(format!("{year}.{month}"))
}

/// The release that a row names, such as `26.04.01` or `24.07`. A table that collects runs of two
/// releases means the newer one where the GPU is newer than the other.
fn version(record: &Record) -> Option<String> {
    let text = record.text("release_or_date")?;
    let parts = text.split(|c: char| !(c.is_ascii_digit() || c == '.'));
    let found: Vec<&str> = parts
        .map(|part| part.trim_matches('.'))
        .filter(|part| part.contains('.') && part.len() >= 3)
        .collect();
    let is_new = has_any(record.or_empty("gpu"), &["b200", "b300"]);
    let named = if is_new { found.first() } else { found.last() };
    named.map(|part| (*part).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Table;

    fn of(framework: &str, date: &str) -> Family {
        let text = format!("framework,release_or_date\n\"{framework}\",{date}\n");
        let table = Table::parse("x", text.as_bytes()).unwrap();
        family(&table.records[0])
    }

    #[test]
    fn frameworks_are_known_by_their_usual_names() {
        assert_eq!(
            of("Megatron-Bridge/Megatron-Core", "26.06").name,
            "megatron-bridge"
        );
        assert_eq!(of("NeMo/Megatron-Core", "24.07").name, "nemo");
        assert_eq!(of("Megatron-LM 0.14", "2026-05").name, "megatron-core");
        assert_eq!(of("Megatron-LM", "2021-05..07").name, "megatron-lm-2021");
        assert_eq!(
            of("DeepSpeed+Megatron-LM v1.1.5 3D (fp?)", "2022").name,
            "megatron-deepspeed"
        );
        for name in [
            "Megatron DeepSpeed",
            "DeepSpeed-Megatron",
            "megatron_deepspeed 0.3",
        ] {
            assert_eq!(of(name, "2022").name, "megatron-deepspeed", "{name}");
        }
        assert_eq!(of("InternEvo", "2024").name, "hierarchical-zero");
        assert!(of("HF+DeepSpeed ZeRO", "2021-05-26").of_2021);
        let recent = of("DeepSpeed 0.15", "2024-10");
        assert_eq!((recent.name, recent.of_2021), ("deepspeed-zero", false));
        let strange = of("HomegrownTrainer", "2025");
        assert_eq!(strange.name, "neutral");
        assert!(strange.stands_in.is_some());
    }
}
