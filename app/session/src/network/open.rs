//! From a scenario with `[workload]` to a program on a fabric.

use std::collections::BTreeSet;
use std::io::BufReader;
use std::path::Path;
use std::sync::OnceLock;

use ::network::Share;
use ::network::packet::Config;
use cluster::{ClusterNetwork, Sharing, Topology as _};
use format::{
    ClusterSection, Ends, Engine, Failure, Files as _, NetworkWorkload, Problem, Rules,
    ScenarioSpec, Search, idle_in_traffic, is_path, marks_reversed, resolve_measured, rules,
};
use formats::flows_csv::{self, FlowIds, FlowsCsvError};
use formats::simgrid;
use predict::Assumed;
use profile::CommProfile;
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;
use traffic::{Keep, Kind, Policy, Program, Ranks, balance, run_folded};
use units::{Bytes, Control, HostId, LinkId, Seconds, SimTime};

use super::collective::{Notes, unheeded_by_flows, wishes};
use super::fabric::Fabric;
use super::reach::{laid, wanted};
use crate::Opened;

/// The largest platform file that is read.
const PLATFORM_LIMIT: u64 = 1 << 30;

/// What is known of collectives on a cluster.
struct Measured {
    comm: CommProfile,
    /// Whether the user has brought some of it.
    own: bool,
}

/// A network workload that is ready to run.
#[derive(Debug)]
pub struct Traffic {
    /// What reports call it.
    pub name: String,
    /// What it runs on.
    pub fabric: Fabric,
    /// What that is called: a cluster or a file.
    pub fabric_name: String,
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
    /// By link, what it carries when everything is sprayed, once somebody asked.
    pub(super) sprayed: OnceLock<Vec<f64>>,
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
        let mut notes = Notes::default();
        let (fabric, measured) = self.fabric(&workload, &mut notes.warnings)?;
        let seed = self.spec.settings.seed.unwrap_or(1);
        let engine = self.spec.settings.engine.unwrap_or(Engine::Flow);
        if !matches!(engine, Engine::Flow | Engine::Packet) {
            let message = format!("the engine {} runs no network workload", engine.name());
            let hint = "use engine = \"flow\" or \"packet\"".to_owned();
            return Err(vec![self.refused("settings.engine", message, Some(hint))]);
        }
        let (fabric, start) = self.reaching(
            fabric,
            measured,
            (&workload, engine),
            &mut notes.assumptions,
        )?;
        let (network, nccl) = (&self.spec.network, &self.spec.nccl);
        let rules = rules(engine, network, nccl, seed, &mut notes.assumptions);
        let idle = idle_in_traffic(&self.spec, &self.document, &rules, search);
        notes.warnings.extend(idle);
        let (program, ids) = self.program(&workload, &fabric, &mut notes)?;
        self.check_ways(&program, &fabric)?;
        if let Rules::Packet { config, .. } = &rules {
            if let Some((field, message, hint)) = marks_reversed(network, config) {
                return Err(vec![self.refused(field, message, Some(hint))]);
            }
            self.check_packets(&program, config.payload)?;
            notes.warnings.extend(fat_in_packets(&fabric));
        }
        let program = match workload.jitter {
            Some(jitter) if 0.0 < jitter => self.uneven(&program, &fabric, jitter, seed)?,
            _ => program,
        };
        let program = if start == Seconds::ZERO {
            program
        } else {
            program.delayed(|_| SimTime::ZERO.after(start).unwrap_or(SimTime::ZERO))
        };
        Ok(Traffic {
            name: self.name.clone(),
            fabric_name: self.fabric_name(&workload),
            fabric,
            program,
            ids,
            rules,
            seed,
            assumptions: notes.assumptions,
            warnings: notes.warnings,
            sprayed: OnceLock::new(),
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

    /// The fabric with links that carry what collectives were measured to reach on it, where that is
    /// wanted; and what a collective takes before its first message.
    fn reaching(
        &self,
        fabric: Fabric,
        measured: Option<Measured>,
        (workload, engine): (&NetworkWorkload, Engine),
        assumptions: &mut Vec<Assumed>,
    ) -> Result<(Fabric, Seconds), Vec<Failure>> {
        let own = measured.as_ref().is_some_and(|measured| measured.own);
        if !wanted(workload, own) {
            return Ok((fabric, Seconds::ZERO));
        }
        let refuse = || {
            let message = "nothing was measured on this fabric".to_owned();
            let hint =
                "leave `rates` out, or fit its network by `windtunnel calibrate fit --nccl-tests`";
            vec![self.refused("workload.rates", message, Some(hint.to_owned()))]
        };
        let (Fabric::Cluster(network), Some(measured)) = (fabric, measured) else {
            return Err(refuse());
        };
        let found = laid(
            &network,
            &measured.comm,
            workload,
            &wishes(&self.spec.nccl),
            engine,
        );
        let (found, assumed) = found.ok_or_else(refuse)?;
        assumptions.push(assumed);
        let network = Box::new(network.reaching(found.reach));
        Ok((Fabric::Cluster(network), found.start))
    }

    /// The fabric: that of the workload, or the cluster; and what is known of collectives on it.
    fn fabric(
        &self,
        workload: &NetworkWorkload,
        warnings: &mut Vec<String>,
    ) -> Result<(Fabric, Option<Measured>), Vec<Failure>> {
        const FIELD: &str = "workload.fabric";
        let library = self.library();
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
                let platform = self.platform(&self.base.join(fabric), warnings)?;
                return Ok((platform, None));
            }
        }
        let spec = self.with_fabric(workload);
        let cluster =
            resolve_measured(&spec, &self.document, &library).map_err(|mut failures| {
                for failure in &mut failures {
                    if workload.fabric.is_some() && failure.field.starts_with("cluster") {
                        FIELD.clone_into(&mut failure.field);
                        let place = failure.place.take();
                        failure.place = place.or_else(|| self.document.place(FIELD));
                    }
                }
                failures
            })?;
        let Some((cluster, comm, own)) = cluster else {
            let message = "a network workload needs a fabric".to_owned();
            let hint = "give [cluster], or `fabric` in [workload]".to_owned();
            return Err(vec![self.refused("workload", message, Some(hint))]);
        };
        let network = Box::new(ClusterNetwork::new(cluster));
        Ok((Fabric::Cluster(network), Some(Measured { comm, own })))
    }

