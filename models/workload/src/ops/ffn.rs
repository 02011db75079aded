//! A dense feed-forward part, and the experts that all tokens share.

use super::builder::Builder;
use super::linear::{Layout, Linear};
use super::pointwise::Activation;
use super::region::Region;

/// A feed-forward part before it is cut over tp.
#[derive(Clone, Copy, Debug)]
pub(super) struct Width {
    /// Its inner width.
    pub(super) inner: u64,
    /// Whether the first product gives a gate as well.
    pub(super) gated: bool,
    /// Whether products add a bias.
    pub(super) bias: bool,
    /// Where its products belong.
    pub(super) region: Region,
    /// Where its activation belongs.
    pub(super) activation: Region,
    /// How the first product is cut.
    pub(super) up: Layout,
    /// How the second product is cut.
    pub(super) down: Layout,
}

impl Builder<'_> {
    /// Walks two products with an activation between them.
    pub(super) fn dense(&mut self, width: &Width) {
        let inner = width.inner.div_ceil(u64::from(self.shard.tp));
        let up = inner * if width.gated { 2 } else { 1 };
        let targets = self.targets();
        self.linear(&Linear {
            layout: width.up,
            saved: self.tokens * up * self.act,
            bias: width.bias,
            cast_before: true,
            adapted: targets.up,
            ..Linear::new("up", width.region, [self.tokens, up, self.hidden])
        });
        let saved = self.input_saved(self.tokens * inner, true, targets.down);
        self.activation(&Activation {
            region: width.activation,
            values: self.tokens * inner,
            gated: width.gated,
            saved,
        });
        self.linear(&Linear {
            layout: width.down,
            bias: width.bias,
            cast_before: true,
            adapted: targets.down,
            ..Linear::new("down", width.region, [self.tokens, self.hidden, inner])
        });
    }
}
