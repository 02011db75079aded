//! `nvidia-smi topo -m`: which way leads from every GPU and NIC of a server to every other.
//!
//! ```text
//!         GPU0    GPU1    NIC0    CPU Affinity    NUMA Affinity   GPU NUMA ID
//! GPU0     X      NV18    PXB     0-55            0               N/A
//! GPU1    NV18     X      SYS     56-111          1               N/A
//! NIC0    PXB     SYS      X
//! ```
//!
//! Cells stand behind tabs or blanks, as people paste them. Older drivers name NICs `mlx5_0` in
//! the table itself; newer ones number them and add a legend.

use std::collections::BTreeSet;

use crate::import_error::{ImportError, shown};

const MAX_DEVICES: usize = 1024;

/// What lies between two devices, as the tool names it, from near to far.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Path {
    /// `X`: the device itself.
    Same,
    /// `NV#`: that many bonded links of NVLink.
    NvLink(u32),
    /// `PIX`: at most one `PCIe` bridge.
    OneBridge,
    /// `PXB`: several bridges, but no host bridge.
    Bridges,
    /// `PHB`: a host bridge.
    HostBridge,
    /// `NODE`: host bridges of one NUMA node.
    NumaNode,
    /// `SYS`: from one NUMA node to another.
    System,
}

/// A GPU or a NIC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// The name in the table, such as `GPU0`, `NIC0` or `mlx5_0`.
    pub name: String,
    /// The name that the legend gives, such as `mlx5_0` for `NIC0`.
    pub legend: Option<String>,
    /// The processors near it, as the table has them.
    pub cpu_affinity: Option<String>,
    /// The NUMA nodes near it, as the table has them.
    pub numa_affinity: Option<String>,
}

impl Device {
    /// Whether it is a GPU.
    pub fn is_gpu(&self) -> bool {
        self.name.starts_with("GPU")
    }
}

/// The table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matrix {
    /// The devices, in the order of the columns.
    pub devices: Vec<Device>,
    /// What lies between: by row, then by column.
    pub paths: Vec<Vec<Path>>,
    /// What of the text says nothing that is kept.
    pub ignored: Vec<String>,
}

impl Matrix {
    /// The places of the GPUs.
    pub fn gpus(&self) -> Vec<usize> {
        self.places(true)
    }

    /// The places of the other devices.
    pub fn nics(&self) -> Vec<usize> {
        self.places(false)
    }

    fn places(&self, gpus: bool) -> Vec<usize> {
        let devices = self.devices.iter().enumerate();
        let wanted = devices.filter(|(_, device)| device.is_gpu() == gpus);
        wanted.map(|(at, _)| at).collect()
    }
}

/// Reads the table.
///
/// # Errors
///
/// The first line that does not fit.
///
/// ```
/// use formats::nvidia_smi::{Path, read};
///
/// let table = "\tGPU0\tGPU1\tCPU Affinity\nGPU0\t X \tNV4\t0-7\nGPU1\tNV4\t X \t0-7\n";
/// assert_eq!(read(table).unwrap().paths[0][1], Path::NvLink(4));
/// ```
pub fn read(text: &str) -> Result<Matrix, ImportError> {
    let text = without_colors(text);
    let lines: Vec<(u64, &str)> = (1..).zip(text.lines()).collect();
    let is_header = |line: &str| line.split_whitespace().next() == Some("GPU0");
    // A row has its name first, a header two columns or the affinity behind one.
    let header = lines.iter().position(|(_, line)| {
        let mut words = line.split_whitespace().skip(1);
        is_header(line) && words.next().is_none_or(|word| word != "X")
    });
    let Some(header) = header else {
        let what = "header that begins with GPU0";
        return Err(ImportError::Without { what });
    };
    let (number, columns) = lines[header];
    let mut table = Table::new(number, columns)?;
    let mut rest = lines[header + 1..].iter();
    for (line, row) in rest.by_ref() {
        if row.trim().is_empty() {
            if table.rows.iter().any(Option::is_some) {
                break;
            }
            continue;
        }
        table.row(*line, row)?;
    }
    table.legend(rest.map(|(line, text)| (*line, *text)))?;
    if header != 0
        && lines[..header]
            .iter()
            .any(|(_, line)| !line.trim().is_empty())
    {
        table.ignored.insert("lines above the table".to_owned());
    }
    table.finish()
}

/// A text without the escape sequences that underline the header on a terminal.
fn without_colors(text: &str) -> String {
    let mut parts = text.split('\u{1b}');
    let mut plain = parts.next().unwrap_or("").to_owned();
    for part in parts {
        let end = part.find(|c: char| c.is_ascii_alphabetic());
        plain.push_str(end.map_or(part, |end| &part[end + 1..]));
    }
    plain
}

struct Table {
    header: u64,
    devices: Vec<Device>,
    rows: Vec<Option<Vec<Path>>>,
    has_numa: bool,
    ignored: BTreeSet<String>,
}

