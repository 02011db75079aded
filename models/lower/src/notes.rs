//! What lowering simplifies, for the list of assumptions.

use plan::{Assumption, OffloadTarget};

use crate::lowering::Inputs;

/// What of a plan is not simulated as it is asked for.
pub(crate) fn notes(inputs: &Inputs<'_>) -> Vec<Assumption> {
    let Inputs {
        cluster, job, plan, ..
    } = *inputs;
    let mut notes = Vec::new();
    let mut note = |field, value: &'static str, reason| {
        notes.push(Assumption {
            field,
            value: value.into(),
            reason,
        });
    };
    if plan.overlap().ep && 1 < plan.degrees().ep && !plan.pairs_passes() {
        note(
            "overlap.ep",
            "shared experts alone run beside all-to-alls",
            "passes of two micro-batches run at once with interleaved stages, without a pipeline, \
             and in the schedules dualpipe and dualpipev",
        );
    }
    let offload = plan.offload();
    let loads = 1 < plan.shards().weights || 0.0 < offload.weights || 0.0 < offload.activations;
    if plan.pairs_passes() && loads {
        note(
            if plan.overlap().ep {
                "overlap.ep"
            } else {
                "schedule"
            },
            "passes of a pair one after the other",
            "passes load sharded weights or what lies outside the GPU, and a pair would need the \
             loads of both at once",
        );
    }
    if 0.0 < offload.optimizer {
        note(
            "offload.optimizer",
            "204.8 GB/s of host memory a socket",
            "nodes name no memory bandwidth: eight channels of DDR4-3200 are taken",
        );
    }
    let leaves = [offload.activations, offload.weights, offload.optimizer];
    let gpus = plan.ranks().all().map(|rank| plan.gpu_of(rank));
    let mut homes = gpus.map(|gpu| cluster.node(cluster.node_of(gpu)));
    if offload.target == OffloadTarget::Ssd
        && leaves.iter().any(|share| 0.0 < *share)
        && homes.any(|node| node.storage.is_none())
    {
        note(
            "offload.target",
            "drives as fast as the host link",
            "the node names no rate of its drives",
        );
    }
    if plan.vocabulary().is_some() && !job.model.mtp().is_empty() {
        note(
            "schedule",
            "modules for further tokens on the last stage, with a whole table each",
            "a spread vocabulary is that of the model's own head",
        );
    }
    let mixed = plan
        .vocabulary()
        .is_some_and(|_| !crate::barrier::in_one_order(&plan.schedule()));
    if mixed {
        note(
            "schedule",
            "vocabulary passes in the order of the file",
            "devices order them differently, and barriers of one pipeline run in turn",
        );
    }
    notes
}
