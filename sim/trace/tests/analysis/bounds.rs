//! Upper bounds by hand.

use trace::{Category, NO_INDEX, Remedy, bounds};

use crate::fixtures::{COMPUTE, TP, at, lanes, push, two_stages};

fn saving(trace: &trace::Trace, remedy: Remedy) -> u64 {
    let found = bounds(trace)
        .into_iter()
        .find(|bound| bound.remedy == remedy);
    found.map_or(0, |bound| bound.saving.as_picos())
}

#[test]
fn free_messages_save_what_they_cost_on_the_path() {
    assert_eq!(saving(&two_stages(), Remedy::Free(Category::Pp)), 40);
}

#[test]
fn a_second_chain_bounds_the_saving() {
    let mut trace = lanes(1);
    let kernel = push(&mut trace, 0, COMPUTE, "kernel", (0, 10), NO_INDEX);
    push(&mut trace, 0, COMPUTE, "kernel", (10, 70), kernel);
    push(&mut trace, 0, TP, "reduce", (10, 90), kernel);
    assert_eq!(saving(&trace, Remedy::Free(Category::Tp)), 20);
    assert_eq!(saving(&trace, Remedy::Halve(Category::Compute)), 5);
    assert_eq!(saving(&trace, Remedy::Free(Category::Dp)), 0);
}

#[test]
fn without_bubble_the_busiest_lane_remains() {
    assert_eq!(saving(&two_stages(), Remedy::NoBubble), 240);
}

#[test]
fn balance_moves_work_to_the_mean() {
    let mut trace = lanes(2);
    push(&mut trace, 1, COMPUTE, "kernel", (0, 40), NO_INDEX);
    push(&mut trace, 0, COMPUTE, "kernel", (0, 100), NO_INDEX);
    assert_eq!(trace.end, at(100));
    assert_eq!(saving(&trace, Remedy::Balance), 30);
}
