//! Text of the report: tables as Markdown, figures in percent.

use std::fmt::Write as _;

/// A table as Markdown; columns whose header begins with `>` stand right.
pub(super) fn table(headers: &[&str], rows: &[Vec<String>]) -> String {
    let mut text = String::new();
    let line = |cells: &[String], text: &mut String| {
        let cells: Vec<String> = cells.iter().map(|cell| cell.replace('|', "/")).collect();
        let _ = writeln!(text, "| {} |", cells.join(" | "));
    };
    let names: Vec<String> = headers
        .iter()
        .map(|name| name.trim_start_matches('>').to_owned())
        .collect();
    line(&names, &mut text);
    let rules = headers
        .iter()
        .map(|name| if name.starts_with('>') { "---:" } else { "---" });
    let _ = writeln!(text, "|{}|", rules.collect::<Vec<_>>().join("|"));
    for row in rows {
        line(row, &mut text);
    }
    text
}

/// A share with one decimal.
pub(super) fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

/// A share with one decimal and its sign.
pub(super) fn signed(share: f64) -> String {
    format!("{:+.1} %", share * 100.0)
}

/// Seconds with four digits.
pub(super) fn seconds(secs: f64) -> String {
    let (value, unit) = if secs < 1.0 {
        (secs * 1e3, "ms")
    } else {
        (secs, "s")
    };
    let decimals = match value {
        v if v < 10.0 => 3,
        v if v < 100.0 => 2,
        v if v < 1000.0 => 1,
        _ => 0,
    };
    format!("{value:.decimals$} {unit}")
}

/// Bytes in GiB.
pub(super) fn gib(bytes: f64) -> String {
    format!("{:.2} GiB", bytes / 1_073_741_824.0)
}

/// A number of rows, with thousands separators.
pub(super) fn count(n: usize) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at != 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
