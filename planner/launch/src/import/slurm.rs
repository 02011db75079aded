//! Jobs for sbatch: how many nodes and GPUs, and what runs on them where the job says it.

use super::options::Options;
use super::scenario::{finish, start};
use super::script::{self, Script};
use super::world::World;
use super::{Imported, megatron, torchtitan};
use crate::error::ImportError;

const NAME: &str = "Slurm";

pub(super) fn import(text: &str) -> Result<Imported, ImportError> {
    let script = script::read(text);
    let options = sbatch(&script);
    let nodes = first_number(&options, &["nodes"])?;
    let nodes = match nodes.or(short(&script, "-N")) {
        Some(nodes) => nodes,
        None => runs(&script).map_or(1, |runs| runs.len().max(1)),
    };
    let nodes = u32::try_from(nodes).unwrap_or(u32::MAX);
    let per_node = per_node(&options)?;
    let world = World {
        gpus: nodes.checked_mul(per_node),
        per_node,
    };
    let mut imported = program(&script, world)?;
    options.known(&SILENT);
    imported.ignored.extend(options.ignored());
    Ok(imported)
}

/// Options of a job that say nothing that a prediction needs.
const SILENT: [&str; 12] = [
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

/// The options of `#SBATCH` lines; short ones with a value are not among them.
fn sbatch(script: &Script) -> Options {
    let words: Vec<String> = script
        .sbatch
        .iter()
        .map(|word| word.trim().to_owned())
        .collect();
    Options::of_words(&words, NAME)
}

/// The value behind a short option.
fn short(script: &Script, name: &str) -> Option<usize> {
    let mut words = script.sbatch.iter();
    let at = words.position(|word| word.starts_with(name))?;
    let own = script.sbatch[at].trim_start_matches(name);
    let text = if own.is_empty() {
        script.sbatch.get(at + 1)?
    } else {
        own
    };
    text.parse().ok()
}

fn first_number(options: &Options, names: &[&str]) -> Result<Option<usize>, ImportError> {
    for name in names {
        if let Some(text) = options.text(name) {
            // `--nodes=4-8` asks for 4 at least.
            let least = text.split('-').next().unwrap_or(text);
            let number = least
                .parse()
                .map_err(|_| options.wrong(name, text, "a number"))?;
            return Ok(Some(number));
        }
    }
    Ok(None)
}

/// GPUs of each node: `--gpus-per-node=h100:8`, `--gres=gpu:8`, or tasks of a node.
fn per_node(options: &Options) -> Result<u32, ImportError> {
    let tasks: Option<u32> = options.number("ntasks-per-node")?;
    for name in ["gpus-per-node", "gres"] {
        if let Some(text) = options.text(name) {
            let last = text.rsplit(':').next().unwrap_or(text);
            let number = last.parse::<u32>().ok().filter(|gpus| 0 < *gpus);
            return number.ok_or_else(|| options.wrong(name, text, "a number of GPUs"));
        }
    }
    Ok(tasks.filter(|tasks| 1 < *tasks).unwrap_or(8))
}

/// The scenario of the program that the job starts.
fn program(script: &Script, world: World) -> Result<Imported, ImportError> {
    if megatron::is_in(script) {
        return megatron::of_options(&Options::of(script, "Megatron-LM"), world);
    }
    if torchtitan::is_in(script) {
        return torchtitan::of_options(&Options::of(script, "torchtitan"), world);
    }
    let (mut out, mut notes) = (start(), Vec::new());
    let gpus = ranks(script).or(world.gpus).unwrap_or(1);
    world.write(world.gpus.unwrap_or(gpus), &mut out, &mut notes);
    if let Some(table) = rank_gpus(script, world.per_node) {
        out.set("plan.rank_gpus", table);
    }
    notes.push(
        "the job names no arguments of Megatron-LM or torchtitan: [model], [training] and the \
         degrees are missing; import the script that it starts"
            .to_owned(),
    );
    Ok(finish(&out, notes, Vec::new()))
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
