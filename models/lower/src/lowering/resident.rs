//! Memory of a rank that the micro-batches do not change.

use plan::schedule::Schedule;
use plan::state::StateBytes;
use plan::{Assumption, Offload, Plan};
use profile::MemoryConstants;
use trace::MemoryKind;
use units::{Bytes, DType, RankId};
use workload::ops::ParamCount;
use workload::{Job, Resident};

use crate::framework::Framework;
use crate::hop::Hop;
use crate::outside;
use crate::step_buffers::pass_gradients;

use super::Inputs;
use super::devices::{Devices, Update};

/// Bytes a parameter of weights, gradients and states: optimizers that know matrices hold other
/// states for each, which are spread evenly here.
pub fn resident(job: &Job, state: Bytes, params: &ParamCount) -> Resident {
    let by_value = job.optimizer.resident(job.precision, job.grad_dtype);
    if params.trained() == 0 {
        return by_value;
    }
    let main = job.precision.main_params.map_or(0.0, DType::bytes);
    Resident {
        optimizer: main + state.as_f64() / params.trained() as f64,
        ..by_value
    }
}

/// What a rank has allocated besides tensors.
///
/// * `constants` — of its GPU.
/// * `params` — on the rank; products of experts may be grouped.
/// * `hop` — what crosses the borders of its stages.
pub fn beside_tensors(
    constants: &MemoryConstants,
    framework: &Framework,
    plan: &Plan,
    params: &ParamCount,
    hop: Hop,
) -> Bytes {
    let grouped = framework.fusion.grouped_gemm && 0 < params.expert;
    let border = match plan.degrees().pp {
        1 => Bytes::ZERO,
        _ => hop.gather.unwrap_or(hop.bytes),
    };
    constants.allocated(grouped, border)
}

impl Devices<'_> {
    /// What leaves the GPUs and finds no room in their nodes.
    pub(super) fn overflow(&self, schedule: &Schedule, updates: &[Update]) -> Option<Assumption> {
        let Inputs {
            cluster, job, plan, ..
        } = *self.inputs;
        if plan.offload() == Offload::NONE {
            return None;
        }
        let copies = self.site(plan.gpu_of(RankId::new(0))).copies;
        let leaving = |stage| {
            let pieces = self.book.pieces_of(stage);
            pieces.map(|piece| copies.leaving(piece)).sum()
        };
        let of_device = |(device, update): (usize, &Update)| {
            let state =
                StateBytes::of(&update.params, &resident(job, update.state, &update.params));
            let (whole, here) = (state.on_rank(plan).total(), state.on_gpu(plan).total());
            whole.saturating_sub(here) + outside::activations(schedule, device, leaving)
        };
        let on_rank: Vec<Bytes> = updates.iter().enumerate().map(of_device).collect();
        outside::overflow(cluster, plan, &on_rank)
    }

    /// Memory of a rank that the micro-batches do not change.
    pub(super) fn memory_of(&self, kind: usize, device: &Update) -> [u64; MemoryKind::ALL.len()] {
        let Inputs {
            job,
            plan,
            profiles,
            framework,
            ..
        } = *self.inputs;
        let state = StateBytes::of(&device.params, &resident(job, device.state, &device.params));
        let own = state.on_gpu(plan).parts();
        let mut resident = [0; MemoryKind::ALL.len()];
        resident[MemoryKind::Weights.index()] = own.weights.as_u64();
        let apart = pass_gradients(job, framework, &device.params);
        resident[MemoryKind::Gradients.index()] = (own.gradients + apart + device.dummies).as_u64();
        resident[MemoryKind::Optimizer.index()] = own.optimizer.as_u64();
        let constants = profiles[kind].memory();
        resident[MemoryKind::Workspace.index()] =
            beside_tensors(constants, framework, plan, &device.params, self.hop).as_u64();
        if self.data.gather_once {
            // Gradients stay whole until the last backward pass.
            let whole = state.parts().gradients;
            resident[MemoryKind::Communication.index()] = whole.as_u64();
        }
        resident
    }
}
