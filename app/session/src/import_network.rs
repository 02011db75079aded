//! What other tools say about clusters and network workloads, as files of our own.
//!
//! A cluster file is read back by our own reader before it is handed over, and so is a list of
//! flows. `SimGrid`'s platforms are read where they are used: the scenario of one names its file.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use cluster::Topology as _;
use format::{Assignment, Disk, Failure, Files, Layers, Problem, Source, read_limited};
use formats::cluster_file::{self, Choices, Imported};
use formats::{
    ImportError, astra_sim, chakra, flows_csv, ibnetdiscover, nccl, nvidia_smi, simgrid,
    slurm_topology,
};
use units::HostId;

use crate::open::STANDARD_INPUT;

/// The largest text that is read: that of a fabric with some 100,000 cables.
const TEXT_LIMIT: u64 = 64 << 20;
/// The largest platform that is read.
const PLATFORM_LIMIT: u64 = 1 << 30;
/// Ranks of a trace.
const MAX_RANKS: u32 = 1 << 17;

/// Who wrote the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tool {
    /// `nvidia-smi topo -m`.
    NvidiaSmi,
    /// NCCL: a topology or the channels on it, in XML.
    Nccl,
    /// `ibnetdiscover`.
    Ibnetdiscover,
    /// Slurm's `topology.conf` or `topology.yaml`.
    SlurmTopology,
    /// ASTRA-sim's analytical network.
    AstraSim,
}

/// Reads what a tool says about hardware as a cluster file.
///
/// * `path` — the file, or `-` for standard input.
/// * `choices` — what the file does not say.
///
/// # Errors
///
/// What in the file is wrong, and what of it cannot be a cluster.
pub fn import_cluster(
    path: &Path,
    from: Tool,
    choices: &Choices,
) -> Result<Imported, Vec<Failure>> {
    let source = if path == Path::new(STANDARD_INPUT) {
        read_limited(std::io::stdin().lock(), "<stdin>", TEXT_LIMIT)
    } else {
        Disk.read(path, TEXT_LIMIT)
    };
    let source = source.map_err(|problem| vec![Failure::of_file(problem)])?;
    let refused = |error: ImportError| refused(&source.name, &error);
    let imported = read(&source.text, from, choices).map_err(refused)?;
    // An unknown GPU or kind of node is told by the reader that looks it up.
    format::check::cluster(&imported.text)?;
    Ok(imported)
}

fn read(text: &str, from: Tool, choices: &Choices) -> Result<Imported, ImportError> {
    match from {
        Tool::NvidiaSmi => cluster_file::of_nvidia_smi(&nvidia_smi::read(text)?, choices),
        Tool::Nccl if text.contains("<graphs") => {
            cluster_file::of_nccl_graphs(&nccl::graphs::read(text)?, choices)
        }
        Tool::Nccl => cluster_file::of_nccl_topology(&nccl::topology::read(text)?, choices),
        Tool::Ibnetdiscover => cluster_file::of_ibnetdiscover(&ibnetdiscover::read(text)?, choices),
        Tool::SlurmTopology => {
            cluster_file::of_slurm_topology(&slurm_topology::read(text)?, choices)
        }
        Tool::AstraSim => cluster_file::of_astra_sim(&astra_sim::read(text)?, choices),
    }
}

/// Reads Chakra execution traces as a list of flows.
///
/// * `path` — the trace of rank 0, `NAME.0.et`, beside which those of all ranks lie, or their
///   folder.
/// * `gpus_per_node` — ranks become GPUs `n0g0`, `n0g1` and so on of nodes with so many; without
///   it rank `r` is node `nr`.
///
/// # Errors
///
/// Traces that are missing or broken, and what flows cannot say.
pub fn import_chakra(path: &Path, gpus_per_node: Option<u32>) -> Result<Imported, Vec<Failure>> {
    let files = traces(path).map_err(|problem| vec![Failure::of_file(problem)])?;
    let mut read = Vec::new();
    for file in &files {
        let name = file.display().to_string();
        let mut input = File::open(file)
            .map(BufReader::new)
            .map_err(|error| unreadable(file, &error))?;
        read.push(chakra::read(&name, &mut input).map_err(|error| refused(&name, &error))?);
    }
    let name = path.display().to_string();
    let workload = chakra::flows(&read).map_err(|error| refused(&name, &error))?;
    let mut ignored: Vec<String> = read.into_iter().flat_map(|trace| trace.ignored).collect();
    ignored.sort();
    ignored.dedup();
    let count = u32::try_from(workload.flows.len()).unwrap_or(u32::MAX);
    let ids = flows_csv::FlowIds::counted(count);
    let host = |host: HostId| match gpus_per_node {
        Some(gpus @ 1..) => format!("n{}g{}", host.get() / gpus, host.get() % gpus),
        _ => format!("n{host}"),
    };
    let mut text = Vec::new();
    let written = flows_csv::write(&mut text, &workload.flows, &ids, host);
    written.map_err(|error| unreadable(path, &error))?;
    Ok(Imported {
        text: String::from_utf8(text).unwrap_or_default(),
        notes: workload.notes,
        ignored,
    })
}

