//! What interfaces and hosts count.

use std::collections::BTreeMap;

use units::{HostId, LinkId};

/// What a link has sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sent {
    pub(crate) bytes: u64,
    pub(crate) frames: u64,
}

/// What all links have sent, and how many segments TCP sent more than once on each host.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counters {
    pub(crate) links: BTreeMap<LinkId, Sent>,
    pub(crate) again: BTreeMap<HostId, u64>,
}

impl Counters {
    /// What was counted since then.
    pub(crate) fn since(&self, then: &Self) -> Self {
        let links = self.links.iter().map(|(link, now)| {
            let then = then.links.get(link).copied().unwrap_or_default();
            let [bytes, frames] = [now.bytes - then.bytes, now.frames - then.frames];
            (*link, Sent { bytes, frames })
        });
        let again = self.again.iter().map(|(host, now)| {
            let then = then.again.get(host).copied().unwrap_or_default();
            (*host, now - then)
        });
        Self {
            links: links.collect(),
            again: again.collect(),
        }
    }
}
