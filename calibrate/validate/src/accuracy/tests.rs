//! Claims about the report.

use std::fs;
use std::path::{Path, PathBuf};

use runs::Table;
use units::Control;

use super::cause::causes;
use super::point::shipped_points;
use super::{Fit, Page, accuracy};
use crate::accuracy::slice::age;
use crate::{Kind, Row, Settings, furthest_off, run_as};

const HEADER: &str = "row_id,source_repo,source_path,gpu,num_gpus,framework,model,hidden,layers,heads,seq_len,gbs,mbs,precision,tp,pp,iter_time_s,release_or_date,parallel_consistent\n";

/// Six runs of two studies, one of which contradicts itself.
const ROWS: &str = "\
1,VIA-Research/vTrain,data/ground_truth_single.csv,A100,8,Megatron-DeepSpeed,GPT,2048,24,16,2048,64,4,fp16,2,1,3.5,2024-09,yes
2,VIA-Research/vTrain,data/ground_truth_single.csv,A100,8,Megatron-DeepSpeed,GPT,2048,24,16,2048,64,4,fp16,4,1,3.9,2024-09,yes
3,VIA-Research/vTrain,data/ground_truth_single.csv,A100,8,Megatron-DeepSpeed,GPT,1024,24,16,2048,64,4,fp16,1,2,2.1,2024-09,yes
4,NVIDIA/NeMo,docs/x.md,H100,8,NeMo,GPT,4096,32,32,4096,64,1,bf16,1,1,9.5,NeMo24.07,yes
5,NVIDIA/NeMo,docs/x.md,H100,8,NeMo,GPT,4096,32,32,4096,64,1,bf16,2,1,9.9,NeMo24.07,yes
6,NVIDIA/NeMo,docs/x.md,H100,16,NeMo,GPT,4096,32,32,4096,64,1,bf16,2,1,9.9,NeMo24.07,no
";

fn rows() -> Vec<Row> {
    let table = Table::parse("x.csv", format!("{HEADER}{ROWS}").as_bytes()).unwrap();
    let predict = |record| {
        let (settings, control) = (Settings::default(), Control::new());
        let run = run_as(Kind::Training, record, &table, &settings, &control);
        run.unwrap().unwrap().row
    };
    table.records.iter().map(predict).collect()
}

