//! Scenarios with nominal profiles, NCCL's tables and a neutral framework.

use cluster::Cluster;
use plan::{Plan, PlanSpec};
use predict::{Prices, Scenario, Settings};
use profile::{CommProfile, Profile};
use workload::{Job, JobSpec, Model};

/// A model's `config.json` with a batch of so many sequences of so many tokens.
pub(crate) fn job(config: &str, batch: u64, seq_len: u64) -> Job {
    let model = Model::from_config_json(config).expect("a known model");
    let job = JobSpec::new(batch, seq_len).check(model);
    job.expect("a plain job")
}

/// A job on a cluster; none where the plan does not fit it.
pub(crate) fn scenario(cluster: Cluster, job: Job, spec: &PlanSpec) -> Option<Scenario> {
    let plan = Plan::check(spec, &job, &cluster).ok()?.plan;
    Some(Scenario {
        name: cluster.name().to_owned(),
        profiles: cluster.kinds().iter().map(Profile::nominal).collect(),
        cluster,
        job,
        plan,
        comm: CommProfile::nccl(),
        framework: std::sync::Arc::new(lower::NEUTRAL),
        settings: Settings {
            seed: 1,
            ..Settings::default()
        },
        prices: Prices::default(),
        assumptions: Vec::new(),
        beside: Vec::new(),
    })
}
