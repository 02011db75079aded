//! Texts in shell scripts: quoted words, and comments that end where they should.

use std::borrow::Cow;

/// A text as one word of a shell: what the shell reads is the text, whatever it is. A NUL, which
/// no argument can hold, is left out.
pub fn word(text: &str) -> String {
    let text: Cow<'_, str> = if text.contains('\0') {
        text.replace('\0', "").into()
    } else {
        text.into()
    };
    shlex::try_quote(&text).map_or_else(|_| "''".to_owned(), Cow::into_owned)
}

/// A text for a comment: one line, without characters that steer a terminal or an editor.
pub fn comment(text: &str) -> String {
    let shown = |c: char| {
        if c.is_control()
            || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        {
            '\u{fffd}'
        } else {
            c
        }
    };
    text.chars().map(shown).collect()
}

/// A text as the name of a job: letters, digits, `_`, `-` and `.`, the first no `-` or `.`.
pub fn job_name(text: &str) -> String {
    let kept = |c: char| {
        if c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.') {
            c
        } else {
            '_'
        }
    };
    let name: String = text.chars().take(60).map(kept).collect();
    let name = name.trim_start_matches(['-', '.']);
    if name.is_empty() {
        "windtunnel".to_owned()
    } else {
        name.to_owned()
    }
}

/// Options with their values as the body of a bash array, one option a line.
pub(crate) fn array(options: &[Vec<String>]) -> String {
    let line = |words: &Vec<String>| {
        let words: Vec<String> = words.iter().map(|text| word(text)).collect();
        format!("    {}\n", words.join(" "))
    };
    options.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_shell_reads_back_the_text_itself(text in "[^\0]{0,40}") {
            prop_assert_eq!(shlex::split(&word(&text)), Some(vec![text]));
        }

        #[test]
        fn a_comment_is_one_line(text in "(?s).{0,40}") {
            let shown = comment(&text);
            let steers = shown.contains(['\n', '\r', '\0', '\u{2028}', '\u{1b}']);
            prop_assert!(!steers);
        }

        #[test]
        fn a_job_name_is_a_plain_word(text in "(?s).{0,80}") {
            let name = job_name(&text);
            prop_assert!(!name.is_empty() && !name.starts_with('-'));
            prop_assert_eq!(word(&name), name);
        }
    }

    #[test]
    fn a_nul_is_left_out() {
        assert_eq!(word("a\0b"), "ab");
    }
}
