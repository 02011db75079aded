//! Random platforms of every kind that we read, and random flows over them.

use std::fmt::Write as _;

use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use rand_pcg::Pcg64Mcg;

/// A kind of zone at the top of a platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Full,
    Floyd,
    Dijkstra,
    Flat,
    FatPipe,
    FatTree,
    Torus,
    Dragonfly,
    Zones,
}

impl Kind {
    pub(crate) const ALL: [Self; 9] = [
        Self::Full,
        Self::Floyd,
        Self::Dijkstra,
        Self::Flat,
        Self::FatPipe,
        Self::FatTree,
        Self::Torus,
        Self::Dragonfly,
        Self::Zones,
    ];
}

/// Draws platforms and flows; equal seeds give equal texts.
#[derive(Debug)]
pub(crate) struct Draw(Pcg64Mcg);

impl Draw {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Pcg64Mcg::seed_from_u64(seed))
    }

    /// A platform file.
    pub(crate) fn platform(&mut self, kind: Kind) -> String {
        let inside = match kind {
            Kind::Full => self.graph("Full"),
            Kind::Floyd => self.graph("Floyd"),
            Kind::Dijkstra => self.graph("Dijkstra"),
            Kind::Flat => self.flat("c"),
            Kind::FatPipe => self.fat_pipe("c"),
            Kind::FatTree => self.fat_tree("c"),
            Kind::Torus => self.torus("c"),
            Kind::Dragonfly => self.dragonfly("c"),
            Kind::Zones => self.zones(),
        };
        format!(
            "<?xml version=\"1.0\"?>\n<!DOCTYPE platform SYSTEM \"https://simgrid.org/simgrid.dtd\">\n\
             <platform version=\"4.1\">\n{inside}</platform>\n"
        )
    }

    /// Flows between hosts of those names: sizes over four decades or all alike, half of them at
    /// once, some after others.
    pub(crate) fn flows(&mut self, hosts: &[String], count: usize) -> String {
        let mut text = "id,src,dst,bytes,start_s,after\n".to_owned();
        let alike = self
            .chance()
            .then(|| self.0.random_range(100_000..2_000_000_u64));
        for id in 0..count {
            let [src, dst] = [self.one(hosts), self.one(hosts)];
            let bytes = if let Some(bytes) = alike {
                bytes
            } else if self.chance() {
                *self.one(&[0, 1500, 65_536, 1 << 20])
            } else {
                self.0.random_range(100_000..20_000_000_u64)
            };
            let late = self.chance();
            let start = f64::from(late) * f64::from(self.0.random_range(0..20_000_u32)) * 1e-6;
            let after = match id {
                1.. if self.chance() => format!("f{}", self.0.random_range(0..id)),
                _ => String::new(),
            };
            // Writing to a string cannot fail.
            let _ = writeln!(text, "f{id},{src},{dst},{bytes},{start},{after}");
        }
        text
    }

    /// Hosts and links in a zone: every pair has a route, or a tree with further edges.
    fn graph(&mut self, routing: &str) -> String {
        let hosts = self.0.random_range(4..12_usize);
        let mut text = format!("<zone id=\"z\" routing=\"{routing}\">\n");
        for host in 0..hosts {
            let _ = writeln!(text, "<host id=\"h{host}\" speed=\"1Gf\"/>");
        }
        let full = routing == "Full";
        let edges = self.edges(hosts, full);
        let n_links = if full { hosts + 2 } else { edges.len() };
        let policies = ["SHARED", "SPLITDUPLEX", "FATPIPE"];
        let policies: Vec<&str> = (0..n_links).map(|_| *self.one(&policies)).collect();
        for (link, policy) in policies.iter().enumerate() {
            let speed = self.speed("bandwidth", "latency");
            let _ = writeln!(
                text,
                "<link id=\"l{link}\" {speed} sharing_policy=\"{policy}\"/>"
            );
        }
        for (at, [a, b]) in edges.into_iter().enumerate() {
            // Routes of a full zone share links, those of a graph have one each.
            let some = if full { self.0.random_range(1..=3) } else { 1 };
            let links = (0..some).map(|_| {
                let link = if full {
                    self.0.random_range(0..n_links)
                } else {
                    at
                };
                self.crossing(link, policies[link] == "SPLITDUPLEX")
            });
            let links: String = links.collect();
            let _ = writeln!(text, "<route src=\"h{a}\" dst=\"h{b}\">{links}</route>");
        }
        text + "</zone>\n"
    }

    fn crossing(&mut self, link: usize, duplex: bool) -> String {
        let direction = if duplex {
            let way = *self.one(&["UP", "DOWN"]);
            format!(" direction=\"{way}\"")
        } else {
            String::new()
        };
        format!("<link_ctn id=\"l{link}\"{direction}/>")
    }

    /// Pairs of hosts: all, or a random tree and some more.
    fn edges(&mut self, hosts: usize, all: bool) -> Vec<[usize; 2]> {
        let mut edges = Vec::new();
        for b in 1..hosts {
            let joined = self.0.random_range(0..b);
            let among = |a: &usize| all || *a == joined || self.0.random_range(0..4) == 0;
            edges.extend((0..b).filter(among).map(|a| [a, b]));
        }
        edges
    }

    fn flat(&mut self, id: &str) -> String {
        let hosts = self.0.random_range(4..20);
        let backbone = self.speed("bb_bw", "bb_lat");
        let limiter = format!("limiter_link=\"{}\"", self.rate());
        let shared = "sharing_policy=\"SHARED\"".to_owned();
        let options = [backbone, limiter, shared];
        let more: Vec<_> = options.into_iter().filter(|_| self.chance()).collect();
        self.cluster(id, hosts, &format!(" {}", more.join(" ")))
    }

    /// Hosts around a backbone that bounds each flow by itself.
    fn fat_pipe(&mut self, id: &str) -> String {
        let hosts = self.0.random_range(4..20);
        let backbone = self.speed("bb_bw", "bb_lat");
        self.cluster(
            id,
            hosts,
            &format!(" {backbone} bb_sharing_policy=\"FATPIPE\""),
        )
    }

    fn fat_tree(&mut self, id: &str) -> String {
        let mut some = |most| self.0.random_range(1..=most);
        let (down, up, cables) = (
            [some(4) + 1, some(4) + 1],
            [some(2), some(4)],
            [some(2), some(2)],
        );
        let list = |[a, b]: [u32; 2]| format!("{a},{b}");
        let parameters = format!("2;{};{};{}", list(down), list(up), list(cables));
        self.regular(id, down[0] * down[1], "FAT_TREE", &parameters)
    }

    fn torus(&mut self, id: &str) -> String {
        let mut some = || self.0.random_range(2..=4_u32);
        let [x, y, z] = [some(), some(), some()];
        self.regular(id, x * y * z, "TORUS", &format!("{x},{y},{z}"))
    }

    fn dragonfly(&mut self, id: &str) -> String {
        let mut some = |least, most| self.0.random_range(least..=most);
        let (groups, chassis, hosts) = (some(2, 3), some(1, 3), some(1, 2));
        // Each group needs a router of its own in every chassis.
        let routers = some(groups, 4);
        let cables = [some(1, 3), some(1, 3), some(1, 3)];
        let [blue, black, green] = cables;
        let parameters = format!("{groups},{blue};{chassis},{black};{routers},{green};{hosts}");
        let count = groups * chassis * routers * hosts;
        self.regular(id, count, "DRAGONFLY", &parameters)
    }

    fn regular(&mut self, id: &str, hosts: u32, topology: &str, parameters: &str) -> String {
        let more = format!(" topology=\"{topology}\" topo_parameters=\"{parameters}\"");
        self.cluster(id, hosts, &more)
    }

    fn cluster(&mut self, id: &str, hosts: u32, more: &str) -> String {
        format!(
            "<cluster id=\"{id}\" prefix=\"{id}\" suffix=\"\" radical=\"0-{}\" speed=\"1Gf\" {}{more}/>\n",
            hosts - 1,
            self.speed("bw", "lat")
        )
    }

    /// Two regular clusters and a flat one, joined in a row.
    fn zones(&mut self) -> String {
        let (mut links, mut routes) = (String::new(), String::new());
        for (link, [from, to], [out, into]) in [
            ("ab", ["a", "b"], ["a0", "bb_router"]),
            ("bc", ["b", "c"], ["bb_router", "c1"]),
        ] {
            links += &duplex(link, &self.speed("bandwidth", "latency"));
            // Writing to a string cannot fail.
            let _ = writeln!(
                routes,
                "<zoneRoute src=\"{from}\" dst=\"{to}\" gw_src=\"{out}\" gw_dst=\"{into}\">\
                 <link_ctn id=\"{link}\" direction=\"UP\"/></zoneRoute>",
            );
        }
        let zones = [self.fat_tree("a"), self.flat("b"), self.torus("c")].concat();
        format!("<zone id=\"all\" routing=\"Floyd\">\n{zones}{links}{routes}</zone>\n")
    }

    fn speed(&mut self, rate: &str, latency: &str) -> String {
        let time = *self.one(&["500ns", "1us", "3us", "10us", "0.1ms"]);
        format!("{rate}=\"{}\" {latency}=\"{time}\"", self.rate())
    }

    fn rate(&mut self) -> &'static str {
        self.one::<&'static str>(&["500MBps", "1GBps", "10Gbps", "1.5e9Bps", "2GiBps", "40Gbps"])
    }

    fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        of.choose(&mut self.0).expect("something to choose from")
    }

    fn chance(&mut self) -> bool {
        self.0.random_range(0..2) == 0
    }
}

/// A link with one rate for each direction.
fn duplex(id: &str, speed: &str) -> String {
    format!("<link id=\"{id}\" {speed} sharing_policy=\"SPLITDUPLEX\"/>\n")
}
