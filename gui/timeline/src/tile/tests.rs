//! What holds for every tile.

use proptest::prelude::*;
use trace::{Lane, Span, Trace};
use units::{ClassId, LaneId, SimTime};

use super::*;
use crate::key::Placement;

/// Spans one after another: gap and length of each, in picoseconds.
fn one_lane(parts: &[(u64, u64)]) -> Timeline {
    let mut trace = Trace::default();
    let name = trace.names.intern("kernel");
    trace.lanes.push(Lane {
        class: ClassId::new(0),
        name: "stage 0".to_owned(),
        stage: 0,
        ranks: vec![0],
        resident: [0; 7],
    });
    let mut now = 0;
    for &(gap, length) in parts {
        let start = now + gap;
        now = start + length;
        trace.spans.push(Span {
            lane: LaneId::new(0),
            stream: trace::StreamKind::Compute,
            category: Category::Compute,
            pass: Pass::Forward,
            name,
            start: SimTime::from_picos(start),
            end: SimTime::from_picos(now),
            micro_batch: 0,
            stage: 0,
            cause: u32::try_from(trace.spans.len()).unwrap().wrapping_sub(1),
            detail: trace::NO_INDEX,
        });
    }
    trace.end = SimTime::from_picos(now);
    Timeline::new(Arc::new(trace), Placement::default())
}

fn parts() -> impl Strategy<Value = Vec<(u64, u64)>> {
    let part = prop_oneof![
        (0_u64..4, 0_u64..4),
        (0_u64..2_000, 0_u64..2_000),
        (0_u64..9, 0_u64..90_000),
    ];
    prop::collection::vec(part, 1..300)
}

fn spans() -> Content {
    Content::Spans([0].into(), Some(0))
}

proptest! {
    #[test]
    fn bits_lie_side_by_side_within_their_tile(
        parts in parts(),
        scale in 1.0_f64..700.0,
        tile in 0_u64..6,
    ) {
        let timeline = one_lane(&parts);
        let tile = Tile::new(&timeline, &spans(), Scale(scale), tile);
        let mut free = 0;
        for bit in &tile.bits {
            prop_assert!(free <= bit.from);
            prop_assert!(0 < bit.width);
            free = bit.from + bit.width;
        }
        prop_assert!(u32::from(free) <= TILE);
        prop_assert!(tile.bits.len() <= TILE as usize);
    }

    #[test]
    fn no_span_is_lost(parts in parts(), scale in 1.0_f64..700.0) {
        let timeline = one_lane(&parts);
        let scale = Scale(scale);
        for span in &timeline.trace().spans {
            let column = scale.column(span.start.as_picos());
            // A column that two share belongs to the first, so that the other begins in the next;
            // and a picosecond at an edge may fall on either side, in the next tile, too.
            let seen = [column, column + 1].into_iter().any(|near| {
                let tile = Tile::new(&timeline, &spans(), scale, near / u64::from(TILE));
                let near = short(u32::try_from(near % u64::from(TILE)).unwrap());
                let mut bits = tile.bits.iter();
                bits.any(|bit| bit.from <= near + 1 && near <= bit.from + bit.width)
            });
            prop_assert!(seen, "{:?} at {column}", span.start);
        }
    }

    #[test]
    fn merged_tracks_fill_what_one_of_them_fills(
        parts in parts(),
        scale in 1.0_f64..700.0,
        tile in 0_u64..3,
    ) {
        let timeline = one_lane(&parts);
        let one = Tile::new(&timeline, &spans(), Scale(scale), tile);
        let grid = Grid::of_tile(Scale(scale), tile);
        let twice = merged(&timeline, &[0, 0], &grid);
        let filled = |tile: &Tile| {
            let mut columns = vec![false; TILE as usize];
            for bit in &tile.bits {
                columns[usize::from(bit.from)..usize::from(bit.from + bit.width)].fill(true);
            }
            columns
        };
        let (one, twice) = (filled(&one), filled(&twice));
        prop_assert!(one.iter().zip(&twice).all(|(one, twice)| !one || *twice));
    }

    #[test]
    fn idle_stretches_and_spans_do_not_cover_each_other(
        parts in parts(),
        scale in 1.0_f64..700.0,
        tile in 0_u64..3,
    ) {
        let timeline = one_lane(&parts);
        let tile = Tile::new(&timeline, &spans(), Scale(scale), tile);
        for &(from, width) in &tile.idle {
            for bit in &tile.bits {
                let before = bit.from + bit.width <= from + 1;
                let after = from + width <= bit.from + 1;
                prop_assert!(before || after, "{bit:?} in {from} + {width}");
            }
        }
    }
}

#[test]
fn tiles_meet_without_a_gap() {
    for scale in [1.0, 1.37, 999.9, 12_345.678] {
        let scale = Scale(scale);
        for tile in 0..50 {
            assert_eq!(scale.tile(tile).end, scale.tile(tile + 1).start);
        }
    }
}

#[test]
fn a_span_of_no_length_at_the_edge_of_a_tile_lies_in_the_next() {
    // Its column is the last of a tile by its moment, and its moment the end of the tile.
    let scale = Scale(1.750_545_623_033_402_9);
    let timeline = one_lane(&[(38_540, 0), (100, 100)]);
    let tile = |tile| Tile::new(&timeline, &spans(), scale, tile).bits.len();
    assert_eq!(scale.column(38_540), 43 * u64::from(TILE) - 1);
    assert_eq!((tile(42), tile(43) > 0), (0, true));
}
