//! One document from several: flags over `--set` over the environment over the scenario over the
//! user's settings.

use std::sync::Arc;

use crate::error::{Failure, Problem, push};
use crate::fields::REST;
use crate::kind::{Field, Kind};
use crate::nearest::nearest;
use crate::source::{Place, Source};
use crate::tree::{Node, Table, Value, parse, parse_value};

/// What environment variables of ours begin with.
pub const ENVIRONMENT_PREFIX: &str = "WINDTUNNEL_";

/// The sections that the user's settings may hold: what belongs to a person, not to a run.
const USER_SECTIONS: [&str; 2] = ["settings", "prices"];

/// A value from the command line or the environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment {
    /// Where it is from, such as `--set` or `WINDTUNNEL_SETTINGS_SEED`.
    pub origin: String,
    /// The field with its value: `cluster.nodes=32`.
    pub text: String,
}

impl Assignment {
    /// A value from somewhere.
    pub fn new(origin: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            origin: origin.into(),
            text: text.into(),
        }
    }
}

/// The texts that make up a scenario, lowest first.
#[derive(Clone, Debug)]
pub struct Layers {
    /// The user's settings, for all scenarios.
    pub user: Option<Arc<Source>>,
    /// The scenario.
    pub scenario: Arc<Source>,
    /// Values over the scenario, each over those before it.
    pub above: Vec<Assignment>,
}

impl Layers {
    /// A scenario alone.
    pub const fn of(scenario: Arc<Source>) -> Self {
        Self {
            user: None,
            scenario,
            above: Vec::new(),
        }
    }

    /// The one document.
    ///
    /// # Errors
    ///
    /// Every text that is not TOML, and every assignment that sets nothing.
    pub fn join(&self) -> Result<Table, Vec<Failure>> {
        let mut failures = Vec::new();
        let mut read = |source: &Arc<Source>| match parse(source) {
            Ok(table) => table,
            Err(more) => {
                for failure in more {
                    push(&mut failures, failure);
                }
                Table::default()
            }
        };
        let mut table = self.user.as_ref().map(&mut read).unwrap_or_default();
        let scenario = read(&self.scenario);
        refuse_foreign_sections(&table, &mut failures);
        table.lay_over(scenario);
        for failure in lay_over(&mut table, &self.above).err().unwrap_or_default() {
            push(&mut failures, failure);
        }
        if failures.is_empty() {
            Ok(table)
        } else {
            Err(failures)
        }
    }
}

fn refuse_foreign_sections(user: &Table, failures: &mut Vec<Failure>) {
    for entry in user.entries() {
        if !USER_SECTIONS.contains(&entry.key.as_str()) {
            let problem = Problem::UnknownField {
                section: "the user's settings".to_owned(),
                key: entry.key.clone(),
                known: USER_SECTIONS.to_vec(),
                elsewhere: None,
            };
            push(failures, Failure::at(entry.key_place.clone(), problem));
        }
    }
}

/// Lays values over a document, each over those before it.
///
/// # Errors
///
/// Every assignment that sets nothing.
pub fn lay_over(table: &mut Table, above: &[Assignment]) -> Result<(), Vec<Failure>> {
    let mut failures = Vec::new();
    for assignment in above {
        if let Err(failure) = assign(table, assignment) {
            push(&mut failures, *failure);
        }
    }
    if failures.is_empty() {
        Ok(())
    } else {
        Err(failures)
    }
}

/// Sets one field. The value is TOML; what is no TOML value is a string, so that
/// `training.precision=fp8` needs no quotes inside quotes.
fn assign(table: &mut Table, assignment: &Assignment) -> Result<(), Box<Failure>> {
    let source = Source::new(&assignment.origin, &assignment.text);
    let whole = Place::new(&source, 0..source.text.len());
    let parts = source.text.split_once('=');
    let Some((path, value)) = parts.filter(|(path, value)| {
        !value.trim().is_empty() && path.split('.').all(|key| !key.trim().is_empty())
    }) else {
        let text = source.text.clone();
        return Err(Box::new(Failure::at(
            whole,
            Problem::BadAssignment { text },
        )));
    };
    let start = path.len() + 1;
    let node = parse_value(&source, start).unwrap_or_else(|| {
        let indent = value.len() - value.trim_start().len();
        Node {
            value: Value::Text(value.trim().to_owned()),
            place: Place::new(&source, start + indent..start + value.trim_end().len()),
        }
    });
    let keys: Vec<&str> = path.split('.').map(str::trim).collect();
    let key_place = Place::new(&source, 0..path.len());
    let set = table.set(&keys, &key_place, node);
    set.map_err(|problem| {
        Box::new(Failure {
            problem,
            field: path.trim().to_owned(),
            place: Some(key_place),
        })
    })
}

