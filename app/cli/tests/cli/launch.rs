//! `windtunnel export` and `windtunnel import`.

use std::fs;

use serde_json::Value;

use crate::command::Scratch;
use crate::run::windtunnel;

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error} in {text}"))
}

#[test]
fn export_shows_its_files_and_writes_them_where_it_is_told() {
    let scratch = Scratch::new("export");
    let shown = windtunnel(&scratch.0, &["export", ".", "--to", "slurm"]);
    assert_eq!(shown.status, 0, "{}", shown.stderr);
    for name in ["job.sbatch", "rank.sh", "train.sh", "env.sh"] {
        assert!(
            shown.stdout.contains(&format!("==> {name} <==\n")),
            "{name}"
        );
    }
    let dry = windtunnel(
        &scratch.0,
        &[
            "export",
            ".",
            "--to",
            "slurm",
            "--output",
            "job",
            "--dry-run",
            "-q",
        ],
    );
    assert_eq!(
        (dry.stdout.as_str(), dry.stderr.as_str()),
        (shown.stdout.as_str(), "")
    );
    assert!(!scratch.0.join("job").exists());
    let write = ["export", ".", "--to", "slurm", "--output", "job", "-q"];
    let written = windtunnel(&scratch.0, &write);
    assert_eq!((written.status, written.stdout.as_str()), (0, ""));
    // The same files again are no change; another text is not replaced unless asked.
    assert_eq!(windtunnel(&scratch.0, &write).status, 0);
    fs::write(scratch.0.join("job/env.sh"), "mine\n").unwrap();
    let refused = windtunnel(&scratch.0, &write);
    assert_eq!(refused.status, 2);
    assert!(
        refused.stderr.contains("env.sh is there already"),
        "{}",
        refused.stderr
    );
    assert_eq!(
        fs::read_to_string(scratch.0.join("job/env.sh")).unwrap(),
        "mine\n"
    );
    let forced: Vec<&str> = write.into_iter().chain(["--force"]).collect();
    assert_eq!(windtunnel(&scratch.0, &forced).status, 0);
}

#[cfg(unix)]
#[test]
fn scripts_can_be_run_and_configurations_not() {
    use std::os::unix::fs::PermissionsExt as _;
    let scratch = Scratch::new("export-mode");
    let run = windtunnel(
        &scratch.0,
        &["export", ".", "--to", "torchrun", "-o", "x", "-q"],
    );
    assert_eq!(run.status, 0, "{}", run.stderr);
    let mode = |name: &str| {
        let about = fs::metadata(scratch.0.join("x").join(name)).unwrap();
        about.permissions().mode() & 0o100
    };
    assert_eq!(mode("torchrun.sh"), 0o100);
    assert_eq!(mode("hosts.txt"), 0);
}

#[test]
fn a_prediction_and_a_list_of_plans_are_exported_like_their_scenario() {
    let scratch = Scratch::new("export-json");
    let own = windtunnel(&scratch.0, &["export", ".", "--to", "megatron", "-q"]);
    let predicted = windtunnel(&scratch.0, &["simulate", ".", "--json", "-q"]);
    fs::write(scratch.0.join("p.json"), &predicted.stdout).unwrap();
    let other = windtunnel(&scratch.0, &["export", "p.json", "--to", "megatron", "-q"]);
    assert_eq!(other.status, 0, "{}", other.stderr);
    assert_eq!(own.stdout, other.stdout);

    let best = json(&predicted.stdout);
    let four = windtunnel(
        &scratch.0,
        &["simulate", ".", "--json", "-q", "--set", "plan.tp=4"],
    );
    let plans = serde_json::json!({
        "schema": 1, "best": 1, "plans": [json(&four.stdout), best], "partial": false,
    });
    fs::write(scratch.0.join("plans.json"), plans.to_string()).unwrap();
    let chosen = windtunnel(
        &scratch.0,
        &["export", "plans.json", "--to", "megatron", "-q"],
    );
    assert_eq!(chosen.stdout, own.stdout);
    let first = windtunnel(
        &scratch.0,
        &[
            "export",
            "plans.json",
            "--to",
            "megatron",
            "-q",
            "--rank",
            "0",
        ],
    );
    assert!(
        first.stdout.contains("--tensor-model-parallel-size 4\n"),
        "{}",
        first.stdout
    );
    let missing = windtunnel(
        &scratch.0,
        &["export", "plans.json", "--to", "slurm", "--rank", "7"],
    );
    assert_eq!(missing.status, 2);
    assert!(
        missing.stderr.contains("plans.json has 2 plans, no plan 7"),
        "{}",
        missing.stderr
    );
    let none = windtunnel(&scratch.0, &["export", ".", "--to", "slurm", "--rank", "1"]);
    assert!(
        none.stderr.contains("a scenario has one plan"),
        "{}",
        none.stderr
    );
}

