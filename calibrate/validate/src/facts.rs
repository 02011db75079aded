//! What a row became, in numbers: by what reports sort errors.

use predict::Estimator;
use search::Method;

use crate::scenario::Chosen;

/// Size and spread of a scenario.
#[derive(Clone, Debug, PartialEq)]
pub struct Facts {
    /// Parameters of the model.
    pub params: u64,
    /// GPUs of the plan.
    pub gpus: u32,
    /// Tensor-parallel ranks.
    pub tp: u32,
    /// Pipeline stages.
    pub pp: u32,
    /// Context-parallel ranks.
    pub cp: u32,
    /// Expert-parallel ranks.
    pub ep: u32,
    /// Data-parallel ranks.
    pub dp: u32,
    /// Micro-batches of an iteration.
    pub micro_batches: u32,
    /// Tokens of an iteration.
    pub tokens: u64,
    /// Whether the model has routed experts.
    pub experts: bool,
    /// Predicted time of an iteration, in seconds.
    pub iteration_time_s: f64,
    /// The same by AMP's model, from our times of passes; none where nobody asked it.
    pub amp_time_s: Option<f64>,
    /// The same by Pipette's model.
    pub pipette_time_s: Option<f64>,
    /// Predicted memory in use over the device's, on the fullest GPU.
    pub fill: f64,
    /// The profile of the first kind of GPU.
    pub profile: String,
    /// The architecture of the first kind of GPU, such as Hopper.
    pub architecture: String,
}

impl Facts {
    /// The facts of a scenario and its prediction.
    pub(crate) fn of(chosen: &Chosen) -> Self {
        let (scenario, answer) = (&chosen.scenario, &chosen.outcome.prediction);
        let degrees = scenario.plan.degrees();
        let model = &scenario.job.model;
        let kinds = scenario.cluster.kinds();
        Self {
            params: model.params(),
            gpus: scenario.plan.n_ranks(),
            tp: degrees.tp,
            pp: degrees.pp,
            cp: degrees.cp,
            ep: degrees.ep,
            dp: degrees.dp,
            micro_batches: scenario.plan.n_micro_batches(),
            tokens: scenario.job.tokens(),
            experts: model.active_params() < model.params(),
            iteration_time_s: answer.iteration_time_s,
            amp_time_s: None,
            pipette_time_s: None,
            fill: answer.device_used_bytes.as_f64() / answer.device_memory_bytes.as_f64(),
            profile: scenario
                .profiles
                .first()
                .map(|profile| profile.name().to_owned())
                .unwrap_or_default(),
            architecture: kinds
                .first()
                .map(|gpu| gpu.architecture.clone())
                .unwrap_or_default(),
        }
    }
    /// The same with what other methods predict.
    pub(crate) fn with_others(self, chosen: &Chosen) -> Self {
        let scenario = &chosen.scenario;
        let mut estimator = Estimator::new(scenario);
        let mut by =
            |method: Method| method.iteration_time(&mut estimator, scenario, &scenario.plan);
        Self {
            amp_time_s: by(Method::Amp),
            pipette_time_s: by(Method::Pipette),
            ..self
        }
    }
}
