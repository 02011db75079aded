//! Why a search gives no answer.

use placement::PlacementError;
use predict::PredictError;

use crate::evaluate::Evaluated;
use crate::excluded::Tally;

/// Why a search gives no answer.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the messages are the documentation")]
pub enum SearchError {
    #[error(transparent)]
    Predict(#[from] PredictError),
    #[error("the order of nodes: {0}")]
    Placement(#[from] PlacementError),
    #[error("interrupted before a plan that fits was found")]
    Interrupted,
    #[error("no plan fits")]
    NoPlan(Box<NoPlan>),
}

/// What was tried in vain.
#[derive(Clone, Debug)]
pub struct NoPlan {
    /// Plans that have room in closed form, though no engine found one that does.
    pub evaluated: u64,
    /// Why the others were not.
    pub excluded: Tally,
    /// The plan that lacks least memory, where one could be evaluated.
    pub nearest: Option<Evaluated>,
}
