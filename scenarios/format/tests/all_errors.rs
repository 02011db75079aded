//! All errors of a file are said at once, whatever section they are in.

#![expect(
    clippy::unwrap_used,
    reason = "a file without the expected errors fails the test"
)]

use std::path::Path;

use format::{Library, NoFiles, check};

/// Field, and a part of the message, of every failure.
fn failures(text: &str) -> Vec<(String, String)> {
    let failures = check::scenario(text).unwrap_err();
    failures
        .into_iter()
        .map(|failure| (failure.field.clone(), failure.to_string()))
        .collect()
}

fn fields(text: &str) -> Vec<String> {
    failures(text).into_iter().map(|(field, _)| field).collect()
}

const MODEL: &str = "schema = 1\n[model]\nconfig = \"llama3-8b\"\n";
const CLUSTER: &str = "[cluster]\nname = \"dgx-h100\"\nnodes = 2\n";
const TRAINING: &str = "[training]\nglobal_batch = 64\nseq_len = 8192\n";

#[test]
fn every_section_says_what_is_wrong_with_it() {
    let text = "schema = 1\n\
        [model]\nconfig = \"llama3-9b\"\n\
        [cluster]\nname = \"dgx-h101\"\n\
        [training]\nglobal_batch = \"many\"\nseq_len = 8192\npeft = { kind = \"lora\" }\n\
        [plan]\ntp = 0\nschedule = \"2f1b\"\n\
        [framework]\nname = \"megatorn\"\n\
        [network]\nload_balancing = \"sprya\"\n\
        [nccl]\nalgo = \"rings\"\n\
        [settings]\nengine = \"flwo\"\nprofiles = [\"my.toml\"]\n\
        [[stragglers]]\ngpu = \"n0g0\"\n\
        [prices]\ngpu_hour = -1\n\
        [hall]\nx = 1\n";
    let mut found = fields(text);
    found.sort();
    let expected = [
        "cluster.name",
        "framework.name",
        "hall",
        "model.config",
        "nccl.algo",
        "network.load_balancing",
        "plan.schedule",
        "plan.tp",
        "prices.gpu_hour",
        "settings.engine",
        "stragglers[0].speed",
        "training.global_batch",
        "training.peft.rank",
    ];
    assert_eq!(found, expected);
}

#[test]
fn an_error_in_training_hides_none_of_the_plan() {
    let training = "[training]\nglobal_batch = 64\nseq_len = 8192\npeft = { kind = \"lorra\" }\n";
    let text = format!("{MODEL}{CLUSTER}{training}[plan]\ntp = 3\npp = 2\nlayer_split = [1, 2]\n");
    let found = failures(&text);
    let has = |field: &str, part: &str| {
        assert!(
            found
                .iter()
                .any(|(at, said)| at == field && said.contains(part)),
            "{field} {part}: {found:?}"
        );
    };
    has("training.peft.kind", "lorra");
    has("plan.pp", "does not divide the cluster's 16 GPUs");
    has("plan.tp", "32 attention heads");
    has("plan.layer_split", "sums to 3, but the model has 32 layers");
    assert!(
        found
            .iter()
            .all(|(field, _)| !field.contains("micro_batch"))
    );
}

#[test]
fn an_error_in_the_cluster_hides_none_of_model_job_and_plan() {
    let cluster = "[cluster]\nname = \"dgx-h100\"\nnodes = -2\n";
    let training = "[training]\nglobal_batch = 7\nseq_len = 8192\npacked = 9000\n";
    let plan = "[plan]\ntp = 3\nep = 2\n";
    let found = fields(&format!("{MODEL}{cluster}{training}{plan}"));
    assert_eq!(
        found,
        [
            "cluster.nodes",
            "training.packed",
            "plan.tp",
            "plan.tp",
            "plan.ep"
        ]
    );
}

#[test]
fn a_missing_model_hides_no_number_of_the_job_and_no_degree() {
    let model = "schema = 1\n[model]\nconfig = \"llama3-9b\"\n";
    let training = "[training]\nglobal_batch = 64\nseq_len = 8192\npacked = 9000\n";
    let plan = "[plan]\ntp = 16\npp = 64\ndp = 1\n";
    let found = fields(&format!("{model}{CLUSTER}{training}{plan}"));
    assert_eq!(found, ["model.config", "training.packed", "plan.dp"]);
}

#[test]
fn what_comes_from_a_stand_in_is_not_said() {
    let model = "schema = 1\n[model]\nconfig = \"llama3-9b\"\n";
    for plan in [
        "tp = 3\npp = 5\n",
        "ep = 128\n",
        "pp = 16\nlayer_split = [1, 2]\n",
        "cp = 7\nmicro_batch = 11\n",
        "shard = [{ what = \"weights\", group = 3 }]\n",
        "tp = 1048576\npp = 1048576\n",
    ] {
        for cluster in [CLUSTER, "[cluster]\nname = \"nowhere\"\n"] {
            for training in [TRAINING, "[training]\nseq_len = 8192\n"] {
                let found = failures(&format!("{model}{cluster}{training}[plan]\n{plan}"));
                let of_stand_ins = [
                    "5040", "7560", "10080", "15120", "16384", "24576", "80", "48",
                ];
                for (field, said) in found.iter().filter(|(field, _)| field.starts_with("plan.")) {
                    let words = said.split(|c: char| !c.is_ascii_digit());
                    let numbers: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
                    assert!(
                        of_stand_ins.iter().all(|number| !numbers.contains(number)),
                        "{field}: {said}"
                    );
                }
            }
        }
    }
}

