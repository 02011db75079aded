//! A node from what was found of it.

use units::BytesPerSec;

use super::Choices;
use super::draft::{Host, Nics, Node, ScaleUp, port_text, rate_text};
use super::gpu::Kind;
use crate::import_error::ImportError;

/// GPUs that a node may have.
const MAX_GPUS: usize = 256;
/// The most links of NVLink that a GPU has: those of H100 and B200.
const MOST_LINKS: u32 = 18;

/// How the GPUs of a node are joined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Joined {
    /// By switches, with so many links of each GPU.
    Switch(u32),
    /// Pairs by so many links.
    Pairs(Vec<[u32; 3]>),
    /// Not at all, but for `PCIe`.
    Not,
    /// The file tells nothing of it.
    Untold,
}

/// What a file tells of a node.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) gpus: usize,
    pub(super) joined: Joined,
    pub(super) sockets: usize,
    /// GPUs on one `PCIe` switch, 0 for none; `None` where it is not told or differs.
    pub(super) per_switch: Option<usize>,
    pub(super) gpu_link: Option<BytesPerSec>,
    pub(super) nic_link: Option<BytesPerSec>,
    pub(super) nics: usize,
    pub(super) nic_rate: Option<BytesPerSec>,
}

impl Joined {
    /// Switches where equal links to all others would be more than a GPU has.
    pub(super) fn of_pairs(pairs: Vec<[u32; 3]>, gpus: usize) -> Self {
        let Some(&[_, _, count]) = pairs.first() else {
            return Self::Not;
        };
        let equal = pairs.iter().all(|[_, _, other]| *other == count);
        let all = pairs.len() == gpus * (gpus - 1) / 2;
        let needed = u64::from(count) * (gpus as u64 - 1);
        if equal && all && u64::from(MOST_LINKS) < needed {
            Self::Switch(count)
        } else {
            Self::Pairs(pairs)
        }
    }

    /// The most links of one GPU.
    pub(super) fn links(&self, gpus: usize) -> u32 {
        match self {
            Self::Switch(links) => *links,
            Self::Pairs(pairs) => {
                let of = |gpu: u32| {
                    let own = pairs.iter().filter(|[a, b, _]| *a == gpu || *b == gpu);
                    own.map(|[_, _, count]| *count).fold(0, u32::saturating_add)
                };
                (0..).take(gpus).map(of).max().unwrap_or(0)
            }
            Self::Not | Self::Untold => 0,
        }
    }
}

impl Found {
    /// The node, with what is not told from the kind of its GPU.
    pub(super) fn node(
        &self,
        gpu: String,
        kind: &Kind,
        choices: &Choices,
        notes: &mut Vec<String>,
    ) -> Result<Node, ImportError> {
        if self.gpus == 0 {
            return Err(ImportError::Without { what: "GPU" });
        }
        let gpus = u32::try_from(self.gpus).unwrap_or(u32::MAX);
        if MAX_GPUS < self.gpus {
            return Err(ImportError::Many {
                line: 0,
                what: "GPUs of a node",
                limit: MAX_GPUS,
            });
        }
        Ok(Node {
            name: "imported",
            scale_up: self.scale_up(kind, notes),
            host: self.host(kind, notes),
            nics: self.nics(kind, choices, notes),
            gpu,
            gpus,
        })
    }

    fn scale_up(&self, kind: &Kind, notes: &mut Vec<String>) -> ScaleUp {
        let link = kind.nvlink();
        let of = |links: u32| link.and_then(|link| link.scale(f64::from(links)));
        let (links, pairs) = match &self.joined {
            Joined::Switch(links) => (*links, Vec::new()),
            Joined::Pairs(pairs) => (1, pairs.clone()),
            Joined::Untold if 0 < kind.nvlinks && 1 < self.gpus => {
                notes.push(format!(
                    "the file tells no NVLink: {} links to switches of each GPU taken",
                    kind.nvlinks
                ));
                (kind.nvlinks, Vec::new())
            }
            Joined::Untold | Joined::Not => (0, Vec::new()),
        };
        let Some(rate) = of(links) else {
            let kind = "pcie";
            return ScaleUp {
                kind,
                ..ScaleUp::default()
            };
        };
        if !matches!(self.joined, Joined::Untold) {
            let gbytes = link.map_or(0.0, BytesPerSec::as_gbytes);
            notes.push(format!("a link of NVLink carries {gbytes} GB/s each way"));
        }
        ScaleUp {
            kind: if pairs.is_empty() { "nvswitch" } else { "mesh" },
            rate: Some(rate_text(rate)),
            latency: None,
            links: pairs,
        }
    }

    fn host(&self, kind: &Kind, notes: &mut Vec<String>) -> Host {
        let per_switch = self.per_switch.unwrap_or_else(|| {
            notes.push("how GPUs share PCIe switches is not told or differs: each has its own link to its socket".to_owned());
            0
        });
        let gpu_link = self.gpu_link.or_else(|| kind.pcie());
        let text = gpu_link.map(rate_text).unwrap_or_default();
        if self.gpu_link.is_none() {
            notes.push(format!("PCIe of a GPU is not told: {text} taken"));
        }
        if 1 < self.sockets {
            notes.push("what two sockets reach is not told: as a GPU's PCIe".to_owned());
        }
        Host {
            sockets: u32::try_from(self.sockets.max(1)).unwrap_or(1),
            gpus_per_switch: u32::try_from(per_switch).unwrap_or(0),
            nic_link: self
                .nic_link
                .filter(|link| Some(*link) != gpu_link)
                .map(rate_text),
            gpu_link: text,
        }
    }

    fn nics(&self, kind: &Kind, choices: &Choices, notes: &mut Vec<String>) -> Option<Nics> {
        let mut count = self.nics;
        if count == 0 && choices.nic_rate.is_none() {
            notes.push("the file tells no NIC; --nic-rate gives one to every GPU".to_owned());
            return None;
        }
        if count == 0 {
            notes.push("the file tells no NIC: one for every GPU taken".to_owned());
            count = self.gpus;
        }
        if self.gpus < count && !count.is_multiple_of(self.gpus) {
            // More NICs than GPUs are shared out equally.
            count -= count % self.gpus;
            notes.push(format!(
                "{} NICs for {} GPUs: {count} used",
                self.nics, self.gpus
            ));
        }
        let rate = choices.nic_rate.or(self.nic_rate).or_else(|| kind.nic())?;
        let text = port_text(rate);
        if choices.nic_rate.is_none() && self.nic_rate.is_none() {
            notes.push(format!(
                "the rate of a NIC is not told: {text} taken; --nic-rate sets another"
            ));
        }
        Some(Nics {
            count: u32::try_from(count).unwrap_or(u32::MAX),
            rate: text,
        })
    }
}

/// How many GPUs of a group there are where all groups are equal.
pub(super) fn equal(sizes: &[usize]) -> Option<usize> {
    let first = *sizes.first()?;
    sizes.iter().all(|size| *size == first).then_some(first)
}
