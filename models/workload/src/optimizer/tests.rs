//! State and traffic of optimizers against published figures.

#![expect(clippy::float_cmp, reason = "small whole numbers are exact")]

use super::*;

/// A trained linear weight.
fn linear(rows: u64, cols: u64, count: u64) -> Matrix {
    Matrix {
        rows,
        cols,
        count,
        role: MatrixRole::Linear,
        expert: false,
        trained: true,
    }
}

/// Hidden, feed-forward width and layers of a Llama with a vocabulary of 32,000, norms left
/// out.
fn llama(hidden: u64, ffn: u64, layers: u64) -> [Matrix; 3] {
    let edges = Matrix {
        role: MatrixRole::Values,
        ..linear(32_000, hidden, 2)
    };
    [
        linear(hidden, hidden, 4 * layers),
        linear(hidden, ffn, 3 * layers),
        edges,
    ]
}

fn values(matrices: &[Matrix]) -> f64 {
    matrices.iter().map(|m| m.values() as f64).sum()
}

fn states(optimizer: Optimizer, matrices: &[Matrix]) -> f64 {
    let dtype = optimizer.state_dtype().bytes();
    let all = matrices.iter().map(|m| optimizer.state_values(m));
    all.sum::<f64>() * dtype
}

const ADAM_BF16: Optimizer = Optimizer::Adam {
    moments: DType::Bf16,
    decoupled: false,
};

fn galore(rank: u64, moments: DType) -> Optimizer {
    Optimizer::Galore {
        rank,
        interval: 200,
        moments,
    }
}

#[test]
fn galore_saves_the_published_share_of_llama_7b() {
    let model = llama(4096, 11_008, 32);
    let dense = states(ADAM_BF16, &model);
    let saved = |moments| 1.0 - states(galore(1024, moments), &model) / dense;
    assert!((saved(DType::Bf16) - 0.651).abs() < 5e-4);
    assert!((saved(DType::Int8) - 0.826).abs() < 5e-4);
}

#[test]
fn galore_in_8_bits_with_updates_by_layer_fits_llama_7b_into_24_gb() {
    let model = llama(4096, 11_008, 32);
    let weights = 2.0 * values(&model);
    // The paper counts 2 GB of activations; the largest gradient is one feed-forward weight.
    let activations = 2e9;
    let largest = 2.0 * 4096.0 * 11_008.0;
    let dense = 2.0 * weights + states(ADAM_BF16, &model) + activations;
    let small = weights + states(galore(1024, DType::Int8), &model) + largest + activations;
    assert!((1.0 - small / dense - 0.637).abs() < 1e-3);
    assert!(small < 24e9);
}

#[test]
fn llama_1b_takes_the_derived_bytes_dense_projected_and_factored() {
    let model = llama(2048, 5461, 24);
    let dense = 2.0 * values(&model) + states(ADAM_BF16, &model);
    let projected = 2.0 * values(&model) + states(galore(512, DType::Bf16), &model);
    let factored_linear =
        24 * (4 * factored_values(2048, 2048, 512) + 3 * factored_values(2048, 5461, 512));
    let factored = 6.0 * (factored_linear + 2 * 32_000 * 2048) as f64;
    for (bytes, published) in [(dense, 8.03), (projected, 4.76), (factored, 3.66)] {
        assert!((bytes / 1e9 - published).abs() < 0.005, "{bytes}");
    }
}

#[test]
fn mixed_precision_adam_holds_18_bytes_and_less_when_distributed() {
    let resident = Optimizer::ADAMW.resident(Precision::BF16, DType::Fp32);
    assert_eq!(resident.per_param(1), 18.0);
    assert_eq!(resident.per_param(8), 6.0 + 12.0 / 8.0);
    let half_grads = Optimizer::ADAMW.resident(Precision::BF16, DType::Bf16);
    assert_eq!(half_grads.per_param(1), 16.0);
    let single = Optimizer::ADAMW.resident(Precision::FP32, DType::Fp32);
    assert_eq!(single.per_param(1), 16.0);
}

#[test]
fn an_adam_step_moves_30_bytes_a_parameter() {
    let step = Optimizer::ADAMW.step(&linear(64, 32, 1), Precision::BF16, DType::Fp32);
    assert_eq!(step.moved, Bytes::new(30 * 64 * 32));
    assert_eq!(step.flops, Flops::ZERO);
}

#[test]
fn frugal_keeps_adam_states_on_its_share_alone() {
    let frugal = Optimizer::Frugal { density: 0.25 };
    assert_eq!(frugal.state_values(&linear(100, 200, 1)), 0.5 * 20_000.0);
    let edge = Matrix {
        role: MatrixRole::Values,
        ..linear(100, 200, 1)
    };
    assert_eq!(frugal.state_values(&edge), 40_000.0);
}

#[test]
fn mkor_sends_vectors_where_kfac_sends_matrices() {
    let matrix = linear(1024, 4096, 1);
    let kfac = Optimizer::Kfac { interval: 1 }.step(&matrix, Precision::BF16, DType::Fp32);
    let mkor = Optimizer::Mkor.step(&matrix, Precision::BF16, DType::Fp32);
    assert_eq!(mkor.sent, Bytes::new(4 * (1024 + 4096)));
    assert_eq!(kfac.sent, Bytes::new(4 * (1024 * 1024 + 4096 * 4096)));
}

#[test]
fn muon_orthogonalizes_along_the_smaller_side() {
    let muon = Optimizer::Muon { steps: 5 };
    let (wide, _) = muon.matrix_work(&linear(2, 10, 1));
    let (tall, _) = muon.matrix_work(&linear(10, 2, 1));
    assert_eq!(wide, 5.0 * (4.0 * 4.0 * 10.0 + 2.0 * 8.0));
    assert_eq!(wide, tall);
}

#[test]
fn frozen_parameters_cost_an_optimizer_nothing() {
    let frozen = Matrix {
        trained: false,
        ..linear(8, 8, 1)
    };
    let step = Optimizer::ADAMW.step(&frozen, Precision::BF16, DType::Fp32);
    assert_eq!(step, StepCost::default());
}
