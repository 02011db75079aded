//! Gzip without a time stamp.

use std::io::Write;

use flate2::{Compression, GzBuilder};

use crate::FormatError;

/// Runs a writer with its output compressed. The bytes hold no time and no system, so that equal
/// traces give equal files.
///
/// # Errors
///
/// What `write` returns, or where the output fails.
pub fn compressed<W: Write, T>(
    out: W,
    write: impl FnOnce(&mut dyn Write) -> Result<T, FormatError>,
) -> Result<T, FormatError> {
    let mut encoder = GzBuilder::new()
        .mtime(0)
        .operating_system(255)
        .write(out, Compression::new(4));
    let result = write(&mut encoder)?;
    encoder.finish()?.flush()?;
    Ok(result)
}
