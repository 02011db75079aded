//! Claims about rows, groups and the document.

use runs::Table;
use units::Control;

use crate::{Document, Kind, Row, Settings, groups, run_as};

const HEADER: &str = "row_id,source_repo,source_path,gpu,num_gpus,framework,model,hidden,layers,heads,seq_len,gbs,mbs,precision,tp,pp,iter_time_s,tflops_per_gpu,mem_gib,mem_kind,oom,parallel_consistent\n";

fn rows(text: &str) -> Vec<Row> {
    let table = Table::parse("x.csv", format!("{HEADER}{text}").as_bytes()).unwrap();
    let kind = Kind::of(&table).unwrap();
    let all = table.records.iter().map(|record| {
        let run = run_as(kind, record, &table, &Settings::default(), &Control::new());
        run.unwrap().unwrap().row
    });
    all.collect()
}

const PLAIN: &str =
    "7,a/b,x.md,A100,8,Megatron-LM,GPT,2048,24,16,2048,64,4,fp16,2,1,3.5,,20,allocated_max,,yes\n";

#[test]
fn a_row_appears_once_for_each_quantity_that_it_measured() {
    let rows = rows(PLAIN);
    let document = serde_json::to_value(Document::new(&rows, &groups(&rows))).unwrap();
    let quantities: Vec<_> = document["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["quantity"].clone())
        .collect();
    assert_eq!(quantities, ["iteration_time_s", "peak_memory_bytes", "oom"]);
    assert_eq!(document["rows"][0]["row"], 7);
    assert!(document["rows"][2]["error"].is_null());
    assert_eq!(document["groups"].as_array().unwrap().len(), 3);
}

#[test]
fn keys_stand_in_the_order_of_the_contract() {
    let rows = rows(PLAIN);
    let text = serde_json::to_string(&Document::new(&rows, &groups(&rows))).unwrap();
    assert!(text.starts_with("{\"schema\":1,\"rows\":[{\"row\":7,\"source_repo\":\"a/b\",\"source_path\":\"x.md\",\"gpu\":\"A100\",\"quantity\":\"iteration_time_s\",\"measured\":3.5,\"predicted\":"), "{text}");
    let group = text.split("\"groups\":").nth(1).unwrap();
    let keys: Vec<&str> = group
        .split('"')
        .skip(1)
        .step_by(2)
        .filter(|word| !["a/b", "x.md", "A100", "iteration_time_s"].contains(word))
        .take(16)
        .collect();
    assert_eq!(
        keys,
        [
            "source_repo",
            "source_path",
            "gpu",
            "quantity",
            "count",
            "skipped",
            "mape",
            "median_ape",
            "p90_ape",
            "bias",
            "spearman",
            "oom",
            "true_positive",
            "false_positive",
            "false_negative",
            "true_negative"
        ]
    );
}

#[test]
fn what_contradicts_itself_is_printed_outside_every_group() {
    let rows = rows(&PLAIN.replace(",yes", ",no"));
    assert!(rows[0].apart.is_some() && !rows[0].compared.is_empty());
    assert!(groups(&rows).is_empty());
}

#[test]
fn a_row_that_measured_nothing_or_cannot_be_predicted_does_not_vanish() {
    let failed = "8,a/b,x.md,A100,8,Megatron-LM,GPT,2048,24,16,2048,64,4,fp16,2,1,,,,,fail,yes\n";
    let no_plan = "9,a/b,x.md,A100,8,Megatron-LM,GPT,2048,24,16,2048,64,4,fp16,3,1,,120,,,,yes\n";
    let rows = rows(&format!("{failed}{no_plan}"));
    let document = Document::new(&rows, &groups(&rows));
    let ids: Vec<&str> = document.rows.iter().map(|row| row.row.as_str()).collect();
    assert!(ids.contains(&"8") && ids.contains(&"9"), "{ids:?}");
    let skipped = |id: &str| document.rows.iter().find(|row| row.row == id).unwrap();
    assert_eq!(skipped("8").measured, None);
    assert!(skipped("8").skipped.as_ref().unwrap().contains("fail"));
    assert!(skipped("9").predicted.is_none() && skipped("9").skipped.is_some());
    let oom = document
        .groups
        .iter()
        .find(|group| group.quantity == "oom")
        .unwrap();
    assert_eq!(
        oom.oom.true_positive + oom.oom.false_negative,
        0,
        "'fail' is in no matrix"
    );
}

/// From the 10th to the 90th percentile of the first row's time, as a ratio.
fn width(row: &str) -> f64 {
    let rows = rows(row);
    let time = &rows[0].compared[0];
    time.p90.unwrap() / time.p10.unwrap()
}

/// A run of that framework on those GPUs.
fn run(gpu: &str, framework: &str) -> String {
    format!("7,a/b,x.md,{gpu},8,{framework},GPT,2048,24,16,2048,64,4,bf16,2,1,2.5,,,,,yes\n")
}

#[test]
fn an_unknown_gpu_has_a_wider_interval() {
    let known = width(&run("H100", "Megatron-Core"));
    let gpus = [
        "Gaudi2",
        "TPU v5p",
        "RTX 3090",
        "RTX 6000 Ada",
        "B100",
        "Ascend 910B",
        "MI300X",
    ];
    for gpu in gpus {
        let other = width(&run(gpu, "Megatron-Core"));
        assert!(1.2 * known < other, "{gpu}: {other}, known {known}");
        assert!(other < width(&run(gpu, "nanotron")), "{gpu}");
    }
}

#[test]
fn an_unknown_gpu_stands_for_the_nearest_one() {
    let architecture = |gpu: &str| {
        let row = rows(&run(gpu, "Megatron-Core")).remove(0);
        let facts = row
            .facts
            .unwrap_or_else(|| panic!("{gpu}: {:?}", row.skipped));
        facts.architecture.to_ascii_lowercase()
    };
    assert_eq!(architecture("B100"), architecture("B200"));
    assert_eq!(architecture("RTX 3090"), architecture("A100"));
    assert_eq!(architecture("RTX 6000 Ada"), architecture("L40S"));
    assert_eq!(architecture("RTX 5090"), architecture("RTX PRO 6000"));
    assert_eq!(architecture("Gaudi2"), architecture("A100"));
    assert_eq!(architecture("a thing of 2031"), architecture("H100"));
}

#[test]
fn an_unknown_framework_has_a_wider_interval() {
    let known = width(&run("H100", "Megatron-Core"));
    for framework in [
        "nanotron",
        "ColossalAI",
        "Primus",
        "torchtitan",
        "MyOwnTrainer",
        "",
    ] {
        let other = width(&run("H100", framework));
        assert!(1.04 * known < other, "{framework}: {other}, known {known}");
    }
}

#[test]
fn a_model_whose_shape_is_guessed_has_a_wider_interval() {
    let known = "7,a/b,x.md,H100,8,Megatron-Core,GPT,4096,32,32,2048,64,4,bf16,1,1,2.5,,,,,yes\n";
    let guessed = "7,a/b,x.md,H100,8,Megatron-Core,Mystery 7B,,,,2048,64,4,bf16,1,1,2.5,,,,,yes\n";
    assert!(1.05 * width(known) < width(guessed));
}

#[test]
fn a_row_says_why_its_interval_is_wider() {
    let of = |gpu: &str| {
        let row = PLAIN.replace("A100", gpu);
        let rows = rows(&row);
        let assumed = rows[0].assumptions.iter();
        let unseen = assumed.filter(|one| one.field == "settings.unseen");
        unseen.map(|one| one.value.clone()).collect::<Vec<_>>()
    };
    assert_eq!(of("Gaudi2"), ["[\"gpu\"]"]);
    assert!(of("A100").is_empty());
}

/// The rows of a table with columns of its own.
fn rows_of(header: &str, text: &str) -> Vec<Row> {
    let table = Table::parse("x.csv", format!("{header}\n{text}\n").as_bytes()).unwrap();
    let kind = Kind::of(&table).unwrap();
    let all = table.records.iter().filter_map(|record| {
        let run = run_as(kind, record, &table, &Settings::default(), &Control::new());
        Some(run.ok()?.unwrap().row)
    });
    all.collect()
}

/// The time that was measured, the rules that led to it, and the prediction.
fn timed(row: &Row) -> (f64, Vec<&'static str>, f64) {
    let time = &row.compared[0];
    let rules = row.assumptions.iter().map(|one| one.rule.name);
    (time.measured, rules.collect(), time.predicted.unwrap())
}

#[test]
fn a_utilization_alone_gives_a_time() {
    let header = "gpu,num_gpus,framework,model,seq_len,gbs,tp,recompute,mfu_pct,hfu_pct";
    let text = "H100,8,Megatron-LM,Llama 3.1 8B,8192,64,4,none,40,\n\
                H100,8,Megatron-LM,Llama 3.1 8B,8192,64,4,none,80,\n\
                H100,8,Megatron-LM,Llama 3.1 8B,8192,64,4,none,0.4,\n\
                H100,8,Megatron-LM,Llama 3.1 8B,8192,64,4,full,,40";
    let rows = rows_of(header, text);
    let found: Vec<_> = rows.iter().map(timed).collect();
    let (plain, rules, _) = &found[0];
    assert!(rules.contains(&"time-by-mfu"), "{rules:?}");
    assert!((plain / found[1].0 - 2.0).abs() < 1e-9);
    assert!((plain - found[2].0).abs() < 1e-9 && found[2].1.contains(&"percent-as-share"));
    let (again, rules, _) = &found[3];
    assert!(
        rules.contains(&"time-by-hfu") && *again > 1.2 * plain,
        "{again} {plain}"
    );
}

#[test]
fn tokens_give_a_time_with_an_inferred_length() {
    let header = "gpu,num_gpus,framework,model,mbs,grad_accum,tp,tokens_per_s_per_gpu";
    let rows = rows_of(header, "H100,8,Megatron-LM,Llama 2 7B,1,8,2,4096");
    let (measured, rules, _) = timed(&rows[0]);
    // 32 sequences of 4,096 tokens over 8 GPUs of 4,096 tokens a second.
    assert!((measured - 4.0).abs() < 1e-9, "{measured}");
    for rule in [
        "time-by-tokens",
        "sequence-length-of-model",
        "global-batch-by-steps",
    ] {
        assert!(rules.contains(&rule), "{rule}: {rules:?}");
    }
}

#[test]
fn a_sibling_that_cannot_be_read_changes_nothing() {
    let header = "gpu,num_gpus,framework,model,seq_len,gbs,tp,sp,iter_time_s";
    let good = "H100,16,Megatron-LM,Llama 3.1 8B,8192,64,4,,3.5";
    let alone = rows_of(header, good);
    let beside = rows_of(
        header,
        &format!("H100,8,Megatron-LM,Llama 3.1 8B,8192,64,4,perhaps,3.5\n{good}"),
    );
    assert_eq!(beside.len(), 1);
    assert_eq!(alone[0].compared, beside[0].compared);
}
