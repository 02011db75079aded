//! The report of a search: the best plan first, then who comes next and why not, then what was
//! excluded.

use std::fmt::Write as _;

use session::{
    Baseline, Breakdown, NoPlan, Planned, Planning, Prediction, Remedy, Simulated, Tally, WhatIf,
    plan_fields,
};

use crate::number::{count, duration, number, percent};
use crate::plan_baselines;
use crate::table::{Side, Table};
use crate::terminal::Terminal;
use crate::version;

/// What is reported.
pub(crate) struct Report<'a> {
    pub(crate) planned: &'a Planned,
    pub(crate) what_if: &'a [WhatIf],
    /// What other methods choose, where that was asked for.
    pub(crate) others: Option<&'a [Baseline]>,
    pub(crate) terminal: &'a Terminal,
}

/// Plans of the ranking that are shown.
const SHOWN: usize = 8;

impl Report<'_> {
    /// The report as text.
    pub(crate) fn text(&self, verbose: u8, quiet: bool) -> String {
        let mut sections = vec![self.title(), self.best()];
        if !quiet {
            let placement = crate::placement::section(self.planned, self.terminal);
            sections.extend([self.ranking(), placement, self.front(), self.varied()]);
            let answer = &self.planned.answer;
            let evaluated = answer.n_with_room();
            sections.push(excluded(&answer.excluded, evaluated, self.terminal));
        }
        if let Some(others) = self.others {
            sections.push(plan_baselines::text(others, self.planned, self.terminal));
        }
        if 0 < verbose {
            sections.push(self.assumed());
        }
        sections.push(self.signature());
        sections.retain(|section| !section.is_empty());
        sections.join("\n")
    }

    fn plans(&self) -> &[Simulated] {
        &self.planned.answer.plans
    }

    fn title(&self) -> String {
        let scenario = &self.planned.planning.scenario;
        let gpus = count(scenario.cluster.n_gpus() as u64);
        format!(
            "# {}: {} on {gpus} GPUs of {}\n",
            scenario.name,
            scenario.job.model.name(),
            scenario.cluster.name()
        )
    }

    fn best(&self) -> String {
        let best = &self.plans()[0];
        let mut text = String::from("## Best plan\n\n");
        let mut table = Table::new(&[("Field", Side::Left), ("Value", Side::Left)]);
        for (field, value) in given(best) {
            table.row([field.to_owned(), value]);
        }
        text.push_str(&table.render(self.terminal.width));
        text.push('\n');
        text.push_str(&self.answer(&best.prediction));
        text
    }

    fn answer(&self, prediction: &Prediction) -> String {
        let mut table = Table::new(&[("Answer", Side::Left), ("Value", Side::Right)]);
        let mut row = |name: &str, value: String| table.row([name.to_owned(), value]);
        row("Iteration time", duration(prediction.iteration_time_s));
        let range = prediction
            .iteration_time_p10_s
            .zip(prediction.iteration_time_p90_s);
        if let Some((low, high)) = range {
            row(
                "8 of 10 runs lie in",
                format!("{} to {}", duration(low), duration(high)),
            );
        }
        let rate = number(prediction.tokens_per_s_per_gpu);
        row("Throughput of one GPU", format!("{rate} tokens/s"));
        if 0.0 < prediction.mfu {
            row("MFU", percent(prediction.mfu));
        }
        let (used, limit) = (prediction.device_used_bytes, prediction.device_memory_bytes);
        row("Memory", format!("{used} of {limit}"));
        let margin = &self.planned.margin;
        let name = format!(
            "- margin kept free ({} of left-out runs)",
            percent(margin.covers)
        );
        row(&name, percent(margin.margin));
        let of = |key: &str| {
            prediction
                .totals
                .get(key)
                .and_then(serde_json::Value::as_f64)
        };
        if let Some(days) = of("days") {
            row("Whole run", duration(days * 86_400.0));
        }
        if let Some(hours) = of("gpu_hours") {
            row("- GPU time", format!("{} h", number(hours)));
        }
        if let Some(energy) = of("gpu_energy_kwh_at_tdp") {
            row(
                "- energy at power limit",
                format!("{} MWh", number(energy / 1000.0)),
            );
        }
        if let Some(cost) = of("cost") {
            let currency = prediction.totals.get("currency");
            let currency = currency.and_then(serde_json::Value::as_str).unwrap_or("");
            row("- cost", format!("{} {currency}", number(cost)));
        }
        if let Some(own) = &self.planned.own {
            let gain = own.iteration_time_s / prediction.iteration_time_s - 1.0;
            let fits = if own.fits { "" } else { ", does not fit" };
            let text = format!(
                "{} ({}{fits})",
                duration(own.iteration_time_s),
                signed(gain)
            );
            row("The scenario's own plan", text);
        }
        table.render(self.terminal.width)
    }

    /// The next plans, the best of each set of degrees, and what they lose.
    fn ranking(&self) -> String {
        let best = &self.plans()[0];
        let mut table = Table::new(&[
            ("Plan", Side::Right),
            ("Time", Side::Right),
            ("Slower", Side::Right),
            ("Memory", Side::Right),
            ("tp", Side::Right),
            ("pp", Side::Right),
            ("vp", Side::Right),
            ("cp", Side::Right),
            ("ep", Side::Right),
            ("dp", Side::Right),
            ("mbs", Side::Right),
            ("Schedule", Side::Left),
            ("Recompute", Side::Left),
            ("Shard", Side::Left),
            ("Loses", Side::Left),
        ]);
        let mut seen = Vec::new();
        for (at, plan) in self.plans().iter().enumerate() {
            let choice = &plan.evaluated.choice;
            let family = (choice.degrees, choice.schedule, choice.vp);
            if seen.contains(&family) || SHOWN <= seen.len() {
                continue;
            }
            seen.push(family);
            table.wide_row(row(at, plan, best));
        }
        let unsettled = format!(
            "The ranking is not settled: plans that were not simulated could be faster by up to {}.",
            percent(self.planned.answer.gap)
        );
        let settled = if self.planned.answer.partial {
            "The search was stopped: these are the best so far."
        } else if self.planned.answer.settled {
            "Of all plans whose switches and layers were tried, none that was not simulated could be faster than the first, as far as closed forms are sure."
        } else {
            &unsettled
        };
        format!(
            "## Ranking\n\n{}\nOf plans with the same degrees, schedule and vp the fastest is shown. {settled}\n",
            table.render(self.terminal.width)
        )
    }

    fn front(&self) -> String {
        let front = &self.planned.answer.pareto;
        if front.len() < 2 {
            return String::new();
        }
        let mut table = Table::new(&[
            ("Plan", Side::Right),
            ("Time", Side::Right),
            ("Memory", Side::Right),
            ("GPUs", Side::Right),
            ("tp", Side::Right),
            ("pp", Side::Right),
            ("dp", Side::Right),
            ("mbs", Side::Right),
            ("Recompute", Side::Left),
            ("Shard", Side::Left),
        ]);
        for at in front {
            let plan = &self.plans()[*at];
            let choice = &plan.evaluated.choice;
            table.row([
                (at + 1).to_string(),
                duration(plan.prediction.iteration_time_s),
                plan.prediction.device_used_bytes.to_string(),
                count(u64::from(plan.plan.n_ranks())),
                choice.degrees.tp.to_string(),
                choice.degrees.pp.to_string(),
                choice.degrees.dp.to_string(),
                choice.micro_batch.to_string(),
                choice.recompute.words(),
                choice.shard.words(),
            ]);
        }
        format!(
            "## Pareto front\n\nNo plan beats these in time, memory and GPUs; cost and energy follow from time and GPUs.\n\n{}",
            table.render(self.terminal.width)
        )
    }

    fn varied(&self) -> String {
        if self.what_if.is_empty() {
            return String::new();
        }
        let now = self.plans()[0].prediction.tokens_per_s_per_gpu;
        let mut table = Table::new(&[
            ("What if", Side::Left),
            ("Time", Side::Right),
            ("Tokens/s a GPU", Side::Right),
            ("Change", Side::Right),
            ("Memory", Side::Left),
        ]);
        for one in self.what_if {
            let name = format!("{} = {}", one.field, count(one.value));
            let cells = match &one.prediction {
                None => ["-".into(), "-".into(), "-".into(), "does not divide".into()],
                Some(prediction) => [
                    duration(prediction.iteration_time_s),
                    number(prediction.tokens_per_s_per_gpu),
                    signed(prediction.tokens_per_s_per_gpu / now - 1.0),
                    if prediction.fits {
                        "fits"
                    } else {
                        "does not fit"
                    }
                    .into(),
                ],
            };
            let [time, tokens, change, memory] = cells;
            table.row([name, time, tokens, change, memory]);
        }
        format!(
            "## What if\n\nThe best plan with as many replicas as there is room for, in closed form.\n\n{}",
            table.render(self.terminal.width)
        )
    }

    fn assumed(&self) -> String {
        let mut table = Table::new(&[
            ("Not given", Side::Left),
            ("Taken", Side::Left),
            ("Why", Side::Left),
        ]);
        for one in &self.plans()[0].prediction.assumptions {
            table.row([one.field.clone(), one.value.clone(), one.reason.clone()]);
        }
        if table.is_empty() {
            return String::new();
        }
        format!("## Assumptions\n\n{}", table.render(self.terminal.width))
    }

    fn signature(&self) -> String {
        let scenario = &self.planned.planning.scenario;
        let profiles = scenario.profiles.iter();
        let profiles: Vec<String> = profiles.map(|one| one.name().to_owned()).collect();
        format!(
            "windtunnel {}, engine {}, seed {}, profile {}\n",
            version::LONG,
            self.plans()[0].prediction.engine,
            scenario.settings.seed,
            profiles.join(", ")
        )
    }
}

