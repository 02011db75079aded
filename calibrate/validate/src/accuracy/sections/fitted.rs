//! The parameters of the fit, and what each part of the model buys.

use super::super::fit::Fit;
use super::super::markdown::{percent, table};

/// The table of parameters, with their intervals.
pub(super) fn parameters(fit: &Fit) -> String {
    let Some(parameters) = &fit.parameters else {
        return "## Parameters\n\nNo table of fitted parameters is there.\n".to_owned();
    };
    let lines: Vec<Vec<String>> = parameters.iter().map(|one| one.cells.to_vec()).collect();
    let headers = [
        "profile",
        "parameter",
        ">prior",
        ">log sd of the prior",
        ">value",
        ">low",
        ">high",
        ">rows",
    ];
    format!(
        "## Parameters\n\nEvery parameter that was fitted on runs, with its prior and its interval.\n\n{}",
        table(&headers, &lines)
    )
}

/// The table of the ablation.
pub(super) fn ablation(fit: &Fit) -> String {
    let Some(ablation) = &fit.ablation else {
        return "## What each part of the model buys\n\nNo ablation is there.\n".to_owned();
    };
    let share = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), percent);
    let line = |one: &super::super::fit::Ablation| {
        vec![
            one.source.clone(),
            one.part.clone(),
            share(one.full_mape),
            share(one.off_mape),
            share(one.refit_mape),
        ]
    };
    let lines: Vec<_> = ablation.iter().map(line).collect();
    let headers = [
        "rows",
        "part",
        ">whole model",
        ">switched off",
        ">off and fitted again",
    ];
    format!(
        "## What each part of the model buys\n\nMean error with a part switched off, and with the other parameters fitted again without it.\n\n{}",
        table(&headers, &lines)
    )
}
