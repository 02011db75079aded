//! Files with other numbers in them, from reading to prediction: whatever is accepted gets an
//! answer in finite time, and no number makes a crate below panic.

#![expect(
    clippy::unwrap_used,
    reason = "a file that cannot be read fails the test"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use format::{Files, Layers, Library, Problem, Source, read_whole_scenario, resolve};
use predict::{PredictError, Record, predict};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;
use units::Control;

/// Runs of each kind of file; the variable asks for more, to search in depth.
fn rounds() -> u32 {
    let more = std::env::var("HOSTILE_ROUNDS").ok();
    more.and_then(|n| n.parse().ok()).unwrap_or(25)
}

/// The other files of a scenario.
#[derive(Default)]
struct Folder(BTreeMap<PathBuf, String>);

impl Files for Folder {
    fn read(&self, path: &Path, _: u64) -> Result<Arc<Source>, Problem> {
        let name = path.display().to_string();
        match self.0.get(path) {
            Some(text) => Ok(Source::new(&name, text.clone())),
            None => Err(Problem::NoSuchFile {
                path: name,
                similar: Vec::new(),
            }),
        }
    }
}

impl Folder {
    fn with(name: &str, text: String) -> Self {
        Self(BTreeMap::from([(PathBuf::from(name), text)]))
    }
}

/// Reads, checks and predicts a scenario by the closed form; `None` where it is refused.
fn answer(text: &str, folder: &Folder) -> Option<f64> {
    let document = Layers::of(Source::new("scenario.toml", text)).join().ok()?;
    let library = Library {
        files: folder,
        base: Path::new(""),
    };
    let spec = read_whole_scenario(&document, &library).ok()?;
    let resolved = resolve("hostile", &spec, &document, &library).ok()?;
    let mut scenario = resolved.scenario;
    scenario.settings.engine = predict::Engine::Estimate;
    match predict(&scenario, Record::Totals, &Control::new()) {
        Ok(outcome) => Some(outcome.prediction.iteration_time_s),
        // The range of the clock is the one thing that a sound scenario may leave.
        Err(PredictError::Engine(error)) => {
            assert!(
                error.to_string().contains("range of the clock"),
                "{error}\n{text}"
            );
            None
        }
        Err(error) => panic!("{error}\n{text}"),
    }
}

fn texts(folder: &str, ending: &str) -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .join(folder);
    let mut paths: Vec<PathBuf> = fs::read_dir(root)
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    paths.sort();
    let texts = paths.iter().map(|path| {
        let path = if path.is_dir() {
            path.join("scenario.toml")
        } else {
            path.clone()
        };
        (path.extension().is_some_and(|e| e == ending)).then(|| fs::read_to_string(path).unwrap())
    });
    texts.flatten().collect()
}

/// Numbers at the edges of types and beyond all machines.
const NUMBERS: [&str; 18] = [
    "0",
    "1",
    "2",
    "3",
    "7",
    "1000",
    "65536",
    "1048576",
    "4294967295",
    "4294967296",
    "1099511627776",
    "1000000000000000000",
    "9223372036854775807",
    "1e-300",
    "1e300",
    "0.5",
    "nan",
    "inf",
];

/// Words with a unit keep it.
const AMOUNTS: [&str; 7] = ["0", "1", "1e-9", "1e-300", "1e18", "1e300", "3.5"];

/// A text with some of its numbers replaced, and nothing else.
fn renumbered(text: &str, random: &mut Pcg64Mcg) -> String {
    let mut text = text.to_owned();
    for _ in 0..random.random_range(1..3) {
        let numbers = numbers_of(&text);
        if numbers.is_empty() {
            break;
        }
        let (start, end) = numbers[random.random_range(0..numbers.len())];
        let is_amount = text[end..].starts_with(' ') && text[..start].ends_with('"');
        let new = if is_amount {
            AMOUNTS[random.random_range(0..AMOUNTS.len())]
        } else {
            NUMBERS[random.random_range(0..NUMBERS.len())]
        };
        text.replace_range(start..end, new);
    }
    text
}

