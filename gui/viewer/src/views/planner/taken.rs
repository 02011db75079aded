//! Taking what was found into the scenario that is edited.

use std::collections::BTreeSet;

use session::Draft;

use crate::state::hinted;

/// A draft with sections taken from another text of the same scenario; comments and the order of
/// fields that stay are kept.
///
/// # Errors
///
/// Where the draft is not TOML.
pub fn taken(draft: &Draft, text: &str, sections: &[&str]) -> Result<Draft, String> {
    let found = draft.with_text(text);
    let differ = found.differences(draft);
    let keys: BTreeSet<String> = differ
        .iter()
        .filter_map(|difference| key_of(&difference.field, sections))
        .collect();
    let mut draft = draft.clone();
    for key in keys {
        let set = match found.value(&key) {
            Some(value) => draft.set(&key, &value),
            None => draft.unset(&key),
        };
        draft = set.map_err(|failure| hinted(&failure, failure.hint()))?;
    }
    Ok(draft)
}

/// The section and the key in it: `plan.shard` of `plan.shard[0].what`.
fn key_of(field: &str, sections: &[&str]) -> Option<String> {
    let (section, rest) = field.split_once('.')?;
    let key = rest.split(['.', '[']).next()?;
    sections
        .contains(&section)
        .then(|| format!("{section}.{key}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn what_is_taken_keeps_comments_and_other_sections() {
        let text = "# ours\n[plan]\ntp = 2 # wide\nvp = 2\nshard = [{ what = \"optimizer\", group = 4 }]\n\n[training]\nglobal_batch = 8 # sequences\n";
        let draft = Draft::from_text("x", text, Path::new("."));
        let found =
            "[plan]\ntp = 4\npp = 2\nshard = []\n[training]\nglobal_batch = 8\nseq_len = 1\n";
        let now = taken(&draft, found, &["plan"]).unwrap();
        assert_eq!(
            now.text(),
            "# ours\n[plan]\ntp = 4 # wide\nshard = []\npp = 2\n\n[training]\nglobal_batch = 8 # sequences\n"
        );
    }
}
