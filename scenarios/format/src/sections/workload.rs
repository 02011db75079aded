//! `[workload]`: traffic instead of training.

use units::Bytes;

use crate::fields::Fields;
use crate::kind::Limits;
use crate::shape::{number, one_of, size, text};

/// Which ends a collective has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ends {
    /// The nodes, by all of their NICs.
    #[default]
    Nodes,
    /// The GPUs.
    Gpus,
}

/// What links carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LinkRates {
    /// What their files say.
    Nominal,
    /// What collectives were measured to reach.
    Measured,
}

/// `[workload]`: traffic instead of training.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NetworkWorkload {
    /// A collective by name.
    pub collective: Option<String>,
    /// Its size.
    pub bytes: Option<Bytes>,
    /// Its ends.
    pub ends: Option<Ends>,
    /// A CSV file of flows.
    pub flows: Option<String>,
    /// The fabric, where there is no cluster.
    pub fabric: Option<String>,
    /// Relative standard deviation of the time that hosts take before each message.
    pub jitter: Option<f64>,
    /// What links carry.
    pub rates: Option<LinkRates>,
}

pub(crate) fn workload(t: &mut Fields<'_, '_>) -> NetworkWorkload {
    t.exclude("collective", "flows");
    NetworkWorkload {
        collective: t
            .get(
                "collective",
                "the collective, such as ring or alltoall",
                text(),
            )
            .optional(),
        bytes: t.get("bytes", "size of the collective", size()).optional(),
        ends: t
            .get(
                "ends",
                "what takes part in the collective: nodes (default), by all of their NICs, or gpus",
                one_of(vec![("nodes", Ends::Nodes), ("gpus", Ends::Gpus)]),
            )
            .optional(),
        flows: t.get("flows", "a CSV file of flows", text()).optional(),
        fabric: t
            .get(
                "fabric",
                "the fabric, where there is no cluster: a SimGrid platform (.xml), a cluster file, or a cluster of the zoo",
                text(),
            )
            .optional(),
        jitter: t
            .get(
                "jitter",
                "how unevenly hosts start: standard deviation of starts over the time that the collective takes alone, default 0",
                number(Limits::within(0.0, 1.0)),
            )
            .optional(),
        rates: t
            .get(
                "rates",
                "what links carry: nominal, as their files say, or measured, as collectives reach by the constants of \
                 the network; default measured where the cluster's file or a profile of the scenario brings constants",
                one_of(vec![
                    ("nominal", LinkRates::Nominal),
                    ("measured", LinkRates::Measured),
                ]),
            )
            .optional(),
    }
}
