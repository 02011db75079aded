//! From a scenario with `[workload]` to a program on a fabric.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use ::network::Share;
use cluster::{ClusterNetwork, Topology as _};
use format::{
    ClusterSection, Disk, Ends, Engine, Failure, Files as _, Library, NetworkWorkload, Problem,
    Rules, ScenarioSpec, Search, idle_in_traffic, is_path, marks_reversed, resolve_cluster, rules,
};
use formats::flows_csv::{self, FlowIds, FlowsCsvError};
use formats::simgrid;
use predict::Assumed;
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;
use traffic::{
    Keep, Kind, Options, Policy, Program, Ranks, balance, collective_over, run_folded,
    streams_at_most,
};
use units::{Bytes, Control, HostId, Seconds, SimTime};

use super::fabric::Fabric;
use crate::Opened;

/// The largest platform file that is read.
const PLATFORM_LIMIT: u64 = 1 << 30;

/// The most streams that a collective may have: tens of gigabytes.
const MOST_STREAMS: u64 = 1 << 28;

/// The most packets that a message may have in the packet engine.
const MOST_PACKETS: u64 = (1 << 31) - 1;

/// A network workload that is ready to run.
#[derive(Debug)]
pub struct Traffic {
    /// What reports call it.
    pub name: String,
    /// What it runs on.
    pub fabric: Fabric,
    /// Its streams.
    pub program: Program,
    /// What its flows are called; numbers where a collective made them.
    pub ids: Option<FlowIds>,
    /// How transfers move.
    pub rules: Rules,
    /// Of every random choice.
    pub seed: u64,
    /// What was not given.
    pub assumptions: Vec<Assumed>,
    /// What is suspicious but no error.
    pub warnings: Vec<String>,
}

impl Opened {
    /// Whether the scenario is traffic instead of training.
    pub const fn is_traffic(&self) -> bool {
        self.spec.workload.is_some()
    }

    /// Looks up the fabric and makes the flows of a network workload.
    ///
    /// # Errors
    ///
    /// Everything that is wrong.
    pub fn traffic(&self) -> Result<Traffic, Vec<Failure>> {
        self.traffic_for(Search::None)
    }

    /// As [`Opened::traffic`].
    ///
    /// * `search` — what a search will choose; fields for its choices are not given in vain.
    pub(super) fn traffic_for(&self, search: Search) -> Result<Traffic, Vec<Failure>> {
        let workload = self.spec.workload.clone().unwrap_or_default();
        let mut warnings = Vec::new();
        let mut assumptions = Vec::new();
        let fabric = self.fabric(&workload, &mut warnings)?;
        let seed = self.spec.settings.seed.unwrap_or(1);
        let engine = self.spec.settings.engine.unwrap_or(Engine::Flow);
        if !matches!(engine, Engine::Flow | Engine::Packet) {
            let message = format!("the engine {} runs no network workload", engine.name());
            let hint = "use engine = \"flow\" or \"packet\"".to_owned();
            return Err(vec![self.refused("settings.engine", message, Some(hint))]);
        }
        let (network, nccl) = (&self.spec.network, &self.spec.nccl);
        let rules = rules(engine, network, nccl, seed, &mut assumptions);
        warnings.extend(idle_in_traffic(&self.spec, &self.document, &rules, search));
        let (program, ids) = self.program(&workload, &fabric, &mut warnings)?;
        self.check_ways(&program, &fabric)?;
        if let Rules::Packet { config, .. } = &rules {
            if let Some((field, message, hint)) = marks_reversed(network, config) {
                return Err(vec![self.refused(field, message, Some(hint))]);
            }
            self.check_packets(&program, config.payload)?;
        }
        let program = match workload.jitter {
            Some(jitter) if 0.0 < jitter => self.uneven(&program, &fabric, jitter, seed)?,
            _ => program,
        };
        Ok(Traffic {
            name: self.name.clone(),
            fabric,
            program,
            ids,
            rules,
            seed,
            assumptions,
            warnings,
        })
    }