/// A folder with files of a fit, removed afterwards.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str, files: &[(&str, &str)]) -> Self {
        let name = format!("windtunnel-accuracy-{name}-{}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir_all(&folder).unwrap();
        for (name, text) in files {
            fs::write(folder.join(name), text).unwrap();
        }
        Self(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

fn text(pages: &[Page]) -> &str {
    assert_eq!(pages[0].name, "accuracy.md");
    &pages[0].text
}

#[test]
fn a_report_without_a_fit_says_what_is_missing() {
    let fit = Fit::read(Path::new("/nowhere/at/all")).unwrap();
    let pages = accuracy(&rows(), &[], &fit, "make");
    let text = text(&pages);
    assert!(text.contains("| vTrain, one node | iteration_time_s | 3 | hidden x layers | 5.0 % | - | not cross-validated |"), "{text}");
    assert!(text.contains("| AMP, T4 | iteration_time_s | - | mbs x pp | 8.0 % | - | rows are not published | - | 8.0 % | AMP 48 % |"), "{text}");
    assert!(text.contains("AMP's runs have no license"));
    assert!(text.contains("every prediction here is by the shipped profiles"));
    assert!(text.contains("the intervals have not been checked"));
    assert!(text.contains("No table of fitted parameters is there."));
    assert!(text.contains("- NVIDIA/NeMo: the source contradicts itself: 6\n"));
}

#[test]
fn left_out_predictions_stand_in_for_those_of_shipped_profiles() {
    let left_out = "row_id,scheme,group,quantity,measured,predicted,p10,p90\n\
        1,hidden x layers,2048 x 24,iteration_time_s,3.5,3.6,3.4,3.8\n\
        2,hidden x layers,2048 x 24,iteration_time_s,3.9,4.0,3.95,4.2\n\
        3,hidden x layers,1024 x 24,iteration_time_s,2.1,2.1,2.0,2.2\n\
        4,gpu generation,Hopper,iteration_time_s,9.5,10.45,9,11\n\
        4,model,GPT,peak_memory_bytes,1e9,1e9,,\n";
    let parameters = "profile,parameter,prior,prior_log_sd,value,low,high,rows\na100-sxm,gemm,1,0.15,0.93,0.91,0.95,712\n";
    let ablation = "source,part,full_mape,off_mape,refit_mape\nvTrain,host time,0.05,0.14,0.081\n";
    let files = [
        ("left_out.csv", left_out),
        ("parameters.csv", parameters),
        ("ablation.csv", ablation),
    ];
    let folder = Folder::new("fit", &files);
    let pages = accuracy(&rows(), &[], &Fit::read(&folder.0).unwrap(), "make");
    let text = text(&pages);
    assert!(
        text.contains("| 3 | hidden x layers | 5.0 % | 1.8 % | reached |"),
        "{text}"
    );
    assert!(
        text.contains("Of 4 iteration times whose group was left out, 75.0 % lie in theirs"),
        "{text}"
    );
    assert!(text.contains("### Without a generation of GPUs\n\nMedian of the groups 10.0 %; to be reached: 15.0 %."), "{text}");
    assert!(text.contains("| a100-sxm | gemm | 1 | 0.15 | 0.93 | -0.5 | 0.91 | 0.95 | 712 |"));
    assert!(text.contains("| vTrain | host time | 5.0 % | 14.0 % | 8.1 % | +3.1 |"));
}

/// The report on the six runs with a fit of some files.
fn report_with(name: &str, files: &[(&str, &str)]) -> String {
    let folder = Folder::new(name, files);
    let pages = accuracy(&rows(), &[], &Fit::read(&folder.0).unwrap(), "make");
    text(&pages).to_owned()
}

const LEFT_OUT: &str =
    "row_id,source_repo,source_path,scheme,group,quantity,measured,predicted,p10,p90\n";

#[test]
fn a_row_of_another_source_is_no_left_out_row() {
    let left_out = |repo: &str, measured: &str| {
        let line =
            format!("{repo},hidden x layers,2048 x 24,iteration_time_s,{measured},3.6,3.4,3.8\n");
        report_with("source", &[("left_out.csv", &format!("{LEFT_OUT}{line}"))])
    };
    let is_taken = |text: &str| text.contains("| vTrain, one node | iteration_time_s | 1 |");
    let own = "1,VIA-Research/vTrain,data/ground_truth_single.csv";
    assert!(is_taken(&left_out(own, "3.5")));
    assert!(!is_taken(&left_out(own, "3.502")));
    assert!(!is_taken(&left_out(
        "1,somebody/else,data/ground_truth_single.csv",
        "3.5"
    )));
    assert!(!is_taken(&left_out(
        "1,VIA-Research/vTrain,data/other.csv",
        "3.5"
    )));
}

#[test]
fn rows_of_no_known_study_never_match_a_file_without_sources() {
    let header = HEADER.replace("release_or_date,", "");
    let line =
        "1,mine/runs,x.csv,A100,8,Megatron-DeepSpeed,GPT,2048,24,16,2048,64,4,fp16,2,1,3.5,yes\n";
    let table = Table::parse("x.csv", format!("{header}{line}").as_bytes()).unwrap();
    let (settings, control) = (Settings::default(), Control::new());
    let run = run_as(
        Kind::Training,
        &table.records[0],
        &table,
        &settings,
        &control,
    );
    let row = run.unwrap().unwrap().row;
    let left_out = "row_id,scheme,group,quantity,measured,predicted,p10,p90\n1,size,x,iteration_time_s,3.5,3.5,3,4\n";
    let folder = Folder::new("unknown-study", &[("left_out.csv", left_out)]);
    let pages = accuracy(&[row], &[], &Fit::read(&folder.0).unwrap(), "make");
    assert!(text(&pages).contains("every prediction here is by the shipped profiles"));
}

#[test]
fn a_missed_target_says_where_its_error_is_in_figures_of_the_day() {
    let line = |id: u32, measured: f64, predicted: f64| {
        format!(
            "{id},VIA-Research/vTrain,data/ground_truth_single.csv,hidden x layers,x,iteration_time_s,{measured},{predicted},,\n"
        )
    };
    let lines = [line(1, 3.5, 4.2), line(2, 3.9, 3.9), line(3, 2.1, 2.1)].concat();
    let left_out = format!("{LEFT_OUT}{lines}");
    let text = report_with("missed", &[("left_out.csv", &left_out)]);
    let wanted = "Without its hidden x layers, by tensor parallelism: tp 2 +20.0 % (1 row); tp 1 +0.0 % (1 row); tp 4 +0.0 % (1 row).";
    assert!(text.contains(wanted), "{text}");
    assert!(
        !text.contains("- NeMo documents:"),
        "it has no left-out rows"
    );
}

#[test]
fn coverage_is_judged_with_a_factor_that_no_row_of_the_group_chose() {
    // Off by `times` the width of an interval of a tenth.
    let line = |id: u32, group: &str, measured: f64, times: f64| {
        let width = units::math::ln(1.1);
        let predicted = measured * units::math::exp(times * width);
        format!(
            "{id},VIA-Research/vTrain,data/ground_truth_single.csv,hidden x layers,{group},iteration_time_s,{measured},{predicted},{},{}\n",
            predicted / 1.1,
            predicted * 1.1
        )
    };
    let lines = [
        line(1, "a", 3.5, 0.5),
        line(2, "a", 3.9, 0.5),
        line(3, "b", 2.1, 0.9),
    ];
    let left_out = format!("{LEFT_OUT}{}", lines.concat());
    let text = report_with("factor", &[("left_out.csv", &left_out)]);
    assert!(text.contains("near 80 % by construction"), "{text}");
    assert!(text.contains("100.0 % lie in theirs"), "{text}");
    // The factor that "a" chooses is too small for "b".
    assert!(
        text.contains("the shares inside are: 66.7 % where a model was left out."),
        "{text}"
    );
}

#[test]
fn a_group_farther_off_than_its_intervals_says_on_which_side() {
    let line = |at: usize| {
        format!(
            "1,VIA-Research/vTrain,data/ground_truth_single.csv,size,far,iteration_time_s,10,{},{},{}\n",
            7.0,
            6.5,
            7.0 + 0.001 * at as f64 + 0.5
        )
    };
    let lines: String = (0..10).map(line).collect();
    let text = report_with("narrow", &[("left_out.csv", &format!("{LEFT_OUT}{lines}"))]);
    assert!(
        text.contains("Of 1 left-out groups with 10 rows and more, 1 have less than 60.0 %"),
        "{text}"
    );
    assert!(text.contains("| 0.0 % | its rows lie off together, predicted too short, farther than other groups of their kind |"), "{text}");
}

#[test]
fn parameters_that_their_priors_do_not_hold_are_named() {
    let parameters = "profile,parameter,prior,prior_log_sd,value,low,high,rows\n\
        a100-sxm,gemm,1,0.1,1.05,1,1.1,9\nvolta,stream,1,0.2,0.5,0.4,0.6,7\n";
    let text = report_with("priors", &[("parameters.csv", parameters)]);
    assert!(
        text.contains("| volta | stream | 1 | 0.2 | 0.5 | -3.5 (!) | 0.4 | 0.6 | 7 |"),
        "{text}"
    );
    assert!(text.contains("| a100-sxm | gemm | 1 | 0.1 | 1.05 | +0.5 | 1 | 1.1 | 9 |"));
    assert!(
        text.contains("1 of 2 are farther than 2 from theirs")
            && text.contains(": volta stream.\n")
    );
}

#[test]
fn an_ablation_of_any_parts_is_printed() {
    let ablation = "part,source,kind,full,off,refit\nbubble,vTrain,model,0.05,0.3,0.2\nhead size,vTrain,model,0.05,0.04,0.04\n";
    let text = report_with("ablation", &[("ablation.csv", ablation)]);
    assert!(
        text.contains("| vTrain | bubble | model | 5.0 % | 30.0 % | 20.0 % | +15.0 |"),
        "{text}"
    );
    assert!(text.contains("| vTrain | head size | model | 5.0 % | 4.0 % | 4.0 % | -1.0 |"));
}

#[test]
fn a_broken_file_of_a_fit_is_blamed_by_line() {
    let folder = Folder::new(
        "broken",
        &[("left_out.csv", "row_id,measured,predicted\n1,3.5,many\n")],
    );
    let error = Fit::read(&folder.0).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("left_out.csv:2: `predicted` is \"many\", not a number of 0 or more")
    );
}

/// Runs of one study that are plans of one model on one machine.
fn one_cell(plans: &[(u32, u32, f64)]) -> Vec<Row> {
    let lines = plans.iter().zip(1..).map(|((tp, mbs, secs), id)| {
        format!("{id},VIA-Research/vTrain,data/ground_truth_single.csv,A100,8,Megatron-DeepSpeed,GPT,2048,24,16,2048,64,{mbs},fp16,{tp},1,{secs},2024-09,yes\n")
    });
    let lines: String = lines.collect();
    let table = Table::parse("x.csv", format!("{HEADER}{lines}").as_bytes()).unwrap();
    let predict = |record| {
        let (settings, control) = (Settings::default(), Control::new());
        let run = run_as(Kind::Training, record, &table, &settings, &control);
        run.unwrap().unwrap().row
    };
    table.records.iter().map(predict).collect()
}

#[test]
fn a_cell_whose_best_plan_is_not_picked_says_what_that_costs() {
    // Without tensor parallelism is predicted fastest.
    let plans = [
        (1, 4, 4.4),
        (2, 4, 4.0),
        (4, 4, 5.0),
        (8, 4, 8.0),
        (8, 2, 9.0),
    ];
    let pages = accuracy(&one_cell(&plans), &[], &Fit::default(), "make");
    let text = text(&pages);
    assert!(text.contains("Cells: 1, with 5 rows."), "{text}");
    assert!(
        text.contains("| regret of the top pick, median cell | at most 3.0 % | - | 10.0 % |"),
        "{text}"
    );
    assert!(
        text.contains(
            "Picked: row 1 (tp 1, pp 1, mbs 4), 4.400 s; best: row 2 (tp 2, pp 1, mbs 4), 4.000 s"
        ),
        "{text}"
    );
    assert!(text.contains("No row is reported to have run out of memory."));
    // All have room on one stage: the heuristic takes the least tensor parallelism, too.
    assert!(
        text.contains(
            "| Megatron's heuristic (arXiv 2104.04473) | 10.0 % | 10.0 % | 10.0 % | 0 | - | 0 |"
        ),
        "{text}"
    );
}

#[test]
fn figures_hold_every_point_and_are_equal_when_made_again() {
    let rows = rows();
    let pages = accuracy(&rows, &[], &Fit::default(), "make");
    let names: Vec<&str> = pages.iter().map(|page| page.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "accuracy.md",
            "accuracy/time.svg",
            "accuracy/memory.svg",
            "accuracy/by-source.svg",
            "accuracy/by-gpu.svg",
            "accuracy/by-parallelism.svg",
            "accuracy/by-model-size.svg",
            "accuracy/by-age.svg"
        ]
    );
    let scatter = &pages[1].text;
    assert!(
        scatter.contains("vTrain, one node (3)") && scatter.contains("NeMo documents (2)"),
        "{scatter}"
    );
    assert_eq!(pages, accuracy(&rows, &[], &Fit::default(), "make"));
}

