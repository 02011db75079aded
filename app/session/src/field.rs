//! Every field of a scenario as a form shows it: help, bounds, unit, names to choose from.
//!
//! The fields are those that the reader of scenarios asks for, so that a form cannot drift from what
//! is read. What the reader does not know stands in two lists here: units of plain numbers, and
//! fields that hold names of the zoo or files.

use format::fields::REST;
use format::kind::{Field, Kind, Limits, Quantity};
use format::{Shelf, scenario_fields};
use serde_json::Value;

/// A field of a scenario.
#[derive(Clone, Debug, PartialEq)]
pub struct FormField {
    /// Its path, such as `plan.tp`.
    pub path: String,
    /// The section that it stands in, such as `plan` or `plan.moe`; empty outside of all.
    pub section: String,
    /// Its key.
    pub key: &'static str,
    /// What it means.
    pub help: &'static str,
    /// What it may hold. A field with several kinds takes a value of any of them.
    pub kinds: Vec<FieldKind>,
    /// The unit of a plain number, or of a measure without a unit.
    pub unit: Option<&'static str>,
    /// What is taken where it is absent, as far as this does not hang on other fields; what was
    /// taken in a scenario stands in its assumptions.
    pub default: Option<String>,
    /// Whether its section must have it.
    pub required: bool,
    /// Where it is a list, the fields of an item: those of a table, or one without a key.
    pub columns: Vec<Self>,
}

/// What a field may hold.
#[derive(Clone, Debug, PartialEq)]
pub enum FieldKind {
    /// A whole number.
    Whole(Limits),
    /// A number.
    Number(Limits),
    /// A string with a unit.
    Measure(Quantity),
    /// One of several words.
    Choice(Vec<String>),
    /// Yes or no.
    Boolean,
    /// Any text.
    Text,
    /// A name from a shelf of the zoo, or the path of a file like those on it.
    Name(Shelf),
    /// The path of a file.
    Path,
    /// A list or a table: edited as text.
    Structure,
}

impl FormField {
    /// The kind that a form offers first.
    pub fn kind(&self) -> &FieldKind {
        self.kinds.first().unwrap_or(&FieldKind::Structure)
    }

    /// Whether one value on a line says it all.
    pub fn is_plain(&self) -> bool {
        !self.kinds.iter().all(|kind| *kind == FieldKind::Structure)
    }
}

impl FieldKind {
    /// What to choose from, in order; empty where anything may be typed.
    pub fn options(&self) -> Vec<String> {
        match self {
            Self::Choice(words) => words.clone(),
            Self::Name(of) => of.names().map(str::to_owned).collect(),
            Self::Boolean => ["true", "false"].map(str::to_owned).to_vec(),
            _ => Vec::new(),
        }
    }

    /// The values that it takes, in words.
    pub fn expected(&self) -> String {
        match self {
            Self::Whole(limits) => limits.words("a whole number"),
            Self::Number(limits) => limits.words("a number"),
            Self::Measure(quantity) => Kind::Quantity(*quantity).expected(),
            Self::Choice(words) => Kind::OneOf(words.clone()).expected(),
            Self::Boolean => Kind::Boolean.expected(),
            Self::Text => "a text".to_owned(),
            Self::Name(of) => format!("the name of a {}, or a file", of.what()),
            Self::Path => "the path of a file".to_owned(),
            Self::Structure => "a list or a table, as TOML".to_owned(),
        }
    }
}

/// Every field of a scenario, section after section in the order in which they are read. Tables
/// have their fields listed; lists and tables with any keys stand as one field of
/// [`FieldKind::Structure`].
pub fn fields() -> Vec<FormField> {
    let mut all = Vec::new();
    collect(&scenario_fields(), "", &mut all);
    all
}

fn collect(fields: &[Field], section: &str, all: &mut Vec<FormField>) {
    for field in fields.iter().filter(|field| field.key != REST) {
        let path = match section {
            "" => field.key.to_owned(),
            section => format!("{section}.{}", field.key),
        };
        let kinds = match &field.kind {
            Kind::Either(kinds) => kinds.as_slice(),
            kind => std::slice::from_ref(kind),
        };
        let table = kinds.iter().find_map(|kind| match kind {
            Kind::Table(inner) => Some(inner),
            _ => None,
        });
        if table.is_none() || 1 < kinds.len() {
            all.push(form(field, &path, section, kinds));
        }
        if let Some(inner) = table.filter(|inner| !is_sourced(inner)) {
            collect(inner, &path, all);
        }
    }
}

