//! The closed form and the analytic engine on random plans: where they differ, the closed form
//! says why.

mod space;

use std::path::PathBuf;

use predict::{Doubt, Engine, Estimator, Record, Scenario, predict};
use session::{Request, open};
use units::Control;

use space::{Family, drawn};

/// Plans of a family.
const EACH: usize = 100;
/// What "agrees" means.
const TOLERANCE: f64 = 0.02;

/// What formulas and rehearsals make of one plan, over what the analytic engine does, less one.
struct Verdict {
    text: String,
    formula: f64,
    doubt: Option<Doubt>,
    rehearsed: f64,
    left: Option<Doubt>,
    memory: f64,
    sum: f64,
}

/// The scenario of a text; none where it cannot be run.
fn scenario(text: &str, number: usize) -> Option<Scenario> {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let path = folder.join(format!("agreement-{number}.toml"));
    std::fs::write(&path, text).expect("the folder for temporary files can be written");
    let request = Request {
        scenario: path,
        ..Request::default()
    };
    let opened = open(&request).unwrap_or_else(|failures| panic!("{text}\n{failures:#?}"));
    opened.ready().ok().map(|ready| ready.scenario)
}

fn verdict(text: String, mut scenario: Scenario) -> Verdict {
    scenario.settings.engine = Engine::Analytic;
    let control = Control::new();
    let engine = predict(&scenario, Record::Totals, &control);
    let engine = engine
        .unwrap_or_else(|error| panic!("{error}\n{text}"))
        .prediction;
    let mut estimator = Estimator::new(&scenario);
    let formula = estimator.estimate(&scenario.plan);
    let rehearsed = estimator
        .rehearsed(&scenario.plan, &control)
        .expect("as the plan");
    let over = |secs: f64| secs / engine.iteration_time_s - 1.0;
    let peak = engine.peak_allocated_bytes.as_f64();
    Verdict {
        text,
        formula: over(formula.iteration_time_s),
        doubt: formula.doubt,
        rehearsed: over(rehearsed.iteration_time_s),
        left: rehearsed.doubt,
        memory: rehearsed.peak_allocated.as_f64() / peak - 1.0,
        sum: rehearsed.breakdown.total() / rehearsed.iteration_time_s - 1.0,
    }
}

fn verdicts(family: Family) -> Vec<Verdict> {
    let mut found = Vec::new();
    let mut seed = 0;
    while found.len() < EACH {
        seed += 1;
        assert!(seed < 100 * EACH as u64, "{family:?} can hardly be drawn");
        let text = drawn(family, seed);
        if let Some(scenario) = scenario(&text, family as usize) {
            found.push(verdict(text, scenario));
        }
    }
    found
}

/// How the plans of a family came out.
#[derive(Clone, Copy, Debug, Default)]
struct Row {
    /// By formulas alone within the tolerance.
    formula: usize,
    /// Where the formulas say that they may be off.
    doubted: usize,
    /// By `engine = "estimate"` within the tolerance.
    estimate: usize,
    /// Peaks of memory by `engine = "estimate"` within 3 %.
    memory: usize,
}

/// Families are apart from each other, so that each machine finds the same hundred plans of each.
fn row(family: Family) -> Row {
    let mut row = Row::default();
    for v in verdicts(family) {
        let within = |error: f64| error.abs() <= TOLERANCE;
        assert!(
            v.sum.abs() < 1e-9,
            "a breakdown misses by {}\n{}",
            v.sum,
            v.text
        );
        assert!(
            v.doubt.is_some() || within(v.formula),
            "formulas are off by {:+.4} and do not say so\n{}",
            v.formula,
            v.text
        );
        assert!(
            v.left.is_some() || within(v.rehearsed),
            "the estimate is off by {:+.4} and does not say so\n{}",
            v.rehearsed,
            v.text
        );
        row.formula += usize::from(within(v.formula));
        row.doubted += usize::from(v.doubt.is_some());
        row.estimate += usize::from(within(v.rehearsed));
        row.memory += usize::from(v.memory.abs() < 0.03);
    }
    row
}

#[test]
fn the_closed_form_agrees_with_the_engine_on_a_thousand_random_plans_or_says_why() {
    let (mut estimates, mut plain) = (0, 0);
    for family in Family::ALL {
        let row = row(family);
        println!("{family:?}: {row:?} of {EACH}");
        estimates += row.estimate;
        plain += EACH - row.doubted;
    }
    let plans = EACH * Family::ALL.len();
    // All 1,000 when this was written.
    assert!(plans * 98 <= estimates * 100, "{estimates} of {plans}");
    // Formulas alone stood for 355 plans when this was written: five of the ten families are such
    // that they always or mostly doubt themselves.
    assert!(plans * 3 <= plain * 10, "{plain} of {plans} without doubt");
}