#[test]
fn a_prediction_of_another_program_says_what_it_lacks() {
    let scratch = Scratch::new("export-foreign");
    fs::write(scratch.0.join("p.json"), "{\"schema\": 1}").unwrap();
    let run = windtunnel(&scratch.0, &["export", "p.json", "--to", "slurm"]);
    assert_eq!(run.status, 2);
    assert!(
        run.stderr.contains("p.json has no `scenario_toml`"),
        "{}",
        run.stderr
    );
}

#[test]
fn what_a_consumer_cannot_say_is_an_error_with_its_field() {
    let scratch = Scratch::new("export-refused");
    let set = ["--set", "plan.pp=2", "--set", "plan.schedule=gpipe"];
    let words: Vec<&str> = ["export", ".", "--to", "megatron", "--json"]
        .into_iter()
        .chain(set)
        .collect();
    let run = windtunnel(&scratch.0, &words);
    assert_eq!(run.status, 2);
    assert!(
        run.stderr.starts_with(
            "error: plan.schedule: Megatron-LM has no way to say the schedule gpipe\n"
        ),
        "{}",
        run.stderr
    );
    assert_eq!(json(&run.stdout)["errors"][0]["field"], "plan.schedule");
}

#[test]
fn export_answers_in_one_document() {
    let scratch = Scratch::new("export-document");
    let run = windtunnel(&scratch.0, &["export", ".", "--to", "nemo", "--json", "-q"]);
    let document = json(&run.stdout);
    assert_eq!(document["to"], "nemo");
    assert_eq!(document["written_to"], Value::Null);
    assert_eq!(document["files"][0]["name"], "torchrun.sh");
    assert_eq!(document["files"][0]["executable"], true);
    assert!(
        document["warnings"]
            .as_array()
            .is_some_and(|all| !all.is_empty())
    );
}

#[test]
fn import_reads_what_export_wrote() {
    let scratch = Scratch::new("import");
    let run = windtunnel(
        &scratch.0,
        &["export", ".", "--to", "megatron", "-o", "x", "-q"],
    );
    assert_eq!(run.status, 0, "{}", run.stderr);
    let read = windtunnel(&scratch.0, &["import", "--from", "megatron", "x/train.sh"]);
    assert_eq!(read.status, 0, "{}", read.stderr);
    assert!(
        read.stderr
            .contains("note: the file does not say which machines run it")
    );
    fs::write(scratch.0.join("again.toml"), &read.stdout).unwrap();
    let plan = |scenario: &str| {
        let run = windtunnel(&scratch.0, &["simulate", scenario, "--json", "-q"]);
        json(&run.stdout)["plan"].clone()
    };
    assert_eq!(plan("again.toml"), plan("."));
    let told = windtunnel(
        &scratch.0,
        &[
            "import",
            "--from",
            "megatron",
            "x/train.sh",
            "--set",
            "cluster.name=p5",
            "--json",
        ],
    );
    let document = json(&told.stdout);
    assert!(
        document["scenario_toml"]
            .as_str()
            .unwrap()
            .contains("name = \"p5\"")
    );
    assert!(!told.stderr.contains("which machines"), "{}", told.stderr);
}

#[test]
fn import_names_what_it_ignored_and_what_is_wrong() {
    let scratch = Scratch::new("import-ignored");
    fs::write(
        scratch.0.join("ds.json"),
        "{\"train_batch_size\": 16, \"zero_optimization\": {\"stage\": 3, \"sub_group_size\": 7}, \"wandb\": {}}",
    )
    .unwrap();
    let run = windtunnel(&scratch.0, &["import", "--from", "deepspeed", "ds.json"]);
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert!(
        run.stderr
            .contains("note: ignored: wandb, zero_optimization.sub_group_size"),
        "{}",
        run.stderr
    );
    fs::write(scratch.0.join("bad.json"), "{\"train_batchsize\": 16}").unwrap();
    let run = windtunnel(&scratch.0, &["import", "--from", "deepspeed", "bad.json"]);
    assert_eq!(run.status, 2);
    assert!(
        run.stderr
            .contains("`train_batchsize` is not a key of a DeepSpeed file"),
        "{}",
        run.stderr
    );
}