/// Reads a platform of `SimGrid`, and makes a scenario of a network workload on it.
///
/// * `path` — the platform; its name ends in `.xml`, by which a fabric is known as a platform.
/// * `folder` — where the scenario will lie, from which it names the platform; the present folder
///   where absent.
/// * `above` — fields of the scenario, such as its collective.
///
/// # Errors
///
/// What in the file is wrong, and fields that cannot be set.
pub fn import_simgrid(
    path: &Path,
    folder: Option<&Path>,
    above: &[Assignment],
) -> Result<Imported, Vec<Failure>> {
    let name = path.display().to_string();
    let is_xml = path
        .extension()
        .is_some_and(|ending| ending.eq_ignore_ascii_case("xml"));
    if !is_xml {
        let message = format!("{name}: a fabric is known as a platform of SimGrid by its ending");
        let hint = Some("give a file whose name ends in .xml".to_owned());
        return Err(vec![Failure::of_file(Problem::Refused { message, hint })]);
    }
    let source = Disk.read(path, PLATFORM_LIMIT);
    let source = source.map_err(|problem| vec![Failure::of_file(problem)])?;
    let read = simgrid::read(&source.text).map_err(|error| {
        let message = format!("{name}: {error}");
        let hint = error.hint();
        vec![Failure::of_file(Problem::Refused { message, hint })]
    })?;
    let platform = &read.platform;
    let fabric = named_from(path, folder);
    let text = format!("schema = 1\n\n[workload]\nfabric = {}\n", quoted(&fabric));
    let layers = Layers {
        user: None,
        scenario: Source::new("imported", text.as_str()),
        above: above.to_vec(),
    };
    let text = if above.is_empty() {
        text
    } else {
        format::write::write(&layers.join()?)
    };
    let mut notes = vec![format!(
        "the platform has {} hosts, {} links and {} zones",
        platform.n_hosts(),
        platform.n_links(),
        platform.n_zones()
    )];
    let is_set = |field: &str| above.iter().any(|one| one.text.trim().starts_with(field));
    if !is_set("workload.collective") && !is_set("workload.flows") {
        let note = "what runs on it is open: --set workload.collective=ring and --set \
                    'workload.bytes=\"64 MiB\"', or --set workload.flows=flows.csv";
        notes.push(note.to_owned());
    }
    Ok(Imported {
        text,
        notes,
        ignored: read.ignored.iter().map(ToString::to_string).collect(),
    })
}

/// How a scenario in a folder names a file: by its name where it lies in the same folder.
fn named_from(path: &Path, folder: Option<&Path>) -> String {
    let Some(folder) = folder else {
        return path.display().to_string();
    };
    let whole = |path: &Path| {
        let path = if path.as_os_str().is_empty() {
            Path::new(".")
        } else {
            path
        };
        path.canonicalize()
    };
    let beside = path.parent().map(whole).and_then(Result::ok);
    let is_beside = beside.is_some() && beside == whole(folder).ok();
    match path.file_name().filter(|_| is_beside) {
        Some(name) => name.to_string_lossy().into_owned(),
        None => whole(path)
            .unwrap_or_else(|_| path.to_owned())
            .display()
            .to_string(),
    }
}

/// A text as TOML writes it.
fn quoted(text: &str) -> String {
    format::write::write_value(&format::tree::Value::Text(text.to_owned()))
}

/// The traces of all ranks, in their order.
fn traces(path: &Path) -> Result<Vec<PathBuf>, Problem> {
    let first = if path.is_dir() {
        first_in(path)?
    } else {
        path.to_owned()
    };
    let name = first.file_name().and_then(|name| name.to_str());
    let prefix = name.and_then(|name| name.strip_suffix(".0.et"));
    let Some(prefix) = prefix else {
        return Ok(vec![first]);
    };
    let of = |rank: u32| first.with_file_name(format!("{prefix}.{rank}.et"));
    Ok(std::iter::once(first.clone())
        .chain((1..MAX_RANKS).map(of).take_while(|file| file.is_file()))
        .collect())
}

/// The trace of rank 0 in a folder.
fn first_in(folder: &Path) -> Result<PathBuf, Problem> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    let files = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let is_first = |file: &PathBuf| {
        let name = file.file_name().and_then(|name| name.to_str());
        name.is_some_and(|name| name.ends_with(".0.et"))
    };
    let mut first: Vec<PathBuf> = files.filter(is_first).collect();
    first.sort();
    match first.as_slice() {
        [one] => Ok(one.clone()),
        found => Err(Problem::Refused {
            message: format!(
                "{} has {} files NAME.0.et, and the traces of one workload have one",
                folder.display(),
                found.len()
            ),
            hint: Some("name the trace of rank 0".to_owned()),
        }),
    }
}

fn refused(name: &str, error: &ImportError) -> Vec<Failure> {
    vec![Failure::of_file(Problem::Refused {
        message: format!("{name}: {error}"),
        hint: error.hint(),
    })]
}

fn unreadable(path: &Path, error: &std::io::Error) -> Vec<Failure> {
    vec![Failure::of_file(Problem::Refused {
        message: format!("{} cannot be read: {error}", path.display()),
        hint: None,
    })]
}
