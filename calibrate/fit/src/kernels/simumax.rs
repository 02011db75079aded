//! SimuMax's operator tables: efficiencies of products, grouped products and attention, forward
//! and backward, as rows of measured times.
//!
//! A row's key is a path such as `accelerator > op > matmul > accurate_efficient_factor > b=1,
//! m=4096, …`, its value the share of the peak. Operations are counted as SimuMax counts them
//! (`simu_tools/efficency_test`): products `2 m n k`; attention over **all** scores, masked or not,
//! `2 (qk + v) s² heads` forward and 2.5 times that backward.

use std::collections::BTreeMap;
use std::path::Path;

use profile::{AttentionKernel, Gemm, Kernel, Packing, Pass};
use units::DType;

use super::attention::causal;
use super::curve::Row;
use crate::table::{Cells, Table, TableError};

/// What one system measured.
#[derive(Clone, Debug, Default)]
pub(crate) struct Operators {
    /// Single products; a group has the same three extents.
    pub(crate) products: Vec<Row>,
    /// Products of experts, forward and of input gradients; a group has as many experts.
    pub(crate) grouped: Vec<Row>,
    /// Weight gradients of experts: batches of products; groups as above.
    pub(crate) weights: Vec<Row>,
    /// Attention by head size; a group has a number of heads and a length.
    pub(crate) cores: BTreeMap<u64, Vec<Row>>,
    /// Bytes per second that memory-bound kernels reach, by SimuMax's name of their kind.
    pub(crate) streams: BTreeMap<String, f64>,
}

/// The start of every key that is read.
const OPERATORS: &str = "accelerator > op > ";
const BANDWIDTHS: &str = "accelerator > bandwidth > ";
const MEASURED: &str = "accurate_efficient_factor";

/// Reads one system's operators.
pub(crate) fn read(
    path: &Path,
    system: &str,
    kernel: AttentionKernel,
) -> Result<Operators, TableError> {
    let table = Table::read(path)?;
    let rows = table.rows(["system", "key_path", "value"])?;
    let rows: Vec<Cell<'_>> = rows
        .into_iter()
        .filter(|row| row.text(0) == system)
        .collect();
    let mut found = Operators::default();
    for row in &rows {
        if let Some(key) = row.text(1).strip_prefix(OPERATORS) {
            let Some((operator, shape)) = measured(key) else {
                continue;
            };
            let peak = peak(&rows, operator)?;
            let shape = Shape::of(row, shape);
            read_operator(
                &mut found,
                (operator, kernel),
                &shape,
                row.positive(2)? * peak,
            )?;
        } else if let Some(key) = row.text(1).strip_prefix(BANDWIDTHS) {
            let mut parts = key.split(" > ");
            if let (Some(kind), Some("efficient_factor")) = (parts.next(), parts.next()) {
                let rate = row.positive(2)? * gbps(&rows, kind)?;
                found.streams.insert(kind.to_owned(), rate * 1e9);
            }
        }
    }
    Ok(found)
}

type Cell<'a> = Cells<'a, 3>;

/// The operator and the shape of a key, where it is one of a measured shape.
fn measured(key: &str) -> Option<(&str, &str)> {
    let mut parts = key.split(" > ");
    let (operator, kind, shape) = (parts.next()?, parts.next()?, parts.next()?);
    (kind == MEASURED).then_some((operator, shape))
}

