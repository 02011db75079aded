//! `<system>`: processors, the tree of `PCIe` devices under them, GPUs, NICs and NVLink.
//!
//! Files that clouds ship hold the `PCIe` tree only: NCCL adds GPUs, NICs and NVLink when it runs.

use std::collections::BTreeSet;

use units::BytesPerSec;

use crate::import_error::{ImportError, shown};
use crate::xml::{self, Element};

/// A server.
#[derive(Clone, Debug, PartialEq)]
pub struct System {
    /// Its processors, one for each NUMA node.
    pub cpus: Vec<Cpu>,
    /// What of the file is not kept: `<element>` and `element@attribute`.
    pub ignored: Vec<String>,
}

/// A NUMA node with what hangs on it.
#[derive(Clone, Debug, PartialEq)]
pub struct Cpu {
    /// The number of the NUMA node.
    pub numa: Option<i32>,
    /// Who made the processor.
    pub vendor: Option<String>,
    /// Its `PCIe` devices.
    pub pci: Vec<Pci>,
    /// Ports of NICs that hang on no `PCIe`.
    pub nets: Vec<Net>,
}

/// What kind of device stands at an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// A display or 3D controller.
    Gpu,
    /// A network controller.
    Nic,
    /// A bridge.
    Bridge,
    /// Something else.
    Other(u32),
}

impl Class {
    fn of(class: u32) -> Self {
        match class >> 16 {
            0x03 => Self::Gpu,
            0x02 => Self::Nic,
            0x06 => Self::Bridge,
            _ => Self::Other(class),
        }
    }
}

/// A `PCIe` device or bridge.
#[derive(Clone, Debug, PartialEq)]
pub struct Pci {
    /// Its address.
    pub busid: String,
    /// What it is.
    pub class: Class,
    /// Who made it, and which of their devices it is.
    pub ids: Option<[u32; 2]>,
    /// The rate of its link, where the file has speed and width.
    pub link: Option<BytesPerSec>,
    /// The GPU.
    pub gpu: Option<Gpu>,
    /// The ports of a NIC.
    pub nets: Vec<Net>,
    /// What is behind the bridge.
    pub below: Vec<Pci>,
}

/// A GPU as NCCL found it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gpu {
    /// The number of the device.
    pub dev: Option<i32>,
    /// Its compute capability times ten.
    pub sm: Option<u32>,
    /// Its links of NVLink.
    pub nvlinks: Vec<NvLink>,
}

/// What an NVLink ends at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Far {
    /// Another GPU.
    Gpu,
    /// A switch.
    Switch,
    /// A processor.
    Cpu,
    /// Something else, by its class.
    Other(u32),
}

/// Links of NVLink from a GPU to one neighbor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NvLink {
    /// The address of the neighbor.
    pub target: String,
    /// How many.
    pub count: u32,
    /// What the neighbor is.
    pub far: Far,
}

/// A port of a NIC.
#[derive(Clone, Debug, PartialEq)]
pub struct Net {
    /// Its name.
    pub name: Option<String>,
    /// Its rate, where the file has one.
    pub rate: Option<BytesPerSec>,
}

impl System {
    /// Every `PCIe` device, parents before children.
    pub fn devices(&self) -> Vec<&Pci> {
        fn below<'p>(pci: &'p Pci, into: &mut Vec<&'p Pci>) {
            into.push(pci);
            pci.below.iter().for_each(|one| below(one, into));
        }
        let mut all = Vec::new();
        for pci in self.cpus.iter().flat_map(|cpu| &cpu.pci) {
            below(pci, &mut all);
        }
        all
    }
}

/// Reads a topology.
///
/// # Errors
///
/// Where the XML is broken, and the first value that is not what it should be.
pub fn read(text: &str) -> Result<System, ImportError> {
    let root = xml::parse(text)?;
    if root.name != "system" {
        let what = "<system>, with which a topology begins";
        return Err(ImportError::Without { what });
    }
    root.see();
    version(&root)?;
    let cpus = root.each("cpu").map(cpu).collect::<Result<Vec<_>, _>>()?;
    if cpus.is_empty() {
        return Err(ImportError::Without { what: "<cpu>" });
    }
    let mut ignored = BTreeSet::new();
    root.unread(&mut ignored);
    Ok(System {
        cpus,
        ignored: ignored.into_iter().collect(),
    })
}

/// Refuses versions other than 1, the only one there is.
pub(super) fn version(root: &Element) -> Result<(), ImportError> {
    match root.required("version")? {
        "1" => Ok(()),
        found => Err(ImportError::not(root.line, "version", found, "1")),
    }
}

fn cpu(element: &Element) -> Result<Cpu, ImportError> {
    // What the processor is called says nothing of its links.
    for told in ["affinity", "arch", "familyid", "modelid", "host_hash"] {
        element.text(told);
    }
    Ok(Cpu {
        numa: element.number("numaid", "the number of a NUMA node")?,
        vendor: element.text("vendor").map(str::to_owned),
        pci: element.each("pci").map(pci).collect::<Result<_, _>>()?,
        nets: nets(element)?,
    })
}