/// What environment variables say: `WINDTUNNEL_CLUSTER_NODES=32` is `cluster.nodes=32`. Names
/// that are no field come back as warnings.
pub fn from_environment(
    variables: &[(String, String)],
    fields: &[Field],
) -> (Vec<Assignment>, Vec<String>) {
    let mut paths = Vec::new();
    scalar_paths(fields, "", &mut paths);
    let names: Vec<String> = paths.iter().map(|path| environment_name(path)).collect();
    let (mut assignments, mut warnings) = (Vec::new(), Vec::new());
    for (name, value) in variables {
        if let Some(at) = names.iter().position(|known| known == name) {
            assignments.push(Assignment::new(name, format!("{}={value}", paths[at])));
        } else {
            let close = nearest(name, names.iter().map(String::as_str));
            let hint = close
                .map(|close| format!(", did you mean {close}?"))
                .unwrap_or_default();
            warnings.push(format!("environment variable {name} is no field{hint}"));
        }
    }
    (assignments, warnings)
}

/// The environment variable of a field.
pub fn environment_name(path: &str) -> String {
    format!(
        "{ENVIRONMENT_PREFIX}{}",
        path.replace('.', "_").to_uppercase()
    )
}

/// The path of every field that holds one value.
pub(crate) fn scalar_paths(fields: &[Field], prefix: &str, paths: &mut Vec<String>) {
    for field in fields.iter().filter(|field| field.key != REST) {
        let path = if prefix.is_empty() {
            field.key.to_owned()
        } else {
            format!("{prefix}.{}", field.key)
        };
        let kinds = match &field.kind {
            Kind::Either(kinds) => kinds.as_slice(),
            kind => std::slice::from_ref(kind),
        };
        let mut is_scalar = false;
        for kind in kinds {
            match kind {
                Kind::Table(inner) => scalar_paths(inner, &path, paths),
                Kind::List(..) | Kind::Map(_) | Kind::Any => {}
                _ => is_scalar = true,
            }
        }
        if is_scalar {
            paths.push(path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(above: &[&str]) -> Result<Table, Vec<Failure>> {
        Layers {
            user: Some(Source::new(
                "config.toml",
                "[settings]\nseed = 7\nengine = \"flow\"\n",
            )),
            scenario: Source::new("s.toml", "[settings]\nseed = 1\n[[x]]\na = 1\n"),
            above: above
                .iter()
                .map(|text| Assignment::new("--set", *text))
                .collect(),
        }
        .join()
    }

    fn origin(table: &Table, path: &str) -> String {
        table.place(path).unwrap().source().name.clone()
    }

    #[test]
    fn each_value_keeps_its_origin() {
        let table = joined(&["cluster.nodes=32", "x.0.a = 2"]).unwrap();
        assert_eq!(origin(&table, "settings.seed"), "s.toml");
        assert_eq!(origin(&table, "settings.engine"), "config.toml");
        assert_eq!(origin(&table, "cluster.nodes"), "--set");
        assert_eq!(table.place("x[0].a").unwrap().text(), "2");
    }

    #[test]
    fn a_bare_word_is_a_string_and_later_values_win() {
        let table = joined(&["a.b=fp8", "a.b= bf16 "]).unwrap();
        let Value::Table(a) = &table.get("a").unwrap().value else {
            panic!()
        };
        assert_eq!(a.get("b").unwrap().value, Value::Text("bf16".to_owned()));
    }

    #[test]
    fn an_assignment_that_sets_nothing_is_refused() {
        for text in [
            "a",
            "=1",
            "a=",
            "a..b=1",
            ".a=1",
            "settings.seed.x=1",
            "x.7.a=1",
            "",
        ] {
            assert_eq!(joined(&[text]).unwrap_err().len(), 1, "{text}");
        }
    }

    #[test]
    fn the_users_settings_cannot_change_a_scenario() {
        let layers = Layers {
            user: Some(Source::new("config.toml", "[plan]\ntp = 2\n")),
            ..Layers::of(Source::new("s.toml", ""))
        };
        assert_eq!(
            layers.join().unwrap_err()[0].to_string(),
            "the user's settings has no field `plan`"
        );
    }
}
