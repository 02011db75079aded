//! `windtunnel simulate`: one training iteration.

use std::path::Path;

use serde_json::{Value, json};
use session::{
    Engine, Existing, Header, Opened, Outcome, Prediction, Ready, Record, SCENARIO_BASE,
    SCENARIO_TOML, TraceForm, check, complete_scenario, explain, link_tracks, save_links,
    save_trace,
};

use crate::args::SimulateArgs;
use crate::commands::scenario::ready;
use crate::commands::sweep::summary;
use crate::commands::traffic::traffic;
use crate::commands::{Context, existing, refuse_save, run};
use crate::exit::Exit;
use crate::link_report::links_json;
use crate::report::{Detail, binding, report};
use crate::version;

/// Simulates a scenario and prints what was found.
pub(crate) fn simulate(args: &SimulateArgs, context: &Context) -> Exit {
    match answer(args, context) {
        Ok(exit) | Err(exit) => exit,
    }
}

fn answer(args: &SimulateArgs, context: &Context) -> Result<Exit, Exit> {
    let existing = existing(args.force);
    let form = trace_form(args.trace.as_deref(), context)?;
    let output = args.output.clone().filter(|path| path != Path::new("-"));
    for path in output.iter().chain(&args.trace).chain(&args.links) {
        check(path, existing).map_err(|error| refuse_save(&error, context))?;
    }
    let opened = args.work.open(context)?;
    if opened.is_traffic() {
        if args.print_scenario {
            return Ok(context.print(&opened.print()));
        }
        if opened.spec.sweep.is_some() {
            refuse_options_of_one_run(args, context)?;
            let sweep = args.work.open_sweep(context)?;
            let text = summary(&sweep, context)?;
            return context.hand_over(&text, output.as_deref(), existing);
        }
        return traffic(&opened, args, form, (output.as_deref(), existing), context);
    }
    if args.print_scenario {
        return print_scenario(&opened, context);
    }
    let ready = ready(&opened, context)?;
    if args.print_schedule {
        return context.hand_over(&schedule(&ready, context), output.as_deref(), existing);
    }
    let record = if args.trace.is_some() || args.explain {
        Record::Trace
    } else {
        Record::Path
    };
    let watch = run::Watch::start();
    let mut outcome = run::watched(context, "simulating", |control| {
        if knows_links(args, &ready) {
            ready.run_links(record, control)
        } else {
            ready.run(record, control)
        }
    })
    .map_err(|error| run::failed(&error, context))?;
    if 2 <= context.output.verbose {
        context.note(&watch.words(outcome.events, outcome.n_lanes));
    }
    if args.explain && outcome.trace.is_none() {
        context.warn("this engine keeps no timeline, so there is nothing to explain");
    }
    if let (Some(path), Some(form)) = (&args.trace, form) {
        show_links(args, &ready, &mut outcome);
        write_trace(path, form, existing, &ready, &outcome, context)?;
    }
    if let Some(path) = &args.links {
        write_links(path, existing, &ready, &outcome, context)?;
    }
    let text = if context.output.json {
        let explained = explanation(args, &outcome);
        let mut document = answered(&opened, &ready, &outcome.prediction, explained);
        if let Some(links) = &outcome.links {
            document["links"] = links_json(links, &ready.scenario);
        }
        format!("{document:#}\n")
    } else {
        text(args, &ready, &outcome, context)
    };
    context.hand_over(&text, output.as_deref(), existing)
}

/// Whether links are watched: where they are asked for, and where the question is about them.
fn knows_links(args: &SimulateArgs, ready: &Ready) -> bool {
    let is_packets = ready.scenario.settings.engine == Engine::Packet;
    let shows = args.trace.is_some() && n_shown_links(args) != 0;
    args.links.is_some() || shows || is_packets || !ready.scenario.beside.is_empty()
}

/// How many links a timeline shows.
pub(crate) fn n_shown_links(args: &SimulateArgs) -> usize {
    const USUAL: u32 = 16;
    usize::try_from(args.trace_links.unwrap_or(USUAL)).unwrap_or(usize::MAX)
}

/// Puts the busiest links into the timeline.
fn show_links(args: &SimulateArgs, ready: &Ready, outcome: &mut Outcome) {
    if let (Some(trace), Some(links)) = (&mut outcome.trace, &outcome.links) {
        trace.links = link_tracks(&ready.scenario, links, n_shown_links(args));
    }
}

/// Cases have no timelines and no links of their own.
fn refuse_options_of_one_run(args: &SimulateArgs, context: &Context) -> Result<(), Exit> {
    let given = [
        ("--trace", args.trace.is_some()),
        ("--links", args.links.is_some()),
        ("--explain", args.explain),
        ("--print-schedule", args.print_schedule),
        ("--unfold", args.work.over.unfold),
    ];
    match given.into_iter().find(|(_, is_given)| *is_given) {
        None => Ok(()),
        Some((option, _)) => {
            let text =
                format!("{option} belongs to one run, but the scenario has a [sweep] of several");
            let hint = "leave [sweep] out, and --set the fields of the case that you want to see";
            context.error(&text, Some(hint));
            Err(Exit::BadInput)
        }
    }
}

