//! What an order of nodes has to weigh: what stages take, and what they send to each other.

use lower::{DataParallel, boundary, data_flows};
use plan::Plan;
use units::{Bytes, Seconds};
use workload::ops::ParamCount;

use crate::estimate::work::{Merged, Work};

/// What the stages of a plan take and send.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StageCosts {
    /// Time of the forward passes of one micro-batch, by pipeline device, over its chunks.
    pub forward: Vec<Seconds>,
    /// The same of backward passes.
    pub backward: Vec<Seconds>,
    /// What one rank sends to the next stage of one micro-batch; as much comes back.
    pub message: Bytes,
    /// What one rank sums over data-parallel ranks in an iteration, by pipeline device, outside
    /// routed experts: a ring of `q` ranks moves `2 (q − 1)/q` of it over each of its links.
    pub dense: Vec<Bytes>,
    /// The same of routed experts.
    pub expert: Vec<Bytes>,
}

impl Work<'_> {
    /// The costs of pipeline devices.
    pub(super) fn stage_costs(&self, merged: &Merged) -> StageCosts {
        let scenario = self.scenario;
        let (job, framework) = (&scenario.job, &scenario.framework);
        let (data, _) = data_flows(job, self.plan, framework);
        let width = width(self.plan, &data);
        let mut costs = StageCosts {
            message: boundary(job, self.plan, framework, &self.sharding).bytes,
            ..StageCosts::default()
        };
        for stages in &merged.chunks_of {
            let chunks = merged.chunks(stages);
            let sum = |of: &dyn Fn(usize) -> f64| (0..chunks.len()).map(of).sum();
            let mut params = ParamCount::default();
            for chunk in &chunks {
                params += chunk.params;
            }
            let forward = sum(&|at| chunks[at].forward.total);
            let backward = sum(&|at| chunks[at].backward.total);
            costs.forward.push(Seconds::from_secs(forward));
            costs.backward.push(Seconds::from_secs(backward));
            let bytes = |params: u64| Bytes::from_f64(params as f64 * width);
            costs.dense.push(bytes(params.dense_trained));
            costs.expert.push(bytes(params.expert_trained));
        }
        costs
    }
}

/// Bytes of a parameter that rings move, as halves of an all-reduce: a reduce-scatter of its
/// gradient and an all-gather of it, or of its weight. Shards of weights over some of the
/// data-parallel ranks are taken to be gathered beside them, without long ways.
fn width(plan: &Plan, data: &DataParallel) -> f64 {
    let shards = plan.shards();
    let over_all = shards.weights == plan.degrees().dense_data();
    let passes = f64::from(plan.n_micro_batches());
    let gathers = match (data.gather_each_pass && over_all, data.gather_once) {
        (true, false) if data.keep_after_forward => passes,
        (true, false) => 2.0 * passes,
        _ => 1.0,
    };
    let reduces = if data.reduce_each && over_all {
        passes
    } else {
        1.0
    };
    let back = if 1 < shards.optimizer && (over_all || shards.weights == 1) {
        gathers * data.param_bytes
    } else {
        data.grad_bytes
    };
    f64::midpoint(reduces * data.grad_bytes, back)
}
