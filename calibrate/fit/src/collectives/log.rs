//! What nccl-tests printed, as rows of a table.

use std::io::Read;
use std::path::Path;

use formats::nccl_tests::{self, Log, Table, Timing};

use super::tables::{Measured, stalls, unreadable};
use super::{CollectivesError, LogFault};

/// The largest log that is read.
const MAX_LOG: u64 = 64 << 20;

/// What drivers call a GPU, and the words for the hardware that stand for a cluster of the zoo.
const GPUS: [(&str, &str); 8] = [
    ("GB200", "GB200 NVL72"),
    ("B200", "B200 NVLink5"),
    ("H200", "H200"),
    ("H100", "H100-80GB"),
    ("A100", "A100 8-GPU node"),
    ("V100", "vTrain V100"),
    ("MI300X", "MI300X"),
    ("L40S", "aiconfigurator l40s"),
];

/// Whether a file is such a log and not a table in CSV.
pub fn is_log(path: &Path) -> bool {
    text(path).is_ok_and(|text| nccl_tests::is_log(&text))
}

/// Every row with a time. A table is named by the file and its place in it.
///
/// The hardware is that of a comment `# hardware: WORDS` above the table, else the GPU's.
pub(crate) fn read(path: &Path) -> Result<Vec<Measured>, CollectivesError> {
    let text = text(path).map_err(|error| unreadable(path, &error.to_string()))?;
    let log = nccl_tests::read(&text).map_err(|error| CollectivesError::Log {
        path: path.to_owned(),
        error,
    })?;
    let mut rows = measured(path, &log)?;
    for at in stalls(&rows) {
        rows[at].weight = 0.0;
    }
    Ok(rows)
}

/// The rows of a log that is whole and right, each table of which `check` has nothing against.
pub(crate) fn read_whole(
    path: &Path,
    check: &mut dyn FnMut(&Table) -> Option<LogFault>,
) -> Result<Vec<Measured>, CollectivesError> {
    let text = text(path).map_err(|error| unreadable(path, &error.to_string()))?;
    let log = nccl_tests::read(&text).map_err(|error| CollectivesError::Log {
        path: path.to_owned(),
        error,
    })?;
    let mut rows = measured(path, &log)?;
    for table in &log.tables {
        let found = fault(table).or_else(|| Some((table.line, check(table)?)));
        if let Some((line, fault)) = found {
            let path = path.to_owned();
            return Err(CollectivesError::Spoiled { path, line, fault });
        }
    }
    for at in stalls(&rows) {
        rows[at].weight = 0.0;
    }
    Ok(rows)
}

/// The first thing in a table that spoils it, with its line.
fn fault(table: &Table) -> Option<(u64, LogFault)> {
    if let Some(line) = table.cut {
        return Some((line, LogFault::Cut));
    }
    if table.rows.is_empty() {
        return Some((table.line, LogFault::Empty));
    }
    for row in &table.rows {
        for timing in [row.out_of_place, row.in_place].into_iter().flatten() {
            // Earlier releases print the largest error in this place, which is less than 1.
            if let Some(count) = timing.wrong.filter(|wrong| 1.0 <= *wrong) {
                return Some((row.line, LogFault::Wrong { count }));
            }
            if let Some(fault) = units(row.bytes, timing) {
                return Some((row.line, fault));
            }
        }
    }
    (!table.is_whole).then_some((table.line, LogFault::Unfinished))
}

/// A time and a rate that are not of one size: one of them is in another unit than it should be.
fn units(bytes: u64, timing: Timing) -> Option<LogFault> {
    let (micros, found) = (timing.micros, timing.algbw);
    if bytes == 0 || micros <= 0.0 {
        return None;
    }
    let expected = bytes as f64 / micros / 1e3;
    // Rates have two digits behind the point, times four digits in all.
    let is_same = (found - expected).abs() <= 0.006 + 0.02 * expected;
    (!is_same).then_some(LogFault::Units {
        bytes,
        micros,
        expected,
        found,
    })
}