fn nets(element: &Element) -> Result<Vec<Net>, ImportError> {
    let nets = element.each("nic").flat_map(|nic| nic.each("net"));
    nets.map(net).collect()
}

fn pci(element: &Element) -> Result<Pci, ImportError> {
    let busid = element.required("busid")?.to_owned();
    let class = match element.hex("class")? {
        Some(class) => Class::of(class),
        // NCCL asks the system where a file does not tell.
        None if element.children.iter().any(|one| one.name == "pci") => Class::Bridge,
        None => Class::Other(0),
    };
    let ids = [element.hex("vendor")?, element.hex("device")?];
    element.text("subsystem_vendor");
    element.text("subsystem_device");
    let mut gpus = element.each("gpu").map(gpu);
    Ok(Pci {
        busid,
        class,
        ids: match ids {
            [Some(vendor), Some(device)] => Some([vendor, device]),
            _ => None,
        },
        link: link(element)?,
        gpu: gpus.next().transpose()?,
        nets: nets(element)?,
        below: element.each("pci").map(pci).collect::<Result<_, _>>()?,
    })
}

/// Lanes times the rate of one, in 10⁹ bytes per second, of data alone.
///
/// Up to 5 GT/s a byte takes ten bits on the wire, up to 32 GT/s 128 bits take 130, and with 64
/// GT/s nearly all of a frame is data (`PCIe` base specification 6.0).
fn link(element: &Element) -> Result<Option<BytesPerSec>, ImportError> {
    let width: Option<u32> = element.number("link_width", "a number of lanes")?;
    let Some(speed) = element.text("link_speed").filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let number = speed.split_whitespace().next().unwrap_or("");
    let transfers: Result<f64, _> = number.parse();
    let lane = match transfers {
        Ok(rate) if (0.5..=5.0).contains(&rate) => rate / 10.0,
        Ok(rate) if (5.0..=32.0).contains(&rate) => rate / 8.0 * 128.0 / 130.0,
        Ok(rate) if (32.0..=256.0).contains(&rate) => rate / 8.0 * 242.0 / 256.0,
        // What the system cannot tell it calls Unknown.
        Err(_) if speed.starts_with("Unknown") => return Ok(None),
        _ => {
            let expected = "a rate such as 32.0 GT/s PCIe";
            return Err(ImportError::not(
                element.line,
                "link_speed",
                speed,
                expected,
            ));
        }
    };
    // NCCL takes a width of 0 for 16.
    let lanes = match width {
        None | Some(0) => 16,
        Some(lanes @ 1..=32) => lanes,
        Some(other) => {
            let expected = "a number of lanes up to 32";
            let found = other.to_string();
            return Err(ImportError::not(
                element.line,
                "link_width",
                &found,
                expected,
            ));
        }
    };
    Ok(BytesPerSec::from_gbytes(lane * f64::from(lanes)))
}

fn gpu(element: &Element) -> Result<Gpu, ImportError> {
    element.text("rank");
    element.text("gdr");
    Ok(Gpu {
        dev: element.number("dev", "the number of a device")?,
        sm: element.number("sm", "a compute capability")?,
        nvlinks: element
            .each("nvlink")
            .map(nvlink)
            .collect::<Result<_, _>>()?,
    })
}

fn nvlink(element: &Element) -> Result<NvLink, ImportError> {
    let expected = "a number of links from 1 to 1024";
    let count: Option<u32> = element.number("count", expected)?;
    let count = count.unwrap_or(1);
    if !(1..=1024).contains(&count) {
        let found = count.to_string();
        return Err(ImportError::not(element.line, "count", &found, expected));
    }
    let class = element.hex("tclass")?.unwrap_or(0);
    Ok(NvLink {
        target: element.required("target")?.to_owned(),
        count,
        far: match class {
            0x06_8000 => Far::Switch,
            0x06_8001 => Far::Cpu,
            class if class >> 16 == 0x03 => Far::Gpu,
            class => Far::Other(class),
        },
    })
}

fn net(element: &Element) -> Result<Net, ImportError> {
    for told in ["dev", "port", "guid", "gdr", "maxconn", "coll", "latency"] {
        element.text(told);
    }
    let expected = "a rate in Mbit/s";
    let speed: Option<f64> = element.number("speed", expected)?;
    let rate = |mbits: f64| {
        let rate = BytesPerSec::from_gbits(mbits / 1e3);
        let found = shown(&mbits.to_string());
        rate.ok_or_else(|| ImportError::not(element.line, "speed", &found, expected))
    };
    Ok(Net {
        name: element.text("name").map(str::to_owned),
        rate: speed.map(rate).transpose()?,
    })
}
