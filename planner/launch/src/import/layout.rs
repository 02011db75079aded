//! `--pipeline-model-parallel-layout` to layers by virtual stage.

/// The most virtual stages.
const MAX_STAGES: usize = 1 << 14;
/// The most layers of a stage.
const MAX_LAYERS: u64 = 100_000;

/// Layers of every virtual stage; none where the text is no layout.
///
/// ```text
/// layout = item*        item = letter | '|' | '(' layout ')', each with '*' number behind it
/// ```
pub(super) fn read(text: &str) -> Option<Vec<u64>> {
    let chars: Vec<char> = text
        .chars()
        .filter(|c| !c.is_whitespace() && *c != ',')
        .collect();
    let (flat, end) = expand(&chars, 0, 0)?;
    if end != chars.len() {
        return None;
    }
    let counts = flat.split(|c| *c == '|').map(|stage| {
        let layers = stage.iter().filter(|c| **c == 't').count();
        layers as u64
    });
    let counts: Vec<u64> = counts.collect();
    (counts.len() <= MAX_STAGES && counts.iter().all(|count| *count <= MAX_LAYERS))
        .then_some(counts)
}

/// The letters from a place on, up to the end or a closing parenthesis.
fn expand(chars: &[char], mut at: usize, depth: u32) -> Option<(Vec<char>, usize)> {
    let mut out = Vec::new();
    while let Some(&c) = chars.get(at) {
        let item = match c {
            'E' | 't' | 'm' | 'L' | '|' => {
                at += 1;
                vec![c]
            }
            '(' if depth < 8 => {
                let (inner, end) = expand(chars, at + 1, depth + 1)?;
                (chars.get(end) == Some(&')')).then_some(())?;
                at = end + 1;
                inner
            }
            ')' if 0 < depth => return Some((out, at)),
            _ => return None,
        };
        let (times, end) = times(chars, at)?;
        at = end;
        let more = item.len().checked_mul(times)?;
        (out.len() + more <= 1 << 20).then_some(())?;
        for _ in 0..times {
            out.extend_from_slice(&item);
        }
    }
    Some((out, at))
}

/// How often an item stands: `*n` behind it, or once.
fn times(chars: &[char], at: usize) -> Option<(usize, usize)> {
    if chars.get(at) != Some(&'*') {
        return Some((1, at));
    }
    let digits: String = chars[at + 1..]
        .iter()
        .take_while(|c| c.is_ascii_digit())
        .collect();
    let end = at + 1 + digits.len();
    digits.parse().ok().map(|times| (times, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layouts_become_layers_by_stage() {
        assert_eq!(read("Et*3|t*4|ttL"), Some(vec![3, 4, 2]));
        assert_eq!(read("E|(t|)*3,m|m||L"), Some(vec![0, 1, 1, 1, 0, 0, 0, 0]));
        assert_eq!(read("Et|(tt|)*2L"), Some(vec![1, 2, 2, 0]));
        assert_eq!(read("Ex|L"), None);
        assert_eq!(read("(((((((((t"), None);
        assert_eq!(read("t*99999999999"), None);
    }
}
