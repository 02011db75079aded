//! From CSV to flows.

use std::borrow::Cow;
use std::io::{BufRead, Read};

use traffic::{Flow, FlowId, Flows, FlowsError};
use units::{Bytes, HostId, SimTime};

use super::Column;
use super::error::FlowsCsvError;
use super::ids::{Added, FlowIds};
use super::seconds;
use super::texts::Texts;
use crate::import_error::shown;

/// The longest line: that of a flow which waits for some millions of others.
const MAX_LINE: u64 = 64 << 20;

/// Flows with their ids.
#[derive(Clone, Debug)]
pub struct FlowList {
    /// The flows, in the order of the rows.
    pub flows: Flows,
    /// Their ids.
    pub ids: FlowIds,
}

/// Reads a list of flows.
///
/// * `input` — the text, read line by line.
/// * `host` — the host of a name, asked once for every name.
///
/// # Errors
///
/// The first line that is no flow, else an id in `after` that no flow has, else a cycle.
///
/// ```
/// use formats::flows_csv;
/// use units::HostId;
///
/// let text = "id,src,dst,bytes,start_s,after\na,x,y,8,0,\nb,y,x,8,1e-6,a\n";
/// let host = |name: &str| ["x", "y"].iter().position(|one| *one == name).map(HostId::from_index);
/// let list = flows_csv::read(text.as_bytes(), host).unwrap();
/// assert_eq!(list.flows.len(), 2);
/// let b = list.ids.find("b").unwrap();
/// assert_eq!(list.flows.after(b), [0]);
/// ```
pub fn read(
    input: impl BufRead,
    host: impl FnMut(&str) -> Option<HostId>,
) -> Result<FlowList, FlowsCsvError> {
    let mut lines = Lines::new(input);
    if !lines.next()? {
        return Err(FlowsCsvError::Empty);
    }
    let columns = columns(lines.text()?)?;
    let mut reader = Reader::new(&columns, host);
    while lines.next()? {
        if lines.line.is_empty() {
            let line = lines.number;
            if lines.next()? {
                return Err(FlowsCsvError::EmptyLine { line });
            }
            break;
        }
        reader.row(lines.text()?, lines.number)?;
    }
    reader.finish()
}

/// The lines of a text, one at a time.
struct Lines<R> {
    input: R,
    line: Vec<u8>,
    number: u64,
}

impl<R: BufRead> Lines<R> {
    const fn new(input: R) -> Self {
        Self {
            input,
            line: Vec::new(),
            number: 0,
        }
    }

    /// Reads the next line without its end; `false` at the end.
    fn next(&mut self) -> Result<bool, FlowsCsvError> {
        self.line.clear();
        self.number += 1;
        let mut input = self.input.by_ref().take(MAX_LINE);
        let read = input.read_until(b'\n', &mut self.line)?;
        if self.line.last() == Some(&b'\n') {
            self.line.pop();
        } else if MAX_LINE <= read as u64 {
            let line = self.number;
            return Err(FlowsCsvError::LongLine {
                line,
                limit: MAX_LINE,
            });
        }
        if self.line.last() == Some(&b'\r') {
            self.line.pop();
        }
        Ok(read != 0)
    }

    fn text(&self) -> Result<&str, FlowsCsvError> {
        let line = self.number;
        std::str::from_utf8(&self.line).map_err(|_| FlowsCsvError::NotUtf8 { line })
    }
}

/// The columns of a header, in its order.
fn columns(header: &str) -> Result<Vec<Column>, FlowsCsvError> {
    let header = header.strip_prefix('\u{feff}').unwrap_or(header);
    let mut columns = Vec::new();
    for cell in cells(header, 1) {
        let cell = cell?;
        let column = Column::ALL.into_iter().find(|one| one.name() == cell);
        let Some(column) = column else {
            let found = shown(&cell);
            return Err(FlowsCsvError::UnknownColumn { found });
        };
        if columns.contains(&column) {
            let column = column.name();
            return Err(FlowsCsvError::RepeatedColumn { column });
        }
        columns.push(column);
    }
    let missing = |one: &Column| !one.is_optional() && !columns.contains(one);
    match Column::ALL.into_iter().find(missing) {
        Some(column) => Err(FlowsCsvError::MissingColumn {
            column: column.name(),
        }),
        None => Ok(columns),
    }
}

