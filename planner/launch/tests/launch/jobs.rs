//! Jobs for sbatch as people write them, and as we do: with the scripts that they start.

use launch::{Bundle, Consumer, Imported, Producer, import, import_beside};
use proptest::prelude::*;

use crate::fixtures::{exported, llama, scenario, text};

/// A job of ours with the files beside it.
fn whole(bundle: &Bundle) -> Imported {
    let beside = |name: &str| {
        let file = bundle.files.iter().find(|file| file.name == name)?;
        Some(file.text.clone())
    };
    import_beside(Producer::Slurm, text(bundle, "job.sbatch"), &beside).unwrap()
}

#[test]
fn a_job_of_ours_comes_back_with_the_scripts_beside_it() {
    let reversed: Vec<String> = (0..2_u32)
        .rev()
        .flat_map(|node| (0..8).map(move |gpu| (node * 8 + gpu).to_string()))
        .collect();
    for plan in [
        "tp = 2\npp = 2\nvp = 2\nrecompute = \"full\"".to_owned(),
        format!("tp = 4\nrank_gpus = [{}]", reversed.join(", ")),
    ] {
        let own = llama(2, &plan);
        let bundle = exported(&own, Consumer::Slurm);
        let read = whole(&bundle);
        assert!(read.ignored.is_empty(), "{:?}", read.ignored);
        let other = scenario(&read.scenario);
        assert_eq!(other.plan, own.plan, "{plan}");
        assert_eq!(other.job.model.layers(), own.job.model.layers());
        let said = |note: &String| note == "read besides the job: env.sh, rank.sh, train.sh";
        assert!(read.notes.iter().any(said), "{:?}", read.notes);
    }
}

#[test]
fn jobs_of_other_frameworks_come_back_too() {
    for framework in ["torchtitan", "megatron-deepspeed"] {
        let own = scenario(&format!(
            "schema = 1\n[model]\nconfig = \"llama3-8b\"\n[cluster]\nname = \"dgx-h100\"\n\
             nodes = 2\n[training]\nglobal_batch = 256\nseq_len = 4096\n[framework]\n\
             name = \"{framework}\"\n[plan]\nmicro_batch = 2\nshard = \"zero-3\"\n\
             recompute = \"full\"\n"
        ));
        let read = whole(&exported(&own, Consumer::Slurm));
        let other = scenario(&read.scenario);
        assert_eq!(other.framework.name, own.framework.name);
        assert_eq!(other.plan.degrees().dp, 16, "{framework}");
        assert_eq!(other.plan.shards(), own.plan.shards(), "{framework}");
        assert_eq!(other.plan.n_micro_batches(), own.plan.n_micro_batches());
        assert_eq!(other.plan.recompute_policy(), own.plan.recompute_policy());
    }
}

/// A launcher inside a text of a shell, with Slurm's variables.
const NESTED: &str = r#"#!/bin/bash
#SBATCH -N 4 -J llama --exclusive
#SBATCH --gres=gpu:8
#SBATCH --ntasks-per-node=1
#SBATCH -t 10:00:00
export MASTER_ADDR=$(scontrol show hostnames $SLURM_JOB_NODELIST | head -n 1)
TP=4; PP=2
GBS=$((SLURM_NNODES * SLURM_GPUS_ON_NODE * 4))
srun --container-image=some/image bash -c "
 torchrun --nnodes $SLURM_NNODES --nproc_per_node 8 --rdzv_endpoint \$MASTER_ADDR:29500 pretrain_gpt.py \
  --num-layers 32 --hidden-size 4096 --num-attention-heads 32 --seq-length 4096 --bf16 \
  --micro-batch-size 1 --global-batch-size $GBS --tensor-model-parallel-size $TP \
  --pipeline-model-parallel-size $PP --use-distributed-optimizer --vocab-size 50257 --frobnicate 3 "
"#;

#[test]
fn a_launcher_in_a_text_is_read_with_the_variables_of_a_job() {
    let read = import(Producer::Slurm, NESTED).unwrap();
    assert_eq!(read.ignored, ["--container-image", "--frobnicate"]);
    let own = scenario(&read.scenario);
    let degrees = own.plan.degrees();
    assert_eq!((degrees.tp, degrees.pp, degrees.dp), (4, 2, 4));
    assert_eq!((own.job.global_batch, own.job.seq_len), (128, 4096));
    assert_eq!(own.plan.shards().optimizer, 4);
}

/// `DeepSpeed` with a configuration that the job writes.
const DEEPSPEED: &str = r#"#!/bin/bash
#SBATCH --nodes=2
#SBATCH --gpus-per-node=a100:4
cat <<EOT > ds.json
{"train_batch_size": 64, "train_micro_batch_size_per_gpu": 2, "bf16": {"enabled": true},
 "zero_optimization": {"stage": 2, "offload_optimizer": {"device": "cpu"}}, "gradient_clipping": 1}
