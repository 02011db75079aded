//! `windtunnel plan` of a network workload: which load balancing is best.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::{Value, json};
use session::{
    Candidate, NETWORK_FIELDS, NetworkField, NetworkPlan, NetworkPlanError, NetworkPlans, Opened,
    SCENARIO_BASE, SCENARIO_TOML, ScenarioEngine,
};
use units::Seconds;

use crate::args::{Engine, PlanArgs};
use crate::commands::scenario::refuse;
use crate::commands::{Context, run};
use crate::exit::Exit;
use crate::number::{count, duration};
use crate::report::wrapped;
use crate::table::{Side, Table};
use crate::version;

/// Runs the candidates and hands over their order.
pub(super) fn answer(args: &PlanArgs, opened: &Opened, context: &Context) -> Result<Exit, Exit> {
    refuse_training_options(args, context)?;
    let fixed = fixed(&args.fix, context)?;
    let opened = match args.engine.map(engine) {
        None => opened.clone(),
        Some(engine) => opened.clone().on_engine(engine),
    };
    run::catch_interrupts();
    if let Some(seconds) = args.time_limit {
        run::stop_after(Duration::from_secs(seconds));
    }
    let found = run::watched(context, "searching", |control| {
        opened.plan_network(&fixed, control)
    });
    let found = found.map_err(|error| failed(&error, context))?;
    for warning in &found.warnings {
        context.warn(warning);
    }
    let text = if context.output.json {
        format!("{:#}\n", document(&opened, &found))
    } else {
        report(&found, context)
    };
    let handed_over = super::hand_over(&text, args, context)?;
    if handed_over == Exit::Done && found.partial && !run::is_timed_out() {
        return Ok(Exit::Interrupted);
    }
    Ok(handed_over)
}

/// What belongs to training.
fn refuse_training_options(args: &PlanArgs, context: &Context) -> Result<(), Exit> {
    let given = [
        ("--why-not", !args.why_not.is_empty()),
        ("--bandwidth", !args.bandwidth.is_empty()),
        ("--baselines", args.baselines),
        ("--table", args.table.is_some()),
    ];
    match given.iter().find(|(_, is_given)| *is_given) {
        None => Ok(()),
        Some((option, _)) => {
            let text = format!("{option} belongs to plans of training, not of network workloads");
            context.error(&text, None);
            Err(Exit::BadInput)
        }
    }
}

/// The fields that stay as they are.
fn fixed(names: &[String], context: &Context) -> Result<Vec<NetworkField>, Exit> {
    let field = |name: &String| {
        let plain = name.trim();
        let plain = plain.strip_prefix("network.").unwrap_or(plain);
        let plain = plain.strip_prefix("nccl.").unwrap_or(plain);
        let known = NETWORK_FIELDS.iter().find(|(known, _)| *known == plain);
        known.map(|(_, field)| *field).ok_or_else(|| {
            let all = NETWORK_FIELDS.map(|(known, _)| known).join(", ");
            context.error(
                &format!("--fix names `{name}`, which is not planned for network workloads"),
                Some(&format!("what is planned is {all}")),
            );
            Exit::BadInput
        })
    };
    names.iter().map(field).collect()
}

const fn engine(engine: Engine) -> ScenarioEngine {
    match engine {
        Engine::Estimate => ScenarioEngine::Estimate,
        Engine::Analytic => ScenarioEngine::Analytic,
        Engine::Flow => ScenarioEngine::Flow,
        Engine::Packet => ScenarioEngine::Packet,
    }
}

fn failed(error: &NetworkPlanError, context: &Context) -> Exit {
    match error {
        NetworkPlanError::Scenario(failures) => refuse(failures, context),
        NetworkPlanError::Nothing(_, hint) => {
            context.error(&error.to_string(), *hint);
            Exit::Failed
        }
        NetworkPlanError::Interrupted => {
            context.error(&error.to_string(), None);
            Exit::Interrupted
        }
    }
}

