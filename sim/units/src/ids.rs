//! Ids: small integers that cannot be mixed up.

use serde::{Deserialize, Serialize};

/// Defines an id over `u32` that indexes a slice of its own kind.
macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
        )]
        #[serde(transparent)]
        pub struct $name(u32);

        impl $name {
            /// The id of that index.
            pub const fn new(index: u32) -> Self {
                Self(index)
            }

            /// The id of a slice's index.
            ///
            /// # Panics
            ///
            /// If the index exceeds `u32::MAX`: no simulation holds that many.
            pub fn from_index(index: usize) -> Self {
                Self(u32::try_from(index).expect("no simulation holds 2³² of anything"))
            }

            /// The index as a number.
            pub const fn get(self) -> u32 {
                self.0
            }

            /// The index into a slice.
            pub const fn index(self) -> usize {
                self.0 as usize
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

id! {
    /// A logical rank of a job, as frameworks count them.
    RankId
}
id! {
    /// A GPU of a cluster, counted from 0 over all nodes.
    GpuId
}
id! {
    /// A node (host, tray) of a cluster, counted from 0.
    NodeId
}
id! {
    /// One direction of a link of a cluster's fabric.
    LinkId
}
id! {
    /// An end of network workloads: whatever sends and receives on a topology.
    HostId
}
id! {
    /// A stage of a pipeline.
    StageId
}
id! {
    /// A class of ranks that behave alike.
    ClassId
}
id! {
    /// A lane of the engine: one simulated member of a class of ranks.
    LaneId
}
id! {
    /// A communicator: an ordered group of ranks that run collectives together.
    GroupId
}