/// Whether a table says a value and where it is from: another way to write the value itself.
fn is_sourced(fields: &[Field]) -> bool {
    let keys: Vec<&str> = fields.iter().map(|field| field.key).collect();
    keys == ["value", "source"]
}

fn form(field: &Field, path: &str, section: &str, kinds: &[Kind]) -> FormField {
    let mut found: Vec<FieldKind> = Vec::new();
    for kind in kinds {
        let kind = kind_of(kind, path);
        if !found.contains(&kind) {
            found.push(kind);
        }
    }
    // What a form can offer comes first.
    found.sort_by_key(|kind| *kind == FieldKind::Structure);
    let measure = found.iter().find_map(|kind| match kind {
        FieldKind::Measure(quantity) => Some(quantity.unit()),
        _ => None,
    });
    let unit = UNITS
        .iter()
        .find(|(of, _)| *of == path)
        .map(|(_, unit)| *unit);
    FormField {
        path: path.to_owned(),
        section: section.to_owned(),
        key: field.key,
        help: field.doc,
        unit: unit.or(measure),
        default: field
            .default
            .as_ref()
            .map(shown)
            .or_else(|| told(field.doc)),
        required: field.required,
        columns: kinds
            .iter()
            .find_map(|kind| items(kind, path))
            .unwrap_or_default(),
        kinds: found,
    }
}

/// The fields of an item of a list; none for anything else.
fn items(kind: &Kind, path: &str) -> Option<Vec<FormField>> {
    let Kind::List(item, _) = kind else {
        return None;
    };
    Some(match &**item {
        Kind::Table(inner) => {
            let of = |field: &Field| {
                let kinds = match &field.kind {
                    Kind::Either(kinds) => kinds.as_slice(),
                    kind => std::slice::from_ref(kind),
                };
                form(field, &format!("{path}.{}", field.key), path, kinds)
            };
            let known = inner.iter().filter(|field| field.key != REST);
            known.map(of).collect()
        }
        item => {
            let kinds = match item {
                Kind::Either(kinds) => kinds.as_slice(),
                kind => std::slice::from_ref(kind),
            };
            vec![FormField {
                path: path.to_owned(),
                section: path.to_owned(),
                key: "",
                help: "",
                kinds: kinds.iter().map(|kind| kind_of(kind, path)).collect(),
                unit: None,
                default: None,
                required: true,
                columns: Vec::new(),
            }]
        }
    })
}

fn kind_of(kind: &Kind, path: &str) -> FieldKind {
    match kind {
        Kind::Whole(limits) => FieldKind::Whole(*limits),
        Kind::Number(limits) => FieldKind::Number(*limits),
        Kind::Quantity(quantity) => FieldKind::Measure(*quantity),
        Kind::OneOf(words) => FieldKind::Choice(words.clone()),
        Kind::Boolean => FieldKind::Boolean,
        Kind::Text if path == "workload.collective" => FieldKind::Choice(
            traffic::Kind::ALL
                .map(|kind| kind.name().to_owned())
                .to_vec(),
        ),
        Kind::Text => match NAMES.iter().find(|(of, _)| *of == path) {
            Some((_, shelf)) => FieldKind::Name(*shelf),
            None if PATHS.contains(&path) => FieldKind::Path,
            None => FieldKind::Text,
        },
        Kind::List(..) | Kind::Table(_) | Kind::Map(_) | Kind::Either(_) | Kind::Any => {
            FieldKind::Structure
        }
    }
}

/// A default as people type it.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        value => value.to_string(),
    }
}

/// The default that the help of a field names: `default fp32`, `shipped (default)`.
fn told(help: &str) -> Option<String> {
    if let Some((before, _)) = help.split_once(" (default)") {
        let word = before.rsplit([' ', ',']).next()?;
        return Some(word.to_owned());
    }
    let (before, after) = help.split_once("default ")?;
    let is_clause = before.ends_with([' ', '(']) && !before.ends_with("by ");
    let words = after.split([';', ',', ')']).next()?.trim();
    // A clause of several words is a rule and no value; a measure is a number and a unit.
    let n_words = words.split(' ').count();
    let is_value = n_words == 1 || n_words == 2 && words.starts_with(|c: char| c.is_ascii_digit());
    (is_clause && is_value).then(|| words.to_owned())
}

/// Fields that hold a name of the zoo.
const NAMES: [(&str, Shelf); 6] = [
    ("model.config", Shelf::Models),
    ("cluster.name", Shelf::Clusters),
    ("cluster.fabric", Shelf::Fabrics),
    ("cluster.nodes.kind", Shelf::Nodes),
    ("framework.name", Shelf::Frameworks),
    ("workload.fabric", Shelf::Clusters),
];

