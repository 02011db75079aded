//! Every plan that was evaluated, as a table: CSV, or Parquet in builds that have it.

#[cfg(feature = "parquet")]
mod parquet;

use std::fmt::Write as _;
use std::path::Path;

use session::Evaluated;

/// Why there is no table.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TableError {
    /// The path asks for a form that this build does not have.
    #[error("--table: this build does not write Parquet, which {path} asks for")]
    NoParquet {
        /// The path.
        path: String,
    },
    /// A count is larger than a signed integer of 64 bits.
    #[cfg(feature = "parquet")]
    #[error("--table: {column} is {value}, but a column of Parquet holds {limit} at most", limit = i64::MAX)]
    TooLarge {
        /// The name of the column.
        column: &'static str,
        /// The count.
        value: u64,
    },
    /// The writer failed.
    #[cfg(feature = "parquet")]
    #[error("--table: Parquet cannot be written: {0}")]
    Writer(#[from] ::parquet::errors::ParquetError),
}

impl TableError {
    /// What to do instead, where we can tell.
    pub(crate) fn hint(&self) -> Option<&'static str> {
        matches!(self, Self::NoParquet { .. }).then_some(
            "`cargo build --release -p cli --features parquet` makes one that does; a path with \
             another ending, such as plans.csv, gets CSV from every build",
        )
    }
}

/// Turns plans into the bytes of a file: a row a plan, in the order in which they are given.
pub(crate) type Form = fn(&[Evaluated]) -> Result<Vec<u8>, TableError>;

/// The form of `.parquet`, in builds that have it.
#[cfg(feature = "parquet")]
const PARQUET: Option<Form> = Some(parquet::write);
#[cfg(not(feature = "parquet"))]
const PARQUET: Option<Form> = None;

/// The form that the ending of a path asks for: Parquet for `.parquet`, else CSV.
///
/// # Errors
///
/// Where this build does not have it.
pub(crate) fn form(path: &Path) -> Result<Form, TableError> {
    let ending = path.extension().unwrap_or_default();
    if !ending.eq_ignore_ascii_case("parquet") {
        return Ok(|plans| Ok(csv(plans).into_bytes()));
    }
    PARQUET.ok_or_else(|| TableError::NoParquet {
        path: path.display().to_string(),
    })
}

/// A column: its name, and what it holds of a plan.
struct Column {
    name: &'static str,
    cells: Cells,
}

/// The cells of a column, all of one type.
enum Cells {
    Count(fn(&Evaluated) -> u64),
    /// With empty cells.
    Real(fn(&Evaluated) -> Option<f64>),
    Flag(fn(&Evaluated) -> bool),
    Text(fn(&Evaluated) -> String),
}

impl Column {
    const fn count(name: &'static str, cell: fn(&Evaluated) -> u64) -> Self {
        let cells = Cells::Count(cell);
        Self { name, cells }
    }

    const fn real(name: &'static str, cell: fn(&Evaluated) -> Option<f64>) -> Self {
        let cells = Cells::Real(cell);
        Self { name, cells }
    }

    const fn flag(name: &'static str, cell: fn(&Evaluated) -> bool) -> Self {
        let cells = Cells::Flag(cell);
        Self { name, cells }
    }

    const fn text(name: &'static str, cell: fn(&Evaluated) -> String) -> Self {
        let cells = Cells::Text(cell);
        Self { name, cells }
    }
}

/// The columns from left to right, in every form.
const COLUMNS: [Column; 23] = [
    Column::count("tp", |plan| plan.choice.degrees.tp.into()),
    Column::count("pp", |plan| plan.choice.degrees.pp.into()),
    Column::count("vp", |plan| plan.choice.vp.into()),
    Column::count("cp", |plan| plan.choice.degrees.cp.into()),
    Column::count("ep", |plan| plan.choice.degrees.ep.into()),
    Column::count("etp", |plan| plan.choice.degrees.etp.into()),
    Column::count("dp", |plan| plan.choice.degrees.dp.into()),
    Column::count("micro_batch", |plan| plan.choice.micro_batch),
    Column::text("schedule", |plan| plan.choice.schedule.name().to_owned()),
    Column::text("layer_split", |plan| plan.choice.split.words()),
    Column::text("recompute", |plan| plan.choice.recompute.words()),
    Column::text("shard", |plan| plan.choice.shard.words()),
    Column::text("offload", |plan| plan.choice.offload.words().to_owned()),
    Column::flag("sp", |plan| plan.choice.switches.sp),
    Column::flag("overlap_grad_reduce", |plan| {
        plan.choice.switches.grad_reduce
    }),
    Column::flag("overlap_param_gather", |plan| {
        plan.choice.switches.param_gather
    }),
    Column::text("overlap_tp", |plan| {
        plan.choice.switches.tp.words().to_owned()
    }),
    Column::flag("overlap_p2p", |plan| plan.choice.switches.p2p),
    Column::flag("overlap_ep", |plan| plan.choice.switches.ep),
    // Of a plan that lacks memory nobody asked how long it takes.
    Column::real("iteration_time_s", |plan| {
        plan.time.is_finite().then_some(plan.time)
    }),
    Column::count("device_used_bytes", |plan| plan.used.as_u64()),
    Column::flag("fits", |plan| plan.fits),
    Column::flag("in_doubt", |plan| plan.doubt.is_some()),
];

fn csv(plans: &[Evaluated]) -> String {
    let mut text = COLUMNS.map(|column| column.name).join(",");
    text.push('\n');
    for plan in plans {
        for (at, column) in COLUMNS.iter().enumerate() {
            text.push_str(if at == 0 { "" } else { "," });
            let _ = match column.cells {
                Cells::Count(cell) => write!(text, "{}", cell(plan)),
                Cells::Real(cell) => cell(plan).map_or(Ok(()), |cell| write!(text, "{cell}")),
                Cells::Flag(cell) => write!(text, "{}", cell(plan)),
                Cells::Text(cell) => write!(text, "{}", session::csv_cell(&cell(plan))),
            };
        }
        text.push('\n');
    }
    text
}
