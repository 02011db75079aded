//! What runs beside a job, and which fields of the network have an effect.

#![expect(
    clippy::unwrap_used,
    reason = "a scenario that cannot be read fails the test"
)]

use std::path::Path;
use std::sync::Arc;

use format::tree::parse;
use format::{Failure, Files, Library, Problem, Resolved, Source, read_whole_scenario, resolve};
use predict::{Beside, Engine};
use traffic::Policy;
use units::{GpuId, RankId};

/// The scenario of another job.
struct Other(String);

impl Files for Other {
    fn read(&self, path: &Path, _: u64) -> Result<Arc<Source>, Problem> {
        let name = path.to_string_lossy().into_owned();
        Ok(Source::new(name, self.0.as_str()))
    }
}

/// A job on some of 32 GPUs.
fn job(dp: u32, more: &str) -> String {
    format!(
        "schema = 1\n[model]\nconfig = \"llama3-8b\"\nlayers = 4\n\
        [cluster]\nname = \"dgx-h100\"\nnodes = 4\n\
        [training]\nglobal_batch = 16\nseq_len = 2048\nprecision = \"bf16\"\n\
        [plan]\ntp = 8\ndp = {dp}\n{more}"
    )
}

fn resolved(text: &str) -> Result<Resolved, Vec<Failure>> {
    let document = parse(&Source::new("scenario.toml", text))?;
    let library = Library {
        files: &Other(job(2, "")),
        base: Path::new(""),
    };
    let spec = read_whole_scenario(&document, &library)?;
    resolve("first", &spec, &document, &library)
}

fn refusal(text: &str) -> String {
    let failures = resolved(text).unwrap_err();
    failures[0].problem.to_string()
}

#[test]
fn another_job_stands_on_gpus_of_its_own() {
    let beside = "[[background]]\nscenario = \"other.toml\"\nfirst_gpu = 16\n";
    let scenario = resolved(&job(2, beside)).unwrap().scenario;
    let [Beside::Job(other)] = scenario.beside.as_slice() else {
        panic!("one job: {:?}", scenario.beside.len());
    };
    assert_eq!(other.name, "other");
    assert_eq!(other.plan.gpu_of(RankId::new(0)), GpuId::new(16));
    assert_eq!(other.cluster.n_gpus(), 32);
    assert_eq!(scenario.job_name(1), "other");
}

#[test]
fn jobs_that_overlap_or_reach_past_the_cluster_are_refused() {
    let beside =
        |first| format!("[[background]]\nscenario = \"other.toml\"\nfirst_gpu = {first}\n");
    let overlap = refusal(&job(2, &beside(8)));
    assert_eq!(overlap, "GPU n1g0 belongs to two jobs");
    let past = refusal(&job(2, &beside(24)));
    assert_eq!(
        past,
        "16 ranks from GPU 24 on do not fit the cluster's 32 GPUs"
    );
}

#[test]
fn a_collective_names_nodes_gpus_and_ranges() {
    let beside = "[[background]]\ncollective = \"alltoall\"\nbytes = \"1 MiB\"\n\
                  ends = [\"n2\", \"n3g0-n3g2\", \"n0g5\"]\nevery = \"5 ms\"\n";
    let scenario = resolved(&job(2, beside)).unwrap().scenario;
    let [Beside::Collective(of)] = scenario.beside.as_slice() else {
        panic!("one collective");
    };
    let gpus: Vec<u32> = of.gpus.iter().map(|gpu| gpu.get()).collect();
    assert_eq!(gpus, [5, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26]);
    assert!((of.every.as_millis() - 5.0).abs() < 1e-12);
}

#[test]
fn a_collective_that_cannot_be_is_refused() {
    let with = |rest: &str| refusal(&job(2, &format!("[[background]]\n{rest}")));
    let sized = "bytes = \"1 MiB\"\n";
    assert_eq!(
        with(&format!("collective = \"sum\"\n{sized}")),
        "there is no collective `sum`"
    );
    assert_eq!(
        with(&format!("collective = \"ring\"\n{sized}ends = [\"n4\"]\n")),
        "`n4` is no node, GPU or range of the cluster"
    );
    let few = "a collective needs two GPUs and a byte at least";
    assert_eq!(
        with(&format!(
            "collective = \"ring\"\n{sized}ends = [\"n0g0\"]\n"
        )),
        few
    );
    assert_eq!(with("collective = \"ring\"\nbytes = 0\n"), few);
}

#[test]
fn warnings_name_the_fields_that_an_engine_does_not_look_at() {
    let with = |engine: &str| {
        let more = format!(
            "[network]\nload_balancing = \"spray\"\ntransport = \"uec\"\nbuffer = \"1 MB\"\n\
            [nccl]\nqps = 2\n[settings]\nengine = \"{engine}\"\n"
        );
        let resolved = resolved(&job(4, &more)).unwrap();
        let words = resolved.warnings.iter().map(|warning| {
            let field = warning.split('`').nth(1);
            field.unwrap_or_default().to_owned()
        });
        (words.collect::<Vec<_>>(), resolved.scenario.settings)
    };
    let (idle, settings) = with("packet");
    assert_eq!(idle, ["nccl.qps"]);
    assert_eq!(settings.engine, Engine::Packet);
    assert_eq!(settings.fabric.packets.transport.name(), "uec");
    assert_eq!(settings.fabric.packets.balancing.name(), "spray");
    let (idle, settings) = with("flow");
    assert_eq!(idle, ["network.transport", "network.buffer", "nccl.qps"]);
    assert_eq!(settings.fabric.policy, Policy::Spray);
    let (idle, _) = with("analytic");
    assert_eq!(idle[0], "network.load_balancing");
    assert_eq!(idle.len(), 4);
}
