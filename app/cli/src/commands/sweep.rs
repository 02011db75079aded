//! `windtunnel sweep`: one row a case.

use std::path::Path;

use serde_json::{Map, Value, json};
use session::{CaseResult, NetworkAnswer, Prediction, Sweep, check, csv_cell, open_sweep};

use crate::args::SweepArgs;
use crate::commands::run::{catch_interrupts, watched};
use crate::commands::scenario::{over, refuse, request};
use crate::commands::{Context, existing, refuse_save};
use crate::exit::Exit;
use crate::table::{Side, Table};
use crate::version;

/// Runs every case of a scenario and prints a row for each.
pub(crate) fn sweep(args: &SweepArgs, context: &Context) -> Exit {
    match answer(args, context) {
        Ok(exit) | Err(exit) => exit,
    }
}

/// All cases of a network workload, as `simulate` shows them: completion times, and how they and
/// the fullest links compare with ideal spraying.
pub(super) fn summary(sweep: &Sweep, context: &Context) -> Result<String, Exit> {
    let results = watched(context, "simulating", |control| sweep.run(control));
    if results
        .iter()
        .any(|result| matches!(result, CaseResult::Skipped))
    {
        context.error("interrupted; nothing was written", None);
        return Err(Exit::Interrupted);
    }
    let rows = rows(sweep, &results);
    if context.output.json {
        return Ok(document(sweep, &rows));
    }
    let mut columns: Vec<(&str, Side)> = sweep
        .fields
        .iter()
        .map(|field| (field.rsplit('.').next().unwrap_or(field), Side::Left))
        .collect();
    columns.extend([
        ("completion", Side::Right),
        ("over spray", Side::Right),
        ("congestion over ideal", Side::Right),
        ("sent again", Side::Right),
        ("out of order", Side::Right),
    ]);
    let mut table = Table::new(&columns);
    for (case, row) in sweep.cases.iter().zip(&rows) {
        let number = |key: &str| row.get(key).and_then(Value::as_f64);
        let ratio = |key| number(key).map_or(String::new(), |ratio| format!("{ratio:.3}"));
        let count = |key| number(key).map_or(String::new(), |count| format!("{count:.0}"));
        let mut cells: Vec<String> = case.iter().map(|value| plain(value).to_owned()).collect();
        cells.push(number("makespan_s").map_or_else(
            || {
                row.get("error")
                    .and_then(Value::as_str)
                    .unwrap_or_default()
                    .to_owned()
            },
            |seconds| format!("{:.3} us", seconds * 1e6),
        ));
        cells.push(ratio("makespan_over_spray"));
        cells.push(ratio("max_congestion_over_ideal"));
        cells.push(count("packets_resent"));
        cells.push(count("packets_out_of_order"));
        table.wide_row(cells);
    }
    let n = sweep.cases.len();
    Ok(format!(
        "# {}: {n} cases\n\n{}",
        sweep.name,
        table.render(None)
    ))
}

fn document(sweep: &Sweep, rows: &[Map<String, Value>]) -> String {
    let document = json!({
        "schema": 1,
        "scenario": sweep.name,
        "rows": rows,
        "windtunnel": version::json(),
    });
    format!("{document:#}\n")
}

fn answer(args: &SweepArgs, context: &Context) -> Result<Exit, Exit> {
    let existing = existing(args.force);
    let output = args.output.clone().filter(|path| path != Path::new("-"));
    if let Some(path) = &output {
        check(path, existing).map_err(|error| refuse_save(&error, context))?;
    }
    let request = request(&args.scenario.scenario, over(&args.scenario.over));
    let sweep = open_sweep(&request).map_err(|failures| refuse(&failures, context))?;
    catch_interrupts();
    let results = watched(context, "sweeping", |control| sweep.run(control));
    let rows = rows(&sweep, &results);
    let text = if context.output.json {
        document(&sweep, &rows)
    } else {
        csv(&sweep, &rows)
    };
    let exit = context.hand_over(&text, output.as_deref(), existing)?;
    let count = |wanted: fn(&CaseResult) -> bool| results.iter().filter(|one| wanted(one)).count();
    let failed = count(|result| matches!(result, CaseResult::Failed(_)));
    if 0 < count(|result| matches!(result, CaseResult::Skipped)) {
        context.error(
            "interrupted; the rows of cases that were not run are empty",
            None,
        );
        return Ok(Exit::Interrupted);
    }
    if 0 < failed {
        let text = format!(
            "{failed} of {} cases failed: see the column `error`",
            results.len()
        );
        context.warn(&text);
        if failed == results.len() {
            return Ok(Exit::Failed);
        }
    }
    Ok(exit)
}

