//! Profiles of GPUs.

use fit::kernels::{FittedCurve, FittedProfile};
use fit::table::TableError;
use serde_json::{Value, json};

use super::report::Report;
use super::{threads, write};
use crate::args::FitArgs;
use crate::commands::Context;
use crate::exit::Exit;
use crate::table::{Side, Table};

/// Fits the profiles of GPUs, writes them, and prints their curves.
pub(super) fn fit(args: &FitArgs, report: &mut Report, context: &Context) -> Result<Exit, Exit> {
    context.note("fitting the profiles of GPUs takes about a minute on two cores");
    let profiles =
        fit::kernels::fit(&args.data, threads(context)).map_err(|error| refuse(&error, context))?;
    if let Some(folder) = &args.output {
        for profile in &profiles {
            let name = format!("{}.toml", profile.spec.name);
            write(&folder.join("profiles").join(name), &profile.text, context)?;
        }
    }
    report.kernels(&profiles);
    let text = if context.output.json {
        format!("{:#}\n", document(&profiles))
    } else {
        table(&profiles).render(context.stdout.width)
    };
    Ok(context.print(&text))
}

fn refuse(error: &TableError, context: &Context) -> Exit {
    context.error(&error.to_string(), error.hint().as_deref());
    Exit::BadInput
}

/// Every curve of every profile.
pub(super) fn curves(profiles: &[FittedProfile]) -> impl Iterator<Item = (&str, &FittedCurve)> {
    profiles.iter().flat_map(|profile| {
        let name = profile.spec.name.as_str();
        profile.curves.iter().map(move |curve| (name, curve))
    })
}

fn table(profiles: &[FittedProfile]) -> Table {
    let mut table = Table::new(&[
        ("Profile", Side::Left),
        ("Kernel", Side::Left),
        ("Rows", Side::Right),
        ("MAPE", Side::Right),
        ("Left out", Side::Right),
        ("Constants, and the 90 % interval of each", Side::Left),
    ]);
    for (name, curve) in curves(profiles) {
        let constants = curve.constants.iter().map(|constant| {
            let (low, high) = (shown(constant.low), shown(constant.high));
            format!("{} {} ({low} to {high})", constant.name, constant.value)
        });
        table.row([
            name.to_owned(),
            curve.kernel.clone(),
            curve.rows.to_string(),
            percent(curve.mape),
            curve.held_out.map(percent).unwrap_or_default(),
            constants.collect::<Vec<_>>().join(", "),
        ]);
    }
    table
}

pub(super) fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

/// A bound with three digits behind the point at most.
fn shown(value: f64) -> String {
    format!("{}", (value * 1e3).round() / 1e3)
}

fn document(profiles: &[FittedProfile]) -> Value {
    let curves = curves(profiles).map(|(name, curve)| {
        let constants = curve.constants.iter().map(|constant| {
            json!({
                "name": constant.name,
                "value": constant.value,
                "low": constant.low,
                "high": constant.high,
            })
        });
        json!({
            "profile": name,
            "kernel": curve.kernel,
            "rows": curve.rows,
            "mape": curve.mape,
            "mape_left_out": curve.held_out,
            "constants": constants.collect::<Vec<_>>(),
        })
    });
    json!({ "schema": 1, "curves": curves.collect::<Vec<_>>() })
}
