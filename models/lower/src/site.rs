//! What all blocks of one device have in common.

use profile::{HostCost, Profile};
use task::{Step, StepId, Work};
use trace::{Category, StreamKind};
use units::Seconds;
use workload::ops::Work as OpWork;

use crate::data_parallel::DataParallel;
use crate::offload::Copies;
use crate::piece::{Piece, PieceKind};
use crate::writer::Writer;

/// What every block of a device depends on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Site<'a> {
    pub(crate) profile: &'a Profile,
    pub(crate) data: &'a DataParallel,
    pub(crate) copies: Copies,
    /// What the host needs to issue work, as framework and CUDA graphs leave it.
    pub(crate) host: HostCost,
    /// Whether a stage computes on while its results travel to the next one.
    pub(crate) overlap_p2p: bool,
}

/// The host's part in one pass.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct HostPart {
    /// Passes of each layer that the host issues: a whole backward pass counts two.
    pub(crate) passes: f64,
    /// Whether layers that are recomputed as a whole are issued once more.
    pub(crate) replays: bool,
    /// Share of what a micro-batch costs besides its layers.
    pub(crate) micro_batch: f64,
}

/// Host time below this share of the kernels of its block is not written down: the kernels last
/// longer anyway, on any GPU that is not faster than its profile.
const NEGLIGIBLE: f64 = 0.7;

impl Site<'_> {
    /// Makes a block take at least the host's time, where that can matter.
    pub(crate) fn close(
        &self,
        w: &mut Writer<'_>,
        host: StepId,
        pieces: &[&Piece],
        part: HostPart,
    ) {
        let time = host_time(&self.host, pieces, w.n_launches(), part);
        if time <= w.compute_time() * NEGLIGIBLE {
            return;
        }
        w.step_mut(usize::from(host)).work = Work::Delay(time);
        w.wait_for(host);
        w.push(Step::compute("host", Seconds::ZERO, Vec::new()));
    }
}

/// Host time of one pass through some pieces: launches, layers and waits for token counts, and
/// what a micro-batch costs besides.
pub(crate) fn host_time(
    host: &HostCost,
    pieces: &[&Piece],
    n_launches: u32,
    part: HostPart,
) -> Seconds {
    let layers = pieces
        .iter()
        .filter(|piece| matches!(piece.kind, PieceKind::Layer(_)) && !is_measured(piece));
    let per_layer = layers.map(|piece| {
        let again = part.replays && piece.replay.len() == piece.ops.forward.len();
        let passes = part.passes + f64::from(u8::from(again));
        let once = if piece.routed {
            host.expert_layer
        } else {
            host.layer
        };
        once * passes
    });
    host.kernel * f64::from(n_launches)
        + per_layer.sum::<Seconds>()
        + host.micro_batch * part.micro_batch
}

/// Whether a layer was timed as a whole: what the host took is in its time.
fn is_measured(piece: &Piece) -> bool {
    let mut ops = piece.ops.forward.iter();
    ops.any(|op| matches!(op.work, OpWork::Measured(_)))
}

/// A place for the host's time at the head of a block, nothing until [`Site::close`] fills it.
pub(crate) fn host_step() -> Step {
    let work = Work::Delay(Seconds::ZERO);
    Step::new("host", StreamKind::Host, Category::Other, work, Vec::new())
}

/// A step of no time that ends when the kernels of all blocks before it have.
pub(crate) fn anchor_step() -> Step {
    let work = Work::Delay(Seconds::ZERO);
    Step::new(
        "start",
        StreamKind::Compute,
        Category::Other,
        work,
        Vec::new(),
    )
}
