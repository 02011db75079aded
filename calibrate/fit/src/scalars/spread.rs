//! How far runs lie from predictions that have not seen them.
//!
//! A run that was left out lies off by what all runs of its group lie off together, and by what it
//! lies off by itself. Both are in the mean square of its residual, and each group counts once, so
//! that one with many rows does not speak for all:
//!
//! ```text
//! s² = mean over groups (mean over rows of ln²(predicted / measured))
//! half-width = c · t(k) · s,     c such that 80 % of left-out runs lie inside theirs
//! ```
//!
//! Each group's own width comes from the other groups of its framework and architecture, and where a
//! framework or a GPU was left out, from all others that were. `k` groups tell the width of one more
//! only so well: `t` is the 90th percentile of Student's distribution with `k` degrees of freedom,
//! times `√(1 + 1/k)`, over that of the normal distribution. There is one `c` for each kind of thing
//! that was not seen: a model, a framework, a GPU.

use std::collections::{BTreeMap, BTreeSet};

use units::math::ln;

use super::{FitRow, Fitted, LeftOut};

/// The width for runs of which something was not seen.
#[derive(Clone, Debug, PartialEq)]
pub struct Spread {
    /// What was left out: `model`, `framework` or `gpu`.
    pub unseen: &'static str,
    /// Of runs of that framework; of all, where there is none.
    pub framework: Option<String>,
    /// On GPUs of that architecture.
    pub architecture: Option<String>,
    /// From a prediction to its 90th percentile, as a natural logarithm.
    pub half_width: f64,
    /// Runs.
    pub rows: usize,
    /// Groups.
    pub groups: usize,
}

/// Runs that share a width: of a framework, on an architecture, left out under one scheme.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Kin {
    framework: String,
    architecture: String,
    scheme: &'static str,
}

/// A group that was left out: its name, its mean square, its runs.
#[derive(Clone, Debug, PartialEq)]
struct Cell {
    group: String,
    square: f64,
    rows: usize,
}

/// What a scheme leaves out.
fn kind_of(scheme: &str) -> &'static str {
    match scheme {
        "framework" => "framework",
        "gpu generation" | "gpu" => "gpu",
        _ => "model",
    }
}

/// No group is known better than to a thousandth.
const NARROWEST: f64 = 1e-3;
/// The widest half-width that a file may say: it means that nothing is known.
const WIDEST: f64 = 10.0;

/// Share of runs that lie between the 10th and the 90th percentile.
const COVERED: f64 = 0.8;

/// What shares are multiplied with so that 80 % are below 1.
fn covering(mut shares: Vec<f64>) -> f64 {
    shares.sort_by(f64::total_cmp);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a place in the list"
    )]
    let place = (COVERED * shares.len() as f64) as usize;
    shares.get(place).copied().unwrap_or(1.0)
}

/// Widths by framework, architecture and scheme, and `c`.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Widths {
    cells: BTreeMap<Kin, Vec<Cell>>,
    /// What a root mean square is multiplied with, by what was not seen.
    factors: BTreeMap<&'static str, f64>,
}

impl Widths {
    /// The widths that left-out runs give.
    pub(super) fn of(fitted: &Fitted<'_>) -> Self {
        let rows = fitted.rows();
        let mut sums: BTreeMap<Kin, BTreeMap<String, (f64, usize)>> = BTreeMap::new();
        for one in &fitted.left_out {
            let row = &rows[one.row];
            let residual = ln(one.predicted / row.measured);
            let groups = sums.entry(kin(row, one)).or_default();
            let sum = groups
                .entry(one.membership.group.clone())
                .or_insert((0.0, 0));
            sum.0 += residual * residual;
            sum.1 += 1;
        }
        let cell = |(group, (sum, rows)): (String, (f64, usize))| Cell {
            group,
            square: sum / rows as f64,
            rows,
        };
        let mut widths = Self {
            cells: sums
                .into_iter()
                .map(|(kin, groups)| (kin, groups.into_iter().map(cell).collect()))
                .collect(),
            factors: BTreeMap::new(),
        };
        // Nothing says how wide a group's interval is that has no others like it.
        let share = |one: &LeftOut| {
            let row = &rows[one.row];
            let residual = ln(one.predicted / row.measured).abs();
            let others = widths.others(row, one)?;
            Some(residual / reach(&others).max(NARROWEST))
        };
        let mut by_kind: BTreeMap<&'static str, Vec<f64>> = BTreeMap::new();
        for one in &fitted.left_out {
            if let Some(share) = share(one) {
                let kind = kind_of(one.membership.scheme);
                by_kind.entry(kind).or_default().push(share);
            }
        }
        let factors = by_kind.into_iter();
        widths.factors = factors
            .map(|(kind, shares)| (kind, covering(shares)))
            .collect();
        widths
    }

    fn factor(&self, kind: &str) -> f64 {
        self.factors.get(kind).copied().unwrap_or(1.0)
    }

    /// The width of a group from its kin: other groups of its framework and architecture left out
    /// under the same scheme; where fewer than two are left, of its framework; else of all. Where
    /// those are fewer than two as well, the group itself counts among them.
    pub(super) fn without(&self, row: &FitRow, one: &LeftOut) -> f64 {
        let kind = kind_of(one.membership.scheme);
        let with_own = || self.squares(&|kin| kind_of(kin.scheme) == kind, "");
        let squares = self.others(row, one).unwrap_or_else(with_own);
        (self.factor(kind) * reach(&squares)).min(WIDEST)
    }