/// The peak that efficiencies of an operator are shares of, in operations per second.
fn peak(rows: &[Cell<'_>], operator: &str) -> Result<f64, TableError> {
    let key = format!("{OPERATORS}{operator} > tflops");
    Ok(value(rows, &key)? * 1e12)
}

fn gbps(rows: &[Cell<'_>], kind: &str) -> Result<f64, TableError> {
    value(rows, &format!("{BANDWIDTHS}{kind} > gbps"))
}

fn value(rows: &[Cell<'_>], key: &str) -> Result<f64, TableError> {
    match rows.iter().find(|row| row.text(1) == key) {
        Some(row) => row.positive(2),
        None => Err(rows[0].wrong(
            "key_path",
            rows[0].text(1),
            "a row of the peak, `… > tflops`",
        )),
    }
}

/// `m=4096, k=5120, …`: values by name.
struct Shape<'a> {
    row: &'a Cell<'a>,
    text: &'a str,
}

impl<'a> Shape<'a> {
    const fn of(row: &'a Cell<'a>, text: &'a str) -> Self {
        Self { row, text }
    }

    fn text(&self, name: &str) -> Result<&'a str, TableError> {
        let pairs = self
            .text
            .split(", ")
            .filter_map(|pair| pair.split_once('='));
        let found = pairs.into_iter().find(|(key, _)| *key == name);
        let missing = || self.row.wrong(name, self.text, "a shape that names it");
        found.map(|(_, value)| value).ok_or_else(missing)
    }

    fn count(&self, name: &str) -> Result<u64, TableError> {
        let text = self.text(name)?;
        let wrong = || self.row.wrong(name, text, "a whole number of 1 and more");
        text.parse().ok().filter(|n| 0 < *n).ok_or_else(wrong)
    }

    fn dtype(&self, name: &str) -> Result<DType, TableError> {
        let text = self.text(name)?;
        let wrong = || self.row.wrong(name, text, "a number format such as bf16");
        DType::from_name(text).ok_or_else(wrong)
    }
}

/// Adds a row; `rate` is in operations per second.
fn read_operator(
    found: &mut Operators,
    (operator, kernel): (&str, AttentionKernel),
    shape: &Shape<'_>,
    rate: f64,
) -> Result<(), TableError> {
    match operator {
        "matmul" => {
            let row = product(shape, rate)?;
            found.products.push(row);
        }
        "group_matmul" => {
            let is_weight = shape.text("stage")? == "bwd_grad_w";
            let row = of_experts(shape, rate, is_weight)?;
            if is_weight {
                found.weights.push(row);
            } else {
                found.grouped.push(row);
            }
        }
        "sdp_fwd" | "sdp_bwd" => {
            let pass = if operator == "sdp_fwd" {
                Pass::Forward
            } else {
                Pass::Backward
            };
            let row = core(shape, rate, pass, kernel)?;
            let dim = shape.count("qk_head_dim")?;
            found.cores.entry(dim).or_default().push(row);
        }
        _ => {}
    }
    Ok(())
}

fn product(shape: &Shape<'_>, rate: f64) -> Result<Row, TableError> {
    let [m, n, k] = [shape.count("m")?, shape.count("n")?, shape.count("k")?];
    let batch = shape.count("b")?;
    let accumulate = shape.text("accumulate")? == "True";
    // The batch lengthens what runs over tokens: the rows, or the inner product of a weight
    // gradient.
    let (m, k) = if accumulate {
        (m, k * batch)
    } else {
        (m * batch, k)
    };
    let gemm = Gemm {
        output: shape.dtype("out_dtype")?,
        accumulate,
        ..Gemm::new(m, n, k, DType::Bf16)
    };
    let mut extents = [m, n, k];
    extents.sort_unstable();
    let group = extents
        .iter()
        .fold(0, |id: u64, extent| id.wrapping_mul(1_000_003) ^ extent);
    let us = gemm.flops().as_f64() / rate * 1e6;
    Ok(Row::alone(Kernel::Gemm(gemm), us, group))
}

fn of_experts(shape: &Shape<'_>, rate: f64, is_weight: bool) -> Result<Row, TableError> {
    let [m, n, k] = [shape.count("M")?, shape.count("N")?, shape.count("K")?];
    let experts = shape.count("ng")?;
    let input_gradient = shape.text("stage")? == "bwd_grad_act";
    let gemm = if is_weight {
        Gemm {
            packing: Packing::Batched(experts),
            accumulate: true,
            output: shape.dtype("main_grad_dtype")?,
            ..Gemm::new(k, n, m, DType::Bf16)
        }
    } else {
        let (n, k) = if input_gradient { (k, n) } else { (n, k) };
        Gemm {
            packing: Packing::Grouped(experts),
            ..Gemm::new(m * experts, n, k, DType::Bf16)
        }
    };
    let us = gemm.flops().as_f64() / rate * 1e6;
    Ok(Row::alone(Kernel::Gemm(gemm), us, experts))
}

fn core(
    shape: &Shape<'_>,
    rate: f64,
    pass: Pass,
    kernel: AttentionKernel,
) -> Result<Row, TableError> {
    let [batch, len] = [shape.count("batch")?, shape.count("seq_len")?];
    let heads = [shape.count("head_num")?, shape.count("kv_head_num")?];
    let dims = [shape.count("qk_head_dim")?, shape.count("v_head_dim")?];
    let kernel = causal(kernel, pass, [batch, len], heads, dims);
    // All scores, of which the causal half counts as operations here.
    let us = 2.0 * kernel.flops().as_f64() / rate * 1e6;
    Ok(Row::alone(kernel, us, len * 1024 + heads[0]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(rows: &str) -> Result<Operators, TableError> {
        let folder =
            std::env::temp_dir().join(format!("simumax-{}-{}", std::process::id(), rows.len()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("operators.csv");
        std::fs::write(&path, format!("system,key_path,value\n{rows}")).unwrap();
        let found = read(&path, "a", AttentionKernel::Flash2);
        std::fs::remove_dir_all(&folder).unwrap();
        found
    }

    #[test]
    fn an_efficiency_becomes_a_time() {
        let operators = read_text(
            "a,accelerator > op > matmul > tflops,100\n\
             a,\"accelerator > op > matmul > accurate_efficient_factor > b=1, m=1000, k=1000, \
             n=1000, layout=TN, accumulate=False, out_dtype=bf16\",0.5\n\
             a,accelerator > op > sdp_bwd > tflops,100\n\
             a,\"accelerator > op > sdp_bwd > accurate_efficient_factor > batch=1, seq_len=1000, \
             head_num=1, kv_head_num=1, qk_head_dim=128, v_head_dim=128, qkv_contiguous=True\",0.5\n",
        )
        .unwrap();
        // 2e9 operations at 50 TFLOP/s; 5 · 256 · 1e6 of them.
        assert!((operators.products[0].us - 40.0).abs() < 1e-9);
        assert!((operators.cores[&128][0].us - 25.6).abs() < 1e-9);
    }

    #[test]
    fn a_shape_without_an_extent_is_refused_with_its_line() {
        let error = read_text(
            "a,accelerator > op > matmul > tflops,100\n\
             a,\"accelerator > op > matmul > accurate_efficient_factor > b=1, m=x, k=1\",0.5\n",
        )
        .unwrap_err();
        let text = error.to_string();
        assert!(
            text.contains("`m` is \"x\"") && text.ends_with("line 3"),
            "{text}"
        );
    }
}
