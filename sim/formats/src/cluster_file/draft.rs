//! A cluster file while it is made, and as text.

use std::fmt::Write;

use serde::Serialize;
use units::{BytesPerSec, Seconds};

use crate::import_error::ImportError;

/// A file of another tool, as a file of our own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// The file.
    pub text: String,
    /// What the file does not say, and what was taken for it.
    pub notes: Vec<String>,
    /// What of the file was not used.
    pub ignored: Vec<String>,
}

/// A cluster file.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Draft {
    schema: u32,
    name: &'static str,
    source: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    notes: String,
    pub(super) fabric: Named<Fabric>,
    pub(super) nodes: Vec<Nodes>,
}

/// A name of the zoo, or what is in such a file.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Named<T> {
    Name(String),
    Own(T),
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct Nodes {
    pub(super) count: u32,
    pub(super) kind: Named<Node>,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct Node {
    pub(super) name: &'static str,
    pub(super) gpu: String,
    pub(super) gpus: u32,
    pub(super) scale_up: ScaleUp,
    pub(super) host: Host,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) nics: Option<Nics>,
}

#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct ScaleUp {
    pub(super) kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) rate: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) latency: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) links: Vec<[u32; 3]>,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct Host {
    pub(super) sockets: u32,
    pub(super) gpus_per_switch: u32,
    pub(super) gpu_link: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) nic_link: Option<String>,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct Nics {
    pub(super) count: u32,
    pub(super) rate: String,
}

#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Fabric {
    pub(super) name: &'static str,
    pub(super) kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) network: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) nodes_per_leaf: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) groups_per_pod: Option<u32>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) oversubscription: Vec<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) rails: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) spines: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cores: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) link_rate: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) link_latency: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) switch_latency: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) switches: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) cables: Vec<Cables>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) attach: Vec<Attach>,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct Cables {
    pub(super) ends: [String; 2],
    pub(super) count: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) rate: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) latency: Option<String>,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct Attach {
    pub(super) switches: Vec<String>,
    pub(super) nodes_per_switch: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) first_node: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) nic: Option<u32>,
}

impl Draft {
    pub(super) fn new(
        source: &str,
        told: &[String],
        fabric: Named<Fabric>,
        nodes: Vec<Nodes>,
    ) -> Self {
        Self {
            schema: 1,
            name: "imported",
            source: format!("imported from {source}"),
            notes: told.join("; "),
            fabric,
            nodes,
        }
    }

    /// One or several nodes of a kind on a switch that never blocks.
    pub(super) fn of_node(source: &str, notes: &[String], node: Node, count: u32) -> Self {
        let kind = Named::Own(node);
        let fabric = Named::Name("nonblocking".to_owned());
        Self::new(source, notes, fabric, vec![Nodes { count, kind }])
    }

    /// The file, with comments behind it.
    pub(super) fn text(&self, comments: &[String]) -> Result<String, ImportError> {
        let text = toml::to_string(self);
        let mut text = text.map_err(|error| ImportError::CannotSay(error.to_string()))?;
        for comment in comments {
            // Writing to a string cannot fail; a control character would end the comment.
            let _ = writeln!(text, "# {}", comment.replace(char::is_control, " "));
        }
        Ok(text)
    }
}

/// A rate of a link inside a node.
pub(super) fn rate_text(rate: BytesPerSec) -> String {
    first_short(rate, ["GB/s", "GiB/s", "Gbit/s"])
}

/// A rate of a port or a cable.
pub(super) fn port_text(rate: BytesPerSec) -> String {
    first_short(rate, ["Gbit/s", "GB/s", "GiB/s"])
}

/// A rate in the first unit in which it has few digits.
fn first_short(rate: BytesPerSec, units: [&str; 3]) -> String {
    let text = |unit: &str| {
        let number = match unit {
            "Gbit/s" => rate.as_gbits(),
            "GB/s" => rate.as_gbytes(),
            _ => rate.as_f64() / 1_073_741_824.0,
        };
        format!("{number} {unit}")
    };
    let short = units.into_iter().map(text).find(|text| text.len() <= 14);
    short.unwrap_or_else(|| format!("{:.4} GB/s", rate.as_gbytes()))
}

/// A duration in nanoseconds.
pub(super) fn latency_text(latency: Seconds) -> String {
    let nanos = latency.as_secs() * 1e9;
    let rounded = (nanos * 1e3).round() / 1e3;
    format!("{rounded} ns")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_written_in_a_unit_in_which_they_are_round() {
        let text = |bytes: f64| rate_text(BytesPerSec::new(bytes).unwrap());
        assert_eq!(text(50e9), "50 GB/s");
        assert_eq!(text(15.75e9), "15.75 GB/s");
        assert_eq!(port_text(BytesPerSec::new(12.5e9).unwrap()), "100 Gbit/s");
        assert_eq!(text(50.0 * 1_073_741_824.0), "50 GiB/s");
        assert_eq!(text(15.753_846_153e9), "15.7538 GB/s");
        assert_eq!(latency_text(Seconds::from_secs(500.0 * 1e-9)), "500 ns");
    }
}
