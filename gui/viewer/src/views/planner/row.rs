//! One plan as charts and tables show it.

use std::fmt::Write as _;

use session::{Choice, Evaluated, Planned, Prediction, Simulated, breakdown_parts, plan_fields};

/// Plans that are shown beside those that were simulated: the fastest in closed form.
const MOST: usize = 200;
/// Slower plans than this many times the best are left out of them.
const FAR: f64 = 1.5;
/// The id of the first plan in closed form; those that were simulated have theirs from 0.
const CLOSED: u64 = 1 << 32;

/// On what the figures of a plan rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// The engine of the search, at that place of the ranking.
    Simulated(usize),
    /// Closed forms alone.
    ClosedForm,
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
    /// Its fields, as a scenario would give them.
    pub fields: Vec<(&'static str, String)>,
}

impl PlanRow {
    /// A short name: its place in the ranking, or among the closed forms.
    pub fn name(&self) -> String {
        match self.basis {
            Basis::Simulated(place) => format!("{}", place + 1),
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

    /// The place in the ranking of those that were simulated.
    pub const fn place(&self) -> Option<usize> {
        match self.basis {
            Basis::Simulated(place) => Some(place),
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
    rows.extend(others.into_iter().zip(CLOSED..).map(|(plan, id)| PlanRow {
        id,
        ..closed(plan, &first, tokens)
    }));
    for row in &mut rows {
        row.fields = plan_fields(&row.choice, &planned.planning.fixed);
    }
    rows
}

fn simulated(place: usize, plan: &Simulated, best: &Simulated, tokens: f64) -> PlanRow {
    let prediction = &plan.prediction;
    let gpus = u64::from(plan.plan.n_ranks());
    let time = prediction.iteration_time_s;
    PlanRow {
        id: place as u64,
        basis: Basis::Simulated(place),
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
