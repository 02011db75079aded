//! A correction of a curve by shape: linear in the logarithms between the nodes of a grid.

use units::math::{exp, ln, log2};

use crate::GridSpec;

/// Factors on a grid of `m, n, k`.
///
/// Invariant: every axis is rising, and there is one factor for each node.
#[derive(Clone, Debug)]
pub(crate) struct Grid {
    axes: [Vec<f64>; 3],
    log_factor: Vec<f64>,
}

impl Grid {
    /// The grid of a checked description.
    pub(crate) fn new(spec: &GridSpec) -> Self {
        let logs = |values: &[f64]| values.iter().map(|value| log2(*value)).collect();
        Self {
            axes: [logs(&spec.m), logs(&spec.n), logs(&spec.k)],
            log_factor: spec.factor.iter().map(|factor| ln(*factor)).collect(),
        }
    }

    /// The factor at a shape; outside the grid that of the nearest border.
    pub(crate) fn factor(&self, shape: [f64; 3]) -> f64 {
        let cells = [0, 1, 2].map(|axis| cell(&self.axes[axis], log2(shape[axis].max(1.0))));
        let strides = [
            self.axes[1].len() * self.axes[2].len(),
            self.axes[2].len(),
            1,
        ];
        let mut sum = 0.0;
        for corner in 0..8_usize {
            let mut weight = 1.0;
            let mut index = 0;
            for axis in 0..3 {
                let (below, part) = cells[axis];
                let upper = corner >> axis & 1;
                weight *= if upper == 1 { part } else { 1.0 - part };
                index += (below + upper).min(self.axes[axis].len() - 1) * strides[axis];
            }
            sum += weight * self.log_factor[index];
        }
        exp(sum)
    }
}

/// The node below a value and the share of the way to the next one.
fn cell(axis: &[f64], value: f64) -> (usize, f64) {
    let above = axis.partition_point(|node| *node <= value);
    if above == 0 {
        (0, 0.0)
    } else if above == axis.len() {
        (axis.len() - 1, 0.0)
    } else {
        let (low, high) = (axis[above - 1], axis[above]);
        (above - 1, (value - low) / (high - low))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two_by_two() -> Grid {
        Grid::new(&GridSpec {
            m: vec![128.0, 512.0],
            n: vec![256.0, 1024.0],
            k: vec![64.0],
            factor: vec![1.0, 2.0, 4.0, 8.0],
        })
    }

    #[test]
    fn nodes_give_their_own_factor_and_borders_go_on() {
        let grid = two_by_two();
        for (m, n, factor) in [
            (128.0, 256.0, 1.0),
            (128.0, 1024.0, 2.0),
            (512.0, 256.0, 4.0),
            (9999.0, 9999.0, 8.0),
            (1.0, 1.0, 1.0),
        ] {
            assert!((grid.factor([m, n, 64.0]) - factor).abs() < 1e-12);
        }
    }

    #[test]
    fn between_nodes_the_factor_is_the_geometric_mean() {
        let factor = two_by_two().factor([256.0, 512.0, 64.0]);
        assert!((factor - 64.0_f64.sqrt().sqrt()).abs() < 1e-12);
    }
}
