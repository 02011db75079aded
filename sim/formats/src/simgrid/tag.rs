//! The elements of a platform as what the builder of platforms takes.

use ::units::Seconds;
use cluster::zones::{
    Dragonfly, FatTree, LinkSpec, Policy, Radical, RegularSpec, Routing, Shape, Torus,
};
use cluster::{Direction, Sharing, Wire};

use super::element::Element;
use super::error::Fault;
use super::units::Text;

/// Most hosts that one radical may list.
const MAX_RADICAL: u32 = 1 << 20;

fn text<'a>(element: &'a Element<'_>, attribute: &'static str) -> Result<Text<'a>, Fault> {
    let value = element.need(attribute)?;
    Ok(Text { attribute, value })
}

fn optional<'a>(element: &'a Element<'_>, attribute: &'static str) -> Option<Text<'a>> {
    let value = element.get(attribute)?;
    Some(Text { attribute, value })
}

fn wrong(attribute: &'static str, value: &str, expected: &'static str) -> Fault {
    Fault::Value {
        attribute,
        value: value.chars().take(60).collect(),
        expected,
    }
}

/// The routing of a zone.
pub(super) fn routing(zone: &Element<'_>) -> Result<Routing, Fault> {
    let value = zone.need("routing")?;
    match value.to_ascii_lowercase().as_str() {
        "full" => Ok(Routing::Full),
        "floyd" => Ok(Routing::Floyd),
        "dijkstra" | "dijkstracache" => Ok(Routing::Dijkstra),
        "cluster" => Ok(Routing::Cluster),
        "none" => Ok(Routing::Nothing),
        "vivaldi" | "wifi" => Err(Fault::Unsupported {
            what: format!("routing {value}"),
        }),
        _ => Err(wrong(
            "routing",
            value,
            "Full, Floyd, Dijkstra, DijkstraCache, Cluster or None",
        )),
    }
}

fn policy(element: &Element<'_>, default: Policy) -> Result<Policy, Fault> {
    match element.get("sharing_policy") {
        None => Ok(default),
        Some("SHARED") => Ok(Policy::Shared),
        Some("SPLITDUPLEX" | "FULLDUPLEX") => Ok(Policy::SplitDuplex),
        Some("FATPIPE") => Ok(Policy::FatPipe),
        Some("WIFI") => Err(Fault::Unsupported {
            what: "sharing policy WIFI".to_owned(),
        }),
        Some(value) => Err(wrong(
            "sharing_policy",
            value,
            "SHARED, SPLITDUPLEX or FATPIPE",
        )),
    }
}

/// A link.
pub(super) fn link<'a>(element: &'a Element<'_>) -> Result<LinkSpec<'a>, Fault> {
    let latency = optional(element, "latency").map(Text::latency);
    Ok(LinkSpec {
        name: element.need("id")?,
        policy: policy(element, Policy::Shared)?,
        rate: text(element, "bandwidth")?.rate()?,
        latency: latency.transpose()?.unwrap_or(Seconds::ZERO),
    })
}

/// A backbone.
pub(super) fn backbone<'a>(element: &'a Element<'_>) -> Result<LinkSpec<'a>, Fault> {
    Ok(LinkSpec {
        name: element.need("id")?,
        policy: Policy::Shared,
        rate: text(element, "bandwidth")?.rate()?,
        latency: text(element, "latency")?.latency()?,
    })
}

/// The way over a link of a route.
pub(super) fn direction(element: &Element<'_>) -> Result<Direction, Fault> {
    match element.get("direction") {
        None | Some("NONE") => Ok(Direction::Both),
        Some("UP") => Ok(Direction::Up),
        Some("DOWN") => Ok(Direction::Down),
        Some(value) => Err(wrong("direction", value, "UP, DOWN or NONE")),
    }
}

/// Whether a route holds for the way back.
pub(super) fn symmetrical(element: &Element<'_>) -> Result<bool, Fault> {
    match element.get("symmetrical") {
        None | Some("YES" | "yes") => Ok(true),
        Some("NO" | "no") => Ok(false),
        Some(value) => Err(wrong("symmetrical", value, "YES or NO")),
    }
}

/// The numbers of a cluster's or cabinet's hosts.
pub(super) fn radical(element: &Element<'_>) -> Result<Radical, Fault> {
    Ok(Radical::parse(element.need("radical")?, MAX_RADICAL)?)
}

/// What each host of a cabinet has.
pub(super) fn cabinet(element: &Element<'_>) -> Result<(::units::BytesPerSec, Seconds), Fault> {
    Ok((
        text(element, "bw")?.rate()?,
        text(element, "lat")?.latency()?,
    ))
}

