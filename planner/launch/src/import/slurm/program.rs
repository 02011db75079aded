//! What a job starts: its own words, the scripts that it names, and the files that they name.

use std::collections::BTreeSet;

use super::super::options::Options;
use super::super::scenario::{Draft, start};
use super::super::script::{self, Script, Word};
use super::super::world::{World, heard};
use super::super::{Beside, deepspeed, megatron, megatron_deepspeed, torchtitan};
use super::Asked;
use crate::error::ImportError;

/// The most scripts that are read for one job.
const MAX_SCRIPTS: usize = 16;

/// The scenario of the program that a job starts.
pub(super) fn draft(job: &Script, asked: &Asked, beside: Beside<'_>) -> Result<Draft, ImportError> {
    let (script, read) = followed(job, beside);
    let world = world(&script, asked);
    let mut draft = match of_script(&script, world, beside) {
        Some(draft) => draft?,
        None => unknown(world),
    };
    if !read.is_empty() {
        let text = format!("read besides the job: {}", read.join(", "));
        draft.notes.push(text);
    }
    Ok(draft)
}

/// A job with the scripts behind it that it starts, and their names. A script that the job writes
/// is one, too.
fn followed(job: &Script, beside: Beside<'_>) -> (Script, Vec<String>) {
    let mut all = job.clone();
    let (mut seen, mut read, mut at) = (BTreeSet::new(), Vec::new(), 0);
    while at < all.words.len() && seen.len() < MAX_SCRIPTS {
        let Word::Text(word) = &all.words[at] else {
            at += 1;
            continue;
        };
        at += 1;
        let Some(name) = script_name(word).filter(|name| seen.insert(name.clone())) else {
            continue;
        };
        let Some((name, text)) = found(word, &name, beside) else {
            continue;
        };
        let inner = script::read_with(&text, all.variables.clone());
        all.words.extend(inner.words);
        all.variables.extend(inner.variables);
        all.documents.extend(inner.documents);
        read.push(name);
    }
    written(job, &mut all);
    (all, read)
}

/// Scripts that a job writes by here-documents, where its own words start nothing known.
fn written(job: &Script, all: &mut Script) {
    if is_known(all) {
        return;
    }
    for text in job.documents.values() {
        let inner = script::read_with(text, all.variables.clone());
        if is_known(&inner) {
            all.words.extend(inner.words);
            return;
        }
    }
}

fn is_known(script: &Script) -> bool {
    megatron::is_in(script) || torchtitan::is_in(script)
}

/// The last part of a word that is the path of a shell script.
fn script_name(word: &str) -> Option<String> {
    let name = word.rsplit('/').next()?;
    let ending = name.rsplit_once('.').map(|(_, ending)| ending);
    matches!(ending, Some("sh" | "bash")).then(|| name.to_owned())
}

/// A file by its path as it stands, else by its name alone.
fn found(path: &str, name: &str, beside: Beside<'_>) -> Option<(String, String)> {
    let plain = path.strip_prefix("./").unwrap_or(path);
    let given = beside(plain).map(|text| (plain.to_owned(), text));
    given.or_else(|| beside(name).map(|text| (name.to_owned(), text)))
}

/// The GPUs of a job. What torchrun is told of a node goes before what Slurm is asked for.
fn world(script: &Script, asked: &Asked) -> World {
    let options = Options::of(script, "Slurm");
    let per_node: Option<u32> = ["nproc-per-node", "num-gpus"]
        .into_iter()
        .find_map(|name| options.number(name).unwrap_or(None))
        .filter(|gpus| 0 < *gpus);
    let own = asked.world();
    match per_node.filter(|_| asked.ranks.is_none()) {
        Some(per_node) => World {
            gpus: asked.nodes.checked_mul(per_node),
            per_node: own.per_node.max(per_node),
        },
        None => own,
    }
}

/// The scenario of a program that is known; none where none is.
fn of_script(
    script: &Script,
    world: World,
    beside: Beside<'_>,
) -> Option<Result<Draft, ImportError>> {
    if let Some(file) = configuration(script, "job.config-file", beside) {
        return torchtitan::of_text(&file, world);
    }
    if torchtitan::is_in(script) {
        let options = of_program(script, "torchtitan");
        return Some(torchtitan::of_script(script, &options, world));
    }
    if !megatron::is_in(script) {
        return None;
    }
    let options = of_program(script, "Megatron-LM");
    if !megatron_deepspeed::is_in(&options) {
        return Some(megatron::of_options(&options, world));
    }
    let config = configuration(script, "deepspeed-config", beside);
    let config = match config.map(|text| deepspeed::read(&text)).transpose() {
        Ok(config) => config,
        Err(error) => return Some(Err(error)),
    };
    Some(megatron_deepspeed::of_options(
        options,
        world,
        config.as_ref(),
    ))
}

/// The options of a job's words; those of launchers say where processes run, which Slurm's say.
fn of_program(script: &Script, name: &'static str) -> Options {
    let options = Options::of(script, name);
    heard(&options);
    options.known(&LAUNCHERS);
    options
}

/// Options of srun that say nothing that a prediction needs.
const LAUNCHERS: [&str; 12] = [
    "ntasks",
    "ntasks-per-node",
    "distribution",
    "kill-on-bad-exit",
    "output",
    "error",
    "label",
    "wait",
    "export",
    "max-restarts",
    "hostfile",
    "launcher",
];

/// The text of the file that an option names: one that the job writes, or one beside it.
fn configuration(script: &Script, option: &str, beside: Beside<'_>) -> Option<String> {
    let options = Options::of(script, "Slurm");
    let path = options.text(option)?;
    let name = path.rsplit('/').next().unwrap_or(path);
    if let Some((_, text)) = found(path, name, beside) {
        return Some(text);
    }
    let written = script.documents.values();
    let mut written = written.filter(|text| text.trim_start().starts_with(['{', '[']));
    written.next().cloned()
}

/// A job whose program is not known.
fn unknown(world: World) -> Draft {
    let (mut out, mut notes) = (start(), Vec::new());
    world.write(world.gpus.unwrap_or(1), &mut out, &mut notes);
    notes.push(
        "the job names no arguments of Megatron-LM, Megatron-DeepSpeed or torchtitan: [model], \
         [training] and the degrees are missing; import the script that it starts"
            .to_owned(),
    );
    Draft {
        out,
        notes,
        ignored: Vec::new(),
    }
}
