//! Reading: elements in, a platform out.

use std::collections::BTreeMap;
use std::fmt;

use ::units::{BytesPerSec, Seconds};
use cluster::Direction;
use cluster::zones::{Builder, Ends, Hop, Platform};

use super::element::{Element, Elements, Step};
use super::error::{Fault, SimGridError};
use super::tag;

/// A platform file as a topology.
#[derive(Clone, Debug)]
pub struct SimGridPlatform {
    /// Its zones, hosts, links and routes.
    pub platform: Platform,
    /// What it holds beside, in alphabetical order.
    pub ignored: Vec<Ignored>,
}

/// What a file says and the topology does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ignored {
    /// The element, or the element and its attribute.
    pub what: String,
    /// The first line on which it stands.
    pub line: u32,
    /// How often it does.
    pub count: u32,
}

impl fmt::Display for Ignored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, line, count } = self;
        match count {
            1 => write!(f, "{what} (line {line})"),
            _ => write!(f, "{what} ({count} times, first on line {line})"),
        }
    }
}

/// Most different things that are named as ignored.
const MAX_IGNORED: usize = 200;

/// Reads a platform.
///
/// # Errors
///
/// The first element that is wrong, with its line.
pub fn read(text: &str) -> Result<SimGridPlatform, SimGridError> {
    let mut elements = Elements::new(text);
    let mut reader = Reader::default();
    while let Some(step) = elements.next()? {
        match step {
            Step::Begin(element) => {
                let line = element.line;
                let begun = reader.begin(element);
                begun.map_err(|fault| SimGridError { line, fault })?;
            }
            Step::End(line) => reader.end(line)?,
        }
    }
    let line = u32::try_from(text.lines().count())
        .unwrap_or(u32::MAX)
        .max(1);
    let failed = |fault| SimGridError { line, fault };
    if !reader.seen {
        return Err(failed(Fault::NoPlatform));
    }
    let platform = reader.builder.finish();
    let platform = platform.map_err(|error| failed(error.into()))?;
    let ignored = reader.ignored.into_iter();
    let ignored = ignored.map(|(what, (line, count))| Ignored { what, line, count });
    Ok(SimGridPlatform {
        platform,
        ignored: ignored.collect(),
    })
}

/// A host of a zone of routing Cluster and its links, which may stand behind it.
#[derive(Debug)]
struct HostLink {
    line: u32,
    host: String,
    up: String,
    down: String,
}

/// A route whose links are still to come.
#[derive(Debug)]
struct Route {
    line: u32,
    from: String,
    to: String,
    gateways: Option<[String; 2]>,
    symmetrical: bool,
    bypass: bool,
    hops: Vec<(String, Direction)>,
}

/// An element that has begun and not ended.
#[derive(Debug)]
enum Open {
    Platform,
    Config,
    Zone(Vec<HostLink>),
    Route(Box<Route>),
    /// Something that may have properties.
    Leaf(&'static str),
    /// Something that is ignored with all that it holds.
    Ignored,
}

impl Open {
    fn name(&self) -> &'static str {
        match self {
            Self::Platform => "platform",
            Self::Config => "config",
            Self::Zone(_) => "zone",
            Self::Route(_) => "route",
            Self::Leaf(name) => name,
            Self::Ignored => "ignored element",
        }
    }
}

#[derive(Debug, Default)]
struct Reader {
    seen: bool,
    builder: Builder,
    open: Vec<Open>,
    ignored: BTreeMap<String, (u32, u32)>,
}

impl Reader {
    fn ignore(&mut self, what: String, line: u32) {
        if MAX_IGNORED <= self.ignored.len() && !self.ignored.contains_key(&what) {
            return;
        }
        let (_, count) = self.ignored.entry(what).or_insert((line, 0));
        *count = count.saturating_add(1);
    }

    /// Names attributes beyond the known ones.
    fn ignore_beyond(&mut self, element: &Element<'_>, known: &[&str]) {
        let unknown = element.attributes().filter(|name| !known.contains(name));
        let unknown: Vec<String> = unknown
            .map(|name| {
                format!(
                    "{} {}",
                    element.name,
                    name.chars().take(60).collect::<String>()
                )
            })
            .collect();
        for what in unknown {
            self.ignore(what, element.line);
        }
    }

