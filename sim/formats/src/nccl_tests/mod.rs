//! What nccl-tests (and rccl-tests) print: tables of a collective by size.
//!
//! ```text
//! # Collective test starting: all_reduce_perf
//! # nThread 1 nGpus 8 minBytes 8 maxBytes 134217728 step: 2(factor) ...
//! # Using devices
//! #  Rank  0 Group  0 Pid   1 on   host device  0 [0000:0f:00] NVIDIA H100 80GB HBM3
//! #                                       out-of-place                in-place
//! #  size   count   type   redop  root   time  algbw  busbw #wrong  time  algbw  busbw #wrong
//! #   (B)  (elements)                    (us)  (GB/s) (GB/s)        (us)  (GB/s) (GB/s)
//!      8       2    float    sum    -1   32.9   0.00   0.00      0  32.7   0.00   0.00      0
//! ```
//!
//! Columns are read by their names, so that releases which leave `root` out or call `#wrong` error
//! are understood, too. A log may hold several tables, and lines of other programs between theirs;
//! each line may stand behind the same label, as `mpirun --tag-output` and log collectors put it.

mod line;

use crate::import_error::{ImportError, shown};
use line::{Columns, Device, label, words_of};

const MAX_ROWS: usize = 1 << 20;
const MAX_RANKS: usize = 1 << 20;

/// What one run printed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// The line of its header.
    pub line: u64,
    /// The collective as nccl-tests calls it, such as `all_reduce`: from the log, else as far as the
    /// figures tell.
    pub collective: Option<String>,
    /// Whether the log names the collective.
    pub is_named: bool,
    /// The words behind `hardware:` in a comment of the file, which somebody added.
    pub hardware: Option<String>,
    /// How many ranks took part.
    pub ranks: Option<u32>,
    /// On how many hosts.
    pub nodes: Option<u32>,
    /// The GPU of rank 0, as its driver calls it.
    pub gpu: Option<String>,
    /// The sizes.
    pub rows: Vec<Row>,
    /// The line of the first row that has too few cells.
    pub cut: Option<u64>,
    /// Whether the run came to the mean bandwidth that it prints at the end.
    pub is_whole: bool,
}

/// A size.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Row {
    /// Where it stands.
    pub line: u64,
    /// The size as nccl-tests counts it.
    pub bytes: u64,
    /// Elements as nccl-tests counts them.
    pub count: Option<u64>,
    /// The type of the elements.
    pub dtype: String,
    /// The reduction; none where there is nothing to reduce.
    pub redop: Option<String>,
    /// The root; none where there is none.
    pub root: Option<u32>,
    /// From one buffer to another.
    pub out_of_place: Option<Timing>,
    /// Within one buffer.
    pub in_place: Option<Timing>,
}

/// How long a size took.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Timing {
    /// Of one call, in microseconds.
    pub micros: f64,
    /// Bytes over time, in 10⁹ bytes per second, as printed.
    pub algbw: f64,
    /// The same times the factor of the collective.
    pub busbw: f64,
    /// Wrong results, where they were counted; earlier releases print the largest error.
    pub wrong: Option<f64>,
}

/// What a file holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Log {
    /// Its tables, in order.
    pub tables: Vec<Table>,
    /// Lines that belong to no table: those of other programs, and rows that were cut.
    pub ignored: u64,
}

/// Whether a text is such a log and not a table in CSV: a line of it is the header of a table.
pub fn is_log(text: &str) -> bool {
    text.lines().any(|line| Columns::of_header(line).is_some())
}

/// Reads a log.
///
/// # Errors
///
/// A text without tables, and the first cell of a row that is not what its column holds.
///
/// ```
/// let header = "# size count type redop root time algbw busbw #wrong time algbw busbw #wrong";
/// let row = "8 2 float sum -1 10.5 0.00 0.00 0 N/A N/A N/A N/A";
/// let log = format!("{header}\n{row}\n");
/// let log = formats::nccl_tests::read(&log).unwrap();
/// assert_eq!(log.tables[0].rows[0].out_of_place.unwrap().micros, 10.5);
/// ```
pub fn read(text: &str) -> Result<Log, ImportError> {
    let mut reader = Reader::default();
    for (number, line) in (1..).zip(text.lines()) {
        reader.line(number, line)?;
    }
    reader.finish()
}

