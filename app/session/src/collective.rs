//! The table that nccl-tests would print for a cluster.

mod sizes;

use std::path::Path;

use cluster::{Cluster, ClusterSpec};
use collective::{BusRow, Choice, Priced, bus_table, shape};
use format::{At, Disk, Failure, Library, Named, Problem, is_path};
use profile::{Algorithm, CollectiveKind, CommFit, CommProfile, Protocol, Provenance};
use units::{Bytes, GpuId, NodeId};

pub use sizes::{Sizes, SizesError};

/// What is asked: a kind of collective, where, and which sizes.
#[derive(Clone, Debug, PartialEq)]
pub struct CollectiveRequest {
    /// As nccl-tests names it, such as `all_reduce`.
    pub kind: String,
    /// A cluster of the zoo, or the path of a file.
    pub cluster: String,
    /// Nodes, where not all of the file.
    pub nodes: Option<u32>,
    /// GPUs used of each node, where not all.
    pub gpus_per_node: Option<u32>,
    /// The sizes.
    pub sizes: Sizes,
    /// Of the elements, as nccl-tests names it, such as `float`.
    pub datatype: String,
    /// As `NCCL_ALGO` names it; NCCL's choice where absent.
    pub algorithm: Option<String>,
    /// As `NCCL_PROTO` names it; NCCL's choice where absent.
    pub protocol: Option<String>,
}

/// One size of the table.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CollectiveRow {
    /// Elements, in nccl-tests' sense: those of one rank where ranks have parts of a buffer.
    pub count: u64,
    /// Size, time, bandwidths, and how it is carried out.
    pub cost: BusRow,
    /// 10th and 90th percentile of the time in seconds, where tables were left out of a fit.
    pub interval: Option<[f64; 2]>,
}

/// The table, and what it rests on.
#[derive(Clone, Debug, PartialEq)]
pub struct CollectiveTable {
    /// The kind.
    pub kind: CollectiveKind,
    /// Name of the cluster and of its GPUs.
    pub cluster: String,
    /// The kinds of GPU.
    pub gpu: String,
    /// Nodes, and ranks in all.
    pub nodes: usize,
    /// Ranks.
    pub ranks: u32,
    /// As nccl-tests prints it.
    pub datatype: &'static str,
    /// `sum` or `none`.
    pub redop: &'static str,
    /// The rank that sends or receives all; −1 where none does.
    pub root: i32,
    /// One for each size.
    pub rows: Vec<CollectiveRow>,
    /// What the constants are worth for this kind and so many nodes.
    pub provenance: Provenance,
    /// What of the kind and the number of nodes was not measured, in words.
    pub beyond: Option<String>,
    /// Name, worth and source of the constants.
    pub sources: Vec<(String, Provenance, String)>,
}

impl CollectiveTable {
    /// The mean of bus bandwidths over rows, as nccl-tests prints it, in 10⁹ bytes/s.
    pub fn mean_busbw(&self) -> f64 {
        let sum: f64 = self.rows.iter().map(|row| row.cost.busbw).sum();
        sum / self.rows.len().max(1) as f64
    }
}

/// Names of the kinds of collectives.
pub fn collective_kinds() -> impl Iterator<Item = &'static str> {
    CollectiveKind::ALL.into_iter().map(CollectiveKind::name)
}

