//! How long a stage waits for its own messages to leave, where sends do not overlap.
//!
//! Without `overlap_p2p_communication` Megatron waits for the sends and receives of a step before
//! the next pass (`p2p_communication.py`: `req.wait()` behind `batch_isend_irecv`). A receive
//! holds nothing up that the pass itself would not wait for. A send holds the kernels until its
//! last byte has left.

use task::{Lanes, Program, Work};
use trace::{Category, StreamKind};
use units::{Bytes, Seconds};

/// Gives the steps behind sends their time: that of the slowest channel of the program's lanes on
/// an idle path.
pub(crate) fn fill(programs: &mut [Program], lanes: &Lanes) {
    for (number, program) in (0_u32..).zip(programs) {
        for block in &mut program.blocks {
            for at in 1..block.steps.len() {
                let Work::Send { channel, bytes } = block.steps[at - 1].work else {
                    continue;
                };
                let step = &mut block.steps[at];
                if (step.stream, step.category) == (StreamKind::Compute, Category::Pp) {
                    step.work = Work::Delay(slowest(lanes, number, usize::from(channel), bytes));
                }
            }
        }
    }
}

fn slowest(lanes: &Lanes, program: u32, channel: usize, bytes: Bytes) -> Seconds {
    let lanes_of = lanes.lanes.iter().filter(|lane| lane.program == program);
    let times = lanes_of.filter_map(|lane| {
        let channel = *lane.channels.get(channel)?;
        let rate = lanes.channels.get(channel as usize)?.price.rate?;
        Some(bytes / rate)
    });
    times.fold(Seconds::ZERO, Seconds::max)
}