    pub(super) fn refused(&self, field: &str, message: String, hint: Option<String>) -> Failure {
        Failure {
            problem: Problem::Refused { message, hint },
            field: field.to_owned(),
            place: self.document.place(field),
        }
    }

    /// The scenario with the fabric of its workload as its cluster.
    pub(super) fn with_fabric(&self, workload: &NetworkWorkload) -> ScenarioSpec {
        let mut spec = self.spec.clone();
        if let Some(fabric) = &workload.fabric {
            let named = !is_path(fabric);
            spec.cluster = Some(ClusterSection {
                name: named.then(|| fabric.clone()),
                file: (!named).then(|| fabric.clone()),
                ..ClusterSection::default()
            });
        }
        spec
    }

    /// The fabric: that of the workload, or the cluster.
    fn fabric(
        &self,
        workload: &NetworkWorkload,
        warnings: &mut Vec<String>,
    ) -> Result<Fabric, Vec<Failure>> {
        const FIELD: &str = "workload.fabric";
        let library = Library {
            files: &Disk,
            base: &self.base,
        };
        if let Some(fabric) = &workload.fabric {
            if self.spec.cluster.is_some() {
                let message = "the scenario has both a cluster and `workload.fabric`".to_owned();
                return Err(vec![self.refused(
                    FIELD,
                    message,
                    Some("keep one".to_owned()),
                )]);
            }
            if is_platform(fabric) {
                return self.platform(&self.base.join(fabric), warnings);
            }
        }
        let spec = self.with_fabric(workload);
        let cluster =
            resolve_cluster(&spec, &self.document, &library).map_err(|mut failures| {
                for failure in &mut failures {
                    if workload.fabric.is_some() && failure.field.starts_with("cluster") {
                        FIELD.clone_into(&mut failure.field);
                        let place = failure.place.take();
                        failure.place = place.or_else(|| self.document.place(FIELD));
                    }
                }
                failures
            })?;
        let Some(cluster) = cluster else {
            let message = "a network workload needs a fabric".to_owned();
            let hint = "give [cluster], or `fabric` in [workload]".to_owned();
            return Err(vec![self.refused("workload", message, Some(hint))]);
        };
        Ok(Fabric::Cluster(Box::new(ClusterNetwork::new(cluster))))
    }

    fn platform(&self, path: &Path, warnings: &mut Vec<String>) -> Result<Fabric, Vec<Failure>> {
        const FIELD: &str = "workload.fabric";
        let place = self.document.place(FIELD);
        let source = Disk.read(path, PLATFORM_LIMIT).map_err(|problem| {
            let field = FIELD.to_owned();
            vec![Failure {
                problem,
                field,
                place,
            }]
        })?;
        let read = simgrid::read(&source.text).map_err(|error| {
            let message = format!("{}: {error}", path.display());
            vec![self.refused(FIELD, message, error.hint())]
        })?;
        for ignored in &read.ignored {
            warnings.push(format!("{}: {ignored} is ignored", path.display()));
        }
        if !self.spec.stragglers.is_empty() {
            let message = "links of a SimGrid platform cannot be slowed".to_owned();
            let hint = "change them in the platform file".to_owned();
            return Err(vec![self.refused("stragglers", message, Some(hint))]);
        }
        Ok(Fabric::Platform(Box::new(read.platform)))
    }