/// Prices every size.
///
/// # Errors
///
/// Everything that is wrong with what was asked.
pub fn collective_table(request: &CollectiveRequest) -> Result<CollectiveTable, Vec<Failure>> {
    let mut failures = Vec::new();
    let kinds = CollectiveKind::ALL.map(CollectiveKind::name);
    let kind =
        named("collective", &request.kind, &kinds, &mut failures).map(|at| CollectiveKind::ALL[at]);
    let types = DATATYPES.map(|(name, ..)| name);
    let datatype = named("datatype", &request.datatype, &types, &mut failures);
    let algorithm = request.algorithm.as_deref().and_then(|name| {
        let known = Algorithm::ALL.map(Algorithm::name);
        named("algorithm", name, &known, &mut failures).map(|at| Algorithm::ALL[at])
    });
    let protocol = request.protocol.as_deref().and_then(|name| {
        let known = Protocol::ALL.map(Protocol::name);
        named("protocol", name, &known, &mut failures).map(|at| Protocol::ALL[at])
    });
    let built = build(request).map_err(|more| failures.extend(more));
    let (Some(kind), Some(datatype), Ok((cluster, comm)), true) =
        (kind, datatype, built, failures.is_empty())
    else {
        return Err(failures);
    };
    let (datatype, element, is_reduced) = DATATYPES[datatype];
    let choice = Choice {
        algorithm,
        protocol,
        without_nvls: !is_reduced,
        ..Choice::default()
    };
    table(request, kind, (datatype, element), choice, &cluster, &comm)
}

