//! The file around chunks: magic, version, lengths, checksums, compression.
//!
//! A fuzzer changes bytes, not checksums: built with `--cfg fuzzing`, chunks are stored as they are and any checksum is right,
//! so that a changed byte reaches the readers of columns instead of this file's door.

use std::io::{self, Read, Write};

use flate2::Crc;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;

use crate::FormatError;

/// The major version that this program writes, and the only one that it reads: 2 added passes.
pub const MAJOR: u16 = 2;
/// The minor version that this program writes: 1 added links.
pub const MINOR: u16 = 1;

/// How every file begins. Like PNG's magic, it is not text, breaks in transfers that change line ends, and stops `type`.
pub const MAGIC: [u8; 8] = *b"\x89WTT\r\n\x1a\n";
/// Data of one chunk, before compression.
pub(crate) const CHUNK_LIMIT: u64 = 64 << 20;
/// What zlib may add to data that it cannot compress.
const STORED_LIMIT: u64 = CHUNK_LIMIT + (1 << 20);
/// Columns of numbers compress well at once: higher levels take twice the time for 5 % less.
const LEVEL: flate2::Compression = flate2::Compression::new(3);

/// Whether chunks are stored as they are, and checksums are not checked.
#[expect(
    unexpected_cfgs,
    reason = "fuzzers set it: see the README of tests/fuzz"
)]
const FUZZING: bool = cfg!(fuzzing);

/// How much a reader takes before it gives up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Data of all chunks after decompression, in bytes.
    pub raw_bytes: u64,
}

impl Default for Limits {
    /// 8 GiB, some 600 million spans.
    fn default() -> Self {
        Self { raw_bytes: 8 << 30 }
    }
}

/// One chunk as read.
#[derive(Debug)]
pub(crate) struct Chunk {
    pub(crate) kind: [u8; 4],
    /// Where it begins in the file.
    pub(crate) offset: u64,
    pub(crate) data: Vec<u8>,
}

impl Chunk {
    pub(crate) fn name(&self) -> String {
        self.kind.escape_ascii().to_string()
    }
}

/// One chunk as it is stored: compressed, and not yet checked.
#[derive(Debug)]
pub(crate) struct Stored {
    pub(crate) kind: [u8; 4],
    offset: u64,
    raw: u64,
    crc: u32,
    head: [u8; 12],
    data: Vec<u8>,
}

impl Stored {
    /// Checks and decompresses it.
    pub(crate) fn open(self) -> Result<Chunk, FormatError> {
        let damaged = |what| FormatError::Damaged {
            chunk: self.kind.escape_ascii().to_string(),
            offset: self.offset,
            what,
        };
        if !FUZZING && checksum(&self.head, &self.data) != self.crc {
            return Err(damaged("its checksum is wrong"));
        }
        let data = inflate(&self.data, self.raw)
            .ok_or_else(|| damaged("it does not decompress to its length"))?;
        Ok(Chunk {
            kind: self.kind,
            offset: self.offset,
            data,
        })
    }
}

pub(crate) fn write_start(out: &mut impl Write) -> io::Result<()> {
    out.write_all(&MAGIC)?;
    out.write_all(&MAJOR.to_le_bytes())?;
    out.write_all(&MINOR.to_le_bytes())
}

pub(crate) fn write_chunk(
    out: &mut impl Write,
    kind: [u8; 4],
    data: &[u8],
) -> Result<(), FormatError> {
    let length = data.len() as u64;
    let too_large = || FormatError::TooLarge {
        chunk: kind.escape_ascii().to_string(),
        offset: 0,
        bytes: length,
        limit: CHUNK_LIMIT,
    };
    if CHUNK_LIMIT < length {
        return Err(too_large());
    }
    let stored = deflate(data)?;
    let stored_length = u32::try_from(stored.len()).map_err(|_| too_large())?;
    let raw_length = u32::try_from(length).map_err(|_| too_large())?;
    let mut head = kind.to_vec();
    head.extend(stored_length.to_le_bytes());
    head.extend(raw_length.to_le_bytes());
    out.write_all(&head)?;
    out.write_all(&checksum(&head, &stored).to_le_bytes())?;
    out.write_all(&stored)?;
    Ok(())
}

