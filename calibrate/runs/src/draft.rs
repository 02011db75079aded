//! A scenario on its way from a row to a file.

use std::fmt::Write as _;

use toml::Value;

use crate::Rule;

/// A field that the row did not give.
#[derive(Clone, Debug, PartialEq)]
pub struct Assumption {
    /// The field, as a path of keys.
    pub field: String,
    /// What was taken, as TOML.
    pub value: String,
    /// Why.
    pub rule: Rule,
}

/// A field of a draft.
#[derive(Clone, Debug, PartialEq)]
struct Entry {
    section: &'static str,
    key: String,
    value: Value,
    rule: Option<Rule>,
}

/// The sections of a scenario in the order in which they are written.
const SECTIONS: [&str; 9] = [
    "model",
    "model.megatron",
    "cluster",
    "training",
    "plan",
    "framework",
    "network",
    "nccl",
    "settings",
];

/// A scenario on its way from a row to a file: fields, and the rules of those that were inferred.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Draft {
    entries: Vec<Entry>,
    /// What is assumed without being a field.
    notes: Vec<Assumption>,
}

impl Draft {
    /// Sets a field that the row gives; replaces what was there.
    ///
    /// * `section` — one of a scenario's, for example `plan`, or `model.megatron`.
    pub fn set(&mut self, section: &'static str, key: &str, value: impl Into<Value>) {
        self.put(section, key, value.into(), None);
    }

    /// Sets a field that the row does not give; replaces what was there.
    pub fn assume(
        &mut self,
        section: &'static str,
        key: &str,
        value: impl Into<Value>,
        rule: Rule,
    ) {
        self.put(section, key, value.into(), Some(rule));
    }

    /// Says what is assumed where no field holds it.
    pub fn note(&mut self, field: &str, value: impl Into<String>, rule: Rule) {
        self.notes.push(Assumption {
            field: field.to_owned(),
            value: value.into(),
            rule,
        });
    }

    /// The value of a field.
    pub fn get(&self, section: &str, key: &str) -> Option<&Value> {
        let mut all = self.entries.iter();
        let found = all.find(|entry| entry.section == section && entry.key == key);
        found.map(|entry| &entry.value)
    }

    /// The value of a field that counts something.
    pub fn count(&self, section: &str, key: &str) -> Option<u64> {
        let value = self.get(section, key)?.as_integer()?;
        u64::try_from(value).ok()
    }

    fn put(&mut self, section: &'static str, key: &str, value: Value, rule: Option<Rule>) {
        let entry = Entry {
            section,
            key: key.to_owned(),
            value,
            rule,
        };
        let known = |old: &&mut Entry| old.section == section && old.key == key;
        match self.entries.iter_mut().find(known) {
            Some(old) => *old = entry,
            None => self.entries.push(entry),
        }
    }

    /// Takes a field out again.
    pub fn remove(&mut self, section: &str, key: &str) {
        self.entries
            .retain(|entry| !(entry.section == section && entry.key == key));
    }

    /// What was inferred, in the order of the fields of the file, then what no field holds.
    pub fn assumptions(&self) -> Vec<Assumption> {
        let fields = SECTIONS.iter().flat_map(|section| {
            let own = self.entries.iter().filter(move |e| e.section == *section);
            own.filter_map(|entry| {
                entry.rule.map(|rule| Assumption {
                    field: format!("{}.{}", entry.section, entry.key),
                    value: entry.value.to_string(),
                    rule,
                })
            })
        });
        fields.chain(self.notes.iter().cloned()).collect()
    }

    /// The scenario, ready for `simulate`. What was inferred says so behind its value.
    ///
    /// * `title` — the first lines, as comments.
    pub fn text(&self, title: &str) -> String {
        let mut text = String::new();
        for line in title.lines() {
            let _ = writeln!(text, "# {line}");
        }
        text.push_str("schema = 1\n");
        for section in SECTIONS {
            let own = || self.entries.iter().filter(|e| e.section == section);
            if own().next().is_none() {
                continue;
            }
            let _ = writeln!(text, "\n[{section}]");
            for entry in own() {
                let _ = write!(text, "{} = {}", entry.key, entry.value);
                if let Some(rule) = entry.rule {
                    let _ = write!(text, "  # {}: {}", rule.name, rule.reason);
                }
                text.push('\n');
            }
        }
        for note in &self.notes {
            let (field, value, rule) = (&note.field, &note.value, note.rule);
            let _ = writeln!(
                text,
                "\n# {field} = {value}: {}: {}",
                rule.name, rule.reason
            );
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GUESS: Rule = Rule::new("guess", "for the test");

    #[test]
    fn a_draft_is_written_by_section_with_its_rules() {
        let mut draft = Draft::default();
        draft.set("plan", "tp", 4);
        draft.assume("plan", "vp", 2, GUESS);
        draft.set("model", "config", "llama3-8b");
        draft.set("plan", "tp", 8);
        let text = draft.text("A row.");
        assert_eq!(
            text,
            "# A row.\nschema = 1\n\n[model]\nconfig = \"llama3-8b\"\n\n[plan]\ntp = 8\nvp = 2  # guess: for the test\n"
        );
        let assumed = draft.assumptions();
        assert_eq!(assumed.len(), 1);
        assert_eq!(
            (assumed[0].field.as_str(), assumed[0].value.as_str()),
            ("plan.vp", "2")
        );
    }
}
