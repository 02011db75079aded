//! Names as people write them.

/// A name without case, punctuation and what stands in parentheses: `LLAMA3_70B SFT` is
/// `llama3-70b-sft`.
pub(crate) fn plain(name: &str) -> String {
    let mut out = String::new();
    let mut depth = 0_u32;
    for c in name.chars() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ if 0 < depth => {}
            c if c.is_ascii_alphanumeric() || c == '.' => out.push(c.to_ascii_lowercase()),
            _ if !out.is_empty() && !out.ends_with('-') => out.push('-'),
            _ => {}
        }
    }
    out.trim_matches('-').to_owned()
}

/// Whether one of some words stands in a text, in any case of letters.
pub(crate) fn has_any(text: &str, words: &[&str]) -> bool {
    let text = text.to_ascii_lowercase();
    words.iter().any(|word| text.contains(word))
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
        assert_eq!(
            number_behind("llama3-70b truncated to 12 layers", "truncated to"),
            Some(12)
        );
        assert_eq!(number_behind("nothing", "truncated to"), None);
    }
}
