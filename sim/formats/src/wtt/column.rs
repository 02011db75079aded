//! Numbers and texts in a chunk.

use crate::FormatError;

/// Appends 7 bits a byte, the low ones first; the high bit says that more follow.
pub(crate) fn put(out: &mut Vec<u8>, mut value: u64) {
    while 0x80 <= value {
        out.push(low_byte(value) | 0x80);
        value >>= 7;
    }
    out.push(low_byte(value));
}

/// Appends a difference, small ones of either sign in few bytes.
pub(crate) fn put_difference(out: &mut Vec<u8>, value: u64, before: u64) {
    let difference = value.wrapping_sub(before).cast_signed();
    put(out, (difference << 1 ^ difference >> 63).cast_unsigned());
}

pub(crate) fn put_text(out: &mut Vec<u8>, text: &str) {
    put(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

const fn low_byte(value: u64) -> u8 {
    value.to_le_bytes()[0]
}

/// What is left of a chunk's data.
#[derive(Debug)]
pub(crate) struct Cursor<'a> {
    left: &'a [u8],
    chunk: &'a str,
    offset: u64,
}

impl<'a> Cursor<'a> {
    pub(crate) const fn new(data: &'a [u8], chunk: &'a str, offset: u64) -> Self {
        Self {
            left: data,
            chunk,
            offset,
        }
    }

    pub(crate) fn damaged(&self, what: &'static str) -> FormatError {
        FormatError::Damaged {
            chunk: self.chunk.to_owned(),
            offset: self.offset,
            what,
        }
    }

    pub(crate) fn number(&mut self) -> Result<u64, FormatError> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            if shift == 63 && 1 < byte {
                break;
            }
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(self.damaged("a number is longer than 64 bits"))
    }

    pub(crate) fn difference(&mut self, before: u64) -> Result<u64, FormatError> {
        let number = self.number()?;
        let difference = number >> 1 ^ (number & 1).wrapping_neg();
        Ok(before.wrapping_add(difference))
    }

    pub(crate) fn index(&mut self) -> Result<u32, FormatError> {
        let number = self.number()?;
        u32::try_from(number).map_err(|_| self.damaged("an index is longer than 32 bits"))
    }

    /// A count of things that take at least `size` bytes each: no more than can follow.
    pub(crate) fn count(&mut self, size: usize) -> Result<usize, FormatError> {
        let number = self.number()?;
        let room = self.left.len() / size;
        match usize::try_from(number) {
            Ok(count) if count <= room => Ok(count),
            _ => Err(self.damaged("a count exceeds what follows")),
        }
    }

    pub(crate) fn byte(&mut self) -> Result<u8, FormatError> {
        let (&byte, left) = self
            .left
            .split_first()
            .ok_or_else(|| self.damaged("it ends early"))?;
        self.left = left;
        Ok(byte)
    }

    pub(crate) fn bytes(&mut self, n: usize) -> Result<&'a [u8], FormatError> {
        let (bytes, left) = self
            .left
            .split_at_checked(n)
            .ok_or_else(|| self.damaged("it ends early"))?;
        self.left = left;
        Ok(bytes)
    }

    pub(crate) fn real(&mut self) -> Result<f64, FormatError> {
        let bytes = self.bytes(8)?;
        let bits = bytes
            .try_into()
            .map_err(|_| self.damaged("it ends early"))?;
        Ok(f64::from_le_bytes(bits))
    }

    pub(crate) fn text(&mut self) -> Result<String, FormatError> {
        let length = self.count(1)?;
        let text = str::from_utf8(self.bytes(length)?);
        text.map(str::to_owned)
            .map_err(|_| self.damaged("a text is not UTF-8"))
    }

    /// One of a list, by its index.
    pub(crate) fn choice<T: Copy>(&mut self, all: &[T]) -> Result<T, FormatError> {
        let index = self.byte()?;
        all.get(usize::from(index))
            .copied()
            .ok_or_else(|| self.damaged("a kind is not known"))
    }

    pub(crate) fn end(self) -> Result<(), FormatError> {
        if self.left.is_empty() {
            Ok(())
        } else {
            Err(self.damaged("bytes are left over"))
        }
    }
}
