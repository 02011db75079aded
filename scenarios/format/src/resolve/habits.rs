//! The framework, and what a plan takes from it.

use cluster::Cluster;
use lower::{NEUTRAL, Scales};
use plan::shard::{ShardLevel, Sharded};
use plan::{PlanSpec, common_divisor};
use workload::ops::TpOverlap;

use super::Resolver;
use crate::fitted::{self, Setting};
use crate::framework::{DefaultShard, FrameworkFile, Habits};
use crate::library::read_source;
use crate::reference::is_path;

impl Resolver<'_> {
    /// The framework of the scenario's version on the cluster's GPUs.
    pub(super) fn habits(&mut self, cluster: Option<&Cluster>) -> Option<Habits> {
        let chain = self.framework_files()?;
        let gpus = cluster.map_or(&[][..], Cluster::kinds);
        let section = &self.spec.framework;
        let mut habits = Habits::of(&chain, section.version.as_deref(), gpus);
        habits.choose(&section.choices);
        if let Some(kernel) = section.attention {
            habits.framework.fusion.attention = kernel;
        }
        match (&section.version, habits.releases.last()) {
            (Some(_), None) => self.warnings.push(
                "`framework.version` has no effect: the same habits are taken for all versions"
                    .to_owned(),
            ),
            (None, Some(newest)) => {
                let value = format!("{newest} or later");
                self.assume("framework.version", &value, "the newest that is told apart");
            }
            _ => {}
        }
        Some(habits)
    }

    /// The scalars of each kind of GPU: the framework's own, and those that were fitted on runs;
    /// and half the width of the interval in which runs lie.
    pub(super) fn fitted(
        &mut self,
        habits: &Habits,
        cluster: &Cluster,
    ) -> Option<(Vec<Scales>, Option<f64>)> {
        let mut all = habits.scales.clone();
        let own;
        let fitted = match self.spec.settings.fit.as_deref() {
            None | Some("shipped") => fitted::shipped(),
            Some("none") => return Some((all, None)),
            Some(path) => {
                let at = self.at("settings.fit");
                let limit = crate::files::SCENARIO_LIMIT;
                let read = self.library.files.read(&self.library.path(path), limit);
                let file = read
                    .map_err(|problem| vec![at.failure(problem)])
                    .and_then(|source| read_source(&source, &fitted::fitted_file));
                match file {
                    Ok(file) => {
                        own = file;
                        &own
                    }
                    Err(failures) => {
                        self.keep(failures);
                        return None;
                    }
                }
            }
        };
        let frameworks: Vec<&str> = habits.chain.iter().map(String::as_str).collect();
        for (kind, scales) in all.iter_mut().enumerate() {
            let gpu = &cluster.kinds()[kind];
            let setting = Setting {
                frameworks: &frameworks,
                version: self.spec.framework.version.as_deref(),
                node: node_of(cluster, kind),
            };
            fitted.over(scales, &setting, gpu);
        }
        let stands_in = &self.spec.settings.unseen;
        let spread = fitted.spread(&frameworks, cluster.kinds(), stands_in);
        Some((all, spread))
    }

    /// The framework's file, and those that hold where it says nothing.
    fn framework_files(&mut self) -> Option<Vec<FrameworkFile>> {
        let section = &self.spec.framework;
        let (field, name) = match (&section.name, &section.file) {
            (Some(name), _) => ("framework.name", name.clone()),
            // A file in the scenario's own folder may have any ending.
            (None, Some(file)) if !is_path(file) => ("framework.file", format!("./{file}")),
            (None, Some(file)) => ("framework.file", file.clone()),
            (None, None) => {
                self.assume("framework.name", &NEUTRAL.name, &NEUTRAL.source);
                ("framework.name", NEUTRAL.name.to_string())
            }
        };
        let at = self.at(field);
        match self.library.frameworks(&name, &at) {
            Ok(chain) => Some(chain),
            Err(failures) => {
                self.keep(failures);
                None
            }
        }
    }

    /// The plan with what its framework does without being asked, where it names nothing else.
    pub(super) fn with_habits(
        &mut self,
        mut spec: PlanSpec,
        habits: &Habits,
        cluster: &Cluster,
    ) -> PlanSpec {
        let waits = "this framework waits for its collectives and sends";
        let overlaps = habits.framework.overlaps;
        let overlap = &mut spec.overlap;
        let several = |degree: Option<u32>| degree.is_some_and(|degree| 1 < degree);
        if !overlaps.tp && overlap.tp.is_none() && several(spec.tp) {
            overlap.tp = Some(TpOverlap::None);
            self.assume("plan.overlap.tp", "false", waits);
        }
        if !overlaps.p2p && overlap.p2p.is_none() && several(spec.pp) {
            overlap.p2p = Some(false);
            self.assume("plan.overlap.p2p", "false", waits);
        }
        let data = spec.dp != Some(1);
        if !overlaps.grad_reduce && overlap.grad_reduce.is_none() && data {
            overlap.grad_reduce = Some(false);
            self.assume("plan.overlap.grad_reduce", "false", waits);
        }
        let shards = spec.shard.as_ref().is_none_or(|levels| !levels.is_empty());
        if !overlaps.param_gather && overlap.param_gather.is_none() && data && shards {
            overlap.param_gather = Some(false);
            self.assume("plan.overlap.param_gather", "false", waits);
        }
        if habits.framework.cuda_graphs && spec.cuda_graphs.is_none() {
            spec.cuda_graphs = Some(true);
            let reason = "this framework captures without being asked";
            self.assume("plan.cuda_graphs", "true", reason);
        }
        if let (None, Some(shard)) = (&spec.shard, habits.shard) {
            let levels = levels(shard, &spec, cluster);
            self.assume(
                "plan.shard",
                &in_words(&levels),
                "what this framework shards",
            );
            spec.shard = Some(levels);
        }
        spec
    }
}

