//! What a shell completes beyond the options: fields of a scenario, their values, names of the zoo,
//! cases.
//!
//! The script that `windtunnel completions SHELL` prints calls the binary, so that what it offers
//! is what this binary knows.

use std::ffi::OsStr;
use std::path::Path;

use clap::CommandFactory;
use clap_complete::engine::{CompletionCandidate, PathCompleter, ValueCompleter};
use clap_complete::env::{CompleteEnv, Shells};
use serde_json::Value;
use session::Shelf;

use crate::args::Cli;

/// Set by the scripts for the call that completes.
pub(crate) const VARIABLE: &str = "WINDTUNNEL_COMPLETE";

const BINARY: &str = "windtunnel";

/// Where the cases of a checkout are.
const CASES: &str = "scenarios/cases";

/// Answers a shell that completes a command line; whether this was such a call.
pub(crate) fn answer() -> Result<bool, clap::Error> {
    CompleteEnv::with_factory(Cli::command)
        .var(VARIABLE)
        .bin(BINARY)
        .completer(BINARY)
        .try_complete(std::env::args_os(), None)
}

/// What the script for bash needs on top.
const BASH: &str = include_str!("complete.bash");

/// The script that a shell of that name reads once.
pub(crate) fn script(shell: &str) -> std::io::Result<Vec<u8>> {
    let shells = Shells::builtins();
    let known = shells.completer(shell);
    let known = known.ok_or_else(|| std::io::Error::other("the shell is not known"))?;
    let mut script = Vec::new();
    known.write_registration(VARIABLE, BINARY, BINARY, BINARY, &mut script)?;
    if shell == "bash" {
        script.extend_from_slice(BASH.as_bytes());
    }
    Ok(script)
}

/// Scenarios: any path, `-`, and where nothing is typed yet the cases of a checkout.
pub(crate) fn scenarios(typed: &OsStr) -> Vec<CompletionCandidate> {
    let mut found = PathCompleter::any().stdio().complete(typed);
    if typed.is_empty() {
        found.splice(0..0, cases(Path::new(CASES)));
    }
    found
}

/// Clusters of the zoo, and any path.
pub(crate) fn clusters(typed: &OsStr) -> Vec<CompletionCandidate> {
    let mut found = starting(typed, Shelf::Clusters.names());
    found.extend(PathCompleter::any().complete(typed));
    found
}

/// Kinds of collectives.
pub(crate) fn collectives(typed: &OsStr) -> Vec<CompletionCandidate> {
    starting(typed, session::collective_kinds())
}

fn starting(typed: &OsStr, names: impl Iterator<Item = &'static str>) -> Vec<CompletionCandidate> {
    let typed = typed.to_string_lossy();
    names
        .filter(|name| name.starts_with(&*typed))
        .map(CompletionCandidate::new)
        .collect()
}

/// The folders with a scenario in a folder, sorted.
fn cases(folder: &Path) -> Vec<CompletionCandidate> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut folders: Vec<_> = entries
        .map(|entry| entry.path())
        .filter(|path| path.join("scenario.toml").is_file())
        .collect();
    folders.sort();
    folders.into_iter().map(CompletionCandidate::new).collect()
}

/// `FIELD=VALUE` for `--set`: fields up to the `=`, then what the field can be.
pub(crate) fn assignments(typed: &OsStr) -> Vec<CompletionCandidate> {
    let Some(typed) = typed.to_str() else {
        return Vec::new();
    };
    let fields = fields();
    match typed.split_once('=') {
        None => fields
            .iter()
            .filter(|field| field.path.starts_with(typed))
            .map(|field| {
                let help = field.help.clone().map(Into::into);
                CompletionCandidate::new(format!("{}=", field.path)).help(help)
            })
            .collect(),
        Some((path, value)) => fields
            .iter()
            .filter(|field| field.path == path)
            .flat_map(|field| &field.values)
            .filter(|known| known.starts_with(value))
            .map(|known| CompletionCandidate::new(format!("{path}={known}")))
            .collect(),
    }
}

/// A field that `--set` can name.
struct Field {
    path: String,
    help: Option<String>,
    /// What it can be, where that is a list of words.
    values: Vec<String>,
}

/// Every field of the sections of a scenario.
fn fields() -> Vec<Field> {
    let schema = session::json_schema();
    let sections = schema["properties"].as_object().into_iter().flatten();
    let mut fields = Vec::new();
    for (section, about) in sections {
        let members = about["properties"].as_object().into_iter().flatten();
        for (name, about) in members {
            let path = format!("{section}.{name}");
            fields.push(Field {
                help: about["description"].as_str().map(str::to_owned),
                values: values(&path, about),
                path,
            });
        }
    }
    fields
}

fn values(path: &str, about: &Value) -> Vec<String> {
    let shelf = match path {
        "model.config" => Some(Shelf::Models),
        "cluster.name" => Some(Shelf::Clusters),
        "cluster.fabric" => Some(Shelf::Fabrics),
        "framework.name" => Some(Shelf::Frameworks),
        _ => None,
    };
    if let Some(shelf) = shelf {
        return shelf.names().map(str::to_owned).collect();
    }
    if about["type"] == "boolean" {
        return vec!["true".to_owned(), "false".to_owned()];
    }
    let words = about["enum"].as_array().into_iter().flatten();
    let words = words.filter_map(Value::as_str);
    words.map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offered(typed: &str) -> Vec<String> {
        let found = assignments(OsStr::new(typed));
        let text = |one: &CompletionCandidate| one.get_value().to_string_lossy().into_owned();
        found.iter().map(text).collect()
    }

    #[test]
    fn fields_are_offered_up_to_their_equals_sign() {
        let mut of_plan = offered("plan.sch");
        of_plan.sort();
        assert_eq!(of_plan, ["plan.schedule=", "plan.schedule_file="]);
        assert!(50 < offered("").len());
    }

    #[test]
    fn values_are_words_of_the_schema_and_names_of_the_zoo() {
        assert_eq!(
            offered("settings.engine="),
            ["estimate", "analytic", "flow", "packet"]
                .map(|name| format!("settings.engine={name}"))
        );
        let models = offered("model.config=llama3-70");
        assert!(models.contains(&"model.config=llama3-70b".to_owned()));
        let clusters = offered("cluster.name=dgx-h");
        assert!(clusters.contains(&"cluster.name=dgx-h100".to_owned()));
        assert!(offered("plan.tp=").is_empty());
    }
}
