//! The Pareto front: plans that no other plan beats in everything.

use crate::evaluate::Evaluated;

/// Of plans that fit, those for which no other is as fast with as little memory on as few GPUs: fastest first.
/// Money and energy follow from time and GPUs.
pub(crate) fn front(plans: &[Evaluated]) -> Vec<Evaluated> {
    let mut all: Vec<&Evaluated> = plans.iter().filter(|plan| plan.fits).collect();
    all.sort_by(|a, b| {
        let by_time = a.time.total_cmp(&b.time);
        by_time
            .then(a.used.cmp(&b.used))
            .then(a.choice.cmp(&b.choice))
    });
    let mut front: Vec<Evaluated> = Vec::new();
    for plan in all {
        let beaten = |kept: &Evaluated| kept.used <= plan.used && gpus(kept) <= gpus(plan);
        if !front.iter().any(beaten) {
            front.push(*plan);
        }
    }
    front
}

/// GPUs that a plan uses.
pub(crate) fn gpus(plan: &Evaluated) -> u64 {
    let degrees = plan.choice.degrees;
    [degrees.tp, degrees.pp, degrees.cp, degrees.dp]
        .into_iter()
        .map(u64::from)
        .product()
}

/// So many members, the first and the last among them, with equal steps between them.
pub(crate) fn thinned<T: Copy>(all: &[T], most: usize) -> Vec<T> {
    if all.len() <= most || most < 2 {
        return all.iter().take(most).copied().collect();
    }
    let last = all.len() - 1;
    (0..most).map(|at| all[at * last / (most - 1)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thinning_keeps_both_ends() {
        assert_eq!(thinned(&[1, 2, 3, 4, 5], 3), [1, 3, 5]);
        assert_eq!(thinned(&[1, 2], 3), [1, 2]);
    }
}
