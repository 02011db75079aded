//! Errors by class, and the constants with their intervals, as text.

use std::fmt::Write as _;

use units::math::exp;

use crate::constants::Constant;
use crate::fitting::Fitted;
use crate::rows::{Class, Row};

/// Errors of the rows of one class; copies count once together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Summary {
    /// Which.
    pub class: Class,
    /// Rows.
    pub count: usize,
    /// Mean of |predicted / measured − 1| with all rows fitted.
    pub mape: f64,
    /// The same with each row's group left out.
    pub left_out: f64,
    /// Median of the same.
    pub median: f64,
    /// Mean of predicted / measured − 1, groups left out.
    pub bias: f64,
}

/// Errors by class, in the order of classes.
pub fn summaries(rows: &[Row], fitted: &Fitted) -> Vec<Summary> {
    let mut classes: Vec<Class> = rows.iter().map(|row| row.class).collect();
    classes.sort_unstable();
    classes.dedup();
    classes
        .into_iter()
        .map(|class| summary(class, rows, fitted))
        .collect()
}

fn summary(class: Class, rows: &[Row], fitted: &Fitted) -> Summary {
    let own: Vec<usize> = (0..rows.len())
        .filter(|at| rows[*at].class == class)
        .collect();
    let weight: f64 = own.iter().map(|at| rows[*at].weight).sum();
    let error = |logs: &[f64], at: usize| exp(logs[at]) - 1.0;
    let mean = |of: &dyn Fn(usize) -> f64| {
        let sum: f64 = own.iter().map(|at| of(*at) * rows[*at].weight).sum();
        sum / weight
    };
    let mut all: Vec<f64> = own
        .iter()
        .map(|at| error(&fitted.left_out, *at).abs())
        .collect();
    all.sort_by(f64::total_cmp);
    Summary {
        class,
        count: own.len(),
        mape: mean(&|at| error(&fitted.errors, at).abs()),
        left_out: mean(&|at| error(&fitted.left_out, at).abs()),
        median: all[all.len() / 2],
        bias: mean(&|at| error(&fitted.left_out, at)),
    }
}

/// The summaries as a table.
pub fn summaries_text(all: &[Summary]) -> String {
    let mut text = String::from(
        "class                                rows   fitted  left out   median     bias\n",
    );
    for one in all {
        let percent = |share: f64| share * 100.0;
        let _ = writeln!(
            text,
            "{:<36} {:>4}  {:>6.2}%  {:>7.2}%  {:>6.2}%  {:>+6.2}%",
            one.class.name(),
            one.count,
            percent(one.mape),
            percent(one.left_out),
            percent(one.median),
            percent(one.bias)
        );
    }
    text
}

/// The constants as a table, each with its interval of one standard deviation.
pub fn constants_text(fitted: &Fitted) -> String {
    let mut text =
        String::from("framework           constant            value  in file  from .. to\n");
    let all = Constant::ALL
        .iter()
        .zip(&fitted.fit.values)
        .zip(&fitted.fit.log_sd);
    for ((constant, value), sd) in all {
        let _ = writeln!(
            text,
            "{:<19} {:<17} {:>7.3}  {:>7.3}  {:.3} .. {:.3}",
            constant.framework(),
            constant.key(),
            value,
            constant.shipped(),
            value * exp(-sd),
            value * exp(*sd)
        );
    }
    text
}

/// The constants of framework files that the fit does not agree with, a sentence each.
pub fn differences(fitted: &Fitted) -> Vec<String> {
    let all = Constant::ALL.iter().zip(&fitted.fit.values);
    let other = all.filter(|(constant, value)| !constant.is_shipped(**value));
    other
        .map(|(constant, value)| {
            format!(
                "scenarios/frameworks/{}.toml says {} = {}, the fit {value:.3}: write that into the file, \
                 with its interval",
                constant.framework(),
                constant.key(),
                constant.shipped(),
            )
        })
        .collect()
}
