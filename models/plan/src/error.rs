//! Why a plan does not fit its job or its cluster.

use crate::divisors::divisors;
use crate::schedule::{CsvError, ScheduleRefusal};

/// The largest degree that a hint names.
const MOST: u64 = 1 << 16;

/// Why a plan does not fit its job or its cluster.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the messages are the documentation")]
pub enum PlanError {
    #[error("{field} is 0, but every degree is at least 1")]
    Zero { field: &'static str },
    #[error("{field} is {value}, above the limit of {limit}")]
    TooLarge {
        field: &'static str,
        value: u64,
        limit: u64,
    },
    #[error(
        "tp {tp} x cp {cp} x pp {pp} x dp {dp} needs {needed} GPUs, but the cluster has {gpus}"
    )]
    LargerThanCluster {
        tp: u32,
        cp: u32,
        pp: u32,
        dp: u32,
        needed: u64,
        gpus: u64,
    },
    #[error("tp {tp} x cp {cp} x pp {pp} does not divide the cluster's {gpus} GPUs")]
    DoesNotTile {
        tp: u32,
        cp: u32,
        pp: u32,
        gpus: u64,
    },
    #[error("tp {tp} does not divide the model's {heads} attention heads")]
    Heads { tp: u32, heads: u64 },
    #[error(
        "tp {tp} neither divides the model's {kv_heads} key and value heads nor is a multiple of \
         them"
    )]
    KvHeads { tp: u32, kv_heads: u64 },
    #[error("tp {tp} does not divide the feed-forward width {width}")]
    FfnWidth { tp: u32, width: u64 },
    #[error("etp {etp} does not divide the experts' width {width}")]
    ExpertWidth { etp: u32, width: u64 },
    #[error("cp {cp} with all-to-alls does not divide the {heads} heads that tp leaves on a rank")]
    CpHeads { cp: u32, heads: u64 },
    #[error("sequences of {seq_len} tokens do not divide into {parts} equal parts, as {why} needs")]
    SeqLen {
        seq_len: u64,
        parts: u64,
        why: &'static str,
    },
    #[error("ep {ep} does not divide the model's {experts} experts")]
    Experts { ep: u32, experts: u64 },
    #[error("{field} is {value}, but the model has no experts")]
    NoExperts { field: &'static str, value: f64 },
    #[error(
        "ep {ep} x etp {etp} does not divide tp {tp} x cp {cp} x dp {dp}, the ranks of a pipeline \
         stage"
    )]
    ExpertTiling {
        ep: u32,
        etp: u32,
        tp: u32,
        cp: u32,
        dp: u32,
    },
    #[error(
        "with rank order {order}, ep {ep} x etp {etp} gives experts other pipeline groups than \
         the rest of the model"
    )]
    ExpertOrder { order: String, ep: u32, etp: u32 },
    #[error(
        "global_batch {global_batch} does not divide into micro-batches of {micro_batch} on dp \
         {dp} ranks"
    )]
    Batch {
        global_batch: u64,
        micro_batch: u64,
        dp: u32,
    },
    #[error("{layers} layers are fewer than the {stages} stages of pp {pp} x vp {vp}")]
    Layers {
        layers: u32,
        stages: u32,
        pp: u32,
        vp: u32,
    },
    #[error("{counted} layers, with what counts as one, do not divide over {stages} stages")]
    UnevenLayers { counted: u32, stages: u32 },
    #[error("layer_split has {given} entries, but pp x vp is {stages}")]
    SplitLength { given: usize, stages: u32 },
    #[error("layer_split sums to {given}, but the model has {layers} layers")]
    SplitSum { given: u64, layers: u32 },
    #[error("vp is {vp}, but without a pipeline (pp 1) there is nothing to interleave")]
    NothingToInterleave { vp: u32 },
    #[error("{0}")]
    Schedule(#[from] ScheduleRefusal),
    #[error("schedule file: {0}")]
    ScheduleFile(#[from] CsvError),
    #[error("the schedule file has {file} {what}, but the plan has {plan}")]
    ScheduleFileSize {
        what: &'static str,
        file: u64,
        plan: u64,
    },
    #[error("both schedule and schedule_file are given")]
    TwoSchedules,
    #[error("the schedule file has no backward passes, but a job trains")]
    ForwardOnly,
    #[error("shard level {what} over {group} ranks does not divide the {ranks} ranks of dp x cp")]
    ShardGroup {
        what: &'static str,
        group: u32,
        ranks: u32,
    },
    #[error("shard lists {what} twice")]
    ShardTwice { what: &'static str },
    #[error("{inner} are sharded over {inner_group} ranks, more than the {outer_group} of {outer}")]
    ShardOrder {
        inner: &'static str,
        inner_group: u32,
        outer: &'static str,
        outer_group: u32,
    },
    #[error("rank_order_file has {given} GPUs for {ranks} ranks")]
    RankTableLength { given: usize, ranks: u64 },
    #[error("rank_order_file puts rank {rank} on GPU {gpu}, but the cluster has {gpus} GPUs")]
    RankTableGpu { rank: usize, gpu: u32, gpus: u64 },
    #[error("rank_order_file puts ranks {first} and {second} on GPU {gpu}")]
    RankTableTwice {
        first: usize,
        second: usize,
        gpu: u32,
    },
    #[error("recompute has {given} entries, but pp x vp is {stages}")]
    RecomputeLength { given: usize, stages: u32 },
    #[error("recompute is {given}, but a virtual stage has {layers} layers at most")]
    RecomputeLayers { given: u32, layers: u32 },
    #[error("recompute names {module}, but the model has no layer with it")]
    RecomputeNothing { module: &'static str },
    #[error("{field} is {value}, but {limit} is needed")]
    Number {
        field: &'static str,
        value: f64,
        limit: &'static str,
    },
    #[error("{field} has {given} rows, but the model has {layers} layers with experts")]
    ExpertRows {
        field: &'static str,
        given: usize,
        layers: usize,
    },
    #[error("row {row} of {field} has {given} entries, but {limit} is needed")]
    ExpertColumns {
        field: &'static str,
        row: usize,
        given: usize,
        limit: String,
    },
    #[error("row {row} of moe.experts leaves out expert {expert} of {experts}")]
    ExpertMissing {
        row: usize,
        expert: u64,
        experts: u64,
    },
    #[error("row {row} of moe.experts names expert {expert}, but there are {experts}")]
    ExpertUnknown {
        row: usize,
        expert: u32,
        experts: u64,
    },
}

impl PlanError {
    /// The hints of the errors of one plan, in their order. Errors that are about `tp` have one
    /// in common: degrees that mend them all.
    pub fn hints(errors: &[Self]) -> Vec<Option<String>> {
        let on_tp = |error: &&Self| error.takes_tp(1).is_some();
        let shared = (1 < errors.iter().filter(on_tp).count()).then(|| {
            let takes_all = |tp: &u64| errors.iter().all(|one| one.takes_tp(*tp) != Some(false));
            let most = errors.iter().filter_map(Self::tp).max().unwrap_or(1);
            let fitting: Vec<u64> = (1..=u64::from(most).max(16)).filter(takes_all).collect();
            fits("tp", &fitting)
        });
        let hint = |error: &Self| match &shared {
            Some(shared) if on_tp(&error) => shared.clone(),
            _ => error.hint(),
        };
        errors.iter().map(hint).collect()
    }

    /// The tensor-parallel degree that an error is about.
    const fn tp(&self) -> Option<u32> {
        match self {
            Self::DoesNotTile { tp, .. }
            | Self::Heads { tp, .. }
            | Self::KvHeads { tp, .. }
            | Self::FfnWidth { tp, .. } => Some(*tp),
            _ => None,
        }
    }

    /// Whether another `tp` would mend the error; `None` where it is not about `tp`.
    fn takes_tp(&self, other: u64) -> Option<bool> {
        match *self {
            Self::Heads { heads, .. } => Some(heads.is_multiple_of(other)),
            Self::KvHeads { kv_heads, .. } => {
                Some(kv_heads.is_multiple_of(other) || other.is_multiple_of(kv_heads.max(1)))
            }
            Self::FfnWidth { width, .. } => Some(width.is_multiple_of(other)),
            Self::DoesNotTile { tp, cp, pp, gpus } => {
                let rest = u64::from(cp) * u64::from(pp);
                let is_at_fault = !gpus.is_multiple_of(u64::from(tp) * u64::from(cp));
                (is_at_fault && gpus.is_multiple_of(rest))
                    .then(|| gpus.is_multiple_of(rest * other))
            }
            _ => None,
        }
    }

    /// The field of a scenario's `[plan]` that is at fault.
    pub const fn field(&self) -> &'static str {
        match self {
            Self::Zero { field }
            | Self::TooLarge { field, .. }
            | Self::NoExperts { field, .. }
            | Self::Number { field, .. }
            | Self::ExpertRows { field, .. }
            | Self::ExpertColumns { field, .. } => field,
            Self::LargerThanCluster { .. } | Self::DoesNotTile { .. } => "dp",
            Self::Heads { .. } | Self::KvHeads { .. } | Self::FfnWidth { .. } => "tp",
            Self::ExpertWidth { .. } => "etp",
            Self::CpHeads { .. } | Self::SeqLen { .. } => "cp",
            Self::Experts { .. } | Self::ExpertTiling { .. } => "ep",
            Self::ExpertOrder { .. } => "rank_order",
            Self::Batch { .. } => "micro_batch",
            Self::Layers { .. } | Self::UnevenLayers { .. } => "pp",
            Self::SplitLength { .. } | Self::SplitSum { .. } => "layer_split",
            Self::NothingToInterleave { .. } => "vp",
            Self::Schedule(_) => "schedule",
            Self::ScheduleFile(_)
            | Self::ScheduleFileSize { .. }
            | Self::TwoSchedules
            | Self::ForwardOnly => "schedule_file",
            Self::ShardGroup { .. } | Self::ShardTwice { .. } | Self::ShardOrder { .. } => "shard",
            Self::RankTableLength { .. }
            | Self::RankTableGpu { .. }
            | Self::RankTableTwice { .. } => "rank_order_file",
            Self::RecomputeLength { .. }
            | Self::RecomputeLayers { .. }
            | Self::RecomputeNothing { .. } => "recompute",
            Self::ExpertMissing { .. } | Self::ExpertUnknown { .. } => "moe.experts_file",
        }
    }

    /// What to change in the scenario, where we can tell.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Zero { field } => Some(format!("leave `{field}` out to mean 1")),
            Self::LargerThanCluster {
                tp, cp, pp, gpus, ..
            } => Some(larger_hint([*tp, *cp, *pp], *gpus)),
            Self::DoesNotTile { tp, cp, pp, gpus } => tile_hint(*tp, *cp, *pp, *gpus),
            Self::Heads { tp, heads } => fits("tp", &nearby(*heads, *tp)),
            Self::KvHeads { kv_heads, .. } => fits("tp", &tiling(*kv_heads)),
            Self::FfnWidth { tp, width } => fits("tp", &nearby(*width, *tp)),
            Self::ExpertWidth { etp, width } => fits("etp", &nearby(*width, *etp)),
            Self::CpHeads { heads, .. } => {
                fits("cp", &tiling(*heads)).map(|hint| hint + ", or use cp_method \"ring\"")
            }
            Self::SeqLen { parts, seq_len, .. } => seq_len
                .checked_next_multiple_of(*parts)
                .map(|next| format!("pad sequences to {next} tokens")),
            Self::Experts { experts, .. } => fits("ep", &tiling(*experts)),
            Self::NoExperts { field, .. } => Some(format!("leave `{field}` out")),
            Self::ExpertTiling {
                tp, cp, dp, etp, ..
            } => {
                let stage = u64::from(*tp) * u64::from(*cp) * u64::from(*dp);
                let fitting = tiling(stage / u64::from((*etp).max(1)));
                fits("ep", &fitting).map(|hint| format!("with etp {etp}, {hint}"))
            }
            Self::ExpertOrder { .. } => {
                Some("use rank order `tp-cp-ep-dp-pp`, or etp x ep equal to tp x cp".to_owned())
            }
            Self::Batch {
                global_batch,
                micro_batch,
                dp,
            } => batch_hint(*global_batch, *micro_batch, *dp),
            Self::Layers { layers, pp, .. } => Some(match layers / (*pp).max(1) {
                0 => format!("pp can be at most {layers}"),
                most => format!("with pp {pp}, vp can be at most {most}"),
            }),
            Self::UnevenLayers { .. } => Some(
                "leave `layer_split` out for the most even split, or list the layers of each \
                 stage"
                    .to_owned(),
            ),
            Self::SplitLength { stages, .. } => {
                Some(format!("list the layers of all {stages} virtual stages"))
            }
            Self::NothingToInterleave { .. } => Some("leave `vp` out".to_owned()),
            Self::Schedule(refusal) => refusal.hint(),
            Self::ScheduleFile(error) => error.hint(),
            Self::TwoSchedules => Some("keep one of them".to_owned()),
            Self::ShardGroup { ranks, .. } => fits("the group", &tiling(u64::from(*ranks))),
            Self::ShardOrder { outer, .. } => {
                Some(format!("shard {outer} over at least as many ranks"))
            }
            Self::RankTableLength { ranks, .. } => {
                Some(format!("list {ranks} GPUs, one for each rank"))
            }
            Self::SplitSum { given, layers } => {
                Some(match u64::from(*layers).checked_sub(*given) {
                    Some(more) => format!("add layers to the list, {more} in all"),
                    None => format!(
                        "take layers from the list, {} in all",
                        given - u64::from(*layers)
                    ),
                })
            }
            Self::TooLarge { field, limit, .. } => {
                Some(format!("give {field} a value of at most {limit}"))
            }
            Self::ScheduleFileSize { what, file, .. } => Some(format!(
                "the plan needs {file} {what}, or the file as many as the plan"
            )),
            Self::ForwardOnly => Some("add backward passes, or leave the schedule out".to_owned()),
            Self::ShardTwice { what } => Some(format!("keep one level of {what}")),
            Self::RankTableGpu { gpus, .. } => {
                Some(format!("GPUs count from 0 to {}", gpus.saturating_sub(1)))
            }
            Self::RankTableTwice { .. } => Some("give each rank a GPU of its own".to_owned()),
            Self::RecomputeLength { stages, .. } => Some(format!(
                "list a count for each of the {stages} virtual stages"
            )),
            Self::RecomputeLayers { layers, .. } => {
                Some(format!("give at most {layers}, or \"full\" for all layers"))
            }
            Self::RecomputeNothing { module } => {
                Some(format!("leave \"{module}\" out of `recompute`"))
            }
            Self::Number { field, limit, .. } => Some(format!("give {field} {limit}")),
            Self::ExpertRows { layers, .. } => {
                Some(format!("give one row for each of the {layers} layers"))
            }
            Self::ExpertColumns { limit, .. } => Some(format!("give the row {limit}")),
            Self::ExpertMissing { expert, .. } => {
                Some(format!("give expert {expert} at least one slot"))
            }
            Self::ExpertUnknown { experts, .. } => Some(format!(
                "experts count from 0 to {}",
                experts.saturating_sub(1)
            )),
        }
    }
}

