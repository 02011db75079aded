//! `windtunnel explain`: what binds a run, in ten lines.

use std::path::Path;

use serde_json::json;
use session::{Record, Trace, explain, read_trace};

use crate::args::ExplainArgs;
use crate::commands::scenario::{open, ready};
use crate::commands::{Context, run};
use crate::exit::Exit;

/// Explains a scenario, or a timeline that was written before.
pub(crate) fn explain_file(args: &ExplainArgs, context: &Context) -> Exit {
    let path = &args.scenario.scenario;
    let trace = if is_trace(path) {
        read(path, context)
    } else {
        simulated(args, context)
    };
    match trace {
        Ok(trace) => {
            let explanation = explain(&trace);
            if context.output.json {
                let document = json!({ "schema": 1, "explanation": explanation });
                return context.print(&format!("{document:#}\n"));
            }
            context.print(&format!("{explanation}\n"))
        }
        Err(exit) => exit,
    }
}

fn is_trace(path: &Path) -> bool {
    path.extension()
        .is_some_and(|ending| ending.eq_ignore_ascii_case("wtt"))
}

fn read(path: &Path, context: &Context) -> Result<Trace, Exit> {
    read_trace(path).map(|(_, trace)| trace).map_err(|error| {
        let hint = error.hint();
        context.error(&format!("{}: {error}", path.display()), hint.as_deref());
        Exit::BadInput
    })
}

fn simulated(args: &ExplainArgs, context: &Context) -> Result<Trace, Exit> {
    let opened = open(&args.scenario, context)?;
    let ready = ready(&opened, context)?;
    let outcome = run::watched(context, |control| ready.run(Record::Trace, control))
        .map_err(|error| run::failed(&error, context))?;
    outcome.trace.ok_or_else(|| {
        let engine = outcome.prediction.engine;
        let hint = "use --engine analytic or --engine flow";
        context.error(
            &format!("the engine {engine} has no timeline to explain"),
            Some(hint),
        );
        Exit::BadInput
    })
}
