//! Names to values: the zoo, and files beside the one that names them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use cluster::{
    ClusterSpec, FabricKind, FabricSpec, GpuSpec, GraphSpec, NodeGroup, NodeSpec, RouterSpec,
    ScaleUpSpec,
};
use profile::CommProfile;

use crate::curves::{self, ProfileFile};
use crate::error::{Failure, Problem, push};
use crate::fields::Fields;
use crate::files::{Files, PROFILE_LIMIT, SCENARIO_LIMIT};
use crate::hardware::{self, ClusterFile, Nodes};
use crate::kept::{self, kept};
use crate::reference::{Named, is_path};
use crate::source::{Place, Source};
use crate::tree::parse;
use crate::zoo::Shelf;

/// Where names are looked up.
#[derive(Clone, Copy)]
pub struct Library<'f> {
    /// Where files come from.
    pub files: &'f dyn Files,
    /// The folder that relative paths start from.
    pub base: &'f Path,
}

impl std::fmt::Debug for Library<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Library")
            .field("base", &self.base)
            .finish_non_exhaustive()
    }
}

/// Where a name stands in a file: its field and its place.
#[derive(Clone, Debug, Default)]
pub struct At {
    /// The field, as a path of keys.
    pub field: String,
    /// Its place.
    pub place: Option<Place>,
}

impl At {
    /// A failure there.
    pub fn failure(&self, problem: Problem) -> Failure {
        Failure {
            problem,
            field: self.field.clone(),
            place: self.place.clone(),
        }
    }
}

/// Reads a whole document with the function that reads its fields.
///
/// # Errors
///
/// Everything that is wrong with it.
pub fn read_source<T>(
    source: &Arc<Source>,
    read: &dyn Fn(&mut Fields<'_, '_>) -> T,
) -> Result<T, Vec<Failure>> {
    let table = parse(source)?;
    let mut failures = Vec::new();
    let start = Some(Place::new(source, 0..0));
    let value = Fields::read(&table, start, "", &mut failures, read);
    if failures.is_empty() {
        Ok(value)
    } else {
        Err(failures)
    }
}

