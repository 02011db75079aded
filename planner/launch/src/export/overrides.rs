//! Override files: one `section.key=value` a line, as Hydra reads them from a command line.
//!
//! ```text
//! line  = '#' comment | key '=' value
//! key   = word ('.' word)+                      word: a-z, 0-9 and _
//! value = word of A-Z a-z 0-9 _ . + - | quoted text | '[' value (',' value)* ']'
//! ```

/// One override.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Override {
    /// Where it is set, such as `model.tensor_model_parallel_size`.
    pub key: String,
    /// To what, as Hydra reads it.
    pub value: String,
}

/// Reads a file of overrides.
///
/// # Errors
///
/// The first line that is none, with its number.
///
/// ```
/// use launch::export::overrides::parse;
///
/// let read = parse("# plan\nmodel.sequence_parallel=true\n").unwrap();
/// assert_eq!(read[0].key, "model.sequence_parallel");
/// assert!(parse("model.a=1; rm").is_err());
/// ```
pub fn parse(text: &str) -> Result<Vec<Override>, String> {
    let mut read: Vec<Override> = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let one = line
            .split_once('=')
            .filter(|(key, value)| is_key(key) && is_value(value))
            .ok_or_else(|| format!("line {number} is no override: {line:?}"))?;
        if read.iter().any(|other| other.key == one.0) {
            return Err(format!("line {number} sets {} again", one.0));
        }
        read.push(Override {
            key: one.0.to_owned(),
            value: one.1.to_owned(),
        });
    }
    Ok(read)
}

fn is_key(key: &str) -> bool {
    let is_word = |word: &str| {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        !word.is_empty() && word.chars().all(plain)
    };
    key.contains('.') && key.split('.').all(is_word) || is_word(key)
}

fn is_value(value: &str) -> bool {
    if let Some(items) = value.strip_prefix('[').and_then(|v| v.strip_suffix(']')) {
        return items.is_empty() || items.split(',').all(is_value);
    }
    if let Some(text) = value.strip_prefix('\'').and_then(|v| v.strip_suffix('\'')) {
        return !text.contains(['\'', '\\', '$']);
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '+' | '-');
    !value.is_empty() && value.chars().all(plain)
}