    /// Mean squares of the groups that a group's width comes from.
    fn others(&self, row: &FitRow, one: &LeftOut) -> Option<Vec<f64>> {
        let own = kin(row, one);
        let kind = kind_of(own.scheme);
        let is_model = kind == "model";
        let near: [&dyn Fn(&Kin) -> bool; 4] = [
            &|kin| is_model && *kin == own,
            &|kin| is_model && kin.framework == own.framework && kin.scheme == own.scheme,
            &|kin| is_model && kin.framework == own.framework && kind_of(kin.scheme) == kind,
            &|kin| kind_of(kin.scheme) == kind,
        ];
        near.iter().find_map(|holds| {
            let squares = self.squares(holds, &one.membership.group);
            (2 <= squares.len()).then_some(squares)
        })
    }

    fn squares(&self, holds: &dyn Fn(&Kin) -> bool, except: &str) -> Vec<f64> {
        let cells = self
            .cells
            .iter()
            .filter(|(kin, _)| holds(kin))
            .flat_map(|(_, cells)| cells);
        cells
            .filter(|cell| cell.group != except)
            .map(|cell| cell.square)
            .collect()
    }

    /// What predictions carry: by framework and architecture, by framework, and for what is unknown.
    /// Of several schemes the one counts under which runs lay farthest off.
    pub(super) fn spreads(&self) -> Vec<Spread> {
        let mut found: BTreeMap<(&'static str, Option<String>, Option<String>), Spread> =
            BTreeMap::new();
        for (kin, cells) in &self.cells {
            let unseen = kind_of(kin.scheme);
            let framework = Some(kin.framework.clone());
            if unseen == "model" {
                let architecture = Some(kin.architecture.clone());
                self.widen(&mut found, (unseen, framework, architecture), cells);
            }
        }
        let schemes: BTreeSet<(&str, &str)> = self
            .cells
            .keys()
            .map(|kin| (kin.framework.as_str(), kin.scheme))
            .collect();
        for (framework, scheme) in schemes {
            if kind_of(scheme) == "model" {
                let own = self
                    .cells
                    .iter()
                    .filter(|(kin, _)| kin.framework == framework && kin.scheme == scheme);
                let cells: Vec<Cell> = own.flat_map(|(_, cells)| cells.clone()).collect();
                self.widen(
                    &mut found,
                    ("model", Some(framework.to_owned()), None),
                    &cells,
                );
            }
        }
        for unseen in ["framework", "gpu"] {
            let own = self
                .cells
                .iter()
                .filter(|(kin, _)| kind_of(kin.scheme) == unseen);
            let cells: Vec<Cell> = own.flat_map(|(_, cells)| cells.clone()).collect();
            self.widen(&mut found, (unseen, None, None), &cells);
        }
        found.into_values().collect()
    }

    fn widen(
        &self,
        found: &mut BTreeMap<(&'static str, Option<String>, Option<String>), Spread>,
        key: (&'static str, Option<String>, Option<String>),
        cells: &[Cell],
    ) {
        let squares: Vec<f64> = cells.iter().map(|cell| cell.square).collect();
        let half_width = (self.factor(key.0) * reach(&squares)).min(WIDEST);
        let wide = Spread {
            unseen: key.0,
            framework: key.1.clone(),
            architecture: key.2.clone(),
            half_width,
            rows: cells.iter().map(|cell| cell.rows).sum(),
            groups: cells.len(),
        };
        let known = found.entry(key).or_insert_with(|| wide.clone());
        if known.half_width < half_width {
            *known = wide;
        }
    }
}

fn kin(row: &FitRow, one: &LeftOut) -> Kin {
    Kin {
        framework: row.framework.name.to_string(),
        architecture: row.architecture.clone(),
        scheme: one.membership.scheme,
    }
}

/// How far one more group may lie off, given the mean squares of others: their root mean, widened
/// since they are few.
fn reach(squares: &[f64]) -> f64 {
    if squares.is_empty() {
        return 0.0;
    }
    let k = squares.len() as f64;
    (squares.iter().sum::<f64>() / k).sqrt() * (1.0 + 1.0 / k).sqrt() * student(k) / NORMAL
}

/// 90th percentile of the normal distribution.
const NORMAL: f64 = 1.2816;

/// 90th percentile of Student's distribution, in powers of `1/k` (Abramowitz and Stegun, Handbook of
/// Mathematical Functions, 26.7.5): within 2 % from two degrees of freedom on.
fn student(k: f64) -> f64 {
    let z = NORMAL;
    let (cube, fifth) = (z * z * z, z * z * z * z * z);
    let first = (cube + z) / 4.0;
    let second = (5.0 * fifth + 16.0 * cube + 3.0 * z) / 96.0;
    z + first / k + second / (k * k)
}

/// The width of a left-out run's interval, as a natural logarithm.
pub(super) fn half_width(fitted: &Fitted<'_>, one: &LeftOut) -> f64 {
    let row = &fitted.rows()[one.row];
    fitted.widths.without(row, one)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_groups_tell_less_of_one_more() {
        // Tables of Student's distribution.
        for (k, known) in [(2.0, 1.886), (3.0, 1.638), (5.0, 1.476), (30.0, 1.310)] {
            assert!((student(k) / known - 1.0).abs() < 0.025, "{k}");
        }
        let (few, many) = (reach(&[0.01; 2]), reach(&[0.01; 40]));
        assert!(1.5 * many < few && many < 0.105, "{few} {many}");
        assert!(reach(&[]).abs() < 1e-12);
    }
}