#[derive(Default)]
struct Reader {
    tables: Vec<Table>,
    ignored: u64,
    rows: usize,
    /// What was told since the last table.
    next: Told,
    columns: Option<Columns>,
    /// What stands before every line of the table.
    label: String,
}

/// What stands before a table.
#[derive(Default)]
struct Told {
    collective: Option<String>,
    hardware: Option<String>,
    hosts: Vec<String>,
    gpu: Option<String>,
    ranks: usize,
    in_one_process: Option<u32>,
}

impl Reader {
    fn line(&mut self, number: u64, line: &str) -> Result<(), ImportError> {
        if line.contains('#') {
            let comment = &line[line.find('#').unwrap_or(0)..];
            if let Some(columns) = Columns::of_header(line) {
                self.header(number, line, columns);
                return Ok(());
            }
            if self.comment(number, comment)? {
                return Ok(());
            }
        }
        if let Some(name) = words_of(line).find_map(collective_of) {
            self.next.collective = Some(name.to_owned());
        }
        self.row(number, line)
    }

    fn header(&mut self, number: u64, line: &str, columns: Columns) {
        let told = std::mem::take(&mut self.next);
        let last = self.tables.last();
        // A second table of the same run says nothing anew.
        let (ranks, nodes, gpu) = if told.ranks == 0 && told.in_one_process.is_none() {
            last.map_or((None, None, None), |last| {
                (last.ranks, last.nodes, last.gpu.clone())
            })
        } else {
            let ranks = u32::try_from(told.ranks).ok().filter(|ranks| *ranks != 0);
            let mut hosts = told.hosts;
            hosts.sort_unstable();
            hosts.dedup();
            let nodes = u32::try_from(hosts.len()).ok().filter(|nodes| *nodes != 0);
            (ranks.or(told.in_one_process), nodes, told.gpu)
        };
        let hardware = told
            .hardware
            .or_else(|| last.and_then(|last| last.hardware.clone()));
        label(line).clone_into(&mut self.label);
        self.columns = Some(columns);
        self.tables.push(Table {
            line: number,
            is_named: told.collective.is_some(),
            collective: told.collective,
            hardware,
            ranks,
            nodes,
            gpu,
            rows: Vec::new(),
            cut: None,
            is_whole: false,
        });
    }

    /// Takes what a comment tells; whether it was one of nccl-tests'.
    fn comment(&mut self, number: u64, comment: &str) -> Result<bool, ImportError> {
        let said = comment.trim_start_matches('#').trim();
        if let Some(device) = Device::of(said) {
            self.columns = None;
            self.next.ranks += 1;
            if MAX_RANKS < self.next.ranks {
                return Err(ImportError::Many {
                    line: number,
                    what: "ranks",
                    limit: MAX_RANKS,
                });
            }
            if self
                .next
                .hosts
                .last()
                .is_none_or(|last| *last != device.host)
            {
                self.next.hosts.push(device.host.to_owned());
            }
            self.next.gpu.get_or_insert_with(|| device.gpu.to_owned());
        } else if said.starts_with("Avg bus") {
            if let Some(table) = self.tables.last_mut() {
                table.is_whole = true;
            }
        } else if let Some(hardware) = said.strip_prefix("hardware:") {
            self.next.hardware = Some(hardware.trim().to_owned());
        } else if said.starts_with("nThread") {
            self.columns = None;
            self.next.in_one_process = in_one_process(said);
        } else if let Some(name) = words_of(said).find_map(collective_of) {
            if !said.starts_with("Collective test concluded") {
                self.next.collective = Some(name.to_owned());
            } else if let Some(table) = self.tables.last_mut() {
                // Releases that do not name it before the table do so behind it.
                table.is_named |= table.collective.is_none();
                table.collective.get_or_insert_with(|| name.to_owned());
            }
        } else {
            return Ok(comment.trim_start_matches('#').trim().is_empty()
                || ["Using devices", "out-of-place", "(B)", "Out of bounds"]
                    .iter()
                    .any(|known| said.starts_with(known))
                || said.contains("nccl-tests version")
                || said.contains("in-place"));
        }
        Ok(true)
    }

