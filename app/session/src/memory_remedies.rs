//! What would make a plan fit, or leave more room: single changes, each asked of the `estimate` engine, which
//! rehearses what formulas are in doubt of.

use format::{Assignment, Failure};
use plan::{Degrees, Plan};
use predict::{Engine, PredictError, Prediction, Record, Scenario, predict};
use rayon::prelude::*;
use units::{Bytes, Control};

use crate::draft::Draft;
use crate::open::Opened;

/// A change of a plan that needs less memory.
#[derive(Clone, Debug, PartialEq)]
pub struct MemoryRemedy {
    /// What to change, as a person would say it.
    pub change: String,
    /// The fields that it sets, each with its value as people type it.
    pub edits: Vec<(String, String)>,
    /// What the fullest device uses then.
    pub used: Bytes,
    /// The largest peak of the allocator then.
    pub peak_allocated: Bytes,
    /// Whether every rank fits then.
    pub fits: bool,
    /// Seconds of an iteration then.
    pub iteration_time_s: f64,
    /// The time over that of the plan, less 1; both of the `estimate` engine.
    pub time_change: f64,
    /// The use over that of the plan, less 1; both of the `estimate` engine.
    pub memory_change: f64,
}

/// Changes with what they are compared to.
#[derive(Clone, Debug, PartialEq)]
pub struct MemoryRemedies {
    /// What the `estimate` engine says of the plan as it is; none where it has no answer.
    pub base: Option<Box<Prediction>>,
    /// The changes, those that fit first and the fastest of them in front.
    pub changes: Vec<MemoryRemedy>,
}

impl MemoryRemedy {
    /// The draft with the change written into it.
    ///
    /// # Errors
    ///
    /// Where the draft is not TOML.
    pub fn apply(&self, draft: &Draft) -> Result<Draft, Box<Failure>> {
        let mut edits = self.edits.iter();
        edits.try_fold(draft.clone(), |draft, (field, value)| {
            draft.set(field, value)
        })
    }
}

/// Single changes to the plan of a scenario that need less memory, those that fit first and the
/// fastest of them in front. Changes under which there is no plan, or that save nothing, are left
/// out. On every core; some milliseconds for each change, or as long as a rehearsal takes.
///
/// # Errors
///
/// Everything that is wrong with the scenario.
pub fn memory_remedies(opened: &Opened, control: &Control) -> Result<MemoryRemedies, Vec<Failure>> {
    let ready = opened.ready()?;
    let Ok(base) = estimated(ready.scenario.clone(), control) else {
        return Ok(MemoryRemedies {
            base: None,
            changes: Vec::new(),
        });
    };
    let changes = changes(
        opened,
        &ready.scenario.plan,
        ready.scenario.cluster.n_nodes(),
    );
    let found = changes.into_par_iter().filter_map(|change| {
        if control.is_cancelled() {
            return None;
        }
        tried(opened, change, &base, control)
    });
    let mut found: Vec<MemoryRemedy> = found.collect();
    found.sort_by(|a, b| {
        let fits = b.fits.cmp(&a.fits);
        let by_time = a.iteration_time_s.total_cmp(&b.iteration_time_s);
        fits.then(by_time).then(a.change.cmp(&b.change))
    });
    Ok(MemoryRemedies {
        base: Some(Box::new(base)),
        changes: found,
    })
}

/// What the `estimate` engine says, whatever engine the scenario asks for.
fn estimated(mut scenario: Scenario, control: &Control) -> Result<Prediction, PredictError> {
    scenario.settings.engine = Engine::Estimate;
    Ok(predict(&scenario, Record::Totals, control)?.prediction)
}

/// A change in words, and the fields that it sets.
type Change = (String, Vec<(String, String)>);

/// What becomes of a change; none where it is no plan or saves nothing.
fn tried(
    opened: &Opened,
    (change, edits): Change,
    base: &Prediction,
    control: &Control,
) -> Option<MemoryRemedy> {
    let above = edits
        .iter()
        .map(|(field, value)| Assignment::new("remedy", format!("{field}={value}")));
    let changed = opened.with(&above.collect::<Vec<_>>()).ok()?;
    let then = estimated(changed.ready().ok()?.scenario, control).ok()?;
    (then.device_used_bytes < base.device_used_bytes).then(|| MemoryRemedy {
        change,
        edits,
        used: then.device_used_bytes,
        peak_allocated: then.peak_allocated_bytes,
        fits: then.fits,
        iteration_time_s: then.iteration_time_s,
        time_change: then.iteration_time_s / base.iteration_time_s - 1.0,
        memory_change: then.device_used_bytes.as_f64() / base.device_used_bytes.as_f64() - 1.0,
    })
}

