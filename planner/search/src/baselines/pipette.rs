//! Pipette: the fastest plan of a latency model that pays links once a round trip, of those that fit.
//!
//! Source: Yim et al., DATE 2024, arXiv 2405.18093, and its artifact (`yimjinkyu1/date2024_pipette`,
//! `strategy/merge4`). Its memory estimator, a perceptron trained on peaks of its own cluster, is not
//! published as numbers that could be used here: our memory model stands in for it, with our margin.
//! Its annealer of servers is left out: ranks stay in the order of the framework.

use crate::baselines::profiled::Profiled;

/// Seconds of an iteration, by the "hidden critical path" of memory-efficient 1F1B.
///
/// ```text
/// T = (n/pp) (pp C + T_pp) + (pp - 1) C + T_dp
/// ```
///
/// The first stage waits for a round trip once every `pp` of `n` micro-batches. With fewer
/// micro-batches than stages there is one round trip, and `(n - 1) C` behind it, as in the artifact.
/// `C` are the passes of the slowest stage.
pub fn iteration_time(plan: &Profiled) -> f64 {
    let passes = plan.passes.iter().copied().fold(0.0, f64::max);
    let stages = plan.passes.len().max(1) as f64;
    let micro_batches = f64::from(plan.micro_batches.max(1));
    let trips = (micro_batches / stages).max(1.0);
    let rest = micro_batches.min(stages) - 1.0;
    trips * (stages * passes + plan.messages) + rest * passes + data_parallel(plan)
}

/// Seconds in which the first stage's replicas sum gradients: twice inside each node, once between
/// nodes, each a ring at the pace of its slowest link (`get_cost_dp_split` of the artifact).
fn data_parallel(plan: &Profiled) -> f64 {
    let Some(ring) = plan.rings.first() else {
        return 0.0;
    };
    let inside = ring.all_reduce(ring.inside, ring.inside_rate);
    let across = ring.all_reduce(ring.across, ring.across_rate);
    2.0 * inside + across
}