    /// What the fabric is called in the scenario.
    fn fabric_name(&self, workload: &NetworkWorkload) -> String {
        let cluster = self.spec.cluster.as_ref();
        let own = cluster.and_then(|cluster| {
            let fabric = cluster.fabric.as_ref().map(|_| "`[cluster.fabric]`");
            let named = cluster.file.as_deref().or(cluster.name.as_deref());
            fabric.or(named).map(str::to_owned)
        });
        let given = workload.fabric.clone().or(own);
        given.unwrap_or_else(|| "`[cluster]`".to_owned())
    }

    fn platform(&self, path: &Path, warnings: &mut Vec<String>) -> Result<Fabric, Vec<Failure>> {
        const FIELD: &str = "workload.fabric";
        let place = self.document.place(FIELD);
        let source = self.store.read(path, PLATFORM_LIMIT).map_err(|problem| {
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
        notes: &mut Notes,
    ) -> Result<(Program, Option<FlowIds>), Vec<Failure>> {
        if let Some(flows) = &workload.flows {
            if workload.bytes.is_some() {
                let text = "`workload.bytes` has no effect: flows have sizes";
                notes.warnings.push(text.to_owned());
            }
            notes.warnings.extend(unheeded_by_flows(&self.spec.nccl));
            if workload.ends.is_some() {
                let text = "`workload.ends` has no effect: flows name their hosts";
                notes.warnings.push(text.to_owned());
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
            notes
                .warnings
                .push(format!("`workload.ends` has no effect: {reason}"));
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
        if workload.ends.is_none() && 1 < ranks.n_lanes() {
            notes.assumptions.push(Assumed {
                field: "workload.ends".to_owned(),
                value: "nodes".to_owned(),
                reason: format!("each sends over its {} NICs", ranks.n_lanes()),
            });
        }
        let program = self.collective(kind, &ranks, bytes, notes)?;
        Ok((program, None))
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
        let file = self.store.open(path).map_err(|error| unreadable(&error))?;
        let input = BufReader::with_capacity(1 << 20, file);
        let list = flows_csv::read(input, |name| fabric.host_named(name)).map_err(|error| {
            let message = format!("{}: {error}", path.display());
            let hint = match error {
                FlowsCsvError::UnknownHost { .. } => Some(names(fabric)),
                _ => error.hint(),
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
                return Err(vec![self.no_way(fabric, [src, dst])]);
            }
        }
        Ok(())
    }

    /// What is wrong where no way leads from one host to another.
    fn no_way(&self, fabric: &Fabric, [src, dst]: [HostId; 2]) -> Failure {
        let names = [src, dst].map(|host| fabric.host_name(host));
        let mut message = format!("no way leads from `{}` to `{}`", names[0], names[1]);
        let mut hint = "give the fabric cables from one to the other";
        if let Fabric::Platform(platform) = fabric
            && let Err(why) = platform.route(src, dst)
        {
            message = format!("{message}: {why}");
            hint = "give the platform a route from one to the other";
        }
        let hint = format!("{hint}, or leave out flows between them");
        self.refused(self.fabric_field(), message, Some(hint))
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
        let most = Config::MOST_PACKETS.saturating_mul(u64::from(payload));
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

/// What is said of fat pipes where there are packets.
fn fat_in_packets(fabric: &Fabric) -> Option<String> {
    let links = (0..fabric.n_links()).map(LinkId::new);
    let fat = links.filter(|&link| fabric.wire(link).sharing == Sharing::FatPipe);
    let n = fat.count();
    (0 < n).then(|| {
        format!(
            "{n} links are fat pipes, which bound flows one by one in the flow engine only: packets queue for them as for other links"
        )
    })
}

/// Whether a fabric is a `SimGrid` platform, by its name.
fn is_platform(fabric: &str) -> bool {
    let ending = Path::new(fabric).extension();
    ending.is_some_and(|ending| ending.eq_ignore_ascii_case("xml"))
}

/// The ends of a collective.
fn ends(fabric: &Fabric, ends: Ends) -> Vec<HostId> {
    match fabric {
        Fabric::Platform(platform) => (0..platform.n_hosts()).map(HostId::new).collect(),
        Fabric::Cluster(cluster) => ends_of_cluster(cluster, ends),
    }
}

/// The ends of a collective on a cluster.
pub(super) fn ends_of_cluster(cluster: &ClusterNetwork, ends: Ends) -> Vec<HostId> {
    let range = match ends {
        Ends::Nodes => 0..cluster.n_nodes(),
        Ends::Gpus => cluster.n_nodes()..cluster.n_hosts(),
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
