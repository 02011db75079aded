//! What mixes tokens through a state: Mamba-2.

/// A Mamba-2 mixer (Dao and Gu 2024).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MambaSpec {
    /// Heads.
    pub heads: u64,
    /// Width of one.
    pub head_dim: u64,
    /// Size of the state of a channel.
    pub state: u64,
    /// Groups of heads that share B and C.
    pub groups: u64,
    /// Taps of the convolution.
    pub conv: u64,
    /// A bias of the convolution.
    pub conv_bias: bool,
    /// Biases of both projections.
    pub bias: bool,
    /// Tokens of a chunk of the scan.
    pub chunk: u64,
}

impl MambaSpec {
    /// Width of all heads.
    pub const fn inner(&self) -> u64 {
        self.heads * self.head_dim
    }

    /// Width that the convolution reads: x, B and C.
    pub const fn convolved(&self) -> u64 {
        self.inner() + 2 * self.groups * self.state
    }

    /// Width that the first projection writes: the gate z, x, B, C and a step size a head.
    pub const fn projected(&self) -> u64 {
        self.inner() + self.convolved() + self.heads
    }
}
