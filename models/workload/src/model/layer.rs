//! One layer: its branches, their norms and how they join the residual stream.

use units::{Bytes, Seconds};

use super::attention::{AttentionSpec, MlaSpec};
use super::ffn::{DenseSpec, MoeSpec};
use super::mamba::MambaSpec;
use super::norm::Norms;

/// The branch that lets tokens see each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mixer {
    /// Attention with grouped heads.
    Attention(AttentionSpec),
    /// Latent attention.
    Latent(MlaSpec),
    /// A state space.
    Mamba2(MambaSpec),
}

/// The branch that works on each token alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ffn {
    /// One network for all tokens.
    Dense(DenseSpec),
    /// Several, of which each token visits a few.
    Moe(MoeSpec),
}

/// Which of a model's two stacks a layer belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stack {
    /// The only stack of most models, or the decoder behind an encoder.
    Main,
    /// The encoder in front of a decoder, with a sequence length of its own.
    Encoder,
}

/// A layer that was measured as a whole, whatever it computes.
#[derive(Clone, Debug, PartialEq)]
pub struct MeasuredLayer {
    /// What it is called in its table.
    pub name: String,
    /// Its times by tensor-parallel degree, ascending, without gaps that matter: a degree between
    /// two rows takes those of the next smaller one.
    pub times: Vec<MeasuredTime>,
    /// Its parameters.
    pub params: u64,
    /// What it hands to the next layer, for one sample.
    pub output: Bytes,
    /// What it keeps from forward until backward, for one sample.
    pub saved: Bytes,
}

/// The time of one sample in a measured layer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MeasuredTime {
    /// Tensor-parallel degree.
    pub tp: u32,
    /// The forward pass of one sample.
    pub forward: Seconds,
    /// Its backward pass.
    pub backward: Seconds,
}

impl MeasuredLayer {
    /// The row for a tensor-parallel degree: the one measured, else that of the next smaller
    /// degree, else the first. `None` only without rows.
    pub fn time(&self, tp: u32) -> Option<MeasuredTime> {
        let fitting = self.times.iter().rev().find(|row| row.tp <= tp);
        fitting.or_else(|| self.times.first()).copied()
    }
}

/// One layer. Its branches are walked in the order mixer, cross-attention, feed-forward part, each
/// added to the residual stream; or all read one input where it is `parallel`.
#[derive(Clone, Debug, PartialEq)]
pub struct Layer {
    /// Width of the residual stream.
    pub hidden: u64,
    /// To which stack it belongs.
    pub stack: Stack,
    /// Mixes tokens.
    pub mixer: Option<Mixer>,
    /// Attention to the output of the encoder.
    pub cross: Option<AttentionSpec>,
    /// Works on each token.
    pub ffn: Option<Ffn>,
    /// The norms around the branches.
    pub norms: Norms,
    /// Whether mixer and feed-forward part read the same residual stream and are added together
    /// (GPT-J, GPT-NeoX, Falcon).
    pub parallel: bool,
    /// Set for a layer of a table of measurements, which then has no branches.
    pub measured: Option<MeasuredLayer>,
}

impl Layer {
    /// Number of branches, cross-attention included.
    pub fn branches(&self) -> u64 {
        u64::from(self.mixer.is_some())
            + u64::from(self.cross.is_some())
            + u64::from(self.ffn.is_some())
    }

    /// Number of norms over the hidden width.
    pub fn n_norms(&self) -> u64 {
        if self.branches() == 0 {
            0
        } else {
            self.norms.count(self.branches())
        }
    }

    /// Its mixture of experts, where it has one.
    pub const fn moe(&self) -> Option<&MoeSpec> {
        match &self.ffn {
            Some(Ffn::Moe(moe)) => Some(moe),
            _ => None,
        }
    }

    /// Its attention heads, of whatever kind; 0 without attention.
    pub const fn heads(&self) -> u64 {
        match &self.mixer {
            Some(Mixer::Attention(attention)) => attention.heads,
            Some(Mixer::Latent(mla)) => mla.heads,
            _ => 0,
        }
    }
}