fn text(path: &Path) -> std::io::Result<String> {
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path)?;
    file.take(MAX_LOG).read_to_end(&mut bytes)?;
    // Other programs may have written anything between the lines.
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn measured(path: &Path, log: &Log) -> Result<Vec<Measured>, CollectivesError> {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let mut rows = Vec::new();
    for (at, table) in log.tables.iter().enumerate() {
        let name = match log.tables.len() {
            1 => stem.to_string(),
            _ => format!("{stem}_{}", at + 1),
        };
        let told = |what: &'static str| CollectivesError::Untold {
            path: path.to_owned(),
            table: format!("table in line {}", table.line),
            what,
        };
        let kind = table.collective.as_ref();
        let kind = kind.ok_or_else(|| told("the log does not name the collective"))?;
        let ranks = table
            .ranks
            .ok_or_else(|| told("the log does not name its ranks"))?;
        for row in &table.rows {
            let Some(timing) = row.out_of_place.or(row.in_place) else {
                continue;
            };
            if row.bytes == 0 || timing.micros <= 0.0 {
                continue;
            }
            rows.push(Measured {
                table: name.clone(),
                source: path.display().to_string(),
                hardware: hardware(table),
                nodes: table.nodes.unwrap_or(1),
                ranks,
                kind: kind.clone(),
                bytes: row.bytes as f64,
                micros: timing.micros,
                dtype: row.dtype.clone(),
                network: String::new(),
                algorithm: String::new(),
                weight: 1.0,
            });
        }
    }
    Ok(rows)
}

fn hardware(table: &Table) -> String {
    if let Some(told) = &table.hardware {
        return told.clone();
    }
    let gpu = table.gpu.as_deref().unwrap_or("not named");
    let known = GPUS.iter().find(|(part, _)| gpu.contains(part));
    known.map_or_else(|| gpu.to_owned(), |(_, words)| (*words).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = "\
mpirun -np 16 ./build/all_gather_perf -b 1M -e 1G -f 2\n\
# nThread 1 nGpus 1 minBytes 1048576 maxBytes 1073741824 step: 2(factor)\n\
#  Rank  0 Group  0 Pid  1 on  node-a device  0 [0000:0f:00] NVIDIA H100 80GB HBM3\n\
#  Rank  1 Group  0 Pid  1 on  node-b device  0 [0000:0f:00] NVIDIA H100 80GB HBM3\n\
#  size  count  type  redop  root  time  algbw  busbw  #wrong  time  algbw  busbw  #wrong\n\
 1048576 131072 float none -1 100.0 10.49 5.24 0 90.0 11.65 5.83 0\n\
 2097152 262144 float none -1 20.0 104.86 52.43 0 N/A N/A N/A N/A\n";

    #[test]
    fn a_log_becomes_rows_with_ranks_and_nodes_of_its_header() {
        let log = nccl_tests::read(LOG).unwrap();
        let mut rows = measured(Path::new("x/run7.log"), &log).unwrap();
        assert_eq!(rows.len(), 2);
        let row = &rows[0];
        assert_eq!((row.ranks, row.nodes, &*row.kind), (2, 2, "all_gather"));
        assert_eq!((&*row.table, &*row.hardware), ("run7", "H100-80GB"));
        // The first size took five times as long as the next: a stall.
        assert_eq!(stalls(&rows), [0]);
        rows.clear();
        let told = LOG.replacen("# nThread", "# hardware: p5.48xlarge\n# nThread", 1);
        let log = nccl_tests::read(&told).unwrap();
        let rows = measured(Path::new("run7.log"), &log).unwrap();
        assert_eq!(rows[0].hardware, "p5.48xlarge");
    }

    #[test]
    fn a_table_may_be_named_behind_its_rows_only() {
        let unnamed = LOG.replace("all_gather_perf", "run");
        let told = format!("{unnamed}# Collective test concluded: all_gather_perf\n");
        let rows = measured(Path::new("run7.log"), &nccl_tests::read(&told).unwrap()).unwrap();
        assert_eq!(&*rows[0].kind, "all_gather");
    }

    #[test]
    fn a_table_without_the_name_of_its_collective_is_refused() {
        let log = nccl_tests::read(&LOG.replace("all_gather_perf", "run")).unwrap();
        let error = measured(Path::new("run7.log"), &log).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the log does not name the collective; table in line 5: run7.log"
        );
    }
}