/// A regular cluster, and what of it has no effect.
pub(super) fn cluster(element: &Element<'_>) -> Result<(RegularSpec, Vec<&'static str>), Fault> {
    let rate = |attribute| {
        let text = optional(element, attribute).map(Text::rate_or_none);
        text.transpose().map(Option::flatten)
    };
    let latency = |attribute| {
        let text = optional(element, attribute).map(Text::latency);
        text.transpose()
            .map(|latency| latency.unwrap_or(Seconds::ZERO))
    };
    // A loopback or backbone that has a latency only would carry nothing.
    let pair =
        |rates: &'static str, latencies: &'static str| match (rate(rates)?, latency(latencies)?) {
            (Some(rate), latency) => Ok(Some((rate, latency))),
            (None, Seconds::ZERO) => Ok(None),
            (None, _) => Err(Fault::Rate {
                attribute: rates,
                value: element.get(rates).unwrap_or("0").to_owned(),
            }),
        };
    let shape = shape(element)?;
    let flat = shape == Shape::Flat;
    let policy = policy(element, Policy::SplitDuplex)?;
    let sharing = match element.get("bb_sharing_policy") {
        None | Some("SHARED") => Sharing::Shared,
        Some("FATPIPE") => Sharing::FatPipe,
        Some(value) => return Err(wrong("bb_sharing_policy", value, "SHARED or FATPIPE")),
    };
    let backbone = pair("bb_bw", "bb_lat")?;
    let radical = radical(element)?;
    let spec = RegularSpec {
        name: element.need("id")?.to_owned(),
        prefix: element.need("prefix")?.to_owned(),
        suffix: element.need("suffix")?.to_owned(),
        radical,
        shape,
        rate: text(element, "bw")?.rate()?,
        latency: text(element, "lat")?.latency()?,
        split: policy == Policy::SplitDuplex,
        limiter: rate("limiter_link")?,
        loopback: pair("loopback_bw", "loopback_lat")?,
        backbone: backbone.map(|(rate, latency)| Wire {
            rate,
            latency,
            sharing,
        }),
        router: element.get("router_id").map(str::to_owned),
    };
    let ignored = [
        (
            policy == Policy::FatPipe,
            "cluster sharing_policy FATPIPE (SimGrid 3.32 shares the links of clusters)",
        ),
        (
            !flat && spec.backbone.is_some(),
            "backbone of a cluster that is not flat",
        ),
        (
            !flat && spec.router.is_some(),
            "router_id of a cluster that is not flat",
        ),
    ];
    let ignored = ignored.into_iter().filter(|(is, _)| *is);
    Ok((spec, ignored.map(|(_, what)| what).collect()))
}

fn shape(element: &Element<'_>) -> Result<Shape, Fault> {
    let parameters = element.get("topo_parameters").unwrap_or("");
    let wrong_parameters = |expected| wrong("topo_parameters", parameters, expected);
    let lists = |expected: &'static str| -> Result<Vec<Vec<u32>>, Fault> {
        let list = |part: &str| part.split(',').map(|n| n.trim().parse::<u32>()).collect();
        let lists: Result<_, _> = parameters.split(';').map(list).collect();
        lists.map_err(|_| wrong_parameters(expected))
    };
    match element.get("topology").unwrap_or("FLAT") {
        "FLAT" => Ok(Shape::Flat),
        "FAT_TREE" => {
            let expected = "levels;down,...;up,...;cables,... with as many counts as levels";
            match <[Vec<u32>; 4]>::try_from(lists(expected)?) {
                Ok([levels, down, up, cables])
                    if levels.len() == 1
                        && [&down, &up, &cables]
                            .iter()
                            .all(|list| list.len() == levels[0] as usize) =>
                {
                    Ok(Shape::FatTree(FatTree { down, up, cables }))
                }
                _ => Err(wrong_parameters(expected)),
            }
        }
        "TORUS" => {
            let expected = "the sizes of its dimensions, as 4,4,2";
            match <[Vec<u32>; 1]>::try_from(lists(expected)?) {
                Ok([dimensions]) => Ok(Shape::Torus(Torus { dimensions })),
                Err(_) => Err(wrong_parameters(expected)),
            }
        }
        "DRAGONFLY" => {
            let expected = "groups,links;chassis,links;routers,links;hosts";
            let pair = |list: Vec<u32>| <[u32; 2]>::try_from(list).ok();
            let found = <[Vec<u32>; 4]>::try_from(lists(expected)?).ok();
            let fly = found.and_then(|[groups, chassis, routers, hosts]| {
                Some(Dragonfly {
                    groups: pair(groups)?,
                    chassis: pair(chassis)?,
                    routers: pair(routers)?,
                    hosts: <[u32; 1]>::try_from(hosts).ok()?[0],
                })
            });
            let fly = fly.ok_or_else(|| wrong_parameters(expected))?;
            Ok(Shape::Dragonfly(fly))
        }
        value => Err(wrong(
            "topology",
            value,
            "FLAT, FAT_TREE, TORUS or DRAGONFLY",
        )),
    }
}
