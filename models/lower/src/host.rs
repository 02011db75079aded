//! Whether a host holds up its device, and how far.

use units::Seconds;

use crate::piece::Piece;
use crate::sheet::{PassKind, lone_pass};
use crate::site::{HostPace, Site, is_negligible, issued_time};
use crate::writer::compute_time;

/// Host and kernels of one pass.
type Both = (Seconds, Seconds);

/// The pace of a host that waits between passes: whether its time matters in one of any chunk.
///
/// * `chunks` — the pieces of each chunk.
/// * `splits` — whether backward passes run as two.
/// * `share` — share of a micro-batch's host time that a forward pass carries.
pub(crate) fn each_pass(
    site: &Site<'_>,
    chunks: &[Vec<&Piece>],
    splits: bool,
    share: f64,
) -> HostPace {
    use PassKind as P;
    let passes: &[P] = if splits {
        &[P::Forward, P::InputGrad, P::WeightGrad]
    } else {
        &[P::Forward, P::Backward]
    };
    let binds = |pass: &PassKind| {
        let mut all = of_chunks(site, chunks, *pass, share).into_iter();
        all.any(|(host, kernels)| !is_negligible(host, kernels))
    };
    if passes.iter().any(binds) {
        HostPace::EachPass
    } else {
        HostPace::Negligible
    }
}

/// The pace of a host that waits for nothing between passes, as without a pipeline. The arguments
/// are those of [`each_pass`].
pub(crate) fn ahead(site: &Site<'_>, chunks: &[Vec<&Piece>], share: f64) -> HostPace {
    let passes = [PassKind::Forward, PassKind::Backward].into_iter();
    let all = passes.flat_map(|pass| of_chunks(site, chunks, pass, share));
    let (host, kernels) = all.fold((Seconds::ZERO, Seconds::ZERO), plus);
    if is_negligible(host, kernels) {
        return HostPace::Negligible;
    }
    HostPace::Ahead(issued_time(host, kernels).as_secs() / host.as_secs())
}

/// Host and kernels of a pass of every chunk, at the GPU's speed.
fn of_chunks<'p>(
    site: &Site<'_>,
    chunks: &[Vec<&'p Piece>],
    pass: PassKind,
    share: f64,
) -> Vec<Both> {
    let each = match pass {
        PassKind::Forward => site.host.micro_batch * share,
        _ => Seconds::ZERO,
    };
    let mut known = Vec::new();
    let sum = |pieces: &Vec<&'p Piece>| {
        let all = pieces.iter().map(|piece| of(site, piece, pass, &mut known));
        let (host, kernels) = all.fold((each, Seconds::ZERO), plus);
        (host, kernels / site.speed)
    };
    chunks.iter().map(sum).collect()
}

/// Host and kernels of a pass of a piece, priced on first use: most pieces of a chunk are the same.
fn of<'p>(
    site: &Site<'_>,
    piece: &'p Piece,
    pass: PassKind,
    known: &mut Vec<(&'p Piece, Both)>,
) -> Both {
    let seen = known.iter().find(|(seen, _)| std::ptr::eq(*seen, piece));
    if let Some((_, both)) = seen {
        return *both;
    }
    let lone = lone_pass(site.profile, &site.host, piece, pass);
    let passes = if pass == PassKind::Backward { 2.0 } else { 1.0 };
    let both = (lone.host * passes, compute_time(&lone.block.steps));
    known.push((piece, both));
    both
}

fn plus(sum: Both, one: Both) -> Both {
    (sum.0 + one.0, sum.1 + one.1)
}