EOT
OPTS="--num-layers 24 --hidden-size 2048 --num-attention-heads 16 --num-key-value-heads 4 --seq-length 2048"
deepspeed --num_nodes 2 --num_gpus 4 --hostfile hosts pretrain_gpt.py $OPTS --micro-batch-size 2 \
    --global-batch-size 64 --zero-stage 2 --deepspeed --deepspeed_config ds.json \
    --checkpoint-activations --bf16 --no-pipeline-parallel --normalization rmsnorm
"#;

#[test]
fn arguments_of_megatron_deepspeed_are_read_with_their_configuration() {
    let read = import(Producer::Slurm, DEEPSPEED).unwrap();
    assert_eq!(read.ignored, ["gradient_clipping"]);
    let own = scenario(&read.scenario);
    assert_eq!((own.plan.degrees().dp, own.plan.micro_batch()), (8, 2));
    let shards = own.plan.shards();
    assert_eq!(
        (shards.weights, shards.gradients, shards.optimizer),
        (1, 8, 8)
    );
    assert_eq!(own.plan.offload().optimizer.to_bits(), 1.0_f64.to_bits());
    assert_eq!(own.framework.name, "megatron-deepspeed");
    // Without the file, the arguments say the sharding alone.
    let without = DEEPSPEED
        .replace("cat <<EOT > ds.json", "cat <<EOT > x")
        .replace('{', "x");
    let read = import(Producer::Slurm, &without).unwrap();
    assert!(
        read.notes
            .iter()
            .any(|note| note.starts_with("ds_config.json is not at hand"))
    );
    assert_eq!(scenario(&read.scenario).plan.shards().gradients, 8);
}

#[test]
fn ulysses_is_context_parallelism_by_all_to_all() {
    let job = DEEPSPEED
        .replace(
            "--zero-stage 2",
            "--zero-stage 3 --ds-sequence-parallel-size 4",
        )
        .replace("ds.json", "elsewhere.json")
        .replace("{\"train", "x{\"train");
    let own = scenario(&import(Producer::Slurm, &job).unwrap().scenario);
    assert_eq!((own.plan.degrees().cp, own.plan.degrees().dp), (4, 2));
    assert_eq!(own.plan.cp_method(), workload::CpMethod::AllToAll);
    assert_eq!(own.plan.shards().weights, 8);
}

/// torchtitan, whose recomputation is a subcommand.
const TITAN: &str = "#!/bin/bash\n#SBATCH --nodes=4\n#SBATCH --ntasks=4\n#SBATCH --gpus-per-task=8\n\
    srun torchrun --nnodes 4 --nproc_per_node 8 -m torchtitan.train --module llama3 \
    --config llama3_8b --training.seq_len 8192 --parallelism.tensor_parallel_degree 2 \
    --metrics.log_freq 10 activation-checkpoint:full\n";

#[test]
fn flags_of_torchtitan_are_read_to_their_subcommand() {
    let read = import(Producer::Slurm, TITAN).unwrap();
    assert_eq!(read.ignored, ["metrics.log-freq"]);
    let own = scenario(&read.scenario);
    assert_eq!((own.plan.degrees().tp, own.plan.degrees().dp), (2, 16));
    let full = plan::RecomputePolicy::Uniform(workload::Recompute::Full);
    assert_eq!(*own.plan.recompute_policy(), full);
}

#[test]
fn a_script_that_the_job_writes_is_read() {
    let job = "#!/bin/bash\n#SBATCH --nodes=1\n#SBATCH --gpus-per-node=8\ncat >run.sh <<'EOF'\n\
        python pretrain_gpt.py --num-layers 4 --hidden-size 512 --num-attention-heads 8 \
        --seq-length 1024 --global-batch-size 16\nEOF\nsrun bash run.sh\n";
    let own = scenario(&import(Producer::Slurm, job).unwrap().scenario);
    assert_eq!((own.plan.degrees().dp, own.job.global_batch), (8, 16));
}

#[test]
fn a_job_that_starts_itself_is_read_once() {
    let beside = |_: &str| Some("srun ./a.sh ./b.sh\n".to_owned());
    let read = import_beside(Producer::Slurm, "#!/bin/bash\nsrun ./a.sh\n", &beside).unwrap();
    assert!(
        read.notes
            .iter()
            .any(|note| note == "read besides the job: a.sh, b.sh")
    );
}

proptest! {
    #[test]
    fn no_job_makes_an_import_panic(
        text in "(?s)(#SBATCH -[Nn] ?[0-9]{0,12}\n)?[-a-z0-9 \"'$(){}=\n#:,./]{0,120}",
        other in "(?s)[-a-z0-9 \"'$(){}=\n#:,./]{0,80}",
    ) {
        let beside = |_: &str| Some(other.clone());
        drop(import_beside(Producer::Slurm, &text, &beside));
    }
}
