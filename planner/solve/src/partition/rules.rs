//! What a split must keep besides memory.

use std::fmt;

use crate::SolveError;

/// What a split must keep. Stages are virtual stages, layers and stages count from 0. Without a
/// rule of its own, a stage holds one layer at least.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    missing_docs,
    reason = "a rule's fields are a layer, a stage and a count"
)]
pub enum Rule {
    /// The layer lies on this stage.
    Pin { layer: usize, stage: usize },
    /// The layer does not lie on this stage.
    Forbid { layer: usize, stage: usize },
    /// The stage holds so many layers at least; 0 lets it hold none.
    AtLeast { stage: usize, layers: usize },
    /// The stage holds so many layers at most.
    AtMost { stage: usize, layers: usize },
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pin { layer, stage } => write!(f, "layer {layer} on stage {stage}"),
            Self::Forbid { layer, stage } => write!(f, "layer {layer} not on stage {stage}"),
            Self::AtLeast { stage, layers } => {
                write!(f, "stage {stage} with {layers} layers or more")
            }
            Self::AtMost { stage, layers } => {
                write!(f, "stage {stage} with {layers} layers or fewer")
            }
        }
    }
}

impl Rule {
    pub(super) fn check(self, n_layers: usize, n_stages: usize) -> Result<(), SolveError> {
        let (layer, stage) = match self {
            Self::Pin { layer, stage } | Self::Forbid { layer, stage } => (Some(layer), stage),
            Self::AtLeast { stage, .. } | Self::AtMost { stage, .. } => (None, stage),
        };
        inside("stage", stage, n_stages)?;
        layer.map_or(Ok(()), |layer| inside("layer", layer, n_layers))
    }

    /// Layers that a stage must hold.
    pub(super) fn least(rules: &[Self], stage: usize) -> usize {
        let own = rules.iter().filter_map(|rule| match *rule {
            Self::AtLeast { stage: at, layers } if at == stage => Some(layers),
            _ => None,
        });
        own.max().unwrap_or(1)
    }

    /// Layers that a stage may hold.
    pub(super) fn most(rules: &[Self], stage: usize) -> usize {
        let own = rules.iter().filter_map(|rule| match *rule {
            Self::AtMost { stage: at, layers } if at == stage => Some(layers),
            _ => None,
        });
        own.min().unwrap_or(usize::MAX)
    }

    /// Whether a layer may lie on a stage.
    pub(super) fn allows(self, on_layer: usize, on_stage: usize) -> bool {
        match self {
            Self::Pin { layer, stage } => layer != on_layer || stage == on_stage,
            Self::Forbid { layer, stage } => layer != on_layer || stage != on_stage,
            Self::AtLeast { .. } | Self::AtMost { .. } => true,
        }
    }

    /// How many of the first `i` layers may not lie on a stage; empty where all may.
    pub(super) fn forbidden(rules: &[Self], stage: usize, n_layers: usize) -> Vec<u32> {
        if rules.is_empty() {
            return Vec::new();
        }
        let mut counts = vec![0; n_layers + 1];
        for layer in 0..n_layers {
            let allowed = rules.iter().all(|rule| rule.allows(layer, stage));
            counts[layer + 1] = counts[layer] + u32::from(!allowed);
        }
        counts
    }
}

fn inside(what: &'static str, index: usize, count: usize) -> Result<(), SolveError> {
    if index < count {
        Ok(())
    } else {
        Err(SolveError::RuleOutside { what, index, count })
    }
}
