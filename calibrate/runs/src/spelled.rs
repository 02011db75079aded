//! Names and words as people write them.

/// A name without case, punctuation and what stands in parentheses: `LLAMA3_70B SFT` is
/// `llama3-70b-sft`.
pub(crate) fn plain(name: &str) -> String {
    let mut out = String::new();
    for c in outside_parentheses(name) {
        match c {
            c if c.is_ascii_alphanumeric() || c == '.' => out.push(c.to_ascii_lowercase()),
            _ if !out.is_empty() && !out.ends_with('-') => out.push('-'),
            _ => {}
        }
    }
    out.trim_matches('-').to_owned()
}

/// A word without case, spaces, hyphens, underscores and what stands in parentheses: `FP8-MX` is
/// `fp8mx`, `Full (by default)` is `full`. What is nothing but parentheses is kept as it is.
pub(crate) fn squashed(word: &str) -> String {
    let joined = |letters: &mut dyn Iterator<Item = char>| -> String {
        letters
            .filter(|c| !matches!(c, '-' | '_') && !c.is_whitespace())
            .map(|c| c.to_ascii_lowercase())
            .collect()
    };
    let outside = joined(&mut outside_parentheses(word));
    if outside.is_empty() {
        return joined(&mut word.chars());
    }
    outside
}

fn outside_parentheses(text: &str) -> impl Iterator<Item = char> {
    let mut depth = 0_u32;
    text.chars().filter(move |c| {
        let was_inside = 0 < depth;
        match c {
            '(' => depth = depth.saturating_add(1),
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        !was_inside && *c != '(' && *c != ')'
    })
}

/// Whether one of some words stands in a text, in any case of letters, be it inside of another word.
pub(crate) fn has_any(text: &str, words: &[&str]) -> bool {
    let text = text.to_ascii_lowercase();
    words.iter().any(|word| text.contains(word))
}

/// Whether one of some words stands in a text by itself, in any case of letters: `meta` does not
/// stand in `bare-metal`.
pub(crate) fn has_word(text: &str, words: &[&str]) -> bool {
    let is_part = |_: char, outside: char| outside.is_ascii_alphanumeric();
    words.iter().any(|word| stands_in(text, word, is_part))
}

/// Whether the number or the letters of one of some names go on in a text: `l4` does not stand in
/// `L40`, nor `h200` in `GH200`, but `mi300` does in `MI300X`.
pub(crate) fn has_name(text: &str, names: &[&str]) -> bool {
    let is_part = |inside: char, outside: char| {
        (inside.is_ascii_digit() && outside.is_ascii_digit())
            || (inside.is_ascii_alphabetic() && outside.is_ascii_alphabetic())
    };
    names.iter().any(|name| stands_in(text, name, is_part))
}

/// Whether a word stands in a text, at a place where neither of its neighbors is part of it.
fn stands_in(text: &str, word: &str, is_part: impl Fn(char, char) -> bool) -> bool {
    let text = text.to_ascii_lowercase();
    let (Some(first), Some(last)) = (word.chars().next(), word.chars().next_back()) else {
        return false;
    };
    text.match_indices(word).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let behind = text[at + word.len()..].chars().next();
        !before.is_some_and(|c| is_part(first, c)) && !behind.is_some_and(|c| is_part(last, c))
    })
}

/// The number behind a word, such as 12 in `truncated to 12 layers`.
pub(crate) fn number_behind(text: &str, word: &str) -> Option<u64> {
    let at = text.find(word)? + word.len();
    let digits: String = text[at..]
        .trim_start_matches([' ', '=', ':'])
        .chars()
        .take_while(char::is_ascii_digit)
        .collect();
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lose_what_people_vary() {
        assert_eq!(plain("LLAMA3_70B SFT"), "llama3-70b-sft");
        assert_eq!(plain("DeepSeekV3 (w/o MTP)"), "deepseekv3");
        assert_eq!(squashed("FP8-MX (25.09 table)"), "fp8mx");
        assert_eq!(squashed("(fp16)"), "(fp16)");
        assert_eq!(
            number_behind("llama3-70b truncated to 12 layers", "truncated to"),
            Some(12)
        );
        assert_eq!(number_behind("nothing", "truncated to"), None);
    }

    #[test]
    fn words_stand_by_themselves() {
        assert!(!has_word("bare-metal servers", &["meta"]));
        assert!(has_word("Meta's cluster", &["meta"]));
        assert!(!has_word("p5en.48xlarge", &["p5"]) && has_word("p5.48xlarge", &["p5"]));
        assert!(!has_name("GH200", &["h200"]) && !has_name("L40S", &["l4"]));
        assert!(has_name("RTX4090", &["4090"]) && has_name("MI300X", &["mi300"]));
        assert!(has_name("NVIDIA H100 80GB HBM3", &["h100"]));
    }
}
