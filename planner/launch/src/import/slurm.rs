//! Jobs for sbatch: how many nodes and GPUs, and what runs on them where the job says it.

mod program;

use std::collections::BTreeMap;

use super::options::Options;
use super::script::{self, Script};
use super::world::World;
use super::{Beside, Imported};
use crate::error::ImportError;

const NAME: &str = "Slurm";

pub(super) fn import(text: &str, beside: Beside<'_>) -> Result<Imported, ImportError> {
    let asked = Asked::of(&script::read(text))?;
    // Now with the variables that Slurm sets in a job.
    let script = script::read_with(text, asked.variables());
    let mut draft = program::draft(&script, &asked, beside)?;
    if let Some(table) = rank_gpus(&script, asked.per_node) {
        draft.out.set("plan.rank_gpus", table);
    }
    asked.options.known(&SILENT);
    draft.ignored.extend(asked.options.ignored());
    Ok(draft.finish())
}

/// What a job asks Slurm for.
struct Asked {
    options: Options,
    nodes: u32,
    per_node: u32,
    /// Tasks of each node; none where the job does not say.
    tasks: Option<u32>,
    /// Ranks in all, where the job is one of ours.
    ranks: Option<u32>,
}

impl Asked {
    fn of(script: &Script) -> Result<Self, ImportError> {
        let options = Options::of_words(&long(&script.sbatch), NAME);
        let per_node = per_node(&options)?;
        let tasks: Option<u32> = options.number("ntasks-per-node")?;
        let nodes = match first_number(&options, &["nodes"])? {
            Some(nodes) => nodes,
            None => nodes_of_others(&options, script, per_node, tasks)?,
        };
        Ok(Self {
            nodes: u32::try_from(nodes).unwrap_or(u32::MAX).max(1),
            per_node,
            tasks,
            ranks: ranks(script),
            options,
        })
    }

    /// How many GPUs the ranks are on.
    fn world(&self) -> World {
        World {
            gpus: self.ranks.or(self.nodes.checked_mul(self.per_node)),
            per_node: self.per_node,
        }
    }

    /// The variables of a job that say how large it is.
    fn variables(&self) -> BTreeMap<String, String> {
        let tasks = self.tasks.and_then(|tasks| tasks.checked_mul(self.nodes));
        let all = [
            ("SLURM_NNODES", Some(self.nodes)),
            ("SLURM_JOB_NUM_NODES", Some(self.nodes)),
            ("SLURM_GPUS_PER_NODE", Some(self.per_node)),
            ("SLURM_GPUS_ON_NODE", Some(self.per_node)),
            ("SLURM_NTASKS_PER_NODE", self.tasks),
            ("SLURM_NTASKS", tasks),
            ("SLURM_NPROCS", tasks),
        ];
        let known = all
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)));
        let text = |(name, value): (&str, u32)| (name.to_owned(), value.to_string());
        known.map(text).collect()
    }
}

/// Nodes where the job does not say how many: as many as its GPUs or tasks need, or as its list of
/// ranks has.
fn nodes_of_others(
    options: &Options,
    script: &Script,
    per_node: u32,
    tasks: Option<u32>,
) -> Result<usize, ImportError> {
    let gpus = first_number(options, &["gpus"])?;
    if let Some(gpus) = gpus {
        return Ok(gpus.div_ceil(per_node.max(1) as usize));
    }
    let all = first_number(options, &["ntasks"])?;
    if let Some((all, each)) = all.zip(tasks.filter(|tasks| 0 < *tasks)) {
        return Ok(all.div_ceil(each as usize));
    }
    Ok(runs(script).map_or(1, |runs| runs.len().max(1)))
}

/// Short options by their long names.
const SHORT: [(&str, &str); 13] = [
    ("-N", "nodes"),
    ("-n", "ntasks"),
    ("-G", "gpus"),
    ("-c", "cpus-per-task"),
    ("-J", "job-name"),
    ("-p", "partition"),
    ("-A", "account"),
    ("-t", "time"),
    ("-o", "output"),
    ("-e", "error"),
    ("-q", "qos"),
    ("-C", "constraint"),
    ("-w", "nodelist"),
];