/// 'tp can be 1, 2, 4 or 8'.
fn fits(what: &str, values: &[u64]) -> Option<String> {
    (!values.is_empty()).then(|| format!("{what} can be {}", list(values)))
}

/// 1, 2, 4 or 8; of more than eight the smallest.
fn list(values: &[u64]) -> String {
    let shown: Vec<String> = values.iter().take(8).map(u64::to_string).collect();
    if 8 < values.len() {
        return format!("{}, …", shown.join(", "));
    }
    match shown.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
        None => String::new(),
    }
}

/// The divisors of `n` that a hint may name, ascending.
fn tiling(n: u64) -> Vec<u64> {
    divisors(n, MOST)
}

/// Divisors of `n` that a degree can be instead of `degree`: up to it, and to those of a node.
fn nearby(n: u64, degree: u32) -> Vec<u64> {
    divisors(n, u64::from(degree).clamp(16, MOST))
}

fn tile_hint(tp: u32, cp: u32, pp: u32, gpus: u64) -> Option<String> {
    let block = u64::from(tp) * u64::from(cp);
    if gpus.is_multiple_of(block) {
        return fits("pp", &tiling(gpus / block)).map(|hint| {
            let with = if cp == 1 {
                format!("tp {tp}")
            } else {
                format!("tp {tp} and cp {cp}")
            };
            format!("with {with}, {hint}")
        });
    }
    let rest = u64::from(cp) * u64::from(pp);
    gpus.is_multiple_of(rest)
        .then(|| fits("tp", &tiling(gpus / rest)))?
        .map(|hint| format!("with cp {cp} and pp {pp}, {hint}"))
        .or_else(|| Some(format!("give `dp` to use fewer than all {gpus} GPUs")))
}

fn larger_hint([tp, cp, pp]: [u32; 3], gpus: u64) -> String {
    let block = u64::from(tp) * u64::from(cp) * u64::from(pp);
    match gpus / block {
        0 => format!("tp x cp x pp alone is {block}: make the model-parallel degrees smaller"),
        most => format!("dp can be at most {most}"),
    }
}

fn batch_hint(global_batch: u64, micro_batch: u64, dp: u32) -> Option<String> {
    let dp = u64::from(dp);
    let share = global_batch / dp;
    if global_batch.is_multiple_of(dp) {
        return Some(format!(
            "with dp {dp}, micro_batch can be {}",
            list(&tiling(share))
        ));
    }
    let next = global_batch.checked_next_multiple_of(dp.saturating_mul(micro_batch));
    next.map(|next| format!("global_batch {next} would divide"))
}
