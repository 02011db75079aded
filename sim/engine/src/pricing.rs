//! What a collective costs, asked once per distinct price, operation and size.

use std::rc::Rc;

use profile::CollectiveKind;
use units::{Bytes, Seconds};

/// A part of a collective: a delay, then transfers that start together. The next phase follows
/// the end of the last transfer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Phase {
    /// Latency terms, and everything that stays inside a scale-up domain.
    pub delay: Seconds,
    /// Paths of the network engine and the bytes that each carries.
    pub transfers: Vec<(u32, Bytes)>,
}

/// Expands a collective to phases.
pub trait Pricing {
    /// The phases of one operation over the groups of one price.
    fn phases(&self, price: u32, kind: CollectiveKind, bytes: Bytes) -> Vec<Phase>;
}

/// Remembers expansions: a run asks for the same few thousands of times.
pub(crate) struct Prices<'a> {
    pricing: &'a dyn Pricing,
    /// The few operations of each price.
    known: Vec<Vec<Expansion>>,
}

/// One operation and its phases.
struct Expansion {
    kind: CollectiveKind,
    bytes: Bytes,
    phases: Rc<[Phase]>,
}

impl<'a> Prices<'a> {
    pub(crate) fn new(pricing: &'a dyn Pricing) -> Self {
        Self {
            pricing,
            known: Vec::new(),
        }
    }

    pub(crate) fn phases(&mut self, price: u32, kind: CollectiveKind, bytes: Bytes) -> Rc<[Phase]> {
        let at = price as usize;
        if self.known.len() <= at {
            self.known.resize_with(at + 1, Vec::new);
        }
        let known = &mut self.known[at];
        if let Some(known) = known.iter().find(|known| known.is(kind, bytes)) {
            return Rc::clone(&known.phases);
        }
        let phases: Rc<[Phase]> = self.pricing.phases(price, kind, bytes).into();
        known.push(Expansion {
            kind,
            bytes,
            phases: Rc::clone(&phases),
        });
        phases
    }
}

impl Expansion {
    fn is(&self, kind: CollectiveKind, bytes: Bytes) -> bool {
        (self.kind, self.bytes) == (kind, bytes)
    }
}
