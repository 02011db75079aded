//! What holds a plan back: memory, or what its time goes to.

use std::fmt::Write as _;

use predict::{Breakdown, Prediction};
use units::Bytes;

/// What holds a plan back.
#[derive(Clone, Debug, PartialEq)]
pub struct Binding {
    /// What the fullest device uses.
    pub used: Bytes,
    /// What that device has.
    pub device: Bytes,
    /// The first over the second.
    pub memory_share: f64,
    /// The parts of the iteration as shares of its time, the largest first, without zeros.
    pub parts: Vec<(&'static str, f64)>,
    /// The ranks that others wait for; none in the closed form and without a pipeline.
    pub bottleneck: Option<String>,
    /// In a sentence.
    pub words: String,
}

/// Parts below this share of the iteration would be told as 0 %.
const LEAST: f64 = 0.005;

/// Above this share of a device's memory there is no room for a choice that takes more.
const NEARLY_FULL: f64 = 0.9;

/// What holds a plan back.
pub fn binding(prediction: &Prediction) -> Binding {
    let (used, device) = (prediction.device_used_bytes, prediction.device_memory_bytes);
    let memory_share = used.as_f64() / device.as_f64().max(1.0);
    let total = prediction.breakdown.total().max(f64::MIN_POSITIVE);
    let mut parts: Vec<(&'static str, f64)> = breakdown_parts(&prediction.breakdown)
        .into_iter()
        .map(|(name, secs)| (name, secs / total))
        .filter(|(_, share)| 0.0 < *share)
        .collect();
    parts.sort_by(|a, b| b.1.total_cmp(&a.1));
    let percent = |share: f64| format!("{:.0} %", share * 100.0);
    let memory = if !prediction.fits {
        format!("Memory: {used} of {device} on the fullest GPU, which is too much.")
    } else if NEARLY_FULL < memory_share {
        format!(
            "Memory: the fullest GPU uses {} of it.",
            percent(memory_share)
        )
    } else {
        format!(
            "Time: the fullest GPU has {} of its memory free.",
            percent(1.0 - memory_share)
        )
    };
    let mut words = memory;
    let mut told = parts.iter().filter(|(_, share)| LEAST <= *share);
    if let Some((name, share)) = told.next() {
        let _ = write!(
            words,
            " {} of the iteration goes to {name}",
            percent(*share)
        );
    }
    if let Some((name, share)) = told.next() {
        let _ = write!(words, ", {} to {name}", percent(*share));
    }
    let bottleneck = prediction
        .bottleneck
        .clone()
        .filter(|_| has_stages(prediction));
    if let Some(stage) = &bottleneck {
        let _ = write!(words, "; the others wait for {stage}");
    }
    words.push('.');
    Binding {
        used,
        device,
        memory_share,
        parts,
        bottleneck,
        words,
    }
}

/// Whether there is more than one stage that could wait for another.
fn has_stages(prediction: &Prediction) -> bool {
    let classes = prediction.peak_allocated_bytes_by_class.iter();
    classes.map(|class| class.stage).max() != Some(0)
}

/// The parts of a breakdown with their names, in a fixed order.
pub fn breakdown_parts(breakdown: &Breakdown) -> [(&'static str, f64); 9] {
    [
        ("compute", breakdown.compute_s),
        ("tensor-parallel communication", breakdown.tp_s),
        ("pipeline communication", breakdown.pp_s),
        ("data-parallel communication", breakdown.dp_s),
        ("context-parallel communication", breakdown.cp_s),
        ("expert-parallel communication", breakdown.ep_s),
        ("waiting for other ranks", breakdown.bubble_s),
        ("the optimizer", breakdown.optimizer_s),
        ("host and other work", breakdown.other_s),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Draft, Tuner};

    fn of(name: &str) -> Binding {
        let opened = Draft::example(name).unwrap().open().unwrap();
        binding(Tuner::new(&opened, &units::Control::new()).unwrap().base())
    }

    #[test]
    fn a_plan_that_does_not_fit_is_bound_by_memory() {
        let tight = of("llama3-70b-does-not-fit");
        assert!(1.0 < tight.memory_share);
        assert!(tight.words.starts_with("Memory: "), "{}", tight.words);
    }

    #[test]
    fn nothing_is_said_of_parts_without_time_and_of_stages_without_a_pipeline() {
        let opened = Draft::example("llama3-8b-dgx-h100")
            .unwrap()
            .open()
            .unwrap();
        let mut ready = opened.ready().unwrap();
        ready.scenario.settings.engine = crate::Engine::Analytic;
        let control = units::Control::new();
        let outcome = ready.run(crate::Record::Totals, &control).unwrap();
        let mut prediction = outcome.prediction;
        assert!(!has_stages(&prediction));
        prediction.bottleneck = Some("stage 0".to_owned());
        prediction.breakdown = Breakdown {
            compute_s: 1.0,
            dp_s: 0.004,
            ..Breakdown::default()
        };
        let bound = binding(&prediction);
        assert_eq!(bound.bottleneck, None);
        assert!(
            bound
                .words
                .ends_with("100 % of the iteration goes to compute."),
            "{}",
            bound.words
        );
    }

    #[test]
    fn a_plan_with_room_is_bound_by_where_its_time_goes() {
        let free = of("llama3-70b-dgx-h100");
        assert!(free.words.starts_with("Time: "), "{}", free.words);
        assert_eq!(free.parts[0].0, "compute");
        let sum: f64 = free.parts.iter().map(|(_, share)| share).sum();
        assert!((sum - 1.0).abs() < 1e-9);
    }
}