#[test]
fn a_later_schema_stands_alone() {
    let text = "schema = 2\n[plan]\ntp = 0\n[hall]\nx = 1\n[model]\nconfig = \"llama3-9b\"\n";
    assert_eq!(
        failures(text),
        [(
            "schema".to_owned(),
            "scenario has schema 2, this windtunnel reads up to 1".to_owned()
        )]
    );
}

#[test]
fn without_errors_in_fields_the_whole_reading_is_the_plain_one() {
    let text = format!("{MODEL}{CLUSTER}{TRAINING}");
    let document = format::tree::parse(&format::Source::new("a.toml", text)).unwrap();
    let library = Library {
        files: &NoFiles,
        base: Path::new(""),
    };
    assert_eq!(
        format::read_whole_scenario(&document, &library),
        format::read_scenario(&document)
    );
}

#[test]
fn all_errors_of_one_tp_have_one_hint() {
    let text =
        format!("{MODEL}[cluster]\nname = \"dgx-h100\"\nnodes = 1\n{TRAINING}[plan]\ntp = 3\n");
    let failures = check::scenario(&text).unwrap_err();
    assert_eq!(failures.len(), 3, "{failures:?}");
    for failure in failures {
        assert_eq!(failure.problem.hint().unwrap(), "tp can be 1, 2, 4 or 8");
    }
}

#[test]
fn an_override_at_fault_is_blamed_itself_and_an_unknown_one_lists_the_fields() {
    let with = |own: &str| format!("{MODEL}{own}\n{CLUSTER}{TRAINING}");
    let failures = check::scenario(&with("layers = 0")).unwrap_err();
    assert_eq!(failures[0].field, "model.layers");
    assert_eq!(
        failures[0].place.as_ref().unwrap().to_string(),
        "scenario.toml:4:10"
    );
    let failures = check::scenario(&with("foo = 12")).unwrap_err();
    let hint = failures[0].problem.hint().unwrap();
    assert!(hint.starts_with("known fields: "), "{hint}");
    assert!(hint.contains("layers"), "{hint}");
}

#[test]
fn a_cluster_too_large_is_told_in_gpus() {
    let text = format!("{MODEL}[cluster]\nname = \"dgx-h100\"\nnodes = 4294967295\n{TRAINING}");
    let failures = check::scenario(&text).unwrap_err();
    assert_eq!(
        failures[0].to_string(),
        "the nodes have 34359738360 GPUs in all, above the limit of 1048576"
    );
}

#[test]
fn a_gpu_is_slow_once() {
    let slow = "[[stragglers]]\ngpu = \"n0g0\"\nspeed = 0.5\n";
    let text = format!("{MODEL}{CLUSTER}{TRAINING}{slow}{slow}");
    assert_eq!(fields(&text), ["stragglers[1].gpu"]);
}

#[test]
fn an_error_in_a_section_hides_no_unknown_name_beside_it() {
    let text = format!(
        "schema = 1\n[model]\nconfig = \"llama3-70\"\nlayers = nan\n\
         [cluster]\nname = \"dgx-h10\"\nnodes = -3\n{TRAINING}"
    );
    let found = fields(&text);
    for field in [
        "model.layers",
        "model.config",
        "cluster.nodes",
        "cluster.name",
    ] {
        assert!(found.iter().any(|one| one == field), "{field} of {found:?}");
    }
}

/// A scenario on a graph, with these lines in its fabric.
fn on_graph(lines: &str) -> String {
    format!(
        "{MODEL}[[cluster.nodes]]\nkind = \"dgx-h100\"\ncount = 2\n\
         [cluster.fabric]\nname = \"mine\"\nkind = \"graph\"\n{lines}\n{TRAINING}"
    )
}

#[test]
fn what_is_wrong_with_a_graph_is_said_where_it_stands() {
    let text = on_graph(
        "switches = [\"a\", \"b[0-1]\"]\n\
         cables = [{ ends = [\"a\", \"b[0-1]\"], count = 2 }, { ends = [\"c\", \"a\"] }]\n\
         attach = [{ switches = [\"b[0-1]\"] }]",
    );
    let found = failures(&text);
    let expected = (
        "cluster.fabric.cables[2].ends".to_owned(),
        "fabric.cables[2].ends names the switch \"c\", which is not among the switches".to_owned(),
    );
    assert_eq!(found, [expected]);
    let sound = text
        .replace("\"c\"", "\"b0\"")
        .replace("{ ends = [\"b0\", \"a\"] }", "");
    assert_eq!(
        check::scenario(&sound)
            .map(|_| ())
            .map_err(|_| failures(&sound)),
        Ok(())
    );
}

#[test]
fn names_that_stand_for_too_many_switches_are_refused_before_they_are_written_out() {
    let text = on_graph(
        "switches = [\"a[0-4000000000]\"]\n\
         cables = [{ ends = [\"a[0-9999]\", \"b[0-9999]\"] }, { ends = [\"a[0\", \"a\"] }]\n\
         attach = [{ switches = [\"a[5-1]\"], nodes_per_switch = 0 }]",
    );
    let found = failures(&text);
    let has = |field: &str, part: &str| {
        let said = |(at, said): &(String, String)| at == field && said.contains(part);
        assert!(found.iter().any(said), "{field} {part}: {found:?}");
    };
    has("cluster.fabric.switches", "stands for 4000000001 entries");
    has("cluster.fabric.cables[1].ends[0]", "leaf[0-3]");
    has("cluster.fabric.attach[0].switches[0]", "leaf[0-3]");
    has("cluster.fabric.attach[0].nodes_per_switch", "0");
}
