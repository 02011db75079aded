//! What a job refuses, and what it says.

use units::DType;
use workload::{JobError, JobSpec, Lora, LoraTargets, Model, Optimizer, Precision};

const CONFIG: &str = r#"{
    "model_type": "llama", "hidden_size": 256, "intermediate_size": 512, "num_hidden_layers": 2,
    "num_attention_heads": 4, "vocab_size": 1000, "rms_norm_eps": 1e-5, "hidden_act": "silu",
    "max_position_embeddings": 2048, "tie_word_embeddings": false
}"#;

/// Every error of a description.
fn errors(change: impl FnOnce(&mut JobSpec)) -> Vec<JobError> {
    let mut spec = JobSpec::new(8, 1024);
    change(&mut spec);
    let model = Model::from_config_json(CONFIG).expect("the fixture is a config");
    spec.check(model).err().unwrap_or_default()
}

#[test]
fn a_plain_job_is_sound() {
    assert_eq!(errors(|_| ()), vec![]);
}

#[test]
fn all_errors_are_reported_at_once_with_field_and_hint() {
    let found = errors(|spec| {
        spec.global_batch = 0;
        spec.dropout = f64::NAN;
        spec.packed = Some(4096);
        spec.precision = Precision {
            compute: DType::Fp8,
            ..Precision::BF16
        };
        spec.peft = Some(Lora {
            rank: 0,
            targets: LoraTargets::ALL,
        });
        spec.optimizer = Optimizer::Frugal { density: 1.5 };
    });
    let fields: Vec<_> = found.iter().map(JobError::field).collect();
    let expected = [
        "global_batch",
        "dropout",
        "packed",
        "precision",
        "peft.rank",
        "optimizer",
    ];
    assert_eq!(fields, expected);
    assert_eq!(
        found[2].to_string(),
        "packed sequences of 4096 tokens do not fit into sequences of 1024"
    );
    assert!(
        found[3]
            .hint()
            .is_some_and(|hint| hint.contains("fp8_recipe"))
    );
}

#[test]
fn tokens_say_how_many_iterations_a_run_has() {
    let mut spec = JobSpec::new(1536, 2048);
    spec.total_tokens = Some(300_000_000_000);
    let model = Model::from_config_json(CONFIG).expect("the fixture is a config");
    let job = spec.check(model).expect("the job is sound");
    assert_eq!(job.tokens(), 3_145_728);
    assert_eq!(job.iterations(), Some(95_368));
}
