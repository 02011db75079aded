//! Events of Chrome's JSON, one a line.

use std::io::{self, Write};

/// Writes events with commas between them and nothing else allocated.
pub(crate) struct Events<W> {
    out: W,
    line: Vec<u8>,
    written: u64,
}

/// A moment in whole nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Nanos(pub(crate) u64);

impl Nanos {
    /// The nanosecond in which a moment lies.
    pub(crate) const fn from_picos(picos: u64) -> Self {
        Self(picos / 1_000)
    }
}

/// One event under construction.
pub(crate) struct Event<'a>(&'a mut Vec<u8>);

impl<W: Write> Events<W> {
    pub(crate) const fn new(out: W) -> Self {
        Self {
            out,
            line: Vec::new(),
            written: 0,
        }
    }

    /// Writes one event: `fill` adds its fields.
    pub(crate) fn event(
        &mut self,
        phase: &str,
        fill: impl FnOnce(&mut Event<'_>),
    ) -> io::Result<()> {
        self.line.clear();
        self.line
            .extend_from_slice(if self.written == 0 { b"\n" } else { b",\n" });
        self.line.extend_from_slice(b"{\"ph\":\"");
        self.line.extend_from_slice(phase.as_bytes());
        self.line.push(b'"');
        fill(&mut Event(&mut self.line));
        self.line.push(b'}');
        self.written += 1;
        self.out.write_all(&self.line)
    }

    /// Writes text around events.
    pub(crate) fn raw(&mut self, text: &str) -> io::Result<()> {
        self.out.write_all(text.as_bytes())
    }

    pub(crate) const fn n_events(&self) -> u64 {
        self.written
    }

    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

impl Event<'_> {
    pub(crate) fn number(&mut self, key: &str, value: u64) -> &mut Self {
        self.key(key);
        digits(self.0, value);
        self
    }

    /// A time in microseconds with three decimals, those that are zero left out.
    pub(crate) fn micros(&mut self, key: &str, time: Nanos) -> &mut Self {
        self.key(key);
        digits(self.0, time.0 / 1_000);
        let rest = time.0 % 1_000;
        if rest != 0 {
            self.0.push(b'.');
            for digit in [rest / 100, rest / 10 % 10, rest % 10] {
                digits(self.0, digit);
            }
        }
        self
    }

    /// A number with three decimals, those that are zero left out. It is finite.
    pub(crate) fn decimal(&mut self, key: &str, value: f64) -> &mut Self {
        self.key(key);
        let text = format!("{value:.3}");
        let text = text.trim_end_matches('0').trim_end_matches('.');
        self.0.extend_from_slice(text.as_bytes());
        self
    }

    pub(crate) fn text(&mut self, key: &str, text: &str) -> &mut Self {
        self.key(key);
        quote(self.0, text);
        self
    }

    /// Fields of an object under a key; left out where there are none.
    pub(crate) fn object(&mut self, key: &str, fill: impl FnOnce(&mut Event<'_>)) -> &mut Self {
        let before = self.0.len();
        self.key(key);
        let at = self.0.len();
        fill(&mut Event(self.0));
        if self.0.len() == at {
            self.0.truncate(before);
            return self;
        }
        self.0[at] = b'{';
        self.0.push(b'}');
        self
    }

    fn key(&mut self, key: &str) {
        self.0.push(b',');
        quote(self.0, key);
        self.0.push(b':');
    }
}

fn digits(out: &mut Vec<u8>, value: u64) {
    let mut buffer = [0; 20];
    let mut at = buffer.len();
    let mut left = value;
    loop {
        at -= 1;
        buffer[at] = b'0' + (left % 10).to_le_bytes()[0];
        left /= 10;
        if left == 0 {
            break;
        }
    }
    out.extend_from_slice(&buffer[at..]);
}

/// Appends a JSON string.
pub(crate) fn quote(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            0..0x20 => out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
            _ => out.push(byte),
        }
    }
    out.push(b'"');
}
