//! `ibnetdiscover`: switches, adapters and routers of an InfiniBand fabric, and every cable.
//!
//! ```text
//! Switch  65 "S-b83fd20300a10000"   # "leaf01" enhanced port 0 lid 1 lmc 0
//! [1]  "H-a088c20300f20000"[1](a088c20300f20000)   # "gpu001 mlx5_0" lid 7 4xNDR
//! [33] "S-b83fd20300a10100"[1]                     # "spine01" lid 5 4xNDR
//!
//! Ca  1 "H-a088c20300f20000"        # "gpu001 mlx5_0"
//! [1](a088c20300f20000)  "S-b83fd20300a10000"[1]   # lid 7 lmc 0 "leaf01" lid 1 4xNDR
//! ```
//!
//! Every cable stands at both of its ends and is kept once. Rates are those of the data: encoding
//! is taken off.

use std::collections::{BTreeMap, BTreeSet};

use units::BytesPerSec;

use crate::import_error::{ImportError, shown};

const MAX_CABLES: usize = 1 << 22;

/// What a device is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A switch.
    Switch,
    /// A channel adapter: a NIC.
    Adapter,
    /// A router.
    Router,
}

/// A device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// What it is.
    pub kind: Kind,
    /// Its GUID as the cables name it, such as `S-0002c90200404e10`.
    pub guid: String,
    /// The text that it describes itself with, such as `gpu001 mlx5_0`.
    pub name: String,
    /// What several devices in one box have in common.
    pub system: Option<String>,
    /// Its ports; of newer switches with port 0.
    pub ports: u32,
    /// Where the file has it.
    pub line: u64,
}

/// A cable between two ports.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cable {
    /// The devices by their places in the list, with their ports, the lower end first.
    pub ends: Ports,
    /// How much data it carries each way, where the file tells.
    pub rate: Option<BytesPerSec>,
}

/// A fabric.
#[derive(Clone, Debug, PartialEq)]
pub struct Network {
    /// The devices, in the order of the file.
    pub devices: Vec<Device>,
    /// The cables.
    pub cables: Vec<Cable>,
    /// What of the file is not kept.
    pub ignored: Vec<String>,
    /// Cables whose two ends tell different rates; the lower one is kept.
    pub unequal: Vec<String>,
}

/// Reads the output of the tool.
///
/// # Errors
///
/// The first line that is not understood, and cables whose ends do not fit.
pub fn read(text: &str) -> Result<Network, ImportError> {
    let mut reader = Reader::default();
    for (number, line) in (1..).zip(text.lines()) {
        reader.line(number, line.trim())?;
    }
    reader.finish()
}

/// A port: the place of its device in the list, and its number there.
pub type Port = (usize, u32);

/// The two ports of a cable, the lower first.
pub type Ports = [Port; 2];

/// One end of a cable as its line tells it.
struct End {
    line: u64,
    port: u32,
    peer: String,
    peer_port: u32,
    rate: Option<BytesPerSec>,
}

#[derive(Default)]
struct Reader {
    devices: Vec<Device>,
    of_guid: BTreeMap<String, usize>,
    /// By device.
    ends: Vec<Vec<End>>,
    cables: usize,
    system: Option<String>,
    ignored: BTreeSet<&'static str>,
}

impl Reader {
    fn line(&mut self, line: u64, text: &str) -> Result<(), ImportError> {
        if text.is_empty() {
            self.system = None;
            return Ok(());
        }
        if text.starts_with('[') {
            return self.cable(line, text);
        }
        if text.starts_with('#') {
            return Ok(());
        }
        let word = text.split_whitespace().next().unwrap_or("");
        let kind = match word {
            "Switch" => Kind::Switch,
            "Ca" => Kind::Adapter,
            "Rt" => Kind::Router,
            _ => return self.other(line, text),
        };
        self.device(line, kind, text)
    }

    /// Headings and `key=value`.
    fn other(&mut self, line: u64, text: &str) -> Result<(), ImportError> {
        if let Some((key, value)) = text.split_once('=') {
            match key {
                "sysimgguid" => self.system = Some(value.trim().to_owned()),
                "vendid" | "devid" => drop(self.ignored.insert("vendid, devid")),
                "switchguid" | "caguid" | "rtguid" => {}
                _ => drop(self.ignored.insert("keys that are not known")),
            }
            return Ok(());
        }
        let is_heading = ["Chassis", "Non-Chassis", "Slot", "DumpAll"]
            .iter()
            .any(|word| text.starts_with(word));
        if is_heading {
            self.ignored.insert("headings of chassis");
            return Ok(());
        }
        let what = format!("{:?} is no device, cable or key", shown(text));
        Err(ImportError::Syntax { line, what })
    }

    fn device(&mut self, line: u64, kind: Kind, text: &str) -> Result<(), ImportError> {
        let (said, comment) = split_comment(text);
        let ports = said.split_whitespace().nth(1).unwrap_or("");
        let ports = ports
            .parse()
            .map_err(|_| ImportError::not(line, "ports", ports, "a number of ports"))?;
        let guid = quoted(said).ok_or_else(|| ImportError::Missing {
            line,
            element: "the device".to_owned(),
            field: "\"guid\"".to_owned(),
        })?;
        let at = self.devices.len();
        if let Some(first) = self.of_guid.insert(guid.to_owned(), at) {
            return Err(ImportError::Repeated {
                line,
                what: "the device",
                name: shown(guid),
                first: self.devices[first].line,
            });
        }
        self.devices.push(Device {
            kind,
            guid: guid.to_owned(),
            name: quoted(comment).unwrap_or(guid).to_owned(),
            system: self.system.take(),
            ports,
            line,
        });
        self.ends.push(Vec::new());
        Ok(())
    }

