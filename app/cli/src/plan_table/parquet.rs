//! The table as Parquet: the columns of the CSV under the same names, with types.
//!
//! ```text
//! counts   INT64                  words  BYTE_ARRAY (STRING)
//! seconds  DOUBLE                 flags  BOOLEAN
//! ```
//!
//! Counts are signed, as readers subtract them. Columns are required but for that of seconds, which
//! has empty cells.
//! There is one row group and no compression: dictionaries and runs leave some twenty bytes a plan.

use std::sync::Arc;

use parquet::basic::{LogicalType, Repetition, Type as Physical};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::Type;
use session::Evaluated;

use super::{COLUMNS, Cells, Column, TableError};
use crate::version;

/// The bytes of a file with a row a plan.
///
/// # Errors
///
/// Where a count is larger than a signed integer.
pub(super) fn write(plans: &[Evaluated]) -> Result<Vec<u8>, TableError> {
    let mut bytes = Vec::new();
    let properties = WriterProperties::builder()
        .set_created_by(format!("windtunnel version {}", version::LONG))
        .build();
    let mut file =
        SerializedFileWriter::new(&mut bytes, Arc::new(schema()?), Arc::new(properties))?;
    let mut rows = file.next_row_group()?;
    for column in &COLUMNS {
        write_column(&mut rows, column, plans)?;
    }
    rows.close()?;
    file.close()?;
    Ok(bytes)
}

fn schema() -> Result<Type, ParquetError> {
    let fields: Result<Vec<_>, _> = COLUMNS.iter().map(|one| field(one).map(Arc::new)).collect();
    Type::group_type_builder("plans")
        .with_fields(fields?)
        .build()
}

fn field(column: &Column) -> Result<Type, ParquetError> {
    let repetition = match column.cells {
        Cells::Real(_) => Repetition::OPTIONAL,
        _ => Repetition::REQUIRED,
    };
    let (physical, logical) = match column.cells {
        Cells::Count(_) => (Physical::INT64, None),
        Cells::Real(_) => (Physical::DOUBLE, None),
        Cells::Flag(_) => (Physical::BOOLEAN, None),
        Cells::Text(_) => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
    };
    Type::primitive_type_builder(column.name, physical)
        .with_repetition(repetition)
        .with_logical_type(logical)
        .build()
}

fn write_column(
    rows: &mut SerializedRowGroupWriter<'_, &mut Vec<u8>>,
    column: &Column,
    plans: &[Evaluated],
) -> Result<(), TableError> {
    let mut writer = rows
        .next_column()?
        .expect("the schema has a column for each of ours");
    match column.cells {
        Cells::Count(cell) => {
            let cells = plans.iter().map(|plan| signed(column.name, cell(plan)));
            let cells = cells.collect::<Result<Vec<i64>, _>>()?;
            writer
                .typed::<Int64Type>()
                .write_batch(&cells, None, None)?;
        }
        Cells::Real(cell) => {
            let cells = plans.iter().map(cell);
            let filled: Vec<i16> = cells.clone().map(|cell| cell.is_some().into()).collect();
            let values: Vec<f64> = cells.flatten().collect();
            writer
                .typed::<DoubleType>()
                .write_batch(&values, Some(&filled), None)?;
        }
        Cells::Flag(cell) => {
            let cells: Vec<bool> = plans.iter().map(cell).collect();
            writer.typed::<BoolType>().write_batch(&cells, None, None)?;
        }
        Cells::Text(cell) => {
            let cells = plans
                .iter()
                .map(|plan| ByteArray::from(cell(plan).into_bytes()));
            let cells: Vec<ByteArray> = cells.collect();
            writer
                .typed::<ByteArrayType>()
                .write_batch(&cells, None, None)?;
        }
    }
    Ok(writer.close()?)
}

fn signed(column: &'static str, value: u64) -> Result<i64, TableError> {
    i64::try_from(value).map_err(|_| TableError::TooLarge { column, value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_that_no_column_holds_is_named() {
        let error = signed("dp", u64::MAX).unwrap_err();
        assert_eq!(
            error.to_string(),
            "--table: dp is 18446744073709551615, but a column of Parquet holds \
             9223372036854775807 at most"
        );
        assert_eq!(signed("dp", 8).ok(), Some(8));
    }
}
