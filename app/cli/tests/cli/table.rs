//! `windtunnel plan --table`.

use std::fs;

use crate::command::Scratch;
use crate::run::{Run, windtunnel};

/// A small space, with a split of layers that needs quotes in CSV.
const JOB: &str = "\
schema = 1
[model]
config = \"llama3-8b\"
layers = 6
[cluster]
name = \"dgx-h100\"
nodes = 1
[training]
global_batch = 16
seq_len = 8192
[framework]
name = \"megatron-core\"
";

fn scratch(name: &str) -> Scratch {
    let scratch = Scratch::new(name);
    fs::write(scratch.0.join("scenario.toml"), JOB).unwrap();
    scratch
}

fn table(scratch: &Scratch, file: &str) -> Run {
    let args = ["plan", ".", "--engine", "estimate", "-q", "--table", file];
    windtunnel(&scratch.0, &args)
}

#[cfg(not(feature = "parquet"))]
#[test]
fn a_build_without_parquet_says_so_before_it_searches() {
    let scratch = scratch("no-parquet");
    // Nothing of this scenario can be read, and yet the table is what is refused.
    fs::write(scratch.0.join("scenario.toml"), "no scenario").unwrap();
    let run = table(&scratch, "plans.Parquet");
    assert_eq!((run.status, run.stdout.as_str()), (2, ""));
    let words: Vec<&str> = run.stderr.split_whitespace().collect();
    assert_eq!(
        words.join(" "),
        "error: --table: this build does not write Parquet, which plans.Parquet asks for \
         hint: `cargo build --release -p cli --features parquet` makes one that does; a path with \
         another ending, such as plans.csv, gets CSV from every build"
    );
    assert_eq!(fs::read_dir(&scratch.0).unwrap().count(), 1);
}

#[cfg(feature = "parquet")]
mod parquet {
    use std::fs::File;

    use ::parquet::basic::{LogicalType, Repetition, Type};
    use ::parquet::file::reader::{FileReader as _, SerializedFileReader};
    use ::parquet::record::Field;

    use super::*;

    fn open(scratch: &Scratch, file: &str) -> SerializedFileReader<File> {
        SerializedFileReader::new(File::open(scratch.0.join(file)).unwrap()).unwrap()
    }

    /// A cell as CSV writes it.
    fn in_words(cell: &Field) -> String {
        match cell {
            Field::Long(count) => count.to_string(),
            Field::Double(real) => real.to_string(),
            Field::Bool(flag) => flag.to_string(),
            Field::Str(text) => text.clone(),
            Field::Null => String::new(),
            other => panic!("{other:?} is of none of our types"),
        }
    }

    #[test]
    fn parquet_holds_what_csv_holds_cell_by_cell() {
        let scratch = scratch("parquet");
        for file in ["plans.csv", "plans.parquet"] {
            let run = table(&scratch, file);
            assert_eq!(run.status, 0, "{}", run.stderr);
        }
        let text = csv::Reader::from_path(scratch.0.join("plans.csv"));
        let mut text = text.unwrap();
        let names = text.headers().unwrap().clone();
        let lines: Vec<csv::StringRecord> = text.records().map(Result::unwrap).collect();
        assert!(
            100 < lines.len()
                && lines
                    .iter()
                    .any(|line| line.iter().any(|c| c.contains(',')))
        );
        let columns = open(&scratch, "plans.parquet");
        let rows: Vec<_> = columns.get_row_iter(None).unwrap().collect();
        assert_eq!(rows.len(), lines.len());
        for (row, line) in rows.into_iter().zip(&lines) {
            let row = row.unwrap();
            let cells: Vec<(&str, String)> = row
                .get_column_iter()
                .map(|(name, cell)| (name.as_str(), in_words(cell)))
                .collect();
            let found = cells.iter().map(|(name, cell)| (*name, cell.as_str()));
            assert!(names.iter().zip(line).eq(found), "{line:?} is {cells:?}");
        }
    }

    #[test]
    fn columns_have_types_and_only_times_may_be_empty() {
        let scratch = scratch("parquet-types");
        assert_eq!(table(&scratch, "plans.parquet").status, 0);
        let file = open(&scratch, "plans.parquet");
        let schema = file.metadata().file_metadata().schema_descr();
        let about = |name: &str| {
            let mut all = schema.columns().iter();
            let column = all.find(|column| column.name() == name).unwrap();
            (column.physical_type(), column.logical_type_ref().cloned())
        };
        assert_eq!(about("tp"), (Type::INT64, None));
        assert_eq!(about("device_used_bytes"), (Type::INT64, None));
        assert_eq!(about("iteration_time_s"), (Type::DOUBLE, None));
        assert_eq!(about("fits"), (Type::BOOLEAN, None));
        let text = Some(LogicalType::String);
        assert_eq!(about("layer_split"), (Type::BYTE_ARRAY, text));
        for column in schema.columns() {
            let info = column.self_type().get_basic_info();
            let empty = info.repetition() == Repetition::OPTIONAL;
            assert_eq!(empty, info.name() == "iteration_time_s", "{}", info.name());
        }
    }

    #[test]
    fn a_table_that_is_there_stays() {
        let scratch = scratch("parquet-there");
        fs::write(scratch.0.join("plans.parquet"), "mine").unwrap();
        assert_eq!(table(&scratch, "plans.parquet").status, 2);
        assert_eq!(fs::read(scratch.0.join("plans.parquet")).unwrap(), b"mine");
        assert_eq!(fs::read_dir(&scratch.0).unwrap().count(), 2);
    }
}
