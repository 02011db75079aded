//! Interleaved 1F1B without building its schedule, for stages that are nearly alike.

/// The makespan of interleaved 1F1B, in the unit of its arguments; `None` where the form does not
/// hold.
///
/// With equal stages nobody waits between a device's first forward and last backward pass, except
/// that each chunk's first micro-batch has to come around the ring of `p` hops, on the way
/// in and on the way out. The slowest device decides:
///
/// ```text
/// T = max over d of ( sum_{i<d} (F_i + B_i + 2 t) + n sum_c (F_{d,c} + B_{d,c}) ) + 2 (v − 1) p t
/// ```
///
/// Exact where all stages but the last are equal and `t` is at most 0.3 of a forward pass, and
/// within 1.5 % where stages differ by up to 5 %, by comparison with the replay (Narayanan et al. 2021,
/// section 2.2, gives `n v (F + B) + (p − 1)(F + B)` for equal stages without hops). Elsewhere it is
/// too short, and `None` is returned.
///
/// * `forward`, `backward` — of every virtual stage, `v p` of them.
/// * `devices` — `p`; stage `i` is on device `i mod p`.
/// * `hop` — `t`.
/// * `n` — micro-batches, a multiple of `p`.
pub fn interleaved_time(
    forward: &[u64],
    backward: &[u64],
    devices: usize,
    hop: u64,
    n: u64,
) -> Option<u64> {
    let stages = forward.len();
    if devices == 0 || stages < 2 * devices || !n.is_multiple_of(devices as u64) {
        return None;
    }
    let inner = 1..stages - 1;
    let alike = |times: &[u64]| {
        let times = times.get(inner.clone()).unwrap_or_default();
        let least = times.iter().min().copied().unwrap_or(0);
        let most = times.iter().max().copied().unwrap_or(0);
        20 * (most - least) <= most
    };
    let least = forward.iter().skip(1).min().copied().unwrap_or(0);
    if !alike(forward) || !alike(backward) || 3 * least < 10 * hop {
        return None;
    }
    let chunks = (stages / devices) as u64;
    let (mut outside, mut longest) = (0, 0);
    for device in 0..devices {
        let own = (device..stages).step_by(devices);
        let work: u64 = own.map(|stage| forward[stage] + backward[stage]).sum();
        longest = longest.max(outside + n * work);
        outside += forward[device] + backward[device] + 2 * hop;
    }
    Some(longest + 2 * (chunks - 1) * devices as u64 * hop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::{Costs, PassCosts, Scratch, interleaved, makespan};

    /// The form over the replay, minus one, for every combination; the first and the last stage differ.
    fn errors(spread: u64) -> Vec<f64> {
        let mut scratch = Scratch::default();
        let mut errors = Vec::new();
        for (p, v, rounds) in [
            (2, 2, 1),
            (2, 5, 3),
            (4, 3, 2),
            (8, 2, 1),
            (8, 5, 4),
            (16, 8, 1),
        ] {
            for hop in [0, 50, 290] {
                let n = p * rounds;
                let last = u64::from(p * v - 1);
                let forward: Vec<u64> = (0..=last)
                    .map(|i| 1000 + i * 7919 % 97 * spread / 97 + if i == last { 300 } else { 0 })
                    .collect();
                let backward: Vec<u64> = forward.iter().map(|f| 2 * f).collect();
                let costs = Costs {
                    stages: forward
                        .iter()
                        .map(|f| PassCosts::whole(*f, 2 * f))
                        .collect(),
                    links: vec![hop; forward.len()],
                    ..Costs::default()
                };
                let schedule = interleaved(p, v, n).unwrap();
                let exact = makespan(&schedule, &costs, &mut scratch).unwrap() as f64;
                let form = interleaved_time(&forward, &backward, p as usize, hop, u64::from(n));
                errors.push(form.unwrap() as f64 / exact - 1.0);
            }
        }
        errors
    }

    #[test]
    fn equal_stages_take_exactly_what_the_replay_takes() {
        assert!(
            errors(0).iter().all(|error| error.abs() < 1e-12),
            "{:?}",
            errors(0)
        );
    }

    #[test]
    fn nearly_equal_stages_take_within_a_percent_and_a_half_of_the_replay() {
        assert!(
            errors(48).iter().all(|error| error.abs() < 0.015),
            "{:?}",
            errors(48)
        );
    }

    #[test]
    fn unequal_stages_and_long_hops_are_refused() {
        let forward = [100, 100, 200, 100];
        assert_eq!(interleaved_time(&forward, &forward, 2, 0, 4), None);
        assert_eq!(interleaved_time(&[100; 4], &[100; 4], 2, 50, 4), None);
        assert_eq!(interleaved_time(&[100; 4], &[100; 4], 2, 0, 3), None);
        assert!(interleaved_time(&[100; 4], &[100; 4], 2, 10, 4).is_some());
    }
}
