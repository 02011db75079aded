//! A table while it is read: each field is asked for once, by a function that says what the
//! field means and what it may hold.
//!
//! The same function serves three purposes, so that they cannot drift apart:
//!
//! ```text
//! fn nics(t: &mut Fields) -> NicSpec {
//!     NicSpec {
//!         count: t.get("count", "NICs of the node", whole(0)).required(),
//!         rate:  t.get("rate", "of one NIC", rate()).required(),
//!     }
//! }
//!   ├─ Fields::read      the value, with every error: wrong, missing and unknown fields
//!   ├─ Fields::describe  the list of fields, for the JSON Schema and `did you mean`
//!   └─ Fields::blank     a value to go on with where the table is absent
//! ```

use serde::Serialize;

use crate::error::{Failure, Problem, push};
use crate::kind::Field;
use crate::shape::{Reading, Shape};
use crate::source::Place;
use crate::tree::{Node, Table};

/// A table while it is read.
#[derive(Debug)]
pub struct Fields<'t, 'e> {
    /// The table; none while fields are described.
    table: Option<&'t Table>,
    place: Option<Place>,
    path: &'t str,
    asked: Vec<&'static str>,
    described: Vec<Field>,
    takes_rest: bool,
    failures: &'e mut Vec<Failure>,
}

/// The key that stands for all keys without a meaning of their own, in a description.
pub const REST: &str = "*";

impl<'t, 'e> Fields<'t, 'e> {
    /// Reads a table; what is wrong is added to `failures`, and the value is then of no use.
    pub fn read<T>(
        table: &'t Table,
        place: Option<Place>,
        path: &'t str,
        failures: &'e mut Vec<Failure>,
        read: &dyn Fn(&mut Fields<'_, '_>) -> T,
    ) -> T {
        let mut fields = Fields {
            table: Some(table),
            place,
            path,
            asked: Vec::new(),
            described: Vec::new(),
            takes_rest: false,
            failures,
        };
        let value = read(&mut fields);
        fields.refuse_unknown();
        value
    }

    fn refuse_unknown(self) {
        if self.takes_rest {
            return;
        }
        let unknown = self.table.map(Table::entries).unwrap_or_default();
        for entry in unknown
            .iter()
            .filter(|entry| !self.asked.contains(&&*entry.key))
        {
            let problem = Problem::UnknownField {
                section: section_name(self.path),
                key: entry.key.clone(),
                known: self.asked.clone(),
                elsewhere: None,
            };
            let failure = Failure {
                problem,
                field: join(self.path, &entry.key),
                place: Some(entry.key_place.clone()),
            };
            push(self.failures, failure);
        }
    }

