//! A framework's file, and the files that hold where it says nothing.

use std::path::Path;

use super::{FrameworkFile, framework_file, nearest_framework};
use crate::error::{Failure, Problem};
use crate::kept::{self, kept};
use crate::library::{At, Library, read_source};
use crate::reference::is_path;
use crate::zoo::Shelf;

/// Frameworks that may stand behind each other.
const MAX_CHAIN: usize = 8;

impl Library<'_> {
    /// A framework and, behind it, those that hold where it says nothing.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with the names or the files.
    pub fn frameworks(&self, name: &str, at: &At) -> Result<Vec<FrameworkFile>, Vec<Failure>> {
        let mut chain: Vec<FrameworkFile> = Vec::new();
        let (mut next, mut base) = (Some(name.to_owned()), self.base.to_owned());
        while let Some(name) = next.take() {
            if MAX_CHAIN <= chain.len() {
                let hint = "let `nearest` end at a framework of the zoo".to_owned();
                return Err(vec![at.failure(Problem::Refused {
                    message: format!("{MAX_CHAIN} frameworks name each other as nearest"),
                    hint: Some(hint),
                })]);
            }
            let library = Library {
                files: self.files,
                base: &base,
            };
            let file = kept(&kept::FRAMEWORKS, &name, || {
                let opened = library.open(Shelf::Frameworks, &name, at);
                let source = opened.map_err(|failures| with_nearest_first(failures, &name))?;
                read_source(&source, &framework_file)
            })?;
            let own = is_path(&name).then(|| library.path(&name));
            if let Some(folder) = own.as_deref().and_then(Path::parent) {
                folder.clone_into(&mut base);
            }
            next.clone_from(&file.nearest);
            chain.push(file);
        }
        Ok(chain)
    }
}

/// The failures with the framework that would stand for an unknown name in front of those that are
/// offered.
fn with_nearest_first(mut failures: Vec<Failure>, name: &str) -> Vec<Failure> {
    let (nearest, _) = nearest_framework(name);
    for failure in &mut failures {
        if let Problem::UnknownName { known, .. } = &mut failure.problem {
            known.sort_by_key(|known| known != nearest);
        }
    }
    failures
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::NoFiles;
    use crate::framework::Habits;

    fn library() -> Library<'static> {
        Library {
            files: &NoFiles,
            base: Path::new(""),
        }
    }

    #[test]
    fn every_framework_of_the_zoo_bears_its_own_name_and_cites_its_choices() {
        for name in Shelf::Frameworks.names() {
            let chain = library().frameworks(name, &At::default()).unwrap();
            assert_eq!(chain[0].name, name);
            assert!(name == "neutral" || chain.last().unwrap().name == "neutral");
            let habits = Habits::of(&chain, None, &[]);
            assert_eq!(habits.framework.name, name);
        }
    }

    #[test]
    fn the_neutral_framework_is_what_lowering_takes_for_it() {
        let chain = library().frameworks("neutral", &At::default()).unwrap();
        let habits = Habits::of(&chain, None, &[]);
        assert_eq!(habits.framework, lower::NEUTRAL);
        assert_eq!(habits.shard, None);
    }
}
