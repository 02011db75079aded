//! The arguments of network workloads.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;

/// Traffic on a network, in place of a scenario or over it.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Network workloads")]
pub(crate) struct TrafficArgs {
    /// The fabric: a cluster file, a cluster of the zoo, or a SimGrid platform (.xml)
    #[arg(long, value_name = "FABRIC", requires = "workload", value_hint = clap::ValueHint::FilePath)]
    pub(crate) fabric: Option<String>,

    /// A CSV file of flows: `id,src,dst,bytes,start_s,after`
    #[arg(long, value_name = "FILE", group = "workload", requires = "fabric", value_hint = clap::ValueHint::FilePath)]
    pub(crate) flows: Option<PathBuf>,

    /// A collective over all nodes: ring, alltoall, permutation, ...
    #[arg(long, value_name = "KIND", group = "workload", requires_all = ["fabric", "bytes"])]
    pub(crate) collective: Option<String>,

    /// Size of the collective, such as 67108864 or '64 MiB'
    #[arg(long, value_name = "SIZE", requires = "collective")]
    pub(crate) bytes: Option<String>,

    /// How the flow engine shares links: equal, or cm02 as SimGrid does
    #[arg(long, value_name = "RULE")]
    pub(crate) share: Option<String>,

    /// Which ways flows take: static, ecmp, ecmp-k, flowlet, adaptive-flow, adaptive-packet,
    /// spray, oblivious, reps, bitmap, mixed or singlepath
    #[arg(long, value_name = "POLICY")]
    pub(crate) load_balancing: Option<String>,

    /// How packets get there: ideal, dcqcn-gbn, dcqcn-sr, ndp, eqds or uec
    #[arg(long, value_name = "NAME")]
    pub(crate) transport: Option<String>,

    /// Leave the times of single flows out of the result
    #[arg(long)]
    pub(crate) no_flows: bool,
}

impl TrafficArgs {
    /// What a fabric is: a platform, a cluster file, or a cluster of the zoo.
    fn fabric_field(&self) -> &'static str {
        let path = Path::new(self.fabric.as_deref().unwrap_or_default());
        let has_ending = |wanted| {
            path.extension()
                .is_some_and(|ending| ending.eq_ignore_ascii_case(wanted))
        };
        if has_ending("xml") {
            "workload.fabric"
        } else if has_ending("toml") || 1 < path.components().count() {
            "cluster.file"
        } else {
            "cluster.name"
        }
    }

    /// The fields of a scenario that the options stand for, with their options.
    pub(crate) fn assignments(&self) -> Vec<(&'static str, String)> {
        let flows = self.flows.as_ref().map(|path| path.display().to_string());
        let texts = [
            ("--fabric", self.fabric_field(), &self.fabric),
            ("--flows", "workload.flows", &flows),
            ("--collective", "workload.collective", &self.collective),
            ("--share", "network.share", &self.share),
            (
                "--load-balancing",
                "network.load_balancing",
                &self.load_balancing,
            ),
            ("--transport", "network.transport", &self.transport),
        ];
        let texts = texts.into_iter().filter_map(|(option, field, value)| {
            let quoted = toml_string(value.as_ref()?);
            Some((option, format!("{field}={quoted}")))
        });
        let bytes = self.bytes.as_ref().map(|bytes| {
            let is_number = !bytes.is_empty() && bytes.bytes().all(|byte| byte.is_ascii_digit());
            // TOML's whole numbers end at 2^63: beyond, the range of sizes is what is wrong.
            let value = match bytes.parse::<i64>() {
                Ok(number) if is_number => number.to_string(),
                Err(_) if is_number => toml_string(&format!("{bytes} B")),
                _ => toml_string(bytes),
            };
            ("--bytes", format!("workload.bytes={value}"))
        });
        texts.chain(bytes).collect()
    }
}

/// A text as TOML writes it.
fn toml_string(text: &str) -> String {
    let mut quoted = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => {
                let _ = write!(quoted, "\\u{:04X}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}
