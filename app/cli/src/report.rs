//! The report of a prediction: the answer first, then where the time goes, then what was assumed.

use std::cmp::Reverse;
use std::fmt::Write as _;

use serde_json::Value;
use session::{Breakdown, ClassMemory, Links, Prediction, Ready};
use units::Bytes;

use crate::link_report::{busiest, jobs};
use crate::number::{count, duration, large, number, percent};
use crate::table::{Side, Table};
use crate::terminal::Terminal;
use crate::version;

/// How much a report says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Detail {
    /// The answer alone.
    Answer,
    /// What fits on a screen.
    Normal,
    /// Every source and reason.
    Everything,
}

/// The report as text.
pub(crate) fn report(
    ready: &Ready,
    prediction: &Prediction,
    links: Option<&Links>,
    detail: Detail,
    terminal: &Terminal,
) -> String {
    let mut sections = vec![title(ready, prediction), answer(prediction, terminal)];
    sections.push(jobs(&prediction.jobs, terminal));
    if Detail::Normal <= detail {
        sections.push(time(prediction, terminal));
        sections.extend(links.map(|links| busiest(links, &ready.scenario, terminal)));
        sections.push(memory(prediction, detail, terminal));
        sections.push(worth(prediction, detail, terminal));
        sections.push(assumptions(prediction, detail, terminal));
    }
    sections.push(signature(ready, prediction));
    sections.retain(|section| !section.is_empty());
    sections.join("\n")
}

fn title(ready: &Ready, prediction: &Prediction) -> String {
    let model = ready.scenario.job.model.name();
    let gpus = count(prediction.plan["gpus"].as_u64().unwrap_or(0));
    let cluster = ready.scenario.cluster.name();
    format!(
        "# {}: {model} on {gpus} GPUs of {cluster}\n",
        ready.scenario.name
    )
}

fn answer(prediction: &Prediction, terminal: &Terminal) -> String {
    let mut table = Table::new(&[("Answer", Side::Left), ("Value", Side::Right)]);
    table.row([
        "Iteration time".into(),
        duration(prediction.iteration_time_s),
    ]);
    let range = prediction
        .iteration_time_p10_s
        .zip(prediction.iteration_time_p90_s);
    if let Some((low, high)) = range {
        let text = format!("{} to {}", duration(low), duration(high));
        table.row(["8 of 10 runs lie in".into(), text]);
    }
    let tokens = |rate| format!("{} tokens/s", number(rate));
    table.row([
        "Throughput of one GPU".into(),
        tokens(prediction.tokens_per_s_per_gpu),
    ]);
    table.row(["Throughput in all".into(), tokens(prediction.tokens_per_s)]);
    // Layers that were measured as a whole have no known operations.
    if 0.0 < prediction.model_tflops_per_gpu {
        let speed = |rate| format!("{} TFLOP/s", number(rate));
        table.row([
            "Model FLOPs of one GPU".into(),
            speed(prediction.model_tflops_per_gpu),
        ]);
        table.row([
            "With recomputation".into(),
            speed(prediction.hardware_tflops_per_gpu),
        ]);
        let of = format!(
            "MFU ({}, {} TFLOP/s)",
            prediction.mfu_format,
            number(prediction.peak_tflops_per_gpu)
        );
        table.row([of, percent(prediction.mfu)]);
        if let Some(mfu) = prediction.mfu_of_gemm_format {
            table.row([
                format!("- of the {} peak", prediction.gemm_format),
                percent(mfu),
            ]);
        }
    }
    let verdict = if prediction.fits {
        "Memory (fits)"
    } else {
        "Memory (DOES NOT FIT)"
    };
    let (used, limit) = (prediction.device_used_bytes, prediction.device_memory_bytes);
    table.row([verdict.into(), format!("{used} of {limit}")]);
    table.row([
        "- allocated".into(),
        prediction.peak_allocated_bytes.to_string(),
    ]);
    table.row([
        "- reserved".into(),
        prediction.peak_reserved_bytes.to_string(),
    ]);
    for row in totals(prediction) {
        table.row(row);
    }
    table.render(terminal.width)
}

