//! A completed scenario is the same scenario, whoever reads it.

#![expect(
    clippy::unwrap_used,
    reason = "a folder that cannot be written fails the test"
)]

use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use proptest::sample::select;
use session::{Opened, Ready, Request, complete_scenario, open};

/// A folder of its own for a test, removed afterwards.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("windtunnel-{name}-{}", std::process::id()));
        drop(fs::remove_dir_all(&folder));
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn read(&self, text: &str) -> Result<(Opened, Ready), String> {
        let file = self.0.join("x.toml");
        fs::write(&file, text).unwrap();
        read(&file)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

fn read(path: &Path) -> Result<(Opened, Ready), String> {
    let request = Request {
        scenario: path.to_owned(),
        ..Request::default()
    };
    let words = |failures: Vec<session::Failure>| {
        let lines = failures.iter().map(|one| format!("{one}\n"));
        lines.collect::<String>()
    };
    let opened = open(&request).map_err(words)?;
    let ready = opened.ready().map_err(words)?;
    Ok((opened, ready))
}

/// Every field of `[plan]`, in every kind of value.
fn plans() -> impl Strategy<Value = String> {
    let degrees = (
        select(vec![1_u32, 2, 4]),
        select(vec![1_u32, 2, 4]),
        select(vec![1_u32, 1, 2]),
        select(vec!["", "dp = 2\n", "dp = 4\n"]),
    );
    let schedule = select(vec![
        "",
        "schedule = \"gpipe\"\n",
        "schedule = \"1f1b\"\nvp = 1\n",
        "schedule = \"interleaved\"\nvp = 2\n",
        "schedule = \"interleaved\"\nvp = 2\ninterleave_group = 8\n",
        "schedule = \"zb-h1\"\n",
        "schedule = \"zb-v\"\n",
        "schedule = \"v-half\"\n",
        "schedule = \"vocab-2\"\n",
        "schedule = \"dualpipe\"\n",
    ]);
    let recompute = select(vec![
        "",
        "recompute = \"full\"\n",
        "recompute = \"selective\"\n",
        "recompute = 2\n",
        "recompute = [\"mlp\", \"layernorm\", \"core_attn\"]\n",
        "recompute = [\"moe\", \"moe_act\"]\n",
    ]);
    let shard = select(vec![
        "",
        "shard = \"none\"\n",
        "shard = \"zero-2\"\n",
        "shard = \"zero-3\"\n",
        "shard = [{ what = \"weights\", group = 2 }, { what = \"optimizer\", group = 2 }]\n",
    ]);
    let rest = select(vec![
        "",
        "offload = { activations = 0.25, optimizer = 1.0, target = \"ssd\" }\n",
        "overlap = { tp = \"chunked\", p2p = true, grad_reduce = false }\n",
        "cuda_graphs = true\nsp = false\n",
        "rank_order = \"tp-cp-ep-pp-dp\"\n",
        "rank_gpus = [15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0]\n",
    ]);
    let experts = select(vec![
        "",
        "ep = 2\nmoe = { dispatcher = \"deepep\", dispatch_dtype = \"fp8\", shared_overlap = true }\n",
        "ep = 2\netp = 1\nmoe = { capacity_factor = 1.25, routing = \"balanced\" }\n",
    ]);
    (degrees, schedule, recompute, shard, rest, experts).prop_map(
        |((tp, pp, cp, dp), schedule, recompute, shard, rest, experts)| {
            format!(
                "tp = {tp}\npp = {pp}\ncp = {cp}\n{dp}{schedule}{recompute}{shard}{rest}{experts}"
            )
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig {
        max_global_rejects: 100_000,
        failure_persistence: None,
        ..ProptestConfig::with_cases(200)
    })]

    #[test]
    fn a_completed_scenario_gives_an_equal_plan_and_assumes_nothing_of_it(
        plan in plans(),
        model in select(vec!["llama3-8b", "mixtral-8x7b"]),
    ) {
        let scratch = Scratch::new("complete");
        let text = format!(
            "schema = 1\n[model]\nconfig = \"{model}\"\n[cluster]\nname = \"dgx-h100\"\nnodes = 2\n\
             [training]\nglobal_batch = 64\nseq_len = 4096\n[plan]\nfixed = [\"tp\"]\n{plan}"
        );
        let own = scratch.read(&text);
        prop_assume!(own.is_ok());
        let (opened, ready) = own.unwrap();
        let completed = complete_scenario(&opened, &ready.scenario.plan);
        let again = scratch.read(&completed);
        prop_assert!(again.is_ok(), "{:?}\n{text}\n{completed}", again.err());
        let (_, again) = again.unwrap();
        prop_assert_eq!(&again.scenario.plan, &ready.scenario.plan, "{}\n{}", text, completed);
        let assumed: Vec<&str> = again.scenario.assumptions.iter().map(|one| one.field.as_str()).collect();
        let of_plan: Vec<&&str> = assumed
            .iter()
            .filter(|field| field.starts_with("plan."))
            // How experts are padded is told; chunks of a single device only its schedule may say.
            .filter(|field| !["plan.moe.capacity_factor", "plan.vp"].contains(field))
            .collect();
        prop_assert!(of_plan.is_empty(), "{of_plan:?}\n{completed}");
        prop_assert!(completed.contains("fixed = [\"tp\"]"));
    }
}

#[test]
fn files_that_a_plan_names_stay_named() {
    let scratch = Scratch::new("complete-files");
    fs::write(scratch.0.join("ranks.txt"), "3 2 1 0\n").unwrap();
    let head = "schema = 1\n[model]\nconfig = \"llama3-8b\"\n[cluster]\nname = \"dgx-h100\"\nnodes = 1\n\
                [training]\nglobal_batch = 8\nseq_len = 4096\n[plan]\npp = 4\ndp = 1\n";
    let plain = scratch
        .read(&format!("{head}schedule = \"zb-h1\"\n"))
        .unwrap()
        .1;
    fs::write(scratch.0.join("schedule.csv"), plain.print_schedule()).unwrap();
    let text = format!("{head}schedule_file = \"schedule.csv\"\nrank_order_file = \"ranks.txt\"\n");
    let (opened, ready) = scratch.read(&text).unwrap();
    let completed = complete_scenario(&opened, &ready.scenario.plan);
    assert!(
        completed.contains("schedule_file = \"schedule.csv\""),
        "{completed}"
    );
    assert!(
        completed.contains("rank_gpus = [3, 2, 1, 0]"),
        "{completed}"
    );
    let again = scratch.read(&completed).unwrap().1;
    assert_eq!(again.scenario.plan, ready.scenario.plan);
    assert!(opened.absolute_base().is_absolute());
}
