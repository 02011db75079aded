//! Several jobs as one run of the engine: the job that is asked about first, the others behind it.

use engine::{Phase, Pricing};
use lower::{Lowered, Prices};
use profile::CollectiveKind;
use task::{Fragment, LaneSetup, Lanes, Program};
use units::{Bytes, ClassId, GroupId, LaneId};

/// Programs and lanes of jobs in a row.
#[derive(Clone, Debug, Default)]
pub(crate) struct Together {
    pub(crate) programs: Vec<Program>,
    pub(crate) lists: Vec<Vec<Fragment>>,
    pub(crate) lanes: Lanes,
    /// Where the prices of each job begin.
    first_price: Vec<u32>,
}

impl Together {
    pub(crate) fn new(jobs: &[Lowered]) -> Self {
        let mut together = Self::default();
        for (index, job) in jobs.iter().enumerate() {
            together.add(index, job);
        }
        together
    }

    /// The lanes of jobs in a row.
    pub(crate) fn lanes_of(jobs: &[Lowered]) -> Vec<LaneSetup> {
        match jobs {
            [only] => only.binding.lanes.lanes.clone(),
            jobs => Self::new(jobs).lanes.lanes,
        }
    }

    fn add(&mut self, index: usize, job: &Lowered) {
        let lanes = &mut self.lanes;
        let programs = count(self.programs.len());
        let [groups, channels] = [lanes.groups.len(), lanes.channels.len()].map(count);
        let first = count(lanes.lanes.len());
        let prices = self.first_price.last().copied().unwrap_or(0);
        let class = lanes.lanes.iter().map(|lane| lane.class.get() + 1);
        let class = class.max().unwrap_or(0);
        let ranks: u32 = lanes.lanes.iter().map(|lane| count(lane.ranks.len())).sum();
        if index == 0 {
            self.first_price.push(0);
        }
        let own = &job.binding.lanes;
        let lane = |lane: &LaneId| LaneId::new(lane.get() + first);
        lanes
            .groups
            .extend(own.groups.iter().map(|group| task::Group {
                members: group.members.iter().map(lane).collect(),
                price: group.price + prices,
            }));
        lanes
            .channels
            .extend(own.channels.iter().map(|channel| task::Channel {
                from: lane(&channel.from),
                to: lane(&channel.to),
                ..*channel
            }));
        lanes.lanes.extend(own.lanes.iter().map(|lane| {
            let mut moved = lane.clone();
            moved.class = ClassId::new(lane.class.get() + class);
            moved.program += programs;
            for group in &mut moved.groups {
                *group = GroupId::new(group.get() + groups);
            }
            for channel in &mut moved.channels {
                *channel += channels;
            }
            // Ranks of other jobs count on, so that no two lanes share a random stream.
            for rank in &mut moved.ranks {
                *rank += ranks;
            }
            if 0 < index {
                moved.name = format!("job {index}: {}", lane.name);
            }
            moved
        }));
        self.programs.extend(job.programs.iter().cloned());
        self.lists.extend(job.lists.iter().cloned());
        self.first_price
            .push(prices + count(job.binding.prices.len()));
    }
}

/// Prices of jobs in a row.
pub(crate) struct JointPrices<'a> {
    pub(crate) of: Vec<Prices<'a>>,
    pub(crate) together: &'a Together,
}

impl Pricing for JointPrices<'_> {
    fn phases(&self, price: u32, kind: CollectiveKind, bytes: Bytes) -> Vec<Phase> {
        let first = &self.together.first_price;
        let job = first.partition_point(|first| *first <= price) - 1;
        self.of[job].phases(price - first[job], kind, bytes)
    }
}

fn count(n: usize) -> u32 {
    u32::try_from(n).expect("no run has 2³² lanes")
}