/// Where values are numbers: behind `=`, `:`, `[`, `,` or a quote.
fn numbers_of(text: &str) -> Vec<(usize, usize)> {
    let bytes = text.as_bytes();
    let is_part = |b: u8| b.is_ascii_digit() || b == b'.' || b == b'-';
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let before = text[..at].trim_end_matches(' ').as_bytes().last().copied();
        let begins = before.is_some_and(|b| b"=:[,\"".contains(&b));
        if begins && bytes[at].is_ascii_digit() {
            let mut end = at;
            while end < bytes.len() && is_part(bytes[end]) {
                end += 1;
            }
            let next = bytes.get(end).copied().unwrap_or(b'\n');
            if b" ,]}\n".contains(&next) {
                found.push((at, end));
            }
            at = end;
        }
        at += 1;
    }
    found
}

fn scenario(model: &str, cluster: &str, plan: &str) -> String {
    format!(
        "schema = 1\n[model]\nconfig = \"{model}\"\n{cluster}[training]\nglobal_batch = 32\n\
         seq_len = 4096\n[plan]\n{plan}"
    )
}

const CLUSTER: &str = "[cluster]\nname = \"dgx-h100\"\nnodes = 2\n";
const OWN_CLUSTER: &str = "[cluster]\nfile = \"own.toml\"\n";

/// How many of the runs had an answer.
fn survives(seed: u64, run: &dyn Fn(&mut Pcg64Mcg) -> Option<f64>) -> u32 {
    let mut random = Pcg64Mcg::seed_from_u64(seed);
    let mut answered = 0;
    for _ in 0..rounds() {
        if let Some(secs) = run(&mut random) {
            assert!(secs.is_finite() && 0.0 <= secs, "{secs}");
            answered += 1;
        }
    }
    answered
}

fn pick<'a>(texts: &'a [String], random: &mut Pcg64Mcg) -> &'a str {
    &texts[random.random_range(0..texts.len())]
}

#[test]
fn cases_with_other_numbers_are_refused_or_answered() {
    let cases = texts("cases", "toml");
    survives(1, &|random| {
        answer(
            &renumbered(pick(&cases, random), random),
            &Folder::default(),
        )
    });
}

#[test]
fn machines_with_other_numbers_are_refused_or_answered() {
    let (nodes, fabrics) = (
        texts("hardware/nodes", "toml"),
        texts("hardware/fabrics", "toml"),
    );
    survives(2, &|random| {
        let cluster = "name = \"own\"\nfabric = \"fabric.toml\"\n[[nodes]]\nkind = \"node.toml\"\ncount = 4\n";
        let folder = Folder(BTreeMap::from([
            (PathBuf::from("own.toml"), renumbered(cluster, random)),
            (
                PathBuf::from("node.toml"),
                renumbered(pick(&nodes, random), random),
            ),
            (
                PathBuf::from("fabric.toml"),
                renumbered(pick(&fabrics, random), random),
            ),
        ]));
        answer(&scenario("llama3.2-1b", OWN_CLUSTER, ""), &folder)
    });
}

#[test]
fn data_sheets_with_other_numbers_are_refused_or_answered() {
    let gpus = texts("hardware/gpus", "toml");
    survives(3, &|random| {
        let sheet = renumbered(pick(&gpus, random), random);
        let name = sheet
            .lines()
            .find_map(|line| line.strip_prefix("name = "))?;
        let (head, tables) = sheet.split_once("\n[").unwrap_or((&sheet, ""));
        let tables = tables.replace("tflops]", "[gpus.tflops]");
        let cluster = format!(
            "name = \"own\"\nfabric = \"nonblocking\"\n[[nodes]]\ncount = 2\n[nodes.kind]\n\
             name = \"n\"\ngpu = {name}\ngpus = 4\nscale_up = {{ kind = \"pcie\" }}\n\
             host = {{ gpu_link = \"63 GB/s\" }}\nnics = {{ count = 4, rate = \"100 Gbit/s\" }}\n\
             [[gpus]]\n{head}\n{tables}"
        );
        let folder = Folder::with("own.toml", cluster);
        answer(&scenario("llama3.2-1b", OWN_CLUSTER, ""), &folder)
    });
}

#[test]
fn models_with_other_numbers_are_refused_or_answered() {
    let models = texts("models", "json");
    survives(4, &|random| {
        let folder = Folder::with("config.json", renumbered(pick(&models, random), random));
        answer(&scenario("config.json", CLUSTER, "tp = 2\n"), &folder)
    });
}

