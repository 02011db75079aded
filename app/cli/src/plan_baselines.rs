//! What other methods would choose, for people and programs.

use serde_json::{Value, json};
use session::{Baseline, Planned, Simulated};

use crate::number::{duration, percent};
use crate::plan_report::signed;
use crate::table::{Side, Table};
use crate::terminal::Terminal;

/// A table of methods: what each chooses, what it predicts, and what the engine says of that.
pub(crate) fn text(baselines: &[Baseline], planned: &Planned, terminal: &Terminal) -> String {
    let mut table = Table::new(&[
        ("Method", Side::Left),
        ("tp", Side::Right),
        ("pp", Side::Right),
        ("dp", Side::Right),
        ("mbs", Side::Right),
        ("Recompute", Side::Left),
        ("It predicts", Side::Right),
        ("The engine says", Side::Right),
        ("Memory", Side::Right),
        ("Fits", Side::Left),
        ("Slower than the best", Side::Right),
    ]);
    for baseline in baselines {
        table.wide_row(row(baseline, planned));
    }
    format!(
        "## What other methods would choose\n\nOf tp, pp, dp and the micro-batch, with 1F1B and what the framework turns on by default. Passes take what our closed form says, as these \
         methods would profile them; bandwidths are those of data sheets, for Pipette measured ones where the cluster has them. AMP does not look at memory; Megatron's heuristic and Pipette use our memory model, with {} kept free.\n\n{}",
        percent(planned.margin.margin),
        table.render(terminal.width)
    )
}

fn row(baseline: &Baseline, planned: &Planned) -> Vec<String> {
    let method = format!("{} ({})", baseline.method.name(), baseline.method.source());
    let Some(pick) = &baseline.pick else {
        let mut cells = vec![method, "finds no plan".to_owned()];
        cells.resize(11, String::new());
        return cells;
    };
    let choice = &pick.simulated.evaluated.choice;
    let prediction = &pick.simulated.prediction;
    vec![
        method,
        choice.degrees.tp.to_string(),
        choice.degrees.pp.to_string(),
        choice.degrees.dp.to_string(),
        choice.micro_batch.to_string(),
        recompute(&pick.simulated),
        pick.predicted.map_or_else(|| "-".to_owned(), duration),
        duration(prediction.iteration_time_s),
        prediction.device_used_bytes.to_string(),
        match (pick.fits, prediction.fits) {
            (true, _) => "yes",
            (false, true) => "without the margin",
            (false, false) => "no",
        }
        .to_owned(),
        signed(slower(prediction.iteration_time_s, planned)),
    ]
}

/// What is computed again, as the plan says it: what is fixed stands in no choice.
fn recompute(plan: &Simulated) -> String {
    let given = plan.prediction.plan["recompute"].as_str();
    given.map_or_else(|| plan.evaluated.choice.recompute.words(), str::to_owned)
}

/// By how much a time is above that of the best plan, as a share.
fn slower(time: f64, planned: &Planned) -> f64 {
    time / planned.answer.plans[0].prediction.iteration_time_s - 1.0
}

/// The same as JSON: an entry for each method, with the whole prediction of its choice.
pub(crate) fn document(baselines: &[Baseline], planned: &Planned) -> Value {
    let entry = |baseline: &Baseline| {
        let pick = baseline.pick.as_ref();
        let prediction = pick.map(|pick| &pick.simulated.prediction);
        json!({
            "method": baseline.method.name(),
            "source": baseline.method.source(),
            "predicted_iteration_time_s": pick.and_then(|pick| pick.predicted),
            "iteration_time_s": prediction.map(|one| one.iteration_time_s),
            "fits": pick.map(|pick| pick.fits),
            "slower_than_best": prediction.map(|one| slower(one.iteration_time_s, planned)),
            "prediction": prediction,
        })
    };
    baselines.iter().map(entry).collect()
}
