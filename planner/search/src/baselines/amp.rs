//! AMP: the fastest plan of a latency model without memory.
//!
//! Source: Li, Wang, Xing and Zhang, Advances in Neural Information Processing Systems 35, 2022, arXiv
//! 2210.07297, and its artifact (`DachengLi1/AMP`, `src/pipe.py` and `src/cost_homo.py`). Messages are
//! counted forward and back, as Pipette (arXiv 2405.18093) states the model.

use crate::baselines::profiled::Profiled;

/// Seconds of an iteration.
///
/// ```text
/// T = (n - 1) max C_i + sum C_i + T_pp + max over stages 2 (d - 1)/d * M_dp / B
/// ```
///
/// with `n` micro-batches, `C_i` the passes of a micro-batch on stage `i`, and `B` the slowest link of
/// the data-parallel ring over `d` ranks. With equal stages the first two terms are
/// `(n - 1) C + pp C`. Each link is paid once, as if 1F1B hid all its messages but the first.
pub fn iteration_time(plan: &Profiled) -> f64 {
    let longest = plan.passes.iter().copied().fold(0.0, f64::max);
    let once: f64 = plan.passes.iter().sum();
    let others = f64::from(plan.micro_batches.max(1) - 1);
    let sums = plan.rings.iter().map(|ring| {
        let rate = ring.inside_rate.min(ring.across_rate);
        ring.all_reduce(ring.inside * ring.across, rate)
    });
    others * longest + once + plan.messages + sums.fold(0.0, f64::max)
}
