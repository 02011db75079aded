//! Versions of frameworks, as far as their order matters.

/// The numbers of a version: `"26.02.01"` is `[26, 2, 1]`, `"core_v0.12"` is `[0, 12]`. Empty
/// where there is none.
fn numbers(version: &str) -> Vec<u64> {
    let start = version.find(|c: char| c.is_ascii_digit());
    let version = start.map_or("", |at| &version[at..]);
    let end = version.find(|c: char| !c.is_ascii_digit() && c != '.');
    let version = end.map_or(version, |at| &version[..at]);
    let parts = version.split('.').map_while(|part| part.parse().ok());
    parts.collect()
}

/// Whether a release that began with `from` holds for a version: for later ones, for none named,
/// and for names without a number, such as `main`.
pub(crate) fn holds(from: &str, version: Option<&str>) -> bool {
    let version = version.map(numbers).unwrap_or_default();
    version.is_empty() || numbers(from) <= version
}

/// Orders two releases by their first versions.
pub(super) fn older(a: &str, b: &str) -> std::cmp::Ordering {
    numbers(a).cmp(&numbers(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_holds_from_its_version_on_and_where_none_is_named() {
        for version in ["26.06", "26.06.01", "27.01", "26.08 NeMo Container", "main"] {
            assert!(holds("26.06", Some(version)), "{version}");
        }
        assert!(holds("26.06", None));
        for version in ["25.09", "26.04.01", "26.04.01 NeMo Container", "v26.02"] {
            assert!(!holds("26.06", Some(version)), "{version}");
        }
        assert!(holds("26.02.01", Some("26.04")));
        assert!(!holds("26.02.01", Some("26.02")));
    }
}
