//! Where the files of a scenario are: on this machine, or among the examples in the binary.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Component, Path};
use std::sync::Arc;

use format::{Disk, Files, Problem, Source};

mod embedded {
    include!(concat!(env!("OUT_DIR"), "/cases.rs"));
}

/// Where the files of a scenario are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Store {
    /// On this machine.
    #[default]
    Disk,
    /// Among the examples that come with the binary: nothing is written to read them.
    Examples,
}

impl Store {
    /// A file as a stream of bytes.
    ///
    /// # Errors
    ///
    /// Where there is no such file, or it cannot be read.
    pub(crate) fn open(self, path: &Path) -> io::Result<Box<dyn Read>> {
        match self {
            Self::Disk => Ok(Box::new(File::open(path)?)),
            Self::Examples => {
                let text = example_file(path).ok_or(io::ErrorKind::NotFound)?;
                Ok(Box::new(text.as_bytes()))
            }
        }
    }
}

impl Files for Store {
    fn read(&self, path: &Path, limit: u64) -> Result<Arc<Source>, Problem> {
        match self {
            Self::Disk => Disk.read(path, limit),
            Self::Examples => match example_file(path) {
                Some(text) => Ok(Source::new(path.display().to_string(), text)),
                None => Err(Problem::NoSuchFile {
                    path: path.display().to_string(),
                    similar: Vec::new(),
                }),
            },
        }
    }
}

/// Every file of the examples, as `case/file` with its text.
pub(crate) fn example_files() -> impl Iterator<Item = (&'static str, &'static str)> {
    embedded::FILES.iter().copied()
}

/// The text of a file of the examples.
fn example_file(path: &Path) -> Option<&'static str> {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.components() {
        match part {
            Component::Normal(name) => parts.push(name.to_str()?),
            Component::ParentDir => {
                parts.pop();
            }
            _ => {}
        }
    }
    let wanted = parts.join("/");
    let mut files = example_files();
    files
        .find(|(name, _)| *name == wanted)
        .map(|(_, text)| text)
}
