//! What a field may hold, as data: for messages and for the JSON Schema.

use serde_json::{Map, Value as Json, json};

use crate::error::join_or;
use crate::fields::REST;

/// A field of a table.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// Its key.
    pub key: &'static str,
    /// What it means.
    pub doc: &'static str,
    /// What it may hold.
    pub kind: Kind,
    /// Whether a file must give it.
    pub required: bool,
    /// What is taken where a file does not give it.
    pub default: Option<Json>,
}

/// What a field may hold.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// Any string.
    Text,
    /// One of several strings.
    OneOf(Vec<String>),
    /// A whole number.
    Whole(Limits),
    /// A finite number.
    Number(Limits),
    /// `true` or `false`.
    Boolean,
    /// A string with a unit, or a number in the base unit.
    Quantity(Quantity),
    /// A list, with that many items where it says so.
    List(Box<Kind>, Option<usize>),
    /// A table with these fields.
    Table(Vec<Field>),
    /// A table with any keys.
    Map(Box<Kind>),
    /// Any of several.
    Either(Vec<Kind>),
    /// Anything.
    Any,
}

/// A kind of quantity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantity {
    /// An amount of data.
    Size,
    /// A data rate in one direction.
    Rate,
    /// A duration.
    Duration,
}

impl Quantity {
    /// The unit of a bare number.
    pub const fn unit(self) -> &'static str {
        self.example_and_unit().1
    }

    /// An example, as people write it.
    pub const fn example(self) -> &'static str {
        self.example_and_unit().0
    }

    /// An example, and the unit of a bare number.
    const fn example_and_unit(self) -> (&'static str, &'static str) {
        match self {
            Self::Size => ("80 GiB", "bytes"),
            Self::Rate => ("400 Gbit/s", "bytes per second"),
            Self::Duration => ("3.5 us", "seconds"),
        }
    }
}

/// The range of a number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// The least number.
    pub min: f64,
    /// Whether the least number itself is outside.
    pub above_min: bool,
    /// The largest number.
    pub max: f64,
    /// Whether the largest number itself is outside.
    pub below_max: bool,
}

impl Limits {
    /// Any number.
    pub const ANY: Self = Self {
        min: f64::NEG_INFINITY,
        above_min: false,
        max: f64::INFINITY,
        below_max: false,
    };
    /// Every number above 0.
    pub const POSITIVE: Self = Self {
        min: 0.0,
        above_min: true,
        ..Self::ANY
    };
    /// A share of something: above 0, up to 1.
    pub const SHARE: Self = Self {
        max: 1.0,
        ..Self::POSITIVE
    };

    /// That number and every larger one.
    pub const fn at_least(min: f64) -> Self {
        Self { min, ..Self::ANY }
    }

    /// Both numbers and all between.
    pub const fn within(min: f64, max: f64) -> Self {
        Self {
            min,
            max,
            ..Self::ANY
        }
    }

    /// The same without the largest number itself.
    #[must_use]
    pub const fn below_max(self) -> Self {
        Self {
            below_max: true,
            ..self
        }
    }

    /// Whether a number lies in the range.
    pub fn hold(&self, value: f64) -> bool {
        let low = if self.above_min {
            self.min < value
        } else {
            self.min <= value
        };
        let high = if self.below_max {
            value < self.max
        } else {
            value <= self.max
        };
        low && high
    }

    /// The range in words, after "expected". What a type cannot hold is no limit to speak of.
    pub fn words(&self, number: &str) -> String {
        const TYPE_LIMIT: f64 = u32::MAX as f64;
        let low = match (self.min.is_finite(), self.above_min) {
            (false, _) => None,
            (true, true) => Some(format!("above {}", self.min)),
            (true, false) => Some(format!("from {}", self.min)),
        };
        let high = match (self.max < TYPE_LIMIT, self.below_max) {
            (false, _) => None,
            (true, true) => Some(format!("to below {}", self.max)),
            (true, false) => Some(format!("to {}", self.max)),
        };
        let parts: Vec<String> = [Some(number.to_owned()), low, high]
            .into_iter()
            .flatten()
            .collect();
        parts.join(" ")
    }

