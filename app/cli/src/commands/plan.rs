//! `windtunnel plan`: the best parallel configuration.

mod network;

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use session::{
    Baseline, Measured, NoPlan, Opened, PlanField, Planned, Planning, Prediction, SCENARIO_BASE,
    SCENARIO_TOML, SearchError, Tally, WhatIf, WhyNotError, baselines, check, remedies, save,
    sensitivity,
};

use crate::args::{Engine, PlanArgs};
use crate::commands::scenario::{assigned, open_request, refuse, request, warn_of_sweep};
use crate::commands::{Context, existing, refuse_save, run};
use crate::exit::Exit;
use crate::plan_baselines;
use crate::plan_report::{Report, compared, no_plan, remedies_in_words};
use crate::plan_table::{self, Form, TableError};
use crate::version;

/// Searches the plans of a scenario and prints what was found.
pub(crate) fn plan(args: &PlanArgs, context: &Context) -> Exit {
    match answer(args, context) {
        Ok(exit) | Err(exit) => exit,
    }
}

fn answer(args: &PlanArgs, context: &Context) -> Result<Exit, Exit> {
    for path in output(args).into_iter().chain(args.table.as_deref()) {
        check(path, existing(args.force)).map_err(|error| refuse_save(&error, context))?;
    }
    let table = table(args, context)?;
    let mut above = assigned("--set", &args.set);
    if let Some(seed) = args.seed {
        above.extend(assigned("--seed", &[format!("settings.seed={seed}")]));
    }
    let request = request(&args.scenario, above);
    let opened = open_request(&request, context)?;
    warn_of_sweep(&opened, context);
    if opened.is_traffic() {
        return network::answer(args, &opened, context);
    }
    let fixed = fields("--fix", &args.fix, context)?;
    let planning = planning(&opened, &fixed, context)?;
    let engine = engine(args.engine);
    let measured = measured(args, &planning, context)?;
    if let Some(seconds) = args.time_limit {
        run::stop_after(Duration::from_secs(seconds));
    }
    let planned = run::watched(context, "searching", |control| {
        opened.plan(planning.clone(), engine, &measured, control)
    });
    let planned = match planned {
        Ok(planned) => planned,
        Err(error) => return failed(&error, args, (&opened, &planning), context),
    };
    if let Some((path, form)) = table {
        let bytes = form(&planned.answer.evaluated)
            .map_err(|error| refuse_table(&error, Exit::Failed, context))?;
        save(path, existing(args.force), |out| out.write_all(&bytes))
            .map_err(|error| refuse_save(&error, context))?;
    }
    if !args.why_not.is_empty() {
        return why_not(args, &opened, &planned, context);
    }
    let what_if = run::watched(context, "varying", |control| {
        let best = &planned.answer.plans[0];
        sensitivity(&opened, &planned.planning, best, control)
    });
    let what_if = what_if.map_err(|error| run::failed(&error, context))?;
    let others = others(args, &planned, engine, context)?;
    let text = if context.output.json {
        if !planned.carries_rates() {
            context.warn("the rates of --bandwidth are too many for `scenario_toml` to carry");
        }
        let mut document = document(&opened, &planned, &what_if);
        if let Some(others) = &others {
            document["baselines"] = plan_baselines::document(others, &planned);
        }
        format!("{document:#}\n")
    } else {
        let report = Report {
            planned: &planned,
            what_if: &what_if,
            others: others.as_deref(),
            terminal: &context.stdout,
        };
        report.text(context.output.verbose, context.output.quiet)
    };
    let handed_over = hand_over(&text, args, context)?;
    if handed_over == Exit::Done && planned.answer.partial && !run::is_timed_out() {
        return Ok(Exit::Interrupted);
    }
    Ok(handed_over)
}

/// The file that gets the result; none where standard output does.
fn output(args: &PlanArgs) -> Option<&Path> {
    args.output
        .as_deref()
        .filter(|path| *path != Path::new("-"))
}

/// Hands over the result where the command line wants it.
fn hand_over(text: &str, args: &PlanArgs, context: &Context) -> Result<Exit, Exit> {
    context.hand_over(text, output(args), existing(args.force))
}

/// Where the table goes, and in which form: told before anything is searched.
fn table<'a>(args: &'a PlanArgs, context: &Context) -> Result<Option<(&'a Path, Form)>, Exit> {
    let Some(path) = args.table.as_deref() else {
        return Ok(None);
    };
    let form = plan_table::form(path);
    let form = form.map_err(|error| refuse_table(&error, Exit::BadInput, context))?;
    Ok(Some((path, form)))
}

