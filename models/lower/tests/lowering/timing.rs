//! Time that no kernel explains: the host, messages that leave, casts of weights.

use lower::{PassKind, book, issued, lone_pass};
use plan::{OverlapSpec, PlanSpec, ScheduleKind, ShardLevel};
use task::Work;
use workload::{Fp8Recipe, Job, JobSpec, Precision};

use crate::fixtures::{Case, gpus, job, layer, model, pipeline};

/// Four layers of 128 tokens on one GPU, which the host issues more slowly than they run.
fn tiny(micro_batches: u64, graphs: bool) -> Case {
    let model = model(&layer(2_048), 4, 32_768, false);
    let job = JobSpec::new(micro_batches, 128)
        .check(model)
        .expect("a sound job");
    let spec = PlanSpec {
        micro_batch: Some(1),
        cuda_graphs: Some(graphs),
        ..PlanSpec::default()
    };
    Case::new(job, gpus(1), &spec)
}

/// What the host needs for one micro-batch, and the GPU.
fn host_and_gpu(case: &Case) -> (f64, f64) {
    let profile = &case.profiles[0];
    let book = book(&case.cluster, &case.job, &case.plan, &case.framework);
    let (mut host, mut gpu) = (profile.host().micro_batch.as_secs(), 0.0);
    for piece in book.pieces_of(0) {
        for (pass, counts) in [(PassKind::Forward, 1.0), (PassKind::Backward, 2.0)] {
            let lone = lone_pass(profile, &profile.host(), piece, pass);
            host += lone.host.as_secs() * counts;
            let steps = lone.block.steps.iter();
            gpu += steps.fold(0.0, |sum, step| match step.work {
                Work::Compute(time) => sum + time.as_secs(),
                _ => sum,
            });
        }
    }
    (host, gpu)
}

/// Seconds that a further micro-batch takes.
fn each(case: impl Fn(u64) -> Case) -> f64 {
    (case(12).seconds() - case(4).seconds()) / 8.0
}

#[test]
fn a_micro_batch_takes_the_longer_of_host_and_gpu() {
    let (host, gpu) = host_and_gpu(&tiny(1, false));
    assert!(gpu < host);
    let time = each(|n| tiny(n, false));
    // Where both take about as long, kernel by kernel now one waits and now the other.
    let both = issued(host, gpu);
    assert!((time / both - 1.0).abs() < 1e-6, "{time} against {both}");
    assert!((both / host - 1.0).abs() < 0.01, "{both} against {host}");
    let large = |n| Case::new(job(4, n), gpus(1), &tiny_spec());
    let (host, gpu) = host_and_gpu(&large(1));
    assert!(host < 0.7 * gpu);
    let time = each(large);
    assert!((time / gpu - 1.0).abs() < 1e-6, "{time} against {gpu}");
}

fn tiny_spec() -> PlanSpec {
    PlanSpec {
        micro_batch: Some(1),
        ..PlanSpec::default()
    }
}

#[test]
fn graphs_leave_the_host_what_a_micro_batch_costs_besides() {
    let case = tiny(1, true);
    let (_, gpu) = host_and_gpu(&case);
    let besides = case.profiles[0].host().micro_batch.as_secs();
    let time = each(|n| tiny(n, true));
    assert!(
        (time / gpu.max(besides) - 1.0).abs() < 0.05,
        "{time}, {gpu}, {besides}"
    );
    assert!(time < 0.8 * each(|n| tiny(n, false)));
}

/// Two stages under CUDA graphs, so that their hosts, which wait for sends too, do not matter.
fn two_stages(n: u64, beside: bool) -> Case {
    let spec = PlanSpec {
        cuda_graphs: Some(true),
        overlap: OverlapSpec {
            p2p: Some(beside),
            ..OverlapSpec::default()
        },
        ..pipeline(2, ScheduleKind::OneFOneB)
    };
    Case::new(job(8, n), gpus(2), &spec)
}

#[test]
fn without_overlap_a_send_holds_the_kernels_until_it_has_left() {
    let lowered = two_stages(8, false).lowered();
    let channel = lowered.binding.lanes.channels[0];
    // Hidden states of 4,096 tokens in two bytes.
    let rate = channel.price.rate.expect("it is there").as_f64();
    let leaves = f64::from(4_096 * 2_048 * 2) / rate;
    let plain = each(|n| two_stages(n, true));
    let held = each(|n| two_stages(n, false));
    assert!(
        (held - plain - leaves).abs() < 0.02 * leaves,
        "{held} {plain} {leaves}"
    );
    let overlapped = two_stages(8, true).lowered();
    let steps = overlapped
        .programs
        .iter()
        .flat_map(|program| &program.blocks);
    let sends = steps
        .flat_map(|block| &block.steps)
        .filter(|step| step.name == "send");
    assert!(sends.clone().count() > 0);
    assert!(
        sends
            .into_iter()
            .all(|step| matches!(step.work, Work::Send { .. }))
    );
}

fn eight_bits(layers: usize, batch: u64) -> Job {
    let model = model(&layer(2_048), layers, 32_768, false);
    let mut job = JobSpec::new(batch, 4_096);
    job.precision = Precision::BF16.with_recipe(Fp8Recipe::Tensorwise);
    job.check(model).expect("a sound job")
}

/// Steps of that name in an iteration of the first device.
fn count(case: &Case, name: &str) -> usize {
    let lowered = case.lowered();
    let fragments = lowered.lists[0].iter();
    let blocks = fragments.map(|fragment| &lowered.programs[0].blocks[fragment.block as usize]);
    let steps = blocks.flat_map(|block| &block.steps);
    steps.filter(|step| step.name == name).count()
}

#[test]
fn weights_are_cast_once_an_iteration_unless_they_go_in_between() {
    for (shard, times) in [(ShardLevel::ZERO_1, 1), (ShardLevel::ZERO_3, 5)] {
        let spec = PlanSpec {
            micro_batch: Some(1),
            shard: Some(shard.to_vec()),
            ..PlanSpec::default()
        };
        let case = Case::new(eight_bits(4, 8 * 5), gpus(8), &spec);
        assert_eq!(count(&case, "cast weights"), 4 * times, "{shard:?}");
    }
    let staged = |n| Case::new(eight_bits(8, n), gpus(4), &pipeline(4, ScheduleKind::ZbV));
    assert_eq!(count(&staged(8), "cast weights"), 2);
    assert_eq!(count(&staged(16), "cast weights"), 2);
}
