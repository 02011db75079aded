//! Claims about the conversion of rows.

use super::*;

fn row(text: &str) -> Record {
    let header = "test_case,env,family,platform,nodes,gpus,tensor-model-parallel-size,pipeline-model-parallel-size,\
                  num-layers,hidden-size,num-attention-heads,max-position-embeddings,micro-batch-size,\
                  global-batch-size,seq-length,bf16,transformer-impl,pipeline-model-parallel-layout,\
                  mem_max_allocated_bytes\n";
    let table = Table::parse("ci.csv", format!("{header}{text}\n").as_bytes()).unwrap();
    assert!(is_megatron_ci(&table));
    table.records[0].clone()
}

#[test]
fn a_layout_becomes_layers_by_stage() {
    let record = row(
        "case,dev,gpt,dgx_h100,1,8,1,2,15,512,8,1024,4,32,1024,True,transformer_engine,Et*3|(tt|)*6mL,1",
    );
    let draft = draft(&record).unwrap();
    let split = draft.get("plan", "layer_split").unwrap().to_string();
    assert_eq!(split, "[3, 2, 2, 2, 2, 2, 2, 0]");
    assert_eq!(draft.count("plan", "vp"), Some(4));
}

#[test]
fn blank_gpus_are_the_least_that_fit() {
    let record = row("case,lts,gpt,,,,4,4,12,512,8,1024,4,32,1024,True,transformer_engine,,1");
    let draft = draft(&record).unwrap();
    let nodes = draft.get("cluster", "nodes").unwrap().to_string();
    assert!(
        nodes.contains("dgx-a100") && nodes.contains("count = 2"),
        "{nodes}"
    );
    let rules: Vec<&str> = draft.assumptions().iter().map(|a| a.rule.name).collect();
    assert!(
        rules.contains(&"ci-gpus") && rules.contains(&"ci-platform"),
        "{rules:?}"
    );
}

#[test]
fn older_machines_ran_unfused_attention_where_no_backend_is_named() {
    let attention = |env: &str| {
        let text =
            format!("case,{env},gpt,,,,1,1,12,512,8,1024,4,32,1024,True,transformer_engine,,1");
        draft(&row(&text))
            .unwrap()
            .get("framework", "attention")
            .cloned()
    };
    assert_eq!(attention("lts_dgxa100_dracooci"), Some("unfused".into()));
    assert_eq!(attention("dev_dgx_h100"), None);
}

#[test]
fn reinforcement_learning_and_rows_without_memory_stand_apart() {
    let apart = |name: &str, bytes: &str| {
        let text = format!("{name},dev,gpt,,,,1,1,12,512,8,1024,4,32,1024,True,,,{bytes}");
        set_apart(&row(&text))
    };
    assert!(apart("gpt_grpo_tp4", "1").is_some_and(|why| why.contains("reinforcement")));
    assert!(apart("gpt3", "").is_some());
    assert_eq!(apart("gpt3", "5"), None);
}

#[test]
fn layouts_and_degrees_that_no_model_has_are_refused() {
    let of = |cells: &str| {
        let text = format!("case,dev,gpt,dgx_h100,1,8,{cells},1");
        draft(&row(&text)).unwrap_err().to_string()
    };
    let long = of("1,2,15,512,8,1024,4,32,1024,True,transformer_engine,t*99999999999999999999999");
    assert!(long.contains("at most 100,000 letters"), "{long}");
    let wide = of("1e15,2,15,512,8,1024,4,32,1024,True,transformer_engine,");
    assert!(
        wide.contains("`tensor-model-parallel-size` is \"1e15\""),
        "{wide}"
    );
}