    fn begin(&mut self, element: Element<'_>) -> Result<(), Fault> {
        let name = element.name.as_str();
        if matches!(self.open.last(), Some(Open::Ignored)) {
            self.open.push(Open::Ignored);
            return Ok(());
        }
        let misplaced = |parent: &str| Fault::Misplaced {
            element: name.to_owned(),
            parent: parent.to_owned(),
        };
        let open = match (self.open.last_mut(), name) {
            (None, "platform") if !self.seen => self.platform(&element)?,
            (None, _) => return Err(Fault::NoPlatform),
            (Some(Open::Config), "prop") => self.setting(&element)?,
            (Some(Open::Platform), "config") => Open::Config,
            (_, "prop" | "model_prop") | (Some(Open::Leaf("host")), "disk" | "mount") => {
                self.ignored(&element)
            }
            (Some(Open::Route(route)), "link_ctn") => {
                let hop = (element.need("id")?.to_owned(), tag::direction(&element)?);
                route.hops.push(hop);
                Open::Leaf("link_ctn")
            }
            (Some(Open::Platform | Open::Zone(_)), _) => self.part(element)?,
            (Some(open), _) => return Err(misplaced(open.name())),
        };
        self.open.push(open);
        Ok(())
    }

    fn platform(&mut self, element: &Element<'_>) -> Result<Open, Fault> {
        self.seen = true;
        let found = element.need("version")?;
        let version = found.trim().parse::<f64>();
        match version {
            Ok(version) if (4.0..=4.1).contains(&version) => Ok(Open::Platform),
            _ => Err(Fault::Version {
                found: found.chars().take(20).collect(),
            }),
        }
    }

    fn ignored(&mut self, element: &Element<'_>) -> Open {
        self.ignore(element.name.clone(), element.line);
        Open::Ignored
    }

    /// A setting: those of loopbacks count, all others are named.
    fn setting(&mut self, element: &Element<'_>) -> Result<Open, Fault> {
        let (id, value) = (element.need("id")?, element.need("value")?);
        let number = value.trim().parse::<f64>().ok();
        let wrong = |expected| Fault::Value {
            attribute: "value",
            value: value.chars().take(60).collect(),
            expected,
        };
        match id {
            "network/loopback-bw" => {
                let rate = number.and_then(BytesPerSec::new);
                let rate = rate.ok_or_else(|| wrong("a positive rate in bytes per second"))?;
                self.builder.set_loopback(Some(rate), None);
            }
            "network/loopback-lat" => {
                let latency = number.filter(|secs| secs.is_finite() && 0.0 <= *secs);
                let latency = latency.ok_or_else(|| wrong("a latency in seconds"))?;
                let latency = Seconds::from_secs(latency);
                self.builder.set_loopback(None, Some(latency));
            }
            _ => {
                let id: String = id.chars().take(60).collect();
                self.ignore(format!("config {id}"), element.line);
            }
        }
        Ok(Open::Ignored)
    }

    /// What stands in a platform or in a zone.
    fn part(&mut self, element: Element<'_>) -> Result<Open, Fault> {
        match element.name.as_str() {
            "zone" | "AS" => {
                let routing = tag::routing(&element)?;
                self.builder.open(element.need("id")?, routing)?;
                self.ignore_beyond(&element, &["id", "routing"]);
                Ok(Open::Zone(Vec::new()))
            }
            "host" => {
                self.builder.host(element.need("id")?)?;
                self.ignore_beyond(&element, &["id"]);
                Ok(Open::Leaf("host"))
            }
            "router" => {
                self.builder.router(element.need("id")?)?;
                self.ignore_beyond(&element, &["id"]);
                Ok(Open::Leaf("router"))
            }
            "link" => {
                self.builder.link(tag::link(&element)?)?;
                let known = ["id", "bandwidth", "latency", "sharing_policy"];
                self.ignore_beyond(&element, &known);
                Ok(Open::Leaf("link"))
            }
            "backbone" => {
                self.builder.backbone(tag::backbone(&element)?)?;
                Ok(Open::Leaf("backbone"))
            }
            "host_link" => self.host_link(&element),
            "cabinet" => self.cabinet(&element),
            "cluster" => self.cluster(&element),
            "route" | "zoneRoute" | "ASroute" | "bypassRoute" | "bypassZoneRoute"
            | "bypassASroute" => route(&element),
            "trace" | "trace_connect" | "storage" | "storage_type" | "actor" | "process"
            | "random" | "mount" => Ok(self.ignored(&element)),
            "peer" | "include" => Err(Fault::Unsupported {
                what: format!("`{}`", element.name),
            }),
            "platform" | "config" | "link_ctn" | "disk" | "argument" => Err(Fault::Misplaced {
                parent: self.open.last().map_or("text", Open::name).to_owned(),
                element: element.name,
            }),
            _ => Err(Fault::Unknown {
                element: element.name,
            }),
        }
    }

