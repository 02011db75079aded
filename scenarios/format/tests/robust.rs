//! No text makes a reader panic, hang or lose the place of an error. The fuzz targets under
//! `tests/fuzz` run the same functions with other texts.

#![expect(
    clippy::unwrap_used,
    reason = "a file that cannot be read fails the test"
)]

use std::fs;
use std::path::{Path, PathBuf};

use format::{Failure, check};
use proptest::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

/// Mutations of each file.
const ROUNDS: usize = 12;

fn scenarios() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The text of every file with that ending below a folder, in order of path.
fn texts(folder: &str, ending: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![scenarios().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == ending) {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path, text));
            }
        }
    }
    found.sort();
    assert!(!found.is_empty(), "no .{ending} under {folder}");
    found
}

/// Words that break readers: numbers at the edges of types, empty things, brackets.
const NASTY: [&str; 28] = [
    "0",
    "-1",
    "1",
    "nan",
    "inf",
    "-inf",
    "1e308",
    "1e-308",
    "4294967295",
    "4294967296",
    "9223372036854775807",
    "18446744073709551615",
    "99999999999999999999",
    "0x7fffffffffffffff",
    "\"\"",
    "\"400\"",
    "\"1e400 GB/s\"",
    "\"-1 GiB\"",
    "\"µ\"",
    "[]",
    "{}",
    "[[]]",
    "[1, \"a\"]",
    "true",
    "1979-05-27",
    "'''",
    "\u{0}",
    "[x]\n",
];

/// A text with some damage: of characters, of lines or of values.
fn damaged(text: &str, random: &mut Pcg64Mcg) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    for _ in 0..random.random_range(1..4) {
        if lines.is_empty() {
            break;
        }
        let at = random.random_range(0..lines.len());
        match random.random_range(0..7) {
            0 => drop(lines.remove(at)),
            1 => lines.insert(at, lines[random.random_range(0..lines.len())].clone()),
            2 => lines.swap(at, random.random_range(0..at + 1)),
            3 => lines[at] = cut(&lines[at], random),
            _ => lines[at] = with_other_value(&lines[at], random),
        }
    }
    lines.join("\n")
}

/// A line without some of its characters.
fn cut(line: &str, random: &mut Pcg64Mcg) -> String {
    let characters: Vec<char> = line.chars().collect();
    let from = random.random_range(0..characters.len() + 1);
    let to = random.random_range(from..characters.len() + 1);
    characters[..from].iter().chain(&characters[to..]).collect()
}

/// A line with another value behind its equals sign or colon, or another word at its end.
fn with_other_value(line: &str, random: &mut Pcg64Mcg) -> String {
    let nasty = NASTY[random.random_range(0..NASTY.len())];
    match line.find(['=', ':']) {
        Some(at) if random.random_range(0..4) != 0 => {
            let comma = if line.trim_end().ends_with(',') {
                ","
            } else {
                ""
            };
            format!("{} {nasty}{comma}", &line[..=at])
        }
        _ => format!("{line} {nasty}"),
    }
}

fn every_failure_has_its_place(failures: &[Failure], text: &str) {
    assert!(!failures.is_empty());
    for failure in failures {
        assert!(
            failure.place.is_some(),
            "{failure} has no place in:\n{text}"
        );
        assert!(!failure.to_string().is_empty() && !failure.to_string().contains('\n'));
    }
}

fn survives(folder: &str, ending: &str, read: &dyn Fn(&str) -> Result<(), Vec<Failure>>) {
    let mut random = Pcg64Mcg::seed_from_u64(1);
    for (path, text) in texts(folder, ending) {
        for _ in 0..ROUNDS {
            let text = damaged(&text, &mut random);
            if let Err(failures) = read(&text) {
                every_failure_has_its_place(&failures, &format!("{}\n{text}", path.display()));
            }
        }
    }
}

#[test]
fn damaged_scenarios_are_refused_at_their_places() {
    survives("cases", "toml", &|text| check::scenario(text).map(drop));
}

