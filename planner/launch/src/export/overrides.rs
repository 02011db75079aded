//! Override files: one `section.key=value` a line, as Hydra reads them from a command line.
//!
//! ```text
//! line  = '#' comment | '+'? key '=' value | '~' key
//! key   = word ('.' word)*                      word: a-z, 0-9 and _
//! value = word of A-Z a-z 0-9 _ . + - | quoted text | '[' value (',' value)* ']'
//!       | '{' word ':' value (',' word ':' value)* '}'
//! ```

/// One override.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Override {
    /// Where it is set, such as `model.tensor_model_parallel_size`.
    pub key: String,
    /// To what, as Hydra reads it; empty where a key is removed.
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
        let one = removal(line).or_else(|| setting(line));
        let one = one.ok_or_else(|| format!("line {number} is no override: {line:?}"))?;
        let set = |other: &Override| other.key == one.0 && !other.value.is_empty();
        if read.iter().any(set) {
            return Err(format!("line {number} sets {} again", one.0));
        }
        read.push(Override {
            key: one.0.to_owned(),
            value: one.1.to_owned(),
        });
    }
    Ok(read)
}

/// `~key`.
fn removal(line: &str) -> Option<(&str, &str)> {
    line.strip_prefix('~')
        .filter(|key| is_key(key))
        .map(|key| (key, ""))
}

/// `key=value`, or `+key=value` for a key that is not there.
fn setting(line: &str) -> Option<(&str, &str)> {
    let (key, value) = line.strip_prefix('+').unwrap_or(line).split_once('=')?;
    (is_key(key) && is_value(value)).then_some((key, value))
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
    if let Some(fields) = value.strip_prefix('{').and_then(|v| v.strip_suffix('}')) {
        return are_fields(fields);
    }
    if let Some(text) = value.strip_prefix('\'').and_then(|v| v.strip_suffix('\'')) {
        return !text.contains(['\'', '\\', '$']);
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '+' | '-');
    !value.is_empty() && value.chars().all(plain)
}

/// `word:value` with commas between them, those of inner braces left out.
fn are_fields(mut fields: &str) -> bool {
    loop {
        let mut depth = 0_i32;
        let end = fields.find(|c| {
            depth += i32::from(c == '{') - i32::from(c == '}');
            depth == 0 && c == ','
        });
        let (field, rest) = match end {
            Some(end) => (&fields[..end], Some(&fields[end + 1..])),
            None => (fields, None),
        };
        let fits = field
            .split_once(':')
            .is_some_and(|(word, value)| is_key(word) && !word.contains('.') && is_value(value));
        match (fits, rest) {
            (false, _) => return false,
            (true, None) => return true,
            (true, Some(rest)) => fields = rest,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn removals_and_fields_are_overrides() {
        let text =
            "~a\n+a={_target_:x.Y,b:true,c:{_target_:torch.float32,_call_:false}}\nb.c=null\n";
        let read = parse(text).unwrap();
        assert_eq!((read[0].key.as_str(), read[0].value.as_str()), ("a", ""));
        assert_eq!(read[1].key, "a");
        for wrong in [
            "~a b",
            "a={b}",
            "a={b:{c:1}",
            "a={b:1,}",
            "a={b:$(c)}",
            "a=1\na=2",
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
