//! Claims about the formulas, on numbers that can be computed by hand.

use super::*;

/// A pipeline of equal stages: a forward pass of 1 s, a backward pass of 2 s, messages of so many
/// seconds a hop one way, no replicas.
fn pipeline(stages: usize, micro_batches: u32, hops: &[f64]) -> Profiled {
    let alone = Ring {
        bytes: 0.0,
        inside: 1,
        across: 1,
        inside_rate: f64::INFINITY,
        across_rate: f64::INFINITY,
    };
    Profiled {
        passes: vec![3.0; stages],
        micro_batches,
        messages: 2.0 * hops.iter().sum::<f64>(),
        rings: vec![alone; stages],
    }
}

fn close(found: f64, wanted: f64) {
    assert!(
        (found / wanted - 1.0).abs() < 1e-12,
        "{found}, not {wanted}"
    );
}

#[test]
fn without_messages_both_give_the_time_of_1f1b() {
    for (stages, n, wanted) in [(8, 64, 213.0), (8, 12, 57.0), (16, 24, 117.0)] {
        close(amp::iteration_time(&pipeline(stages, n, &[])), wanted);
        close(pipette::iteration_time(&pipeline(stages, n, &[])), wanted);
    }
}

#[test]
fn amp_pays_links_once_and_pipette_once_a_round_trip() {
    let plan = pipeline(8, 64, &[0.15; 7]);
    close(amp::iteration_time(&plan), 213.0 + 2.1);
    // 231.6 exactly: the round trips behind the last micro-batches are missing.
    close(pipette::iteration_time(&plan), 213.0 + 8.0 * 2.1);
}

#[test]
fn a_single_slow_link_is_too_cheap_in_both() {
    let plan = pipeline(8, 64, &[3.0]);
    close(amp::iteration_time(&plan), 219.0);
    // 405 exactly, where it is the last.
    close(pipette::iteration_time(&plan), 261.0);
}

#[test]
fn fewer_micro_batches_than_stages_make_one_round_trip() {
    close(
        pipette::iteration_time(&pipeline(8, 4, &[1.0])),
        24.0 + 2.0 + 9.0,
    );
}

#[test]
fn uneven_stages_cost_amp_the_slowest_once_a_micro_batch() {
    let plan = Profiled {
        passes: vec![3.0, 5.0],
        ..pipeline(2, 10, &[])
    };
    close(amp::iteration_time(&plan), 9.0 * 5.0 + 8.0);
    close(pipette::iteration_time(&plan), 5.0 * 10.0 + 5.0);
}

#[test]
fn gradients_are_summed_in_one_ring_or_by_level() {
    // 10 GB on 2 nodes of 4 GPUs, 100 GB/s inside and 10 GB/s between.
    let ring = Ring {
        bytes: 1e10,
        inside: 4,
        across: 2,
        inside_rate: 1e11,
        across_rate: 1e10,
    };
    let plan = Profiled {
        rings: vec![ring],
        ..pipeline(1, 1, &[])
    };
    close(amp::iteration_time(&plan), 3.0 + 1.75);
    close(pipette::iteration_time(&plan), 3.0 + 2.0 * 0.15 + 1.0);
}
