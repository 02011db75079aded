//! `windtunnel plan`: the best parallel configuration.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};
use session::{
    Existing, NoPlan, Opened, PlanField, Planned, Planning, Request, SearchError, WhatIf, check,
    save, sensitivity,
};

use crate::args::{Engine, PlanArgs};
use crate::commands::scenario::{assigned, open_request, refuse, request};
use crate::commands::{Context, refuse_save, run};
use crate::exit::Exit;
use crate::plan_report::{Report, no_plan};
use crate::version;

/// Searches the plans of a scenario and prints what was found.
pub(crate) fn plan(args: &PlanArgs, context: &Context) -> Exit {
    match answer(args, context) {
        Ok(exit) | Err(exit) => exit,
    }
}

fn answer(args: &PlanArgs, context: &Context) -> Result<Exit, Exit> {
    let existing = if args.force {
        Existing::Replace
    } else {
        Existing::Refuse
    };
    let output = args.output.clone().filter(|path| path != Path::new("-"));
    for path in output.iter().chain(&args.table) {
        check(path, existing).map_err(|error| refuse_save(&error, context))?;
    }
    let mut above = assigned("--set", &args.set);
    if let Some(seed) = args.seed {
        above.extend(assigned("--seed", &[format!("settings.seed={seed}")]));
    }
    let fixed = fields(&args.fix, context)?;
    let request = request(&args.scenario, above);
    let opened = open_request(&request, context)?;
    let planning = planning(&opened, &fixed, context)?;
    let engine = engine(args.engine, context)?;
    if let Some(seconds) = args.time_limit {
        run::stop_after(Duration::from_secs(seconds));
    }
    let planned = run::watched(context, "searching", |control| {
        opened.plan(planning.clone(), engine, control)
    });
    let planned = match planned {
        Ok(planned) => planned,
        Err(error) => return failed(&error, &planning, context),
    };
    let what_if = run::watched(context, "varying", |control| {
        let best = &planned.answer.plans[0].evaluated.choice;
        sensitivity(&request, &planned.planning, best, control)
    });
    let what_if = what_if.map_err(|error| run::failed(&error, context))?;
    if let Some(path) = &args.table {
        let rows = crate::plan_table::csv(&planned.answer.evaluated);
        save(path, existing, |out| out.write_all(rows.as_bytes()))
            .map_err(|error| refuse_save(&error, context))?;
    }
    let text = if context.output.json {
        format!("{:#}\n", document(&planned, &what_if))
    } else {
        let report = Report {
            planned: &planned,
            what_if: &what_if,
            terminal: &context.stdout,
        };
        report.text(context.output.verbose, context.output.quiet)
    };
    finish(&text, output, existing, context)?;
    Ok(if planned.answer.partial && !run::is_timed_out() {
        Exit::Interrupted
    } else {
        Exit::Done
    })
}

/// The fields of those names.
fn fields(names: &[String], context: &Context) -> Result<Vec<PlanField>, Exit> {
    let field = |name: &String| {
        PlanField::from_name(name.trim()).ok_or_else(|| {
            let all = PlanField::ALL.map(PlanField::name).join(", ");
            context.error(
                &format!("--fix names `{name}`, which is no field of a plan"),
                Some(&format!("a plan has {all}")),
            );
            Exit::BadInput
        })
    };
    names.iter().map(field).collect()
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

fn engine(engine: Engine, context: &Context) -> Result<session::Engine, Exit> {
    match engine {
        Engine::Estimate => Ok(session::Engine::Estimate),
        Engine::Analytic => Ok(session::Engine::Analytic),
        Engine::Flow => Ok(session::Engine::Flow),
        Engine::Packet => {
            context.error(
                "this build does not have the packet engine yet",
                Some("use --engine flow"),
            );
            Err(Exit::BadInput)
        }
    }
}

/// Says why there is no plan.
fn failed(error: &SearchError, planning: &Planning, context: &Context) -> Result<Exit, Exit> {
    match error {
        SearchError::Predict(error) => Err(run::failed(error, context)),
        SearchError::NoPlan(nothing) => Ok(infeasible(nothing, planning, context)),
        _ => {
            context.error(&error.to_string(), None);
            Err(Exit::Interrupted)
        }
    }
}

fn infeasible(nothing: &NoPlan, planning: &Planning, context: &Context) -> Exit {
    let (message, hint) = no_plan(nothing, planning);
    context.error(&message, hint.as_deref());
    if context.output.json {
        let document = json!({
            "schema": 1,
            "best": null,
            "plans": [],
            "pareto": [],
            "evaluated": nothing.evaluated,
            "excluded": excluded(&nothing.excluded),
            "partial": false,
            "error": message,
        });
        context.print(&format!("{document:#}\n"));
    } else {
        context.print(&crate::plan_report::excluded(
            &nothing.excluded,
            nothing.evaluated,
            &context.stdout,
        ));
    }
    Exit::NoFeasiblePlan
}

fn finish(
    text: &str,
    output: Option<PathBuf>,
    existing: Existing,
    context: &Context,
) -> Result<(), Exit> {
    match output {
        None if context.output.json => drop(context.print(text)),
        None => drop(context.page(text)),
        Some(path) => save(&path, existing, |out| out.write_all(text.as_bytes()))
            .map_err(|error| refuse_save(&error, context))?,
    }
    Ok(())
}

fn excluded(tally: &session::Tally) -> Vec<Value> {
    let all = tally.by_count().into_iter();
    all.map(|(reason, count)| json!({ "reason": reason.to_string(), "count": count })).collect()
}

fn document(planned: &Planned, what_if: &[WhatIf]) -> Value {
    let answer = &planned.answer;
    let plans: Vec<Value> = answer.plans.iter().map(|plan| json!(plan.prediction)).collect();
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
        "evaluated": answer.evaluated.len(),
        "excluded": excluded(&answer.excluded),
        "partial": answer.partial,
        "settled": answer.settled,
        "own": planned.own,
        "sensitivity": what_if,
        "memory_margin": planned.margin.margin,
        "memory_margin_source": planned.margin.source,
        "scenario": scenario.name,
        "seed": scenario.settings.seed,
        "windtunnel": version::json(),
    })
}

/// What the search needs to be asked again with other fields.
#[expect(dead_code, reason = "the way to `--why-not`")]
fn again(request: &Request, option: &str, texts: &[String]) -> Request {
    let mut request = request.clone();
    request.above.extend(assigned(option, texts));
    request
}
