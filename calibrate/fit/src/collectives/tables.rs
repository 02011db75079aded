//! Files of measured collectives, as their authors laid them out.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{CollectivesError, log};

/// One measured size of one table.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Measured {
    /// The table: what was printed together.
    pub(crate) table: String,
    /// Where it was measured: a repository, or a folder of one.
    pub(crate) source: String,
    /// The words of the source for the hardware.
    pub(crate) hardware: String,
    pub(crate) nodes: u32,
    pub(crate) ranks: u32,
    /// As nccl-tests names it.
    pub(crate) kind: String,
    pub(crate) bytes: f64,
    pub(crate) micros: f64,
    pub(crate) dtype: String,
    pub(crate) network: String,
    pub(crate) algorithm: String,
    /// What the row counts: less where a campaign repeats a size.
    pub(crate) weight: f64,
}

/// A row of a file with nccl-tests' results.
#[derive(Deserialize)]
struct Printed {
    source: String,
    table_id: String,
    hardware: String,
    nodes: u32,
    gpus: u32,
    collective: String,
    bytes: f64,
    time_us: f64,
    dtype: String,
    algorithm: String,
    network: String,
    self_consistent: u8,
}

/// The columns that a table of nccl-tests' results needs.
pub const COLUMNS: [&str; 12] = [
    "source",
    "table_id",
    "hardware",
    "nodes",
    "gpus",
    "collective",
    "bytes",
    "time_us",
    "dtype",
    "algorithm",
    "network",
    "self_consistent",
];

/// A row of vTrain's look-up tables.
#[derive(Deserialize)]
struct LookedUp {
    source: String,
    gpu: String,
    gpus: u32,
    bytes: f64,
    out_of_place_ns: f64,
}

/// A row of AIConfigurator's tables.
#[derive(Deserialize)]
struct Configured {
    framework: String,
    version: String,
    op_name: String,
    nccl_dtype: String,
    num_gpus: u32,
    message_size: u64,
    latency: f64,
}

/// AIConfigurator's folders.
const FOLDERS: [&str; 8] = [
    "a100_sxm", "h100_sxm", "h200_sxm", "b200_sxm", "b300_sxm", "gb200", "gb300", "l40s",
];

/// Every file of the folder.
pub(crate) fn read(folder: &Path) -> Result<Vec<Measured>, CollectivesError> {
    let mut rows = printed(&folder.join("nccl-tests.csv"))?;
    rows.extend(looked_up(&folder.join("vtrain.csv"))?);
    for gpu in FOLDERS {
        let path = folder.join("aiconfigurator").join(format!("{gpu}.csv.gz"));
        rows.extend(configured(&path, gpu)?);
    }
    Ok(rows)
}

/// A file with nccl-tests' results, in CSV or as they were printed. Rows that contradict themselves are left out.
pub(crate) fn printed(path: &Path) -> Result<Vec<Measured>, CollectivesError> {
    if log::is_log(path) {
        return log::read(path);
    }
    let rows: Vec<Printed> = parse(path, open(path)?)?;
    let consistent = rows.into_iter().filter(|row| row.self_consistent == 1);
    let mut rows: Vec<Measured> = consistent
        .map(|row| Measured {
            source: repository(&row.source),
            table: row.table_id,
            hardware: row.hardware,
            nodes: row.nodes,
            ranks: row.gpus,
            kind: row.collective,
            bytes: row.bytes,
            micros: row.time_us,
            dtype: row.dtype,
            network: row.network,
            algorithm: row.algorithm,
            weight: 1.0,
        })
        .collect();
    for at in stalls(&rows) {
        rows[at].weight = 0.0;
    }
    Ok(rows)
}

/// Rows that took more than twice as long as a larger size of the same table: the first calls of a
/// run that was not warmed up, or a stall. They say nothing of the collective and do not count.
pub(crate) fn stalls(rows: &[Measured]) -> Vec<usize> {
    let same = |one: &Measured, other: &Measured| {
        (&one.table, &one.kind, one.ranks, &one.algorithm)
            == (&other.table, &other.kind, other.ranks, &other.algorithm)
    };
    let is_stall = |row: &Measured| {
        let larger = |other: &&Measured| row.bytes < other.bytes && same(row, other);
        let mut larger = rows.iter().filter(larger);
        larger.any(|other| 2.0 * other.micros < row.micros)
    };
    let stalled = rows.iter().enumerate().filter(|(_, row)| is_stall(row));
    stalled.map(|(at, _)| at).collect()
}

