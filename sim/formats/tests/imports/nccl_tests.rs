//! What nccl-tests print.

use formats::nccl_tests::{Timing, is_log, read};

use crate::samples::NCCL_TESTS;

#[test]
fn a_log_with_labels_and_other_lines_gives_its_tables() {
    let log = read(NCCL_TESTS).unwrap();
    assert_eq!(log.tables.len(), 4);
    let table = &log.tables[0];
    assert_eq!(table.collective.as_deref(), Some("all_reduce"));
    assert!(table.is_named);
    assert_eq!((table.ranks, table.nodes), (Some(4), Some(2)));
    assert_eq!(table.gpu.as_deref(), Some("NVIDIA H100 80GB HBM3"));
    assert_eq!(table.rows.len(), 2);
    let row = &table.rows[1];
    assert_eq!((row.bytes, row.count), (33_554_432, Some(8_388_608)));
    assert_eq!(
        (&*row.dtype, row.redop.as_deref(), row.root),
        ("float", Some("sum"), None)
    );
    assert_eq!(
        row.in_place,
        Some(Timing {
            micros: 410.9,
            algbw: 81.66,
            busbw: 122.49,
            wrong: None
        })
    );
}

#[test]
fn columns_of_earlier_releases_are_read_and_the_collective_follows_from_the_figures() {
    let log = read(NCCL_TESTS).unwrap();
    let table = &log.tables[1];
    assert_eq!((table.ranks, table.nodes), (Some(4), Some(1)));
    assert_eq!(table.gpu.as_deref(), Some("Tesla V100-SXM2-32GB"));
    assert_eq!(table.collective.as_deref(), Some("all_reduce"));
    assert!(!table.is_named);
    assert_eq!(table.rows[1].out_of_place.unwrap().wrong, Some(5e-7));
    // The row that was cut is counted, as are the warning and the lines of NCCL itself.
    assert_eq!(table.rows.len(), 2);
    assert_eq!(log.ignored, 5);
}

#[test]
fn a_further_table_of_a_run_has_its_ranks_and_what_is_ambiguous_has_no_name() {
    let log = read(NCCL_TESTS).unwrap();
    let broadcast = &log.tables[2];
    assert_eq!(broadcast.collective.as_deref(), Some("broadcast"));
    assert_eq!(
        (broadcast.ranks, broadcast.rows[0].root),
        (Some(4), Some(0))
    );
    assert_eq!(broadcast.rows[0].in_place, None);
    assert_eq!(log.tables[3].collective, None);
}

#[test]
fn a_cell_that_is_no_number_is_named_with_its_line() {
    let spoiled = NCCL_TESTS.replacen("31.53", "31,53", 1);
    let error = read(&spoiled).unwrap_err().to_string();
    assert_eq!(
        error,
        "line 17, `time`: \"31,53\" is not a time in microseconds"
    );
    let error = read("no table\n").unwrap_err().to_string();
    assert!(
        error.starts_with("the file has no header of a table"),
        "{error}"
    );
}

#[test]
fn a_table_in_csv_is_no_log() {
    assert!(is_log(NCCL_TESTS));
    assert!(!is_log(
        "source,table_id,hardware\na,b,\"#size time algbw busbw\"\n"
    ));
}
