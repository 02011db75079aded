//! Claims about what rows become.

use super::*;

const HEADER: &str = "gpu,num_gpus,gpus_per_node,framework,model,params_b,hidden,layers,heads,\
                      kv_heads,seq_len,gbs,tp,pp,vp,release_or_date";

fn table(rows: &str) -> Table {
    Table::parse("runs.csv", format!("{HEADER}\n{rows}\n").as_bytes()).unwrap()
}

fn drafted(table: &Table, at: usize) -> Result<Draft, String> {
    let drafts = drafts(&table.records[at], table).map_err(|error| error.to_string())?;
    Ok(drafts.into_iter().next().unwrap())
}

/// The draft of a row by its cells from `model` on.
fn model(cells: &str) -> Draft {
    let table = table(&format!("H100,64,8,Megatron-LM,{cells}"));
    drafted(&table, 0).unwrap()
}

fn text(draft: &Draft, section: &str, key: &str) -> Option<String> {
    draft.get(section, key).map(ToString::to_string)
}

fn rule(draft: &Draft, field: &str) -> Option<&'static str> {
    let all = draft.assumptions();
    let found = all.iter().find(|assumed| assumed.field == field);
    found.map(|assumed| assumed.rule.name)
}

#[test]
fn a_bad_cell_is_the_error_of_its_own_row_alone() {
    let table = table(
        "H100,8,8,Megatron-LM,mine,,wide,24,16,,2048,64,1,1,,\n\
         H100,8,8,Megatron-LM,mine,,1024,deep,16,,2048,64,1,1,,\n\
         H100,8,8,Megatron-LM,mine,,2048,24,16,,2048,64,1,2,some,\n\
         H100,few,8,Megatron-LM,mine,,2048,24,16,,2048,64,1,2,,\n\
         H100,8,8,Megatron-LM,mine,,,,,,2048,64,1,2,,",
    );
    let of = |at| drafted(&table, at);
    for (at, column) in ["hidden", "layers", "vp", "num_gpus"]
        .into_iter()
        .enumerate()
    {
        let error = of(at).unwrap_err();
        let place = format!("runs.csv:{}: `{column}` is", at + 2);
        assert!(error.starts_with(&place), "{error}");
    }
    let last = of(4).unwrap();
    assert_eq!(shape_of(&last), (Some(2048), Some(24)));
    assert_eq!(rule(&last, "model.megatron.hidden"), Some("sibling-shape"));
}

#[test]
fn a_known_model_stays_itself_when_its_cells_are_given() {
    let bare = model("Llama 3.1 8B,,,,,,4096,512,4,1,,");
    let whole = model("Llama 3.1 8B,8,4096,32,32,8,4096,512,4,1,,");
    assert_eq!(text(&bare, "model", "config").unwrap(), "\"llama3.1-8b\"");
    assert_eq!(bare, whole);
}

#[test]
fn cells_that_differ_from_a_known_model_are_set_over_its_fields() {
    let cut = model("Llama 3.1 8B,,,16,,,4096,512,4,1,,");
    assert_eq!(text(&cut, "model", "config").unwrap(), "\"llama3.1-8b\"");
    assert_eq!(cut.count("model", "layers"), Some(16));
    let wide = model("Llama 3.1 8B,,5120,40,,,4096,512,4,1,,");
    assert_eq!(wide.count("model", "hidden"), Some(5120));
    assert_eq!(wide.count("model", "heads"), Some(40));
    assert_eq!(wide.count("model", "ffn"), Some(17_920));
    assert_eq!(rule(&wide, "model.ffn"), Some("scaled-with-width"));
    let table = table("H100,64,8,Megatron-LM,Llama 3.1 8B,,,,many,,4096,512,4,1,,");
    let error = drafted(&table, 0).unwrap_err();
    assert!(error.contains("`heads` is \"many\""), "{error}");
}

