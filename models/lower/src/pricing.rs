//! Prices of collectives for the engine: one delay in closed form, or phases over the fabric.

use collective::{Choice, expand};
use engine::{Phase, Pricing};
use profile::{CollectiveKind, CommProfile};
use units::Bytes;

use crate::binding::Binding;
use crate::fabric::{Fabric, less};

/// Prices of the groups of a binding.
#[derive(Clone, Copy, Debug)]
pub struct Prices<'a> {
    /// The groups.
    pub binding: &'a Binding,
    /// The constants of collectives.
    pub comm: &'a CommProfile,
    /// The algorithm and protocol that NCCL is told to use.
    pub choice: &'a Choice,
    /// The paths of transfers between domains; without them every collective is one delay.
    pub fabric: Option<&'a Fabric>,
}

impl Pricing for Prices<'_> {
    fn phases(&self, price: u32, kind: CollectiveKind, bytes: Bytes) -> Vec<Phase> {
        let shape = &self.binding.prices[price as usize].shape;
        let Some(fabric) = self.fabric else {
            let priced = collective::Priced::new(kind, shape, self.comm, self.choice);
            return vec![Phase {
                delay: priced.time(bytes).time,
                transfers: Vec::new(),
            }];
        };
        let phases = expand(kind, bytes, shape, self.comm, self.choice);
        phases
            .iter()
            .map(|phase| match &phase.transfers {
                None => Phase {
                    delay: phase.delay,
                    transfers: Vec::new(),
                },
                Some(transfers) => Phase {
                    delay: less(phase.delay, fabric.lead(price, transfers.pattern))
                        + transfers.excess,
                    transfers: fabric
                        .transfers(price, transfers.pattern)
                        .iter()
                        .map(|(path, share)| (*path, transfers.of(*share)))
                        .collect(),
                },
            })
            .collect()
    }
}
