//! Names in the order in which people count them: `leaf2` before `leaf10`.

/// What to sort names by: texts as they are, runs of digits by their numbers.
pub(super) fn natural(name: &str) -> (Vec<(String, usize, String)>, String) {
    let is_digit = |c: char| c.is_ascii_digit();
    let mut parts = Vec::new();
    let mut rest = name;
    while !rest.is_empty() {
        let (text, digits) = rest.split_at(rest.find(is_digit).unwrap_or(rest.len()));
        let end = digits.find(|c: char| !is_digit(c)).unwrap_or(digits.len());
        let number = digits[..end].trim_start_matches('0');
        // Of numbers without leading zeros the longer is the larger.
        parts.push((text.to_owned(), number.len(), number.to_owned()));
        rest = &digits[end..];
    }
    (parts, name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_names_count() {
        let mut names = ["n10", "n9", "n09b", "m2", "n9b", "n", "n09", "é1"];
        names.sort_by_key(|name| natural(name));
        assert_eq!(names, ["m2", "n", "n09", "n9", "n09b", "n9b", "n10", "é1"]);
    }
}