    fn program(
        &self,
        workload: &NetworkWorkload,
        fabric: &Fabric,
        warnings: &mut Vec<String>,
    ) -> Result<(Program, Option<FlowIds>), Vec<Failure>> {
        if let Some(flows) = &workload.flows {
            if workload.bytes.is_some() {
                warnings.push("`workload.bytes` has no effect: flows have sizes".to_owned());
            }
            if workload.ends.is_some() {
                warnings.push("`workload.ends` has no effect: flows name their hosts".to_owned());
            }
            let (program, ids) = self.flows(&self.base.join(flows), fabric)?;
            return Ok((program, Some(ids)));
        }
        let Some(name) = &workload.collective else {
            let message = "a network workload needs flows or a collective".to_owned();
            let hint = "give `flows = \"flows.csv\"`, or `collective` and `bytes`".to_owned();
            return Err(vec![self.refused("workload", message, Some(hint))]);
        };
        let Some(kind) = Kind::from_name(name) else {
            let kinds = Kind::ALL.map(Kind::name).join(", ");
            let message = format!("no collective is named {name:?}");
            let hint = Some(format!("one of {kinds}"));
            return Err(vec![self.refused("workload.collective", message, hint)]);
        };
        let Some(bytes) = workload.bytes else {
            let message = format!("the collective {name} has no size");
            let hint = Some("give `bytes`, such as \"64 MiB\"".to_owned());
            return Err(vec![self.refused("workload.bytes", message, hint)]);
        };
        if let (Fabric::Platform(_), Some(_)) = (fabric, workload.ends) {
            let reason = "all hosts of a platform take part";
            warnings.push(format!("`workload.ends` has no effect: {reason}"));
        }
        let hosts = ends(fabric, workload.ends.unwrap_or_default());
        if hosts.len() < 2 {
            let message = format!(
                "a collective needs two ends, the fabric has {}",
                hosts.len()
            );
            return Err(vec![self.refused("workload.collective", message, None)]);
        }
        let ranks = match fabric {
            Fabric::Cluster(cluster) => Ranks::of_cluster(cluster, &hosts),
            Fabric::Platform(platform) => Ranks::on(&**platform, &hosts),
        };
        let options = self.options();
        let streams = streams_at_most(kind, &ranks, bytes, &options);
        if MOST_STREAMS < streams {
            let message =
                format!("the collective has up to {streams} streams, more than {MOST_STREAMS}");
            let hint =
                Some("take fewer nodes, or a kind that does not pair all of them".to_owned());
            return Err(vec![self.refused("workload.collective", message, hint)]);
        }
        Ok((collective_over(kind, &ranks, bytes, &options), None))
    }

    /// What `[nccl]` says of channels and protocol.
    fn options(&self) -> Options {
        let nccl = &self.spec.nccl;
        let usual = Options::default();
        if nccl.channels.is_none() && nccl.protocol.is_none() {
            return usual;
        }
        let protocol = nccl.protocol.unwrap_or(usual.protocol);
        Options::new(protocol, nccl.channels.unwrap_or(usual.channels))
    }

    fn flows(&self, path: &Path, fabric: &Fabric) -> Result<(Program, FlowIds), Vec<Failure>> {
        const FIELD: &str = "workload.flows";
        let unreadable = |error: &std::io::Error| {
            let message = format!("{} cannot be read: {error}", path.display());
            let hint = match error.kind() {
                std::io::ErrorKind::NotFound => "give the path of a CSV file of flows",
                _ => "check that you may read it",
            };
            vec![self.refused(FIELD, message, Some(hint.to_owned()))]
        };
        let file = File::open(path).map_err(|error| unreadable(&error))?;
        let input = BufReader::with_capacity(1 << 20, file);
        let list = flows_csv::read(input, |name| fabric.host_named(name)).map_err(|error| {
            let message = format!("{}: {error}", path.display());
            let hint = match error {
                FlowsCsvError::UnknownHost { .. } => Some(names(fabric)),
                error => error.hint(),
            };
            vec![self.refused(FIELD, message, hint)]
        })?;
        Ok((Program::from(&list.flows), list.ids))
    }

    /// Every stream has a way.
    fn check_ways(&self, program: &Program, fabric: &Fabric) -> Result<(), Vec<Failure>> {
        // Hosts on the same switches have equally many ways: each two switches are asked once.
        let mut asked = BTreeSet::new();
        let mut last = None;
        for stream in program.streams() {
            let (src, dst) = (stream.src, stream.dst);
            let pair = [src, dst].map(|host| fabric.access(host));
            if src == dst || last == Some(pair) || !asked.insert(pair) {
                continue;
            }
            last = Some(pair);
            if fabric.n_ways(src, dst) == 0 {
                let [src, dst] = [src, dst].map(|host| fabric.host_name(host));
                let message = format!("no way leads from {src} to {dst}");
                let hint = match fabric {
                    Fabric::Platform(_) => "give the platform a route from one to the other",
                    Fabric::Cluster(_) => "give the fabric cables from one to the other",
                };
                let hint = format!("{hint}, or leave out flows between them");
                return Err(vec![self.refused(self.fabric_field(), message, Some(hint))]);
            }
        }
        Ok(())
    }

