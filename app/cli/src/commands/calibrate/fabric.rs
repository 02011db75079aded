//! Constants of a fabric of the user's own.

use std::path::{Path, PathBuf};

use fit::collectives::{FabricFit, SchemeErrors};
use serde_json::{Value, json};

use super::write;
use crate::args::{FitArgs, FitPart};
use crate::commands::Context;
use crate::exit::Exit;

/// Fits the network of a cluster to logs of nccl-tests, writes its profile, and prints its errors.
pub(super) fn fit(args: &FitArgs, cluster: &str, context: &Context) -> Result<Exit, Exit> {
    if args.only.iter().any(|part| *part != FitPart::Collectives) {
        let hint = "fit the other parts in a run of their own";
        context.error("--nccl-tests fits collectives alone", Some(hint));
        return Err(Exit::BadInput);
    }
    let fitted = fit::collectives::fit_fabric(cluster, &args.nccl_tests).map_err(|error| {
        context.error(&error.to_string(), error.hint().as_deref());
        Exit::BadInput
    })?;
    let mut path = None;
    if let Some(folder) = &args.output {
        let file = folder.join("profiles").join(file_name(&fitted.network));
        write(&file, &fitted.file, context)?;
        let named = from_cluster(&file, cluster);
        context.note(&format!(
            "the profile is {}; name it in the cluster file: collectives = {:?}",
            file.display(),
            named.display().to_string()
        ));
        path = Some(file);
    }
    let text = if context.output.json {
        format!("{:#}\n", document(&fitted, path.as_deref()))
    } else {
        fitted.report
    };
    Ok(context.print(&text))
}

/// A name of a file for a network, whatever its owner calls it.
fn file_name(network: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    let name: String = network.chars().map(plain).collect();
    format!("{}-collectives.toml", name.to_lowercase())
}

/// The path of a file as the cluster's file names it: from its own folder.
fn from_cluster(file: &Path, cluster: &str) -> PathBuf {
    let folder = Path::new(cluster).parent();
    let folder = folder.filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let both = file.canonicalize().ok().zip(folder.canonicalize().ok());
    let below = both
        .as_ref()
        .and_then(|(file, folder)| file.strip_prefix(folder).ok());
    match (below, &both) {
        (Some(below), _) => below.to_owned(),
        (None, Some((file, _))) => file.clone(),
        (None, None) => file.to_owned(),
    }
}

fn document(fitted: &FabricFit, path: Option<&Path>) -> Value {
    let band = |band: Option<(usize, f64)>| {
        band.map(|(rows, error)| json!({ "rows": rows, "median_ape": error }))
    };
    let errors = fitted.errors.iter().map(|scheme: &SchemeErrors| {
        json!({
            "left_out": scheme.left_out,
            "groups": scheme.groups,
            "below_1_mib": band(scheme.small),
            "from_1_mib": band(scheme.large),
        })
    });
    json!({
        "schema": 1,
        "network": fitted.network,
        "errors": errors.collect::<Vec<_>>(),
        "report": fitted.report,
        "file": fitted.file,
        "path": path.map(|path| path.display().to_string()),
    })
}
