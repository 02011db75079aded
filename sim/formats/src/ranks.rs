//! From lanes to the ranks that they stand for.

use trace::{Lane, SpanId, Trace, Track};
use units::LaneId;

use crate::FormatError;

/// One rank of a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Rank {
    /// Its number.
    pub(crate) number: u32,
    /// Its lane.
    pub(crate) lane: LaneId,
    /// Its place among the ranks of the lane; the first one stands for all where details fold.
    pub(crate) member: u32,
}

/// All ranks, by number.
pub(crate) fn ranks(trace: &Trace) -> Vec<Rank> {
    let lanes = (0..).map(LaneId::new).zip(&trace.lanes);
    let mut ranks: Vec<Rank> = lanes
        .flat_map(|(lane, setup)| {
            let members = (0..).zip(&setup.ranks);
            members.map(move |(member, &number)| Rank {
                number,
                lane,
                member,
            })
        })
        .collect();
    ranks.sort_unstable();
    ranks
}

/// The rank of a number.
///
/// # Errors
///
/// [`FormatError::UnknownRank`] or [`FormatError::NoRanks`].
pub(crate) fn find(ranks: &[Rank], number: u32) -> Result<Rank, FormatError> {
    let (Some(first), Some(last)) = (ranks.first(), ranks.last()) else {
        return Err(FormatError::NoRanks);
    };
    let found = ranks.binary_search_by_key(&number, |rank| rank.number);
    found
        .map(|at| ranks[at])
        .map_err(|_| FormatError::UnknownRank {
            rank: number,
            first: first.number,
            last: last.number,
        })
}

/// The member of another lane that corresponds to a member of this one. Lanes of a job split the
/// same replicas, in the same order.
pub(crate) fn counterpart(from: &Lane, member: u32, to: &Lane) -> u32 {
    let (from, to) = (from.ranks.len() as u64, to.ranks.len() as u64);
    let member = u64::from(member) * to / from.max(1);
    u32::try_from(member).unwrap_or_default()
}

/// The tracks of each lane.
pub(crate) fn tracks_by_lane(trace: &Trace) -> Vec<Vec<Track>> {
    let mut lanes: Vec<Vec<Track>> = trace.lanes.iter().map(|_| Vec::new()).collect();
    for row in trace::tracks(trace) {
        if let Some(lane) = lanes.get_mut(row.lane.index()) {
            lane.push(row);
        }
    }
    lanes
}

/// The track of its lane that each span lies on.
pub(crate) fn places(trace: &Trace, lanes: &[Vec<Track>]) -> Vec<u32> {
    let mut places = vec![0; trace.spans.len()];
    for tracks in lanes {
        for (number, row) in (0..).zip(tracks) {
            for &id in &row.spans {
                places[id as usize] = number;
            }
        }
    }
    places
}

/// How a track is called: its stream, and its row where there are several.
pub(crate) fn track_name(row: &Track) -> String {
    match row.row {
        0 => row.stream.name().to_owned(),
        row_number => format!("{} {}", row.stream.name(), row_number + 1),
    }
}

/// The kernels inside a span with their boundaries, in picoseconds: their undisturbed times
/// stretched to the span, in which other work may have slowed them.
pub(crate) fn kernels(trace: &Trace, id: SpanId) -> impl Iterator<Item = (&str, u64, u64)> {
    let span = &trace.spans[id as usize];
    let list = trace.details.get(span.detail as usize);
    let list = list.map_or(&[][..], Vec::as_slice);
    let whole: f64 = list.iter().map(|kernel| kernel.time.as_secs()).sum();
    let (start, end) = (span.start.as_picos(), span.end.as_picos());
    let scale = (end - start) as f64 / whole;
    let valid = scale.is_finite() && 0.0 < scale;
    let mut secs = 0.0;
    let mut from = start;
    list.iter().filter(move |_| valid).map(move |kernel| {
        secs += kernel.time.as_secs();
        let until = start.saturating_add(picos(secs * scale)).clamp(from, end);
        let kernel = (kernel.name.as_str(), from, until);
        from = until;
        kernel
    })
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the saturating cast is clamped to the span by its caller"
)]
fn picos(value: f64) -> u64 {
    value.round() as u64
}
