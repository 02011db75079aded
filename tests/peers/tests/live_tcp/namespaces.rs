//! A cluster's fabric as network namespaces of Linux.
//!
//! ```text
//!   host n0                     leaf0                      spine1
//! ┌───────────┐   cable   ┌───────────────┐   cable   ┌────────────┐
//! │ lo: 10.77 │ l0 ── l1  │ forwards      │ l9 ── l8  │ forwards   │
//! └───────────┘           └───────────────┘           └────────────┘
//! ```
//!
//! A device is a namespace, a cable a pair of virtual Ethernet interfaces. Interface `l7` is where
//! frames enter link 7 of the cluster: its rate is limited there (a token bucket of `tc`), and its
//! counter of sent bytes is what that link carried. Every namespace has one route for each host,
//! that of the link on which our way to this host goes on; neighbors are entered by hand, so that
//! no frame is sent but those of transfers.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::Ipv4Addr;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use cluster::{ClusterNetwork, Device, LinkKind, Topology};
use units::{HostId, LinkId};

use crate::counters::{Counters, Sent};
use crate::machine::{BUCKET, PREFIX, TRANSFER, run};

/// The next hop on every cable: what it is called does not matter, where it is does.
const NEXT_HOP: &str = "169.254.0.1";

/// Namespaces that are there for as long as this value lives.
#[derive(Debug)]
pub(crate) struct Namespaces {
    prefix: String,
    devices: BTreeSet<Device>,
    /// Links of the fabric, those of NICs included.
    links: BTreeMap<LinkId, [Device; 2]>,
}

impl Namespaces {
    /// Builds the fabric of a cluster with that many megabits a second on every link.
    pub(crate) fn build(network: &ClusterNetwork, mbits: f64) -> io::Result<Self> {
        static BUILT: AtomicU32 = AtomicU32::new(0);
        let number = BUILT.fetch_add(1, Ordering::Relaxed);
        let cluster = network.cluster();
        let links = (0..network.n_links()).map(LinkId::new).filter(|&link| {
            let kind = cluster.link(link).kind;
            matches!(kind, LinkKind::Nic | LinkKind::Fabric)
        });
        let ends = |link| {
            let (from, to) = cluster.ends(link);
            (link, [from, to])
        };
        let links: BTreeMap<_, _> = links.map(ends).collect();
        let space = Self {
            prefix: format!("{PREFIX}{}-{number}", std::process::id()),
            devices: links.values().flatten().copied().collect(),
            links,
        };
        space.add_devices()?;
        space.add_cables(network)?;
        space.limit_rates(mbits)?;
        space.add_routes(network)?;
        Ok(space)
    }

    fn add_devices(&self) -> io::Result<()> {
        for &device in &self.devices {
            run(&["ip", "netns", "add", &self.name(device)], &[])?;
            self.inside(device, &["forward"])?;
        }
        Ok(())
    }

    fn add_cables(&self, network: &ClusterNetwork) -> io::Result<()> {
        let mut batch = Vec::new();
        for (&link, ends) in &self.links {
            let back = network.cluster().reverse(link);
            let [a, b] = ends.map(|device| self.name(device));
            if link < back {
                let names = [link, back].map(interface);
                let [mac, peer] = [link, back].map(mac);
                batch.push(format!(
                    "link add {} address {mac} netns {a} type veth peer name {} address {peer} netns {b}",
                    names[0], names[1],
                ));
            }
        }
        run(&["ip", "-batch", "-"], &batch)?;
        for &device in &self.devices {
            let mut batch = vec!["link set lo up".to_owned()];
            if let Device::Nic { node, .. } = device {
                let own = address(HostId::new(node.get()));
                batch.push(format!("address add {own}/32 dev lo"));
            }
            for link in self.links_from(device) {
                let (dev, peer) = (interface(link), mac(network.cluster().reverse(link)));
                // One segment a frame, so that counters count headers as a wire does.
                batch.push(format!("link set {dev} gso_max_segs 1 up"));
                batch.push(format!(
                    "neighbor add {NEXT_HOP} lladdr {peer} dev {dev} nud permanent"
                ));
            }
            run(&["ip", "-n", &self.name(device), "-batch", "-"], &batch)?;
        }
        Ok(())
    }

    fn limit_rates(&self, mbits: f64) -> io::Result<()> {
        for &device in &self.devices {
            let limit = |link| {
                let dev = interface(link);
                format!("qdisc add dev {dev} root tbf rate {mbits}mbit {BUCKET}")
            };
            let batch: Vec<_> = self.links_from(device).map(limit).collect();
            run(&["tc", "-n", &self.name(device), "-batch", "-"], &batch)?;
        }
        Ok(())
    }

