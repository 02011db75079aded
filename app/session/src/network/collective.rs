//! A collective of a workload: how NCCL would run it, and what of `[nccl]` it heeds.

use format::{Failure, Nccl};
use predict::Assumed;
use traffic::{
    Choice, Kind, Options, Program, Ranks, Wishes, choose, collective_over, streams_at_most,
};
use units::Bytes;

use crate::Opened;

/// The most streams that a collective may have: tens of gigabytes.
const MOST_STREAMS: u64 = 1 << 28;

/// What of a workload was taken without being said, and what is suspicious.
#[derive(Debug, Default)]
pub(super) struct Notes {
    pub(super) assumptions: Vec<Assumed>,
    pub(super) warnings: Vec<String>,
}

impl Opened {
    /// The streams of a collective over ranks.
    pub(super) fn collective(
        &self,
        kind: Kind,
        ranks: &Ranks,
        bytes: Bytes,
        notes: &mut Notes,
    ) -> Result<Program, Vec<Failure>> {
        let nccl = &self.spec.nccl;
        let choice = choose(kind, ranks, bytes, &wishes(nccl));
        let streams = streams_at_most(choice.kind, ranks, bytes, &choice.options);
        if MOST_STREAMS < streams {
            let message =
                format!("the collective has up to {streams} streams, more than {MOST_STREAMS}");
            let hint =
                Some("take fewer nodes, or a kind that does not pair all of them".to_owned());
            return Err(vec![self.refused("workload.collective", message, hint)]);
        }
        let why = match choice.tuned {
            Some(_) => format!("NCCL's tuner, for {bytes} over {} ranks", ranks.n()),
            None => format!("what NCCL takes for {bytes} over {} ranks", ranks.n()),
        };
        notes.assumptions.extend(assumed(nccl, &choice, &why));
        notes.warnings.extend(unheeded(nccl, kind, &choice));
        Ok(collective_over(choice.kind, ranks, bytes, &choice.options))
    }
}

/// What `[nccl]` asks of a collective.
pub(super) fn wishes(nccl: &Nccl) -> Wishes {
    Wishes {
        algorithm: nccl.algorithm,
        protocol: nccl.protocol,
        channels: nccl.channels,
        collnet: nccl.collnet.unwrap_or(false),
    }
}

/// What NCCL chose that the scenario left open.
fn assumed(nccl: &Nccl, choice: &Choice, why: &str) -> Vec<Assumed> {
    let algorithm = choice.tuned.map(|tuned| tuned.algorithm.name());
    let is_cut = choice.kind.has_channels();
    let protocol = (is_cut || choice.tuned.is_some()).then(|| choice.options.protocol.name());
    let channels = is_cut.then(|| choice.options.channels.to_string());
    let fields = [
        (
            "nccl.algo",
            algorithm.map(str::to_owned),
            nccl.algorithm.is_some(),
        ),
        (
            "nccl.proto",
            protocol.map(str::to_owned),
            nccl.protocol.is_some(),
        ),
        ("nccl.channels", channels, nccl.channels.is_some()),
    ];
    let open = fields.into_iter().filter(|(.., is_given)| !is_given);
    open.filter_map(|(field, value, _)| {
        Some(Assumed {
            field: field.to_owned(),
            value: value?,
            reason: why.to_owned(),
        })
    })
    .collect()
}

/// What `[nccl]` says that this collective does otherwise.
fn unheeded(nccl: &Nccl, kind: Kind, choice: &Choice) -> Vec<String> {
    let mut out = Vec::new();
    let mut warn = |field: &str, value: &str, why: &str| {
        out.push(format!("`nccl.{field}` = {value} has no effect: {why}"));
    };
    let name = kind.name();
    let by_name = format!("{name} says itself how it runs");
    if let Some(wish) = nccl.algorithm {
        let value = format!("{:?}", wish.name());
        match choice.tuned {
            None => warn("algo", &value, &by_name),
            Some(tuned) if tuned.algorithm != wish => {
                let own = tuned.algorithm.name();
                warn(
                    "algo",
                    &value,
                    &format!("{name} of these ranks has no such way, and takes {own}"),
                );
            }
            Some(_) => {}
        }
    }
    let ways = match choice.tuned {
        Some(tuned) => format!("{name} by {}", tuned.algorithm.name()),
        None => name.to_owned(),
    };
    let is_cut = choice.kind.has_channels();
    if let Some(wish) = nccl
        .protocol
        .filter(|wish| *wish != choice.options.protocol)
    {
        let (value, own) = (format!("{:?}", wish.name()), choice.options.protocol.name());
        warn("proto", &value, &format!("{ways} takes {own}"));
    }
    if let Some(wish) = nccl.channels {
        if !is_cut {
            warn(
                "channels",
                &wish.to_string(),
                &format!("{ways} is not cut into channels"),
            );
        } else if Options::MOST_CHANNELS < wish {
            let most = Options::MOST_CHANNELS;
            out.push(format!(
                "`nccl.channels` = {wish} counts as {most}, NCCL's most"
            ));
        }
    }
    if nccl.collnet == Some(true) && kind != Kind::AllReduce {
        out.push(format!("`nccl.collnet` has no effect on {name}"));
    }
    out
}

/// What `[nccl]` says that a list of flows has no use for.
pub(super) fn unheeded_by_flows(nccl: &Nccl) -> Option<String> {
    let fields = [
        ("algo", nccl.algorithm.is_some()),
        ("proto", nccl.protocol.is_some()),
        ("channels", nccl.channels.is_some()),
        ("collnet", nccl.collnet.is_some()),
    ];
    let given: Vec<String> = fields
        .into_iter()
        .filter(|(_, is_given)| *is_given)
        .map(|(field, _)| format!("`nccl.{field}`"))
        .collect();
    let has = if given.len() == 1 { "has" } else { "have" };
    (!given.is_empty()).then(|| format!("{} {has} no effect on flows", given.join(", ")))
}