/// Time, energy and money of the whole run, where the scenario knows its tokens.
fn totals(prediction: &Prediction) -> Vec<[String; 2]> {
    let of = |key: &str| prediction.totals.get(key).and_then(Value::as_f64);
    let mut rows = Vec::new();
    let mut row = |name: &str, value: Option<String>| {
        rows.extend(value.map(|value| [name.to_owned(), value]));
    };
    row(
        "Whole run",
        of("days").map(|days| duration(days * 86_400.0)),
    );
    row("- iterations", of("iterations").map(large));
    row(
        "- GPU time",
        of("gpu_hours").map(|hours| format!("{} h", large(hours))),
    );
    let energy = of("gpu_energy_kwh_at_tdp").map(|kwh| format!("{} MWh", number(kwh / 1000.0)));
    row("- energy at power limit", energy);
    let currency = prediction.totals.get("currency").and_then(Value::as_str);
    let unit = currency
        .filter(|unit| !unit.is_empty())
        .unwrap_or("of the prices' currency");
    row(
        "- cost",
        of("cost").map(|cost| format!("{} {unit}", number(cost))),
    );
    rows
}

/// A part of a breakdown: its name, and its seconds.
pub(crate) type Part = (&'static str, fn(&Breakdown) -> f64);

/// The parts of a breakdown.
pub(crate) const PARTS: [Part; 9] = [
    ("Compute", |of| of.compute_s),
    ("Tensor parallel", |of| of.tp_s),
    ("Pipeline transfers", |of| of.pp_s),
    ("Data parallel", |of| of.dp_s),
    ("Context parallel", |of| of.cp_s),
    ("Expert parallel", |of| of.ep_s),
    ("Bubble", |of| of.bubble_s),
    ("Optimizer", |of| of.optimizer_s),
    ("Host and other", |of| of.other_s),
];

/// Their sum.
const ITERATION: Part = ("Iteration", Breakdown::total);

/// Where the time goes: on the critical path, and on the rank that others wait for. The closed
/// form knows that rank alone.
fn time(prediction: &Prediction, terminal: &Terminal) -> String {
    let rank = &prediction.breakdown;
    let Some(path) = &prediction.critical_path else {
        let mut words = vec![of_rank(prediction)];
        // The closed form has none.
        if prediction.bottleneck.is_some() {
            words.push(NO_PATH.to_owned());
        }
        return time_section(&[("Time", rank)], &words, terminal);
    };
    let words = [PATH.to_owned(), of_rank(prediction)];
    time_section(
        &[("Critical path", path), ("One rank", rank)],
        &words,
        terminal,
    )
}

const PATH: &str = "\
Critical path: from the first kernel to the end, over ranks, each piece released \
by the one before it. Communication that something waited for counts in full.";

const NO_PATH: &str = "The run is too large to keep its critical path.";

/// Whose account the breakdown is.
fn of_rank(prediction: &Prediction) -> String {
    let class = prediction.bottleneck.as_deref();
    let class = class.unwrap_or("the busiest stage");
    format!(
        "One rank: of {class}, which idles least. Its communication counts where no kernel of \
         its own hides it, and its bubble is time in which it waits for other ranks."
    )
}

fn time_section(columns: &[(&str, &Breakdown)], words: &[String], terminal: &Terminal) -> String {
    let mut parts = PARTS.to_vec();
    parts.sort_by(|a, b| b.1(columns[0].1).total_cmp(&a.1(columns[0].1)));
    parts.retain(|(_, of)| columns.iter().any(|(_, all)| of(all) != 0.0));
    let mut headers = vec![("Part", Side::Left)];
    for (name, _) in columns {
        headers.extend([(*name, Side::Right), ("Share", Side::Right)]);
    }
    let mut table = Table::new(&headers);
    for (name, of) in parts.into_iter().chain([ITERATION]) {
        let mut row = vec![name.to_owned()];
        for (_, all) in columns {
            row.extend([duration(of(all)), percent(of(all) / all.total())]);
        }
        table.wide_row(row);
    }
    let words: Vec<String> = words
        .iter()
        .map(|line| wrapped(line, terminal.width))
        .collect();
    format!(
        "## Where the time goes\n\n{}\n{}\n",
        table.render(terminal.width),
        words.join("\n")
    )
}

/// The kinds of memory, by their keys in a prediction.
const KINDS: [(&str, &str); 7] = [
    ("weights_bytes", "Weights"),
    ("gradients_bytes", "Gradients"),
    ("optimizer_bytes", "Optimizer"),
    ("activations_bytes", "Activations"),
    ("logits_bytes", "Logits"),
    ("workspace_bytes", "Workspace"),
    ("communication_bytes", "Buffers"),
];

/// So many classes of ranks are shown, the fullest first.
const CLASSES: usize = 8;

fn memory(prediction: &Prediction, detail: Detail, terminal: &Terminal) -> String {
    let mut groups = equal_classes(prediction);
    groups.sort_by_key(|(class, _)| (Reverse(class.peak_allocated_bytes), class.first_rank));
    let shown = if detail == Detail::Everything {
        groups.len()
    } else {
        CLASSES
    };
    let held = |key: &str| {
        groups
            .iter()
            .any(|(class, _)| class.at_peak.contains_key(key))
    };
    let kinds: Vec<_> = KINDS.iter().filter(|(key, _)| held(key)).collect();
    let mut columns = vec![
        ("Stage", Side::Right),
        ("Ranks", Side::Right),
        ("Peak", Side::Right),
    ];
    columns.extend(kinds.iter().map(|(_, name)| (*name, Side::Right)));
    columns.push(("At", Side::Right));
    let mut table = Table::new(&columns);
    for (class, ranks) in groups.iter().take(shown) {
        let peak = class.peak_allocated_bytes.to_string();
        let mut row = vec![class.stage.to_string(), count(*ranks), peak];
        row.extend(kinds.iter().map(|(key, _)| {
            let bytes = class.at_peak.get(*key).and_then(Value::as_u64).unwrap_or(0);
            Bytes::new(bytes).to_string()
        }));
        row.push(class.peak_at_s.map_or_else(String::new, duration));
        table.wide_row(row);
    }
    if table.is_empty() {
        return String::new();
    }
    let mut text = format!("## Memory at the peak\n\n{}", table.render(terminal.width));
    if shown < groups.len() {
        let more = count((groups.len() - shown) as u64);
        let _ = writeln!(text, "\n{more} more rows hold less; -v shows them.");
    }
    text
}

/// Classes of ranks with equal memory at equal stages as one, with the number of their ranks.
fn equal_classes(prediction: &Prediction) -> Vec<(&ClassMemory, u64)> {
    let mut groups: Vec<(&ClassMemory, u64)> = Vec::new();
    for class in &prediction.peak_allocated_bytes_by_class {
        let same = groups.iter_mut().find(|(other, _)| {
            other.stage == class.stage
                && other.peak_allocated_bytes == class.peak_allocated_bytes
                && other.at_peak == class.at_peak
        });
        match same {
            Some((_, ranks)) => *ranks += class.ranks,
            None => groups.push((class, class.ranks)),
        }
    }
    groups
}

fn worth(prediction: &Prediction, detail: Detail, terminal: &Terminal) -> String {
    let sources = &prediction.sources;
    let shares = [
        ("measured", sources.measured),
        ("interpolated", sources.interpolated),
        ("extrapolated", sources.extrapolated),
        ("nominal", sources.nominal),
    ];
    let shares: Vec<String> = shares
        .into_iter()
        .filter(|(_, share)| 5e-4 <= *share)
        .map(|(name, share)| format!("{} {name}", percent(share)))
        .collect();
    let mut text = "## What the figures are worth\n\n".to_owned();
    if !shares.is_empty() {
        let _ = writeln!(text, "Kernel times: {}.", shares.join(", "));
    }
    if detail == Detail::Everything {
        let mut table = Table::new(&[
            ("Figure", Side::Left),
            ("Worth", Side::Left),
            ("Source", Side::Left),
        ]);
        for one in &sources.tables {
            table.row([one.what.clone(), one.worth.clone(), one.source.clone()]);
        }
        let _ = write!(text, "\n{}", table.render(terminal.width));
        return text;
    }
    for worth in ["measured", "interpolated", "extrapolated", "nominal"] {
        let figures = by_table(prediction, worth);
        if !figures.is_empty() {
            let line = format!("- {worth}: {}", figures.join("; "));
            let _ = writeln!(text, "{}", wrapped(&line, terminal.width));
        }
    }
    text
}

/// The figures of that worth, each table with its own: `h100-sxm (single products, host time)`.
/// Formats and sizes are left out; the whole list is in the table of `-v`.
fn by_table(prediction: &Prediction, worth: &str) -> Vec<String> {
    let mut tables: Vec<(&str, Vec<&str>)> = Vec::new();
    for one in prediction
        .sources
        .tables
        .iter()
        .filter(|one| one.worth == worth)
    {
        let (table, figure) = one
            .what
            .split_once(": ")
            .unwrap_or(("collectives", &one.what));
        let figure = figure.split([',']).next().unwrap_or(figure);
        let figure = figure.split(" of ").next().unwrap_or(figure);
        match tables.iter_mut().find(|(name, _)| *name == table) {
            Some((_, figures)) if figures.contains(&figure) => {}
            Some((_, figures)) => figures.push(figure),
            None => tables.push((table, vec![figure])),
        }
    }
    let shown = |(table, figures): (&str, Vec<&str>)| format!("{table} ({})", figures.join(", "));
    tables.into_iter().map(shown).collect()
}

fn assumptions(prediction: &Prediction, detail: Detail, terminal: &Terminal) -> String {
    if prediction.assumptions.is_empty() {
        return String::new();
    }
    let mut table = Table::new(&[
        ("Not given", Side::Left),
        ("Taken", Side::Left),
        ("Why", Side::Left),
    ]);
    for one in &prediction.assumptions {
        let taken = if detail == Detail::Everything {
            one.value.clone()
        } else {
            short(&one.value)
        };
        table.row([one.field.clone(), taken, one.reason.clone()]);
    }
    format!("## Assumptions\n\n{}", table.render(terminal.width))
}

/// A value that fits into a cell.
fn short(value: &str) -> String {
    const LONGEST: usize = 40;
    if value.chars().count() <= LONGEST {
        return value.to_owned();
    }
    let kept: String = value.chars().take(LONGEST - 1).collect();
    format!("{kept}…")
}

/// The section of what binds a run: a claim a line.
pub(crate) fn binding(text: &str, terminal: &Terminal) -> String {
    let lines = text
        .lines()
        .map(|line| wrapped(&format!("- {line}"), terminal.width));
    let lines = lines.collect::<Vec<_>>().join("\n");
    format!("\n## What binds it\n\n{lines}\n")
}

/// Text in lines that fit, continued under the first letter after the dash.
pub(crate) fn wrapped(text: &str, width: Option<usize>) -> String {
    let Some(width) = width else {
        return text.to_owned();
    };
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let last = lines.len() - 1;
        let length = lines[last].chars().count();
        if length != 0 && width < length + 1 + word.chars().count() {
            lines.push(format!("  {word}"));
        } else {
            if length != 0 {
                lines[last].push(' ');
            }
            lines[last].push_str(word);
        }
    }
    lines.join("\n")
}

/// What made the report, for whoever finds it later.
fn signature(ready: &Ready, prediction: &Prediction) -> String {
    format!(
        "windtunnel {}, engine {}, seed {}, profile {}\n",
        version::LONG,
        prediction.engine,
        ready.scenario.settings.seed,
        ready.profiles().join(", "),
    )
}