fn checksum(head: &[u8], stored: &[u8]) -> u32 {
    let mut crc = Crc::new();
    crc.update(head);
    crc.update(stored);
    crc.sum()
}

/// Reads chunk after chunk.
#[derive(Debug)]
pub(crate) struct Chunks<R> {
    source: R,
    offset: u64,
    left: u64,
    limit: u64,
}

impl<R: Read> Chunks<R> {
    /// Reads the magic and the version.
    pub(crate) fn open(mut source: R, limits: Limits) -> Result<Self, FormatError> {
        let mut found = Vec::new();
        source.by_ref().take(12).read_to_end(&mut found)?;
        if !found.starts_with(&MAGIC) {
            found.truncate(8);
            return Err(FormatError::NoTrace { found });
        }
        let &[.., a, b, c, d] = found.as_slice() else {
            return Err(truncated("its version", 8));
        };
        if found.len() < 12 {
            return Err(truncated("its version", 8));
        }
        let (major, minor) = (u16::from_le_bytes([a, b]), u16::from_le_bytes([c, d]));
        if major != MAJOR {
            return Err(FormatError::OtherVersion {
                major,
                minor,
                supported: MAJOR,
            });
        }
        let (left, limit) = (limits.raw_bytes, limits.raw_bytes);
        Ok(Self {
            source,
            offset: 12,
            left,
            limit,
        })
    }

    pub(crate) fn next(&mut self) -> Result<Chunk, FormatError> {
        self.next_stored()?.open()
    }

    /// The next chunk as it is stored; to be opened on any thread.
    pub(crate) fn next_stored(&mut self) -> Result<Stored, FormatError> {
        let offset = self.offset;
        let mut head = Vec::new();
        self.source.by_ref().take(16).read_to_end(&mut head)?;
        let Ok(head) = <[u8; 16]>::try_from(head) else {
            return Err(truncated("the list of chunks", offset));
        };
        let word =
            |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        let kind = [head[0], head[1], head[2], head[3]];
        let (stored, raw, crc) = (u64::from(word(4)), u64::from(word(8)), word(12));
        let chunk = kind.escape_ascii().to_string();
        self.check_size(&chunk, offset, stored, STORED_LIMIT)?;
        self.check_size(&chunk, offset, raw, CHUNK_LIMIT.min(self.left))?;
        let mut data = Vec::new();
        self.source.by_ref().take(stored).read_to_end(&mut data)?;
        if (data.len() as u64) < stored {
            return Err(truncated(&format!("chunk `{chunk}`"), offset));
        }
        self.offset += 16 + stored;
        self.left -= raw;
        Ok(Stored {
            kind,
            offset,
            raw,
            crc,
            head: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11].map(|at: usize| head[at]),
            data,
        })
    }

    fn check_size(
        &self,
        chunk: &str,
        offset: u64,
        bytes: u64,
        limit: u64,
    ) -> Result<(), FormatError> {
        if bytes <= limit {
            return Ok(());
        }
        let limit = if limit == self.left {
            self.limit
        } else {
            limit
        };
        Err(FormatError::TooLarge {
            chunk: chunk.to_owned(),
            offset,
            bytes,
            limit,
        })
    }
}

fn deflate(data: &[u8]) -> io::Result<Vec<u8>> {
    if FUZZING {
        return Ok(data.to_vec());
    }
    let mut encoder = ZlibEncoder::new(Vec::new(), LEVEL);
    encoder.write_all(data)?;
    encoder.finish()
}

/// The data of exactly that length, or none.
fn inflate(stored: &[u8], raw: u64) -> Option<Vec<u8>> {
    if FUZZING {
        return Some(stored.to_vec());
    }
    let mut data = Vec::new();
    let mut decoder = ZlibDecoder::new(stored).take(raw + 1);
    decoder.read_to_end(&mut data).ok()?;
    (data.len() as u64 == raw).then_some(data)
}

fn truncated(part: &str, offset: u64) -> FormatError {
    FormatError::Truncated {
        part: part.to_owned(),
        offset,
    }
}
