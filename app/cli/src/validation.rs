//! What predictions are worth on measured runs, for people and programs.

use std::fmt::Write as _;

use serde_json::{Value, json};
use session::{
    Compared, Document, Group, Quantity, Row, RowEntry, ValidateSettings, Validation, Worst,
};
use units::Bytes;

use crate::commands::Context;
use crate::number::{count, duration, percent};
use crate::report::{PARTS, wrapped};
use crate::table::{Side, Table};
use crate::terminal::Terminal;
use crate::version;

/// The report: rows, the worst of them explained, groups, the sum.
pub(crate) fn report(
    found: &Validation,
    worst: Option<&[Worst]>,
    settings: &ValidateSettings,
    context: &Context,
) -> String {
    let terminal = &context.stdout;
    let mut sections = Vec::new();
    if !context.output.quiet {
        sections.push(rows(found, terminal));
        sections.push(skipped_rows(found, terminal));
        sections.push(apart(found, terminal));
    }
    if let Some(worst) = worst {
        sections.push(worst_rows(worst, context.output.verbose, terminal));
    }
    sections.push(groups(found, terminal));
    sections.push(sum(found, terminal));
    sections.push(signature(found, settings));
    sections.retain(|section| !section.is_empty());
    sections.join("\n")
}

fn rows(found: &Validation, terminal: &Terminal) -> String {
    let mut table = Table::new(&[
        ("Row", Side::Left),
        ("Quantity", Side::Left),
        ("Predicted", Side::Right),
        ("Measured", Side::Right),
        ("Error", Side::Right),
        ("8 of 10 lie in", Side::Right),
        ("GPU", Side::Left),
        ("Source", Side::Left),
        ("Notes", Side::Left),
    ]);
    for row in &found.rows {
        let mut add = |quantity: &str, cells: [String; 4], notes: String| {
            let [predicted, measured, error, interval] = cells;
            table.row([
                row.id.clone(),
                quantity.to_owned(),
                predicted,
                measured,
                error,
                interval,
                row.label.gpu.clone(),
                format!("{} {}", row.label.source_repo, row.label.source_path),
                notes,
            ]);
        };
        if let Some((quantity, reason)) = &row.uncompared {
            let cells = [skipped(), String::new(), String::new(), String::new()];
            add(word(*quantity), cells, reason.clone());
        }
        for one in &row.compared {
            let value = |value: f64| shown(one.quantity, value);
            let interval = one.p10.zip(one.p90);
            let cells = [
                one.predicted.map_or_else(skipped, value),
                value(one.measured),
                one.error().map_or_else(String::new, signed),
                interval.map_or_else(String::new, |(low, high)| {
                    format!("{} to {}", value(low), value(high))
                }),
            ];
            add(word(one.quantity), cells, notes(row, one));
        }
    }
    format!("## Rows\n\n{}", table.render(terminal.width))
}

fn skipped() -> String {
    "skipped".to_owned()
}

/// What a reader of a row should know: why it was skipped or stands apart, how its figure was
/// derived, which rules filled in what it does not say.
fn notes(row: &Row, one: &Compared) -> String {
    let mut notes: Vec<String> = Vec::new();
    notes.extend(row.skipped.clone());
    notes.extend(row.apart.map(|reason| format!("apart: {reason}")));
    notes.extend(one.derived.as_ref().map(|how| format!("measured {how}")));
    let mut rules: Vec<&str> = row.assumptions.iter().map(|one| one.rule.name).collect();
    rules.sort_unstable();
    rules.dedup();
    if !rules.is_empty() {
        notes.push(format!("inferred: {}", rules.join(", ")));
    }
    notes.join("; ")
}

fn word(quantity: Quantity) -> &'static str {
    match quantity {
        Quantity::IterationTime => "time",
        Quantity::PeakMemory(kind) => kind.name(),
        Quantity::OutOfMemory => "oom",
    }
}

/// A value in the unit that its quantity has.
fn shown(quantity: Quantity, value: f64) -> String {
    match quantity {
        Quantity::IterationTime => duration(value),
        Quantity::PeakMemory(_) => bytes(value).to_string(),
        Quantity::OutOfMemory if 0.5 < value => "fails".to_owned(),
        Quantity::OutOfMemory => "fits".to_owned(),
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "an amount of memory is positive and far below 2⁶⁴ bytes"
)]
fn bytes(value: f64) -> Bytes {
    Bytes::new(value.round() as u64)
}