#[test]
fn a_job_is_imported_with_the_scripts_beside_it_and_no_others() {
    let scratch = Scratch::new("import-job");
    let words = ["export", ".", "--to", "slurm", "-o", "x", "-q"];
    assert_eq!(windtunnel(&scratch.0, &words).status, 0);
    let import = ["import", "--from", "slurm", "x/job.sbatch"];
    let read = windtunnel(&scratch.0, &import);
    assert_eq!(read.status, 0, "{}", read.stderr);
    assert!(
        read.stderr
            .contains("note: read besides the job: env.sh, rank.sh, train.sh\n"),
        "{}",
        read.stderr
    );
    assert!(read.stdout.contains("[training]\n"), "{}", read.stdout);
    // A path that leaves the folder is not followed.
    fs::write(
        scratch.0.join("x/job.sbatch"),
        "#!/bin/bash\n#SBATCH --nodes=1\nsrun ../outside.sh\n",
    )
    .unwrap();
    fs::write(
        scratch.0.join("outside.sh"),
        "python pretrain_gpt.py --num-layers 2\n",
    )
    .unwrap();
    let read = windtunnel(&scratch.0, &import);
    assert_eq!(read.status, 0, "{}", read.stderr);
    assert!(!read.stdout.contains("[model]"), "{}", read.stdout);
}

#[test]
fn a_topology_becomes_a_cluster_file_that_other_commands_take() {
    let scratch = Scratch::new("import-topology");
    let table = "\tGPU0\tGPU1\tNIC0\tNIC1\tCPU Affinity\tNUMA Affinity\n\
                 GPU0\t X \tNV18\tPXB\tNODE\t0-55\t0\n\
                 GPU1\tNV18\t X \tNODE\tPXB\t0-55\t0\n\
                 NIC0\tPXB\tNODE\t X \tNODE\n\
                 NIC1\tNODE\tPXB\tNODE\t X \n";
    fs::write(scratch.0.join("topo.txt"), table).unwrap();
    let words = [
        "import",
        "--from",
        "nvidia-smi",
        "topo.txt",
        "--gpu",
        "h200",
        "--nodes",
        "2",
        "--output",
        "mine.toml",
    ];
    let run = windtunnel(&scratch.0, &words);
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert!(
        run.stderr.contains("note: the rate of a NIC is not told"),
        "{}",
        run.stderr
    );
    let words = [
        "collective",
        "all_reduce",
        "--cluster",
        "mine.toml",
        "-b",
        "1M:1M",
        "--json",
    ];
    let run = windtunnel(&scratch.0, &words);
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert_eq!(json(&run.stdout)["ranks"], 4);
    let words = ["import", "--from", "nvidia-smi", "topo.txt", "--json"];
    let document = json(&windtunnel(&scratch.0, &words).stdout);
    assert_eq!(document["from"], "nvidia-smi");
    let text = document["cluster_toml"].as_str().unwrap();
    assert!(text.contains("gpus = 2\n"), "{text}");
}

#[test]
fn options_of_another_kind_of_file_are_refused() {
    let scratch = Scratch::new("import-options");
    let refused = |words: &[&str]| {
        let run = windtunnel(&scratch.0, words);
        assert_eq!(run.status, 2, "{}", run.stdout);
        run.stderr
    };
    let text = refused(&["import", "--from", "nccl", "x.xml", "--set", "a=1"]);
    assert!(text.contains("--set is not for files of nccl"), "{text}");
    let text = refused(&["import", "--from", "megatron", "x.sh", "--gpu", "h200"]);
    assert!(
        text.contains("--gpu is not for files of megatron"),
        "{text}"
    );
    let text = refused(&["import", "--from", "chakra", "x.0.et", "--nodes", "2"]);
    assert!(
        text.contains("such a file becomes a list of flows"),
        "{text}"
    );
    fs::write(scratch.0.join("x.xml"), "<system version=\"1\">\n<cpu>").unwrap();
    let text = refused(&["import", "--from", "nccl", "x.xml"]);
    assert!(
        text.contains("x.xml: line 2: <cpu> is never closed"),
        "{text}"
    );
}
