//! One plan as charts and tables show it.

use std::fmt::Write as _;

use session::{
    Choice, Engine, Evaluated, Planned, Prediction, Simulated, binding, breakdown_parts,
};
use units::Control;

use super::fields::fields_of;
use super::figures::{FORMULAS, engine_of};

/// Plans that are shown beside those that were simulated: the fastest in closed form.
const MOST: usize = 200;
/// Slower plans than this many times the best are left out of them.
const FAR: f64 = 1.5;
/// The id of the first plan in closed form; those that were simulated have theirs from 0.
const CLOSED: u64 = 1 << 32;

/// On what the figures of a plan rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// An engine judged it.
    Judged {
        /// Its place in the ranking.
        place: usize,
        /// The engine: the estimate where the search was stopped before it asked its own.
        engine: &'static str,
    },
    /// Closed forms alone.
    ClosedForm,
}

impl Basis {
    /// In words, for tables.
    pub fn words(self) -> String {
        match self {
            Self::Judged { engine, .. } if engine == Engine::Estimate.name() => engine.to_owned(),
            Self::Judged { engine, .. } if engine == FORMULAS => "formulas alone".to_owned(),
            Self::Judged { engine, .. } => format!("simulated, {engine}"),
            Self::ClosedForm => "closed form".to_owned(),
        }
    }
}