    /// Asks for a field.
    pub fn get<S: Shape>(
        &mut self,
        key: &'static str,
        doc: &'static str,
        shape: S,
    ) -> Slot<'_, 't, 'e, S> {
        self.asked.push(key);
        let node = self.node(key);
        let found = node.and_then(|node| {
            let mut at = Reading {
                field: join(self.path, key),
                failures: self.failures,
            };
            at.read(&shape, node)
        });
        Slot {
            given: node.is_some(),
            fields: self,
            key,
            doc,
            shape,
            found,
        }
    }

    /// Asks for every field that was not asked for by name: all of one shape.
    pub fn rest<S: Shape>(&mut self, doc: &'static str, shape: &S) -> Vec<(String, S::Out)> {
        if self.table.is_none() {
            self.described.push(Field {
                key: REST,
                doc,
                kind: shape.kind(),
                required: false,
                default: None,
            });
        }
        self.takes_rest = true;
        let mut found = Vec::new();
        for entry in self.table.map(Table::entries).unwrap_or_default() {
            if self.asked.contains(&&*entry.key) {
                continue;
            }
            let mut at = Reading {
                field: join(self.path, &entry.key),
                failures: self.failures,
            };
            found.extend(
                at.read(shape, &entry.node)
                    .map(|value| (entry.key.clone(), value)),
            );
        }
        found
    }

    /// The value of a field as it stands in the file.
    fn node(&self, key: &str) -> Option<&'t Node> {
        self.table.and_then(|table| table.get(key))
    }

    /// Whether the file gives the field.
    pub fn has(&self, key: &str) -> bool {
        self.node(key).is_some()
    }

    /// Reports a problem with a field, at its value.
    pub fn report(&mut self, key: &str, problem: Problem) {
        if self.table.is_none() {
            return;
        }
        let node = self.node(key);
        let place = node
            .map(|node| node.place.clone())
            .or_else(|| self.place.clone());
        let field = join(self.path, key);
        push(
            self.failures,
            Failure {
                problem,
                field,
                place,
            },
        );
    }

    /// Reports a field that other fields make necessary.
    pub fn missing(&mut self, key: &str, expected: impl Into<String>) {
        let field = join(self.path, key);
        let expected = expected.into();
        self.report(key, Problem::Missing { field, expected });
    }

    /// Reports two fields that exclude each other, where the file gives both.
    pub fn exclude(&mut self, one: &str, other: &str) {
        if self.has(one) && self.has(other) {
            let section = section_name(self.path);
            let problem = Problem::Conflict {
                message: format!("{section} has both `{one}` and `{other}`"),
                hint: format!("keep one of them: `{one}` or `{other}`"),
            };
            self.report(other, problem);
        }
    }

    /// The fields that a function asks for.
    pub fn describe<T>(read: &dyn Fn(&mut Fields<'_, '_>) -> T) -> Vec<Field> {
        let mut failures = Vec::new();
        let mut fields = Fields::absent(&mut failures);
        read(&mut fields);
        fields.described
    }

    /// What a function makes of a table without fields; of no use but to go on with.
    pub fn blank<T>(read: &dyn Fn(&mut Fields<'_, '_>) -> T) -> T {
        read(&mut Fields::absent(&mut Vec::new()))
    }

    fn absent(failures: &'e mut Vec<Failure>) -> Fields<'t, 'e> {
        Fields {
            table: None,
            place: None,
            path: "",
            asked: Vec::new(),
            described: Vec::new(),
            takes_rest: false,
            failures,
        }
    }
}

/// A field that was asked for; says what follows where the file does not give it.
#[derive(Debug)]
#[must_use]
pub struct Slot<'f, 't, 'e, S: Shape> {
    fields: &'f mut Fields<'t, 'e>,
    key: &'static str,
    doc: &'static str,
    shape: S,
    found: Option<S::Out>,
    given: bool,
}

impl<S: Shape> Slot<'_, '_, '_, S> {
    /// The file must give the field.
    pub fn required(mut self) -> S::Out {
        self.describe(true, None);
        if !self.given && self.fields.table.is_some() {
            let field = join(self.fields.path, self.key);
            let problem = Problem::Missing {
                field: field.clone(),
                expected: self.shape.kind().expected(),
            };
            let failure = Failure {
                problem,
                field,
                place: self.fields.place.clone(),
            };
            push(self.fields.failures, failure);
        }
        self.found.unwrap_or_else(|| self.shape.blank())
    }

    /// The field may be absent.
    pub fn optional(mut self) -> Option<S::Out> {
        self.describe(false, None);
        self.found
    }

    /// Where the field is absent, nothing is taken: an empty list, a section without fields.
    pub fn or_default(self) -> S::Out
    where
        S::Out: Default,
    {
        self.optional().unwrap_or_default()
    }

    /// Where the field is absent, that value is taken.
    pub fn or(mut self, default: S::Out) -> S::Out
    where
        S::Out: Serialize,
    {
        if self.fields.table.is_none() {
            let shown = serde_json::to_value(&default).ok();
            self.describe(false, shown);
        }
        self.found.unwrap_or(default)
    }

    fn describe(&mut self, required: bool, default: Option<serde_json::Value>) {
        if self.fields.table.is_none() {
            self.fields.described.push(Field {
                key: self.key,
                doc: self.doc,
                kind: self.shape.kind(),
                required,
                default,
            });
        }
    }
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() {
        key.to_owned()
    } else {
        format!("{path}.{key}")
    }
}

/// What messages call the table at a path.
fn section_name(path: &str) -> String {
    if path.is_empty() {
        "the file".to_owned()
    } else {
        format!("[{path}]")
    }
}