fn signed(error: f64) -> String {
    format!("{:+.1} %", error * 100.0)
}

/// Rows that were not predicted, and why.
fn skipped_rows(found: &Validation, terminal: &Terminal) -> String {
    let reason = |row: &Row| {
        let uncompared = row.uncompared.as_ref().map(|(_, reason)| reason.clone());
        row.skipped.clone().or(uncompared)
    };
    listed("Rows that were skipped", found, &reason, terminal)
}

/// Rows that stand outside every group, and why.
fn apart(found: &Validation, terminal: &Terminal) -> String {
    let reason = |row: &Row| row.apart.map(str::to_owned);
    listed("Rows outside every group", found, &reason, terminal)
}

/// Rows by the reason that they have, in the order of the tables.
fn listed(
    title: &str,
    found: &Validation,
    reason: &dyn Fn(&Row) -> Option<String>,
    terminal: &Terminal,
) -> String {
    let mut reasons: Vec<(String, Vec<&str>)> = Vec::new();
    for row in &found.rows {
        let Some(reason) = reason(row) else { continue };
        match reasons.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, ids)) => ids.push(&row.id),
            None => reasons.push((reason, vec![&row.id])),
        }
    }
    if reasons.is_empty() {
        return String::new();
    }
    let mut text = format!("## {title}\n\n");
    for (reason, ids) in reasons {
        let noun = if ids.len() == 1 { "row" } else { "rows" };
        let line = format!("- {reason}: {noun} {}", ids.join(", "));
        let _ = writeln!(text, "{}", wrapped(&line, terminal.width));
    }
    text
}

/// On a terminal, a source longer than this is cut in front: its end tells more.
const SOURCE: usize = 30;

fn groups(found: &Validation, terminal: &Terminal) -> String {
    let mut table = Table::new(&[
        ("Source", Side::Left),
        ("GPU", Side::Left),
        ("Quantity", Side::Left),
        ("Rows", Side::Right),
        ("MAPE", Side::Right),
        ("Median", Side::Right),
        ("p90", Side::Right),
        ("Bias", Side::Right),
        ("Skipped", Side::Right),
        ("Cells", Side::Right),
        ("Spearman", Side::Right),
        ("Regret", Side::Right),
        ("OOM hit", Side::Right),
        ("False alarm", Side::Right),
        ("Missed", Side::Right),
        ("Fits", Side::Right),
    ]);
    for group in &found.groups {
        let source = format!("{} {}", group.source_repo, group.source_path);
        let source = if terminal.width.is_some() {
            end_of(&source)
        } else {
            source
        };
        let mut cells = vec![source, group.gpu.clone()];
        cells.extend(figures(group));
        table.wide_row(cells);
    }
    for group in &found.overall {
        let mut cells = vec!["all rows".to_owned(), String::new()];
        cells.extend(figures(group));
        table.wide_row(cells);
    }
    let table = table.render(terminal.width);
    format!("## Groups\n\n{table}{}", unordered(found, terminal))
}

fn end_of(source: &str) -> String {
    let n_chars = source.chars().count();
    if n_chars <= SOURCE {
        return source.to_owned();
    }
    let end: String = source.chars().skip(n_chars - (SOURCE - 1)).collect();
    format!("…{end}")
}

/// The cells of a group behind its source and GPU.
fn figures(group: &Group) -> Vec<String> {
    let share = |value: Option<f64>| value.map_or_else(String::new, percent);
    let oom = group.oom;
    let is_oom = group.quantity == Quantity::OutOfMemory.name();
    let of_oom = |n: u32| {
        if is_oom {
            count(n.into())
        } else {
            String::new()
        }
    };
    vec![
        group.quantity.to_owned(),
        count(group.count.into()),
        share(group.mape),
        share(group.median_ape),
        share(group.p90_ape),
        group.bias.map_or_else(String::new, signed),
        count(group.skipped.into()),
        if 0 < group.cells {
            count(group.cells.into())
        } else {
            String::new()
        },
        group
            .spearman
            .map_or_else(String::new, |rho| format!("{rho:.2}")),
        share(group.regret),
        of_oom(oom.true_positive),
        of_oom(oom.false_positive),
        of_oom(oom.false_negative),
        of_oom(oom.true_negative),
    ]
}