/// What data-parallel ranks share under a framework's default.
fn levels(shard: DefaultShard, spec: &PlanSpec, cluster: &Cluster) -> Vec<ShardLevel> {
    let all = |what| ShardLevel { what, group: None };
    match shard {
        DefaultShard::None => Vec::new(),
        DefaultShard::Optimizer => vec![all(Sharded::Optimizer)],
        DefaultShard::Gradients => vec![all(Sharded::Gradients), all(Sharded::Optimizer)],
        DefaultShard::Weights => {
            vec![
                all(Sharded::Weights),
                all(Sharded::Gradients),
                all(Sharded::Optimizer),
            ]
        }
        DefaultShard::InNode => {
            let weights = ShardLevel {
                what: Sharded::Weights,
                group: Some(in_node(spec, cluster)),
            };
            vec![weights, all(Sharded::Gradients), all(Sharded::Optimizer)]
        }
    }
}

/// Data-parallel ranks of a node, as far as all of them divide into such groups.
fn in_node(spec: &PlanSpec, cluster: &Cluster) -> u32 {
    let degree = |degree: Option<u32>| degree.unwrap_or(1).max(1);
    let (tp, pp, cp) = (degree(spec.tp), degree(spec.pp), degree(spec.cp));
    let first = cluster.node_of(units::GpuId::new(0));
    let gpus = u32::try_from(cluster.gpus_of(first).len()).unwrap_or(1);
    let all = u32::try_from(cluster.n_gpus()).unwrap_or(u32::MAX);
    let replica = tp.saturating_mul(pp).saturating_mul(cp);
    let dp = spec.dp.unwrap_or(all / replica);
    let in_node = (gpus / tp).max(1);
    let shared = common_divisor(in_node.into(), dp.saturating_mul(cp).max(1).into());
    u32::try_from(shared).unwrap_or(in_node)
}

fn in_words(levels: &[ShardLevel]) -> String {
    let words = levels.iter().map(|level| match level.group {
        Some(group) => format!("{} over {group}", level.what.name()),
        None => format!("{} over dp x cp", level.what.name()),
    });
    let words: Vec<String> = words.collect();
    if words.is_empty() {
        "nothing".to_owned()
    } else {
        words.join(", ")
    }
}

/// The kind of the first node with GPUs of a kind.
fn node_of(cluster: &Cluster, kind: usize) -> &str {
    let mut gpus = cluster.gpus();
    let first = gpus.find(|gpu| cluster.kind_of(*gpu) == kind);
    first.map_or("", |gpu| cluster.node(cluster.node_of(gpu)).name.as_str())
}
