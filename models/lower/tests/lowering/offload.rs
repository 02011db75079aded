//! What leaves the GPU: what is hidden, what it saves, what it costs.

use cluster::{Cluster, ClusterSpec, StorageSpec};
use plan::{Offload, OffloadTarget, PlanSpec, RecomputeSpec, ScheduleKind, ShardLevel};
use task::Work;
use trace::{Category, MemoryKind};
use units::{Bytes, BytesPerSec};

use crate::fixtures::{Case, highest, job, nodes, pipeline};

const NOTHING: Offload = Offload::NONE;

fn activations(share: f64) -> Offload {
    Offload {
        activations: share,
        ..NOTHING
    }
}

/// Eight GPUs with a host link of that many 10⁹ bytes a second, and drives of that many.
fn hosts(link: f64, storage: Option<f64>) -> Cluster {
    let mut spec = nodes(1);
    let rate = |gbytes: f64| BytesPerSec::from_gbytes(gbytes).expect("positive");
    for group in &mut spec.groups {
        group.node.host.gpu_link = rate(link);
        group.node.storage = storage.map(rate).map(|both| StorageSpec {
            read: both,
            write: both,
            capacity: None,
        });
    }
    Cluster::build(&spec).expect("a sound cluster")
}

/// A link that keeps up with the layers of these tests.
const FAST: f64 = 1_000.0;

/// One micro-batch of a replica on each of eight GPUs.
fn replica(offload: Offload, link: f64) -> Case {
    let spec = PlanSpec {
        micro_batch: Some(1),
        offload: Some(offload),
        ..PlanSpec::default()
    };
    Case::new(job(8, 8), hosts(link, None), &spec)
}

/// Seconds of the kernels of every piece in a block.
fn kernels(case: &Case, block: &str) -> Vec<f64> {
    let lowered = case.lowered();
    let mut blocks = lowered.programs[0].blocks.iter();
    let block = blocks
        .find(|known| known.name == block)
        .expect("it is there");
    let seconds = block.steps.iter().filter_map(|step| match step.work {
        Work::Compute(time) => Some(time.as_secs()),
        _ => None,
    });
    seconds.collect()
}

/// Bytes that one layer keeps.
fn kept(case: &Case) -> f64 {
    let lowered = case.lowered();
    let steps = lowered.programs[0]
        .blocks
        .iter()
        .flat_map(|block| &block.steps);
    let effects = steps
        .filter(|step| step.name == "layer")
        .flat_map(|step| &step.memory);
    let kept = effects.filter(|effect| effect.kind == MemoryKind::Activations);
    kept.map(|effect| effect.bytes.as_f64()).fold(0.0, f64::max)
}

/// Whether, over every prefix of the layers, copies of `copy` seconds each come before they are
/// needed: writes follow their layer, all reads follow all writes, a read follows the end of the
/// layer before the last one.
fn keeps_up(forward: &[f64], backward: &[f64], copy: f64) -> bool {
    // The embedding comes first, the head last; the last layer stays.
    let leaving = forward.len() - 3;
    let (mut now, mut done) = (forward[0], 0.0_f64);
    for seconds in &forward[1..=leaving] {
        now += seconds;
        done = done.max(now) + copy;
    }
    now = forward.iter().sum();
    let mut ends = vec![now];
    for seconds in backward {
        now += seconds;
        ends.push(now);
    }
    // Behind the head and the last layer.
    (2..2 + leaving).all(|place| {
        done = done.max(ends[place - 1]) + copy;
        done <= ends[place]
    })
}

#[test]
fn copies_are_hidden_iff_they_keep_up_with_every_prefix_of_layers() {
    let plain = replica(NOTHING, FAST);
    let (bytes, time) = (kept(&plain), plain.seconds());
    let (forward, backward) = (kernels(&plain, "forward"), kernels(&plain, "backward"));
    let mut seen = [false; 2];
    for percent in [20, 40, 60, 70, 80, 85, 90, 95, 98, 102, 110, 150, 300] {
        let copy = forward[1] / f64::from(percent) * 100.0;
        let hidden = keeps_up(&forward, &backward, copy);
        let slower = replica(activations(1.0), bytes / copy / 1e9).seconds() / time - 1.0;
        assert_eq!(
            slower < 1e-6,
            hidden,
            "{percent} % of a layer a layer: {slower}"
        );
        seen[usize::from(hidden)] = true;
    }
    assert_eq!(seen, [true; 2]);
}