impl Table {
    fn new(line: u64, header: &str) -> Result<Self, ImportError> {
        const AFFINITY: [&str; 3] = ["CPU Affinity", "NUMA Affinity", "GPU NUMA ID"];
        let end = AFFINITY.iter().filter_map(|one| header.find(one)).min();
        let (names, affinity) = header.split_at(end.unwrap_or(header.len()));
        let mut devices: Vec<Device> = Vec::new();
        for name in names.split_whitespace() {
            if devices.len() == MAX_DEVICES {
                let (what, limit) = ("devices", MAX_DEVICES);
                return Err(ImportError::Many { line, what, limit });
            }
            if devices.iter().any(|device| device.name == name) {
                return Err(ImportError::Repeated {
                    line,
                    what: "the column",
                    name: shown(name),
                    first: line,
                });
            }
            devices.push(Device {
                name: name.to_owned(),
                legend: None,
                cpu_affinity: None,
                numa_affinity: None,
            });
        }
        let mut ignored = BTreeSet::new();
        if affinity.contains(AFFINITY[2]) {
            ignored.insert(AFFINITY[2].to_owned());
        }
        Ok(Self {
            header: line,
            rows: vec![None; devices.len()],
            devices,
            has_numa: affinity.contains(AFFINITY[1]),
            ignored,
        })
    }

    fn row(&mut self, line: u64, row: &str) -> Result<(), ImportError> {
        let mut words = row.split_whitespace();
        let name = words.next().unwrap_or("");
        let Some(at) = self.devices.iter().position(|one| one.name == name) else {
            return Err(ImportError::Unknown {
                line,
                what: "a column for the row",
                name: shown(name),
            });
        };
        if self.rows[at].is_some() {
            return Err(ImportError::Repeated {
                line,
                what: "the row",
                name: shown(name),
                first: self.header,
            });
        }
        let mut paths = Vec::with_capacity(self.devices.len());
        for device in &self.devices {
            let cell = words.next().ok_or_else(|| ImportError::Missing {
                line,
                element: format!("the row of {}", shown(name)),
                field: device.name.clone(),
            })?;
            paths.push(path(line, &device.name, cell)?);
        }
        let selves = paths.iter().filter(|one| **one == Path::Same).count();
        if paths[at] != Path::Same || selves != 1 {
            let what = format!("the row of {} has its X in another column", shown(name));
            return Err(ImportError::Contradiction { line, what });
        }
        self.rows[at] = Some(paths);
        let device = &mut self.devices[at];
        let value = |word: &str| (word != "N/A").then(|| word.to_owned());
        device.cpu_affinity = words.next().and_then(value);
        device.numa_affinity = words.next().filter(|_| self.has_numa).and_then(value);
        Ok(())
    }

    /// Reads `NIC0: mlx5_0`; what the other words mean is known.
    fn legend<'t>(
        &mut self,
        lines: impl Iterator<Item = (u64, &'t str)>,
    ) -> Result<(), ImportError> {
        let mut in_legend = false;
        for (line, text) in lines {
            let text = text.trim();
            in_legend |= text == "NIC Legend:";
            let Some((name, device)) = text.split_once(':') else {
                continue;
            };
            if !in_legend || device.trim().is_empty() {
                continue;
            }
            let Some(known) = self.devices.iter_mut().find(|one| one.name == name) else {
                let (what, name) = ("the device", shown(name));
                return Err(ImportError::Unknown { line, what, name });
            };
            known.legend = Some(device.trim().to_owned());
        }
        Ok(())
    }

    fn finish(self) -> Result<Matrix, ImportError> {
        let line = self.header;
        let mut paths = Vec::with_capacity(self.rows.len());
        for (row, device) in self.rows.into_iter().zip(&self.devices) {
            paths.push(row.ok_or_else(|| ImportError::Missing {
                line,
                element: "the table".to_owned(),
                field: format!("row {}", shown(&device.name)),
            })?);
        }
        for (a, row) in paths.iter().enumerate() {
            for (b, there) in row.iter().enumerate().take(a) {
                let back = paths[b][a];
                let linked = |path: Path| matches!(path, Path::NvLink(_));
                if *there != back && (linked(*there) || linked(back)) {
                    let [a, b] = [a, b].map(|at| shown(&self.devices[at].name));
                    let what = format!("NVLink from {a} to {b} differs from that back");
                    return Err(ImportError::Contradiction { line, what });
                }
            }
        }
        Ok(Matrix {
            devices: self.devices,
            paths,
            ignored: self.ignored.into_iter().collect(),
        })
    }
}

fn path(line: u64, column: &str, cell: &str) -> Result<Path, ImportError> {
    let links = cell.strip_prefix("NV").and_then(|links| links.parse().ok());
    Ok(match (cell, links) {
        ("X", _) => Path::Same,
        ("PIX", _) => Path::OneBridge,
        ("PXB" | "PSB", _) => Path::Bridges,
        ("PHB", _) => Path::HostBridge,
        ("NODE", _) => Path::NumaNode,
        // Drivers before 384 wrote SOC.
        ("SYS" | "SOC", _) => Path::System,
        (_, Some(links @ 1..=1024)) => Path::NvLink(links),
        _ => {
            let expected = "X, NV#, PIX, PXB, PHB, NODE or SYS";
            return Err(ImportError::not(line, column, cell, expected));
        }
    })
}