    fn row(&mut self, number: u64, line: &str) -> Result<(), ImportError> {
        let said = line.strip_prefix(self.label.as_str()).unwrap_or(line);
        let cells: Vec<&str> = said.split_whitespace().take(64).collect();
        let is_row = cells
            .first()
            .is_some_and(|cell| cell.bytes().all(|b| b.is_ascii_digit()));
        let (Some(columns), true) = (&self.columns, is_row) else {
            self.ignored += u64::from(!line.trim().is_empty());
            return Ok(());
        };
        if cells.len() != columns.len() {
            self.ignored += 1;
            let is_digits = |cell: &&str| cell.bytes().all(|b| b.is_ascii_digit());
            let is_cut = cells.len() < columns.len() && cells.get(1).is_none_or(is_digits);
            if let Some(table) = self.tables.last_mut().filter(|_| is_cut) {
                table.cut.get_or_insert(number);
            }
            return Ok(());
        }
        let row = columns.row(number, &cells)?;
        self.rows += 1;
        if MAX_ROWS < self.rows {
            return Err(ImportError::Many {
                line: number,
                what: "rows",
                limit: MAX_ROWS,
            });
        }
        if let Some(table) = self.tables.last_mut() {
            table.rows.push(row);
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Log, ImportError> {
        if self.tables.is_empty() {
            let what = "header of a table: # size count type ... time algbw busbw";
            return Err(ImportError::Without { what });
        }
        for table in &mut self.tables {
            if table.collective.is_none() {
                table.collective = inferred(table).map(str::to_owned);
            }
        }
        Ok(Log {
            tables: self.tables,
            ignored: self.ignored,
        })
    }
}

/// `all_reduce` of `./build/all_reduce_perf` or `all_reduce_perf_mpi`.
fn collective_of(word: &str) -> Option<&str> {
    const KNOWN: [&str; 10] = [
        "all_reduce",
        "all_gather",
        "reduce_scatter",
        "alltoall",
        "broadcast",
        "reduce",
        "gather",
        "scatter",
        "sendrecv",
        "hypercube",
    ];
    let program = word.rsplit('/').next().unwrap_or(word);
    let name = program
        .split("_perf")
        .next()
        .filter(|name| *name != program)?;
    KNOWN.into_iter().find(|known| *known == name)
}

/// Threads times GPUs: the ranks, where there is one process.
fn in_one_process(said: &str) -> Option<u32> {
    let mut words = said.split_whitespace();
    let mut after = |name: &str| -> Option<u32> {
        words.by_ref().find(|word| *word == name)?;
        words.next()?.parse().ok()
    };
    let threads = after("nThread")?;
    threads.checked_mul(after("nGpus")?)
}

/// The collective that has such columns and such a factor between the two rates.
///
/// Factors: nccl-tests, doc/PERFORMANCE.md.
fn inferred(table: &Table) -> Option<&'static str> {
    let ranks = f64::from(table.ranks.filter(|ranks| 2 < *ranks)?);
    let largest = table.rows.iter().max_by_key(|row| row.bytes)?;
    let timing = largest.out_of_place.or(largest.in_place)?;
    let factor = timing.busbw / timing.algbw;
    let is = |expected: f64| (factor / expected - 1.0).abs() < 0.02;
    let part = (ranks - 1.0) / ranks;
    match (largest.redop.is_some(), largest.root.is_some()) {
        (true, true) if is(1.0) => Some("reduce"),
        (false, true) if is(1.0) => Some("broadcast"),
        (true, false) if is(2.0 * part) => Some("all_reduce"),
        (true, false) if is(part) => Some("reduce_scatter"),
        // All-gather and all-to-all have the same columns and the same factor.
        _ => None,
    }
}

/// A value of a cell that is no such number.
fn not(line: u64, column: &str, cell: &str, expected: &'static str) -> ImportError {
    ImportError::Not {
        line,
        field: column.to_owned(),
        found: shown(cell),
        expected,
    }
}
