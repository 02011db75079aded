//! Parameter tensors: one entry for every weight, in the shapes that matrix optimizers and
//! adapters see.

/// What a parameter tensor is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TensorKind {
    /// The weight of a linear layer that every token meets.
    Matrix,
    /// The weight or bias of a routed expert.
    Expert,
    /// The weight that scores experts.
    Router,
    /// A table of words, positions, token types or distances, and the head's own table.
    Embedding,
    /// A weight or bias of a norm.
    Norm,
    /// A bias of a product or of the choice of experts.
    Bias,
    /// The taps of a convolution.
    Convolution,
    /// One value a head or channel: rates, skips and step biases of a state space, sinks.
    Vector,
    /// All parameters of a layer that was measured as a whole.
    Measured,
}

/// `count` parameter tensors of one shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Tensor {
    /// What it is called, alike in all layers: `q`, `expert.up`.
    pub name: &'static str,
    /// Index of its layer in [`Model::layers`](crate::Model::layers), or, in
    /// [`Model::mtp_tensors`](crate::Model::mtp_tensors), of its module; none at the ends.
    pub layer: Option<usize>,
    /// What it is.
    pub kind: TensorKind,
    /// Outputs of a product; length of a vector; rows of a table.
    pub rows: u64,
    /// Inputs of a product; 1 for a vector; width of a table.
    pub cols: u64,
    /// How many there are.
    pub count: u64,
    /// How many of them one token meets: fewer than `count` for routed experts alone.
    pub active: u64,
}

impl Tensor {
    /// One tensor.
    pub(crate) const fn new(name: &'static str, kind: TensorKind, rows: u64, cols: u64) -> Self {
        Self {
            name,
            layer: None,
            kind,
            rows,
            cols,
            count: 1,
            active: 1,
        }
    }

    /// The same, so many times.
    pub(crate) const fn times(self, count: u64) -> Self {
        Self {
            count,
            active: count,
            ..self
        }
    }

    /// Values in all.
    pub const fn values(&self) -> u64 {
        self.rows * self.cols * self.count
    }

    /// Values that one token meets.
    pub const fn active_values(&self) -> u64 {
        self.rows * self.cols * self.active
    }
}