fn document(opened: &Opened, found: &NetworkPlans) -> Value {
    let base = opened.absolute_base();
    let plans = found.plans.iter().map(|plan| {
        let candidate = &plan.candidate;
        json!({
            "policy": candidate.policy,
            "split": candidate.split,
            "queue_pairs": candidate.queue_pairs,
            "makespan_s": plan.makespan.as_secs(),
            "makespan_worst_s": plan.worst.as_secs(),
            "runs": plan.runs,
            "over_ideal": found.ideal.map(|ideal| over(plan.makespan, ideal)),
            "max_congestion_s": plan.congestion.as_secs(),
            "max_congestion_ideal_s": found.ideal_congestion.as_secs(),
            "extra_pieces": plan.extra_pieces,
            "needs": plan.needs,
            "own": plan.is_own,
            "scenario": found.name,
            SCENARIO_TOML: plan.scenario,
            SCENARIO_BASE: base,
        })
    });
    let plans: Vec<Value> = plans.collect();
    let failed = found.failed.iter().map(|plan| {
        json!({
            "policy": plan.candidate.policy,
            "split": plan.candidate.split,
            "queue_pairs": plan.candidate.queue_pairs,
            "runs": plan.runs[1],
            "failed_runs": plan.runs[0],
            "error": plan.error,
            "hint": plan.hint,
        })
    });
    let failed: Vec<Value> = failed.collect();
    let excluded = found.excluded.iter();
    let excluded: Vec<Value> = excluded
        .map(|(reason, count)| json!({ "reason": reason, "count": count }))
        .collect();
    json!({
        "schema": 1,
        "best": 0,
        "plans": plans,
        "pareto": found.pareto,
        "evaluated": found.plans.len(),
        "failed": failed,
        "excluded": excluded,
        "partial": found.partial,
        "own": found.plans.iter().position(|plan| plan.is_own),
        "engine": found.engine,
        "scenario": found.name,
        "seed": found.seed,
        "assumptions": found.assumptions,
        "windtunnel": version::json(),
    })
}

fn over(time: Seconds, ideal: Seconds) -> f64 {
    if 0.0 < ideal.as_secs() {
        time.as_secs() / ideal.as_secs()
    } else {
        1.0
    }
}

/// The order for people.
fn report(found: &NetworkPlans, context: &Context) -> String {
    let best = &found.plans[0];
    let mut text = format!("# {}: load balancing\n\n", found.name);
    let _ = writeln!(
        text,
        "Best       {}, done after {}",
        words(&best.candidate),
        duration(best.makespan.as_secs())
    );
    let _ = writeln!(text, "It needs   {}", best.needs);
    if let Some(own) = found.plans.iter().find(|plan| plan.is_own) {
        let _ = writeln!(
            text,
            "Yours      {}, {}",
            words(&own.candidate),
            compared(own, best)
        );
    }
    if context.output.quiet {
        return text;
    }
    let _ = write!(text, "\n{}", table(found).render(context.stdout.width));
    for plan in &found.failed {
        let [failed, runs] = plan.runs;
        let line = format!(
            "fails: {} in {failed} of {runs} runs: {}",
            words(&plan.candidate),
            plan.error
        );
        let _ = write!(text, "\n{}\n", wrapped(&line, context.stdout.width));
    }
    for (reason, n) in &found.excluded {
        let _ = writeln!(text, "\nnot run: {n}, since {reason}");
    }
    if found.partial {
        text.push_str("\nstopped before every run had ended: this is the best so far\n");
    }
    let end = format!(
        "Engine {}, seed {}. Policies that hash ran with several seeds: median and worst. `x spray` is the \
         time over that of spraying, `x load` what the fullest link carries over what it carries when \
         everything is sprayed.",
        found.engine, found.seed
    );
    let next = "`windtunnel plan --json > plans.json`, then `windtunnel export plans.json --rank K --to nccl` \
                or `--to flow-table` write what to set up.";
    for line in [end.as_str(), next] {
        let _ = write!(text, "\n{}\n", wrapped(line, context.stdout.width));
    }
    text
}

fn words(candidate: &Candidate) -> String {
    let split = candidate.split.map(|split| format!(" {split}"));
    let pairs = candidate.queue_pairs.map(|k| format!(" of {k}"));
    format!(
        "{}{}{}",
        candidate.policy,
        split.unwrap_or_default(),
        pairs.unwrap_or_default()
    )
}

fn compared(own: &NetworkPlan, best: &NetworkPlan) -> String {
    let ratio = over(own.makespan, best.makespan);
    if ratio <= 1.005 {
        "which takes the same".to_owned()
    } else {
        format!("{ratio:.2} times that")
    }
}

fn table(found: &NetworkPlans) -> Table {
    let mut table = Table::new(&[
        ("#", Side::Right),
        ("policy", Side::Left),
        ("done after", Side::Right),
        ("worst", Side::Right),
        ("x spray", Side::Right),
        ("x load", Side::Right),
        ("more pieces", Side::Right),
        ("needs", Side::Left),
    ]);
    for (at, plan) in found.plans.iter().enumerate() {
        let ratio = |time: Option<Seconds>, ideal: Option<Seconds>| match (time, ideal) {
            (Some(time), Some(ideal)) => format!("{:.3}", over(time, ideal)),
            _ => "-".to_owned(),
        };
        let worst = if plan.runs < 2 {
            "-".to_owned()
        } else {
            duration(plan.worst.as_secs())
        };
        table.row([
            at.to_string(),
            words(&plan.candidate),
            duration(plan.makespan.as_secs()),
            worst,
            ratio(Some(plan.makespan), found.ideal),
            ratio(Some(plan.congestion), Some(found.ideal_congestion)),
            plan.extra_pieces
                .map_or_else(|| "every packet".to_owned(), count),
            plan.needs.clone(),
        ]);
    }
    table
}