impl Library<'_> {
    /// The text behind a name: the file where it is a path, else what the zoo has.
    ///
    /// # Errors
    ///
    /// The [`Failure`] that keeps it from being read.
    pub fn open(&self, on: Shelf, name: &str, at: &At) -> Result<Arc<Source>, Vec<Failure>> {
        let opened = if is_path(name) {
            let limit = if on == Shelf::Profiles {
                PROFILE_LIMIT
            } else {
                SCENARIO_LIMIT
            };
            match self.files.read(&self.path(name), limit) {
                // A model's folder stands for the config.json in it.
                Err(Problem::IsFolder { .. }) if on == Shelf::Models => {
                    self.files.read(&self.path(name).join("config.json"), limit)
                }
                read => read,
            }
        } else {
            on.open(name)
        };
        opened.map_err(|problem| vec![at.failure(problem)])
    }

    /// A path of a file, from the folder of the scenario.
    pub fn path(&self, name: &str) -> PathBuf {
        self.base.join(name)
    }

    /// The data sheet of a GPU of the zoo.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with the name or the file.
    pub fn gpu(&self, name: &str, at: &At) -> Result<GpuSpec, Vec<Failure>> {
        kept(&kept::GPUS, name, || {
            read_source(&self.open(Shelf::Gpus, name, at)?, &hardware::gpu)
        })
    }

    /// A kind of node.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with the name or the file.
    pub fn node(&self, node: &Named<NodeSpec>, at: &At) -> Result<NodeSpec, Vec<Failure>> {
        match node {
            Named::Inline(node) => Ok((**node).clone()),
            Named::Name(name) => kept(&kept::NODES, name, || {
                read_source(&self.open(Shelf::Nodes, name, at)?, &hardware::node)
            }),
        }
    }

    /// A fabric.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with the name or the file.
    pub fn fabric(&self, fabric: &Named<FabricSpec>, at: &At) -> Result<FabricSpec, Vec<Failure>> {
        match fabric {
            Named::Inline(fabric) => Ok((**fabric).clone()),
            Named::Name(name) => kept(&kept::FABRICS, name, || {
                read_source(&self.open(Shelf::Fabrics, name, at)?, &hardware::fabric)
            }),
        }
    }

    /// A cluster file.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with the name or the file.
    pub fn cluster(&self, name: &str, at: &At) -> Result<ClusterFile, Vec<Failure>> {
        read_source(&self.open(Shelf::Clusters, name, at)?, &hardware::cluster)
    }

    /// A profile.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with the name or the file.
    pub fn profile(&self, name: &str, at: &At) -> Result<ProfileFile, Vec<Failure>> {
        kept(&kept::PROFILES, name, || {
            curves::read_profile(&self.open(Shelf::Profiles, name, at)?)
        })
    }

    /// The constants of collectives that were measured on a cluster, where its file names them.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with the name or the file; also a profile that has none.
    pub fn collectives(
        &self,
        cluster: &ClusterFile,
        at: &At,
    ) -> Result<Option<CommProfile>, Vec<Failure>> {
        let Some(name) = &cluster.collectives else {
            return Ok(None);
        };
        let profile = self.profile(name, at)?;
        if profile.comm.is_none() {
            let message = format!("the profile {name:?} has no constants of collectives");
            let hint = "name a file with [comm]: `windtunnel calibrate fit --only collectives \
                        --nccl-tests LOG --cluster FILE --output DIR` writes one"
                .to_owned();
            let hint = Some(hint);
            return Err(vec![at.failure(Problem::Refused { message, hint })]);
        }
        Ok(profile.comm)
    }

    /// The name of the profile of the zoo for a GPU: measured on it, else on one with the same
    /// chip. Profiles that are only for those who name them do not count.
    pub fn profile_of(&self, gpu: &str) -> Option<&'static str> {
        let by = |key: &str| {
            let mut all = Shelf::Profiles.texts();
            all.find(|(_, text)| {
                line_names(text, key, gpu)
                    && !text.lines().any(|line| line == "only_by_name = true")
            })
            .map(|(name, _)| name)
        };
        by("gpu = ").or_else(|| by("relatives = "))
    }

    /// Joins a cluster's nodes, fabric and data sheets; `at` says where each stands.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with the names or the files.
    pub fn complete(
        &self,
        cluster: &ClusterFile,
        at: &dyn Fn(&str) -> At,
    ) -> Result<ClusterSpec, Vec<Failure>> {
        let mut failures = Vec::new();
        let mut keep = |more: Vec<Failure>| {
            for failure in more {
                push(&mut failures, failure);
            }
        };
        let mut groups = Vec::new();
        for (index, nodes) in cluster.nodes.iter().enumerate() {
            match self.group(nodes, &at(&format!("nodes[{index}].kind"))) {
                Ok(group) => groups.push(group),
                Err(more) => keep(more),
            }
        }
        let fabric = match &cluster.fabric {
            Some(fabric) => self.fabric(fabric, &at("fabric")),
            None if cluster
                .nodes
                .iter()
                .map(|n| u64::from(n.count))
                .sum::<u64>()
                <= 1 =>
            {
                Ok(no_fabric())
            }
            None => Err(vec![at("fabric").failure(Problem::Missing {
                field: "cluster.fabric".to_owned(),
                expected: "a name, a file or a table; several nodes need one".to_owned(),
            })]),
        };
        let fabric = fabric.map_err(&mut keep).ok();
        let gpus = self
            .data_sheets(&mut groups, &cluster.gpus, at)
            .map_err(&mut keep)
            .ok();
        match (fabric, gpus) {
            (Some(fabric), Some(gpus)) if failures.is_empty() => Ok(ClusterSpec {
                name: cluster.name.clone(),
                groups,
                fabric,
                gpus,
                source: cluster.source.clone(),
                notes: cluster.notes.clone(),
            }),
            _ => Err(failures),
        }
    }

    fn group(&self, nodes: &Nodes, at: &At) -> Result<NodeGroup, Vec<Failure>> {
        let mut node = self.node(&nodes.kind, at)?;
        if let Some(used) = nodes.domain_nodes {
            use_part(&mut node, used).map_err(|problem| {
                let field = format!("{}.domain_nodes", at.field);
                vec![
                    At {
                        field,
                        ..at.clone()
                    }
                    .failure(problem),
                ]
            })?;
        }
        Ok(NodeGroup {
            node,
            count: nodes.count,
            gpus_used: nodes.gpus,
        })
    }

    /// The data sheet of every GPU that the nodes name, each once; nodes that use an alias get
    /// the name itself.
    fn data_sheets(
        &self,
        groups: &mut [NodeGroup],
        own: &[GpuSpec],
        at: &dyn Fn(&str) -> At,
    ) -> Result<Vec<GpuSpec>, Vec<Failure>> {
        let mut sheets = own.to_vec();
        for (index, group) in groups.iter_mut().enumerate() {
            let name = &mut group.node.gpu;
            if sheets.iter().any(|sheet| sheet.name == *name) {
                continue;
            }
            let sheet = self.gpu(name, &at(&format!("nodes[{index}].kind.gpu")))?;
            name.clone_from(&sheet.name);
            if !sheets.iter().any(|other| other.name == sheet.name) {
                sheets.push(sheet);
            }
        }
        Ok(sheets)
    }
}

