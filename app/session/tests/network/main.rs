//! Network workloads: their fields, planning and exporting them, and what engines answer.

#![expect(
    clippy::unwrap_used,
    reason = "a scenario that cannot be read fails the test"
)]

mod collectives;
mod exports;
mod fields;
mod packets;
mod plans;
mod scratch;

use session::{Keep, NetworkBundle, NetworkField, NetworkPlans, Opened};
use units::Control;

pub(crate) fn plan(opened: &Opened, fixed: &[NetworkField]) -> NetworkPlans {
    opened.plan_network(fixed, &Control::new()).unwrap()
}

pub(crate) fn text(bundle: &NetworkBundle, name: &str) -> String {
    let file = bundle.files.iter().find(|file| file.name == name);
    let mut text = Vec::new();
    file.unwrap().write(&mut text).unwrap();
    String::from_utf8(text).unwrap()
}

/// When the last byte of all arrives, in picoseconds.
pub(crate) fn makespan(opened: &Opened) -> u64 {
    let traffic = opened.traffic().unwrap();
    let answer = traffic.run(Keep::Totals, &Control::new()).unwrap();
    answer.makespan.as_picos()
}

pub(crate) fn policies(plans: &NetworkPlans) -> Vec<&'static str> {
    let plans = plans.plans.iter();
    plans.map(|plan| plan.candidate.policy).collect()
}
