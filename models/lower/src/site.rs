//! What all blocks of one device have in common.

use profile::{HostCost, Profile};
use task::{Step, StepId, Work};
use trace::{Category, StreamKind};
use units::Seconds;
use units::math::powf;
use workload::ops::Work as OpWork;

use crate::data_parallel::DataParallel;
use crate::offload::Copies;
use crate::piece::{Piece, PieceKind};
use crate::writer::{Launched, Writer};

/// What every block of a device depends on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Site<'a> {
    pub(crate) profile: &'a Profile,
    pub(crate) data: &'a DataParallel,
    pub(crate) copies: Copies,
    /// What the host needs to issue work, as framework and CUDA graphs leave it.
    pub(crate) host: HostCost,
    pub(crate) pace: HostPace,
    /// The GPU's speed beside its profile's: kernels take so many times less.
    pub(crate) speed: f64,
    /// Whether a stage computes on while its results travel to the next one.
    pub(crate) overlap_p2p: bool,
}

/// How the host keeps up with the passes of a device.
///
/// Where it matters in one, it is written down in all: the host issues them one after the other,
/// and is behind in the next where it was in the last.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) enum HostPace {
    /// Its time is not worth writing down in any pass.
    #[default]
    Negligible,
    /// It waits between passes: each takes what [`issued`] makes of its own host and kernels.
    EachPass,
    /// It issues passes while those before them run, so that a micro-batch takes what [`issued`]
    /// makes of all its passes: so many times the host's time.
    Ahead(f64),
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

/// Host time below this share of the kernels of every block of a device is not written down: it
/// would add less than half a percent.
const NEGLIGIBLE: f64 = 0.6;

/// Exponent of [`issued`].
const SHARPNESS: f64 = 7.0;

/// Seconds that the host takes until the kernels of a pass are issued, given how long those run.
///
/// Where both take about as long, now one waits and now the other, kernel by kernel, and the pass
/// takes longer than either: `(host⁷ + kernels⁷)^(1/7)`. The exponent is that of a study of 712
/// runs of small models (vTrain's ground truth), where 5 to 10 do equally well.
pub fn issued(host: f64, kernels: f64) -> f64 {
    let (less, more) = (host.min(kernels), host.max(kernels));
    if more <= 0.0 {
        return more;
    }
    more * powf(1.0 + powf(less / more, SHARPNESS), 1.0 / SHARPNESS)
}

/// The same for times with their unit.
pub(crate) fn issued_time(host: Seconds, kernels: Seconds) -> Seconds {
    Seconds::from_secs(issued(host.as_secs(), kernels.as_secs()))
}

impl Site<'_> {
    /// Makes a block take at least the host's time, where that can matter; says whether it does.
    pub(crate) fn close(
        &self,
        w: &mut Writer<'_>,
        host: StepId,
        pieces: &[&Piece],
        part: HostPart,
    ) -> bool {
        let time = host_time(&self.host, pieces, w.launched(), part);
        let time = match self.pace {
            HostPace::Negligible => return false,
            HostPace::EachPass => issued_time(time, w.compute_time() / self.speed),
            HostPace::Ahead(stretch) => time * stretch,
        };
        w.step_mut(usize::from(host)).work = Work::Delay(time);
        w.wait_for(host);
        w.push(Step::compute("host", Seconds::ZERO, Vec::new()));
        true
    }
}

/// Whether host time is not worth writing down beside that of kernels.
pub(crate) fn is_negligible(host: Seconds, kernels: Seconds) -> bool {
    host <= kernels * NEGLIGIBLE
}

/// Host time of one pass through some pieces: launches, layers and waits for token counts, and
/// what a micro-batch costs besides.
pub(crate) fn host_time(
    host: &HostCost,
    pieces: &[&Piece],
    launched: Launched,
    part: HostPart,
) -> Seconds {
    let layers = pieces
        .iter()
        .filter(|piece| matches!(piece.kind, PieceKind::Layer(_)) && !is_measured(piece));
    let per_layer = layers.map(|piece| {
        let again = part.replays && piece.replays_all;
        let passes = part.passes + f64::from(u8::from(again));
        let once = if piece.routed {
            host.expert_layer
        } else {
            host.layer
        };
        once * passes
    });
    host.kernel * f64::from(launched.kernels)
        + host.loose_softmax * f64::from(launched.loose)
        + host.collective * f64::from(launched.collectives)
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