#[test]
fn the_furthest_off_stand_first_and_contradictions_nowhere() {
    let rows = rows();
    let furthest = furthest_off(&rows, |_, _| true);
    let errors: Vec<f64> = furthest
        .iter()
        .filter_map(|(_, one)| one.error())
        .map(f64::abs)
        .collect();
    assert!(errors.is_sorted_by(|a, b| b <= a));
    assert!(furthest.iter().all(|(at, _)| rows[*at].id != "6"));
    assert_eq!(furthest.len(), 5);
}

/// Rows of one study, and what a rule says of the first that has that name.
fn causes_of(lines: &str, id: &str) -> Vec<String> {
    const COLUMNS: &str = "row_id,source_repo,source_path,section,notes,gpu,num_gpus,gpus_per_node,framework,model,hidden,layers,heads,seq_len,gbs,mbs,precision,tp,pp,recompute,iter_time_s\n";
    let table = Table::parse("x.csv", format!("{COLUMNS}{lines}").as_bytes()).unwrap();
    let predict = |record| {
        let (settings, control) = (Settings::default(), Control::new());
        let run = run_as(Kind::Training, record, &table, &settings, &control);
        run.unwrap().unwrap().row
    };
    let rows: Vec<Row> = table.records.iter().map(predict).collect();
    let points = shipped_points(&rows);
    let row = rows.iter().find(|row| row.id == id).unwrap();
    causes(row, &row.compared[0], &points)
}