fn write_links(
    path: &Path,
    existing: Existing,
    ready: &Ready,
    outcome: &Outcome,
    context: &Context,
) -> Result<(), Exit> {
    let Some(links) = &outcome.links else {
        let engine = outcome.prediction.engine;
        let hint = "use --engine flow or --engine packet";
        context.error(&format!("the engine {engine} knows no links"), Some(hint));
        return Err(Exit::BadInput);
    };
    save_links(path, existing, &ready.scenario, links).map_err(|error| refuse_save(&error, context))
}

/// The pipeline schedule as a file that `plan.schedule_file` names would hold it.
fn schedule(ready: &Ready, context: &Context) -> String {
    let csv = ready.print_schedule();
    if !context.output.json {
        return csv;
    }
    let document = json!({
        "schema": 1,
        "scenario": ready.scenario.name,
        "schedule_csv": csv,
        "windtunnel": version::json(),
    });
    format!("{document:#}\n")
}

/// Prints the scenario with the origin of every value. Where its names lead nowhere, what was
/// given is printed all the same, before the errors.
fn print_scenario(opened: &Opened, context: &Context) -> Result<Exit, Exit> {
    if context.output.json {
        let ready = ready(opened, context)?;
        let document = json!({
            "schema": 1,
            "scenario": opened.name,
            "values": opened.print_json(),
            "assumptions": ready.scenario.assumptions,
            "windtunnel": version::json(),
        });
        return Ok(context.print(&format!("{document:#}\n")));
    }
    let printed = context.print(&opened.print());
    if printed != Exit::Done {
        return Ok(printed);
    }
    let assumptions = ready(opened, context)?.print_assumptions();
    if assumptions.is_empty() {
        return Ok(Exit::Done);
    }
    Ok(context.print(&format!("\n{assumptions}")))
}

fn trace_form(path: Option<&Path>, context: &Context) -> Result<Option<TraceForm>, Exit> {
    let Some(path) = path else { return Ok(None) };
    let form = TraceForm::of(path);
    if form.is_none() {
        let text = format!("{} has no ending that says in which form", path.display());
        context.error(
            &text,
            Some("name it .json.gz or .json for Perfetto, or .wtt"),
        );
        return Err(Exit::BadInput);
    }
    Ok(form)
}

fn write_trace(
    path: &Path,
    form: TraceForm,
    existing: Existing,
    ready: &Ready,
    outcome: &Outcome,
    context: &Context,
) -> Result<(), Exit> {
    let Some(trace) = &outcome.trace else {
        let engine = outcome.prediction.engine;
        let hint = "use --engine analytic or --engine flow";
        context.error(
            &format!("the engine {engine} keeps no timeline to write"),
            Some(hint),
        );
        return Err(Exit::BadInput);
    };
    let header = Header {
        tool: format!("windtunnel {}", version::LONG),
        seed: ready.scenario.settings.seed,
        scenario: ready.text.clone(),
        prediction: document(ready, &outcome.prediction, None),
    };
    let save = |_: &_| save_trace(path, form, existing, &header, trace);
    let left_out = run::watched(context, "writing the timeline", save)
        .map_err(|error| refuse_save(&error, context))?;
    if let Some(left_out) = left_out {
        context.note(&format!("{}: {left_out}", path.display()));
    }
    Ok(())
}

/// The JSON document, with the scenario in full: `export` reads it.
fn answered(
    opened: &Opened,
    ready: &Ready,
    prediction: &Prediction,
    explained: Option<Value>,
) -> Value {
    let mut document = document(ready, prediction, explained);
    document[SCENARIO_TOML] = json!(complete_scenario(opened, &ready.scenario.plan));
    document[SCENARIO_BASE] = json!(opened.absolute_base());
    document
}

/// The JSON document: the prediction, and what made it.
fn document(ready: &Ready, prediction: &Prediction, explained: Option<Value>) -> Value {
    let mut document = json!(prediction);
    document["scenario"] = json!(ready.scenario.name);
    document["seed"] = json!(ready.scenario.settings.seed);
    document["profiles"] = json!(ready.profiles());
    document["windtunnel"] = version::json();
    if let Some(explained) = explained {
        document["explanation"] = explained;
    }
    document
}

fn explanation(args: &SimulateArgs, outcome: &Outcome) -> Option<Value> {
    let trace = outcome.trace.as_ref().filter(|_| args.explain)?;
    Some(explain(trace).to_json())
}

fn text(args: &SimulateArgs, ready: &Ready, outcome: &Outcome, context: &Context) -> String {
    let detail = match (context.output.quiet, context.output.verbose) {
        (true, _) => Detail::Answer,
        (false, 0) => Detail::Normal,
        (false, _) => Detail::Everything,
    };
    let loads = outcome.links.as_ref();
    let mut text = report(ready, &outcome.prediction, loads, detail, &context.stdout);
    if let Some(trace) = outcome.trace.as_ref().filter(|_| args.explain) {
        text += &binding(&explain(trace).to_string(), &context.stdout);
    }
    text
}
