//! Several model chunks on each device.

use super::one_f_one_b::alternate;
use super::{Action, ActionKind, Schedule, ScheduleRefusal, count, looped_placement};

/// Interleaved 1F1B: device `i` holds chunks `i`, `p + i`, `2p + i`, … and runs `p`
/// micro-batches through one chunk before it turns to the next.
///
/// Bubble over ideal time `(p − 1)/(v m)`; device 0 holds `p v + p − 1` chunks' activations.
///
/// Source: Megatron-LM, SC21, section 2.2.2; the order is that of Megatron-Core's
/// `forward_backward_pipelining_with_interleaving`.
///
/// # Errors
///
/// [`ScheduleRefusal`] unless the devices divide the micro-batches.
pub fn interleaved(
    n_devices: u32,
    n_chunks: u32,
    n_micro_batches: u32,
) -> Result<Schedule, ScheduleRefusal> {
    if !n_micro_batches.is_multiple_of(n_devices) {
        return Err(ScheduleRefusal::NotWholeRounds {
            micro_batches: n_micro_batches,
            pipeline: n_devices,
        });
    }
    interleaved_in_groups(n_devices, n_chunks, n_micro_batches, n_devices)
}

/// Interleaved 1F1B with `group` micro-batches in a row through one chunk, Megatron-Core's
/// `microbatch_group_size_per_vp_stage`. The last group may be smaller.
///
/// # Errors
///
/// [`ScheduleRefusal`] where `group` lies outside `p ..= m`, or the last group has fewer than
/// `p` micro-batches: as in Megatron-Core, since forward passes would wait for each other.
pub fn interleaved_in_groups(
    n_devices: u32,
    n_chunks: u32,
    n_micro_batches: u32,
    group: u32,
) -> Result<Schedule, ScheduleRefusal> {
    interleaved_ahead(n_devices, n_chunks, n_micro_batches, group, 0)
}

/// The same with one more forward pass ahead, so that each forward pass and the backward pass
/// behind it need nothing of each other and run as a pair: the all-to-alls of one beside the
/// kernels of the other. A device holds one more chunk's activations. One device and one chunk
/// pair the forward pass of a micro-batch with the backward pass of the one before.
///
/// Source: Megatron-Core, `--overlap-moe-expert-parallel-comm` (`combined_1f1b.py`, and
/// `get_pp_rank_microbatches` in `schedules.py`).
///
/// # Errors
///
/// As [`interleaved_in_groups`].
pub fn interleaved_in_pairs(
    n_devices: u32,
    n_chunks: u32,
    n_micro_batches: u32,
    group: u32,
) -> Result<Schedule, ScheduleRefusal> {
    let schedule = interleaved_ahead(n_devices, n_chunks, n_micro_batches, group, 1)?;
    let visits = n_chunks * n_micro_batches;
    let pairs = (0..n_devices).map(|device| {
        // A device that runs all forward passes first has no pair: its last forward pass feeds
        // the next device, whose first backward pass its own first one waits for.
        let warm_up = warm_up(n_devices, n_chunks, group, device) + 1;
        let steady = (warm_up..visits).map(|visit| warm_up + 2 * (visit - warm_up));
        let own = schedule.actions(device as usize);
        let apart = |at: &u32| {
            let at = *at as usize;
            own[at].micro_batch != own[at + 1].micro_batch
        };
        steady.filter(apart).collect()
    });
    let pairs = pairs.collect();
    Ok(schedule.with_pairs(pairs))
}

/// Forward passes of a device before its first backward pass, in a schedule that is long enough.
const fn warm_up(n_devices: u32, n_chunks: u32, group: u32, device: u32) -> u32 {
    2 * (n_devices - 1 - device) + (n_chunks - 1) * group
}

fn interleaved_ahead(
    n_devices: u32,
    n_chunks: u32,
    n_micro_batches: u32,
    group: u32,
    ahead: u32,
) -> Result<Schedule, ScheduleRefusal> {
    accepts_groups(n_devices, n_micro_batches, group)?;
    let table = visits(n_chunks, n_micro_batches, group);
    let lists: Vec<Vec<Action>> = (0..n_devices)
        .map(|device| {
            let warm_up = warm_up(n_devices, n_chunks, group, device) + ahead;
            let n = count(table.len());
            alternate(n, warm_up.min(n))
                .map(|(kind, visit)| {
                    let (chunk, k) = table[visit as usize];
                    let chunk = match kind {
                        ActionKind::Forward => chunk,
                        _ => n_chunks - 1 - chunk,
                    };
                    Action::new(kind, chunk * n_devices + device, k)
                })
                .collect()
        })
        .collect();
    Ok(Schedule::unchecked(
        looped_placement(n_devices, n_chunks),
        n_micro_batches,
        &lists,
    ))
}

/// Whether groups of that size can be interleaved, without building the schedule.
///
/// # Errors
///
/// As [`interleaved_in_groups`].
pub fn accepts_groups(
    n_devices: u32,
    n_micro_batches: u32,
    group: u32,
) -> Result<(), ScheduleRefusal> {
    if !(n_devices..=n_micro_batches).contains(&group) {
        return Err(ScheduleRefusal::GroupSize {
            group,
            pipeline: n_devices,
            micro_batches: n_micro_batches,
        });
    }
    let last_group = n_micro_batches % group;
    if 0 < last_group && last_group < n_devices {
        return Err(ScheduleRefusal::LastGroup {
            last_group,
            group,
            pipeline: n_devices,
            micro_batches: n_micro_batches,
        });
    }
    Ok(())
}

/// The order in which a device visits (chunk, micro-batch) in its forward passes; its backward
/// passes visit the chunks from the other end.
fn visits(n_chunks: u32, n_micro_batches: u32, group: u32) -> Vec<(u32, u32)> {
    (0..n_micro_batches)
        .step_by(group as usize)
        .flat_map(|first| {
            let end = (first + group).min(n_micro_batches);
            (0..n_chunks).flat_map(move |chunk| (first..end).map(move |k| (chunk, k)))
        })
        .collect()
}
