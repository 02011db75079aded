//! What differs from layer to layer: windows, and which layers are mixtures of experts.

use serde_json::Value;

use super::reader::Config;

/// The reach of attention in one layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// All tokens before.
    Full,
    /// A window that slides.
    Sliding,
    /// Chunks.
    Chunked,
}

/// The reach of each of `n` layers: `layer_types`, else a rule by index.
pub(super) fn reaches(c: &Config<'_>, n: u64, rule: impl Fn(u64) -> Reach) -> Vec<Reach> {
    let Some(list) = c.by_layer("layer_types", n) else {
        return (0..n).map(rule).collect();
    };
    let reach = |value: &Value| match value.as_str() {
        Some("full_attention") => Some(Reach::Full),
        Some("sliding_attention") => Some(Reach::Sliding),
        Some("chunked_attention") => Some(Reach::Chunked),
        _ => None,
    };
    let mut unknown = (0..).zip(list).filter(|(_, value)| reach(value).is_none());
    // One error for all entries: a list that is written another way has as many as layers.
    if let Some((index, value)) = unknown.next() {
        let found = value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned);
        let found = match unknown.count() {
            0 => found,
            more => format!("{found} (and {more} more entries are unknown)"),
        };
        let known = "full_attention, sliding_attention, chunked_attention";
        c.unsupported(&format!("layer_types[{index}]"), &found, known);
    }
    list.iter()
        .map(|value| reach(value).unwrap_or(Reach::Full))
        .collect()
}

/// The windows of `n` layers, with a rule that says which of them slide where `layer_types` does
/// not. No layer has one where `sliding_window` is absent and has no default.
pub(super) fn windows(
    c: &Config<'_>,
    n: u64,
    default: Option<u64>,
    slides: impl Fn(u64) -> bool,
) -> Vec<Option<u64>> {
    let given = c.number("sliding_window", 0, 1 << 40);
    // A null in the file means none; an absent key means the default.
    let absent = !c.fields.contains_key("sliding_window");
    let window = given
        .or(default.filter(|_| absent))
        .filter(|window| 0 < *window);
    let rule = |layer| {
        if slides(layer) {
            Reach::Sliding
        } else {
            Reach::Full
        }
    };
    let reaches = reaches(c, n, rule);
    reaches
        .into_iter()
        .map(|reach| window.filter(|_| reach != Reach::Full))
        .collect()
}

/// No window in any layer.
pub(super) fn full(n: u64) -> Vec<Option<u64>> {
    (0..n).map(|_| None).collect()
}

/// The same window in every layer.
pub(super) fn one_window(c: &Config<'_>, n: u64, default: Option<u64>) -> Vec<Option<u64>> {
    windows(c, n, default, |_| true)
}

/// The windows of Qwen: only where `use_sliding_window`, from layer `max_window_layers` on.
pub(super) fn qwen_windows(c: &Config<'_>, n: u64) -> Vec<Option<u64>> {
    let first = c.number("max_window_layers", 0, 1 << 40).unwrap_or(28);
    if c.flag("use_sliding_window", false) {
        return windows(c, n, Some(4_096), |layer| first <= layer);
    }
    c.number("sliding_window", 0, 1 << 40);
    full(n)
}

/// The windows of a pattern in which every `period`-th layer is full.
pub(super) fn every(c: &Config<'_>, n: u64, default: Option<u64>, period: u64) -> Vec<Option<u64>> {
    let pattern = c.number("sliding_window_pattern", 1, 1 << 24);
    let period = pattern.unwrap_or(period);
    windows(c, n, default, |layer| !(layer + 1).is_multiple_of(period))
}

/// A set of layers by index, from a list.
pub(super) fn indices(c: &Config<'_>, key: &'static str) -> Option<Vec<u64>> {
    let index = |value: &Value| {
        let found = value.as_u64();
        if found.is_none() {
            c.refuse(c.wrong(key, value, "a list of layers, counted from 0"));
        }
        found
    };
    let mut found: Vec<u64> = c.list(key)?.iter().filter_map(index).collect();
    found.sort_unstable();
    Some(found)
}