fn table(
    request: &CollectiveRequest,
    kind: CollectiveKind,
    (datatype, element): (&'static str, u64),
    choice: Choice,
    cluster: &Cluster,
    comm: &CommProfile,
) -> Result<CollectiveTable, Vec<Failure>> {
    let group = group(cluster, request.gpus_per_node);
    let shape = shape(cluster, comm, &group, &[]);
    if choice.algorithm.is_some() || choice.protocol.is_some() {
        check_choice(kind, choice, &Priced::new(kind, &shape, comm, &choice))
            .map_err(|problem| vec![Failure::of_file(problem)])?;
    }
    let counts: Vec<(u64, Bytes)> = (request.sizes.list())
        .map(|bytes| elements(kind, bytes, element, u64::from(shape.ranks)))
        .collect();
    let sizes: Vec<Bytes> = counts.iter().map(|(_, bytes)| *bytes).collect();
    let costs = bus_table(kind, &sizes, &shape, comm, &choice);
    let fit = fit_of(comm, &shape);
    let rows = counts.iter().zip(costs).map(|((count, bytes), cost)| {
        let spread = fit.map(|fit| fit.interval(bytes.as_u64()));
        let interval = spread.map(|spread| spread.map(|of| of * cost.time.as_secs()));
        CollectiveRow {
            count: *count,
            cost,
            interval,
        }
    });
    let (count, what) = match shape.domains {
        0 | 1 => (shape.ranks, "ranks"),
        domains => (domains, "domains"),
    };
    let beyond = fit.and_then(|fit| fit.beyond(kind, count, what));
    let gpus: Vec<&str> = (cluster.kinds().iter())
        .map(|gpu| gpu.name.as_str())
        .collect();
    let priced = Priced::new(kind, &shape, comm, &choice);
    Ok(CollectiveTable {
        kind,
        cluster: cluster.name().to_owned(),
        gpu: gpus.join(", "),
        nodes: cluster.n_nodes(),
        ranks: shape.ranks,
        datatype,
        redop: match kind {
            CollectiveKind::AllReduce | CollectiveKind::ReduceScatter | CollectiveKind::Reduce => {
                "sum"
            }
            _ => "none",
        },
        root: match kind {
            CollectiveKind::Broadcast
            | CollectiveKind::Reduce
            | CollectiveKind::Gather
            | CollectiveKind::Scatter => 0,
            _ => -1,
        },
        rows: rows.collect(),
        provenance: priced.time(Bytes::new(CommFit::SMALL)).provenance,
        beyond,
        sources: collective::sources(cluster, comm),
    })
}

/// What nccl-tests knows of a type: its name, its bytes, and whether `NVSwitch` adds it.
const DATATYPES: [(&str, u64, bool); 12] = [
    ("float", 4, true),
    ("half", 2, true),
    ("bfloat16", 2, true),
    ("double", 8, true),
    ("int8", 1, false),
    ("uint8", 1, false),
    ("int32", 4, true),
    ("uint32", 4, true),
    ("int64", 8, true),
    ("uint64", 8, true),
    ("f8e4m3", 1, false),
    ("f8e5m2", 1, false),
];

/// The place of a name among those that are known.
fn named(
    what: &'static str,
    name: &str,
    known: &[&str],
    failures: &mut Vec<Failure>,
) -> Option<usize> {
    let at = known
        .iter()
        .position(|other| other.eq_ignore_ascii_case(name));
    if at.is_none() {
        failures.push(Failure::of_file(Problem::UnknownName {
            what,
            name: name.to_owned(),
            known: known.iter().map(|name| (*name).to_owned()).collect(),
        }));
    }
    at
}

/// The cluster with as many nodes as were asked for, and its constants.
fn build(request: &CollectiveRequest) -> Result<(Cluster, CommProfile), Vec<Failure>> {
    let library = Library {
        files: &Disk,
        base: Path::new(""),
    };
    let refused = |message: String, hint: Option<String>| {
        vec![Failure::of_file(Problem::Refused { message, hint })]
    };
    let mut file = library.cluster(&request.cluster, &At::default())?;
    if let Some(count) = request.nodes {
        let [only] = &mut file.nodes[..] else {
            let kinds = file.nodes.len();
            return Err(refused(
                format!(
                    "{} has {kinds} kinds of nodes, of which --nodes says nothing",
                    file.name
                ),
                Some("write a cluster file with the nodes that are meant".to_owned()),
            ));
        };
        only.count = count;
        if count > 1 && file.fabric.is_none() {
            file.fabric = Some(Named::Name("nonblocking".to_owned()));
        }
    }
    let folder = Path::new(&request.cluster).parent();
    let beside = Library {
        base: folder
            .filter(|_| is_path(&request.cluster))
            .unwrap_or(Path::new("")),
        ..library
    };
    let mut comm = format::fitted_comm().clone();
    if let Some(measured) = beside.collectives(&file, &At::default())? {
        comm = comm.with(measured);
    }
    let spec: ClusterSpec = beside.complete(&file, &|_| At::default())?;
    if let Some(gpus) = request.gpus_per_node {
        let least = spec.groups.iter().map(|group| group.node.gpus).min();
        let least = least.unwrap_or(0);
        if gpus < 1 || least < gpus {
            return Err(refused(
                format!(
                    "--gpus-per-node is {gpus}, but a node of {} has {least}",
                    spec.name
                ),
                None,
            ));
        }
    }
    let built = Cluster::build(&spec).map_err(|errors| {
        let failure = |error: &cluster::ClusterError| {
            Failure::of_file(Problem::Refused {
                message: error.to_string(),
                hint: error.hint(),
            })
        };
        errors.iter().map(failure).collect()
    });
    built.map(|cluster| (cluster, comm))
}

/// The first GPUs of every node.
fn group(cluster: &Cluster, gpus_per_node: Option<u32>) -> Vec<GpuId> {
    let of_node = |node: usize| {
        let gpus = cluster.gpus_of(NodeId::from_index(node));
        let used = gpus_per_node.map_or(usize::MAX, |used| used as usize);
        gpus.take(used).map(GpuId::new)
    };
    (0..cluster.n_nodes()).flat_map(of_node).collect()
}

/// Elements and bytes of a size as nccl-tests rounds it: to whole elements, and where ranks have
/// parts to parts of whole 16 bytes.
fn elements(kind: CollectiveKind, bytes: Bytes, element: u64, ranks: u64) -> (u64, Bytes) {
    let count = bytes.as_u64() / element;
    match kind {
        CollectiveKind::AllReduce
        | CollectiveKind::Broadcast
        | CollectiveKind::Reduce
        | CollectiveKind::SendRecv => (count, Bytes::new(count * element)),
        _ => {
            let aligned = (16 / element).max(1);
            let part = count / ranks.max(1) / aligned * aligned;
            (part, Bytes::new(part * ranks * element))
        }
    }
}

/// The fit that the slower level rests on.
fn fit_of<'a>(comm: &'a CommProfile, shape: &collective::CommShape) -> Option<&'a CommFit> {
    if shape.domains > 1 {
        let reached = comm.network[usize::from(shape.network)].reached.as_ref();
        reached.map(|own| &own.fit)
    } else {
        let reached = comm.scale_up[usize::from(shape.scale_up)].reached.as_ref();
        reached.map(|own| &own.fit)
    }
}

