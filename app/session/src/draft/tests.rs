use std::path::PathBuf;

use super::*;

const TEXT: &str = "# What a plan takes.
schema = 1

[cluster]
name = \"dgx-h100\"   # the usual
nodes = 2

[plan]
# as many as a node has
tp = 8               # GPUs
shard = [{ what = \"optimizer\", group = 2 }]

[[stragglers]]
gpu = \"n0g0\"
speed = 0.8
";

fn draft() -> Draft {
    Draft::from_text("two", TEXT, Path::new(""))
}

/// A folder of its own for a test, removed afterwards.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let name = format!("windtunnel-draft-{name}-{}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

#[test]
fn an_edit_changes_one_value_and_no_comment() {
    let edited = draft().set("plan.tp", "4").unwrap();
    assert_eq!(edited.text(), TEXT.replace("tp = 8 ", "tp = 4 "));
    assert!(edited.is_changed_from(&draft()));
    assert!(
        !edited
            .set("plan.tp", "8")
            .unwrap()
            .is_changed_from(&draft())
    );
}

#[test]
fn bare_words_become_strings_and_toml_stays_toml() {
    let edited = draft().set("training.precision", "bf16").unwrap();
    assert!(
        edited
            .text()
            .ends_with("[training]\nprecision = \"bf16\"\n"),
        "{}",
        edited.text()
    );
    assert_eq!(edited.value("training.precision").unwrap(), "bf16");
    let edited = edited.set("cluster.name", "\"8\"").unwrap();
    assert_eq!(edited.value("cluster.name").unwrap(), "\"8\"");
    let edited = edited.set("model.config", "  llama3 70b ").unwrap();
    assert_eq!(edited.value("model.config").unwrap(), "llama3 70b");
}

#[test]
fn lists_are_reached_by_index_and_set_as_a_whole() {
    let edited = draft().set("stragglers[0].speed", "0.5").unwrap();
    assert_eq!(edited.value("stragglers.0.speed").unwrap(), "0.5");
    let edited = edited.set("plan.shard[0].group", "4").unwrap();
    assert!(
        edited
            .text()
            .contains("shard = [{ what = \"optimizer\", group = 4 }]")
    );
    let list = "[{ gpu = \"n1g0\", speed = 0.9 }, { gpu = \"n1g1\", speed = 0.7 }]";
    let edited = edited.set("stragglers", list).unwrap();
    assert!(
        edited.text().contains("[[stragglers]]\ngpu = \"n1g1\""),
        "{}",
        edited.text()
    );
    assert_eq!(edited.value("stragglers[1].gpu").unwrap(), "n1g1");
}

#[test]
fn a_table_inside_a_section_stays_on_one_line() {
    let edited = draft().set("plan.moe.dispatcher", "deepep").unwrap();
    assert!(
        edited.text().contains("moe = { dispatcher = \"deepep\" }"),
        "{}",
        edited.text()
    );
}

#[test]
fn what_is_unset_is_gone_and_empty_sections_with_it() {
    let edited = draft().unset("stragglers[0]").unwrap();
    assert_eq!(edited.value("stragglers"), None);
    assert!(!edited.text().contains("stragglers"));
    let edited = edited
        .unset("plan.tp")
        .unwrap()
        .unset("plan.shard")
        .unwrap();
    assert!(!edited.text().contains("[plan]"), "{}", edited.text());
    assert_eq!(draft().unset("plan.nothing.at.all").unwrap(), draft());
}

#[test]
fn every_value_that_is_shown_can_be_typed_back() {
    for field in [
        "cluster.name",
        "plan.tp",
        "plan.shard",
        "stragglers",
        "stragglers[0].speed",
    ] {
        let value = draft().value(field).unwrap();
        let again = draft().set(field, &value).unwrap();
        assert_eq!(again.differences(&draft()), [], "{field} = {value}");
    }
}

#[test]
fn edits_that_cannot_be_say_why() {
    assert!(draft().set("plan.tp", " ").is_err());
    assert!(draft().set("plan..tp", "1").is_err());
    let inside = draft().set("plan.tp.x", "1").unwrap_err();
    assert_eq!(inside.field, "plan.tp.x");
    let missing = draft().set("stragglers[3].speed", "1").unwrap_err();
    assert_eq!(missing.to_string(), "`stragglers` has no item 3: it has 1");
    let broken = draft().with_text("a = \n").set("plan.tp", "1").unwrap_err();
    assert_eq!(broken.place.unwrap().line_column().0, 1);
}

#[test]
fn differences_name_each_field_with_both_values() {
    let edited = draft().set("plan.tp", "4").unwrap();
    let edited = edited.unset("stragglers[0].speed").unwrap();
    let edited = edited.set("cluster.fabric", "rail-optimised").unwrap();
    let told: Vec<_> = edited.differences(&draft());
    let told: Vec<_> = told
        .iter()
        .map(|one| (one.field.as_str(), one.was.as_deref(), one.is.as_deref()))
        .collect();
    assert_eq!(
        told,
        [
            ("cluster.fabric", None, Some("rail-optimised")),
            ("plan.tp", Some("8"), Some("4")),
            ("stragglers[0].speed", Some("0.8"), None),
        ]
    );
}

#[test]
fn errors_of_a_draft_keep_field_and_line() {
    let bad = Draft::example("llama3-70b-dgx-h100").unwrap();
    let bad = bad.set("plan.tp", "0").unwrap();
    let failures = bad.open().unwrap_err();
    assert_eq!(failures[0].field, "plan.tp");
    let (line, _) = failures[0].place.as_ref().unwrap().line_column();
    assert_eq!(Some(line), bad.line_of("plan.tp").map(|(line, _)| line));
}

#[test]
fn a_draft_answers_as_its_file_does() {
    let file =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios/cases/llama3-70b-dgx-h100");
    let read = Draft::read(&file).unwrap();
    assert_eq!(read.name(), "llama3-70b-dgx-h100");
    let example = Draft::example("llama3-70b-dgx-h100").unwrap();
    assert!(!read.is_changed_from(&example));
    let [one, other] = [read, example].map(|draft| draft.open().unwrap().ready().unwrap().text);
    assert_eq!(one, other);
}

#[test]
fn a_saved_example_opens_from_its_new_folder_with_what_it_names() {
    let scratch = Scratch::new("save");
    let path = scratch.0.join("mine.toml");
    let example = Draft::example("two-jobs-one-fabric").unwrap();
    let saved = example.save(&path, Existing::Refuse).unwrap();
    assert_eq!((saved.name(), saved.path()), ("mine", Some(path.as_path())));
    saved.open().unwrap().ready().unwrap();
    assert_eq!(Draft::read(&path).unwrap(), saved);
    assert!(example.save(&path, Existing::Refuse).is_err());
}

#[test]
fn a_workload_is_edited_like_any_scenario() {
    let draft = Draft::example("spray-vs-singlepath").unwrap();
    let edited = draft.set("workload.bytes", "2 MiB").unwrap();
    assert_eq!(edited.value("workload.bytes").unwrap(), "2 MiB");
    assert!(edited.open().unwrap().is_traffic());
    assert!(Draft::read(Path::new("/nowhere/at/all.toml")).is_err());
}