/// The cells of a line, without blanks around them and without their quotes.
fn cells(line: &str, number: u64) -> impl Iterator<Item = Result<Cow<'_, str>, FlowsCsvError>> {
    let mut rest = Some(line);
    std::iter::from_fn(move || {
        let text = rest?;
        // Bytes are compared: the prefix of a text is looked for by a call, a third of the reading.
        let start = text.trim_ascii_start();
        let Some((b'"', _)) = start.as_bytes().split_first() else {
            let (cell, after) = match text.bytes().position(|byte| byte == b',') {
                Some(at) => (&text[..at], Some(&text[at + 1..])),
                None => (text, None),
            };
            rest = after;
            return Some(Ok(Cow::Borrowed(cell.trim_ascii())));
        };
        let cell = unquote(&start[1..]).ok_or(FlowsCsvError::Quote { line: number });
        Some(cell.map(|(cell, after)| {
            rest = after;
            cell
        }))
    })
}

/// A cell up to its closing quote, and what follows the comma behind it, if one does.
fn unquote(text: &str) -> Option<(Cow<'_, str>, Option<&str>)> {
    let mut end = text.find('"')?;
    while text[end + 1..].starts_with('"') {
        end += 2 + text[end + 2..].find('"')?;
    }
    let cell = &text[..end];
    let cell = if cell.contains('"') {
        Cow::Owned(cell.replace("\"\"", "\""))
    } else {
        Cow::Borrowed(cell)
    };
    let after = text[end + 1..].trim_ascii_start();
    if after.is_empty() {
        return Some((cell, None));
    }
    Some((cell, Some(after.strip_prefix(',')?)))
}

/// Ids in `after` of flows that had not come yet, side by side.
#[derive(Default)]
struct Later {
    /// The places in the list of all that is waited for.
    at: Vec<u32>,
    ends: Vec<u32>,
    text: String,
}

impl Later {
    /// Adds an id; `None` where 4 GiB are full.
    fn add(&mut self, at: usize, id: &str) -> Option<()> {
        let at = u32::try_from(at).ok()?;
        let end = u32::try_from(self.text.len() + id.len()).ok()?;
        self.text.push_str(id);
        self.at.push(at);
        self.ends.push(end);
        Some(())
    }

    /// The places and their ids.
    fn iter(&self) -> impl Iterator<Item = (u32, &str)> {
        let starts = std::iter::once(&0).chain(&self.ends);
        let ids = starts.zip(&self.ends);
        let ids = ids.map(|(start, end)| &self.text[*start as usize..*end as usize]);
        self.at.iter().copied().zip(ids)
    }
}

/// What was read so far.
struct Reader<'c, H> {
    columns: &'c [Column],
    host: H,
    names: Texts,
    hosts: Vec<HostId>,
    ids: FlowIds,
    flows: Vec<Flow>,
    first: Vec<u32>,
    after: Vec<u32>,
    later: Later,
}

impl<'c, H: FnMut(&str) -> Option<HostId>> Reader<'c, H> {
    fn new(columns: &'c [Column], host: H) -> Self {
        Self {
            columns,
            host,
            names: Texts::default(),
            hosts: Vec::new(),
            ids: FlowIds::counted(0),
            flows: Vec::new(),
            first: vec![0],
            after: Vec::new(),
            later: Later::default(),
        }
    }

    fn row(&mut self, text: &str, line: u64) -> Result<(), FlowsCsvError> {
        let columns = self.columns;
        let mut flow = Flow {
            src: HostId::new(0),
            dst: HostId::new(0),
            bytes: Bytes::ZERO,
            start: SimTime::ZERO,
        };
        let mut found = 0;
        for cell in cells(text, line) {
            let cell = &*cell?;
            match columns.get(found) {
                Some(Column::Id) => self.id(cell, line)?,
                Some(Column::Src) => flow.src = self.host(cell, line, "src")?,
                Some(Column::Dst) => flow.dst = self.host(cell, line, "dst")?,
                Some(Column::Bytes) => flow.bytes = bytes(cell, line)?,
                Some(Column::Start) => flow.start = start(cell, line)?,
                Some(Column::After) => self.waits(cell, line)?,
                None => {}
            }
            found += 1;
        }
        if found != columns.len() {
            return Err(FlowsCsvError::Cells {
                line,
                found,
                columns: columns.len(),
            });
        }
        self.flows.push(flow);
        let end = u32::try_from(self.after.len());
        self.first
            .push(end.map_err(|_| too_many(line, "ids in `after`"))?);
        Ok(())
    }

