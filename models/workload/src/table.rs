//! A model as a table of measured layers, whatever they compute.

use units::{Bytes, Seconds};

use crate::error::ModelError;
use crate::model::{
    Layer, MeasuredLayer, MeasuredTime, Model, ModelSpec, NormKind, NormPlacement, Norms, Note,
    Stack,
};

/// A model as a table of measured layers.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerTable {
    /// What reports call it.
    pub name: String,
    /// Its layers, first to last.
    pub layers: Vec<LayerRow>,
}

/// One measured layer.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerRow {
    /// What it is called.
    pub name: String,
    /// Its times by tensor-parallel degree, in any order.
    pub times: Vec<LayerTime>,
    /// Its parameters.
    pub params: u64,
    /// What it hands to the next layer, for one sample.
    pub output: Bytes,
    /// What it keeps from forward until backward, for one sample; `output` where absent.
    pub saved: Option<Bytes>,
}

/// The times of one sample in a layer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LayerTime {
    /// Tensor-parallel degree.
    pub tp: u32,
    /// The forward pass.
    pub forward: Seconds,
    /// The backward pass; twice the forward pass where absent.
    pub backward: Option<Seconds>,
}

/// The most layers of a table.
const MAX_ROWS: usize = 4_096;

impl Model {
    /// The model of a table of measured layers. It has neither embedding nor head: what they take
    /// is measured as layers.
    ///
    /// # Errors
    ///
    /// The first row that cannot be.
    pub fn from_layer_table(table: &LayerTable) -> Result<Self, ModelError> {
        if MAX_ROWS < table.layers.len() {
            let expected = format!("at most {MAX_ROWS}");
            return Err(wrong("layers", table.layers.len().to_string(), &expected));
        }
        let rows = table.layers.iter().enumerate();
        let layers = rows.map(|(index, row)| layer(index, row));
        Self::build(ModelSpec {
            name: table.name.clone(),
            family: "table of measured layers".to_owned(),
            hidden: 0,
            layers: layers.collect::<Result<_, _>>()?,
            embedding: None,
            final_norm: None,
            head: None,
            pooler: None,
            mtp: Vec::new(),
            max_positions: None,
            notes: notes(table),
        })
    }
}

/// One layer, its times ascending by degree.
fn layer(index: usize, row: &LayerRow) -> Result<Layer, ModelError> {
    let field = |name: &str| format!("layers[{index}].{name}");
    let mut times: Vec<MeasuredTime> = Vec::with_capacity(row.times.len());
    for time in &row.times {
        let backward = time.backward.unwrap_or(time.forward * 2.0);
        for (name, seconds) in [("forward", time.forward), ("backward", backward)] {
            let possible = seconds.is_finite() && 0.0 <= seconds.as_secs();
            if !possible {
                let found = format!("{} s", seconds.as_secs());
                return Err(wrong(&field(name), found, "a finite time, at least 0"));
            }
        }
        times.push(MeasuredTime {
            tp: time.tp,
            forward: time.forward,
            backward,
        });
    }
    times.sort_by_key(|time| time.tp);
    let zero = times.first().is_none_or(|time| time.tp == 0);
    let twice = times.windows(2).find(|pair| pair[0].tp == pair[1].tp);
    if zero {
        let expected = "the time of at least one degree, each at least 1";
        return Err(wrong(&field("tp"), degrees(&times), expected));
    }
    if twice.is_some() {
        return Err(wrong(&field("tp"), degrees(&times), "each degree once"));
    }
    Ok(Layer {
        hidden: 0,
        stack: Stack::Main,
        mixer: None,
        cross: None,
        ffn: None,
        norms: Norms {
            kind: NormKind::PlainLayer,
            placement: NormPlacement::Before,
        },
        parallel: false,
        measured: Some(MeasuredLayer {
            name: row.name.clone(),
            times,
            params: row.params,
            output: row.output,
            saved: row.saved.unwrap_or(row.output),
        }),
    })
}

/// The degrees of a row, as messages show them.
fn degrees(times: &[MeasuredTime]) -> String {
    let degrees: Vec<String> = times
        .iter()
        .take(10)
        .map(|time| time.tp.to_string())
        .collect();
    if degrees.is_empty() {
        "absent".to_owned()
    } else {
        degrees.join(", ")
    }
}

/// What was not measured, and what was taken for it.
fn notes(table: &LayerTable) -> Vec<Note> {
    let unmeasured = |row: &LayerRow| row.times.iter().any(|time| time.backward.is_none());
    let absent = [
        (
            "backward",
            table.layers.iter().any(unmeasured),
            "twice the forward pass",
        ),
        (
            "saved",
            table.layers.iter().any(|row| row.saved.is_none()),
            "the output of the layer",
        ),
    ];
    let absent = absent.into_iter().filter(|(_, absent, _)| *absent);
    absent
        .map(|(field, _, taken)| Note {
            field: field.to_owned(),
            taken: taken.to_owned(),
        })
        .collect()
}

/// A value that cannot be.
fn wrong(field: &str, found: String, expected: &str) -> ModelError {
    ModelError::Wrong {
        field: field.to_owned(),
        found,
        expected: expected.to_owned(),
    }
}
