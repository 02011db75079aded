//! Which layers each virtual stage holds.

use std::ops::Range;

/// How the layers are spread over virtual stages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LayerSplit {
    /// As evenly as possible; where stages do not divide the layers, the first and the last
    /// stage get fewer, since they hold the embedding and the output layer.
    Even,
    /// The embedding, the output layer, or both count as a layer, and the sum divides evenly:
    /// Megatron's `account-for-embedding-in-pipeline-split` and its like for the loss.
    Account {
        /// The embedding counts.
        embedding: bool,
        /// The output layer counts.
        loss: bool,
    },
    /// Layers of every virtual stage, in the order of the layers.
    Counts(Vec<u32>),
}

/// What a virtual stage holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StageContent {
    /// Its layers, as indices into the model's.
    pub layers: Range<usize>,
    /// Whether it holds the input embedding. Where the schedule spreads the vocabulary
    /// ([`Plan::vocabulary`](crate::Plan::vocabulary)), the tables lie on all devices instead.
    pub embedding: bool,
    /// Whether it holds the final norm, the output layer and the loss.
    pub head: bool,
    /// Multi-token prediction modules that it holds.
    pub mtp: u32,
    /// Whether it holds a second copy of embedding weights, which it needs for a tied output
    /// layer or for multi-token prediction; gradients are summed between the two copies. Not
    /// where both ends of the pipeline lie on one device.
    pub embedding_copy: bool,
}

/// Why a split does not exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SplitProblem {
    /// Fewer layers than stages.
    TooFew,
    /// What counts as a layer does not divide over the stages.
    Uneven {
        /// Layers and what counts as one.
        counted: u32,
    },
    /// A list of another length.
    Length {
        /// Its length.
        given: usize,
    },
    /// A list with another sum.
    Sum {
        /// Its sum.
        given: u64,
    },
}

impl LayerSplit {
    /// Layers of every virtual stage.
    pub(crate) fn counts(&self, n_layers: u32, n_stages: u32) -> Result<Vec<u32>, SplitProblem> {
        match self {
            Self::Even if n_layers < n_stages => Err(SplitProblem::TooFew),
            Self::Even => Ok(even(n_layers, n_stages)),
            Self::Account { embedding, loss } => {
                account(n_layers, n_stages, u32::from(*embedding), u32::from(*loss))
            }
            Self::Counts(counts) => listed(counts, n_layers, n_stages),
        }
    }
}

/// The remainder goes to the stages behind the first; the last stage gets one last.
fn even(n_layers: u32, n_stages: u32) -> Vec<u32> {
    let (each, more) = (n_layers / n_stages, n_layers % n_stages);
    let mut counts = vec![each; n_stages as usize];
    // Fewer than `n_stages` remain, so the last stage never gets one, and the first only if all
    // others have.
    let first = usize::from(more + 1 < n_stages);
    for count in counts.iter_mut().skip(first).take(more as usize) {
        *count += 1;
    }
    counts
}

fn account(
    n_layers: u32,
    n_stages: u32,
    embedding: u32,
    loss: u32,
) -> Result<Vec<u32>, SplitProblem> {
    let counted = n_layers + embedding + loss;
    let each = counted / n_stages;
    if !counted.is_multiple_of(n_stages) || each == 0 {
        return Err(SplitProblem::Uneven { counted });
    }
    let mut counts = vec![each; n_stages as usize];
    let last = counts.len() - 1;
    counts[0] -= embedding;
    counts[last] = counts[last].checked_sub(loss).ok_or(SplitProblem::TooFew)?;
    Ok(counts)
}

fn listed(counts: &[u32], n_layers: u32, n_stages: u32) -> Result<Vec<u32>, SplitProblem> {
    if counts.len() != n_stages as usize {
        return Err(SplitProblem::Length {
            given: counts.len(),
        });
    }
    let given: u64 = counts.iter().map(|count| u64::from(*count)).sum();
    if given != u64::from(n_layers) {
        return Err(SplitProblem::Sum { given });
    }
    Ok(counts.to_vec())
}

/// The contents of stages with these numbers of layers.
///
/// * `shared` — whether the last stage reads the embedding's weights too, and holds them only
///   as a copy.
/// * `mtp` — multi-token prediction modules, all on the last stage.
pub(crate) fn contents(counts: &[u32], shared: bool, mtp: u32) -> Vec<StageContent> {
    let last = counts.len() - 1;
    let mut next = 0;
    counts
        .iter()
        .enumerate()
        .map(|(stage, &count)| {
            let layers = next..next + count as usize;
            next = layers.end;
            StageContent {
                layers,
                embedding: stage == 0,
                head: stage == last,
                mtp: if stage == last { mtp } else { 0 },
                embedding_copy: shared && stage == last && 0 < last,
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_uneven_rest_spares_both_ends() {
        assert_eq!(even(12, 4), [3, 3, 3, 3]);
        assert_eq!(even(14, 4), [3, 4, 4, 3]);
        assert_eq!(even(13, 4), [3, 4, 3, 3]);
        assert_eq!(even(15, 4), [4, 4, 4, 3]);
        assert_eq!(even(5, 1), [5]);
    }

    #[test]
    fn llama_405b_counts_embedding_and_loss_as_layers() {
        let split = LayerSplit::Account {
            embedding: true,
            loss: true,
        };
        let counts = split.counts(126, 128).unwrap();
        assert_eq!((counts[0], counts[1], counts[127]), (0, 1, 0));
        let counts = split.counts(126, 16).unwrap();
        assert_eq!((counts[0], counts[1], counts[15]), (7, 8, 7));
        assert_eq!(
            split.counts(126, 15),
            Err(SplitProblem::Uneven { counted: 128 })
        );
    }

    #[test]
    fn the_ends_hold_the_embedding_and_the_head() {
        let stages = contents(&[2, 3, 1], true, 1);
        assert_eq!(stages[1].layers, 2..5);
        assert!(stages[0].embedding && !stages[0].embedding_copy && !stages[0].head);
        assert!(stages[2].head && stages[2].embedding_copy && stages[2].mtp == 1);
        assert!(!contents(&[4], true, 0)[0].embedding_copy);
    }
}
