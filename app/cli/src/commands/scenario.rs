//! What commands that take a scenario have in common.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use session::{Assignment, ENVIRONMENT_PREFIX, Failure, Opened, Place, Ready, Request, Sweep};

use crate::args::{OverArgs, ScenarioArgs, WorkArgs};
use crate::commands::run::catch_interrupts;
use crate::commands::{Context, say};
use crate::exit::Exit;
use crate::render;

/// Environment variables of ours that are options, not fields of a scenario.
const OPTION_VARIABLES: [&str; 5] = [
    "WINDTUNNEL_THREADS",
    // Where the window keeps its session, and that it replaces one whose device was lost.
    "WINDTUNNEL_STATE_DIR",
    "WINDTUNNEL_DEVICE_LOST",
    // What a package was built from.
    "WINDTUNNEL_COMMIT",
    crate::complete::VARIABLE,
];

/// Opens a scenario, a prediction, or one of the plans of a search, with everything that flags and
/// environment lay over it.
pub(crate) fn open_plan(
    args: &ScenarioArgs,
    rank: Option<usize>,
    context: &Context,
) -> Result<Opened, Exit> {
    shown(session::open_plan(&asked(args), rank), context)
}

/// The scenario with its warnings shown, or its errors.
fn shown(opened: Result<Opened, Vec<Failure>>, context: &Context) -> Result<Opened, Exit> {
    let opened = opened.map_err(|failures| refuse(&failures, context))?;
    for warning in &opened.warnings {
        context.warn(warning);
    }
    Ok(opened)
}

/// What is asked for.
fn asked(args: &ScenarioArgs) -> Request {
    request(&args.scenario, over(&args.over))
}

/// What options lay over a scenario.
pub(crate) fn over(args: &OverArgs) -> Vec<Assignment> {
    let mut above = assigned("--set", &args.set);
    if let Some(seed) = args.seed {
        above.push(Assignment::new("--seed", format!("settings.seed={seed}")));
    }
    if let Some(engine) = args.engine {
        above.push(Assignment::new(
            "--engine",
            format!("settings.engine={}", engine.name()),
        ));
    }
    if args.unfold {
        above.push(Assignment::new("--unfold", "settings.unfold=true"));
    }
    above
}

impl WorkArgs {
    fn request(&self) -> Request {
        let mut above = over(&self.over);
        let traffic = self.traffic.assignments().into_iter();
        above.extend(traffic.map(|(option, text)| Assignment::new(option, text)));
        // Options alone have no file, and nobody asks for its name.
        request(self.scenario.as_deref().unwrap_or(Path::new("")), above)
    }

    /// Opens the scenario, or what the options of a network workload make.
    pub(crate) fn open(&self, context: &Context) -> Result<Opened, Exit> {
        let request = self.request();
        let opened = match &self.scenario {
            Some(_) => open_request(&request, context),
            None => shown(session::open_workload(&request), context),
        }?;
        if !opened.is_traffic() && self.traffic.no_flows {
            let text = "--no-flows belongs to network workloads, not to training iterations";
            context.error(text, Some("leave it out"));
            return Err(Exit::BadInput);
        }
        Ok(opened)
    }

    /// The cases of its section `sweep`.
    pub(crate) fn open_sweep(&self, context: &Context) -> Result<Sweep, Exit> {
        catch_interrupts();
        let request = self.request();
        let sweep = match &self.scenario {
            Some(_) => session::open_sweep(&request),
            None => session::open_workload_sweep(&request),
        };
        sweep.map_err(|failures| refuse(&failures, context))
    }
}

/// Says that a command runs one case where a scenario has many.
pub(crate) fn warn_of_sweep(opened: &Opened, context: &Context) {
    if opened.spec.sweep.is_some() {
        context.warn("`sweep` has no effect here: `windtunnel sweep` runs all its cases");
    }
}

/// Values that an option lays over a scenario.
pub(crate) fn assigned(option: &str, texts: &[String]) -> Vec<Assignment> {
    texts
        .iter()
        .map(|text| Assignment::new(option, text))
        .collect()
}

/// What a scenario is made from: its file, the environment, the user's settings, and what options
/// lay over them.
pub(crate) fn request(scenario: &Path, above: Vec<Assignment>) -> Request {
    Request {
        scenario: scenario.to_owned(),
        above,
        environment: environment(),
        settings: settings_file(),
    }
}

/// Opens what was asked for.
pub(crate) fn open_request(request: &Request, context: &Context) -> Result<Opened, Exit> {
    shown(session::open(request), context)
}

/// Looks up everything that a scenario names.
pub(crate) fn ready(opened: &Opened, context: &Context) -> Result<Ready, Exit> {
    // From here on nobody waits for input, and work can take long.
    catch_interrupts();
    let ready = opened
        .ready()
        .map_err(|failures| refuse(&failures, context))?;
    for warning in &ready.warnings {
        context.warn(warning);
    }
    Ok(ready)
}

/// Shows every error of the input: for people on standard error, for programs on standard output
/// where they asked for JSON.
pub(crate) fn refuse(failures: &[Failure], context: &Context) -> Exit {
    say(&render::failures(failures, &context.stderr));
    if context.output.json {
        let errors: Vec<Value> = failures.iter().map(error_json).collect();
        context.print(&format!("{:#}\n", json!({ "schema": 1, "errors": errors })));
    }
    Exit::BadInput
}

fn error_json(failure: &Failure) -> Value {
    let place = failure.place.as_ref();
    let position = place.map(Place::line_column);
    json!({
        "message": failure.to_string(),
        "hint": failure.hint(),
        "file": place.map(|place| &place.source().name),
        "line": position.map(|(line, _)| line),
        "column": position.map(|(_, column)| column),
        "field": (!failure.field.is_empty()).then_some(&failure.field),
        "value": failure.found(),
    })
}

/// Our environment variables, sorted by name.
fn environment() -> Vec<(String, String)> {
    let ours = std::env::vars_os().filter_map(|(name, value)| {
        let name = name.into_string().ok()?;
        let is_field =
            name.starts_with(ENVIRONMENT_PREFIX) && !OPTION_VARIABLES.contains(&name.as_str());
        is_field.then(|| (name, value.to_string_lossy().into_owned()))
    });
    let mut ours: Vec<_> = ours.collect();
    ours.sort();
    ours
}

/// The file of the user's settings, after the XDG base directory specification.
fn settings_file() -> Option<PathBuf> {
    let folder = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let config = folder("XDG_CONFIG_HOME").map(PathBuf::from);
    let config = config.or_else(|| folder("HOME").map(|home| PathBuf::from(home).join(".config")));
    config.map(|config| config.join("windtunnel").join("config.toml"))
}
