//! `windtunnel calibrate`: profiles and constants from measurements.

use std::num::NonZeroUsize;
use std::path::Path;

use fit::kernels::{FittedCurve, FittedProfile};
use fit::table::TableError;
use serde_json::{Value, json};

use crate::args::{CalibrateArgs, CalibrateCommand, FitArgs, FitPart};
use crate::commands::Context;
use crate::exit::Exit;
use crate::table::{Side, Table};

/// Does what the command below `calibrate` says.
pub(crate) fn run(args: &CalibrateArgs, context: &Context) -> Exit {
    match &args.command {
        CalibrateCommand::Fit(args) => fit_parts(args, context),
    }
}

/// Fits the parts asked for, one after the other.
fn fit_parts(args: &FitArgs, context: &Context) -> Exit {
    let parts = if args.only.is_empty() {
        FitPart::ALL.to_vec()
    } else {
        args.only.clone()
    };
    for part in parts {
        let exit = match part {
            FitPart::Kernels => kernels(args, context),
        };
        if exit != Exit::Done {
            return exit;
        }
    }
    Exit::Done
}

/// Fits the profiles of GPUs, writes them, and prints their curves.
fn kernels(args: &FitArgs, context: &Context) -> Exit {
    context.note("fitting the profiles of GPUs takes about a minute on two cores");
    let profiles = match fit::kernels::fit(&args.data, threads(context)) {
        Ok(profiles) => profiles,
        Err(error) => return refuse(&error, context),
    };
    if let Some(folder) = &args.output
        && let Err(exit) = write(folder, &profiles, context)
    {
        return exit;
    }
    let text = if context.output.json {
        format!("{:#}\n", document(&profiles))
    } else {
        table(&profiles).render(context.stdout.width)
    };
    context.print(&text)
}

fn threads(context: &Context) -> NonZeroUsize {
    let asked = context.output.threads;
    let asked = asked.and_then(|n| NonZeroUsize::try_from(n).ok());
    asked
        .or_else(|| std::thread::available_parallelism().ok())
        .unwrap_or(NonZeroUsize::MIN)
}

fn refuse(error: &TableError, context: &Context) -> Exit {
    context.error(&error.to_string(), error.hint().as_deref());
    Exit::BadInput
}

/// Writes the files, in place of those that are there: a fit is repeated to renew them.
fn write(folder: &Path, profiles: &[FittedProfile], context: &Context) -> Result<(), Exit> {
    let failed = |error: std::io::Error, path: &Path| {
        let text = format!("{} cannot be written: {error}", path.display());
        context.error(
            &text,
            Some("name a folder that you may write to with --output"),
        );
        Exit::Failed
    };
    std::fs::create_dir_all(folder).map_err(|error| failed(error, folder))?;
    for profile in profiles {
        let path = folder.join(format!("{}.toml", profile.spec.name));
        std::fs::write(&path, &profile.text).map_err(|error| failed(error, &path))?;
    }
    context.note(&format!(
        "{} profiles are in {}",
        profiles.len(),
        folder.display()
    ));
    Ok(())
}

/// Every curve of every profile.
fn curves(profiles: &[FittedProfile]) -> impl Iterator<Item = (&str, &FittedCurve)> {
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
    let percent = |share: f64| format!("{:.1} %", share * 100.0);
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
