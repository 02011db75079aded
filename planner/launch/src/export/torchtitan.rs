//! `train.sh` with torchtitan's flags; for versions before 0.3, a TOML file.

mod config;
mod experts;
mod settings;

use std::fmt::Write as _;

use plan::{PlannedSchedule, ScheduleKind};
use predict::Scenario;
use workload::Optimizer;

use super::{Files, Options, header, megatron};
use crate::bundle::LaunchFile;
use crate::error::ExportError;
use crate::shell;

pub(crate) use config::{Known, layers, of_config, of_flavor};
use settings::{Setting, Settings};

/// The schedule as CSV.
const SCHEDULE_FILE: &str = "schedule.csv";

/// What torchtitan cannot say.
fn unsupported(field: &'static str, what: impl Into<String>, hint: &str) -> ExportError {
    ExportError::Unsupported {
        consumer: "torchtitan",
        field,
        what: what.into(),
        hint: Some(hint.to_owned()),
    }
}

/// What torchtitan has flags for, but does not run.
fn refused<T>(field: &'static str, what: impl Into<String>, hint: &str) -> Result<T, ExportError> {
    Err(ExportError::NotRun {
        consumer: "torchtitan",
        field,
        what: what.into(),
        hint: hint.to_owned(),
    })
}

/// Which generation of torchtitan's configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// Flags over a function of `config_registry`, from 0.3.
    Flags,
    /// A TOML file, before.
    Toml,
}

impl Form {
    fn of(version: Option<&str>) -> Result<Self, ExportError> {
        let parts = |version: &str| {
            let mut parts = version.split('.').map(str::parse::<u32>);
            Some((parts.next()?.ok()?, parts.next()?.ok()?))
        };
        let Some(version) = version else {
            return Ok(Self::Flags);
        };
        match parts(version) {
            Some((0, minor)) if minor < 3 => Ok(Self::Toml),
            Some(_) => Ok(Self::Flags),
            None => Err(ExportError::Version {
                consumer: "torchtitan",
                version: version.chars().take(40).collect(),
                known: "0.1, 0.2 and 0.3",
            }),
        }
    }
}

/// `train.sh`, and the files that it names.
///
/// # Errors
///
/// What of the scenario torchtitan cannot say.
pub(crate) fn files(
    scenario: &Scenario,
    options: &Options,
    warnings: &mut Vec<String>,
) -> Result<Files, ExportError> {
    let form = Form::of(options.version.as_deref())?;
    let settings = settings::of(scenario, form, warnings)?;
    let known = Known::of(&scenario.job.model);
    if form == Form::Flags {
        chosen(scenario, known, warnings);
    }
    let mut files = match form {
        Form::Flags => vec![LaunchFile::script(
            "train.sh",
            flags(scenario, known, &settings),
        )],
        Form::Toml => vec![
            LaunchFile::script("train.sh", with_toml(scenario)),
            LaunchFile::data("torchtitan.toml", toml(scenario, known, &settings)),
        ],
    };
    if needs_file(scenario) {
        let csv = scenario.plan.schedule().to_csv();
        files.push(LaunchFile::data(SCHEDULE_FILE, csv));
    }
    Ok(files)
}

/// What the function of a configuration chooses, and no flag changes.
fn chosen(scenario: &Scenario, known: Option<Known>, warnings: &mut Vec<String>) {
    if known.is_some_and(|known| known.has_eight_bits()) && scenario.job.precision.fp8.is_none() {
        warnings.push(
            "training.precision: torchtitan's configuration of this model multiplies in fp8: choose \
             CONFIG so that it does not"
                .to_owned(),
        );
    }
    if scenario.job.optimizer != Optimizer::ADAMW {
        warnings.push(
            "training.optimizer: which optimizer runs is part of a configuration's function: choose \
             CONFIG so"
                .to_owned(),
        );
    }
}

/// The schedule by its name in `torch.distributed.pipelining`; none where it has none.
fn schedule_name(kind: ScheduleKind) -> Option<&'static str> {
    Some(match kind {
        ScheduleKind::GPipe => "GPipe",
        ScheduleKind::OneFOneB => "1F1B",
        ScheduleKind::Interleaved => "Interleaved1F1B",
        ScheduleKind::ZbV => "ZBVZeroBubble",
        ScheduleKind::DualPipeV => "DualPipeV",
        _ => return None,
    })
}

