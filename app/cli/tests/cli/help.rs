//! What the command says about itself: help, schemas, completions, manual pages.

use std::fs;

use crate::command::{Scratch, here, json};
use crate::run::{command, finish, windtunnel};
use serde_json::Value;

#[test]
fn no_arguments_give_short_help_with_three_examples_and_status_2() {
    let run = windtunnel(here(), &[]);
    assert_eq!((run.status, run.stdout.as_str()), (2, ""));
    let examples = run.stderr.split("Examples:").nth(1).unwrap();
    assert_eq!(examples.matches("  windtunnel ").count(), 3);
    assert!(run.stderr.lines().count() <= 40, "one screen");
}

#[test]
fn the_long_help_lists_every_exit_status_and_topic() {
    let run = windtunnel(here(), &["--help"]);
    assert_eq!(run.status, 0);
    for line in [
        "  0    done",
        "  1    failed",
        "  2    bad",
        "  3    no",
        "  130  interrupted",
    ] {
        assert!(run.stdout.contains(line), "{line}");
    }
    for topic in ["units", "scenario", "fidelity"] {
        let help = windtunnel(here(), &["help", topic]);
        assert_eq!((help.status, help.stderr.as_str()), (0, ""));
        assert!(5 < help.stdout.lines().count());
        assert!(
            help.stdout.lines().all(|line| line.chars().count() <= 80),
            "{topic}"
        );
    }
    assert_eq!(windtunnel(here(), &["help", "simulate"]).status, 0);
    assert_eq!(windtunnel(here(), &["help", "tea"]).status, 2);
}

#[test]
fn a_command_with_a_typing_error_is_told_its_neighbor() {
    let typo = windtunnel(here(), &["simulat"]);
    assert_eq!(typo.status, 2);
    assert!(typo.stderr.contains("'simulate'"));
}

#[test]
fn the_schema_describes_every_section() {
    let run = windtunnel(here(), &["schema"]);
    assert_eq!((run.status, run.stderr.as_str()), (0, ""));
    let schema = json(&run.stdout);
    for section in [
        "model",
        "cluster",
        "training",
        "plan",
        "framework",
        "network",
        "nccl",
        "settings",
        "stragglers",
        "prices",
        "workload",
        "sweep",
    ] {
        assert!(schema["properties"][section].is_object(), "{section}");
    }
    assert_eq!(schema["additionalProperties"], false);
    assert_eq!(
        schema["properties"]["plan"]["properties"]["tp"]["minimum"],
        1.0
    );
}

#[test]
fn the_schema_of_every_kind_of_file_is_printed() {
    for (file, field) in [
        ("cluster", "fabric"),
        ("gpu", "tflops"),
        ("node", "scale_up"),
        ("fabric", "oversubscription"),
        ("profile", "gemm"),
        ("framework", "choices"),
    ] {
        let run = windtunnel(here(), &["schema", file]);
        assert_eq!((run.status, run.stderr.as_str()), (0, ""));
        let schema: Value = serde_json::from_str(&run.stdout).unwrap();
        assert!(schema["properties"][field].is_object(), "{file}.{field}");
    }
}

#[test]
fn completions_are_printed_for_every_shell_and_ask_the_binary() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let run = windtunnel(here(), &["completions", shell]);
        assert_eq!(run.status, 0);
        assert!(run.stdout.contains("WINDTUNNEL_COMPLETE"), "{shell}");
    }
    let args = [
        "--",
        "windtunnel",
        "simulate",
        "--set",
        "model.config=llama3-7",
    ];
    let mut asked = command(here(), &args);
    asked.env("WINDTUNNEL_COMPLETE", "zsh");
    asked
        .env("_CLAP_COMPLETE_INDEX", "3")
        .env("_CLAP_IFS", "\n");
    let offered = finish(asked, &args, "");
    assert_eq!((offered.status, offered.stderr.as_str()), (0, ""));
    assert!(offered.stdout.contains("llama3-70b"), "{}", offered.stdout);
}

#[test]
fn manual_pages_are_written_for_every_command_and_not_over_others() {
    let scratch = Scratch::new("man");
    let run = windtunnel(&scratch.0, &["man", "deep/man1"]);
    assert_eq!((run.status, run.stdout.as_str()), (0, ""), "{}", run.stderr);
    let page = fs::read_to_string(scratch.0.join("deep/man1/windtunnel-simulate.1")).unwrap();
    assert!(page.contains(".TH windtunnel-simulate 1"), "{page}");
    assert!(scratch.0.join("deep/man1/windtunnel.1").is_file());
    assert_eq!(windtunnel(&scratch.0, &["man", "deep/man1"]).status, 2);
    assert_eq!(
        windtunnel(&scratch.0, &["man", "deep/man1", "--force"]).status,
        0
    );
}