#[test]
fn slower_links_never_help() {
    let times = [16.0, 8.0, 4.0, 2.0].map(|link| replica(activations(1.0), link).seconds());
    assert!(times.is_sorted());
    // At the slowest, copies both ways are all there is.
    let copies = 7.0 * 2.0 * kept(&replica(NOTHING, FAST)) / 2e9;
    assert!(copies < times[3] && times[3] < 1.1 * copies);
}

#[test]
fn activations_leave_behind_the_forward_pass_and_return_ahead_of_the_backward_pass() {
    let most = |offload| highest(&replica(offload, FAST), MemoryKind::Activations).as_f64();
    let all = most(NOTHING);
    let half = most(activations(0.5)) / all;
    assert!((0.5..0.7).contains(&half), "{half}");
    // The last layer, the one that is computed and the one that is on its way.
    let whole = most(activations(1.0)) / all;
    assert!(whole <= 3.0 / 8.0 + 0.02, "{whole}");
}

#[test]
fn pipelines_keep_the_activations_of_few_layers() {
    let most = |share: f64| {
        let spec = PlanSpec {
            offload: Some(activations(share)),
            recompute: Some(RecomputeSpec::None),
            ..pipeline(4, ScheduleKind::OneFOneB)
        };
        let case = Case::new(job(16, 32), hosts(FAST, None), &spec);
        (
            highest(&case, MemoryKind::Activations).as_f64(),
            case.seconds(),
        )
    };
    let ((all, plain), (few, time)) = (most(0.0), most(1.0));
    assert!(few < 0.35 * all, "{few} of {all}");
    assert!(time < 1.02 * plain, "{time} against {plain}");
}

#[test]
fn drives_are_shared_by_the_gpus_of_a_node() {
    let to = |target, storage| {
        let spec = PlanSpec {
            micro_batch: Some(1),
            offload: Some(Offload {
                target,
                ..activations(1.0)
            }),
            ..PlanSpec::default()
        };
        Case::new(job(8, 8), hosts(32.0, storage), &spec)
    };
    let host = to(OffloadTarget::Host, None).seconds();
    let fast = to(OffloadTarget::Ssd, Some(8.0 * 32.0)).seconds();
    let slow = to(OffloadTarget::Ssd, Some(32.0)).seconds();
    assert!((fast / host - 1.0).abs() < 1e-9);
    assert!(2.0 * host < slow);
    let unknown = to(OffloadTarget::Ssd, None).lowered();
    assert!(
        unknown
            .notes
            .iter()
            .any(|note| note.field == "offload.target")
    );
}

#[test]
fn drives_that_write_slowly_delay_what_leaves_alone() {
    let to = |write: f64, read: f64| {
        let mut spec = nodes(1);
        let rate = |gbytes: f64| BytesPerSec::from_gbytes(gbytes).expect("positive");
        spec.groups[0].node.storage = Some(StorageSpec {
            read: rate(read),
            write: rate(write),
            capacity: None,
        });
        let offload = Offload {
            target: OffloadTarget::Ssd,
            optimizer: 1.0,
            ..NOTHING
        };
        on_node(&spec, offload).seconds()
    };
    let params = replica(NOTHING, FAST).lowered().params[0].dense as f64;
    // Eight GPUs share the drives: four bytes of gradients go down, two of parameters come up.
    let (even, slow_write, slow_read) = (to(80.0, 80.0), to(8.0, 80.0), to(80.0, 8.0));
    let copy = |bytes: f64, gbytes: f64| bytes * params / (gbytes / 8.0 * 1e9);
    let slower = |time: f64, bytes: f64| (time - even) / (copy(bytes, 8.0) - copy(bytes, 80.0));
    assert!((slower(slow_write, 4.0) - 1.0).abs() < 0.05);
    assert!((slower(slow_read, 2.0) - 1.0).abs() < 0.05);
}

