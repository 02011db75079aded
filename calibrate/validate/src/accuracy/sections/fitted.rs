//! The parameters of the fit, and what each part of the model buys.

use super::super::fit::{Ablation, Fit, Parameter};
use super::super::markdown::{percent, table};

/// A value farther than this from its prior, in the prior's standard deviations, overrules it.
const OVERRULED: f64 = 2.0;

/// The table of parameters, with their intervals.
pub(super) fn parameters(fit: &Fit) -> String {
    let Some(parameters) = &fit.parameters else {
        return "## Parameters\n\nNo table of fitted parameters is there.\n".to_owned();
    };
    let line = |one: &Parameter| {
        let mut cells = one.cells.to_vec();
        let far = one.from_prior.map_or_else(
            || "-".to_owned(),
            |far| {
                let mark = if is_overruled(one) { " (!)" } else { "" };
                format!("{far:+.1}{mark}")
            },
        );
        cells.insert(5, far);
        cells
    };
    let lines: Vec<Vec<String>> = parameters.iter().map(line).collect();
    let headers = [
        "profile",
        "parameter",
        ">prior",
        ">log sd of the prior",
        ">value",
        ">sd from prior",
        ">10th percentile",
        ">90th percentile",
        ">rows",
    ];
    format!(
        "## Parameters\n\nEvery parameter that was fitted on runs, with its prior and the 80 % interval of its value. \"sd from prior\" is \
         ln(value / prior) over the standard deviation of the prior's logarithm. {}\n\n{}",
        overruled(parameters),
        table(&headers, &lines)
    )
}

fn is_overruled(one: &Parameter) -> bool {
    one.from_prior.is_some_and(|far| OVERRULED < far.abs())
}

/// Which parameters their priors no longer hold, and what that means.
fn overruled(parameters: &[Parameter]) -> String {
    let far = parameters.iter().filter(|one| is_overruled(one));
    let names: Vec<String> = far.map(Parameter::name).collect();
    if names.is_empty() {
        return format!(
            "None of {} is farther than {OVERRULED} from its prior.",
            parameters.len()
        );
    }
    format!(
        "{} of {} are farther than {OVERRULED} from theirs, marked (!): there the rows have overruled what was known of the part beforehand, so that the scalar \
         may stand for something else that the model lacks, and its value should not be taken for a property of the part, nor carried to other machines: {}.",
        names.len(),
        parameters.len(),
        names.join(", ")
    )
}

/// The table of the ablation: whatever parts the file has.
pub(super) fn ablation(fit: &Fit) -> String {
    let Some(ablation) = &fit.ablation else {
        return "## What each part of the model buys\n\nNo ablation is there.\n".to_owned();
    };
    let has_kinds = ablation.iter().any(|one| one.kind.is_some());
    let share = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), percent);
    let line = |one: &Ablation| {
        let mut cells = vec![one.source.clone(), one.part.clone()];
        if has_kinds {
            cells.push(one.kind.clone().unwrap_or_default());
        }
        cells.extend([share(one.full), share(one.off), share(one.refit), buys(one)]);
        cells
    };
    let lines: Vec<_> = ablation.iter().map(line).collect();
    let mut headers = vec!["rows", "part"];
    if has_kinds {
        headers.push("kind");
    }
    headers.extend([
        ">whole model",
        ">switched off",
        ">off and fitted again",
        ">buys, in points",
    ]);
    format!(
        "## What each part of the model buys\n\nMean error of the rows that were fitted, by study. \"Switched off\": a scalar is set to 1, or to nothing where it is added, \
         wherever it is free; any other part is left out of the model; all else stays as it was fitted. \"Off and fitted again\": the other scalars are then fitted anew in a few steps from where \
         they were, not to the end. No row is left out here, so that a part with free scalars of its own buys something on the rows that they were fitted on in any case. \
         What a part buys is the last error less the first; below 0, the study is predicted better without it.\n\n{}",
        table(&headers, &lines)
    )
}

/// By how much the error is smaller with a part than without it, in percentage points.
fn buys(one: &Ablation) -> String {
    match (one.full, one.refit.or(one.off)) {
        (Some(full), Some(without)) => format!("{:+.1}", (without - full) * 100.0),
        _ => "-".to_owned(),
    }
}
