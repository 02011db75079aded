//! Models of the zoo: which one a name means, and how large it is.

use std::sync::OnceLock;

use format::Shelf;
use workload::{Ffn, Mixer, Model, Override};

use super::name::Name;
use crate::Rule;

const ZOO: Rule = Rule::new(
    "nearest-model",
    "no model of that name: the nearest one known",
);
const BY_SIZE: Rule = Rule::new(
    "version-by-size",
    "the name says no version, or one that repeats the shapes of another: the model of that family and size",
);
const SMALLEST: Rule = Rule::new(
    "smallest-of-family",
    "the row says no size: the smallest model of that family",
);

/// So far may the parameters of a model be off what its name says: Qwen2.5-7B has 7.6 billion.
const TOLERANCE: f64 = 0.15;

/// Families that have the shapes of others, or whose version a size tells: name, and what is meant.
const ALIASES: [(&str, &[&str]); 13] = [
    ("llama3.3", &["llama3.1"]),
    ("llama", &["llama1", "llama2", "llama3.1"]),
    ("codellama", &["llama2"]),
    ("vicuna", &["llama1"]),
    ("gpt", &[]),
    ("qwen", &["qwen2.5", "qwen3"]),
    ("deepseek", &["deepseekv3", "deepseekv2", "deepseekmoe"]),
    ("megatronturingnlg", &["mtnlg"]),
    ("nemotron", &["nemotron4"]),
    ("gptneox", &["gptneox", "pythia"]),
    ("gemma", &["gemma", "gemma2"]),
    ("glm4", &["glm40414", "glm4"]),
    ("kimi", &["kimik2"]),
];

/// A model of the zoo.
#[derive(Debug)]
pub(crate) struct Known {
    /// Its name there.
    pub(crate) name: &'static str,
    /// What it is made of.
    pub(crate) model: Model,
    text: String,
    spoken: Name,
}

/// What a name means.
#[derive(Clone, Copy, Debug)]
pub(super) enum Meant {
    /// A model of the zoo, and a rule where the name does not say so by itself.
    Model(&'static Known, Option<Rule>),
    /// A model of a family that is known, of another size: billions of parameters.
    Sized(&'static Known, f64),
}

/// Every model of the zoo, sorted by name.
fn all() -> &'static [Known] {
    static ALL: OnceLock<Vec<Known>> = OnceLock::new();
    ALL.get_or_init(|| {
        let known = |name: &'static str| {
            let source = Shelf::Models.open(name).ok()?;
            Some(Known {
                name,
                model: Model::from_config_json(&source.text).ok()?,
                text: source.text.clone(),
                spoken: Name::of(name),
            })
        };
        Shelf::Models.names().filter_map(known).collect()
    })
}

/// The model of the zoo of exactly that name.
pub(crate) fn named(name: &str) -> Option<&'static Known> {
    all().iter().find(|known| known.name == name)
}

/// What a name means, where anything like it is known.
///
/// * `billions` — parameters, as another cell of the row counts them.
pub(super) fn meant(text: &str, billions: Option<f64>) -> Option<Meant> {
    let name = Name::of(text);
    let family = name.family();
    if family.is_empty() {
        return None;
    }
    let size = name.billions.or(billions);
    let of_family = |family: &str| -> Vec<&'static Known> {
        let same = all().iter().filter(|known| known.spoken.family() == family);
        same.collect()
    };
    let same = of_family(&family);
    if !same.is_empty() {
        return among(&name, size, &same, None);
    }
    let alias = ALIASES.iter().find(|(alias, _)| *alias == family);
    if let Some((_, families)) = alias {
        let others: Vec<_> = families
            .iter()
            .flat_map(|family| of_family(family))
            .collect();
        return among(&name, size, &others, Some(BY_SIZE));
    }
    // `meta-llama/Llama-3.1-8B`, `our-llama3-8b-run`.
    let inside = all().iter().filter(|known| {
        let family = known.spoken.family();
        4 <= family.len() && name.contains(&family)
    });
    if let Some(longest) = inside.max_by_key(|known| known.spoken.family().len()) {
        return among(&name, size, &of_family(&longest.spoken.family()), None);
    }
    near(&name, size)
}

