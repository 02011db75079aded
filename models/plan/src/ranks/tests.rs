//! Coordinates and groups, worked out by hand.

use super::*;

fn ranks(degrees: Degrees) -> Ranks {
    Ranks::new(degrees, RankOrder::MEGATRON).unwrap()
}

fn numbers(group: Group) -> Vec<u32> {
    group.iter().map(RankId::get).collect()
}

const MIXED: Degrees = Degrees {
    tp: 2,
    cp: 2,
    ep: 4,
    etp: 1,
    dp: 2,
    pp: 2,
};

#[test]
fn groups_are_megatrons() {
    let ranks = ranks(MIXED);
    let of = |axis, rank| numbers(ranks.group(axis, RankId::new(rank)));
    assert_eq!(of(Axis::Tp, 3), [2, 3]);
    assert_eq!(of(Axis::Cp, 3), [1, 3]);
    assert_eq!(of(Axis::Dp, 3), [1, 3, 5, 7]);
    assert_eq!(of(Axis::Pp, 3), [3, 11]);
    assert_eq!(of(Axis::Ep, 5), [4, 5, 6, 7]);
    assert_eq!(of(Axis::Etp, 5), [5]);
    assert_eq!(of(Axis::ExpertDp, 5), [1, 5]);
}

#[test]
fn data_parallelism_can_be_outermost() {
    let degrees = Degrees { ep: 1, ..MIXED };
    let ranks = Ranks::new(Degrees { etp: 2, ..degrees }, RankOrder::TP_PP_DP);
    // Inside experts tp is 2 and the rest data parallel, so a stage would be 2 ranks, not 4.
    assert_eq!(ranks, None);
    let ranks = Ranks::new(
        Degrees {
            cp: 1,
            etp: 2,
            ..degrees
        },
        RankOrder::TP_PP_DP,
    )
    .unwrap();
    assert_eq!(numbers(ranks.group(Axis::Pp, RankId::new(1))), [1, 3]);
    assert_eq!(numbers(ranks.group(Axis::Dp, RankId::new(1))), [1, 5]);
}

#[test]
fn every_group_of_every_axis_partitions_the_ranks() {
    for degrees in [
        MIXED,
        Degrees {
            etp: 2,
            ep: 2,
            ..MIXED
        },
        Degrees {
            tp: 4,
            ep: 8,
            ..MIXED
        },
    ] {
        let ranks = ranks(degrees);
        for axis in [
            Axis::Tp,
            Axis::Cp,
            Axis::Dp,
            Axis::Pp,
            Axis::Ep,
            Axis::Etp,
            Axis::EpEtp,
            Axis::ExpertDp,
        ] {
            let mut all: Vec<u32> = ranks.groups(axis).flat_map(numbers).collect();
            all.sort_unstable();
            assert_eq!(all, (0..ranks.len()).collect::<Vec<_>>(), "{axis:?}");
            for rank in ranks.all() {
                let group = ranks.group(axis, rank);
                let place = group.position(rank).unwrap();
                assert_eq!(group.get(place), rank);
                assert_eq!(ranks.group(axis, group.first()), group);
            }
        }
    }
}

#[test]
fn coordinates_and_ranks_are_inverse() {
    let ranks = ranks(MIXED);
    for rank in ranks.all() {
        assert_eq!(ranks.rank_at(ranks.coords(rank)), rank);
    }
    assert_eq!(ranks.at_stage(RankId::new(11), 0), RankId::new(3));
}

#[test]
fn shards_are_blocks_and_replicas_cross_them() {
    let degrees = Degrees {
        dp: 8,
        ..Degrees::ONE
    };
    let group = ranks(degrees).group(Axis::Dp, RankId::new(5));
    let of = |ranks: Vec<RankId>| ranks.into_iter().map(RankId::get).collect::<Vec<_>>();
    assert_eq!(of(group.shard(RankId::new(5), 4)), [4, 5, 6, 7]);
    assert_eq!(of(group.replicas(RankId::new(5), 4)), [1, 5]);
}

#[test]
fn an_order_is_read_and_written() {
    let order: RankOrder = "tp-cp-ep-pp-dp".parse().unwrap();
    assert_eq!(order, RankOrder::TP_PP_DP);
    assert_eq!(order.to_string(), "tp-cp-ep-pp-dp");
    for text in [
        "",
        "tp",
        "tp-cp-ep-dp-dp",
        "tp-cp-ep-dp-xx",
        "tp-cp-ep-dp-pp-tp",
    ] {
        assert!(text.parse::<RankOrder>().is_err(), "{text}");
    }
}
