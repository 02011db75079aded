//! Rows that cannot be compared like with like.

use crate::Record;

/// Why a row stands apart, where it does.
pub fn set_apart(record: &Record) -> Option<&'static str> {
    let name = record.or_empty("test_case");
    let env = record.or_empty("env");
    let memory = record.number("mem_max_allocated_bytes").ok().flatten();
    let has = |part: &str| name.contains(part);
    if memory.is_none_or(|bytes| bytes <= 0.0) {
        Some("no memory was written")
    } else if has("grpo") {
        Some("reinforcement learning: an engine for inference shares the GPU")
    } else if has("offloading") || has("deepseek_proxy_fsdp") {
        Some("activations are offloaded module by module")
    } else if has("mimo") {
        Some("vision and language: most of the model is frozen, and images are encoded beside it")
    } else if has("flextron") {
        Some("elastic: a router samples a part of the model")
    } else if has("sm_gb200") && !env.contains("gb200") {
        Some("stale: the figure equals that of the case with tp 8")
    } else if has("multi_dist_optimizer_instances") && has("8experts") && env == "lts_dgx_a100" {
        Some("stale: the figure equals that of the case with one instance")
    } else {
        None
    }
}