/// A run of a GPT with 24 layers on eight GPUs of A100.
fn gpt(id: u32, notes: &str, gbs: u32, pp: u32, secs: f64) -> String {
    format!(
        "{id},a/b,x.md,some,{notes},A100,8,8,Megatron-LM,GPT,2048,24,16,2048,{gbs},1,bf16,1,{pp},full,{secs}\n"
    )
}

#[test]
fn fewer_micro_batches_than_stages_are_a_cause() {
    let found = causes_of(&gpt(1, "", 4, 8, 100.0), "1");
    assert!(
        found[0].starts_with("fewer micro-batches (4) than stages (8)"),
        "{found:?}"
    );
    assert!(causes_of(&gpt(1, "", 64, 8, 100.0), "1").is_empty());
}

#[test]
fn a_repeat_that_measured_something_else_is_a_cause() {
    let lines = [gpt(1, "", 64, 1, 9.0), gpt(2, "", 64, 1, 6.0)].concat();
    let found = causes_of(&lines, "1");
    assert_eq!(found[0], "row 2 repeats it and measured 6.000 s");
    let lines = [gpt(1, "", 64, 1, 9.0), gpt(2, "", 64, 1, 8.9)].concat();
    assert!(causes_of(&lines, "1").is_empty());
}

#[test]
fn equal_work_at_another_pace_is_a_cause() {
    let lines = [gpt(1, "", 64, 1, 9.0), gpt(2, "", 128, 1, 9.0)].concat();
    let found = causes_of(&lines, "1");
    assert!(
        found[0].starts_with("row 2 of its section") && found[0].contains("at 2.0 times"),
        "{found:?}"
    );
}