/// The words of `#SBATCH` lines with short options spelled out: `-N4` and `-N 4` as `--nodes 4`.
fn long(words: &[String]) -> Vec<String> {
    let mut out = Vec::with_capacity(words.len());
    for word in words {
        let word = word.trim();
        let found = SHORT
            .iter()
            .find(|(short, _)| word.starts_with(short) && !word.starts_with("--"));
        let Some((short, name)) = found else {
            out.push(word.to_owned());
            continue;
        };
        out.push(format!("--{name}"));
        let rest = &word[short.len()..];
        if !rest.is_empty() {
            out.push(rest.trim_start_matches('=').to_owned());
        }
    }
    out
}

/// Options of a job that say nothing that a prediction needs.
const SILENT: [&str; 13] = [
    "ntasks",
    "job-name",
    "output",
    "error",
    "time",
    "account",
    "partition",
    "exclusive",
    "qos",
    "mail-type",
    "mail-user",
    "cpus-per-task",
    "mem",
];

fn first_number(options: &Options, names: &[&str]) -> Result<Option<usize>, ImportError> {
    for name in names {
        if let Some(text) = options.text(name) {
            // `--nodes=4-8` asks for 4 at least, `--gpus=h100:8` for 8.
            let least = text.split('-').next().unwrap_or(text);
            let least = least.rsplit(':').next().unwrap_or(least);
            let number = least
                .parse()
                .map_err(|_| options.wrong(name, text, "a number"))?;
            return Ok(Some(number));
        }
    }
    Ok(None)
}

/// GPUs of each node: `--gpus-per-node=h100:8`, `--gres=gpu:8`, those of its tasks, or its tasks.
fn per_node(options: &Options) -> Result<u32, ImportError> {
    let tasks: Option<u32> = options.number("ntasks-per-node")?;
    for name in ["gpus-per-node", "gres"] {
        if let Some(gpus) = gpus(options, name)? {
            return Ok(gpus);
        }
    }
    let of_tasks = gpus(options, "gpus-per-task")?;
    let of_tasks = of_tasks.and_then(|gpus| gpus.checked_mul(tasks.unwrap_or(1)));
    let tasks = tasks.filter(|tasks| 1 < *tasks);
    Ok(of_tasks.or(tasks).unwrap_or(8))
}

/// A number of GPUs, which may be of a kind: `h100:8`.
fn gpus(options: &Options, name: &str) -> Result<Option<u32>, ImportError> {
    let Some(text) = options.text(name) else {
        return Ok(None);
    };
    let last = text.rsplit(':').next().unwrap_or(text);
    let number = last.parse::<u32>().ok().filter(|gpus| 0 < *gpus);
    let number = number.ok_or_else(|| options.wrong(name, text, "a number of GPUs"))?;
    Ok(Some(number))
}

/// Runs of ranks as our own jobs have them: first node, last node, ranks on each.
fn runs(script: &Script) -> Option<Vec<[u32; 3]>> {
    let lines = script.documents.get("RANKS")?.lines();
    let run = |line: &str| {
        let numbers: Option<Vec<u32>> = line.split_whitespace().map(|n| n.parse().ok()).collect();
        let run: [u32; 3] = numbers?.try_into().ok()?;
        (run[0] <= run[1] && run[1] < 1 << 20 && run[2] < 1 << 16).then_some(run)
    };
    lines.map(run).collect()
}

/// How many ranks a job of ours has.
fn ranks(script: &Script) -> Option<u32> {
    let count = |[first, last, count]: &[u32; 3]| u64::from(last - first + 1) * u64::from(*count);
    let sum: u64 = runs(script)?.iter().map(count).sum();
    u32::try_from(sum).ok().filter(|ranks| *ranks < 1 << 20)
}

/// The GPU of every rank where nodes are used in another order than their own, GPUs of a node in
/// theirs.
fn rank_gpus(script: &Script, per_node: u32) -> Option<Vec<u32>> {
    ranks(script)?;
    let mut used = std::collections::BTreeMap::new();
    let mut table: Vec<u32> = Vec::new();
    for [first, last, count] in runs(script)? {
        for node in first..=last {
            let next = used.entry(node).or_insert(0_u32);
            for _ in 0..count {
                table.push(node.checked_mul(per_node)?.checked_add(*next)?);
                *next += 1;
            }
        }
    }
    let plain = table.iter().zip(0..).all(|(gpu, rank)| *gpu == rank);
    (!plain).then_some(table)
}
