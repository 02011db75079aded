//! Measured rates as text.

use std::collections::BTreeMap;

use crate::{Bandwidth, PlacementError};

/// Bytes in a megabyte, as mpiGraph counts.
const MEGABYTE: f64 = 1e6;

/// One measured matrix.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    /// Where the table says it is from; empty where it says nothing.
    pub source: String,
    /// Which matrix of that source it is; empty where there is one only.
    pub key: String,
    /// Servers by name, in the order of rows and columns.
    pub hosts: Vec<String>,
    /// The rates.
    pub bandwidth: Bandwidth,
}

/// Reads all matrices of a text: a table with a header, or else one plain matrix.
///
/// A table has the columns `host_row` (sender), `host_col` (receiver) and `MBps` (10⁶ bytes per
/// second in that direction), and where it holds several matrices `source_path` and `matrix_key`.
///
/// # Errors
///
/// [`PlacementError::Text`] with the line, and what is wrong with a matrix as a whole.
pub fn parse_snapshots(text: &str) -> Result<Vec<Snapshot>, PlacementError> {
    let header = text.lines().next().unwrap_or_default();
    if header.split(',').any(|name| name.trim() == "MBps") {
        return tables(text);
    }
    let bandwidth = parse_matrix(text)?;
    Ok(vec![Snapshot {
        source: String::new(),
        key: String::new(),
        hosts: (0..bandwidth.n_servers())
            .map(|at| at.to_string())
            .collect(),
        bandwidth,
    }])
}

/// Reads a plain matrix: a line for each sender, its rates to all servers in MB/s (10⁶ bytes per
/// second), divided by spaces or commas. What follows `#` is no part of it.
///
/// # Errors
///
/// As [`parse_snapshots`].
pub fn parse_matrix(text: &str) -> Result<Bandwidth, PlacementError> {
    let (mut rates, mut rows) = (Vec::new(), 0);
    for (at, line) in text.lines().enumerate() {
        let line = line.split('#').next().unwrap_or_default();
        let cells = line
            .split([',', ' ', '\t', ';'])
            .filter(|cell| !cell.is_empty());
        let before = rates.len();
        for cell in cells {
            rates.push(rate(cell, at as u64 + 1)?);
        }
        rows += usize::from(before < rates.len());
    }
    Bandwidth::new(rows, rates)
}

fn tables(text: &str) -> Result<Vec<Snapshot>, PlacementError> {
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let header = reader.headers().map_err(|e| refused(&e))?.clone();
    let column = |name: &str| header.iter().position(|cell| cell == name);
    let needed = |name: &str| {
        let message = format!("there is no column {name}");
        column(name).ok_or(PlacementError::Text { line: 1, message })
    };
    let (from, to, mbps) = (needed("host_row")?, needed("host_col")?, needed("MBps")?);
    let (source, key) = (column("source_path"), column("matrix_key"));
    let mut tables: Vec<Table> = Vec::new();
    let mut known = BTreeMap::new();
    for record in reader.records() {
        let record = record.map_err(|e| refused(&e))?;
        let line = record.position().map_or(0, csv::Position::line);
        let cell = |at: usize| record.get(at).unwrap_or_default().to_owned();
        let name = (
            source.map_or(String::new(), cell),
            key.map_or(String::new(), cell),
        );
        let table = *known.entry(name.clone()).or_insert_with(|| {
            tables.push(Table::new(name));
            tables.len() - 1
        });
        tables[table].add([cell(from), cell(to)], rate(&cell(mbps), line)?);
    }
    tables.into_iter().map(Table::close).collect()
}

/// Rows of one matrix.
struct Table {
    name: (String, String),
    hosts: Vec<String>,
    index: BTreeMap<String, usize>,
    rates: BTreeMap<(usize, usize), f64>,
}

impl Table {
    fn new(name: (String, String)) -> Self {
        Self {
            name,
            hosts: Vec::new(),
            index: BTreeMap::new(),
            rates: BTreeMap::new(),
        }
    }

    fn add(&mut self, ends: [String; 2], rate: f64) {
        let [from, to] = ends.map(|host| {
            *self.index.entry(host.clone()).or_insert_with(|| {
                self.hosts.push(host);
                self.hosts.len() - 1
            })
        });
        self.rates.insert((from, to), rate);
    }

    /// A pair without a row has no rate, which the matrix refuses.
    fn close(self) -> Result<Snapshot, PlacementError> {
        let n = self.hosts.len();
        let pairs = (0..n).flat_map(|from| (0..n).map(move |to| (from, to)));
        let rate = |pair| self.rates.get(&pair).copied().unwrap_or(0.0);
        let bandwidth = Bandwidth::new(n, pairs.map(rate).collect())?;
        let (source, key) = self.name;
        Ok(Snapshot {
            source,
            key,
            hosts: self.hosts,
            bandwidth,
        })
    }
}

fn rate(cell: &str, line: u64) -> Result<f64, PlacementError> {
    let value = cell.parse::<f64>().map_err(|_| PlacementError::Text {
        line,
        message: format!("\"{cell}\" is no rate in MB/s"),
    })?;
    Ok(value * MEGABYTE)
}

fn refused(error: &csv::Error) -> PlacementError {
    PlacementError::Text {
        line: error.position().map_or(0, csv::Position::line),
        message: error.to_string(),
    }
}