fn refuse_table(error: &TableError, exit: Exit, context: &Context) -> Exit {
    context.error(&error.to_string(), error.hint());
    exit
}

/// What other methods choose, where that is asked for and the search came to its end.
fn others(
    args: &PlanArgs,
    planned: &Planned,
    engine: session::Engine,
    context: &Context,
) -> Result<Option<Vec<Baseline>>, Exit> {
    if !args.baselines {
        return Ok(None);
    }
    if planned.answer.partial {
        context.warn("the search was stopped, so other methods were not asked");
        return Ok(None);
    }
    let found = run::watched(context, "asking other methods", |control| {
        baselines(&planned.planning, engine, control)
    });
    match found {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.is_interrupted() => {
            context.warn("stopped before other methods were asked");
            Ok(None)
        }
        Err(error) => Err(run::failed(&error, context)),
    }
}

/// The fields of those names.
fn fields(option: &str, names: &[String], context: &Context) -> Result<Vec<PlanField>, Exit> {
    let field = |name: &String| {
        PlanField::from_name(name.trim()).ok_or_else(|| no_field(option, name, context))
    };
    names.iter().map(field).collect()
}

fn no_field(option: &str, name: &str, context: &Context) -> Exit {
    let all = PlanField::ALL.map(PlanField::name).join(", ");
    context.error(
        &format!("{option} names `{name}`, which is no field of a plan"),
        Some(&format!("a plan has {all}")),
    );
    Exit::BadInput
}

fn planning(opened: &Opened, fixed: &[PlanField], context: &Context) -> Result<Planning, Exit> {
    run::catch_interrupts();
    let planning = opened
        .planning(fixed)
        .map_err(|failures| refuse(&failures, context))?;
    for warning in &planning.warnings {
        context.warn(warning);
    }
    Ok(planning)
}

/// The cluster with its links as the files of the command line say.
fn measured(
    args: &PlanArgs,
    planning: &Planning,
    context: &Context,
) -> Result<Vec<Measured>, Exit> {
    let mut all = Vec::new();
    for path in &args.bandwidth {
        let found = session::measured(path, &planning.scenario.cluster);
        all.extend(found.map_err(|error| {
            context.error(&format!("--bandwidth: {error}"), error.hint().as_deref());
            Exit::BadInput
        })?);
    }
    Ok(all)
}

const fn engine(engine: Option<Engine>) -> session::Engine {
    match engine {
        Some(Engine::Estimate) => session::Engine::Estimate,
        None | Some(Engine::Analytic) => session::Engine::Analytic,
        Some(Engine::Flow) => session::Engine::Flow,
        Some(Engine::Packet) => session::Engine::Packet,
    }
}

/// Says why no plan with some values is recommended.
fn why_not(
    args: &PlanArgs,
    opened: &Opened,
    planned: &Planned,
    context: &Context,
) -> Result<Exit, Exit> {
    let mut values = Vec::new();
    for text in &args.why_not {
        let Some((name, value)) = text.split_once('=') else {
            context.error(
                &format!("--why-not {text}: there is no value"),
                Some("ask for one, such as --why-not tp=8"),
            );
            return Err(Exit::BadInput);
        };
        values.push((name.trim(), value.trim()));
    }
    let engine = engine(args.engine);
    let answer = run::watched(context, "searching", |control| {
        opened.why_not(planned, &values, "--why-not", engine, control)
    });
    let best = match answer {
        Ok(answer) => answer.best,
        Err(WhyNotError::NoField { field }) => {
            return Err(no_field("--why-not", &field, context));
        }
        Err(WhyNotError::Refused(failures)) => return Err(refuse(&failures, context)),
        Err(WhyNotError::Search(error)) => return Err(stopped(&error, context)),
        Err(error) => {
            context.error(&error.to_string(), None);
            return Err(Exit::Failed);
        }
    };
    let asked = args.why_not.join(", ");
    let text = match best {
        Ok(other) if context.output.json => {
            let answer = &other.answer;
            let evaluated = answer.n_with_room();
            let with = Some(&answer.plans[0].prediction);
            why_not_json(args, planned, with, (evaluated, &answer.excluded))
        }
        Ok(other) => compared(&asked, planned, &other, &context.stdout),
        Err(nothing) if context.output.json => {
            why_not_json(args, planned, None, (nothing.evaluated, &nothing.excluded))
        }
        Err(nothing) => {
            let table =
                crate::plan_report::excluded(&nothing.excluded, nothing.evaluated, &context.stdout);
            format!("# No plan with {asked} is possible\n\n{table}")
        }
    };
    hand_over(&text, args, context)
}

