//! Effects of steps on memory.

use task::{Effect, MemoryEffect};
use trace::MemoryKind;
use units::Bytes;
use workload::ops::Op;

use crate::piece::{Piece, PieceKind};

/// What the kept tensors of a piece count as.
pub(crate) fn keeps(piece: &Piece) -> MemoryKind {
    if matches!(piece.kind, PieceKind::Head(_) | PieceKind::Output(_)) {
        MemoryKind::Logits
    } else {
        MemoryKind::Activations
    }
}

/// The largest workspace of some operators.
pub(crate) fn workspace<'o>(ops: impl IntoIterator<Item = &'o Op>) -> Bytes {
    ops.into_iter()
        .map(|op| op.workspace)
        .max()
        .unwrap_or_default()
}

/// Taken when the step starts.
pub(crate) const fn take(kind: MemoryKind, bytes: Bytes) -> MemoryEffect {
    MemoryEffect {
        kind,
        effect: Effect::Take,
        bytes,
    }
}

/// Given back when the step ends.
pub(crate) const fn free(kind: MemoryKind, bytes: Bytes) -> MemoryEffect {
    MemoryEffect {
        kind,
        effect: Effect::Free,
        bytes,
    }
}

/// Taken while the step runs.
pub(crate) const fn borrow(bytes: Bytes) -> MemoryEffect {
    MemoryEffect {
        kind: MemoryKind::Workspace,
        effect: Effect::Borrow,
        bytes,
    }
}

/// What a piece keeps changes from `before` to `after` bytes.
pub(crate) fn exchange(kind: MemoryKind, before: Bytes, after: Bytes) -> MemoryEffect {
    if before < after {
        take(kind, after.saturating_sub(before))
    } else {
        free(kind, before.saturating_sub(after))
    }
}
