//! What is written reads back with the same ways.

use cluster::{Cluster, ClusterNetwork, Topology};
use formats::simgrid::{Form, WriteError, link_name, read, write};
use units::{HostId, LinkId};

use crate::platforms::all;

fn hosts(n: u32) -> Vec<HostId> {
    (0..n).map(HostId::new).collect()
}

fn written(topology: &impl Topology, hosts: &[HostId]) -> (String, Form) {
    let mut text = Vec::new();
    let form = write(&mut text, topology, hosts).expect("it can be written");
    (String::from_utf8(text).expect("a text"), form)
}

fn static_way(topology: &impl Topology, from: &str, to: &str) -> Vec<LinkId> {
    let [from, to] = [from, to].map(|name| topology.host_named(name).expect("a host"));
    let mut links = Vec::new();
    if 0 < topology.n_ways(from, to) {
        topology.way(from, to, topology.static_way(from, to), &mut links);
    }
    links
}

#[test]
fn a_platform_that_was_written_reads_back_with_the_same_routes() {
    for case in all() {
        let platform = case.platform().platform;
        let (text, form) = written(&platform, &hosts(platform.n_hosts()));
        let again = read(&text).expect("it was written").platform;
        assert_eq!(platform.n_hosts(), again.n_hosts());
        for (from, to) in pairs(&platform) {
            let [a, b] = [
                static_way(&platform, &from, &to),
                static_way(&again, &from, &to),
            ];
            let wires = |links: &[LinkId], topology: &dyn Fn(LinkId) -> cluster::Wire| {
                links.iter().map(|&link| topology(link)).collect::<Vec<_>>()
            };
            let wires = [
                wires(&a, &|link| platform.wire(link)),
                wires(&b, &|link| again.wire(link)),
            ];
            assert_eq!(wires[0], wires[1], "{}: {from} to {to}", case.name);
            if form == Form::Full {
                let names = |links: &[LinkId], name: &dyn Fn(LinkId) -> String| {
                    links.iter().map(|&link| name(link)).collect::<Vec<_>>()
                };
                let a = names(&a, &|link| link_name(&platform, link));
                assert_eq!(
                    a,
                    names(&b, &|link| link_name(&again, link)),
                    "{}",
                    case.name
                );
            }
        }
    }
}

fn pairs(topology: &impl Topology) -> Vec<(String, String)> {
    let names: Vec<_> = hosts(topology.n_hosts())
        .iter()
        .map(|&host| topology.host_name(host))
        .collect();
    let pairs = names.iter().flat_map(|a| names.iter().map(move |b| (a, b)));
    let pairs = pairs.filter(|(a, b)| a != b);
    pairs.map(|(a, b)| (a.clone(), b.clone())).collect()
}

#[test]
fn a_fat_tree_of_ours_becomes_a_fat_tree_of_simgrid() {
    let spec = cluster::example::hosts(4, 8, 8, 100.0);
    let network = ClusterNetwork::new(Cluster::build(&spec).expect("it is an example"));
    let (text, form) = written(&network, &hosts(network.n_nodes()));
    println!("{text}");
    assert_eq!(form, Form::FatTree);
}

#[test]
fn hosts_without_links_between_them_are_named() {
    let spec = cluster::example::hosts(4, 8, 8, 100.0);
    let network = ClusterNetwork::new(Cluster::build(&spec).expect("it is an example"));
    let all = hosts(network.n_hosts());
    let error = write(Vec::new(), &network, &all).unwrap_err();
    assert!(matches!(error, WriteError::NoLinks { .. }), "{error}");
    assert!(error.hint().is_some());
}

#[test]
fn too_many_irregular_hosts_are_named() {
    let xml = r#"<platform version="4.1"><cluster id="c" prefix="h" suffix="" radical="0-599"
        bw="1GBps" lat="1us" bb_bw="2GBps"/></platform>"#;
    let platform = read(xml).expect("a flat cluster").platform;
    let error = write(Vec::new(), &platform, &hosts(600)).unwrap_err();
    assert!(error.to_string().contains("600 hosts"), "{error}");
}