/// Eight replicas on a node.
fn on_node(spec: &ClusterSpec, offload: Offload) -> Case {
    let plan = PlanSpec {
        micro_batch: Some(1),
        shard: Some(Vec::new()),
        offload: Some(offload),
        ..PlanSpec::default()
    };
    let cluster = Cluster::build(spec).expect("a sound cluster");
    Case::new(job(8, 8), cluster, &plan)
}

#[test]
fn what_leaves_must_find_room_in_its_node() {
    let with = |offload, memory: f64, drives: f64| {
        let mut spec = nodes(1);
        let rate = BytesPerSec::from_gbytes(10.0).expect("positive");
        spec.groups[0].node.host.memory = Some(Bytes::from_gib(memory));
        spec.groups[0].node.storage = Some(StorageSpec {
            read: rate,
            write: rate,
            capacity: Some(Bytes::from_gib(drives)),
        });
        on_node(&spec, offload).lowered()
    };
    let optimizer = |target| Offload {
        target,
        optimizer: 1.0,
        ..NOTHING
    };
    let (host, ssd) = (
        optimizer(OffloadTarget::Host),
        optimizer(OffloadTarget::Ssd),
    );
    let params = with(NOTHING, 1.0, 1.0).params[0].dense as f64;
    // Two moments and a copy of the parameters in four bytes each, on each of eight GPUs.
    let needed = 8.0 * 12.0 * params / f64::from(1 << 30);
    for (offload, memory, drives, fits) in [
        (NOTHING, 0.1, 0.1, true),
        (host, 1.01 * needed, 0.1, true),
        (host, 0.99 * needed, 1e3, false),
        (ssd, 0.1, 1.01 * needed, true),
        (ssd, 1e3, 0.99 * needed, false),
    ] {
        let lowered = with(offload, memory, drives);
        assert_eq!(lowered.outside_fits, fits, "{offload:?}: {memory} {drives}");
        let said = lowered.notes.iter().any(|note| note.field == "offload");
        assert_eq!(said, !fits);
    }
    let all = with(activations(1.0), 0.0001, 1.0);
    assert!(!all.outside_fits);
}

#[test]
fn the_hosts_optimizer_gets_gradients_and_gives_parameters() {
    let of = |share| {
        let offload = Offload {
            optimizer: share,
            ..NOTHING
        };
        let spec = PlanSpec {
            micro_batch: Some(1),
            shard: Some(ShardLevel::ZERO_1.to_vec()),
            offload: Some(offload),
            ..PlanSpec::default()
        };
        Case::new(job(8, 8), hosts(32.0, None), &spec)
    };
    let resident = |case: &Case| {
        let lanes = case.lowered().binding.lanes.lanes;
        lanes[0].resident[MemoryKind::Optimizer.index()]
    };
    assert_eq!(resident(&of(1.0)), 0);
    assert_eq!(resident(&of(0.5)), resident(&of(0.0)) / 2);
    let run = of(1.0).run();
    let lane = &run.lanes[0];
    let params = of(1.0).lowered().params[0].dense as f64 / 8.0;
    // Four bytes down and two up at 32 GB/s.
    let copied = lane.communication[Category::Offload.index()]
        .as_seconds()
        .as_secs();
    assert!(
        (copied / (6.0 * params / 32e9) - 1.0).abs() < 1e-3,
        "{copied}"
    );
    assert!(of(0.0).seconds() < of(0.5).seconds() && of(0.5).seconds() < of(1.0).seconds());
}

#[test]
fn absent_weights_come_before_each_pass_and_go_behind_it() {
    let of = |share| {
        let offload = Offload {
            weights: share,
            ..NOTHING
        };
        replica(offload, 64.0)
    };
    let case = of(1.0);
    let resident = case.lowered().binding.lanes.lanes[0].resident;
    assert_eq!(resident[MemoryKind::Weights.index()], 0);
    let layer = 2 * (16 * 2_048 * 2_048 + 2 * 2_048);
    let most = highest(&case, MemoryKind::Weights);
    assert_eq!(most, Bytes::new(2 * layer), "two layers at a time");
    assert!(of(0.0).seconds() < case.seconds());
}
