//! What tells runs apart, and what charts say of the run that they show.

use std::fmt;

use crate::simulate::Ready;

/// The version of this program.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What tells runs apart: equal keys, equal answers. Files that a scenario names count by their
/// names, so that a cache has to be emptied when such a file changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunKey([u64; 2]);

impl RunKey {
    /// The key of a scenario as it would be run.
    pub fn of(ready: &Ready) -> Self {
        let settings = &ready.scenario.settings;
        let seed = settings.seed.to_string();
        Self::of_parts(&[&ready.text, settings.engine.name(), &seed, VERSION])
    }

    /// The key of a text under an engine, a seed and a version.
    pub fn of_parts(parts: &[&str]) -> Self {
        Self([0x243f_6a88_85a3_08d3, 0x1319_8a2e_0370_7344].map(|start| hashed(start, parts)))
    }
}

impl fmt::Display for RunKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}{:016x}", self.0[0], self.0[1])
    }
}

/// The bytes of texts and where they end, mixed word by word.
fn hashed(start: u64, parts: &[&str]) -> u64 {
    let mut hash = start;
    for part in parts {
        for word in part.as_bytes().chunks(8) {
            let mut bytes = [0; 8];
            bytes[..word.len()].copy_from_slice(word);
            hash = units::math::mix(hash ^ u64::from_le_bytes(bytes));
        }
        hash = units::math::mix(hash ^ part.len() as u64);
    }
    hash
}

/// What a chart says of the run that it shows: scenario, engine, seed and version.
pub fn caption(ready: &Ready) -> String {
    let settings = &ready.scenario.settings;
    format!(
        "{}, engine {}, seed {}, windtunnel {VERSION}",
        ready.scenario.name,
        settings.engine.name(),
        settings.seed
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Draft;

    fn ready(draft: &Draft) -> Ready {
        draft.open().unwrap().ready().unwrap()
    }

    #[test]
    fn keys_differ_where_anything_does_and_comments_do_not_count() {
        let draft = Draft::example("llama3-70b-dgx-h100").unwrap();
        let key = |draft: &Draft| RunKey::of(&ready(draft));
        let own = key(&draft);
        for (field, value) in [
            ("plan.tp", "4"),
            ("settings.seed", "2"),
            ("settings.engine", "estimate"),
        ] {
            assert_ne!(key(&draft.set(field, value).unwrap()), own, "{field}");
        }
        let commented = draft.with_text(format!("# A comment.\n{}", draft.text()));
        assert_eq!(key(&commented), own);
        assert_eq!(own.to_string().len(), 32);
    }

    #[test]
    fn borders_between_texts_count() {
        assert_ne!(
            RunKey::of_parts(&["ab", "c"]),
            RunKey::of_parts(&["a", "bc"])
        );
        assert_ne!(RunKey::of_parts(&["a", ""]), RunKey::of_parts(&["a"]));
    }

    #[test]
    fn a_caption_names_scenario_engine_seed_and_version() {
        let ready = ready(&Draft::example("llama3-70b-dgx-h100").unwrap());
        let told = caption(&ready);
        assert_eq!(
            told,
            format!("llama3-70b-dgx-h100, engine flow, seed 1, windtunnel {VERSION}")
        );
    }
}