/// Refuses a choice that this collective does not have here.
fn check_choice(kind: CollectiveKind, choice: Choice, priced: &Priced<'_>) -> Result<(), Problem> {
    let got = priced.time(Bytes::new(CommFit::SMALL));
    let is_other_algorithm = choice.algorithm.is_some_and(|only| only != got.algorithm);
    let is_other_protocol = choice.protocol.is_some_and(|only| only != got.protocol);
    if !is_other_algorithm && !is_other_protocol {
        return Ok(());
    }
    let algorithm = choice.algorithm.map_or("any", Algorithm::name);
    let protocol = choice.protocol.map_or("any", Protocol::name);
    Err(Problem::Refused {
        message: format!(
            "{} has no algorithm {algorithm:?} with protocol {protocol:?} on these GPUs",
            kind.name()
        ),
        hint: Some("leave --algo and --proto out to see what NCCL would choose".to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(kind: &str, nodes: u32) -> CollectiveRequest {
        CollectiveRequest {
            kind: kind.to_owned(),
            cluster: "dgx-h100".to_owned(),
            nodes: Some(nodes),
            gpus_per_node: None,
            sizes: Sizes::parse("8:8G", None, None).unwrap(),
            datatype: "float".to_owned(),
            algorithm: None,
            protocol: None,
        }
    }

    #[test]
    fn a_table_has_a_row_for_every_doubling() {
        let table = collective_table(&request("all_reduce", 16)).unwrap();
        assert_eq!((table.ranks, table.rows.len()), (128, 31));
        assert_eq!(table.rows[0].count, 2);
        assert_eq!(table.rows[30].cost.bytes.as_u64(), 8 << 30);
        assert!(table.rows.iter().all(|row| {
            let time = row.cost.time.as_secs();
            row.interval
                .is_some_and(|[low, high]| low < high && 0.0 < time)
        }));
        let busbw = table.rows[30].cost.busbw;
        assert!((300.0..400.0).contains(&busbw), "{busbw}");
        assert_eq!(table.provenance, Provenance::Extrapolated);
    }

    #[test]
    fn parts_are_rounded_as_nccl_tests_does() {
        let (count, bytes) = elements(CollectiveKind::AllGather, Bytes::new(8 << 20), 4, 16);
        assert_eq!((count, bytes.as_u64()), (131_072, 8 << 20));
        let (count, bytes) = elements(CollectiveKind::AllGather, Bytes::new(100), 4, 16);
        assert_eq!((count, bytes.as_u64()), (0, 0));
    }

    #[test]
    fn everything_that_is_wrong_is_said_at_once() {
        let mut wrong = request("allreduce", 2);
        wrong.datatype = "flot".to_owned();
        wrong.cluster = "dgx-h10".to_owned();
        let failures = collective_table(&wrong).unwrap_err();
        assert_eq!(failures.len(), 3);
        let hint = failures[0].hint().unwrap();
        assert!(hint.contains("all_reduce"), "{hint}");
    }

    #[test]
    fn a_choice_that_does_not_exist_is_refused() {
        let mut wrong = request("all_gather", 2);
        wrong.algorithm = Some("tree".to_owned());
        let failures = collective_table(&wrong).unwrap_err();
        assert!(failures[0].to_string().contains("no algorithm \"tree\""));
        wrong.algorithm = Some("ring".to_owned());
        assert!(collective_table(&wrong).is_ok());
    }
}
