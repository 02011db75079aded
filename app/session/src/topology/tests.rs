use cluster::example::dgx_h100s;
use units::NodeId;

use super::*;
use crate::Draft;

fn two_nodes() -> Cluster {
    Cluster::build(&dgx_h100s(2)).unwrap()
}

/// A cluster of many GPUs.
fn many() -> Cluster {
    let draft = Draft::example("llama3-405b-16384-h100").unwrap();
    draft.open().unwrap().ready().unwrap().scenario.cluster
}

#[test]
fn everything_open_shows_every_device_and_every_link_once() {
    let cluster = two_nodes();
    let view = topology(&cluster, &Extent::within(&cluster, usize::MAX));
    assert_eq!(view.devices.len(), cluster.graph().node_count());
    let links = view
        .cables
        .iter()
        .flat_map(|cable| cable.links.iter().flatten());
    assert_eq!(links.count(), cluster.links().len());
    for cable in &view.cables {
        let [up, _] = &cable.links;
        let (from, to) = cluster.ends(up[0]);
        assert_eq!(cable.ends, [Part::Device(from), Part::Device(to)]);
        assert_eq!(cable.rate, cluster.link(up[0]).rate);
    }
}

#[test]
fn a_folded_node_keeps_its_links_to_the_leaves_as_one_cable_each() {
    let cluster = two_nodes();
    let extent = Extent::within(&cluster, usize::MAX).toggled(GroupId::Node(1));
    let view = topology(&cluster, &extent);
    let folded = Part::Group(GroupId::Node(1));
    let of_folded: Vec<_> = view
        .cables
        .iter()
        .filter(|c| c.ends.contains(&folded))
        .collect();
    let links: usize = of_folded.iter().map(|cable| cable.links[0].len()).sum();
    assert_eq!(links, 8);
    assert!(view.devices.iter().all(|one| match one.part {
        Part::Device(device) => device.node() != Some(NodeId::new(1)),
        _ => true,
    }));
    let group = view
        .groups
        .iter()
        .find(|group| group.id == GroupId::Node(1))
        .unwrap();
    assert_eq!(
        (group.gpus, group.is_open, group.has_parts),
        (8, false, true)
    );
}

#[test]
fn thousands_of_gpus_are_a_few_boxes_until_one_is_opened() {
    let cluster = many();
    let extent = Extent::within(&cluster, 300);
    let view = topology(&cluster, &extent);
    assert!(view.groups.len() + view.devices.len() <= 301);
    let gpus: u32 = view
        .groups
        .iter()
        .filter(|group| !group.is_open)
        .map(|group| group.gpus)
        .sum();
    let shown = view
        .devices
        .iter()
        .filter(|one| one.level == Level::Gpu)
        .count();
    assert_eq!(gpus as usize + shown, cluster.n_gpus());
    let parents = view.groups.iter().filter_map(|group| group.parent);
    for parent in parents.chain(view.devices.iter().map(|device| device.parent)) {
        assert!(
            view.groups
                .iter()
                .any(|group| group.id == parent && group.is_open)
        );
    }
    let near = extent
        .showing(&cluster, NodeId::new(777))
        .toggled(GroupId::Node(777));
    let view = topology(&cluster, &near);
    assert!(view.devices.iter().any(|device| device.name == "n777g7"));
    assert!(view.devices.len() < 400, "{}", view.devices.len());
}

#[test]
fn slow_gpus_are_told_apart() {
    let draft = Draft::example("llama3-70b-straggler").unwrap();
    let cluster = draft.open().unwrap().ready().unwrap().scenario.cluster;
    let view = topology(&cluster, &Extent::within(&cluster, usize::MAX));
    let slow: Vec<_> = view
        .devices
        .iter()
        .filter(|device| device.speed < 1.0)
        .collect();
    assert_eq!(slow.len(), 1);
    assert_eq!(slow[0].name, "n5g3");
    assert!(slow[0].kind.is_some());
}

