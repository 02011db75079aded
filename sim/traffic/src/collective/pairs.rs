//! Messages that wait for nothing. Part `s · n + d` of an all-to-all goes from rank `s` to `d`.

use super::draft::{Cargo, Draft, Leg};

/// Every rank to every other, the next one first.
pub(super) fn all_to_all(draft: &mut Draft<'_>, size: u64) {
    let n = draft.n();
    for from in 0..n {
        for by in 1..n {
            let to = (from + by) % n;
            message(draft, from, to, size, || part_of(from, to, n));
        }
    }
}

/// Every rank to the one so many places on.
pub(super) fn shifted(draft: &mut Draft<'_>, size: u64, by: u32) {
    let n = draft.n();
    for from in (0..n).filter(|_| !by.is_multiple_of(n)) {
        message(draft, from, (from + by) % n, size, || from);
    }
}

/// Everybody's part to each other rank, as a domain's switch hands it out (NVLS): the copies that
/// the switch makes are messages of their own, which takes as long, since each rank receives all.
pub(super) fn copies(draft: &mut Draft<'_>, size: u64) {
    each_part(draft, size, |from, _| Cargo::range(from, 1, 1, false));
}

/// Everybody's data for each other rank's part, as a domain's switch adds them up (NVLS): each
/// rank gives all of its data, which takes as long.
pub(super) fn sums(draft: &mut Draft<'_>, size: u64) {
    each_part(draft, size, |_, to| Cargo::range(to, 1, 1, true));
}

fn each_part(draft: &mut Draft<'_>, size: u64, cargo: impl Fn(u32, u32) -> Cargo) {
    let n = draft.n();
    let part = size.div_ceil(u64::from(n));
    for from in 0..n {
        for by in 1..n {
            let to = (from + by) % n;
            draft.send(Leg::message(from, to, part), None, || cargo(from, to));
        }
    }
}

/// Everybody's part to the first rank.
pub(super) fn gather(draft: &mut Draft<'_>, size: u64) {
    let part = size.div_ceil(u64::from(draft.n()));
    for from in 1..draft.n() {
        message(draft, from, 0, part, || from);
    }
}

/// A part from the first rank to each.
pub(super) fn scatter(draft: &mut Draft<'_>, size: u64) {
    let part = size.div_ceil(u64::from(draft.n()));
    for to in 1..draft.n() {
        message(draft, 0, to, part, || to);
    }
}

/// The part of an all-to-all from one rank to another, for as many ranks as such parts are
/// numbered.
pub(super) const fn part_of(from: u32, to: u32, n: u32) -> u32 {
    from.wrapping_mul(n).wrapping_add(to)
}

fn message(draft: &mut Draft<'_>, from: u32, to: u32, bytes: u64, part: impl FnOnce() -> u32) {
    let cargo = || Cargo::range(part(), 1, 1, false);
    draft.send(Leg::message(from, to, bytes), None, cargo);
}