    fn add_routes(&self, network: &ClusterNetwork) -> io::Result<()> {
        let mut batches: BTreeMap<Device, Vec<String>> = BTreeMap::new();
        for ((device, to), link) in self.routes(network) {
            let dev = interface(link);
            let source = match device {
                Device::Nic { node, .. } => format!("src {}", address(HostId::new(node.get()))),
                _ => String::new(),
            };
            let to = address(to);
            let route = format!("route add {to}/32 via {NEXT_HOP} dev {dev} onlink {source}");
            batches.entry(device).or_default().push(route);
        }
        for (device, batch) in batches {
            run(&["ip", "-n", &self.name(device), "-batch", "-"], &batch)?;
        }
        Ok(())
    }

    /// By device and destination, the link on which all our ways there go on.
    fn routes(&self, network: &ClusterNetwork) -> BTreeMap<(Device, HostId), LinkId> {
        let mut routes = BTreeMap::new();
        let hosts = || (0..network.n_nodes()).map(HostId::new);
        let pairs = hosts().flat_map(|from| hosts().map(move |to| (from, to)));
        for (from, to) in pairs.filter(|(from, to)| from != to) {
            for link in route(network, from, to) {
                let at = self.links[&link][0];
                let known = *routes.entry((at, to)).or_insert(link);
                assert_eq!(known, link, "ways to {to} part again at {at}");
            }
        }
        routes
    }

    /// What was counted so far.
    pub(crate) fn counters(&self) -> io::Result<Counters> {
        let mut counters = Counters::default();
        for &device in &self.devices {
            for line in self.inside(device, &["counters"])?.lines() {
                let mut cells = line.split(' ');
                let name = cells.next().unwrap_or_default();
                let numbers: Vec<u64> = cells.filter_map(|cell| cell.parse().ok()).collect();
                match (link_of(name), device, numbers.as_slice()) {
                    (Some(link), _, &[bytes, frames]) => {
                        counters.links.insert(link, Sent { bytes, frames });
                    }
                    (None, Device::Nic { node, .. }, &[again]) => {
                        counters.again.insert(HostId::new(node.get()), again);
                    }
                    // The loopback, and switches, where no connection ends.
                    _ => {}
                }
            }
        }
        Ok(counters)
    }

    /// Starts the program inside the namespace of a host.
    pub(crate) fn start(
        &self,
        host: HostId,
        arguments: &[&str],
        stdout: io::PipeWriter,
    ) -> io::Result<Child> {
        let nic = self.devices.iter().find(|device| match device {
            Device::Nic { node, .. } => node.get() == host.get(),
            _ => false,
        });
        let nic = nic.ok_or(io::ErrorKind::NotFound)?;
        Command::new("ip")
            .args(["netns", "exec", &self.name(*nic), TRANSFER])
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(stdout)
            .spawn()
    }

    /// Runs the program inside a namespace to its end.
    fn inside(&self, device: Device, arguments: &[&str]) -> io::Result<String> {
        let name = self.name(device);
        let mut words = vec!["ip", "netns", "exec", name.as_str(), TRANSFER];
        words.extend(arguments);
        run(&words, &[])
    }

    fn links_from(&self, device: Device) -> impl Iterator<Item = LinkId> + '_ {
        let from = self.links.iter().filter(move |(_, ends)| ends[0] == device);
        from.map(|(&link, _)| link)
    }

    fn name(&self, device: Device) -> String {
        format!("{}-{device}", self.prefix)
    }
}

impl Drop for Namespaces {
    fn drop(&mut self) {
        for &device in &self.devices {
            // One that was never made is none to remove.
            let _ = run(&["ip", "netns", "delete", &self.name(device)], &[]);
        }
    }
}

/// The links of static routing from one host to another.
pub(crate) fn route(network: &ClusterNetwork, from: HostId, to: HostId) -> Vec<LinkId> {
    let mut links = Vec::new();
    network.way(from, to, network.static_way(from, to), &mut links);
    links
}

/// The address of a host.
pub(crate) fn address(host: HostId) -> Ipv4Addr {
    let [_, _, high, low] = (host.get() + 1).to_be_bytes();
    Ipv4Addr::new(10, 77, high, low)
}

fn interface(link: LinkId) -> String {
    format!("l{}", link.get())
}

fn link_of(interface: &str) -> Option<LinkId> {
    let number = interface.strip_prefix('l')?.parse();
    number.ok().map(LinkId::new)
}

/// An Ethernet address by the number of a link; `02` says that it is administered locally.
fn mac(link: LinkId) -> String {
    let [a, b, c, d] = link.get().to_be_bytes();
    format!("02:00:{a:02x}:{b:02x}:{c:02x}:{d:02x}")
}