/// Leaves that many nodes of a scale-up domain, where so many share one.
fn use_part(node: &mut NodeSpec, used: u32) -> Result<(), Problem> {
    let message = match &mut node.scale_up {
        ScaleUpSpec::NvSwitch { domain_nodes, .. } if used <= *domain_nodes => {
            *domain_nodes = used;
            return Ok(());
        }
        ScaleUpSpec::NvSwitch { domain_nodes, .. } => format!(
            "`domain_nodes` is {used}, but {domain_nodes} nodes of {:?} share a scale-up domain",
            node.name
        ),
        _ => format!(
            "`domain_nodes` is given, but {:?} has no switch that several nodes share",
            node.name
        ),
    };
    let hint = Some("leave `domain_nodes` out to use whole domains".to_owned());
    Err(Problem::Refused { message, hint })
}

/// What connects a node with itself.
fn no_fabric() -> FabricSpec {
    FabricSpec {
        name: "none".to_owned(),
        kind: FabricKind::Single,
        network: None,
        nodes_per_leaf: 1,
        groups_per_pod: None,
        oversubscription: Vec::new(),
        rails: None,
        nics_per_group: None,
        planes: 1,
        spines: None,
        cores: None,
        link_rate: None,
        link_latency: cluster::spec::DEFAULT_LINK_LATENCY,
        switch_latency: cluster::spec::DEFAULT_SWITCH_LATENCY,
        routers: RouterSpec::default(),
        graph: GraphSpec::default(),
        measured: None,
        source: String::new(),
        notes: "one node, nothing to connect".to_owned(),
    }
}

/// Whether the line of a file that begins with `key` has the name in quotes.
fn line_names(text: &str, key: &str, name: &str) -> bool {
    let line = text.lines().find_map(|line| line.strip_prefix(key));
    let names = line.unwrap_or_default().split('"').skip(1).step_by(2);
    names
        .into_iter()
        .any(|other| other.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::NoFiles;

    fn library() -> Library<'static> {
        Library {
            files: &NoFiles,
            base: Path::new(""),
        }
    }

    #[test]
    fn every_file_of_the_zoo_reads_and_bears_its_own_name() {
        let (library, at) = (library(), At::default());
        for name in Shelf::Gpus.names() {
            assert_eq!(library.gpu(name, &at).unwrap().name, name);
        }
        for name in Shelf::Nodes.names() {
            let node = library.node(&Named::Name(name.to_owned()), &at).unwrap();
            assert_eq!(node.name, name);
            library.gpu(&node.gpu, &at).unwrap();
        }
        for name in Shelf::Fabrics.names() {
            let fabric = library.fabric(&Named::Name(name.to_owned()), &at).unwrap();
            assert_eq!(fabric.name, name);
        }
    }

    #[test]
    fn every_cluster_of_the_zoo_can_be_built() {
        let library = library();
        for name in Shelf::Clusters.names() {
            let file = library.cluster(name, &At::default()).unwrap();
            let spec = library.complete(&file, &|_| At::default()).unwrap();
            assert_eq!(spec.name, name);
            cluster::Cluster::build(&spec).unwrap();
        }
    }

    #[test]
    fn every_profile_of_the_zoo_fits_its_gpu() {
        let (library, at) = (library(), At::default());
        for name in Shelf::Profiles.names() {
            let Some(spec) = library.profile(name, &at).unwrap().gpu else {
                continue;
            };
            assert_eq!(spec.name, name);
            let usual = library.profile_of(&spec.gpu);
            assert_eq!(usual == Some(name), !spec.only_by_name);
            let gpu = library.gpu(&spec.gpu, &at).unwrap();
            profile::Profile::build(&spec, &gpu).unwrap();
        }
    }

    #[test]
    fn part_of_a_rack_is_a_smaller_domain() {
        let nodes = |kind: &str, used: u32| {
            let text = format!(
                "name = \"x\"\nfabric = \"rail-optimised\"\n[[nodes]]\nkind = \"{kind}\"\ncount = 32\ndomain_nodes = {used}\n"
            );
            let file = read_source(&Source::new("x.toml", text), &hardware::cluster).unwrap();
            library().complete(&file, &|_| At::default())
        };
        let spec = nodes("gb200-nvl72", 16).unwrap();
        assert!(matches!(
            spec.groups[0].node.scale_up,
            ScaleUpSpec::NvSwitch {
                domain_nodes: 16,
                ..
            }
        ));
        let more = nodes("gb200-nvl72", 19).unwrap_err();
        assert!(more[0].to_string().contains("18 nodes"), "{}", more[0]);
        assert!(nodes("p3.8xlarge", 2).is_err());
    }

    #[test]
    fn a_cluster_of_several_nodes_needs_a_fabric() {
        let text = "name = \"x\"\n[[nodes]]\nkind = \"dgx-h100\"\ncount = 2\n";
        let file = read_source(&Source::new("x.toml", text), &hardware::cluster).unwrap();
        let failures = library().complete(&file, &|_| At::default()).unwrap_err();
        assert_eq!(failures[0].to_string(), "`cluster.fabric` is missing");
    }
}
