//! `[training]` from arguments.

use super::super::options::Options;
use crate::document::{Document, Field};
use crate::error::ImportError;

pub(super) fn write(
    options: &Options,
    out: &mut Document,
    notes: &mut Vec<String>,
) -> Result<(), ImportError> {
    let micro: u64 = options.number("micro-batch-size")?.unwrap_or(1);
    let global: Option<u64> = options.number("global-batch-size")?;
    if global.is_none() {
        notes.push("the file has no --global-batch-size: one micro-batch is taken".to_owned());
    }
    out.set("training.global_batch", global.unwrap_or(micro));
    out.set("training.seq_len", options.needed::<u64>("seq-length")?);
    precision(options, out);
    gradients(options, out);
    optimizer(options, out)?;
    dropout(options, out, notes)
}

fn precision(options: &Options, out: &mut Document) {
    let four = options.has("fp4-format") || options.has("fp4-recipe");
    let eight = options.has("fp8-format") || options.has("fp8-recipe");
    let name = match (four, eight, options.has("bf16"), options.has("fp16")) {
        (true, ..) => "nvfp4",
        (_, true, ..) => "fp8",
        (_, _, true, _) => "bf16",
        (_, _, _, true) => "fp16",
        _ => "fp32",
    };
    options.known(&["bf16", "fp16", "fp8-format", "fp4-format", "fp4-recipe"]);
    out.set("training.precision", name);
    if name == "fp8" {
        out.set(
            "training.fp8_recipe",
            options.text("fp8-recipe").unwrap_or("delayed"),
        );
    }
}

/// Gradients of bf16 runs add up in fp32 without being asked, those of fp16 runs do not; those of
/// Megatron-FSDP in a format of their own, or in that of the weights.
fn gradients(options: &Options, out: &mut Document) {
    let fsdp = options.has("use-megatron-fsdp") || options.has("use-custom-fsdp");
    let own = options
        .text("megatron-fsdp-main-grads-dtype")
        .filter(|dtype| *dtype != "auto");
    if fsdp {
        options.known(&["accumulate-allreduce-grads-in-fp32", "grad-reduce-in-bf16"]);
        let weights = match (options.has("bf16"), options.has("fp16")) {
            (true, _) => "bf16",
            (_, true) => "fp16",
            _ => "fp32",
        };
        out.set("training.grad_dtype", own.unwrap_or(weights));
        return;
    }
    let fp32 = options.has("accumulate-allreduce-grads-in-fp32");
    let bf16 = options.has("grad-reduce-in-bf16");
    let half = options.has("fp16") && !options.has("bf16");
    let dtype = match (bf16, half && !fp32) {
        (true, _) => "bf16",
        (_, true) => "fp16",
        _ => "fp32",
    };
    out.set("training.grad_dtype", dtype);
}

fn optimizer(options: &Options, out: &mut Document) -> Result<(), ImportError> {
    match options.text("optimizer") {
        None | Some("adam") => {
            let name = "adamw";
            match options
                .text("exp-avg-dtype")
                .filter(|dtype| *dtype != "fp32")
            {
                None => out.set("training.optimizer", name),
                Some(dtype) => {
                    let fields = vec![("kind", name.into()), ("moments", dtype.into())];
                    out.set("training.optimizer", Field::Table(fields));
                }
            }
            options.known(&["exp-avg-sq-dtype", "use-precision-aware-optimizer"]);
            out.set_some(
                "training.main_param_dtype",
                options.text("main-params-dtype"),
            );
        }
        Some("sgd") => {
            let momentum: f64 = options.number("sgd-momentum")?.unwrap_or(0.9);
            let fields = vec![
                ("kind", "sgd".into()),
                ("momentum", (0.0 < momentum).into()),
            ];
            out.set("training.optimizer", Field::Table(fields));
        }
        Some("muon") => {
            let steps: u32 = options.number("muon-num-ns-steps")?.unwrap_or(5);
            let fields = vec![("kind", "muon".into()), ("steps", steps.into())];
            out.set("training.optimizer", Field::Table(fields));
        }
        Some(other) => return Err(options.wrong("optimizer", other, "adam, sgd or muon")),
    }
    Ok(())
}

/// A scenario has one probability for attention and hidden states; Megatron's default is 0.1.
fn dropout(
    options: &Options,
    out: &mut Document,
    notes: &mut Vec<String>,
) -> Result<(), ImportError> {
    let attention: f64 = options.number("attention-dropout")?.unwrap_or(0.1);
    let hidden: f64 = options.number("hidden-dropout")?.unwrap_or(0.1);
    if attention.to_bits() != hidden.to_bits() {
        notes.push(format!(
            "dropout is {attention} in attention and {hidden} elsewhere: the latter is taken for both"
        ));
    }
    if hidden != 0.0 {
        out.set("training.dropout", hidden);
    }
    Ok(())
}
