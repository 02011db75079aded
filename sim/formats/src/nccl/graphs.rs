//! `<graphs>`: for each algorithm, the channels, and the order of GPUs and NICs in each.

use std::collections::BTreeSet;

use units::BytesPerSec;

use super::topology::version;
use crate::import_error::ImportError;
use crate::xml::{self, Element};

/// What NCCL chose.
#[derive(Clone, Debug, PartialEq)]
pub struct Graphs {
    /// One for each algorithm.
    pub graphs: Vec<Graph>,
    /// What of the file is not kept.
    pub ignored: Vec<String>,
}

/// Which channels an algorithm runs on.
#[derive(Clone, Debug, PartialEq)]
pub struct Graph {
    /// What it is for.
    pub algorithm: Algorithm,
    /// How the GPUs of a channel are joined, as NCCL numbers it: 1 balanced tree, 2 split tree,
    /// 3 tree, 4 ring, 5 NVLS, 6 `CollNet` direct.
    pub pattern: u32,
    /// What a channel reaches inside a server.
    pub inside: Option<BytesPerSec>,
    /// What a channel reaches between servers.
    pub between: Option<BytesPerSec>,
    /// The slowest kind of way inside a server, such as `NVL` or `SYS`.
    pub inside_type: Option<String>,
    /// The slowest kind of way from a GPU to its NIC, such as `PIX`.
    pub between_type: Option<String>,
    /// Whether a channel may enter a server over one NIC and leave it over another.
    pub crosses_nics: bool,
    /// The channels.
    pub channels: Vec<Vec<Stop>>,
}

/// Whose channels they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// Rings.
    Ring,
    /// Double binary trees.
    Tree,
    /// Reduction in switches of the fabric.
    CollNet,
    /// Reduction in the switches of NVLink.
    Nvls,
    /// Another, by its number.
    Other(u32),
}

/// What a channel passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// A GPU, by its device number or its rank.
    Gpu(u32),
    /// A NIC, by its number.
    Net(u32),
}

/// Reads the channels.
///
/// # Errors
///
/// Where the XML is broken, and the first value that is not what it should be.
pub fn read(text: &str) -> Result<Graphs, ImportError> {
    let root = xml::parse(text)?;
    if root.name != "graphs" {
        let what = "<graphs>, with which channels begin";
        return Err(ImportError::Without { what });
    }
    root.see();
    version(&root)?;
    let graphs = root.each("graph").map(graph).collect::<Result<_, _>>()?;
    let mut ignored = BTreeSet::new();
    root.unread(&mut ignored);
    Ok(Graphs {
        graphs,
        ignored: ignored.into_iter().collect(),
    })
}

fn graph(element: &Element) -> Result<Graph, ImportError> {
    let number = |field: &str| element.number::<u32>(field, "a whole number");
    let speed = |field: &str| -> Result<Option<BytesPerSec>, ImportError> {
        let gbytes: Option<f64> = element.number(field, "a rate in GB/s")?;
        Ok(gbytes.and_then(BytesPerSec::from_gbytes))
    };
    let id = number("id")?;
    let algorithm = match id.ok_or_else(|| missing(element, "id"))? {
        0 => Algorithm::Ring,
        1 => Algorithm::Tree,
        2 => Algorithm::CollNet,
        3 => Algorithm::Nvls,
        other => Algorithm::Other(other),
    };
    let channels: Vec<_> = element
        .each("channel")
        .map(channel)
        .collect::<Result<_, _>>()?;
    if let Some(told) = number("nchannels")?
        && told as usize != channels.len()
    {
        let what = format!("`nchannels` is {told}, but there are {}", channels.len());
        let line = element.line;
        return Err(ImportError::Contradiction { line, what });
    }
    Ok(Graph {
        algorithm,
        pattern: number("pattern")?.ok_or_else(|| missing(element, "pattern"))?,
        inside: speed("speedintra")?,
        between: speed("speedinter")?,
        inside_type: element.text("typeintra").map(str::to_owned),
        between_type: element.text("typeinter").map(str::to_owned),
        crosses_nics: element.text("crossnic").is_some_and(|text| text != "0"),
        channels,
    })
}

fn channel(element: &Element) -> Result<Vec<Stop>, ImportError> {
    element.children.iter().filter_map(stop).collect()
}

fn stop(element: &Element) -> Option<Result<Stop, ImportError>> {
    let kind = match element.name.as_str() {
        "gpu" => Stop::Gpu,
        "net" => Stop::Net,
        _ => return None,
    };
    element.see();
    let number = |field: &str| element.number(field, "the number of a device");
    // Newer versions write the rank of a GPU besides its device.
    let found = number("dev").and_then(|dev| match dev {
        Some(dev) => Ok(Some(dev)),
        None => number("rank"),
    });
    Some(match found {
        Ok(Some(number)) => Ok(kind(number)),
        Ok(None) => Err(missing(element, "dev")),
        Err(error) => Err(error),
    })
}

fn missing(element: &Element, field: &str) -> ImportError {
    ImportError::Missing {
        line: element.line,
        element: format!("<{}>", element.name),
        field: field.to_owned(),
    }
}
