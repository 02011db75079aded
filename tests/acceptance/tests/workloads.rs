//! Network workloads: the study of packet spraying against single path says what the paper claims.

use std::collections::BTreeMap;
use std::fs;

use acceptance::scenarios::from_root;
use serde::Deserialize;
use session::{Assignment, CaseResult, Request, open_sweep};
use units::Control;

const CASE: &str = "scenarios/cases/spray-vs-singlepath";

/// What a sweep must answer.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    /// Which cases, in place of those of the scenario.
    sweep: String,
    compare: Vec<Compare>,
}

/// Completion times of a policy over those of another under one transport.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Compare {
    transport: String,
    of: String,
    over: String,
    min: Option<f64>,
    max: Option<f64>,
    source: String,
}

#[test]
fn single_path_beats_spraying_under_go_back_n_and_equals_it_under_selective_repeat() {
    let text = fs::read_to_string(from_root(CASE).join("expected.toml")).expect("it is there");
    let expected: Expected = toml::from_str(&text).expect("it is well formed");
    let request = Request {
        scenario: from_root(CASE),
        above: vec![Assignment::new("test", format!("sweep={}", expected.sweep))],
        ..Request::default()
    };
    let sweep = open_sweep(&request).expect("the sweep is well formed");
    let mut times: BTreeMap<(&str, &str), f64> = BTreeMap::new();
    let results = sweep.run(&Control::new());
    for (case, result) in sweep.cases.iter().zip(&results) {
        let CaseResult::Traffic(answer) = result else {
            panic!("{case:?} gives {result:?}");
        };
        let [transport, policy] = [0, 1].map(|at| case[at].trim_matches('"'));
        times.insert((transport, policy), answer.makespan.as_seconds().as_secs());
    }
    let mut wrong = Vec::new();
    for compare in &expected.compare {
        assert!(
            compare.min.is_some() || compare.max.is_some(),
            "{compare:?}"
        );
        let time = |policy: &str| times[&(compare.transport.as_str(), policy)];
        let ratio = time(&compare.of) / time(&compare.over);
        let (min, max) = (compare.min.unwrap_or(0.0), compare.max.unwrap_or(f64::MAX));
        if !(min..=max).contains(&ratio) {
            wrong.push(format!("{ratio:.3}: {compare:?} ({})", compare.source));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_file_of_the_study_opens_with_as_many_cases_as_its_page_says() {
    let readme = fs::read_to_string(from_root(CASE).join("README.md")).expect("it is there");
    for file in ["scenario.toml", "flows.toml", "packets.toml"] {
        let request = Request {
            scenario: from_root(CASE).join(file),
            ..Request::default()
        };
        let sweep = open_sweep(&request).expect("the file is well formed");
        let opened = sweep
            .open_case(&sweep.cases[0])
            .expect("a case is well formed");
        opened.traffic().expect("a case can run");
        let line = readme
            .lines()
            .find(|line| line.contains(&format!("`{file}`")));
        let count = line.and_then(|line| line.rsplit('|').nth(1));
        let count = count.map(|cell| cell.trim().replace(',', ""));
        assert_eq!(count, Some(sweep.cases.len().to_string()), "{file}");
    }
}