#[test]
fn the_fabric_of_a_workload_is_drawn_like_a_cluster() {
    let draft = Draft::example("spray-vs-singlepath").unwrap();
    let traffic = draft.open().unwrap().traffic().unwrap();
    let view = traffic.topology(&traffic.extent(1_000));
    let spines = view
        .devices
        .iter()
        .filter(|device| device.level == Level::Spine)
        .count();
    assert_eq!(spines, 8);
    assert!(
        view.cables
            .iter()
            .any(|cable| cable.kind == Some(LinkKind::Fabric))
    );
}

fn platform(body: &str) -> cluster::zones::Platform {
    let xml = format!(
        "<?xml version='1.0'?><!DOCTYPE platform SYSTEM \"https://simgrid.org/simgrid.dtd\">
<platform version=\"4.1\">{body}</platform>"
    );
    formats::simgrid::read(&xml).unwrap().platform
}

/// How many cables end at a part, by whether they are loops.
fn ends(view: &TopologyView, part: Part) -> [usize; 2] {
    let own = view.cables.iter().filter(|c| c.ends.contains(&part));
    let loops = own.clone().filter(|c| c.ends[0] == c.ends[1]).count();
    [own.count() - loops, loops]
}

#[test]
fn hosts_of_a_platform_hang_on_the_place_where_their_links_meet() {
    let platform = platform(
        "<cluster id=\"c\" prefix=\"h\" suffix=\"\" radical=\"0-3\" speed=\"1Gf\" bw=\"125MBps\" lat=\"50us\"/>",
    );
    let view = of_platform(&platform, std::iter::empty());
    assert_eq!(view.devices.len(), 5);
    assert_eq!(view.shape, Shape::Levels);
    assert_eq!(ends(&view, Part::Junction(0)), [4, 0]);
    let links = view
        .cables
        .iter()
        .map(|c| [c.links[0].len(), c.links[1].len()]);
    assert!(links.into_iter().all(|n| n == [1, 1]));
    assert_eq!(view.left_out, None);
}

#[test]
fn the_backbone_of_a_platform_can_be_seen() {
    let platform = platform(
        "<cluster id=\"c\" prefix=\"h\" suffix=\"\" radical=\"0-3\" speed=\"1Gf\" bw=\"125MBps\" lat=\"50us\"
         bb_bw=\"250MBps\" bb_lat=\"50us\"/>",
    );
    let view = of_platform(&platform, std::iter::empty());
    let links = view.cables.iter().flat_map(|c| c.links.iter().flatten());
    let links: BTreeSet<LinkId> = links.copied().collect();
    assert_eq!(links.len(), cluster::Topology::n_links(&platform) as usize);
    assert_eq!(view.left_out, None);
}

#[test]
fn switches_of_a_domain_of_several_nodes_lie_in_none_of_them() {
    let draft = Draft::example("llama3-8b-dgx-h100").unwrap();
    let draft = draft.set("cluster.name", "gb200-nvl72").unwrap();
    let draft = draft.set("cluster.nodes", "16").unwrap();
    let opened = draft.open().unwrap();
    let cluster = opened.ready().unwrap().scenario.cluster;
    assert!(1 < cluster.nodes_of_domain(NodeId::new(0)).len());
    let view = topology(&cluster, &Extent::within(&cluster, usize::MAX));
    let domains: Vec<_> = view
        .devices
        .iter()
        .filter(|device| device.level == Level::Domain)
        .collect();
    assert!(!domains.is_empty());
    for device in domains {
        assert!(!matches!(device.parent, GroupId::Node(_)), "{device:?}");
        assert!(matches!(device.part, Part::Device(Device::NvSwitch { .. })));
    }
    let open = view.cables.iter().flat_map(|c| c.links.iter().flatten());
    assert_eq!(open.count(), cluster.links().len());
    // Folded nodes keep their way to the switches of the domain.
    let extent = Extent::default().toggled(GroupId::Whole);
    let mut extent = extent;
    for group in &topology(&cluster, &extent).groups {
        if matches!(group.id, GroupId::Leaves(_)) {
            extent = extent.toggled(group.id);
        }
    }
    let view = topology(&cluster, &extent);
    let scale_up = view
        .cables
        .iter()
        .filter(|c| c.kind == Some(LinkKind::ScaleUp));
    assert!(1 < scale_up.count());
}