/// The fields of a plan, as a scenario would give them. A schedule from a file has no point of the space.
fn given(plan: &Simulated) -> Vec<(&'static str, String)> {
    let mut fields = plan_fields(&plan.evaluated.choice, &[]);
    for (name, value) in &mut fields {
        if *name == "schedule" {
            let schedule = plan.prediction.plan["schedule"].as_str();
            schedule.unwrap_or("").clone_into(value);
        }
    }
    fields
}

fn row(at: usize, plan: &Simulated, best: &Simulated) -> Vec<String> {
    let choice = &plan.evaluated.choice;
    let degrees = choice.degrees;
    let time = plan.prediction.iteration_time_s;
    let slower = time / best.prediction.iteration_time_s - 1.0;
    vec![
        (at + 1).to_string(),
        duration(time),
        if at == 0 {
            "-".to_owned()
        } else {
            signed(slower)
        },
        plan.prediction.device_used_bytes.to_string(),
        degrees.tp.to_string(),
        degrees.pp.to_string(),
        choice.vp.to_string(),
        degrees.cp.to_string(),
        degrees.ep.to_string(),
        degrees.dp.to_string(),
        choice.micro_batch.to_string(),
        plan.prediction.plan["schedule"]
            .as_str()
            .unwrap_or("")
            .to_owned(),
        choice.recompute.words(),
        choice.shard.words(),
        if at == 0 {
            "-".to_owned()
        } else {
            loses(&plan.prediction, &best.prediction)
        },
    ]
}