    fn schema(&self, kind: &str) -> Json {
        let mut schema = Map::new();
        schema.insert("type".to_owned(), json!(kind));
        let mut bound = |name: &str, exclusive: &str, is_exclusive, value: f64| {
            if value.is_finite() {
                let name = if is_exclusive { exclusive } else { name };
                schema.insert(name.to_owned(), json!(value));
            }
        };
        bound("minimum", "exclusiveMinimum", self.above_min, self.min);
        bound("maximum", "exclusiveMaximum", self.below_max, self.max);
        Json::Object(schema)
    }
}

impl Kind {
    /// What a message says after "expected".
    pub fn expected(&self) -> String {
        match self {
            Self::Text => "a string".to_owned(),
            Self::OneOf(names) => join_or(
                &names
                    .iter()
                    .map(|name| format!("{name:?}"))
                    .collect::<Vec<_>>(),
            ),
            Self::Whole(limits) => limits.words("a whole number"),
            Self::Number(limits) => limits.words("a number"),
            Self::Boolean => "true or false".to_owned(),
            Self::Quantity(quantity) => {
                let (example, unit) = quantity.example_and_unit();
                format!("a string with a unit such as {example:?}, or a number in {unit}")
            }
            Self::List(item, Some(length)) => {
                format!("a list of {length}, each {}", item.expected())
            }
            Self::List(item, None) => format!("a list, each item {}", item.expected()),
            Self::Table(_) | Self::Map(_) => "a table".to_owned(),
            Self::Either(kinds) => join_or(&kinds.iter().map(Self::expected).collect::<Vec<_>>()),
            Self::Any => "any value".to_owned(),
        }
    }

    /// The JSON Schema of the kind.
    pub fn schema(&self) -> Json {
        match self {
            Self::Text => json!({ "type": "string" }),
            Self::OneOf(names) => json!({ "enum": names }),
            Self::Whole(limits) => limits.schema("integer"),
            Self::Number(limits) => limits.schema("number"),
            Self::Boolean => json!({ "type": "boolean" }),
            Self::Quantity(quantity) => {
                let (example, unit) = quantity.example_and_unit();
                let words = format!("a string with a unit, or a number in {unit}");
                json!({ "type": ["string", "number"], "description": words, "examples": [example] })
            }
            Self::List(item, None) => json!({ "type": "array", "items": item.schema() }),
            Self::List(item, Some(length)) => json!({
                "type": "array", "items": item.schema(), "minItems": length, "maxItems": length
            }),
            Self::Table(fields) => table_schema(fields),
            Self::Map(value) => {
                json!({ "type": "object", "additionalProperties": value.schema() })
            }
            Self::Either(kinds) => {
                json!({ "anyOf": kinds.iter().map(Self::schema).collect::<Vec<_>>() })
            }
            Self::Any => json!({}),
        }
    }
}

/// The JSON Schema of a table with these fields and no others.
pub fn table_schema(fields: &[Field]) -> Json {
    let mut properties = Map::new();
    let mut others = json!(false);
    for field in fields {
        if field.key == REST {
            others = field_schema(field);
        } else {
            properties.insert(field.key.to_owned(), field_schema(field));
        }
    }
    let required: Vec<&str> = fields
        .iter()
        .filter(|f| f.required)
        .map(|f| f.key)
        .collect();
    let mut schema = json!({
        "type": "object", "properties": properties, "additionalProperties": others
    });
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    schema
}

fn field_schema(field: &Field) -> Json {
    let mut schema = field.kind.schema();
    let unit = schema.get("description").and_then(Json::as_str);
    let words = match unit {
        Some(unit) => format!("{}; {unit}", field.doc),
        None => field.doc.to_owned(),
    };
    schema["description"] = json!(words);
    if let Some(default) = &field.default {
        schema["default"] = default.clone();
    }
    schema
}