/// The name of a group in a sentence.
pub(crate) fn name(group: &Group) -> String {
    let source = format!("{} {}", group.source_repo, group.source_path);
    let source = match source.trim() {
        "" => "rows without a source",
        source => source,
    };
    let gpu = match group.gpu.as_str() {
        "" => "no GPU named",
        gpu => gpu,
    };
    format!("{source}, {gpu}, {}", group.quantity)
}

/// A rank correlation below this orders no plans.
const ORDERS: f64 = 0.5;

/// The groups of which predictions do not order plans.
fn unordered(found: &Validation, terminal: &Terminal) -> String {
    let low = found.groups.iter().filter_map(|group| {
        let rho = group.spearman.filter(|rho| *rho < ORDERS)?;
        let source = format!("{} {}", group.source_repo, group.source_path);
        let source = source.trim();
        Some(format!("{source}, {} ({rho:.2})", group.gpu))
    });
    let low: Vec<String> = low.collect();
    if low.is_empty() {
        return String::new();
    }
    let text = format!(
        "Spearman is the median rank correlation of predicted and measured times within cells: five rows and more of one model, machine and batch. Below {ORDERS} \
         predictions do not say which plan of a cell is faster, or repeats of one plan differ as much as plans do: {}.",
        low.join("; ")
    );
    format!("\n{}\n", wrapped(&text, terminal.width))
}

/// All rows in a sentence or two.
fn sum(found: &Validation, terminal: &Terminal) -> String {
    let noun = |n: usize, one: &str| {
        let plural = if n == 1 { "" } else { "s" };
        format!("{} {one}{plural}", count(n as u64))
    };
    let n_skipped = found.rows.iter().filter(|row| row.skipped.is_some());
    let n_apart = found.rows.iter().filter(|row| row.apart.is_some());
    let mut text = format!(
        "{} of {}; {} skipped, {} outside every group.",
        if found.partial {
            "Interrupted: part"
        } else {
            "All"
        },
        noun(found.rows.len(), "row"),
        noun(n_skipped.count(), "row"),
        noun(n_apart.count(), "row"),
    );
    for group in &found.overall {
        let Some(((mape, median), bias)) = group.mape.zip(group.median_ape).zip(group.bias) else {
            continue;
        };
        let _ = write!(
            text,
            " {}: {} compared, mean error {}, median {}, bias {}.",
            group.quantity,
            count(group.count.into()),
            percent(mape),
            percent(median),
            signed(bias)
        );
    }
    format!("{}\n", wrapped(&text, terminal.width))
}

/// What made the report.
fn signature(found: &Validation, settings: &ValidateSettings) -> String {
    let facts = found.rows.iter().filter_map(|row| row.facts.as_ref());
    let mut profiles: Vec<&str> = facts.map(|facts| facts.profile.as_str()).collect();
    profiles.sort_unstable();
    profiles.dedup();
    format!(
        "windtunnel {}, engine {}, seed {}, profiles {}\n",
        version::LONG,
        settings.engine,
        settings.seed.unwrap_or(1),
        profiles.join(", "),
    )
}

/// The rows that are furthest off, each with where its time goes and what was inferred.
fn worst_rows(worst: &[Worst], verbose: u8, terminal: &Terminal) -> String {
    let mut text = format!("## The {} worst rows\n", worst.len());
    for one in worst {
        let _ = write!(text, "\n{}", worst_row(one, verbose, terminal));
    }
    text
}

fn worst_row(one: &Worst, verbose: u8, terminal: &Terminal) -> String {
    let (row, compared) = (&one.row, &one.compared);
    let value = |value: f64| shown(compared.quantity, value);
    let mut lines = vec![
        format!(
            "### Row {}: {}, {}",
            row.id,
            described(row),
            compared.error().map_or_else(String::new, signed)
        ),
        String::new(),
        format!(
            "- source: {} {}",
            row.label.source_repo, row.label.source_path
        ),
        format!(
            "- {}: predicted {}, measured {}{}",
            word(compared.quantity),
            compared.predicted.map_or_else(skipped, value),
            value(compared.measured),
            compared
                .derived
                .as_ref()
                .map_or_else(String::new, |how| format!(" ({how})"))
        ),
        format!("- time: {}", breakdown(one)),
        format!(
            "- memory: {} allocated on the fullest rank",
            one.peak_allocated_bytes
        ),
    ];
    for inferred in &row.assumptions {
        lines.push(format!(
            "- inferred: {} = {} ({}: {})",
            inferred.field, inferred.value, inferred.rule.name, inferred.rule.reason
        ));
    }
    if 0 < verbose {
        for default in &one.defaults {
            lines.push(format!(
                "- default: {} = {} ({})",
                default.field, default.value, default.reason
            ));
        }
    }
    let lines: Vec<String> = lines
        .iter()
        .map(|line| wrapped(line, terminal.width))
        .collect();
    format!("{}\n", lines.join("\n"))
}

