//! Every plan that was evaluated, as CSV.

use std::fmt::Write as _;

use session::Evaluated;

const COLUMNS: &str = "tp,pp,vp,cp,ep,etp,dp,micro_batch,schedule,layer_split,recompute,shard,offload,\
     sp,overlap_grad_reduce,overlap_param_gather,overlap_tp,overlap_p2p,overlap_ep,\
     iteration_time_s,device_used_bytes,fits,in_doubt\n";

/// The table, a row a plan, in the order of the space.
pub(crate) fn csv(plans: &[Evaluated]) -> String {
    let mut text = String::from(COLUMNS);
    for plan in plans {
        let choice = &plan.choice;
        let (degrees, switches) = (choice.degrees, choice.switches);
        let _ = write!(
            text,
            "{},{},{},{},{},{},{},{},{},{},{},{},{},",
            degrees.tp,
            degrees.pp,
            choice.vp,
            degrees.cp,
            degrees.ep,
            degrees.etp,
            degrees.dp,
            choice.micro_batch,
            choice.schedule.name(),
            cell(&choice.split.words()),
            choice.recompute.words(),
            choice.shard.words(),
            choice.offload.words(),
        );
        // Of a plan that lacks memory nobody asked how long it takes.
        let time = plan.time.is_finite().then(|| plan.time.to_string());
        let time = time.unwrap_or_default();
        let _ = writeln!(
            text,
            "{},{},{},{},{},{},{},{},{},{}",
            switches.sp,
            switches.grad_reduce,
            switches.param_gather,
            switches.tp.words(),
            switches.p2p,
            switches.ep,
            time,
            plan.used.as_u64(),
            plan.fits,
            plan.doubt.is_some(),
        );
    }
    text
}

/// A cell, in quotes where it holds commas.
fn cell(text: &str) -> String {
    if text.contains(',') {
        format!("\"{text}\"")
    } else {
        text.to_owned()
    }
}
