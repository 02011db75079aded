//! Files that are written whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// What to do with a file that is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    /// Leave it, and fail.
    Refuse,
    /// Replace it.
    Replace,
}

/// Why a file was not written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the messages are the documentation")]
pub enum SaveError {
    #[error("{} is there already", path.display())]
    Exists { path: PathBuf },
    #[error("{} cannot be written: {source}", path.display())]
    Unwritable { path: PathBuf, source: io::Error },
}

impl SaveError {
    /// What to change, where we can tell.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Exists { .. } => Some("give another path, or --force to replace it".to_owned()),
            Self::Unwritable { source, .. } if source.kind() == io::ErrorKind::NotFound => {
                Some("create the folder first".to_owned())
            }
            Self::Unwritable { .. } => None,
        }
    }
}

/// Fails early where [`save`] would refuse to write, before the work is done.
///
/// # Errors
///
/// [`SaveError::Exists`].
pub fn check(path: &Path, existing: Existing) -> Result<(), SaveError> {
    if existing == Existing::Refuse && path.exists() && !is_stream(path) {
        return Err(SaveError::Exists {
            path: path.to_owned(),
        });
    }
    Ok(())
}

/// Writes a file through a temporary one beside it: readers see the old file or the new one,
/// and an interrupted run leaves neither half.
///
/// # Errors
///
/// [`SaveError`], with the temporary file removed.
pub fn save(
    path: &Path,
    existing: Existing,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), SaveError> {
    check(path, existing)?;
    let unwritable = |source| SaveError::Unwritable {
        path: path.to_owned(),
        source,
    };
    if is_stream(path) {
        let mut stream = OpenOptions::new()
            .write(true)
            .open(path)
            .map_err(unwritable)?;
        return write(&mut stream).map_err(unwritable);
    }
    let temporary = temporary_beside(path);
    let written = write_all(&temporary, write).and_then(|()| match existing {
        Existing::Replace => fs::rename(&temporary, path),
        // A link fails where a file has appeared meanwhile; a rename would replace it.
        Existing::Refuse => link_or_rename(&temporary, path),
    });
    if written.is_err() {
        // The first error is the one to tell; a file that was never created cannot be removed.
        drop(fs::remove_file(&temporary));
    }
    written.map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => SaveError::Exists {
            path: path.to_owned(),
        },
        _ => unwritable(error),
    })
}

fn write_all(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let file = File::create_new(path)?;
    let mut buffered = io::BufWriter::new(file);
    write(&mut buffered)?;
    buffered.into_inner()?.sync_all()
}

fn link_or_rename(from: &Path, to: &Path) -> io::Result<()> {
    match fs::hard_link(from, to) {
        Ok(()) => fs::remove_file(from),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(error),
        // Some file systems have no links.
        Err(_) => fs::rename(from, to),
    }
}

/// Whether the path is something that is written to rather than replaced: a device, a pipe.
fn is_stream(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|about| !about.is_file() && !about.is_dir())
}

fn temporary_beside(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{}.part", std::process::id()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder of its own for a test, removed afterwards.
    struct Scratch(PathBuf);

    impl Scratch {
        fn new(name: &str) -> Self {
            let name = format!("windtunnel-{name}-{}", std::process::id());
            let folder = std::env::temp_dir().join(name);
            fs::create_dir_all(&folder).unwrap();
            Self(folder)
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            drop(fs::remove_dir_all(&self.0));
        }
    }

    #[test]
    fn a_file_is_never_replaced_unless_asked() {
        let scratch = Scratch::new("save");
        let path = scratch.0.join("x.json");
        save(&path, Existing::Refuse, |out| out.write_all(b"one")).unwrap();
        let refused = save(&path, Existing::Refuse, |out| out.write_all(b"two")).unwrap_err();
        assert!(matches!(refused, SaveError::Exists { .. }));
        assert_eq!(fs::read(&path).unwrap(), b"one");
        save(&path, Existing::Replace, |out| out.write_all(b"two")).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
    }

    #[test]
    fn a_failed_write_leaves_nothing_behind() {
        let scratch = Scratch::new("fail");
        let path = scratch.0.join("x.json");
        let fail = |out: &mut dyn Write| {
            out.write_all(b"half")?;
            Err(io::Error::other("the disk is gone"))
        };
        save(&path, Existing::Replace, fail).unwrap_err();
        assert_eq!(fs::read_dir(&scratch.0).unwrap().count(), 0);
    }

    #[test]
    fn a_missing_folder_is_named_in_the_hint() {
        let path = Path::new("/nowhere/at/all/x.json");
        let error = save(path, Existing::Refuse, |_| Ok(())).unwrap_err();
        assert_eq!(error.hint().unwrap(), "create the folder first");
    }
}
