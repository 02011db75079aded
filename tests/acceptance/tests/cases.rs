//! Every case of `scenarios/cases`, against what its `expected.toml` says.

use std::fs;
use std::path::{Path, PathBuf};

use acceptance::scenarios::{answer, cases, from_root, name_of, number, opened};
use serde::Deserialize;
use serde_json::Value;
use session::{Record, link_tracks};
use units::Control;

/// What a case must answer.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    /// Whether it fits into the memory of its GPUs.
    fits: bool,
    /// Figures, each with its bounds.
    expect: Vec<Expect>,
}

/// One figure: a value with a relative tolerance, or bounds.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expect {
    /// The path of its key in the JSON of the prediction.
    quantity: String,
    /// The path of what it is divided by.
    over: Option<String>,
    value: Option<f64>,
    within: Option<f64>,
    min: Option<f64>,
    max: Option<f64>,
    /// Where the value or the bounds are from.
    source: String,
}

impl Expect {
    /// The least and the largest value that passes.
    fn bounds(&self) -> (f64, f64) {
        match (self.value, self.within) {
            (Some(value), Some(within)) => {
                assert!(self.min.is_none() && self.max.is_none(), "{self:?}");
                (value * (1.0 - within), value * (1.0 + within))
            }
            (None, None) => {
                assert!(self.min.is_some() || self.max.is_some(), "{self:?}");
                (
                    self.min.unwrap_or(f64::NEG_INFINITY),
                    self.max.unwrap_or(f64::INFINITY),
                )
            }
            _ => panic!("{self:?} has a value without a tolerance, or the other way around"),
        }
    }

    fn found(&self, answer: &Value) -> f64 {
        let over = self.over.as_ref().map_or(1.0, |over| number(answer, over));
        number(answer, &self.quantity) / over
    }

    /// What is wrong with an answer.
    fn failure(&self, answer: &Value) -> Option<String> {
        let ((min, max), found) = (self.bounds(), self.found(answer));
        let over = self.over.as_ref().map(|over| format!(" over {over}"));
        let quantity = &self.quantity;
        (!(min..=max).contains(&found)).then(|| {
            format!(
                "{quantity}{} is {found:.4}, not from {min:.4} to {max:.4} ({})",
                over.unwrap_or_default(),
                self.source
            )
        })
    }
}

