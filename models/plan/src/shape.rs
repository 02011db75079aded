//! What a plan must know of a model: what its degrees have to divide.

use workload::{Ffn, Layer, Mixer, Model};

/// Heads, widths and experts of a model.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ModelShape {
    /// Layers.
    pub(crate) layers: u32,
    /// Heads and key-value heads, each pair once.
    pub(crate) attention: Vec<(u64, u64)>,
    /// Widths of dense feed-forward parts and shared experts, each once.
    pub(crate) ffn_widths: Vec<u64>,
    /// Widths of routed experts, each once.
    pub(crate) expert_widths: Vec<u64>,
    /// Routed experts of every layer that has any.
    pub(crate) experts: Vec<u64>,
    /// Whether the output layer shares the embedding's weights.
    pub(crate) tied: bool,
    /// Multi-token prediction modules.
    pub(crate) mtp: u32,
}

impl ModelShape {
    /// The shape of a model.
    pub(crate) fn of(model: &Model) -> Self {
        let mut shape = Self {
            layers: u32::try_from(model.layers().len()).unwrap_or(u32::MAX),
            tied: model.tied_embeddings(),
            mtp: u32::try_from(model.mtp().len()).unwrap_or(u32::MAX),
            ..Self::default()
        };
        for layer in model.layers() {
            shape.add(layer);
        }
        shape
    }

    fn add(&mut self, layer: &Layer) {
        match &layer.mixer {
            Some(Mixer::Attention(attention)) => {
                add(&mut self.attention, (attention.heads, attention.kv_heads));
            }
            // One latent serves all heads, so it is not cut.
            Some(Mixer::Latent(latent)) => add(&mut self.attention, (latent.heads, latent.heads)),
            Some(Mixer::Mamba2(mamba)) => add(&mut self.attention, (mamba.heads, mamba.heads)),
            None => {}
        }
        if let Some(cross) = &layer.cross {
            add(&mut self.attention, (cross.heads, cross.kv_heads));
        }
        match &layer.ffn {
            Some(Ffn::Dense(dense)) => add(&mut self.ffn_widths, dense.ffn),
            Some(Ffn::Moe(moe)) => {
                self.experts.push(moe.experts);
                add(&mut self.expert_widths, moe.expert_ffn);
                if let Some(shared) = moe.shared_ffn {
                    add(&mut self.ffn_widths, shared);
                }
            }
            None => {}
        }
    }
}

fn add<T: PartialEq>(seen: &mut Vec<T>, value: T) {
    if !seen.contains(&value) {
        seen.push(value);
    }
}