    fn host_link(&mut self, element: &Element<'_>) -> Result<Open, Fault> {
        let text = |attribute| element.need(attribute).map(str::to_owned);
        let link = HostLink {
            line: element.line,
            host: text("id")?,
            up: text("up")?,
            down: text("down")?,
        };
        match self.open.last_mut() {
            Some(Open::Zone(links)) => links.push(link),
            open => {
                return Err(Fault::Misplaced {
                    element: element.name.clone(),
                    parent: open.map_or("text", |open| open.name()).to_owned(),
                });
            }
        }
        Ok(Open::Leaf("host_link"))
    }

    fn cabinet(&mut self, element: &Element<'_>) -> Result<Open, Fault> {
        let (rate, latency) = tag::cabinet(element)?;
        let radical = tag::radical(element)?;
        let [prefix, suffix] = [element.need("prefix")?, element.need("suffix")?];
        for place in 0..radical.len() {
            let name = format!("{prefix}{}{suffix}", radical.number(place));
            self.builder.cabinet_host(&name, rate, latency)?;
        }
        let known = ["id", "prefix", "suffix", "radical", "bw", "lat"];
        self.ignore_beyond(element, &known);
        Ok(Open::Leaf("cabinet"))
    }

    fn cluster(&mut self, element: &Element<'_>) -> Result<Open, Fault> {
        let (spec, ignored) = tag::cluster(element)?;
        self.builder.cluster(&spec)?;
        for what in ignored {
            self.ignore(what.to_owned(), element.line);
        }
        self.ignore_beyond(element, &CLUSTER);
        Ok(Open::Leaf("cluster"))
    }

    fn end(&mut self, line: u32) -> Result<(), SimGridError> {
        match self.open.pop() {
            Some(Open::Zone(links)) => {
                for link in links {
                    let built = self.builder.host_link(&link.host, &link.up, &link.down);
                    built.map_err(|error| SimGridError {
                        line: link.line,
                        fault: error.into(),
                    })?;
                }
                self.builder.close().map_err(|error| SimGridError {
                    line,
                    fault: error.into(),
                })
            }
            Some(Open::Route(route)) => {
                let line = route.line;
                self.route(&route)
                    .map_err(|fault| SimGridError { line, fault })
            }
            _ => Ok(()),
        }
    }

    fn route(&mut self, route: &Route) -> Result<(), Fault> {
        let hops = route.hops.iter();
        let hops: Vec<Hop<'_>> = hops
            .map(|(link, direction)| Hop {
                link,
                direction: *direction,
            })
            .collect();
        let gateways = route.gateways.as_ref();
        let ends = Ends {
            from: &route.from,
            to: &route.to,
            gateways: gateways.map(|names| names.each_ref().map(String::as_str)),
        };
        if route.bypass {
            self.builder.bypass(ends, &hops)?;
        } else {
            self.builder.route(ends, &hops, route.symmetrical)?;
        }
        Ok(())
    }
}

/// Attributes of clusters that count.
const CLUSTER: [&str; 16] = [
    "id",
    "prefix",
    "suffix",
    "radical",
    "bw",
    "lat",
    "sharing_policy",
    "topology",
    "topo_parameters",
    "bb_bw",
    "bb_lat",
    "bb_sharing_policy",
    "router_id",
    "limiter_link",
    "loopback_bw",
    "loopback_lat",
];

fn route(element: &Element<'_>) -> Result<Open, Fault> {
    let text = |attribute| element.need(attribute).map(str::to_owned);
    let bypass = element.name.starts_with("bypass");
    let zones = element.name.contains("one") || element.name.contains("AS");
    let gateways = if zones {
        Some([text("gw_src")?, text("gw_dst")?])
    } else {
        None
    };
    Ok(Open::Route(Box::new(Route {
        line: element.line,
        from: text("src")?,
        to: text("dst")?,
        gateways,
        symmetrical: tag::symmetrical(element)?,
        bypass,
        hops: Vec::new(),
    })))
}
