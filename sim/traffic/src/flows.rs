//! The flows of a workload, and what each waits for.

use units::{Bytes, HostId, SimTime};

/// A flow, by its place in the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FlowId(u32);

impl FlowId {
    /// The flow of that place.
    pub const fn new(index: u32) -> Self {
        Self(index)
    }

    /// The place as a number.
    pub const fn get(self) -> u32 {
        self.0
    }

    /// The place as an index.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// Bytes from one host to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flow {
    /// The sender.
    pub src: HostId,
    /// The receiver; where it is the sender, the flow takes no link.
    pub dst: HostId,
    /// The payload; 0 takes the latency only.
    pub bytes: Bytes,
    /// The earliest release.
    pub start: SimTime,
}

/// Why a list of flows cannot run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the messages are the documentation")]
pub enum FlowsError {
    #[error("flow {flow} waits for flow {after}, but there are {flows} flows")]
    UnknownFlow {
        flow: usize,
        after: usize,
        flows: usize,
    },
    #[error("flow {flow} waits for itself through {length} others")]
    Cycle { flow: usize, length: usize },
    #[error("{flows} flows are more than the {limit} that a run can count")]
    TooMany { flows: usize, limit: usize },
}

/// By flow, the flows that wait for it, in order.
#[derive(Clone, Debug)]
pub struct Followers {
    first: Vec<u32>,
    flows: Vec<u32>,
}

impl Followers {
    /// The flows that wait for a flow.
    pub fn of(&self, flow: FlowId) -> &[u32] {
        let [from, to] = [flow.index(), flow.index() + 1].map(|at| self.first[at] as usize);
        &self.flows[from..to]
    }
}

/// A list of flows without cycles. [`Flows::new`] is the only way in.
///
/// Invariant: the flows that a flow waits for are stored side by side; none waits for itself
/// through others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flows {
    list: Vec<Flow>,
    /// Where the list of what a flow waits for begins; one more than there are flows.
    first: Vec<u32>,
    after: Vec<u32>,
}

impl Flows {
    /// Checks and stores flows with the places of the flows that each waits for.
    ///
    /// # Errors
    ///
    /// The first place that does not exist, or one flow of a cycle.
    pub fn new(flows: Vec<Flow>, after: &[Vec<u32>]) -> Result<Self, FlowsError> {
        let mut first = vec![0];
        let mut all = Vec::with_capacity(after.iter().map(Vec::len).sum());
        for waits in after
            .iter()
            .map(Vec::as_slice)
            .chain(std::iter::repeat(&[][..]))
            .take(flows.len())
        {
            all.extend_from_slice(waits);
            first.push(u32::try_from(all.len()).unwrap_or(u32::MAX));
        }
        Self::from_lists(flows, first, all)
    }

    /// Checks and stores flows with what they wait for: flow `i` waits for `after[first[i]]` to
    /// `after[first[i + 1]]`, that one left out.
    ///
    /// # Errors
    ///
    /// The first place that does not exist, or one flow of a cycle.
    pub fn from_lists(
        flows: Vec<Flow>,
        first: Vec<u32>,
        after: Vec<u32>,
    ) -> Result<Self, FlowsError> {
        let limit = u32::MAX as usize - 1;
        if limit < flows.len().max(after.len()) {
            let flows = flows.len().max(after.len());
            return Err(FlowsError::TooMany { flows, limit });
        }
        let list = Self {
            list: flows,
            first,
            after,
        };
        list.check()?;
        Ok(list)
    }

