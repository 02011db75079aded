//! Text to fields, within limits.

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::error::ModelError;

/// The longest text read. Real files have some kilobytes; those with lists of quantised modules or
/// class names some hundreds.
pub(super) const MAX_BYTES: usize = 8 << 20;

/// Reads an object. Nesting is bounded by `serde_json` (128 levels).
pub(super) fn parse(text: &str) -> Result<Map<String, Value>, ModelError> {
    if MAX_BYTES < text.len() {
        return Err(ModelError::TooLong {
            bytes: text.len(),
            limit: MAX_BYTES,
        });
    }
    let text = without_special_numbers(text.trim_start_matches('\u{feff}'));
    match serde_json::from_str(&text) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(other) => Err(ModelError::NotAnObject {
            found: kind(&other),
        }),
        Err(error) => Err(ModelError::NotJson {
            reason: reason(&error.to_string()),
            line: error.line(),
            column: error.column(),
        }),
    }
}

/// The message without the position that `serde_json` appends.
fn reason(message: &str) -> String {
    let end = message.rfind(" at line ").unwrap_or(message.len());
    message[..end].to_owned()
}

/// What a value is, for messages.
pub(super) const fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// Python writes `NaN`, `Infinity` and `-Infinity` where JSON has no word (`time_step_limit` of
/// Mamba models): outside of strings they become `null`.
fn without_special_numbers(text: &str) -> Cow<'_, str> {
    const SPECIAL: [&str; 3] = ["-Infinity", "Infinity", "NaN"];
    if !SPECIAL.iter().any(|word| text.contains(word)) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let (mut rest, mut quoted) = (text, false);
    while let Some(next) = rest.chars().next() {
        let word = SPECIAL
            .iter()
            .find(|word| !quoted && rest.starts_with(**word));
        let taken = if let Some(word) = word {
            out.push_str("null");
            word.len()
        } else {
            let escaped = quoted && next == '\\';
            let letters = rest.chars().take(1 + usize::from(escaped));
            let len = letters.map(char::len_utf8).sum();
            out.push_str(&rest[..len]);
            quoted ^= next == '"';
            len
        };
        rest = &rest[taken..];
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn infinities_of_python_are_read_as_absent_and_strings_stay() {
        let text = r#"{"limit": [0.0, Infinity], "low": -Infinity, "x": NaN, "s": "NaN \" NaN"}"#;
        let fields = parse(text).unwrap();
        assert_eq!(fields["limit"][1], Value::Null);
        assert_eq!(fields["low"], Value::Null);
        assert_eq!(fields["x"], Value::Null);
        assert_eq!(fields["s"], "NaN \" NaN");
    }

    #[test]
    fn deep_nesting_and_long_texts_are_refused() {
        let deep = "[".repeat(100_000);
        assert!(matches!(parse(&deep), Err(ModelError::NotJson { .. })));
        let long = " ".repeat(100 << 20);
        assert!(matches!(parse(&long), Err(ModelError::TooLong { .. })));
    }

    #[test]
    fn a_list_is_not_a_config() {
        let error = parse("[1, 2]").unwrap_err();
        assert_eq!(
            error.to_string(),
            "the text is a list, but a config.json is an object"
        );
    }

    #[test]
    fn a_syntax_error_names_its_place() {
        let error = parse("{\n  \"a\": 1,\n  oops\n}").unwrap_err();
        let ModelError::NotJson { line, reason, .. } = error else {
            panic!("{error}");
        };
        assert_eq!(line, 3);
        assert!(!reason.contains("line"), "{reason}");
    }
}
