//! The platforms of this folder.

use std::fs;
use std::path::PathBuf;

use formats::simgrid::{SimGridPlatform, read};

/// A platform of ours, and what `SimGrid` says of it.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) xml: String,
}

impl Case {
    /// A file beside the platform.
    pub(crate) fn file(&self, extension: &str) -> String {
        let path = folder().join(format!("{}.{extension}", self.name));
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    pub(crate) fn platform(&self) -> SimGridPlatform {
        read(&self.xml).unwrap_or_else(|error| panic!("{}: {error}", self.name))
    }
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/simgrid")
}

/// All platforms in the order of their names.
pub(crate) fn all() -> Vec<Case> {
    let entries = fs::read_dir(folder()).expect("the folder of platforms");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let mut cases: Vec<Case> = paths
        .filter(|path| path.extension().is_some_and(|extension| extension == "xml"))
        .map(|path| Case {
            name: path
                .file_stem()
                .expect("a name")
                .to_string_lossy()
                .into_owned(),
            xml: fs::read_to_string(&path).expect("a text"),
        })
        .collect();
    cases.sort_by(|a, b| a.name.cmp(&b.name));
    assert!(15 <= cases.len(), "only {} platforms found", cases.len());
    cases
}