/// Whether the schedule must be written as a file.
fn needs_file(scenario: &Scenario) -> bool {
    let named = match scenario.plan.planned_schedule() {
        PlannedSchedule::Kind { kind, .. } => schedule_name(*kind).is_some(),
        PlannedSchedule::File(_) => false,
    };
    1 < scenario.plan.degrees().pp && !named
}

const HERE: &str = "here=$(cd \"$(dirname \"${BASH_SOURCE[0]}\")\" && pwd)\n";

/// `train.sh` with flags.
fn flags(scenario: &Scenario, known: Option<Known>, settings: &Settings) -> String {
    let mut text = start(scenario, header::TORCHTITAN);
    if needs_file(scenario) {
        text.push_str(HERE);
    }
    text.push_str("\nargs=(\n");
    match known {
        Some(known) => {
            let _ = write!(
                text,
                "    --module \"${{MODULE:-{}}}\"\n    --config \"${{CONFIG:-{}}}\"\n",
                known.module, known.config
            );
        }
        None => text.push_str(
            "    --module \"${MODULE:?set MODULE, such as llama3}\"\n    --config \"${CONFIG:?set CONFIG, such as llama3_8b}\"\n",
        ),
    }
    for Setting { key, value, .. } in settings.of(Form::Flags) {
        let value = if key.ends_with("schedule_csv") {
            format!("\"$here/{SCHEDULE_FILE}\"")
        } else {
            shell::word(&value.flag())
        };
        let _ = match value.as_str() {
            "True" => writeln!(text, "    --{key}"),
            "False" => writeln!(text, "    --{}", negated(key)),
            value => writeln!(text, "    --{key} {value}"),
        };
    }
    text.push_str(")\n");
    text.push_str(DATA);
    // The choice of what is computed again is a subcommand, which ends the flags.
    let _ = writeln!(
        text,
        "exec python -u -m torchtitan.train \"${{args[@]}}\" \"$@\" activation-checkpoint:{}",
        settings.recompute
    );
    text
}

/// `section.key` as the flag that switches it off.
fn negated(key: &str) -> String {
    match key.rsplit_once('.') {
        Some((section, key)) => format!("{section}.no-{key}"),
        None => format!("no-{key}"),
    }
}

fn start(scenario: &Scenario, reader: &str) -> String {
    let mut text = String::from("#!/usr/bin/env bash\n");
    text.push_str(&header::lines(scenario, reader));
    text.push_str(USAGE);
    text.push_str("set -euo pipefail\n");
    text.push_str(&megatron::world_check(scenario));
    text
}

const USAGE: &str = "\
# One process of the training; torchrun.sh or rank.sh sets RANK, LOCAL_RANK, WORLD_SIZE and the
# master's address. To be set by you, where the model's own configuration is not yours:
#   MODULE, CONFIG   the module and the function of its config_registry
#   HF_ASSETS        folder with the tokenizer
#   DATASET          a dataset that torchtitan knows
# Arguments of this script stand behind all others.
";

const DATA: &str = r#"if [[ -n ${HF_ASSETS:-} ]]; then
    args+=(--hf_assets_path "$HF_ASSETS")
fi
if [[ -n ${DATASET:-} ]]; then
    args+=(--dataloader.dataset "$DATASET")
fi
"#;

/// `train.sh` that names the TOML file.
fn with_toml(scenario: &Scenario) -> String {
    let mut text = start(scenario, header::TORCHTITAN_TOML);
    text.push_str(HERE);
    text.push_str(
        "exec python -u -m torchtitan.train --job.config_file \"$here/torchtitan.toml\" \"$@\"\n",
    );
    text
}

fn toml(scenario: &Scenario, known: Option<Known>, settings: &Settings) -> String {
    let mut text = header::lines(scenario, header::TORCHTITAN_TOML);
    let (name, flavor) = known.map_or(("", ""), |known| (known.module, known.flavor));
    let _ = write!(
        text,
        "\n[model]\n# Both must name the model of the scenario.\nname = \"{name}\"\nflavor = \"{flavor}\"\n"
    );
    for section in ["training", "parallelism", "compile"] {
        let _ = write!(text, "\n[{section}]\n");
        let own = settings.of(Form::Toml).filter_map(|setting| {
            let key = setting.key.strip_prefix(section)?.strip_prefix('.')?;
            Some((key, &setting.value))
        });
        for (key, value) in own {
            let _ = writeln!(text, "{key} = {}", value.toml());
        }
    }
    let _ = write!(
        text,
        "\n[activation_checkpoint]\nmode = \"{}\"\n",
        settings.recompute
    );
    text
}