/// The parts of an iteration, by name.
const fn parts(of: &Breakdown) -> [(&'static str, f64); 9] {
    [
        ("compute", of.compute_s),
        ("tensor parallel", of.tp_s),
        ("pipeline messages", of.pp_s),
        ("data parallel", of.dp_s),
        ("context parallel", of.cp_s),
        ("expert parallel", of.ep_s),
        ("bubble", of.bubble_s),
        ("optimizer", of.optimizer_s),
        ("host and other", of.other_s),
    ]
}

/// The part of the iteration in which a plan loses most against another.
fn loses(plan: &Prediction, best: &Prediction) -> String {
    let pairs = parts(&plan.breakdown)
        .into_iter()
        .zip(parts(&best.breakdown));
    let most = pairs
        .map(|((name, own), (_, other))| (name, own - other))
        .max_by(|a, b| a.1.total_cmp(&b.1));
    match most {
        Some((name, more)) if 0.0 < more => format!("{name} +{}", duration(more)),
        _ => String::from("nothing"),
    }
}

pub(crate) fn signed(share: f64) -> String {
    let sign = if share < 0.0 { "-" } else { "+" };
    format!("{sign}{}", percent(share.abs()))
}

/// What was excluded, by reason.
pub(crate) fn excluded(tally: &Tally, evaluated: u64, terminal: &Terminal) -> String {
    let mut table = Table::new(&[
        ("Plans", Side::Right),
        ("Not a candidate, since", Side::Left),
    ]);
    for (reason, number) in tally.by_count() {
        let lacking = match (reason, tally.lacking()) {
            (session::Reason::Memory, Some([least, most])) => {
                format!(" by {least} to {most}, with the margin")
            }
            _ => String::new(),
        };
        table.row([count(number), format!("{reason}{lacking}")]);
    }
    let mut text = String::from("## What was looked at\n\n");
    let _ = write!(
        text,
        "{} plans have room and were evaluated in closed form; those below are no candidates.\n\n{}",
        count(evaluated),
        table.render(terminal.width)
    );
    text
}

/// Why nothing fits, and what came nearest.
pub(crate) fn no_plan(nothing: &NoPlan, planning: &Planning) -> String {
    let gpus = planning.scenario.cluster.kinds().iter();
    match (nothing.nearest, gpus.map(|gpu| gpu.memory).min()) {
        (Some(nearest), Some(limit)) => {
            let (needs, margin) = (nearest.used, percent(session::memory_margin().margin));
            format!(
                "no plan fits: the smallest needs {needs} per GPU and {margin} of it free, of {limit}"
            )
        }
        _ => "no plan fits the numbers of model and cluster".to_owned(),
    }
}

/// What would make a plan fit.
pub(crate) fn remedies_in_words(found: &[Remedy]) -> String {
    if found.is_empty() {
        return "neither more nodes nor shorter sequences make one fit; what follows says what \
                excludes plans"
            .to_owned();
    }
    let words = found.iter().map(|one| {
        let host = if one.offloads {
            ", with the optimizer on the host"
        } else {
            ""
        };
        format!("{} ({} an iteration{host})", one.change, duration(one.time))
    });
    words.collect::<Vec<_>>().join("; or ")
}

/// The best plan with some values beside the best of all.
pub(crate) fn compared(
    asked: &str,
    planned: &Planned,
    other: &Planned,
    terminal: &Terminal,
) -> String {
    let (best, with) = (&planned.answer.plans[0], &other.answer.plans[0]);
    let slower = with.prediction.iteration_time_s / best.prediction.iteration_time_s - 1.0;
    let mut table = Table::new(&[
        ("Field", Side::Left),
        ("Best", Side::Left),
        ("Best with it", Side::Left),
    ]);
    let theirs = given(with);
    for (field, value) in given(best) {
        let found = theirs.iter().find(|(other, _)| *other == field);
        let other = found.map_or_else(|| "1".to_owned(), |(_, value)| value.clone());
        if value != other {
            table.row([field.to_owned(), value, other]);
        }
    }
    for (field, value) in &theirs {
        if given(best).iter().all(|(other, _)| other != field) {
            table.row([(*field).to_owned(), "1".to_owned(), value.clone()]);
        }
    }
    let mut row = |name: &str, of: &dyn Fn(&Prediction) -> String| {
        table.row([name.to_owned(), of(&best.prediction), of(&with.prediction)]);
    };
    row("iteration time", &|one| duration(one.iteration_time_s));
    row("memory", &|one| one.device_used_bytes.to_string());
    for at in 0..parts(&best.prediction.breakdown).len() {
        let (name, _) = parts(&best.prediction.breakdown)[at];
        row(name, &|one| duration(parts(&one.breakdown)[at].1));
    }
    let evaluated = other.answer.n_with_room();
    format!(
        "# The best plan with {asked} is {} than the best\n\nIt loses most in {}.\n\n{}\n{}",
        if slower < 0.0 {
            format!("{} faster", percent(-slower))
        } else {
            format!("{} slower", percent(slower))
        },
        loses(&with.prediction, &best.prediction),
        table.render(terminal.width),
        excluded(&other.answer.excluded, evaluated, terminal),
    )
}