    /// The field that names the fabric.
    fn fabric_field(&self) -> &'static str {
        let fields = ["workload.fabric", "cluster.file", "cluster.name"];
        let given = fields
            .into_iter()
            .find(|field| self.document.place(field).is_some());
        given.unwrap_or("cluster")
    }

    /// Every message has a number of packets that the packet engine counts.
    fn check_packets(&self, program: &Program, payload: u32) -> Result<(), Vec<Failure>> {
        let most = MOST_PACKETS.saturating_mul(u64::from(payload));
        let streams = program.streams().iter();
        let largest = streams.map(|stream| stream.bytes).max().unwrap_or_default();
        if largest.as_u64() <= most {
            return Ok(());
        }
        let most = Bytes::new(most);
        let message = format!("a message of {largest} is longer than {most}, 2³¹ packets");
        let hint = Some("send less, or use engine = \"flow\"".to_owned());
        let field = match self.document.place("workload.bytes") {
            Some(_) => "workload.bytes",
            None => "workload.flows",
        };
        Err(vec![self.refused(field, message, hint)])
    }

    /// The program with hosts that start late: by the size of a normal variable whose deviation is
    /// `jitter` times what the workload takes when every flow is sprayed.
    fn uneven(
        &self,
        program: &Program,
        fabric: &Fabric,
        jitter: f64,
        seed: u64,
    ) -> Result<Program, Vec<Failure>> {
        let ideal = balance(fabric, program, Policy::Spray, seed);
        let alone = run_folded(
            fabric,
            &ideal.program,
            Share::EQUAL,
            Keep::Totals,
            &Control::new(),
        )
        .map_err(|error| vec![self.refused("workload", error.to_string(), None)])?;
        let deviation = alone.makespan.as_seconds() * jitter;
        let late = |host: HostId| {
            let stream = seed ^ (u64::from(host.get()) << 32 | 0x6c61_7465);
            let mut rng = Pcg64Mcg::seed_from_u64(stream);
            // The sum of twelve uniform variables has a deviation of 1 (Irwin and Hall, 1927).
            let normal: f64 = (0..12).map(|_| rng.random::<f64>()).sum::<f64>() - 6.0;
            let delay: Seconds = deviation * normal.abs();
            SimTime::ZERO.after(delay).unwrap_or(SimTime::ZERO)
        };
        Ok(program.delayed(late))
    }
}

/// Whether a fabric is a `SimGrid` platform, by its name.
fn is_platform(fabric: &str) -> bool {
    let ending = Path::new(fabric).extension();
    ending.is_some_and(|ending| ending.eq_ignore_ascii_case("xml"))
}

/// The ends of a collective.
fn ends(fabric: &Fabric, ends: Ends) -> Vec<HostId> {
    let range = match (fabric, ends) {
        (Fabric::Platform(platform), _) => 0..platform.n_hosts(),
        (Fabric::Cluster(cluster), Ends::Nodes) => 0..cluster.n_nodes(),
        (Fabric::Cluster(cluster), Ends::Gpus) => cluster.n_nodes()..cluster.n_hosts(),
    };
    range.map(HostId::new).collect()
}

/// How hosts are named, by the first and the last.
fn names(fabric: &Fabric) -> String {
    let name = |host| fabric.host_name(HostId::new(host));
    match fabric {
        Fabric::Cluster(cluster) if 0 < cluster.n_nodes() => format!(
            "hosts are nodes {} to {} and GPUs {} to {}",
            name(0),
            name(cluster.n_nodes() - 1),
            name(cluster.n_nodes()),
            name(cluster.n_hosts() - 1)
        ),
        _ if 0 < fabric.n_hosts() => {
            format!("hosts are {} to {}", name(0), name(fabric.n_hosts() - 1))
        }
        _ => "the fabric has no hosts".to_owned(),
    }
}