/// What is said of plans with some values to programs.
///
/// * `with` — the best of them; none where there is none.
fn why_not_json(
    args: &PlanArgs,
    planned: &Planned,
    with: Option<&Prediction>,
    (evaluated, tally): (u64, &Tally),
) -> String {
    let document = json!({
        "schema": 1,
        "why_not": args.why_not,
        "best": planned.answer.plans[0].prediction,
        "best_with": with,
        "evaluated": evaluated,
        "excluded": excluded(tally),
    });
    format!("{document:#}\n")
}

/// Says why there is no plan.
fn failed(
    error: &SearchError,
    args: &PlanArgs,
    asked: (&Opened, &Planning),
    context: &Context,
) -> Result<Exit, Exit> {
    match error {
        SearchError::NoPlan(nothing) => infeasible(nothing, args, asked, context),
        _ => Err(stopped(error, context)),
    }
}

/// Says why a search ended, other than that no plan fits.
fn stopped(error: &SearchError, context: &Context) -> Exit {
    match error {
        SearchError::Predict(error) => run::failed(error, context),
        SearchError::Placement(_) => {
            context.error(&error.to_string(), None);
            Exit::Failed
        }
        _ => {
            context.error(&error.to_string(), None);
            Exit::Interrupted
        }
    }
}

fn infeasible(
    nothing: &NoPlan,
    args: &PlanArgs,
    (opened, planning): (&Opened, &Planning),
    context: &Context,
) -> Result<Exit, Exit> {
    let message = no_plan(nothing, planning);
    let found = run::watched(context, "looking for what would fit", |control| {
        remedies(opened, planning, control)
    });
    context.error(&message, Some(&remedies_in_words(&found)));
    let text = if context.output.json {
        let document = json!({
            "schema": 1,
            "best": null,
            "plans": [],
            "pareto": [],
            "evaluated": nothing.evaluated,
            "excluded": excluded(&nothing.excluded),
            "partial": false,
            "error": message,
            "remedies": found.iter().map(|one| json!({
                "change": one.change,
                "iteration_time_s": one.time,
                "offloads_optimizer": one.offloads,
            })).collect::<Vec<Value>>(),
        });
        format!("{document:#}\n")
    } else {
        crate::plan_report::excluded(&nothing.excluded, nothing.evaluated, &context.stdout)
    };
    match hand_over(&text, args, context)? {
        Exit::Done => Ok(Exit::NoFeasiblePlan),
        other => Ok(other),
    }
}

fn excluded(tally: &Tally) -> Vec<Value> {
    let all = tally.by_count().into_iter();
    all.map(|(reason, count)| json!({ "reason": reason.to_string(), "count": count }))
        .collect()
}

fn document(opened: &Opened, planned: &Planned, what_if: &[WhatIf]) -> Value {
    let answer = &planned.answer;
    let base = opened.absolute_base();
    let plans = answer.plans.iter().enumerate().map(|(at, plan)| {
        let mut prediction = json!(plan.prediction);
        prediction["scenario"] = json!(planned.planning.scenario.name);
        prediction[SCENARIO_TOML] = json!(planned.scenario_of(opened, at));
        prediction[SCENARIO_BASE] = json!(base);
        prediction
    });
    let plans: Vec<Value> = plans.collect();
    let what_if: Vec<Value> = what_if
        .iter()
        .map(|one| {
            let prediction = one.prediction.as_ref();
            json!({
                "field": one.field,
                "value": one.value,
                "iteration_time_s": prediction.map(|one| one.iteration_time_s),
                "tokens_per_s_per_gpu": prediction.map(|one| one.tokens_per_s_per_gpu),
                "fits": prediction.map(|one| one.fits),
            })
        })
        .collect();
    let scenario = &planned.planning.scenario;
    json!({
        "schema": 1,
        "best": 0,
        "plans": plans,
        "pareto": answer.pareto,
        "evaluated": answer.n_with_room(),
        "excluded": excluded(&answer.excluded),
        "partial": answer.partial,
        "settled": answer.settled,
        "gap": answer.gap,
        "own": planned.own,
        "placement": crate::placement::json(planned),
        "sensitivity": what_if,
        "memory_margin": planned.margin.margin,
        "memory_margin_source": planned.margin.source,
        "scenario": scenario.name,
        "seed": scenario.settings.seed,
        "windtunnel": version::json(),
    })
}
