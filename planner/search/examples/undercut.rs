//! By how much engines undercut closed forms in doubt, by the reason for doubt (of sharded passes by
//! schedule and shards as well): what the shortlist takes as the best that a plan can be.
//!
//! ```sh
//! cargo run --release -p search --example undercut -- scenarios/cases/llama3-8b-fsdp-64-a100/scenario.toml
//! ```

use std::collections::BTreeMap;
use std::path::Path;

use format::Files as _;
use format::{Disk, Layers, Library, SCENARIO_LIMIT, read_whole_scenario, resolve_planning};
use plan::Plan;
use predict::{Doubt, Estimator};
use search::{Reach, Request, evaluated_plans};
use units::Control;

/// Plans that are looked at of each scenario.
const SAMPLE: usize = 150;

fn main() {
    let mut by_doubt: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for path in std::env::args().skip(1) {
        let path = Path::new(&path);
        let source = Disk.read(path, SCENARIO_LIMIT).expect("a file");
        let layers = Layers {
            user: None,
            scenario: source,
            above: Vec::new(),
        };
        let document = layers.join().expect("well-formed TOML");
        let base = path.parent().expect("a folder");
        let library = Library { files: &Disk, base };
        let spec = read_whole_scenario(&document, &library).expect("a scenario");
        let planning =
            resolve_planning("sample", &spec, &document, &library, &[]).expect("a scenario");
        let request = Request {
            scenario: &planning.scenario,
            given: &planning.given,
            fixed: &planning.fixed,
            offers: &planning.offers,
            margin: 0.05,
            engine: predict::Engine::Analytic,
        };
        let (mut doubtful, _) = evaluated_plans(&request, Reach::All, &Control::new());
        doubtful.retain(|plan| plan.fits && plan.doubt.is_some());
        let best = doubtful
            .iter()
            .map(|plan| plan.time)
            .fold(f64::INFINITY, f64::min);
        doubtful.retain(|plan| plan.time < 3.0 * best);
        let step = (doubtful.len() / SAMPLE).max(1);
        let mut estimator = Estimator::new(&planning.scenario);
        for plan in doubtful.iter().step_by(step) {
            let spec = plan.choice.spec(&planning.given, &planning.fixed);
            let checked = Plan::check(&spec, &planning.scenario.job, &planning.scenario.cluster);
            let checked = checked.expect("it was checked before").plan;
            let rehearsed = estimator
                .rehearsed(&checked, &Control::new())
                .expect("a run");
            let doubt = plan.doubt.expect("it is in doubt");
            let undercut = 1.0 - rehearsed.iteration_time_s / plan.time;
            let whole = format!("{doubt:?}");
            if doubt == Doubt::ShardedPasses {
                let choice = &plan.choice;
                let shard = choice.shard.words();
                let shard = shard.split(' ').next().unwrap_or_default();
                let part = format!("{whole}, {}, {shard}", choice.schedule.name());
                by_doubt.entry(part).or_default().push(undercut);
            }
            by_doubt.entry(whole).or_default().push(undercut);
        }
    }
    for (doubt, mut all) in by_doubt {
        all.sort_by(f64::total_cmp);
        let at = |percent: usize| 100.0 * all[(all.len() - 1) * percent / 100];
        println!(
            "{doubt}: {} plans; engines undercut the formula by {:.1} % (least), {:.1} % (10th percentile), {:.1} % (median), {:.1} % (90th), {:.1} % (99th), {:.1} % (most)",
            all.len(),
            at(0),
            at(10),
            at(50),
            at(90),
            at(99),
            at(100)
        );
    }
}
