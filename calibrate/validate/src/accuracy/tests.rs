//! Claims about the report.

use std::fs;
use std::path::{Path, PathBuf};

use runs::Table;
use units::Control;

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
    assert!(text.contains("| AMP, T4 | iteration_time_s | - | mbs x pp | 8.0 % | - | not in these tables: read with `--extra` | - | AMP 48 % |"));
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
    assert!(text.contains("| a100-sxm | gemm | 1 | 0.15 | 0.93 | 0.91 | 0.95 | 712 |"));
    assert!(text.contains("| vTrain | host time | 5.0 % | 14.0 % | 8.1 % |"));
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
