//! Whether a host holds up its device.

use units::Seconds;

use crate::piece::Piece;
use crate::sheet::{PassKind, lone_pass};
use crate::site::{Site, is_negligible};
use crate::writer::compute_time;

/// Host and kernels of one pass.
type Both = (Seconds, Seconds);

/// Whether the host's time matters in a pass of any chunk of a device.
///
/// * `chunks` — the pieces of each chunk.
/// * `splits` — whether backward passes run as two.
/// * `share` — share of a micro-batch's host time that a forward pass carries.
pub(crate) fn binds(site: &Site<'_>, chunks: &[Vec<&Piece>], splits: bool, share: f64) -> bool {
    let passes: &[PassKind] = if splits {
        &[PassKind::Forward, PassKind::InputGrad, PassKind::WeightGrad]
    } else {
        &[PassKind::Forward, PassKind::Backward]
    };
    passes.iter().any(|pass| {
        let each = match pass {
            PassKind::Forward => site.host.micro_batch * share,
            _ => Seconds::ZERO,
        };
        let mut known = Vec::new();
        chunks.iter().any(|pieces| {
            let all = pieces
                .iter()
                .map(|piece| of(site, piece, *pass, &mut known));
            let (host, kernels) = all.fold((each, Seconds::ZERO), |sum, one| {
                (sum.0 + one.0, sum.1 + one.1)
            });
            !is_negligible(host, kernels / site.speed)
        })
    })
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