    fn cable(&mut self, line: u64, text: &str) -> Result<(), ImportError> {
        let (said, comment) = split_comment(text);
        let syntax = || ImportError::Syntax {
            line,
            what: format!(
                "{:?} is no cable: [port] \"peer\"[port] # ... 4xNDR",
                shown(text)
            ),
        };
        let (port, rest) = bracketed(said).ok_or_else(syntax)?;
        let peer = quoted(rest).ok_or_else(syntax)?;
        let behind = rest.rsplit_once('"').map_or("", |(_, behind)| behind);
        let (peer_port, _) = bracketed(behind).ok_or_else(syntax)?;
        let Some(ends) = self.ends.last_mut() else {
            let what = "a cable stands before the first device".to_owned();
            return Err(ImportError::Syntax { line, what });
        };
        self.cables += 1;
        if MAX_CABLES < self.cables {
            let (what, limit) = ("ends of cables", MAX_CABLES);
            return Err(ImportError::Many { line, what, limit });
        }
        // The rate is the last word behind the name, which may have words like it.
        let words = comment.rsplit_once('"').map_or(comment, |(_, words)| words);
        let rate = words.split_whitespace().find(|word| word.contains('x'));
        ends.push(End {
            line,
            port,
            peer: peer.to_owned(),
            peer_port,
            rate: rate.map(|rate| link_rate(line, rate)).transpose()?,
        });
        Ok(())
    }

    fn finish(self) -> Result<Network, ImportError> {
        if self.devices.is_empty() {
            let what = "line that begins with Switch, Ca or Rt";
            return Err(ImportError::Without { what });
        }
        let mut cables: BTreeMap<Ports, Option<BytesPerSec>> = BTreeMap::new();
        let mut taken: BTreeMap<Port, (Ports, u64)> = BTreeMap::new();
        let mut unequal = Vec::new();
        for (at, ends) in self.ends.iter().enumerate() {
            for end in ends {
                let line = end.line;
                let Some(&peer) = self.of_guid.get(&end.peer) else {
                    let (what, name) = ("the device", shown(&end.peer));
                    return Err(ImportError::Unknown { line, what, name });
                };
                let mut key = [(at, end.port), (peer, end.peer_port)];
                key.sort_unstable();
                for port in key {
                    let (other, first) = *taken.entry(port).or_insert((key, line));
                    if other != key {
                        let name = shown(&self.devices[port.0].name);
                        let what = format!(
                            "port {} of {name} has another cable on line {first}",
                            port.1
                        );
                        return Err(ImportError::Contradiction { line, what });
                    }
                }
                let rate = cables.entry(key).or_insert(end.rate);
                if *rate != end.rate {
                    unequal.push(self.shown(key));
                    *rate = match (*rate, end.rate) {
                        (Some(a), Some(b)) => Some(a.min(b)),
                        (a, b) => a.or(b),
                    };
                }
            }
        }
        let cables = cables.into_iter();
        let mut ignored: Vec<_> = self.ignored.into_iter().map(str::to_owned).collect();
        ignored.push("lid, lmc, GUIDs of ports".to_owned());
        Ok(Network {
            devices: self.devices,
            cables: cables.map(|(ends, rate)| Cable { ends, rate }).collect(),
            ignored,
            unequal,
        })
    }

    fn shown(&self, key: Ports) -> String {
        let [a, b] = key.map(|(at, port)| format!("{}[{port}]", shown(&self.devices[at].name)));
        format!("{a} to {b}")
    }
}

/// What a line says, and the comment behind it.
fn split_comment(text: &str) -> (&str, &str) {
    // A `#` may stand in a name, but names stand behind the first.
    text.split_once('#').unwrap_or((text, ""))
}

/// What stands between the first two quotes.
fn quoted(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once('"')?;
    let (inside, _) = rest.split_once('"')?;
    Some(inside)
}

/// `[7]` at the beginning, and what follows.
fn bracketed(text: &str) -> Option<(u32, &str)> {
    let (number, rest) = text.trim_start().strip_prefix('[')?.split_once(']')?;
    Some((number.trim().parse().ok()?, rest))
}

/// `4xNDR` as a rate.
fn link_rate(line: u64, text: &str) -> Result<BytesPerSec, ImportError> {
    let not = || {
        let expected = "a width and a speed such as 4xNDR";
        ImportError::not(line, "rate", text, expected)
    };
    let (lanes, speed) = text.split_once('x').ok_or_else(not)?;
    let lanes: u32 = lanes.parse().map_err(|_| not())?;
    let gbits = lane_gbits(speed).ok_or_else(not)?;
    if ![1, 2, 4, 8, 12].contains(&lanes) {
        return Err(not());
    }
    BytesPerSec::from_gbits(gbits * f64::from(lanes)).ok_or_else(not)
}

/// What a lane carries of data, in Gbit/s. SDR, DDR and QDR send ten bits for eight; faster ones
/// are called by what they carry (InfiniBand architecture, volume 2; IBTA road map).
fn lane_gbits(speed: &str) -> Option<f64> {
    Some(match speed {
        "SDR" => 2.0,
        "DDR" => 4.0,
        "QDR" => 8.0,
        "FDR10" => 10.0,
        "FDR" => 13.64,
        "EDR" => 25.0,
        "HDR" => 50.0,
        "NDR" => 100.0,
        "XDR" => 200.0,
        _ => return None,
    })
}
