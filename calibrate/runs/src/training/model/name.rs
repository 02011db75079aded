//! Names of models as people write them: a family, a version, sizes.

use crate::spelled::plain;

/// What a name says: `Meta-Llama-3.1-8B-Instruct` is the family `llama3.1` of size `8b`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Name {
    /// Letters and versions, in the order of the name.
    parts: Vec<String>,
    /// Words of size, in the order of the name: `8x7b`, `30b` and `a3b`, `xl`.
    pub(super) sizes: Vec<String>,
    /// Billions of parameters of the first word that counts all of them.
    pub(super) billions: Option<f64>,
}

/// Words that say nothing of the shape.
const FILLERS: [&str; 24] = [
    "meta",
    "facebook",
    "nvidia",
    "hf",
    "base",
    "instruct",
    "it",
    "chat",
    "sft",
    "lora",
    "qlora",
    "peft",
    "pretrain",
    "pretraining",
    "pretrained",
    "training",
    "finetune",
    "finetuned",
    "finetuning",
    "dense",
    "model",
    "params",
    "parameters",
    "ai",
];

/// Words of size without a number.
const SIZES: [&str; 4] = ["small", "medium", "large", "xl"];

impl Name {
    /// Takes a name apart.
    pub(super) fn of(text: &str) -> Self {
        let plain = plain(text);
        let mut name = Self {
            parts: Vec::new(),
            sizes: Vec::new(),
            billions: None,
        };
        for word in plain.split('-').filter(|word| !word.is_empty()) {
            if let Some(billions) = billions(word) {
                name.sizes.push(word.to_owned());
                let first = name.billions.is_none() && !word.starts_with('a');
                name.billions = if first { Some(billions) } else { name.billions };
            } else if SIZES.contains(&word) {
                name.sizes.push(word.to_owned());
            } else if !FILLERS.contains(&word) {
                name.parts.extend(parts(word));
            }
        }
        name
    }

    /// The family, as one word.
    pub(super) fn family(&self) -> String {
        self.parts.concat()
    }

    /// Whether a family stands in the name: some of its parts in a row, and no version behind them
    /// that is another one's.
    pub(super) fn contains(&self, family: &str) -> bool {
        (0..self.parts.len()).any(|from| {
            (from + 1..=self.parts.len()).any(|to| {
                let is_version = |part: &String| part.starts_with(|c: char| c.is_ascii_digit());
                self.parts[from..to].concat() == family
                    && !self.parts.get(to).is_some_and(is_version)
            })
        })
    }
}

/// Billions of parameters of a word such as `8b`, `1.3b`, `125m`, `1t`, `8x7b`, `7b1` or `a3b`.
fn billions(word: &str) -> Option<f64> {
    let word = word.strip_prefix('a').unwrap_or(word);
    let at = word.find(['b', 'm', 't'])?;
    let scale = match word.as_bytes()[at] {
        b'b' => 1.0,
        b'm' => 1e-3,
        _ => 1e3,
    };
    let (number, rest) = (&word[..at], &word[at + 1..]);
    let (times, each) = number.split_once('x').unwrap_or(("1", number));
    let is_number = |text: &str| text.starts_with(|c: char| c.is_ascii_digit());
    if !is_number(each) || !rest.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    // `7b1` is 7.1 billion.
    let each: f64 = if rest.is_empty() {
        each.parse().ok()?
    } else {
        format!("{each}.{rest}").parse().ok()?
    };
    let value = times.parse::<f64>().ok()? * each * scale;
    (value.is_finite() && 0.0 < value).then_some(value)
}

/// A word cut where letters and digits meet: `qwen2.5` is `qwen` and `2.5`.
fn parts(word: &str) -> Vec<String> {
    let is_digit = |c: char| c.is_ascii_digit() || c == '.';
    let mut parts: Vec<String> = Vec::new();
    for c in word.chars() {
        match parts.last_mut() {
            Some(last) if last.ends_with(is_digit) == is_digit(c) => last.push(c),
            _ => parts.push(c.to_string()),
        }
    }
    parts
}

/// Billions of parameters in a name such as `GPT-3 175B` or `mpt-760m`.
pub(super) fn size_in(text: &str) -> Option<f64> {
    Name::of(text).billions
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> (String, Vec<String>) {
        let name = Name::of(text);
        (name.family(), name.sizes)
    }

    #[test]
    fn names_are_taken_apart() {
        let is = |text: &str, family: &str, sizes: &[&str]| {
            let sizes = sizes.iter().map(|size| (*size).to_owned()).collect();
            assert_eq!(of(text), (family.to_owned(), sizes), "{text}");
        };
        is("Meta-Llama-3.1-8B-Instruct", "llama3.1", &["8b"]);
        is("LLAMA3_70B SFT", "llama3", &["70b"]);
        is("Qwen3_30B_a3B", "qwen3", &["30b", "a3b"]);
        is("Mixtral 8x7B", "mixtral", &["8x7b"]);
        is("OPT-1.3B", "opt", &["1.3b"]);
        is("gpt2-xl", "gpt2", &["xl"]);
        is("DeepSeek-V3", "deepseekv3", &[]);
        is("bloom-7b1", "bloom", &["7b1"]);
    }

    #[test]
    fn sizes_count_all_parameters() {
        assert_eq!(size_in("GPT-3 175B"), Some(175.0));
        assert_eq!(size_in("mT5 170M"), Some(0.17));
        assert_eq!(size_in("Qwen3-235B-A22B"), Some(235.0));
        assert_eq!(size_in("bloom-7b1"), Some(7.1));
        assert_eq!(size_in("Mixtral-8x7B"), Some(56.0));
        assert_eq!(size_in("GPT 1T"), Some(1000.0));
        assert_eq!(size_in("MiniMax-M2"), None);
        assert_eq!(size_in("1e400b"), None);
    }

    #[test]
    fn a_version_is_no_other_version() {
        assert!(Name::of("mistralai/Mistral-7B-v0.1").contains("mistral"));
        assert!(Name::of("Qwen/Qwen2.5-7B").contains("qwen2.5"));
        assert!(!Name::of("Llama 3.1 8B").contains("llama"));
        assert!(!Name::of("OLMo-2-7B").contains("olmo"));
    }
}
