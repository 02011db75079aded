//! What would make a plan fit, or leave more room: single changes, each asked of the closed form.

use format::{Assignment, Failure};
use plan::{Degrees, Plan};
use predict::{Prediction, formulas};
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
    /// The time over that of the plan, less 1; both in closed form.
    pub time_change: f64,
    /// The use over that of the plan, less 1; both in closed form.
    pub memory_change: f64,
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
/// out. On every core; some milliseconds for each change.
///
/// # Errors
///
/// Everything that is wrong with the scenario.
pub fn memory_remedies(
    opened: &Opened,
    control: &Control,
) -> Result<Vec<MemoryRemedy>, Vec<Failure>> {
    let ready = opened.ready()?;
    let Ok(base) = formulas(&ready.scenario) else {
        return Ok(Vec::new());
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
        tried(opened, change, &base)
    });
    let mut found: Vec<MemoryRemedy> = found.collect();
    found.sort_by(|a, b| {
        let fits = b.fits.cmp(&a.fits);
        let by_time = a.iteration_time_s.total_cmp(&b.iteration_time_s);
        fits.then(by_time).then(a.change.cmp(&b.change))
    });
    Ok(found)
}

/// A change in words, and the fields that it sets.
type Change = (String, Vec<(String, String)>);

/// What the closed form says of a change; none where it is no plan or saves nothing.
fn tried(opened: &Opened, (change, edits): Change, base: &Prediction) -> Option<MemoryRemedy> {
    let above = edits
        .iter()
        .map(|(field, value)| Assignment::new("remedy", format!("{field}={value}")));
    let changed = opened.with(&above.collect::<Vec<_>>()).ok()?;
    let then = formulas(&changed.ready().ok()?.scenario).ok()?;
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
        memory_remedies(&draft.open().unwrap(), &Control::new()).unwrap()
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
        let again = formulas(&kept.scenario).unwrap();
        assert!(again.fits);
        assert_eq!(again.device_used_bytes, all[0].used);
    }

    #[test]
    fn every_remedy_saves_memory() {
        let all = remedies(&Draft::example("llama3-70b-dgx-h100").unwrap());
        assert!(!all.is_empty());
        assert!(all.iter().all(|one| one.memory_change < 0.0));
        assert!(all.iter().any(|one| one.change == "Recompute every layer"));
    }
}