/// Fields that hold the path of a file.
const PATHS: [&str; 6] = [
    "cluster.file",
    "framework.file",
    "plan.schedule_file",
    "plan.rank_order_file",
    "plan.moe.experts_file",
    "workload.flows",
];

/// The units of plain numbers.
const UNITS: [(&str, &str); 20] = [
    ("training.global_batch", "sequences"),
    ("training.seq_len", "tokens"),
    ("training.total_tokens", "tokens"),
    ("plan.micro_batch", "sequences"),
    ("plan.tp", "GPUs"),
    ("plan.pp", "stages"),
    ("plan.vp", "chunks"),
    ("plan.cp", "GPUs"),
    ("plan.ep", "GPUs"),
    ("plan.etp", "GPUs"),
    ("plan.dp", "replicas"),
    ("plan.interleave_group", "micro-batches"),
    ("cluster.nodes", "nodes"),
    ("nccl.channels", "channels"),
    ("nccl.qps", "queue pairs"),
    ("settings.jitter", "of kernel times"),
    ("model.megatron.layers", "layers"),
    ("model.megatron.max_positions", "tokens"),
    ("prices.gpu_hour", "an hour"),
    ("prices.kwh", "a kWh"),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn field(path: &str) -> FormField {
        let with_columns = |field: FormField| {
            let columns = field.columns.clone();
            std::iter::once(field).chain(columns)
        };
        let all = fields().into_iter().flat_map(with_columns);
        let mut all = all.filter(|field| field.path == path);
        let found = all.next();
        found.unwrap_or_else(|| panic!("no field {path}"))
    }

    #[test]
    fn a_list_says_what_its_items_are_made_of() {
        let keys: Vec<&str> = field("plan.shard")
            .columns
            .iter()
            .map(|one| one.key)
            .collect();
        assert_eq!(keys[..2], ["what", "group"]);
        assert!(matches!(
            field("cluster.nodes.kind").kind(),
            FieldKind::Name(Shelf::Nodes)
        ));
        assert!(field("training.seq_len").columns.is_empty());
    }

    #[test]
    fn every_field_is_listed_once_with_its_help() {
        let all = fields();
        assert!(100 < all.len());
        let mut paths: Vec<&str> = all.iter().map(|field| field.path.as_str()).collect();
        assert!(
            all.iter()
                .all(|field| !field.help.is_empty() && !field.kinds.is_empty())
        );
        paths.sort_unstable();
        paths.dedup();
        assert_eq!(paths.len(), all.len());
    }

    #[test]
    fn what_the_lists_here_name_are_fields() {
        let names = NAMES.iter().map(|(path, _)| *path);
        let units = UNITS.iter().map(|(path, _)| *path);
        for path in names.chain(units).chain(PATHS) {
            field(path);
        }
        assert_eq!(*field("plan.schedule_file").kind(), FieldKind::Path);
    }

    #[test]
    fn a_form_knows_bounds_units_choices_and_defaults() {
        let jitter = field("settings.jitter");
        assert_eq!(*jitter.kind(), FieldKind::Number(Limits::within(0.0, 1.0)));
        assert_eq!(jitter.default.as_deref(), Some("0"));
        let engine = field("settings.engine");
        assert_eq!(
            engine.kind().options(),
            ["estimate", "analytic", "flow", "packet"]
        );
        assert_eq!(engine.default.as_deref(), Some("flow"));
        let rate = field("cluster.fabric.link_rate");
        assert_eq!(*rate.kind(), FieldKind::Measure(Quantity::Rate));
        assert_eq!(rate.unit, Some("bytes per second"));
        let model = field("model.config");
        assert!(model.kind().options().contains(&"llama3-70b".to_owned()));
        let nodes = field("cluster.nodes");
        assert!(nodes.is_plain() && nodes.kinds.contains(&FieldKind::Structure));
        assert!(!field("stragglers").is_plain());
        assert!(
            field("workload.collective")
                .kind()
                .options()
                .contains(&"ring".to_owned())
        );
    }

    #[test]
    fn a_default_is_told_where_the_help_names_a_value() {
        assert_eq!(
            told("tensor-parallel degree, default 1").as_deref(),
            Some("1")
        );
        assert_eq!(told("equal (default), or cm02").as_deref(), Some("equal"));
        assert_eq!(told("replicas, fills the GPUs by default"), None);
        assert_eq!(told("default under dcqcn-gbn and dcqcn-sr"), None);
        assert_eq!(
            told("default measured where the cluster's file brings constants"),
            None
        );
    }
}
