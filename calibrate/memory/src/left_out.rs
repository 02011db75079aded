//! Predictions of rows whose group was left out, as a table that reports read.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use runs::MemoryKind;
use units::math::exp;

use crate::fitting::Fitted;
use crate::rows::{Class, Row};

/// Share of runs between the 10th and the 90th percentile.
const COVERED: f64 = 0.8;

/// `row_id,scheme,group,quantity,measured,predicted,p10,p90` of every row that does not stand
/// apart. The interval is that of the other groups of its class: 80 % of their residuals lie inside.
pub fn left_out_csv(rows: &[Row], fitted: &Fitted) -> String {
    let mut by_class: BTreeMap<Class, Vec<(usize, f64)>> = BTreeMap::new();
    for (at, row) in rows.iter().enumerate() {
        if row.class != Class::SetApart {
            let cell = by_class.entry(row.class).or_default();
            cell.push((at, fitted.left_out[at].abs()));
        }
    }
    let mut text = String::from("row_id,scheme,group,quantity,measured,predicted,p10,p90\n");
    for (at, row) in rows.iter().enumerate() {
        if row.class == Class::SetApart {
            continue;
        }
        let others = by_class[&row.class].iter();
        let others = others.filter(|(other, _)| rows[*other].group != row.group);
        let mut sizes: Vec<f64> = others.map(|(_, size)| *size).collect();
        sizes.sort_by(f64::total_cmp);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a place in the list"
        )]
        let place = (COVERED * sizes.len() as f64) as usize;
        let far = exp(sizes.get(place).copied().unwrap_or(0.0));
        let predicted = row.measured * exp(fitted.left_out[at]);
        let scheme = match (row.class, row.kind) {
            (Class::Other(_), MemoryKind::NvidiaSmi) => "size",
            (Class::Other(_), _) => "model",
            _ => "case",
        };
        let group = row.group.replace(',', ";");
        let _ = writeln!(
            text,
            "{},{scheme},{group},peak_memory_bytes,{:.0},{predicted:.0},{:.0},{:.0}",
            row.row_id,
            row.measured,
            predicted / far,
            predicted * far
        );
    }
    text
}