#[test]
fn profiles_with_other_numbers_are_refused_or_answered() {
    let profiles = texts("profiles", "toml");
    let h100: Vec<String> = profiles
        .into_iter()
        .filter(|p| p.contains("gpu = \"h100-sxm\""))
        .collect();
    let comm = "name = \"own\"\n[comm.tuning]\nring_plateau = 1.4\ntree = 0.9\nsend_ll_bytes = 16384\n\
        [[comm.network]]\nname = \"infiniband\"\nefficiency = 0.9\npairs_efficiency = 0.9\n\
        hop_us = { tree = [5, 8, 14], ring = [3, 4, 14] }\nnic_us = 3\npairs_us = 60\npeer_us = 0.4\n\
        channels_per_nic = 2\noverhead_us = 1\nramp_us = 2\nprovenance = \"measured\"\nsource = \"x\"\n";
    survives(5, &|random| {
        let text = if random.random_range(0..2) == 0 {
            comm
        } else {
            pick(&h100, random)
        };
        let folder = Folder::with("own.toml", renumbered(text, random));
        let settings = "tp = 4\npp = 2\n[settings]\nprofiles = [\"own.toml\"]\n";
        answer(&scenario("llama3-8b", CLUSTER, settings), &folder)
    });
}

#[test]
fn plan_files_with_other_cells_are_refused_or_answered() {
    let cells = [
        "0F0",
        "1F3",
        "0B1",
        "1I2",
        "1W2",
        "0F18446744073709551615",
        "4294967295F0",
        "9B9",
        "",
        "X",
    ];
    let shares = ["0.125", "0", "1", "1e300", "nan", "-1", "1e-300"];
    survives(6, &|random| {
        let row = |stage: u32| -> Vec<String> {
            let passes = ["F", "B"]
                .into_iter()
                .flat_map(|kind| (0..4).map(move |m| (kind, m)));
            passes
                .map(|(kind, m)| format!("{stage}{kind}{m}"))
                .collect()
        };
        let mut rows = [row(0), row(1)];
        for _ in 0..random.random_range(0..3) {
            let (at, cell) = (
                random.random_range(0..8),
                random.random_range(0..cells.len()),
            );
            rows[random.random_range(0..2)][at] = cells[cell].to_owned();
        }
        let schedule = rows.map(|row| row.join(",")).join("\n");
        let plan = "pp = 2\ntp = 1\nep = 4\nschedule_file = \"s.csv\"\nmicro_batch = 1\n\
            [plan.moe]\nrouting = \"r.csv\"\n";
        let routing = (0..32).map(|_| {
            let share = |_| match random.random_range(0..40) {
                0 => shares[random.random_range(0..shares.len())],
                _ => "0.125",
            };
            (0..8).map(share).collect::<Vec<_>>().join(" ")
        });
        let folder = Folder(BTreeMap::from([
            (
                PathBuf::from("r.csv"),
                routing.collect::<Vec<_>>().join("\n"),
            ),
            (PathBuf::from("s.csv"), schedule),
        ]));
        answer(&scenario("mixtral-8x7b", CLUSTER, plan), &folder)
    });
}

#[test]
fn what_once_broke_a_run_is_refused() {
    let plan = "tp = 1\n[[stragglers]]\ngpu = \"n0g0\"\nspeed = 1e-300\n";
    assert_eq!(
        answer(&scenario("llama3-8b", CLUSTER, plan), &Folder::default()),
        None
    );
    // More steps than a pass of a stage can have.
    let deep = scenario("llama3-8b", CLUSTER, "")
        .replace("\"llama3-8b\"\n", "\"llama3-8b\"\nlayers = 100000\n");
    assert_eq!(answer(&deep, &Folder::default()), None);
    let rank = scenario("llama3-8b", CLUSTER, "").replace(
        "4096\n",
        "4096\npeft = { kind = \"lora\", rank = 1000000000000000000 }\n",
    );
    assert_eq!(answer(&rank, &Folder::default()), None);
}

#[test]
fn a_slow_gpu_among_ranks_that_shard_in_groups_holds_up_nobody_forever() {
    let straggler = "[[stragglers]]\ngpu = \"n1g3\"\nspeed = 0.8\n";
    for group in [2, 4] {
        let plan = format!(
            "tp = 2\npp = 2\nshard = [{{ what = \"optimizer\", group = {group} }}]\n{straggler}"
        );
        let cluster = CLUSTER.replace("nodes = 2", "nodes = 4");
        let answered = answer(&scenario("llama3-8b", &cluster, &plan), &Folder::default());
        assert!(answered.is_some(), "{group}");
    }
}