/// Every case as keys and values.
pub(super) fn rows(sweep: &Sweep, results: &[CaseResult]) -> Vec<Map<String, Value>> {
    let cases = sweep.cases.iter().zip(results).zip(sweep.sprayed());
    cases
        .map(|((case, result), ideal)| {
            let mut row = row(sweep, case, result);
            if let (CaseResult::Traffic(own), Some(ideal)) = (result, ideal)
                && let CaseResult::Traffic(ideal) = &results[ideal]
            {
                let seconds = |answer: &NetworkAnswer| answer.makespan.as_seconds().as_secs();
                let ratio = seconds(own) / seconds(ideal);
                row.insert("makespan_over_spray".to_owned(), json!(ratio));
            }
            row
        })
        .collect()
}

/// A case as keys and values: the fields that vary, then what was found.
fn row(sweep: &Sweep, case: &[String], result: &CaseResult) -> Map<String, Value> {
    let mut row = Map::new();
    for (field, value) in sweep.fields.iter().zip(case) {
        row.insert(field.clone(), json!(plain(value)));
    }
    match result {
        CaseResult::Traffic(answer) => traffic(answer, &mut row),
        CaseResult::Training(prediction) => training(prediction, &mut row),
        CaseResult::Failed(errors) => {
            row.insert("error".to_owned(), json!(errors.join("; ")));
        }
        CaseResult::Skipped => {
            row.insert("error".to_owned(), json!("not run"));
        }
    }
    row
}

/// A value for a cell: a text without the quotes of TOML, a table with a name by its name, any
/// other value as TOML writes it.
fn plain(value: &str) -> &str {
    let named = value
        .strip_prefix("{ name = ")
        .and_then(|rest| rest.split_inclusive('"').nth(1));
    if let Some(name) = named {
        return name.trim_end_matches('"');
    }
    let inner = value
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    inner
        .filter(|inner| !inner.contains(['"', '\\']))
        .unwrap_or(value)
}

fn traffic(answer: &NetworkAnswer, row: &mut Map<String, Value>) {
    let seconds = |time: units::SimTime| time.as_seconds().as_secs();
    let mut put = |key: &str, value: Value| row.insert(key.to_owned(), value);
    put("makespan_s", json!(seconds(answer.makespan)));
    put("acked_s", json!(answer.acked.map(seconds)));
    let [own, ideal] = answer
        .congestion
        .map(|time| time.map(units::Seconds::as_secs));
    put("max_congestion_s", json!(own));
    put("max_congestion_ideal_s", json!(ideal));
    let ratio = own.zip(ideal).filter(|(_, ideal)| 0.0 < *ideal);
    put(
        "max_congestion_over_ideal",
        json!(ratio.map(|(own, ideal)| own / ideal)),
    );
    put("extra_pieces", json!(answer.extra_pieces));
    let totals = answer.packets.as_ref().map(|packets| &packets.totals);
    let fullest = answer
        .links
        .iter()
        .map(|link| link.utilisation)
        .fold(0.0, f64::max);
    put("max_utilisation", json!(fullest));
    let queue = answer
        .links
        .iter()
        .filter_map(|link| link.queue)
        .map(|[longest, _]| longest);
    put("queue_max_bytes", json!(queue.reduce(f64::max)));
    put("packets_sent", json!(totals.map(|totals| totals.sent)));
    put("packets_resent", json!(totals.map(|totals| totals.resent)));
    put(
        "packets_trimmed",
        json!(totals.map(|totals| totals.trimmed)),
    );
    put(
        "packets_dropped",
        json!(totals.map(|totals| totals.dropped)),
    );
    put(
        "packets_out_of_order",
        json!(totals.map(|totals| totals.reordered)),
    );
    put(
        "packets_dropped_early",
        json!(totals.map(|totals| totals.early)),
    );
    put("error", Value::Null);
}

fn training(prediction: &Prediction, row: &mut Map<String, Value>) {
    let Value::Object(all) = json!(prediction) else {
        return;
    };
    // Numbers and truths of the contract; what has parts of its own is for `simulate`.
    let flat = all
        .into_iter()
        .filter(|(_, value)| !value.is_object() && !value.is_array());
    row.extend(flat);
    row.insert("error".to_owned(), Value::Null);
}

/// The rows as CSV, with a column for every key that a row has.
fn csv(sweep: &Sweep, rows: &[Map<String, Value>]) -> String {
    let mut columns: Vec<&str> = sweep.fields.iter().map(String::as_str).collect();
    for row in rows {
        for key in row.keys() {
            if !columns.contains(&key.as_str()) && key != "error" {
                columns.push(key);
            }
        }
    }
    columns.push("error");
    let mut text = line(columns.iter().map(|column| csv_cell(column).into_owned()));
    for row in rows {
        text += &line(columns.iter().map(|column| match row.get(*column) {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(value)) => csv_cell(value).into_owned(),
            Some(value) => value.to_string(),
        }));
    }
    text
}

fn line(cells: impl Iterator<Item = String>) -> String {
    let mut line = cells.collect::<Vec<_>>().join(",");
    line.push('\n');
    line
}