/// Model, GPUs and degrees of a row.
fn described(row: &Row) -> String {
    let model = row.record.text("model").or(row.record.text("test_case"));
    let model = model.unwrap_or("model");
    let Some(facts) = &row.facts else {
        return format!("{model} on {}", row.label.gpu);
    };
    let degrees = [
        ("tp", facts.tp),
        ("pp", facts.pp),
        ("cp", facts.cp),
        ("ep", facts.ep),
        ("dp", facts.dp),
    ];
    let degrees = degrees.into_iter().filter(|(_, n)| 1 < *n);
    let degrees: Vec<String> = degrees.map(|(name, n)| format!("{name} {n}")).collect();
    format!(
        "{model} on {} {}, {}",
        count(facts.gpus.into()),
        row.label.gpu,
        if degrees.is_empty() {
            "one GPU each".to_owned()
        } else {
            degrees.join(" ")
        }
    )
}

/// `compute 71.2 %, bubble 12.0 %, ...`, the largest first.
fn breakdown(one: &Worst) -> String {
    let total = one.breakdown.total();
    let mut parts = PARTS.to_vec();
    parts.sort_by(|a, b| b.1(&one.breakdown).total_cmp(&a.1(&one.breakdown)));
    let parts = parts
        .iter()
        .filter(|(_, of)| 0.0005 * total < of(&one.breakdown));
    let parts: Vec<String> = parts
        .map(|(name, of)| {
            let part = of(&one.breakdown);
            format!(
                "{} {} ({})",
                name.to_lowercase(),
                duration(part),
                percent(part / total)
            )
        })
        .collect();
    parts.join(", ")
}

/// Rows and groups as JSON, keys and their order as the contract has them.
///
/// * `says_more` — adds to every row how its figure was derived, and what was inferred.
pub(crate) fn document(found: &Validation, says_more: bool) -> Value {
    let mut document = json!(Document::new(&found.rows, &found.groups));
    if says_more {
        document["rows"] = found.rows.iter().flat_map(entries_with_reasons).collect();
    }
    document
}

/// The entries of a row, one for each quantity.
pub(crate) fn entries(row: &Row) -> Value {
    json!(RowEntry::of(row))
}

/// What was inferred for a row, each with the rule.
pub(crate) fn assumptions(row: &Row) -> Value {
    let one = |one: &session::Inferred| {
        json!({
            "field": one.field,
            "value": one.value,
            "rule": one.rule.name,
            "reason": one.rule.reason,
        })
    };
    row.assumptions.iter().map(one).collect()
}

fn entries_with_reasons(row: &Row) -> Vec<Value> {
    let derived = |entry: &RowEntry| {
        let mut all = row.compared.iter();
        let same = all.find(|one| one.quantity.name() == entry.quantity);
        same.and_then(|one| one.derived.clone())
    };
    let entry = |entry: RowEntry| {
        let mut value = json!(entry);
        value["derived"] = json!(derived(&entry));
        value["apart"] = json!(row.apart);
        value["assumptions"] = assumptions(row);
        value
    };
    RowEntry::of(row).into_iter().map(entry).collect()
}

/// A row that is far off, as JSON.
pub(crate) fn explained(one: &Worst) -> Value {
    let entries = entries_with_reasons(&one.row);
    let name = one.compared.quantity.name();
    let mut entry = entries
        .into_iter()
        .find(|entry| entry["quantity"] == name)
        .unwrap_or_default();
    entry["breakdown"] = json!(one.breakdown);
    entry["peak_allocated_bytes"] = json!(one.peak_allocated_bytes);
    entry["defaults"] = json!(one.defaults);
    entry
}
