//! The model and the job.

use std::path::Path;
use std::sync::Arc;

use cluster::Cluster;
use workload::{Job, Model, ModelError, Override};

use super::{Resolver, partial};
use crate::error::{Failure, Problem, push};
use crate::model_section::{self, ModelSection};
use crate::reference::is_path;
use crate::source::{Place, Source};
use crate::zoo::Shelf;

impl Resolver<'_> {
    /// The job; without a model its numbers are looked at all the same.
    pub(super) fn job(&mut self, model: Option<&Model>) -> Option<Job> {
        let training = self.spec.training.as_ref()?;
        if self.is_broken("training") {
            return None;
        }
        for (field, value) in &training.taken {
            self.assume(&format!("training.{field}"), value, "the usual choice");
        }
        let stand_in = || partial::stand_in_model(0);
        let checked = model
            .cloned()
            .or_else(stand_in)
            .map(|model| training.job.clone().check(model))?;
        match checked {
            Ok(job) => model.map(|_| job),
            Err(errors) => {
                for error in errors {
                    self.refuse(&format!("training.{}", error.field()), &error, error.hint());
                }
                None
            }
        }
    }

    pub(super) fn model(&mut self) -> Option<Model> {
        if self.is_broken("model") {
            if let ModelSection::Config { name, .. } =
                self.readable("model", &model_section::model)?
                && !name.is_empty()
            {
                self.config(&name, &[]);
            }
            return None;
        }
        match self.spec.model.as_ref()? {
            ModelSection::Config { name, overrides } => self.config(name, overrides),
            ModelSection::Megatron(spec) => {
                let mut spec = (**spec).clone();
                spec.tp = u64::from(self.spec.plan.spec.tp.unwrap_or(1));
                self.described(Model::from_megatron(&spec), "model.megatron")
            }
            ModelSection::Measured(table) => {
                self.described(Model::from_layer_table(table), "model.measured")
            }
        }
    }

    /// A model that the scenario describes itself.
    fn described(&mut self, model: Result<Model, ModelError>, section: &str) -> Option<Model> {
        match model {
            Ok(model) => {
                self.note(&model, "not given");
                Some(model)
            }
            Err(error) => {
                let field = error.field().map_or_else(
                    || section.to_owned(),
                    |field| match field.strip_prefix("layers[") {
                        Some(row) if section.ends_with("measured") => format!("{section}[{row}"),
                        _ => format!("{section}.{field}"),
                    },
                );
                self.refuse(&field, &error, error.hint());
                None
            }
        }
    }

    fn note(&mut self, model: &Model, reason: &str) {
        for note in model.notes() {
            self.assume(&format!("model.{}", note.field), &note.taken, reason);
        }
    }

    fn config(&mut self, name: &str, overrides: &[Override]) -> Option<Model> {
        let source = match self
            .library
            .open(Shelf::Models, name, &self.at("model.config"))
        {
            Ok(source) => source,
            Err(failures) => {
                self.keep(failures);
                return None;
            }
        };
        match Model::read_config_json(&source.text, overrides) {
            Ok(model) => {
                self.note(&model, "not in its config.json");
                Some(model.with_name(model_name(name)))
            }
            Err(errors) => {
                for error in &errors {
                    self.config_error(error, &source, overrides);
                }
                None
            }
        }
    }

    /// Points to the override at fault, else into the `config.json`.
    fn config_error(&mut self, error: &ModelError, source: &Arc<Source>, overrides: &[Override]) {
        let field = error.field().unwrap_or_default();
        let ours = overrides.iter().find(|one| one.sets(field));
        let is_ours = ours.is_some();
        let path = ours.map_or_else(
            || "model.config".to_owned(),
            |one| format!("model.{}", one.field),
        );
        let place = match error {
            ModelError::Override { .. } => self.document.key_place(&path),
            _ if is_ours => self.document.place(&path),
            ModelError::TooLarge { .. } => None,
            _ => Some(json_place(error, source)),
        };
        let failure = Failure {
            problem: Problem::Refused {
                message: error.to_string(),
                hint: error.hint(),
            },
            place: place.or_else(|| self.document.place(&path)),
            field: path,
        };
        push(&mut self.failures, failure);
    }

    /// Products in a format that a GPU cannot multiply.
    pub(super) fn check_formats(&mut self, cluster: &Cluster) {
        if self.is_broken("training") {
            return;
        }
        let Some(precision) = self.spec.training.as_ref().map(|own| own.job.precision) else {
            return;
        };
        for dtype in [precision.compute, precision.gemm()] {
            let unable = cluster.kinds().iter().find(|gpu| gpu.peak(dtype).is_none());
            if let Some(gpu) = unable {
                let able: Vec<&str> = gpu.peaks.iter().map(|(dtype, _)| dtype.name()).collect();
                let message = format!("{} has no matrix arithmetic in {dtype}", gpu.name);
                let hint = format!("it has {}", able.join(", "));
                self.refuse("training.precision", &message, Some(hint));
                return;
            }
        }
    }
}

/// The name of a model for reports: of the zoo, else of the folder or file.
fn model_name(name: &str) -> String {
    let path = Path::new(name);
    let stem = path
        .file_stem()
        .map_or_else(|| name.into(), |stem| stem.to_string_lossy());
    let folder = path
        .parent()
        .and_then(Path::file_name)
        .map(|folder| folder.to_string_lossy());
    match folder {
        Some(folder) if stem == "config" => folder.into_owned(),
        _ if is_path(name) => stem.into_owned(),
        _ => name.to_owned(),
    }
}

/// Where a `config.json` is wrong: at the line of a syntax error, else at the key of the field,
/// else at the start of the file.
fn json_place(error: &ModelError, source: &Arc<Source>) -> Place {
    if let ModelError::NotJson { line, column, .. } = error {
        let before: usize = source
            .text
            .split_inclusive('\n')
            .take(line - 1)
            .map(str::len)
            .sum();
        let at = before + column.saturating_sub(1);
        return Place::new(source, at..at + 1);
    }
    let start = || Place::new(source, 0..0);
    let Some(field) = error.field() else {
        return start();
    };
    let key = field.rsplit('.').next().unwrap_or(field);
    let key = format!("\"{}\"", key.split('[').next().unwrap_or(key));
    // The file of a field that is not there is named all the same.
    let found = source.text.find(&key);
    found.map_or_else(start, |at| Place::new(source, at..at + key.len()))
}