/// The changes that are tried.
fn changes(opened: &Opened, plan: &Plan, nodes: usize) -> Vec<Change> {
    let degrees = plan.degrees();
    let mut all = Vec::new();
    let mut add = |change: &str, edits: Vec<(&str, String)>| {
        let edits = edits
            .into_iter()
            .map(|(field, value)| (field.to_owned(), value));
        all.push((change.to_owned(), edits.collect()));
    };
    for (name, words) in [
        ("selective", "Recompute attention's scores"),
        ("full", "Recompute every layer"),
    ] {
        add(words, vec![("plan.recompute", format!("\"{name}\""))]);
    }
    let micro_batch = plan.micro_batch();
    if 1 < micro_batch {
        let half = micro_batch / 2;
        add(
            &format!("Micro-batches of {half}"),
            vec![("plan.micro_batch", half.to_string())],
        );
    }
    let given = opened.spec.plan.spec.dp;
    let replicas = |times: u32| given.map(|dp| ("plan.dp", (dp / times).to_string()));
    for (field, name, now) in doubled(degrees) {
        let edits = [(field, (2 * now).to_string())]
            .into_iter()
            .chain(replicas(2));
        add(&format!("{name} parallelism {}", 2 * now), edits.collect());
    }
    if 1 < degrees.tp && !plan.sequence_parallel() {
        add("Sequence parallelism", vec![("plan.sp", "true".to_owned())]);
    }
    for (value, words) in [
        ("zero-1", "Share the optimizer's states over replicas"),
        ("zero-2", "Share gradients and states over replicas"),
        (
            "zero-3",
            "Share weights, gradients and states over replicas",
        ),
    ] {
        add(words, vec![("plan.shard", format!("\"{value}\""))]);
    }
    add(
        "Keep the optimizer's states on the host",
        vec![("plan.offload.optimizer", "true".to_owned())],
    );
    add(
        &format!("Twice the nodes: {}", 2 * nodes),
        [("cluster.nodes", (2 * nodes).to_string())]
            .into_iter()
            .chain(given.map(|dp| ("plan.dp", (2 * dp).to_string())))
            .collect(),
    );
    all
}

/// The degrees that may be doubled, with their fields and names.
fn doubled(degrees: Degrees) -> [(&'static str, &'static str, u32); 3] {
    [
        ("plan.tp", "Tensor", degrees.tp),
        ("plan.pp", "Pipeline", degrees.pp),
        ("plan.cp", "Context", degrees.cp),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn remedies(draft: &Draft) -> Vec<MemoryRemedy> {
        let found = memory_remedies(&draft.open().unwrap(), &Control::new());
        found.unwrap().changes
    }

    #[test]
    fn a_plan_that_does_not_fit_is_told_what_would_make_it_fit() {
        let draft = Draft::example("llama3-70b-does-not-fit").unwrap();
        let all = remedies(&draft);
        assert!(all[0].fits, "{all:?}");
        let first = all.iter().position(|one| !one.fits).unwrap_or(all.len());
        assert!(all[first..].iter().all(|one| !one.fits));
        assert!(all[..first].is_sorted_by_key(|one| one.iteration_time_s));
        let kept = all[0]
            .apply(&draft)
            .unwrap()
            .open()
            .unwrap()
            .ready()
            .unwrap();
        let again = estimated(kept.scenario, &Control::new()).unwrap();
        assert!(again.fits);
        assert_eq!(again.device_used_bytes, all[0].used);
    }

    #[test]
    fn what_formulas_leave_out_is_rehearsed() {
        let draft = Draft::example("llama3-70b-dgx-h100").unwrap();
        let all = remedies(&draft);
        let offloads = all
            .iter()
            .find(|one| one.change == "Keep the optimizer's states on the host")
            .unwrap();
        // Formulas leave the copies out and would say that they cost nothing.
        assert!(0.0 < offloads.time_change, "{offloads:?}");
        let then = offloads.apply(&draft).unwrap().open().unwrap();
        let then = estimated(then.ready().unwrap().scenario, &Control::new()).unwrap();
        let times = [then.iteration_time_s, offloads.iteration_time_s];
        assert_eq!(times[0].to_bits(), times[1].to_bits());
    }

    #[test]
    fn every_remedy_saves_memory() {
        let all = remedies(&Draft::example("llama3-70b-dgx-h100").unwrap());
        assert!(!all.is_empty());
        assert!(all.iter().all(|one| one.memory_change < 0.0));
        assert!(all.iter().any(|one| one.change == "Recompute every layer"));
    }
}
