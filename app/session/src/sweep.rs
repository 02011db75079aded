//! A scenario for every combination of values: what `[sweep]` asks for.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::path::PathBuf;
use std::sync::Arc;

use ::traffic::Keep;
use format::write::write_value;
use format::{Assignment, Failure, Source};
use predict::{Prediction, Record};
use rayon::iter::{IntoParallelRefIterator, ParallelIterator};
use units::Control;

use crate::network::NetworkAnswer;
use crate::open::{blank_workload, open_source, read_request};
use crate::store::Store;
use crate::{Opened, Request};

/// The most cases that a sweep may have.
const MOST_CASES: usize = 1_000_000;

/// The field that names the policy of load balancing.
const POLICY: &str = "network.load_balancing";

/// The values of a case but for one field.
fn others(case: &[String], but: usize) -> Vec<&str> {
    let values = case.iter().enumerate().filter(|(at, _)| *at != but);
    values.map(|(_, value)| value.as_str()).collect()
}

/// The cases of a scenario.
#[derive(Debug)]
pub struct Sweep {
    /// What reports call the scenario.
    pub name: String,
    /// The fields that vary, the last one fastest.
    pub fields: Vec<String>,
    /// By case, the values of the fields as TOML.
    pub cases: Vec<Vec<String>>,
    source: Arc<Source>,
    base: PathBuf,
    request: Request,
}

/// What came of a case.
#[derive(Debug)]
pub enum CaseResult {
    /// A network workload.
    Traffic(Box<NetworkAnswer>),
    /// A training iteration.
    Training(Box<Prediction>),
    /// Why there is nothing: the scenario is wrong with these values, or the run failed.
    Failed(Vec<String>),
    /// The sweep was stopped before.
    Skipped,
}

/// Reads a scenario with `[sweep]` and lists its cases.
///
/// # Errors
///
/// Everything that is wrong with the scenario, and a sweep that is missing or too large.
pub fn open_sweep(request: &Request) -> Result<Sweep, Vec<Failure>> {
    cases(read_request(request)?, request)
}

/// As [`open_sweep`], of a network workload that what is laid over it makes alone.
///
/// # Errors
///
/// As [`open_sweep`].
pub fn open_workload_sweep(request: &Request) -> Result<Sweep, Vec<Failure>> {
    cases(blank_workload(), request)
}

fn cases(
    (name, source, base): (String, Arc<Source>, PathBuf),
    request: &Request,
) -> Result<Sweep, Vec<Failure>> {
    let opened = open_source(
        &name,
        Arc::clone(&source),
        (Store::Disk, base.clone()),
        request,
    )?;
    let Some(sweep) = &opened.spec.sweep else {
        return Err(vec![refused(
            &opened,
            "the scenario has no [sweep]".to_owned(),
            "list values by field: [sweep], then \"network.load_balancing\" = [\"ecmp\", \"spray\"]",
        )]);
    };
    let n: usize = sweep
        .iter()
        .map(|(_, values)| values.len())
        .try_fold(1_usize, usize::checked_mul)
        .unwrap_or(usize::MAX);
    if n == 0 || MOST_CASES < n {
        let message = match n {
            0 => "a field of [sweep] has no values".to_owned(),
            _ => format!("[sweep] has more than {MOST_CASES} combinations"),
        };
        return Err(vec![refused(&opened, message, "list fewer or more values")]);
    }
    let values: Vec<Vec<String>> = sweep
        .iter()
        .map(|(_, values)| values.iter().map(write_value).collect())
        .collect();
    let case = |index: usize| {
        let mut rest = index;
        let mut chosen: Vec<String> = values
            .iter()
            .rev()
            .map(|values| {
                let value = values[rest % values.len()].clone();
                rest /= values.len();
                value
            })
            .collect();
        chosen.reverse();
        chosen
    };
    Ok(Sweep {
        name,
        fields: sweep.iter().map(|(field, _)| field.clone()).collect(),
        cases: (0..n).map(case).collect(),
        source,
        base,
        request: request.clone(),
    })
}

fn refused(opened: &Opened, message: String, hint: &str) -> Failure {
    Failure {
        problem: format::Problem::Refused {
            message,
            hint: Some(hint.to_owned()),
        },
        field: "sweep".to_owned(),
        place: opened.document.place("sweep"),
    }
}

impl Sweep {
    /// Runs every case, on as many threads as the pool has; results stand in the order of cases.
    pub fn run(&self, control: &Control) -> Vec<CaseResult> {
        control.set_items(self.cases.len() as u64);
        self.cases
            .par_iter()
            .map(|case| {
                if control.is_cancelled() {
                    return CaseResult::Skipped;
                }
                let result = self.run_case(case, control);
                control.finish_item();
                result
            })
            .collect()
    }

    /// By case, the one that differs from it by ideal spraying alone, where the sweep has it: what a
    /// policy of load balancing is compared with.
    pub fn sprayed(&self) -> Vec<Option<usize>> {
        let Some(at) = self.fields.iter().position(|field| field == POLICY) else {
            return vec![None; self.cases.len()];
        };
        let sprayed = |case: &Vec<String>| case[at] == "\"spray\"";
        let ideals: BTreeMap<Vec<&str>, usize> = (0..)
            .zip(&self.cases)
            .filter(|(_, case)| sprayed(case))
            .map(|(index, case)| (others(case, at), index))
            .collect();
        let of = |case: &Vec<String>| ideals.get(&others(case, at)).copied();
        self.cases.iter().map(of).collect()
    }

    /// The scenario of a case.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it.
    pub fn open_case(&self, case: &[String]) -> Result<Opened, Vec<Failure>> {
        let mut request = self.request.clone();
        let given = self.fields.iter().zip(case);
        request.above.extend(
            given.map(|(field, value)| Assignment::new("[sweep]", format!("{field}={value}"))),
        );
        open_source(
            &self.name,
            Arc::clone(&self.source),
            (Store::Disk, self.base.clone()),
            &request,
        )
    }

    fn run_case(&self, case: &[String], control: &Control) -> CaseResult {
        let failed = |failures: Vec<Failure>| {
            CaseResult::Failed(failures.iter().map(ToString::to_string).collect())
        };
        let mut opened = match self.open_case(case) {
            Ok(opened) => opened,
            Err(failures) => return failed(failures),
        };
        opened.spec.sweep = None;
        if opened.is_traffic() {
            let traffic = match opened.traffic() {
                Ok(traffic) => traffic,
                Err(failures) => return failed(failures),
            };
            return match traffic.run(Keep::Totals, control) {
                Ok(answer) => CaseResult::Traffic(Box::new(answer)),
                Err(_) if control.is_cancelled() => CaseResult::Skipped,
                Err(error) => CaseResult::Failed(vec![told(&error, error.hint())]),
            };
        }
        let ready = match opened.ready() {
            Ok(ready) => ready,
            Err(failures) => return failed(failures),
        };
        match ready.run(Record::Path, control) {
            Ok(outcome) => CaseResult::Training(Box::new(outcome.prediction)),
            Err(_) if control.is_cancelled() => CaseResult::Skipped,
            Err(error) => CaseResult::Failed(vec![told(&error, error.hint())]),
        }
    }
}

/// An error with what to do about it, in one line.
fn told(error: &dyn Display, hint: Option<&str>) -> String {
    match hint {
        Some(hint) => format!("{error} (hint: {hint})"),
        None => error.to_string(),
    }
}