#[test]
fn damaged_hardware_is_refused_at_its_places() {
    survives("hardware/gpus", "toml", &check::hardware);
    survives("hardware/nodes", "toml", &check::hardware);
    survives("hardware/fabrics", "toml", &check::hardware);
    survives("hardware/clusters", "toml", &|text| {
        check::cluster(text).map(drop)
    });
}

#[test]
fn damaged_profiles_are_refused_at_their_places() {
    survives("profiles", "toml", &check::profile);
}

#[test]
fn damaged_models_are_refused() {
    let mut random = Pcg64Mcg::seed_from_u64(2);
    for (_, text) in texts("models", "json") {
        for _ in 0..ROUNDS {
            if let Err(error) = check::config(&damaged(&text, &mut random)) {
                assert!(!error.to_string().is_empty());
            }
        }
    }
}

#[test]
fn deep_and_long_texts_neither_overflow_nor_hang() {
    let deep = "[".repeat(100_000);
    let keys: Vec<String> = (0..100_000).map(|n| format!("k{n} = {n}")).collect();
    let keys = keys.join("\n");
    for text in [
        format!("a = {deep}"),
        format!("{}1{}", "{\"a\":".repeat(100_000), "}".repeat(100_000)),
        format!("{deep}{}", "]".repeat(100_000)),
        format!("[plan]\n{keys}"),
        format!("layer_split = [{}]", "1, ".repeat(200_000)),
        "[[stragglers]]\n".repeat(50_000),
    ] {
        let failures = check::scenario(&text).unwrap_err();
        assert!(failures.len() <= format::MAX_ERRORS);
        assert!(check::cluster(&text).is_err());
        assert!(check::profile(&text).is_err());
        assert!(check::config(&text).is_err());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn no_text_makes_a_reader_panic(text in "\\PC{0,200}") {
        let _ = check::scenario(&text);
        let _ = check::cluster(&text);
        let _ = check::hardware(&text);
        let _ = check::profile(&text);
        let _ = check::config(&text);
    }

    #[test]
    fn no_assignment_makes_a_reader_panic(text in "\\PC{0,60}|[a-z.0-9\\[\\]]{0,20}=[^\\n]{0,20}") {
        let layers = format::Layers {
            above: vec![format::Assignment::new("--set", text)],
            ..format::Layers::of(format::Source::new("scenario.toml", "[plan]\ntp = 1\n[[stragglers]]\n"))
        };
        if let Ok(document) = layers.join() {
            let _ = format::read_scenario(&document);
            let written = format::write::write(&document);
            format::tree::parse(&format::Source::new("again.toml", written)).unwrap();
        }
    }

    #[test]
    fn any_number_in_any_field_is_taken_or_refused(
        field in "(plan\\.(tp|pp|vp|cp|ep|etp|dp|micro_batch|interleave_group)|cluster\\.nodes|training\\.(global_batch|seq_len|packed|total_tokens)|settings\\.(seed|jitter))",
        number in prop_oneof![any::<i64>().prop_map(|n| n.to_string()),
            (0_i64..5000).prop_map(|n| n.to_string()), any::<f64>().prop_map(|x| format!("{x:?}"))],
    ) {
        let text = fs::read_to_string(scenarios().join("cases/llama3-8b-dgx-h100/scenario.toml")).unwrap();
        let number = number.replace("NaN", "nan");
        let layers = format::Layers {
            above: vec![format::Assignment::new("--set", format!("{field}={number}"))],
            ..format::Layers::of(format::Source::new("scenario.toml", text.clone()))
        };
        let document = layers.join().unwrap();
        if let Ok(spec) = format::read_scenario(&document) {
            let library = format::Library { files: &format::NoFiles, base: Path::new("") };
            if let Err(failures) = format::resolve("x", &spec, &document, &library) {
                every_failure_has_its_place(&failures, &text);
            }
        }
    }
}
