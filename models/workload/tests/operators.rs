//! The operators of every shipped model against its parameters and its operation counts.

use std::fs;
use std::path::Path;

use workload::{
    BlockOps, Convention, Fusion, Job, JobSpec, Model, Op, Overlap, Precision, Sharding, Stack,
    embedding_ops, encoder_end_ops, head_ops, layer_flops, layer_ops, mtp_ops,
};

/// Every shipped model, in a job of one sequence.
fn zoo() -> Vec<(String, Job)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios/models");
    let entries = fs::read_dir(folder).expect("the shipped models are there");
    let mut paths: Vec<_> = entries
        .map(|entry| entry.expect("the folder can be read").path())
        .filter(|path| path.extension().is_some_and(|end| end == "json"))
        .collect();
    paths.sort();
    let job = |path: &Path| {
        let text = fs::read_to_string(path).expect("the file can be read");
        let model = Model::from_config_json(&text).ok()?;
        let spec = JobSpec {
            precision: Precision::BF16,
            ..JobSpec::new(1, 2048)
        };
        let job = spec.check(model).expect("the job is sound");
        Some((path.display().to_string(), job))
    };
    paths.iter().filter_map(|path| job(path)).collect()
}

/// The operators of each distinct layer with the number of its occurrences.
fn blocks(job: &Job, shard: &Sharding) -> Vec<(BlockOps, u64)> {
    let (kinds, of) = job.model.layer_kinds();
    let count = |kind| of.iter().filter(|at| **at == kind).count() as u64;
    let layers = kinds.iter().enumerate();
    layers
        .map(|(kind, layer)| (layer_ops(job, layer, shard), count(kind)))
        .collect()
}

#[test]
fn every_shipped_model_is_owned_by_its_operators() {
    let zoo = zoo();
    assert!(90 < zoo.len());
    for (name, job) in &zoo {
        let shard = Sharding::single(2048);
        let layers = blocks(job, &shard);
        let mut sum: u64 = layers
            .iter()
            .map(|(block, n)| block.params.total() * n)
            .sum();
        sum += embedding_ops(job, &shard).params.total();
        sum += head_ops(job, &shard, true).params.total();
        if 0 < job.model.encoder_layers() && job.model.encoder_layers() < job.model.layers().len() {
            sum += encoder_end_ops(job, &shard).params.total();
        }
        assert_eq!(sum, job.model.params(), "{name}");
        for module in job.model.mtp() {
            let ops = mtp_ops(job, module, &shard, true);
            let all: u64 = job.model.mtp_params();
            assert_eq!(
                ops.params.total() * job.model.mtp().len() as u64,
                all,
                "{name}"
            );
        }
    }
}

#[test]
fn every_shipped_layer_emits_the_operations_that_are_counted() {
    for (name, job) in &zoo() {
        let shard = Sharding::single(2048);
        for layer in job.model.layer_kinds().0 {
            let block = layer_ops(job, &layer, &shard);
            let emitted = BlockOps::flops(&block.forward).as_f64();
            let counted = 2048.0 * layer_flops(&layer, 2048, None, Convention::Operators);
            let close = (emitted / counted - 1.0).abs() < 1e-9;
            assert!(
                close || layer.stack == Stack::Encoder,
                "{name}: {emitted} {counted}"
            );
        }
    }
}

#[test]
fn every_wait_of_every_shipped_model_names_an_earlier_launch() {
    for (name, job) in &zoo() {
        for shared_overlap in [false, true] {
            let mut shard = Sharding {
                tp: 4,
                sequence_parallel: true,
                cp: 2,
                ep: 8,
                fusion: Fusion::MODERN,
                ..Sharding::single(2048)
            };
            shard.experts.shared_overlap = shared_overlap;
            let mut all = blocks(job, &shard);
            all.push((embedding_ops(job, &shard), 1));
            all.push((head_ops(job, &shard, false), 1));
            all.extend(
                job.model
                    .mtp()
                    .iter()
                    .map(|m| (mtp_ops(job, m, &shard, false), 1)),
            );
            for (block, _) in &all {
                let joint: Vec<Op> = block.backward().copied().collect();
                for ops in [&block.forward, &joint] {
                    assert_eq!(dangling(ops), None, "{name}");
                }
            }
        }
    }
}

/// The first operator that waits for nothing.
fn dangling(ops: &[Op]) -> Option<&'static str> {
    let mut launched = Vec::new();
    for op in ops {
        if op.waits.is_some_and(|slot| !launched.contains(&slot)) {
            return Some(op.name);
        }
        if let Overlap::Async(slot) = op.overlap {
            launched.push(slot);
        }
    }
    None
}