#[test]
fn what_a_source_says_of_its_noise_is_a_cause() {
    let found = causes_of(&gpt(1, "results are +/-40% here", 64, 1, 100.0), "1");
    assert_eq!(
        found,
        ["its source says that times vary by 40 %, which is less than this row is off"]
    );
}

#[test]
fn rows_that_lie_off_alike_are_a_cause() {
    // 2, 4, 8 and 16 stages, each with the same wrong time by GPU and token.
    let lines: String = (1..=4)
        .map(|at| gpt(at, "", 64, 1 << (at - 1), 100.0))
        .collect();
    let found = causes_of(&lines, "1");
    assert!(found[0].starts_with("3 other rows of "), "{found:?}");
    assert!(found[0].contains("lie off alike (bias -9"), "{found:?}");
}

#[test]
fn years_are_read_from_dates_and_releases() {
    let year = |text: &str| {
        let table = Table::parse(
            "x",
            format!("gpu,gbs,release_or_date\nA100,1,{text}\n").as_bytes(),
        )
        .unwrap();
        let row = crate::unpredicted(Kind::Training, &table.records[0], String::new()).row;
        age(&row)
    };
    assert_eq!(year("2021-05-25"), Some(2021));
    assert_eq!(year("NeMo24.07"), Some(2024));
    assert_eq!(year("26.02.01 NeMo Container"), Some(2026));
    assert_eq!(year("soon"), None);
}
