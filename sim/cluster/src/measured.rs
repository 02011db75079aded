//! A cluster on which rates between nodes were measured.

use units::BytesPerSec;

use crate::cluster::Cluster;
use crate::error::ClusterError;

/// What one node reaches towards another, `[from][to]`; `None` where it was not measured.
pub type MeasuredRates = Vec<Vec<Option<BytesPerSec>>>;

impl Cluster {
    /// A copy where these rates were measured, instead of those that its file gives.
    ///
    /// # Errors
    ///
    /// Unless there is a row and a column for every node.
    pub fn with_measured(&self, rates: MeasuredRates) -> Result<Self, Vec<ClusterError>> {
        let mut errors = Vec::new();
        check(&rates, self.n_nodes(), &mut errors);
        if errors.is_empty() {
            Ok(Self {
                measured: Some(rates),
                ..self.clone()
            })
        } else {
            Err(errors)
        }
    }
}

/// Reports rows that are not one for every node, else columns that are not.
pub(crate) fn check(rates: &MeasuredRates, nodes: usize, errors: &mut Vec<ClusterError>) {
    if rates.len() != nodes {
        errors.push(ClusterError::MeasuredRows {
            rows: rates.len(),
            nodes,
        });
        return;
    }
    for (row, columns) in rates.iter().enumerate() {
        if columns.len() != nodes {
            errors.push(ClusterError::MeasuredColumns {
                row,
                columns: columns.len(),
                nodes,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use units::NodeId;

    use super::*;
    use crate::example::two_dgx_h100;

    #[test]
    fn measured_rates_are_those_of_the_copy() {
        let cluster = Cluster::build(&two_dgx_h100()).expect("an example");
        let rate = BytesPerSec::from_gbytes(18.5);
        let copy = cluster
            .with_measured(vec![vec![None, rate], vec![None, None]])
            .expect("two rows of two");
        let [a, b] = [0, 1].map(NodeId::new);
        assert_eq!(copy.measured_between(a, b), rate);
        assert_eq!(copy.measured_between(b, a), None);
        assert!(!cluster.has_measured_rates() && copy.has_measured_rates());
    }

    #[test]
    fn a_matrix_of_another_size_is_refused() {
        let cluster = Cluster::build(&two_dgx_h100()).expect("an example");
        let errors = cluster.with_measured(vec![vec![None; 3]; 2]);
        assert_eq!(errors.map(|_| ()).map_err(|errors| errors.len()), Err(2));
    }
}
