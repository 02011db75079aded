//! Fabrics between nodes.

use cluster::spec::{DEFAULT_LINK_LATENCY, DEFAULT_SWITCH_LATENCY};
use cluster::{FabricKind, FabricSpec, RouterSpec};
use units::BytesPerSec;

use super::graph::graph;
use super::{Header, header};
use crate::fields::Fields;
use crate::kind::Limits;
use crate::shape::{
    Shape, boolean, duration, either, list, mapped, number, one_of, rate, text, whole,
};

const NETWORK: &str =
    "what carries messages: infiniband, efa, tcp, or another network of a profile; default by name";

/// A fabric between nodes.
pub fn fabric(t: &mut Fields<'_, '_>) -> FabricSpec {
    let Header {
        name,
        source,
        notes,
    } = header(t);
    let kinds = FabricKind::ALL.map(|kind| (kind.name(), kind)).to_vec();
    let kind = t.get("kind", "the shape", one_of(kinds)).required();
    let per_leaf = t
        .get("nodes_per_leaf", "nodes of one group of leaves", whole(1))
        .optional();
    if kind.is_clos() && kind != FabricKind::Single && !t.has("nodes_per_leaf") {
        t.missing("nodes_per_leaf", whole::<u32>(1).kind().expected());
    }
    let level = number(Limits::POSITIVE);
    FabricSpec {
        name,
        kind,
        network: t.get("network", NETWORK, text()).optional(),
        nodes_per_leaf: per_leaf.unwrap_or(1),
        groups_per_pod: t
            .get("groups_per_pod", "groups of leaves in one pod", whole(1))
            .optional(),
        oversubscription: t
            .get(
                "oversubscription",
                "capacity below a level over the capacity above: one number, or [leaf, spine]",
                either(mapped(level, |ratio| vec![ratio]), list(level)),
            )
            .or_default(),
        rails: t.get("rails", "rail-optimised: one per NIC where absent", whole(1)).optional(),
        nics_per_group: t
            .get(
                "nics_per_group",
                "NICs of a domain over which one group's collectives send; those of all its ranks where absent",
                whole(1),
            )
            .optional(),
        planes: t.get("planes", "separate copies of the fabric", whole(1)).or(1),
        spines: t
            .get("spines", "spines per pod and plane; one per uplink of a leaf where absent", whole(1))
            .optional(),
        cores: t
            .get("cores", "core switches per spine of a pod; one per uplink where absent", whole(1))
            .optional(),
        link_rate: t
            .get("link_rate", "rate of a cable between switches; that of the fastest NIC where absent", rate())
            .optional(),
        link_latency: t
            .get("link_latency", "latency of one cable, with its ports", duration())
            .or(DEFAULT_LINK_LATENCY),
        switch_latency: t
            .get("switch_latency", "latency through one switch", duration())
            .or(DEFAULT_SWITCH_LATENCY),
        routers: routers(t),
        graph: graph(t),
        measured: t
            .get(
                "measured_gbytes_per_s",
                "row: sending node, column: receiving node, in 10⁹ bytes per second; 0: not measured",
                list(list(mapped(number(Limits::at_least(0.0)), BytesPerSec::from_gbytes))),
            )
            .optional(),
        source,
        notes,
    }
}

/// What a dragonfly or a torus is made of.
fn routers(t: &mut Fields<'_, '_>) -> RouterSpec {
    RouterSpec {
        nodes_per_router: t
            .get(
                "nodes_per_router",
                "dragonfly, torus: nodes on one router; 1 where absent",
                whole(1),
            )
            .optional(),
        dimensions: t
            .get(
                "dimensions",
                "torus: routers along each of two or three dimensions",
                list(whole(1)),
            )
            .or_default(),
        groups: t
            .get("groups", "dragonfly: groups of routers", whole(1))
            .optional(),
        per_group: t
            .get(
                "routers_per_group",
                "dragonfly: routers of one group, all joined with each other",
                whole(1),
            )
            .optional(),
        global_links: t
            .get(
                "global_links",
                "dragonfly: cables of one router to other groups",
                whole(1),
            )
            .optional(),
        global_rate: t
            .get(
                "global_rate",
                "dragonfly: rate of a cable between groups; that of the others where absent",
                rate(),
            )
            .optional(),
        global_latency: t
            .get(
                "global_latency",
                "dragonfly: latency of a cable between groups; that of the others where absent",
                duration(),
            )
            .optional(),
        detours: t
            .get(
                "detours",
                "dragonfly: whether load balancing is offered ways over other groups",
                boolean(),
            )
            .or(false),
    }
}
