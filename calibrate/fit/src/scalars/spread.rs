//! How far runs lie from predictions that have not seen them.
//!
//! A run that was left out lies off by what all runs of its group lie off together, and by what it
//! lies off by itself. Both are in the mean square of its residual, and each group counts once, so
//! that one with many rows does not speak for all:
//!
//! ```text
//! s² = mean over groups (mean over rows of ln²(predicted / measured))
//! half-width = c · s,     c such that 80 % of left-out runs lie inside theirs
//! ```
//!
//! Each group's own width comes from the other groups of its framework; `c` is one number for all.

use std::collections::BTreeMap;

use units::math::ln;

use super::{Fitted, LeftOut};

/// The width for runs of which something was not seen.
#[derive(Clone, Debug, PartialEq)]
pub struct Spread {
    /// What was left out: `model`, `framework` or `gpu`.
    pub unseen: &'static str,
    /// Of runs of that framework; of all, where there is none.
    pub framework: Option<String>,
    /// From a prediction to its 90th percentile, as a natural logarithm.
    pub half_width: f64,
    /// Runs.
    pub rows: usize,
    /// Groups.
    pub groups: usize,
}

/// Mean squares of residuals by framework, kind of leaving out, and group.
type Squares = BTreeMap<(String, &'static str), BTreeMap<String, (f64, usize)>>;

/// The scheme that leaves least out: models or layouts of a source.
pub(super) fn kind_of(scheme: &str) -> &'static str {
    match scheme {
        "framework" => "framework",
        "gpu generation" => "gpu",
        _ => "model",
    }
}

/// Share of runs that lie between the 10th and the 90th percentile.
const COVERED: f64 = 0.8;

/// Widths by framework, and `c`.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Widths {
    squares: Vec<((String, &'static str), Vec<(String, f64, usize)>)>,
    /// What a root mean square is multiplied with.
    pub factor: f64,
}

impl Widths {
    /// The widths that left-out runs give.
    pub(super) fn of(fitted: &Fitted<'_>) -> Self {
        let rows = fitted.rows();
        let mut squares = Squares::new();
        for one in &fitted.left_out {
            let row = &rows[one.row];
            let residual = ln(one.predicted / row.measured);
            let key = (
                row.framework.name.to_string(),
                kind_of(one.membership.scheme),
            );
            let cell = squares.entry(key).or_default();
            let sum = cell.entry(one.membership.group.clone()).or_insert((0.0, 0));
            sum.0 += residual * residual;
            sum.1 += 1;
        }
        let mut widths = Self {
            squares: squares
                .into_iter()
                .map(|(key, groups)| {
                    let groups = groups.into_iter();
                    let means = groups.map(|(name, (sum, n))| (name, sum / n as f64, n));
                    (key, means.collect())
                })
                .collect(),
            factor: 1.0,
        };
        let mut shares: Vec<f64> = fitted
            .left_out
            .iter()
            .map(|one| {
                let row = &rows[one.row];
                let residual = ln(one.predicted / row.measured).abs();
                residual / widths.without(&row.framework.name, one).max(1e-9)
            })
            .collect();
        shares.sort_by(f64::total_cmp);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a place in the list"
        )]
        let place = (COVERED * shares.len() as f64) as usize;
        widths.factor = shares.get(place).copied().unwrap_or(1.0);
        widths
    }

    /// The width of a group from the other groups of its framework, or of all frameworks where
    /// fewer than two are left.
    pub(super) fn without(&self, framework: &str, one: &LeftOut) -> f64 {
        let kind = kind_of(one.membership.scheme);
        let own = |name: &str, key: &str| name == framework && key == kind;
        let group = &one.membership.group;
        let mut squares = self.select(&own, group);
        if squares.len() < 2 {
            squares = self.select(&|_, key| key == kind, group);
        }
        self.factor * root_mean(&squares)
    }

    fn select(&self, holds: &dyn Fn(&str, &str) -> bool, except: &str) -> Vec<f64> {
        let cells = self
            .squares
            .iter()
            .filter(|((name, key), _)| holds(name, key));
        let groups = cells.flat_map(|(_, groups)| groups);
        groups
            .filter(|(name, ..)| name != except)
            .map(|(_, square, _)| *square)
            .collect()
    }

    /// What predictions carry.
    pub(super) fn spreads(&self) -> Vec<Spread> {
        let mut all = Vec::new();
        for ((framework, kind), groups) in &self.squares {
            if *kind == "model" {
                let own: Vec<f64> = groups.iter().map(|group| group.1).collect();
                all.push(Spread {
                    unseen: "model",
                    framework: Some(framework.clone()),
                    half_width: self.factor * root_mean(&own),
                    rows: groups.iter().map(|group| group.2).sum(),
                    groups: groups.len(),
                });
            }
        }
        for kind in ["framework", "gpu"] {
            let cells = self.squares.iter().filter(|((_, key), _)| *key == kind);
            let groups: Vec<&(String, f64, usize)> = cells.flat_map(|(_, groups)| groups).collect();
            let squares: Vec<f64> = groups.iter().map(|group| group.1).collect();
            all.push(Spread {
                unseen: kind,
                framework: None,
                half_width: self.factor * root_mean(&squares),
                rows: groups.iter().map(|group| group.2).sum(),
                groups: groups.len(),
            });
        }
        all
    }
}

fn root_mean(squares: &[f64]) -> f64 {
    if squares.is_empty() {
        return 0.0;
    }
    (squares.iter().sum::<f64>() / squares.len() as f64).sqrt()
}

/// The width of a left-out run's interval, as a natural logarithm.
pub(super) fn half_width(fitted: &Fitted<'_>, one: &LeftOut) -> f64 {
    let row = &fitted.rows()[one.row];
    fitted.widths.without(&row.framework.name, one)
}

/// Share of left-out runs inside their intervals: overall, and in each group of ten and more.
pub fn coverage(fitted: &Fitted<'_>) -> (f64, Vec<(String, f64, usize)>) {
    let rows = fitted.rows();
    let mut groups: BTreeMap<(&'static str, String), (usize, usize)> = BTreeMap::new();
    let (mut inside, mut n) = (0_usize, 0_usize);
    for one in &fitted.left_out {
        let row = &rows[one.row];
        let covered = ln(one.predicted / row.measured).abs() <= half_width(fitted, one);
        let cell = groups
            .entry((one.membership.scheme, one.membership.group.clone()))
            .or_default();
        cell.0 += usize::from(covered);
        cell.1 += 1;
        inside += usize::from(covered);
        n += 1;
    }
    let large = groups.into_iter().filter(|(_, (_, n))| 10 <= *n);
    let groups = large.map(|((scheme, group), (inside, n))| {
        (format!("{scheme}: {group}"), inside as f64 / n as f64, n)
    });
    (inside as f64 / n.max(1) as f64, groups.collect())
}