    fn check(&self) -> Result<(), FlowsError> {
        let flows = self.list.len();
        for (id, _) in self.iter() {
            if let Some(&after) = self
                .after(id)
                .iter()
                .find(|after| flows <= **after as usize)
            {
                return Err(FlowsError::UnknownFlow {
                    flow: id.index(),
                    after: after as usize,
                    flows,
                });
            }
        }
        // Where every flow waits for earlier ones only there is no cycle.
        if self
            .iter()
            .all(|(id, _)| self.after(id).iter().all(|&after| after < id.get()))
        {
            return Ok(());
        }
        let followers = self.followers();
        let mut waits: Vec<u32> = (0..flows)
            .map(|flow| self.first[flow + 1] - self.first[flow])
            .collect();
        let mut ready: Vec<u32> = (0..)
            .zip(&waits)
            .filter(|(_, waits)| **waits == 0)
            .map(|(flow, _)| flow)
            .collect();
        let mut released = 0;
        while let Some(flow) = ready.pop() {
            released += 1;
            for &follower in followers.of(FlowId(flow)) {
                waits[follower as usize] -= 1;
                if waits[follower as usize] == 0 {
                    ready.push(follower);
                }
            }
        }
        if released == flows {
            return Ok(());
        }
        Err(self.cycle(&waits))
    }

    /// A cycle among flows that wait for ever, found by walking back from one of them.
    fn cycle(&self, waits: &[u32]) -> FlowsError {
        let stuck = |flow: u32| 0 < waits[flow as usize];
        let start = (0..)
            .take(waits.len())
            .find(|&flow| stuck(flow))
            .unwrap_or(0);
        let back = |flow: u32| {
            let after = self.after(FlowId(flow)).iter();
            after.copied().find(|&before| stuck(before)).unwrap_or(flow)
        };
        // After as many steps as there are flows the walk is on the cycle.
        let on = (0..waits.len()).fold(start, |flow, _| back(flow));
        let (mut at, mut length, mut lowest) = (back(on), 1, on);
        while at != on {
            lowest = lowest.min(at);
            length += 1;
            at = back(at);
        }
        FlowsError::Cycle {
            flow: lowest as usize,
            length,
        }
    }

    /// By flow, the flows that wait for it.
    pub fn followers(&self) -> Followers {
        let mut first = vec![0_u32; self.list.len() + 1];
        for &before in &self.after {
            first[before as usize + 1] += 1;
        }
        for at in 1..first.len() {
            first[at] += first[at - 1];
        }
        let mut next = first.clone();
        let mut flows = vec![0; self.after.len()];
        for (id, _) in self.iter() {
            for &before in self.after(id) {
                let place = &mut next[before as usize];
                flows[*place as usize] = id.get();
                *place += 1;
            }
        }
        Followers { first, flows }
    }

    /// How many flows there are.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// A flow.
    pub fn get(&self, flow: FlowId) -> Flow {
        self.list[flow.index()]
    }

    /// The places of the flows that a flow waits for.
    pub fn after(&self, flow: FlowId) -> &[u32] {
        let [from, to] = [flow.index(), flow.index() + 1].map(|at| self.first[at] as usize);
        &self.after[from..to]
    }

    /// All flows in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (FlowId, Flow)> + '_ {
        self.list
            .iter()
            .enumerate()
            .map(|(index, flow)| (FlowId(u32::try_from(index).unwrap_or(u32::MAX)), *flow))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flow() -> Flow {
        Flow {
            src: HostId::new(0),
            dst: HostId::new(1),
            bytes: Bytes::new(1),
            start: SimTime::ZERO,
        }
    }

    fn list(after: &[&[u32]]) -> Result<Flows, FlowsError> {
        let after: Vec<_> = after.iter().map(|waits| waits.to_vec()).collect();
        Flows::new(vec![flow(); after.len()], &after)
    }

    #[test]
    fn flows_may_wait_for_later_ones() {
        let flows = list(&[&[2], &[], &[1]]).unwrap();
        assert_eq!(flows.after(FlowId::new(0)), [2]);
        assert_eq!(flows.followers().of(FlowId::new(1)), [2]);
    }

    #[test]
    fn a_cycle_is_named_by_its_lowest_flow() {
        let error = list(&[&[1], &[2], &[3], &[2]]).unwrap_err();
        assert_eq!(error, FlowsError::Cycle { flow: 2, length: 2 });
        assert!(matches!(
            list(&[&[0]]),
            Err(FlowsError::Cycle { flow: 0, length: 1 })
        ));
    }

    #[test]
    fn a_flow_that_is_not_there_cannot_be_waited_for() {
        let error = list(&[&[], &[7]]).unwrap_err();
        assert!(error.to_string().contains("waits for flow 7"), "{error}");
    }
}