    fn id(&mut self, id: &str, line: u64) -> Result<(), FlowsCsvError> {
        if id.is_empty() || id.contains(';') || id.trim_ascii() != id {
            let found = shown(id);
            return Err(FlowsCsvError::NotAnId { line, found });
        }
        match self.ids.add(id) {
            Added::New => Ok(()),
            Added::Repeated(flow) => Err(FlowsCsvError::RepeatedId {
                line,
                found: shown(id),
                first: line_of(flow),
            }),
            Added::Full => Err(too_many(line, "bytes of ids")),
        }
    }

    fn host(
        &mut self,
        name: &str,
        line: u64,
        column: &'static str,
    ) -> Result<HostId, FlowsCsvError> {
        if let Some(known) = self.names.find(name) {
            return Ok(self.hosts[known as usize]);
        }
        let unknown = || FlowsCsvError::UnknownHost {
            line,
            column,
            found: shown(name),
        };
        let host = (self.host)(name).ok_or_else(unknown)?;
        self.names.add(name).ok_or_else(unknown)?;
        self.hosts.push(host);
        Ok(host)
    }

    fn waits(&mut self, cell: &str, line: u64) -> Result<(), FlowsCsvError> {
        if cell.is_empty() {
            return Ok(());
        }
        for id in cell.split(';').map(str::trim_ascii) {
            if let Some(flow) = self.ids.find(id) {
                self.after.push(flow.get());
                continue;
            }
            if id.is_empty() {
                let found = shown(id);
                return Err(FlowsCsvError::UnknownFlow { line, found });
            }
            let added = self.later.add(self.after.len(), id);
            added.ok_or_else(|| too_many(line, "ids in `after`"))?;
            self.after.push(u32::MAX);
        }
        Ok(())
    }

    fn finish(self) -> Result<FlowList, FlowsCsvError> {
        let mut after = self.after;
        for (at, id) in self.later.iter() {
            let Some(flow) = self.ids.find(id) else {
                let row = self.first.partition_point(|&first| first <= at);
                return Err(FlowsCsvError::UnknownFlow {
                    line: row as u64 + 1,
                    found: shown(id),
                });
            };
            after[at as usize] = flow.get();
        }
        let ids = self.ids;
        let flows = Flows::from_lists(self.flows, self.first, after)
            .map_err(|error| refused(&error, &ids))?;
        Ok(FlowList { flows, ids })
    }
}

fn too_many(line: u64, what: &'static str) -> FlowsCsvError {
    let limit = u64::from(u32::MAX);
    FlowsCsvError::TooMany { line, limit, what }
}

/// The line of a flow: every line is a flow but the first.
fn line_of(flow: FlowId) -> u64 {
    u64::from(flow.get()) + 2
}

fn refused(error: &FlowsError, ids: &FlowIds) -> FlowsCsvError {
    let id = |flow: usize| FlowId::new(u32::try_from(flow).unwrap_or(u32::MAX));
    match *error {
        FlowsError::Cycle { flow, length } => FlowsCsvError::Cycle {
            line: line_of(id(flow)),
            id: shown(&ids.get(id(flow))),
            length,
        },
        FlowsError::UnknownFlow { flow, after, .. } => FlowsCsvError::UnknownFlow {
            line: line_of(id(flow)),
            found: after.to_string(),
        },
        _ => too_many(ids.len() as u64 + 1, "flows"),
    }
}

fn bytes(cell: &str, line: u64) -> Result<Bytes, FlowsCsvError> {
    let not = || FlowsCsvError::NotBytes {
        line,
        found: shown(cell),
    };
    let digits = cell.bytes().all(|byte| byte.is_ascii_digit());
    let number = digits.then(|| cell.parse().ok()).flatten();
    number.map(Bytes::new).ok_or_else(not)
}

fn start(cell: &str, line: u64) -> Result<SimTime, FlowsCsvError> {
    let not = || FlowsCsvError::NotSeconds {
        line,
        found: shown(cell),
    };
    if cell.is_empty() {
        return Ok(SimTime::ZERO);
    }
    seconds::parse(cell).ok_or_else(not)
}
