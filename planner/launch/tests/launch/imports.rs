//! Files that others wrote.

use launch::{Producer, import};
use proptest::prelude::*;

use crate::fixtures::scenario;

/// A script as people write them: variables, arrays, strings, a launcher.
const SCRIPT: &str = r#"#!/bin/bash
export CUDA_DEVICE_MAX_CONNECTIONS=1
GPUS_PER_NODE=8
NNODES=${NNODES:-4}
TP=4
PP=2
DISTRIBUTED_ARGS="--nproc_per_node $GPUS_PER_NODE --nnodes $NNODES --node_rank $NODE_RANK --master_addr $MASTER_ADDR"
GPT_ARGS=(
    --num-layers 32
    --hidden-size 4096
    --num-attention-heads 32   # as Llama
    --group-query-attention --num-query-groups 8
    --ffn-hidden-size 14336 --swiglu --normalization RMSNorm
    --position-embedding-type rope --untie-embeddings-and-output-weights --disable-bias-linear
    --seq-length 8192 --max-position-embeddings 8192
    --attention-dropout 0 --hidden-dropout 0
)
OPTIM="
    --micro-batch-size 1 \
    --global-batch-size $((GPUS_PER_NODE * 16)) \
    --lr 1e-4 --weight-decay 0.1 --bf16 --use-distributed-optimizer --overlap-grad-reduce
"
torchrun $DISTRIBUTED_ARGS pretrain_gpt.py "${GPT_ARGS[@]}" $OPTIM \
    --tensor-model-parallel-size $TP --pipeline-model-parallel-size ${PP} --sequence-parallel \
    --num-layers-per-virtual-pipeline-stage 4 --exit-interval 10 --vocab-size 128256
"#;

#[test]
fn a_script_with_variables_becomes_its_plan() {
    let read = import(Producer::Megatron, SCRIPT).unwrap();
    assert_eq!(read.ignored, ["--exit-interval", "--weight-decay"]);
    let own = scenario(&read.scenario);
    let degrees = own.plan.degrees();
    assert_eq!((degrees.tp, degrees.pp, degrees.dp), (4, 2, 4));
    assert_eq!(own.plan.chunks(), 4);
    assert_eq!((own.job.global_batch, own.job.seq_len), (128, 8192));
    assert_eq!(own.plan.shards().optimizer, 4);
    assert!(own.plan.overlap().grad_reduce && !own.plan.overlap().param_gather);
    assert_eq!(own.cluster.n_gpus(), 32);
}

#[test]
fn a_file_with_one_word_a_line_is_read() {
    let words =
        "--num-layers 4 --hidden-size 512 --num-attention-heads 8 --seq-length 1024 --swiglu";
    let read = import(Producer::Megatron, &words.replace(' ', "\n")).unwrap();
    assert!(read.scenario.contains("hidden = 512,"));
    assert_eq!(read.notes.len(), 4, "{:?}", read.notes);
}

#[test]
fn what_is_missing_or_unknown_is_said() {
    let error = import(Producer::Megatron, "--hidden-size 512").unwrap_err();
    assert_eq!(error.to_string(), "Megatron-LM: num-layers is missing");
    let error = import(Producer::Megatron, "--num-layers $LAYERS --hidden-size 5").unwrap_err();
    assert_eq!(
        error.to_string(),
        "Megatron-LM: --num-layers is \"$LAYERS\", but a number is needed"
    );
    let error = import(Producer::DeepSpeed, "{\"zero_optimisation\": {}}").unwrap_err();
    assert_eq!(
        error.to_string(),
        "DeepSpeed: `zero_optimisation` is not a key of a DeepSpeed file"
    );
    assert!(error.hint().unwrap().contains("would ignore it"));
}

#[test]
fn a_job_with_arguments_in_it_is_a_whole_scenario() {
    let job = SCRIPT.replace(
        "#!/bin/bash",
        "#!/bin/bash\n#SBATCH --nodes=2\n#SBATCH --gres=gpu:h100:8\n#SBATCH --time=1:00:00\n#SBATCH --constraint=fast",
    );
    let read = import(Producer::Slurm, &job).unwrap();
    let own = scenario(&read.scenario);
    assert_eq!((own.cluster.n_gpus(), own.plan.degrees().dp), (16, 2));
    assert!(
        read.ignored.contains(&"--constraint".to_owned()),
        "{:?}",
        read.ignored
    );
}

#[test]
fn torchtitans_own_toml_is_read() {
    let text = "[job]\ndescription = \"Llama 3 8B\"\n[model]\nname = \"llama3\"\nflavor = \"8B\"\n[training]\nlocal_batch_size = 1\nseq_len = 8192\n[parallelism]\ndata_parallel_shard_degree = 16\ntensor_parallel_degree = 2\n[activation_checkpoint]\nmode = \"selective\"\n";
    let read = import(Producer::Torchtitan, text).unwrap();
    assert_eq!(read.ignored, ["job.description"]);
    let own = scenario(&read.scenario);
    assert_eq!((own.plan.degrees().tp, own.plan.shards().weights), (2, 16));
}

proptest! {
    #[test]
    fn nothing_that_is_read_makes_an_import_panic(text in "(?s)[-a-z0-9 \"'$(){}=\n#{}:,\\[\\]]{0,120}") {
        for from in Producer::ALL {
            drop(import(from, &text));
        }
    }

    #[test]
    fn no_value_of_an_argument_makes_an_import_panic(
        value in "[-0-9a-z.,*+|()\\[\\]]{0,12}",
        at in 0_usize..40,
    ) {
        let mut words: Vec<&str> = SCRIPT.split(' ').collect();
        let at = at % words.len();
        words[at] = &value;
        for from in [Producer::Megatron, Producer::Slurm] {
            drop(import(from, &words.join(" ")));
        }
    }
}
