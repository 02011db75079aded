//! Small symmetric systems: as many unknowns as a fit has parameters.

/// A symmetric positive definite matrix, row by row.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Symmetric {
    n: usize,
    cells: Vec<f64>,
}

impl Symmetric {
    /// All zero.
    pub(crate) fn zero(n: usize) -> Self {
        Self {
            n,
            cells: vec![0.0; n * n],
        }
    }

    pub(crate) fn at(&self, row: usize, column: usize) -> f64 {
        self.cells[row * self.n + column]
    }

    pub(crate) fn add(&mut self, row: usize, column: usize, value: f64) {
        self.cells[row * self.n + column] += value;
    }

    /// The lower factor of Cholesky's decomposition; `None` unless positive definite.
    fn factor(&self) -> Option<Vec<f64>> {
        let n = self.n;
        let mut lower = vec![0.0; n * n];
        for row in 0..n {
            for column in 0..=row {
                let mut sum = self.at(row, column);
                for k in 0..column {
                    sum -= lower[row * n + k] * lower[column * n + k];
                }
                lower[row * n + column] = if row == column {
                    (sum > 0.0).then(|| sum.sqrt())?
                } else {
                    sum / lower[column * n + column]
                };
            }
        }
        Some(lower)
    }

    /// `x` of `A x = b`; `None` unless positive definite.
    pub(crate) fn solve(&self, b: &[f64]) -> Option<Vec<f64>> {
        Some(substitute(self.n, &self.factor()?, b))
    }

    /// The diagonal of the inverse; `None` unless positive definite.
    pub(crate) fn inverse_diagonal(&self) -> Option<Vec<f64>> {
        let lower = self.factor()?;
        let entry = |at: usize| {
            let mut unit = vec![0.0; self.n];
            unit[at] = 1.0;
            substitute(self.n, &lower, &unit)[at]
        };
        Some((0..self.n).map(entry).collect())
    }
}

/// `x` of `L Lᵀ x = b` with a lower factor `L`.
fn substitute(n: usize, lower: &[f64], b: &[f64]) -> Vec<f64> {
    let mut x = b.to_vec();
    for row in 0..n {
        for k in 0..row {
            x[row] -= lower[row * n + k] * x[k];
        }
        x[row] /= lower[row * n + row];
    }
    for row in (0..n).rev() {
        for k in row + 1..n {
            x[row] -= lower[k * n + row] * x[k];
        }
        x[row] /= lower[row * n + row];
    }
    x
}

#[cfg(test)]
mod tests {
    use super::Symmetric;

    #[test]
    fn a_system_by_hand_is_solved() {
        let mut a = Symmetric::zero(2);
        for (row, column, value) in [(0, 0, 4.0), (0, 1, 2.0), (1, 0, 2.0), (1, 1, 3.0)] {
            a.add(row, column, value);
        }
        let x = a.solve(&[8.0, 8.0]).unwrap();
        assert!((x[0] - 1.0).abs() < 1e-12 && (x[1] - 2.0).abs() < 1e-12);
        let diagonal = a.inverse_diagonal().unwrap();
        assert!((diagonal[0] - 0.375).abs() < 1e-12 && (diagonal[1] - 0.5).abs() < 1e-12);
        a.add(1, 1, -3.0);
        assert_eq!(a.solve(&[1.0, 1.0]), None);
    }
}
