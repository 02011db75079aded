//! What data-parallel ranks share instead of repeating: `ZeRO`, FSDP and their kin.

/// What of the model's state is cut over ranks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sharded {
    /// The parameters as the forward pass reads them, gathered before use.
    Weights,
    /// Accumulated gradients.
    Gradients,
    /// Optimizer states and the parameters' copy.
    Optimizer,
}

impl Sharded {
    /// All three.
    pub const ALL: [Self; 3] = [Self::Weights, Self::Gradients, Self::Optimizer];

    /// The name as scenarios write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Weights => "weights",
            Self::Gradients => "gradients",
            Self::Optimizer => "optimizer",
        }
    }

    /// The part of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|what| what.name() == name)
    }
}

/// One level of sharding, as a scenario says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ShardLevel {
    /// What is cut.
    pub what: Sharded,
    /// Over how many ranks of the data-parallel group (context parallelism included), in
    /// blocks of its order; all of them where absent.
    pub group: Option<u32>,
}

impl ShardLevel {
    /// `ZeRO`-1, Megatron's distributed optimizer.
    pub const ZERO_1: &'static [Self] = &[Self::all(Sharded::Optimizer)];
    /// `ZeRO`-2.
    pub const ZERO_2: &'static [Self] =
        &[Self::all(Sharded::Gradients), Self::all(Sharded::Optimizer)];
    /// `ZeRO`-3, or FSDP's full shard.
    pub const ZERO_3: &'static [Self] = &[
        Self::all(Sharded::Weights),
        Self::all(Sharded::Gradients),
        Self::all(Sharded::Optimizer),
    ];

    /// Over the whole data-parallel group.
    pub const fn all(what: Sharded) -> Self {
        Self { what, group: None }
    }

    /// Hybrid sharding: everything over blocks of `group` ranks, replicated between them.
    pub const fn hybrid(group: u32) -> [Self; 3] {
        Self::levels(group, group, group)
    }

    /// Three levels, as on Frontier: weights over a pair of dies, gradients over a node,
    /// optimizer states over more.
    pub const fn levels(weights: u32, gradients: u32, optimizer: u32) -> [Self; 3] {
        [
            Self {
                what: Sharded::Weights,
                group: Some(weights),
            },
            Self {
                what: Sharded::Gradients,
                group: Some(gradients),
            },
            Self {
                what: Sharded::Optimizer,
                group: Some(optimizer),
            },
        ]
    }
}

/// Over how many ranks each part of the state is cut; 1 where every rank holds all of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Shards {
    /// The parameters as the forward pass reads them.
    pub weights: u32,
    /// Accumulated gradients.
    pub gradients: u32,
    /// Optimizer states and the parameters' copy.
    pub optimizer: u32,
}

impl Shards {
    /// Every rank holds everything.
    pub const NONE: Self = Self {
        weights: 1,
        gradients: 1,
        optimizer: 1,
    };

    /// Over how many ranks a part is cut.
    pub const fn of(&self, what: Sharded) -> u32 {
        match what {
            Sharded::Weights => self.weights,
            Sharded::Gradients => self.gradients,
            Sharded::Optimizer => self.optimizer,
        }
    }

    pub(crate) const fn set(&mut self, what: Sharded, group: u32) {
        match what {
            Sharded::Weights => self.weights = group,
            Sharded::Gradients => self.gradients = group,
            Sharded::Optimizer => self.optimizer = group,
        }
    }

    /// The same levels for parameters whose data-parallel group has `expert` ranks instead of
    /// `dense`: a block of dense ranks holds proportionally fewer replicas of an expert.
    pub(crate) fn for_experts(self, dense: u32, expert: u32) -> Self {
        let group = |size: u32| {
            let share = u64::from(size) * u64::from(expert) / u64::from(dense);
            u32::try_from(share).map_or(expert, |share| share.clamp(1, expert))
        };
        Self {
            weights: group(self.weights),
            gradients: group(self.gradients),
            optimizer: group(self.optimizer),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn experts_are_sharded_over_their_own_replicas() {
        let shards = Shards {
            weights: 1,
            gradients: 8,
            optimizer: 64,
        };
        let expert = shards.for_experts(64, 8);
        assert_eq!(
            (expert.weights, expert.gradients, expert.optimizer),
            (1, 1, 8)
        );
    }
}