/// `owner/repo` of `github:owner/repo:path@commit`.
fn repository(source: &str) -> String {
    source.split(':').nth(1).unwrap_or(source).to_owned()
}

fn looked_up(path: &Path) -> Result<Vec<Measured>, CollectivesError> {
    let rows: Vec<LookedUp> = parse(path, open(path)?)?;
    Ok(rows
        .into_iter()
        .map(|row| Measured {
            table: format!("vtrain_{}_{}", row.gpu.to_lowercase(), row.gpus),
            source: format!("{} {}", repository(&row.source), row.gpu),
            hardware: format!("vTrain {}", row.gpu),
            nodes: 1,
            ranks: row.gpus,
            kind: "all_reduce".to_owned(),
            bytes: row.bytes,
            micros: row.out_of_place_ns / 1e3,
            dtype: "float".to_owned(),
            network: String::new(),
            algorithm: String::new(),
            weight: 1.0,
        })
        .collect())
}

/// One GPU's table. Repeats of a size by the same program are one row, their median; those of
/// several versions and types share the weight of one.
fn configured(path: &Path, gpu: &str) -> Result<Vec<Measured>, CollectivesError> {
    let rows: Vec<Configured> = parse(path, GzDecoder::new(open(path)?))?;
    let mut repeats: BTreeMap<(String, u32, u64, String, String), Vec<f64>> = BTreeMap::new();
    for row in rows {
        let element = if row.nccl_dtype == "half" { 2 } else { 1 };
        let bytes = row.message_size * element;
        let program = format!("{} {}", row.framework, row.version);
        let key = (row.op_name, row.num_gpus, bytes, row.nccl_dtype, program);
        repeats.entry(key).or_default().push(row.latency * 1e3);
    }
    let mut shares: BTreeMap<(String, u32, u64), f64> = BTreeMap::new();
    for (kind, ranks, bytes, ..) in repeats.keys() {
        *shares.entry((kind.clone(), *ranks, *bytes)).or_default() += 1.0;
    }
    let row = |((kind, ranks, bytes, dtype, _), times): (_, Vec<f64>)| Measured {
        table: format!("aiconfigurator_{gpu}"),
        source: format!("ai-dynamo/aiconfigurator {gpu}"),
        hardware: format!("aiconfigurator {gpu}"),
        nodes: 1,
        ranks,
        weight: 1.0 / shares[&(String::clone(&kind), ranks, bytes)],
        kind,
        bytes: bytes as f64,
        micros: median(times),
        dtype,
        network: String::new(),
        algorithm: String::new(),
    };
    Ok(repeats.into_iter().map(row).collect())
}

/// The middle of some values; the mean of the two in the middle of an even number.
pub(crate) fn median(values: Vec<f64>) -> f64 {
    quantile(values, 0.5)
}

/// The value below which that share of the values lies, linear between two; 0 without any.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a place in a list"
)]
pub(crate) fn quantile(mut values: Vec<f64>, share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let Some(last) = values.len().checked_sub(1) else {
        return 0.0;
    };
    let place = share * last as f64;
    let low = place as usize;
    let high = (low + 1).min(last);
    values[low] + (values[high] - values[low]) * (place - low as f64)
}

fn open(path: &Path) -> Result<File, CollectivesError> {
    File::open(path).map_err(|error| unreadable(path, &error.to_string()))
}

fn parse<T: DeserializeOwned>(path: &Path, file: impl Read) -> Result<Vec<T>, CollectivesError> {
    let mut reader = csv::Reader::from_reader(file);
    let rows: Result<Vec<T>, csv::Error> = reader.deserialize().collect();
    rows.map_err(|error| unreadable(path, &error.to_string()))
}

pub(crate) fn unreadable(path: &Path, reason: &str) -> CollectivesError {
    CollectivesError::Unreadable {
        path: PathBuf::from(path),
        reason: reason.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_linear_between_values() {
        assert!((quantile(vec![3.0, 1.0, 2.0], 0.5) - 2.0).abs() < 1e-12);
        assert!((quantile(vec![1.0, 2.0], 0.25) - 1.25).abs() < 1e-12);
        assert!(quantile(Vec::new(), 0.5).abs() < 1e-12);
    }
}
