//! Files that a scenario names, read with limits.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use crate::error::Problem;
use crate::nearest::similar;
use crate::source::Source;

/// The largest scenario, hardware file or `config.json` that is read: 4 MiB.
pub const SCENARIO_LIMIT: u64 = 4 << 20;

/// The largest profile or layer table that is read: 32 MiB.
pub const PROFILE_LIMIT: u64 = 32 << 20;

/// The file of a scenario in a folder.
pub const SCENARIO_FILE: &str = "scenario.toml";

/// Where files come from.
pub trait Files {
    /// The text of a file, if it has no more than `limit` bytes.
    ///
    /// # Errors
    ///
    /// The [`Problem`] that keeps it from being read.
    fn read(&self, path: &Path, limit: u64) -> Result<Arc<Source>, Problem>;
}

/// No files at all: a scenario may name the zoo only.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoFiles;

impl Files for NoFiles {
    fn read(&self, path: &Path, _: u64) -> Result<Arc<Source>, Problem> {
        Err(Problem::NoSuchFile {
            path: path.display().to_string(),
            similar: Vec::new(),
        })
    }
}

/// The files of this machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct Disk;

impl Files for Disk {
    fn read(&self, path: &Path, limit: u64) -> Result<Arc<Source>, Problem> {
        let name = path.display().to_string();
        let unreadable = |error: &std::io::Error| match error.kind() {
            std::io::ErrorKind::NotFound => no_such_file(path),
            _ => Problem::Unreadable {
                path: name.clone(),
                reason: reason(error),
            },
        };
        let about = fs::metadata(path).map_err(|error| unreadable(&error))?;
        if about.is_dir() {
            return Err(Problem::IsFolder { path: name });
        }
        if limit < about.len() {
            return Err(Problem::TooLarge { path: name, limit });
        }
        let file = File::open(path).map_err(|error| unreadable(&error))?;
        read_limited(file, &name, limit)
    }
}

/// Reads a text with a limit, for example from standard input.
///
/// # Errors
///
/// [`Problem::TooLarge`], [`Problem::NotUtf8`] or [`Problem::Unreadable`].
pub fn read_limited(from: impl Read, name: &str, limit: u64) -> Result<Arc<Source>, Problem> {
    let mut bytes = Vec::new();
    // The size of a pipe or a device is not known before it is read.
    let read = from.take(limit + 1).read_to_end(&mut bytes);
    read.map_err(|error| Problem::Unreadable {
        path: name.to_owned(),
        reason: reason(&error),
    })?;
    if limit < bytes.len() as u64 {
        return Err(Problem::TooLarge {
            path: name.to_owned(),
            limit,
        });
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Source::new(name, text)),
        Err(error) => Err(not_utf8(
            name,
            error.as_bytes(),
            error.utf8_error().valid_up_to(),
        )),
    }
}

fn not_utf8(name: &str, bytes: &[u8], at: usize) -> Problem {
    Problem::NotUtf8 {
        path: name.to_owned(),
        line: bytes[..at].split(|byte| *byte == b'\n').count(),
        byte: bytes
            .get(at)
            .map_or_else(String::new, |byte| format!("{byte:#04x}")),
    }
}

fn no_such_file(path: &Path) -> Problem {
    let name = path
        .file_name()
        .map(|name| name.to_string_lossy().into_owned());
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let entries = fs::read_dir(folder.unwrap_or(Path::new(".")))
        .into_iter()
        .flatten();
    let names = entries.take(10_000).filter_map(|entry| {
        let name = entry.ok()?.file_name();
        Some(name.to_string_lossy().into_owned())
    });
    let close = similar(name.as_deref().unwrap_or_default(), names);
    let beside =
        |name: String| folder.map_or(name.clone(), |f| f.join(&name).display().to_string());
    Problem::NoSuchFile {
        path: path.display().to_string(),
        similar: close.into_iter().map(beside).collect(),
    }
}

/// The operating system's reason in a lower-case clause.
fn reason(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => error.to_string().to_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_past_the_limit_is_refused_without_being_kept() {
        let endless = std::io::repeat(b'a');
        let problem = read_limited(endless, "x.toml", 1000).unwrap_err();
        assert_eq!(
            problem.to_string(),
            "x.toml has more than 1000 bytes, the most that is read"
        );
    }

    #[test]
    fn bytes_that_are_no_text_are_named_with_their_line() {
        let problem = read_limited(&b"a = 1\nb = \xff\n"[..], "x.toml", 1000).unwrap_err();
        assert_eq!(
            problem.to_string(),
            "x.toml is not UTF-8 text: byte 0xff of line 2"
        );
    }

    #[test]
    fn a_missing_file_names_its_neighbors() {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let problem = Disk.read(&here.join("Cargo.tom"), 1000).unwrap_err();
        assert!(
            problem.hint().unwrap().contains("Cargo.toml"),
            "{problem:?}"
        );
        let folder = Disk.read(here, 1000).unwrap_err();
        assert!(matches!(folder, Problem::IsFolder { .. }));
    }
}