#[test]
fn a_gpt_by_its_dimensions_is_as_megatron_has_it() {
    let draft = model("GPT-3 175B,175,12288,96,96,,2048,512,8,8,,");
    assert_eq!(draft.get("model", "config"), None);
    assert_eq!(shape_of(&draft), (Some(12_288), Some(96)));
    assert_eq!(
        rule(&draft, "model.megatron.vocab"),
        Some("megatron-vocabulary")
    );
}

#[test]
fn a_family_at_another_size_gets_that_size() {
    let draft = model("Llama 3 18B,,,,,,4096,512,8,1,,");
    assert_eq!(rule(&draft, "model.layers"), Some("family-by-size"));
    assert_eq!(text(&draft, "model", "config").unwrap(), "\"llama3-8b\"");
    assert_eq!(
        draft.count("model", "heads").map(|heads| heads % 8),
        Some(0)
    );
}

#[test]
fn a_row_without_any_size_says_that_one_was_taken() {
    let draft = model(",,,,,,4096,512,8,1,,");
    assert_eq!(rule(&draft, "model.megatron.layers"), Some("size-of-7b"));
    assert_eq!(rule(&draft, "model.megatron.hidden"), Some("size-of-7b"));
    for billions in ["71", "109"] {
        let sized = model(&format!(",{billions},,,,,4096,512,8,1,,"));
        assert_eq!(
            sized
                .count("model.megatron", "heads")
                .map(|heads| heads % 8),
            Some(0)
        );
    }
    let table = table("H100,64,8,Megatron-LM,,0,,,,,4096,512,4,1,,");
    assert!(
        drafted(&table, 0)
            .unwrap_err()
            .contains("`params_b` is \"0\"")
    );
}

#[test]
fn clusters_have_the_gpus_of_the_row() {
    let nodes = |cells: &str| {
        let table = table(&format!("{cells},Megatron-LM,GPT 1.3B,,,,,,2048,24,1,1,,"));
        text(&drafted(&table, 0).unwrap(), "cluster", "nodes").unwrap()
    };
    let twelve = nodes("H100,12,8");
    assert!(
        twelve.contains("count = 2") && twelve.contains("gpus = 6"),
        "{twelve}"
    );
    let a10g = nodes("A10G,16,");
    assert!(
        a10g.contains("\"a10\"") && a10g.contains("gpus = 4"),
        "{a10g}"
    );
    let gh200 = nodes("GH200,16,8");
    assert!(gh200.contains("\"grand-teton-96gb\""), "{gh200}");
}

#[test]
fn degrees_beyond_any_cluster_are_refused_before_anything_grows() {
    let of = |tp: &str, pp: &str, vp: &str| {
        let table = table(&format!(
            "H100,,8,Megatron-LM,GPT,,2048,24,16,,2048,64,{tp},{pp},{vp},"
        ));
        drafted(&table, 0).unwrap_err()
    };
    assert!(of("1", "999999999", "").contains("`pp` is \"999999999\""));
    assert!(of("1", "1e15", "1e15").contains("`pp` is \"1e15\""));
    assert!(of("1", "1024", "1024").contains("pp x vp is at most 16,384"));
    assert!(of("1", "16384", "").contains("at most the model's layers"));
    assert!(of("1048576", "1048576", "").contains("tp x pp x cp x dp"));
}

#[test]
fn a_sequence_is_as_long_as_the_model_was_made_for() {
    let len = |model_of: &str, date: &str| {
        let draft = model(&format!("{model_of},,,,,,,512,1,1,,{date}"));
        let rule = rule(&draft, "training.seq_len").unwrap();
        (draft.count("training", "seq_len").unwrap(), rule)
    };
    assert_eq!(len("Llama 2 7B", ""), (4096, "sequence-length-of-model"));
    assert_eq!(len("Llama 3.1 8B", ""), (8192, "sequence-length-of-model"));
    assert_eq!(len("OPT-13B", ""), (2048, "sequence-length-of-model"));
    assert_eq!(
        len("GPT 7B", "2024-05"),
        (4096, "sequence-length-since-2023")
    );
    assert_eq!(len("GPT 7B", "2021-05"), (1024, "sequence-length"));
}
