//! What a device holds at most under a schedule whose weight gradients are put off.

use plan::schedule::{ActionKind, Schedule};

/// Micro-batches of each chunk of a device whose activations are kept, and of which only what the
/// weight gradient needs is held.
pub(super) type Levels = Vec<[u32; 2]>;

/// The moments of a device's list that no other one exceeds in everything.
pub(super) fn highest(schedule: &Schedule, device: usize) -> Vec<Levels> {
    let stages: Vec<u32> = schedule.stages_of(device).collect();
    let mut now: Levels = vec![[0, 0]; stages.len()];
    let mut all: Vec<Levels> = Vec::new();
    for action in schedule.actions(device) {
        let Some(chunk) = stages.iter().position(|stage| *stage == action.stage) else {
            continue;
        };
        let [kept, held] = &mut now[chunk];
        match action.kind {
            ActionKind::Forward => *kept += 1,
            ActionKind::Backward => *kept = kept.saturating_sub(1),
            ActionKind::InputGrad => (*kept, *held) = (kept.saturating_sub(1), *held + 1),
            ActionKind::WeightGrad => *held = held.saturating_sub(1),
            _ => {}
        }
        if !matches!(action.kind, ActionKind::Forward | ActionKind::InputGrad) {
            continue;
        }
        let covers =
            |a: &Levels, b: &Levels| (a.iter().zip(b)).all(|(a, b)| b[0] <= a[0] && b[1] <= a[1]);
        if !all.iter().any(|other| covers(other, &now)) {
            all.retain(|other| !covers(&now, other));
            all.push(now.clone());
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use plan::schedule::{ScheduleKind, peak_level};

    use super::*;

    #[test]
    fn the_highest_moments_hold_every_peak() {
        let kinds = [
            (ScheduleKind::ZbH1, 1),
            (ScheduleKind::ZbV, 2),
            (ScheduleKind::VHalf, 2),
        ];
        // Bytes kept and held, by chunk.
        for weights in [[[5, 1], [5, 1]], [[9, 7], [2, 1]], [[0, 3], [4, 4]]] {
            for (kind, chunks) in kinds {
                let schedule = kind
                    .generate(6, chunks, 20)
                    .expect("such numbers are taken");
                for device in 0..6 {
                    let stages: Vec<u32> = schedule.stages_of(device).collect();
                    let (walked, _) = peak_level(schedule.actions(device), |action| {
                        let of_stage = |stage: &u32| *stage == action.stage;
                        let chunk = stages.iter().position(of_stage).expect("its own stage");
                        let [kept, held] = weights[chunk];
                        match action.kind {
                            ActionKind::Forward => (kept, 0),
                            ActionKind::InputGrad => (0, held - kept),
                            ActionKind::WeightGrad => (0, -held),
                            _ => (0, 0),
                        }
                    });
                    let moments = highest(&schedule, device);
                    let at = |moment: &Levels| -> i64 {
                        let each = moment.iter().zip(weights);
                        each.map(|([kept, held], [a, b])| {
                            i64::from(*kept) * a + i64::from(*held) * b
                        })
                        .sum()
                    };
                    assert_eq!(moments.iter().map(at).max(), Some(walked), "{kind:?}");
                    assert!(moments.len() < 20, "{} moments", moments.len());
                }
            }
        }
    }
}