fn expected(case: &Path) -> Expected {
    let path = case.join("expected.toml");
    let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn every_case_answers_what_it_is_expected_to() {
    let mut failures = Vec::new();
    for case in cases() {
        let (expected, answer) = (expected(&case), answer(&case, &[]));
        if answer["fits"] != expected.fits {
            failures.push(format!("{}: fits is {}", name_of(&case), answer["fits"]));
        }
        let figures = expected.expect.iter();
        let wrong = figures.filter_map(|expect| expect.failure(&answer));
        failures.extend(wrong.map(|failure| format!("{}: {failure}", name_of(&case))));
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn every_case_is_an_example_with_sources() {
    for case in cases() {
        let name = name_of(&case);
        let read = fs::read_to_string(case.join("README.md"));
        let readme = read.unwrap_or_else(|error| panic!("{name}/README.md: {error}"));
        assert!(readme.starts_with("# "), "{name}/README.md has no title");
        for part in ["## Where the figures are from", "## What is assumed"] {
            assert!(readme.contains(part), "{name}/README.md has no {part:?}");
        }
        for expect in expected(&case).expect {
            assert!(!expect.source.is_empty(), "{name}: {}", expect.quantity);
            expect.bounds();
        }
    }
}

/// Whether jobs run beside a case's own.
fn has_neighbors(case: &Path) -> bool {
    !opened(case, &[]).spec.background.is_empty()
}

#[test]
fn engines_agree_on_every_case() {
    // Without contention beyond what the closed forms know, the flow engine may be slower alone.
    // Where jobs share links, only the flow engine sees that they do.
    let alone = |case: &PathBuf| !has_neighbors(case);
    for case in cases().into_iter().filter(alone) {
        let time = |engine: &str| {
            let engine = format!("settings.engine={engine:?}");
            number(&answer(&case, &[&engine]), "iteration_time_s")
        };
        let (analytic, flow) = (time("analytic"), time("flow"));
        let name = name_of(&case);
        assert!(
            0.999 * analytic <= flow && flow <= 1.05 * analytic,
            "{name}: analytic {analytic} s, flow {flow} s"
        );
    }
}

/// The iteration time of the straggler's case with its GPU at a speed.
fn with_straggler(gpu: &str, speed: f64) -> f64 {
    let case = from_root("scenarios/cases/llama3-70b-straggler");
    let straggler = format!("stragglers=[{{ gpu = {gpu:?}, speed = {speed:?} }}]");
    let set = [straggler.as_str(), "settings.engine=\"analytic\""];
    number(&answer(&case, &set), "iteration_time_s")
}

#[test]
fn a_slow_gpu_costs_at_most_its_slowness_and_holds_up_its_whole_group() {
    let usual = with_straggler("n15g3", 1.0);
    let alone = from_root("scenarios/cases/llama3-70b-dgx-h100");
    let same = number(
        &answer(&alone, &["settings.engine=\"analytic\""]),
        "iteration_time_s",
    );
    assert!((usual / same - 1.0).abs() < 1e-9, "{usual} s, {same} s");
    let mut last = usual;
    for speed in [0.95, 0.8, 0.5] {
        let time = with_straggler("n15g3", speed);
        assert!(last < time && time <= usual / speed, "{speed}: {time} s");
        last = time;
    }
    // The last stage has the head besides its layers, so it hides nothing of a delay.
    let compute = number(&answer(&alone, &[]), "breakdown.compute_s");
    let time = with_straggler("n15g3", 0.8);
    let expected = usual + compute * (1.0 / 0.8 - 1.0);
    assert!(
        (time / expected - 1.0).abs() < 0.03,
        "{time} s, {expected} s"
    );
    // Which GPU of a tensor-parallel group is slow makes no difference.
    let other = with_straggler("n15g6", 0.8);
    assert!((time / other - 1.0).abs() < 1e-9, "{time} s, {other} s");
    // A stage with slack passes on less.
    assert!(with_straggler("n5g3", 0.8) < time);
}

#[test]
fn a_job_beside_another_has_at_least_half_of_every_link() {
    let case = from_root("scenarios/cases/two-jobs-one-fabric");
    let times = |oversubscription: &str, of: &str| {
        let set = format!("cluster.fabric.oversubscription={oversubscription}");
        let answer = answer(&case, &[&set]);
        [0, 1].map(|job| number(&answer, &format!("jobs.{job}.{of}")))
    };
    let (together, halved) = (times("4", "iteration_time_s"), times("8", "alone_s"));
    let (free, free_alone) = (times("1", "iteration_time_s"), times("1", "alone_s"));
    for job in 0..2 {
        assert!(together[job] <= halved[job], "{together:?} s, {halved:?} s");
        assert!(
            (free[job] / free_alone[job] - 1.0).abs() < 1e-3,
            "{free:?} s"
        );
        assert!(free[job] < together[job], "{free:?} s, {together:?} s");
    }
}

#[test]
fn links_that_two_jobs_share_carry_both_at_once_and_never_more_than_their_rate() {
    let case = from_root("scenarios/cases/two-jobs-one-fabric");
    let ready = opened(&case, &[]).ready().expect("the case is sound");
    let outcome = ready.run_links(Record::Totals, &Control::new());
    let links = outcome
        .expect("it runs")
        .links
        .expect("the engine knows them");
    let busiest = &links.links[0];
    assert!(busiest.name.starts_with("leaf1->spine"), "{}", busiest.name);
    let tracks = link_tracks(&ready.scenario, &links, 4);
    for track in &tracks {
        assert!(track.name.starts_with("leaf1->spine"), "{}", track.name);
        assert_eq!(track.kinds.len(), 2, "{:?}", track.kinds);
        let sums = track
            .levels
            .iter()
            .map(|level| level.rates.iter().sum::<f64>());
        let most = track.rate.as_f64() * (1.0 + 1e-9);
        assert!(sums.clone().all(|sum| sum <= most), "{}", track.name);
        let both = |rates: &[f64]| rates.iter().all(|rate| 0.0 < *rate);
        assert!(track.levels.iter().any(|level| both(&level.rates)));
    }
}

#[test]
fn the_page_of_cases_names_them_all() {
    let page = fs::read_to_string(from_root("docs/cases.md")).expect("the page is there");
    for case in cases() {
        let link = format!("(../scenarios/cases/{})", name_of(&case));
        assert!(
            page.contains(&link),
            "docs/cases.md lacks {link}: print it again"
        );
    }
}