/// Of models of a family the one that a name means.
fn among(
    name: &Name,
    size: Option<f64>,
    family: &[&'static Known],
    rule: Option<Rule>,
) -> Option<Meant> {
    let exact = |known: &&&Known| known.spoken.sizes == name.sizes;
    let is_sized = !name.sizes.is_empty();
    let found = family
        .iter()
        .find(|known| exact(known) && (is_sized || size.is_none_or(|size| known.has_size(size))));
    if let Some(known) = found {
        return Some(Meant::Model(known, rule));
    }
    let Some(size) = size else {
        let smallest = family.iter().min_by_key(|known| known.model.params())?;
        let rule = (1 < family.len()).then_some(SMALLEST).or(rule);
        return Some(Meant::Model(smallest, rule));
    };
    let distance = |known: &Known| known.distance(size);
    let nearest = family
        .iter()
        .min_by(|a, b| distance(a).total_cmp(&distance(b)))?;
    if nearest.has_size(size) {
        return Some(Meant::Model(nearest, rule));
    }
    // Of GPTs nothing is known but their dimensions, which follow from their size.
    (nearest.model.family() != GPT).then_some(Meant::Sized(nearest, size))
}

/// The model whose name begins as another one does.
fn near(name: &Name, size: Option<f64>) -> Option<Meant> {
    const ALIKE: usize = 9;
    let wanted = name.family();
    let alike = |known: &Known| {
        let family = known.spoken.family();
        let same = family.chars().zip(wanted.chars());
        same.take_while(|(a, b)| a == b).count()
    };
    // Of several, the first: the smallest of a family stands first in most.
    let nearest = all().iter().rev().max_by_key(|known| alike(known))?;
    let most = alike(nearest);
    if most < ALIKE {
        return None;
    }
    let Some(size) = size else {
        return Some(Meant::Model(nearest, Some(ZOO)));
    };
    let family: Vec<_> = all().iter().filter(|known| alike(known) == most).collect();
    match among(name, Some(size), &family, Some(ZOO)) {
        Some(Meant::Model(known, _)) => Some(Meant::Model(known, Some(ZOO))),
        other => other,
    }
}

/// Models that Megatron's dimensions describe whole.
const GPT: &str = "gpt2";

impl Known {
    /// Whether layers, widths and heads say all there is to say of it: a GPT as Megatron-LM has it.
    pub(super) fn is_gpt(&self) -> bool {
        self.model.family() == GPT
    }

    /// Whether it has routed experts.
    pub(crate) fn is_routed(&self) -> bool {
        self.model.active_params() < self.model.params()
    }

    /// The layers.
    pub(crate) fn layers(&self) -> u64 {
        self.model.layers().len() as u64
    }

    /// Query heads, those that share keys and values, and the width of a head; none where there is
    /// no plain attention.
    pub(super) fn heads(&self) -> Option<(u64, u64, u64)> {
        self.model
            .kinds()
            .iter()
            .find_map(|layer| match layer.mixer {
                Some(Mixer::Attention(of)) => Some((of.heads, of.kv_heads, of.head_dim)),
                _ => None,
            })
    }

    /// Query heads of latent attention.
    pub(super) fn latent_heads(&self) -> Option<u64> {
        self.model
            .kinds()
            .iter()
            .find_map(|layer| match layer.mixer {
                Some(Mixer::Latent(of)) => Some(of.heads),
                _ => None,
            })
    }

    /// Whether its file says how many heads share keys and values.
    pub(super) fn says_kv_heads(&self) -> bool {
        self.text.contains("\"num_key_value_heads\"")
    }

    /// The longest sequence that it was made for, where it says one.
    pub(crate) fn longest(&self) -> Option<u64> {
        self.model.max_positions()
    }

    /// The inner width, where every layer has the same network of its own.
    pub(super) fn ffn(&self) -> Option<u64> {
        let each = self.model.kinds().iter().map(|layer| match layer.ffn {
            Some(Ffn::Dense(dense)) => Some(dense.ffn),
            _ => None,
        });
        let each: Option<Vec<u64>> = each.collect();
        let each = each?;
        let first = *each.first()?;
        each.iter().all(|ffn| *ffn == first).then_some(first)
    }

    /// The model with some fields set over its own, where they fit.
    pub(super) fn with(&self, overrides: &[Override]) -> Option<Model> {
        Model::from_config_json_with(&self.text, overrides).ok()
    }

    /// Whether so many billions of parameters are its own, all of them or those of a token.
    fn has_size(&self, billions: f64) -> bool {
        self.distance(billions) <= TOLERANCE
    }

    /// How far its parameters are off a number, relative to it.
    pub(super) fn distance(&self, billions: f64) -> f64 {
        let off = |params: u64| (params as f64 / (billions * 1e9) - 1.0).abs();
        let all = off(self.model.params());
        if self.is_routed() {
            return all.min(off(self.model.active_params()));
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Option<(&'static str, Option<&'static str>)> {
        match meant(text, None)? {
            Meant::Model(known, rule) => Some((known.name, rule.map(|rule| rule.name))),
            Meant::Sized(known, _) => Some((known.name, Some("sized"))),
        }
    }

    #[test]
    fn names_of_performance_pages_find_their_models() {
        let is =
            |text: &str, name: &'static str| assert_eq!(of(text), Some((name, None)), "{text}");
        is("LLAMA3_70B SFT", "llama3-70b");
        is("Qwen3_30B_a3B", "qwen3-30b-a3b");
        is("Nemotron_3_Nano", "nemotron-3-nano");
        is("DeepSeekV3 (w/o MTP)", "deepseek-v3");
        is("GPT3-175B", "gpt3-175b");
        is("LLAMA2-7B LoRA", "llama2-7b");
        assert_eq!(
            of("Nemotron_3_5_Lightning"),
            Some(("nemotron-3-nano", Some("nearest-model")))
        );
        assert_eq!(of("a model of our own"), None);
        assert_eq!(of("GPT 181B"), None);
        assert_eq!(of("GPT2 52B"), None);
    }

    #[test]
    fn a_size_is_never_taken_for_another() {
        let is =
            |text: &str, name: &'static str| assert_eq!(of(text), Some((name, None)), "{text}");
        is("OPT-13B", "opt-13b");
        is("OPT-1.3B", "opt-1.3b");
        is("GPT3-1.3B", "gpt3-xl");
        is("GPT3-13B", "gpt3-13b");
        is("Qwen2-57B", "qwen2-57b-a14b");
        is("Qwen2-7B", "qwen2-7b");
        is("Qwen2.5-72B-Instruct", "qwen2.5-72b");
        assert_eq!(of("Llama 3 18B"), Some(("llama3-8b", Some("sized"))));
    }

    #[test]
    fn well_known_models_are_known_under_their_other_names() {
        let is = |text: &str, name: &'static str| {
            assert_eq!(of(text).map(|(name, _)| name), Some(name), "{text}");
        };
        is("LLaMA-65B", "llama1-65b");
        is("LLaMA-7B", "llama1-7b");
        is("Llama 8B", "llama3.1-8b");
        is("Llama-3.3-70B", "llama3.1-70b");
        is("Llama 3 8B", "llama3-8b");
        is("meta-llama/Llama-3.1-8B", "llama3.1-8b");
        is("Llama-2-7b-hf", "llama2-7b");
        is("GPT-2 1.5B", "gpt2-xl");
        is("gpt2-xl", "gpt2-xl");
        is("Mistral-7B-v0.1", "mistral-7b");
        is("Mixtral 8x7B", "mixtral-8x7b");
        is("Mixtral-8x22B", "mixtral-8x22b");
        is("Qwen3-32B", "qwen3-32b");
        is("deepseek-ai/DeepSeek-V3", "deepseek-v3");
        is("DeepSeek-R1", "deepseek-r1");
        is("DeepSeek 671B", "deepseek-v3");
        is("GPT-3 175B", "gpt3-175b");
        is("GPT-NeoX-20B", "gpt-neox-20b");
        is("Falcon 40B", "falcon-40b");
        is("Llama 4 Scout 17B-16E", "llama4-scout");
        is("Kimi-K2 1T", "kimi-k2");
        is("Megatron-Turing NLG 530B", "mt-nlg-530b");
        is("Llama 2", "llama2-7b");
    }

    #[test]
    fn the_whole_zoo_is_read_and_finds_itself() {
        assert_eq!(all().len(), Shelf::Models.names().count());
        for known in all() {
            let Some(Meant::Model(found, _)) = meant(known.name, None) else {
                panic!("{} is not found", known.name);
            };
            let copies = known.name.starts_with("bert-large");
            assert!(
                copies || found.name == known.name,
                "{}: {}",
                known.name,
                found.name
            );
        }
        assert!(named("deepseek-v3").unwrap().is_routed());
        assert!(!named("llama3-8b").unwrap().is_routed());
    }
}
