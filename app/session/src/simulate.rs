//! Predicting a scenario that was opened, and writing its timeline.

use std::io::{self, Write};
use std::path::Path;

use cluster::Cluster;
use format::{Failure, resolve, resolve_on};
use formats::{FormatError, Header, Perfetto, compressed, write_perfetto, wtt};
use predict::{Outcome, PredictError, Record, Scenario, predict, predict_links};
use trace::Trace;
use units::Control;

use crate::open::Opened;
use crate::save::{Existing, SaveError, save};

/// A scenario that is ready to run.
#[derive(Clone, Debug)]
pub struct Ready {
    /// The scenario, checked.
    pub scenario: Scenario,
    /// What is suspicious but no error.
    pub warnings: Vec<String>,
    /// The scenario as TOML.
    pub text: String,
}

impl Opened {
    /// Looks up everything that the scenario names, and checks it.
    ///
    /// # Errors
    ///
    /// Everything that is wrong.
    pub fn ready(&self) -> Result<Ready, Vec<Failure>> {
        let resolved = resolve(&self.name, &self.spec, &self.document, &self.library())?;
        Ok(Ready {
            scenario: resolved.scenario,
            warnings: resolved.warnings,
            text: format::write::write(&self.document),
        })
    }
}

impl Opened {
    /// As [`Opened::ready`], on a cluster that was built already for the same `[cluster]`.
    ///
    /// # Errors
    ///
    /// Everything that is wrong.
    pub(crate) fn scenario_on(&self, cluster: &Cluster) -> Result<Scenario, Vec<Failure>> {
        let library = self.library();
        let resolved = resolve_on(&self.name, &self.spec, &self.document, &library, cluster)?;
        Ok(resolved.scenario)
    }
}

impl Ready {
    /// The names of the profiles, in the order of the kinds of GPU.
    pub fn profiles(&self) -> Vec<&str> {
        let profiles = self.scenario.profiles.iter();
        profiles.map(profile::Profile::name).collect()
    }

    /// Predicts one iteration, with its timeline where that is asked for.
    ///
    /// # Errors
    ///
    /// Where the run is interrupted or fails.
    pub fn run(&self, record: Record, control: &Control) -> Result<Outcome, PredictError> {
        predict(&self.scenario, record, control)
    }

    /// As [`Ready::run`], with what links carried where the engine knows links.
    ///
    /// # Errors
    ///
    /// As [`Ready::run`].
    pub fn run_links(&self, record: Record, control: &Control) -> Result<Outcome, PredictError> {
        predict_links(&self.scenario, record, control)
    }
}

/// In which form a timeline is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TraceForm {
    /// Chrome JSON, for Perfetto.
    Perfetto,
    /// The same, compressed.
    PerfettoGz,
    /// Our own: exact, compact, reads back.
    Wtt,
}

impl TraceForm {
    /// The form that the ending of a path asks for.
    pub fn of(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?.to_ascii_lowercase();
        let forms = [
            (".wtt", Self::Wtt),
            (".json.gz", Self::PerfettoGz),
            (".json", Self::Perfetto),
        ];
        forms
            .into_iter()
            .find(|(ending, _)| name.ends_with(ending))
            .map(|(_, form)| form)
    }
}

/// What a written timeline leaves out, in words; nothing where it is whole.
pub type LeftOut = Option<String>;

/// Writes a timeline to a file.
///
/// # Errors
///
/// Where the file is there already and may not be replaced, or cannot be written.
pub fn save_trace(
    path: &Path,
    form: TraceForm,
    existing: Existing,
    header: &Header,
    trace: &Trace,
) -> Result<LeftOut, SaveError> {
    let mut left_out = None;
    save(path, existing, |out| {
        left_out = write_trace(out, form, header, trace).map_err(io::Error::other)?;
        Ok(())
    })?;
    Ok(left_out)
}

fn write_trace(
    out: &mut dyn Write,
    form: TraceForm,
    header: &Header,
    trace: &Trace,
) -> Result<LeftOut, FormatError> {
    let perfetto = Perfetto {
        tool: header.tool.clone(),
        seed: header.seed,
        ..Perfetto::default()
    };
    match form {
        TraceForm::Wtt => wtt::write(out, header, trace).map(|()| None),
        TraceForm::Perfetto => write_perfetto(out, trace, &perfetto).map(|export| export.folded()),
        TraceForm::PerfettoGz => compressed(out, |out| write_perfetto(out, trace, &perfetto))
            .map(|export| export.folded()),
    }
}

/// Reads a timeline in our own form.
///
/// # Errors
///
/// Where the file cannot be read or is no timeline.
pub fn read_trace(path: &Path) -> Result<(Header, Trace), FormatError> {
    let file = std::fs::File::open(path)?;
    wtt::read(io::BufReader::new(file), wtt::Limits::default())
}
