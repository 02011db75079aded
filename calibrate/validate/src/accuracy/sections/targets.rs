//! Every target, what is reached, and by how much it is missed.

use std::fmt::Write as _;

use super::super::fit::Fit;
use super::super::markdown::{percent, table};
use super::super::point::{Point, left_out_points, shipped_points};
use super::super::stats::{Stats, stats};
use super::super::target::{TARGETS, Target};
use crate::group::correlation_within_cells;
use crate::row::Row;

/// The table of targets.
pub(super) fn section(rows: &[Row], fit: &Fit) -> String {
    let shipped = shipped_points(rows);
    let mut lines = Vec::new();
    let mut missed = Vec::new();
    for target in &TARGETS {
        let own = || {
            shipped
                .iter()
                .filter(|point| target.speaks_of(point.row, point.quantity))
        };
        let as_shipped = stats(own());
        if target.schemes.is_empty() {
            continue;
        }
        for (scheme, goal) in target.schemes {
            let unseen = left_out_points(rows, fit, scheme);
            let unseen = stats(
                unseen
                    .iter()
                    .filter(|point| target.speaks_of(point.row, point.quantity)),
            );
            if unseen.as_ref().is_some_and(|unseen| *goal < unseen.mape)
                && !missed.contains(&target.name)
            {
                missed.push(target.name);
            }
            lines.push(line(
                target,
                scheme,
                *goal,
                unseen.as_ref(),
                as_shipped.as_ref(),
            ));
        }
    }
    let headers = [
        "rows",
        "quantity",
        ">n",
        "group left out",
        ">must reach",
        ">left out",
        "missed by",
        ">shipped profiles",
        "other tools",
    ];
    let mut text = format!(
        "## Targets\n\nMean error of each study. \"Left out\": every row predicted by parameters that were fitted without its group. \
         \"Shipped profiles\": the same rows as the binary predicts them. Figures of other tools on the same rows are \
         those that their authors publish or, for Calculon, that its published model gives. Which parameters are free, \
         and their priors, were settled over several fits with these errors in view, so that studies that are in none of these tables \
         may lie farther off.\n\n{}",
        table(&headers, &lines)
    );
    text.push_str(&ranks(rows, fit, &shipped));
    text.push_str(&reasons(&missed));
    text
}

/// What is known of the targets that are missed.
fn reasons(missed: &[&str]) -> String {
    let known = REASONS
        .iter()
        .filter(|(name, _)| missed.contains(name))
        .map(|(name, why)| format!("- {name}: {why}\n"));
    let known: String = known.collect();
    if known.is_empty() {
        return known;
    }
    format!("\nWhat is known of the targets that are missed:\n\n{known}")
}

/// What studies of single rows showed. A target that is reached does not print its line.
const REASONS: [(&str, &str); 8] = [
    (
        "vTrain, one node",
        "runs with the same tensor parallelism of 2 or 4 and the same shape lie off together by 8 to 20 %, some above and some below; \
         what differs between such series the table does not say.",
    ),
    (
        "vTrain, several nodes",
        "with tensor parallelism below 8, where replicas or stages share the network cards of a node, runs are predicted 4 to 35 % short; \
         with 8, 1 to 11 %.",
    ),
    (
        "BigScience, V100",
        "there is no kernel table of V100, so its products scale from A100's. The table itself says that its network made times vary by \
         40 %, and of two plans of section 'Allocation > Megatron' with equal work for each GPU one takes twice as long as the other (39B on 32, 18B on 16 GPUs).",
    ),
    (
        "BigScience, V100, without section 'Allocation > Megatron'",
        "what ZeRO-3 costs there grows with the tokens of a step, not only with its gathers, and the model has no part that does; \
         nor one for states that DeepSpeed keeps in the host's memory.",
    ),
    (
        "SimuMax, B200",
        "Llama 3 70B with tensor parallelism of 8 is predicted 10 to 15 % short and DeepSeek-V2 5 to 10 %; all others lie within 5 %.",
    ),
    (
        "llm-foundry",
        "MPT 30B on A100 with sequences of 8,192 is predicted 27 % short: the table gives it 39 % MFU, and 51 to 56 % to the same model with shorter ones.",
    ),
    (
        "Megatron-Bridge, dense",
        "seventeen rows of few models; parameters of the framework come from models with experts where a dense one is left out.",
    ),
    (
        "Megatron-Bridge, experts",
        "without Nemotron 3 Nano no other run has state-space layers, so their scan falls back to its prior; \
         releases change what a recipe does by up to a third, and the table does not say how.",
    ),
];

fn line(
    target: &Target,
    scheme: &str,
    goal: f64,
    unseen: Option<&Stats>,
    shipped: Option<&Stats>,
) -> Vec<String> {
    let missed = match (unseen, shipped) {
        (Some(unseen), _) if unseen.mape <= goal => "reached".to_owned(),
        (Some(unseen), _) => format!("{:.1} points", (unseen.mape - goal) * 100.0),
        (None, Some(_)) => "not cross-validated".to_owned(),
        (None, None) => "not in these tables: read with `--extra`".to_owned(),
    };
    let mape =
        |stats: Option<&Stats>| stats.map_or_else(|| "-".to_owned(), |stats| percent(stats.mape));
    vec![
        target.name.to_owned(),
        target.quantity().to_owned(),
        unseen
            .or(shipped)
            .map_or_else(|| "-".to_owned(), |stats| stats.n.to_string()),
        scheme.to_owned(),
        percent(goal),
        mape(unseen),
        missed,
        mape(shipped),
        target.others.to_owned(),
    ]
}

/// Rank correlation where a target names it.
fn ranks(rows: &[Row], fit: &Fit, shipped: &[Point<'_>]) -> String {
    let mut text = String::new();
    for target in &TARGETS {
        let (Some(goal), Some((scheme, _))) = (target.spearman, target.schemes.first()) else {
            continue;
        };
        let of = |points: &[Point<'_>]| {
            let own = points
                .iter()
                .filter(|point| target.speaks_of(point.row, point.quantity));
            correlation_within_cells(
                own.map(|point| (&point.row.record, point.predicted, point.measured)),
            )
        };
        let words = |rho: Option<f64>| {
            rho.map_or_else(|| "not known".to_owned(), |rho| format!("{rho:.2}"))
        };
        let (unseen, shipped) = (of(&left_out_points(rows, fit, scheme)), of(shipped));
        let _ = write!(
            text,
            "\n{}: rank correlation within cells of five rows and more (median over cells) {} left out, {} with the shipped profiles; \
             to be reached: {goal}.\n",
            target.name,
            words(unseen),
            words(shipped),
        );
    }
    text
}