/// One plan.
#[derive(Clone, Debug, PartialEq)]
pub struct PlanRow {
    /// What tells it from others of its search.
    pub id: u64,
    /// On what its figures rest.
    pub basis: Basis,
    /// The plan.
    pub choice: Choice,
    /// GPUs that it uses.
    pub gpus: u64,
    /// Seconds of an iteration.
    pub time: f64,
    /// Bytes that the fullest GPU uses.
    pub memory: f64,
    /// Tokens a second, of all GPUs.
    pub tokens: f64,
    /// GPU-hours for a billion tokens.
    pub gpu_hours: f64,
    /// Model FLOP/s utilization.
    pub mfu: f64,
    /// Money for the whole run, where the scenario has prices.
    pub cost: Option<f64>,
    /// Its time over that of the best plan, less 1.
    pub slower: f64,
    /// Whether no plan that was simulated beats it in time, memory and GPUs.
    pub is_pareto: bool,
    /// What it loses most time to against the best plan, and how much.
    pub loses: Option<(&'static str, f64)>,
    /// Its fields, nearly as a scenario would give them.
    pub fields: Vec<(&'static str, String)>,
    /// Where its fields differ from those of the best plan.
    pub differs: String,
    /// What binds it, in closed form; none where an engine says it.
    pub bound: Option<String>,
}

impl PlanRow {
    /// A short name: its place in the ranking, or among the closed forms.
    pub fn name(&self) -> String {
        match self.basis {
            Basis::Judged { place, .. } => format!("{}", place + 1),
            Basis::ClosedForm => format!("c{}", self.id - CLOSED + 1),
        }
    }

    /// Its degrees in words.
    pub fn label(&self) -> String {
        let degrees = self.choice.degrees;
        let mut words = format!("tp {}, pp {}", degrees.tp, degrees.pp);
        for (name, value) in [
            ("cp", degrees.cp),
            ("ep", degrees.ep),
            ("vp", self.choice.vp),
        ] {
            if 1 < value {
                let _ = write!(words, ", {name} {value}");
            }
        }
        let (dp, sequences) = (degrees.dp, self.choice.micro_batch);
        let _ = write!(words, ", dp {dp}, micro-batch {sequences}");
        words
    }

    /// The value of a field; 1 where it is left out.
    pub fn field(&self, name: &str) -> &str {
        let found = self.fields.iter().find(|(known, _)| *known == name);
        found.map_or("1", |(_, value)| value)
    }

    /// The place in the ranking of those that an engine judged.
    pub const fn place(&self) -> Option<usize> {
        match self.basis {
            Basis::Judged { place, .. } => Some(place),
            Basis::ClosedForm => None,
        }
    }
}

/// The plans of an answer: those that were simulated in their order, then the fastest in closed form.
pub(super) fn rows(planned: &Planned) -> Vec<PlanRow> {
    let answer = &planned.answer;
    let Some(best) = answer.plans.first() else {
        return Vec::new();
    };
    let job = &planned.planning.scenario.job;
    let tokens = job.tokens() as f64;
    let mut rows: Vec<PlanRow> = (answer.plans.iter().enumerate())
        .map(|(place, plan)| simulated(place, plan, best, tokens))
        .collect();
    for place in &answer.pareto {
        rows[*place].is_pareto = true;
    }
    let first = rows[0].clone();
    let known: Vec<Choice> = rows.iter().map(|row| row.choice).collect();
    let mut others: Vec<&Evaluated> = (answer.evaluated.iter())
        .filter(|plan| plan.fits && plan.time <= FAR * best.evaluated.time)
        .filter(|plan| !known.contains(&plan.choice))
        .collect();
    others.sort_by(|a, b| a.time.total_cmp(&b.time).then(a.choice.cmp(&b.choice)));
    others.truncate(MOST);
    let choices: Vec<Choice> = others.iter().map(|plan| plan.choice).collect();
    // Short work, and a search that was stopped wants it, too.
    let forms = planned.formulas_of(&choices, &Control::new());
    let closed_rows = others.into_iter().zip(forms).zip(CLOSED..);
    rows.extend(closed_rows.map(|((plan, form), id)| PlanRow {
        id,
        bound: form.as_ref().map(|form| binding(form).words),
        ..closed(plan, &first, tokens)
    }));
    for row in &mut rows {
        row.fields = fields_of(&row.choice, &planned.planning.fixed);
    }
    let best = rows[0].fields.clone();
    for row in rows.iter_mut().skip(1) {
        row.differs = differences(&row.fields, &best);
    }
    rows
}

/// Fields that the table has columns for.
const COLUMNS: [&str; 11] = [
    "tp",
    "pp",
    "vp",
    "cp",
    "ep",
    "dp",
    "micro_batch",
    "schedule",
    "recompute",
    "shard",
    "layer_split",
];
/// Differences that are named.
const NAMED: usize = 2;
/// Values with more letters are left out of them.
const SHORT: usize = 12;

/// Where fields differ from those of the best plan: what no column shows comes first.
fn differences(own: &[(&'static str, String)], best: &[(&'static str, String)]) -> String {
    let value = |fields: &[(&'static str, String)], name: &str| {
        let found = fields.iter().find(|(known, _)| *known == name);
        found.map_or_else(|| "1".to_owned(), |(_, value)| value.clone())
    };
    let mut names: Vec<&'static str> = own.iter().chain(best).map(|(name, _)| *name).collect();
    names.sort_by_key(|name| COLUMNS.contains(name));
    let mut seen = std::collections::BTreeSet::new();
    names.retain(|name| seen.insert(*name) && value(own, name) != value(best, name));
    let words = names.iter().take(NAMED).map(|name| {
        let value = value(own, name);
        if value.chars().count() <= SHORT {
            format!("{name} {value}")
        } else {
            (*name).to_owned()
        }
    });
    let mut words: Vec<String> = words.collect();
    if NAMED < names.len() {
        words.push(format!("{} more", names.len() - NAMED));
    }
    words.join(", ")
}

fn simulated(place: usize, plan: &Simulated, best: &Simulated, tokens: f64) -> PlanRow {
    let prediction = &plan.prediction;
    let gpus = u64::from(plan.plan.n_ranks());
    let time = prediction.iteration_time_s;
    PlanRow {
        id: place as u64,
        basis: Basis::Judged {
            place,
            engine: engine_of(prediction),
        },
        choice: plan.evaluated.choice,
        gpus,
        time,
        memory: prediction.device_used_bytes.as_f64(),
        tokens: prediction.tokens_per_s,
        gpu_hours: gpu_hours(gpus, time, tokens),
        mfu: prediction.mfu,
        cost: prediction
            .totals
            .get("cost")
            .and_then(serde_json::Value::as_f64),
        slower: time / best.prediction.iteration_time_s - 1.0,
        is_pareto: false,
        loses: (place != 0)
            .then(|| lost(prediction, &best.prediction))
            .flatten(),
        fields: Vec::new(),
        differs: String::new(),
        bound: None,
    }
}

/// What no engine has looked at: utilization and cost follow from the time beside the best plan's.
fn closed(plan: &Evaluated, best: &PlanRow, tokens: f64) -> PlanRow {
    let degrees = plan.choice.degrees;
    let gpus: u64 = [degrees.tp, degrees.pp, degrees.cp, degrees.dp]
        .into_iter()
        .map(u64::from)
        .product();
    let work = gpus as f64 * plan.time / (best.gpus as f64 * best.time);
    PlanRow {
        id: CLOSED,
        basis: Basis::ClosedForm,
        choice: plan.choice,
        gpus,
        time: plan.time,
        memory: plan.used.as_f64(),
        tokens: tokens / plan.time,
        gpu_hours: gpu_hours(gpus, plan.time, tokens),
        mfu: best.mfu / work,
        cost: best.cost.map(|cost| cost * work),
        slower: plan.time / best.time - 1.0,
        is_pareto: false,
        loses: None,
        fields: Vec::new(),
        differs: String::new(),
        bound: None,
    }
}

fn gpu_hours(gpus: u64, time: f64, tokens: f64) -> f64 {
    gpus as f64 * time / tokens * 1e9 / 3600.0
}

/// The part of the iteration in which a plan loses most against another.
fn lost(plan: &Prediction, best: &Prediction) -> Option<(&'static str, f64)> {
    let [own, other] = [plan, best].map(|one| breakdown_parts(&one.breakdown));
    let parts = own.into_iter().zip(other);
    let more = parts.map(|((name, own), (_, other))| (name, own - other));
    more.max_by(|a, b| a.1.total_cmp(&b.1))
        .filter(|(_, more)| 0.0 < *more)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_without_a_column_are_named_first() {
        let fields = |tp: &str, sp: &str, split: &str| {
            vec![
                ("tp", tp.to_owned()),
                ("layer_split", split.to_owned()),
                ("sp", sp.to_owned()),
            ]
        };
        let best = fields("8", "true", "even");
        let other = fields("4", "false", "2 × 38, 3, 1, 2");
        assert_eq!(differences(&other, &best), "sp false, tp 4, 1 more");
        assert_eq!(differences(&best, &best), "");
    }
}
