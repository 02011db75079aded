//! Scenarios to export, most of them generated.

use launch::{Bundle, Consumer, Options, Producer, export, import};
use predict::Scenario;
use proptest::prelude::*;
use proptest::sample::select;

/// A scenario from its text, with names of the zoo alone.
pub(crate) fn scenario(text: &str) -> Scenario {
    try_scenario(text).unwrap_or_else(|failures| panic!("{failures}\n{text}"))
}

/// The same, or what is wrong with it.
pub(crate) fn try_scenario(text: &str) -> Result<Scenario, String> {
    match format::check::scenario(text) {
        Ok(resolved) => Ok(resolved.scenario),
        Err(failures) => {
            let lines: Vec<String> = failures.iter().map(ToString::to_string).collect();
            Err(lines.join("\n"))
        }
    }
}

/// A small run of Llama 3 8B with that `[plan]`.
pub(crate) fn llama(nodes: u32, plan: &str) -> Scenario {
    scenario(&format!(
        "schema = 1\n[model]\nconfig = \"llama3-8b\"\n[cluster]\nname = \"dgx-h100\"\nnodes = {nodes}\n\
         [training]\nglobal_batch = 256\nseq_len = 4096\n[framework]\nname = \"megatron-core\"\n\
         [plan]\n{plan}\n"
    ))
}

/// An export that works.
pub(crate) fn exported(scenario: &Scenario, to: Consumer) -> Bundle {
    export(scenario, to, &Options::default()).unwrap_or_else(|error| panic!("{error}"))
}

/// The text of a file.
pub(crate) fn text<'b>(bundle: &'b Bundle, name: &str) -> &'b str {
    let file = bundle.files.iter().find(|file| file.name == name);
    &file.unwrap_or_else(|| panic!("no {name}")).text
}

/// A file of an export, imported and read as a scenario.
pub(crate) fn imported(from: Producer, text: &str) -> Scenario {
    let imported = import(from, text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    scenario(&imported.scenario)
}

/// A model of the zoo, or one that Megatron's arguments describe.
const MODELS: [&str; 6] = [
    "[model]\nconfig = \"llama3-8b\"",
    "[model]\nconfig = \"mixtral-8x7b\"",
    "[model]\nconfig = \"deepseek-v3\"",
    "[model]\nconfig = \"qwen2-7b\"",
    "[model.megatron]\nlayers = 24\nhidden = 2048\nheads = 16\nvocab = 50304\nmax_positions = 4096",
    "[model.megatron]\nlayers = 26\nhidden = 2048\nheads = 16\nvocab = 50304\nposition = \"rope\"\nactivation = \"squared-relu\"\nbias = false\nwindow = 1024\nqk_norm = true",
];

/// Texts of scenarios; many do not fit, and are left out by those who use them.
pub(crate) fn texts() -> impl Strategy<Value = String> {
    let degrees = (
        select(vec![1_u32, 2, 4, 8]),
        select(vec![1_u32, 2, 4]),
        select(vec![1_u32, 1, 2]),
        select(vec![1_u32, 2, 4]),
        select(vec![1_u32, 1, 2]),
    );
    (select(MODELS.to_vec()), degrees, fields(), training()).prop_map(
        |(model, (tp, pp, cp, dp, vp), fields, training)| {
            let nodes = (tp * pp * cp * dp).div_ceil(8);
            let vp = if 1 < pp { vp } else { 1 };
            let experts = if model.contains("mixtral") || model.contains("deepseek") {
                format!("ep = {dp}\netp = 1\nmoe = {{ dispatcher = \"alltoall\" }}\n")
            } else {
                String::new()
            };
            // What there is not needs no switch.
            let (reduce, gather, cp_method, fields) = fields;
            let sharded = !fields.contains("\"none\"\n# shard");
            let overlap = match (1 < dp * cp, sharded) {
                (true, true) => format!(
                    "overlap = {{ grad_reduce = {reduce}, param_gather = {gather} }}\n"
                ),
                (true, false) => format!("overlap = {{ grad_reduce = {reduce} }}\n"),
                (false, _) => String::new(),
            };
            let context = if 1 < cp {
                format!("cp_method = \"{cp_method}\"\n")
            } else {
                String::new()
            };
            let schedule = if 1 < vp { "interleaved" } else { "1f1b" };
            format!(
                "schema = 1\n{model}\n[cluster]\nname = \"dgx-h100\"\nnodes = {nodes}\n{training}\n\
                 [framework]\nname = \"megatron-core\"\n[plan]\ntp = {tp}\npp = {pp}\ncp = {cp}\n\
                 dp = {dp}\nvp = {vp}\nschedule = \"{schedule}\"\n{experts}{context}{overlap}{fields}"
            )
        },
    )
}

/// Fields of a plan: switches of gradients and parameters, a method of context parallelism, and
/// the rest as text.
fn fields() -> impl Strategy<Value = (bool, bool, &'static str, String)> {
    let recompute = select(vec![
        "\"none\"",
        "\"selective\"",
        "\"full\"",
        "2",
        "[\"core_attn\", \"layernorm\"]",
    ]);
    let shard = select(vec!["none", "zero-1", "zero-2", "zero-3"]);
    let split = select(vec![
        "",
        "layer_split = \"even\"\n",
        "layer_split = \"embedding-and-loss\"\n",
    ]);
    let order = select(vec!["", "rank_order = \"tp-cp-ep-pp-dp\"\n"]);
    let switches = (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>());
    let rest = (select(vec![1_u32, 2]), select(vec!["ring", "alltoall"]));
    (recompute, shard, split, order, switches, rest).prop_map(
        |(recompute, shard, split, order, (reduce, gather, sp, graphs), (micro, cp))| {
            let text = format!(
                "recompute = {recompute}\nshard = \"{shard}\"\n# shard\n{split}{order}\
                 micro_batch = {micro}\nsp = {sp}\ncuda_graphs = {graphs}\n"
            );
            (reduce, gather, cp, text)
        },
    )
}

fn training() -> impl Strategy<Value = String> {
    let precision = select(vec![
        "precision = \"bf16\"\ngrad_dtype = \"fp32\"",
        "precision = \"bf16\"\ngrad_dtype = \"bf16\"",
        "precision = \"fp16\"\ngrad_dtype = \"fp32\"",
        "precision = \"fp8\"\nfp8_recipe = \"blockwise\"",
        "precision = \"mxfp8\"",
        "precision = \"nvfp4\"",
        "precision = \"fp32\"",
    ]);
    let dropout = select(vec!["", "dropout = 0.1"]);
    (precision, dropout, select(vec![64_u32, 128])).prop_map(|(precision, dropout, batch)| {
        format!("[training]\nglobal_batch = {batch}\nseq_len = 4096\n{precision}\n{dropout}")
    })
}
