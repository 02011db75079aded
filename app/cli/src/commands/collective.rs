//! `windtunnel collective`: the table that nccl-tests would print.

use std::fmt::Write as _;

use serde_json::{Value, json};
use session::{
    CollectiveRequest, CollectiveRow, CollectiveTable, Failure, Problem, Sizes, collective_table,
};

use crate::args::CollectiveArgs;
use crate::commands::Context;
use crate::commands::scenario::refuse;
use crate::exit::Exit;
use crate::version;

/// Prices a collective and prints the table.
pub(crate) fn collective(args: &CollectiveArgs, context: &Context) -> Exit {
    let range = match range(args) {
        Ok(range) => range,
        Err(problem) => return refuse(&[Failure::of_file(problem)], context),
    };
    let sizes = Sizes::parse(&range, args.step_factor, args.step_bytes.as_deref());
    let sizes = match sizes {
        Ok(sizes) => sizes,
        Err(error) => {
            let problem = Problem::Refused {
                message: error.to_string(),
                hint: Some(error.hint().to_owned()),
            };
            return refuse(&[Failure::of_file(problem)], context);
        }
    };
    let request = CollectiveRequest {
        kind: args.kind.clone(),
        cluster: args.cluster.clone(),
        nodes: args.nodes,
        gpus_per_node: args.gpus_per_node,
        sizes,
        datatype: args.datatype.clone(),
        algorithm: args.algo.clone(),
        protocol: args.proto.clone(),
    };
    match collective_table(&request) {
        Err(failures) => refuse(&failures, context),
        Ok(table) if context.output.json => {
            context.print(&format!("{:#}\n", document(&table, sizes)))
        }
        Ok(table) => context.page(&text(&table, sizes, context.output.verbose)),
    }
}

/// The sizes, from one option or from two as nccl-tests has them.
fn range(args: &CollectiveArgs) -> Result<String, Problem> {
    match (args.bytes.as_deref(), args.max_bytes.as_deref()) {
        (None, None) => Ok("8:8G".to_owned()),
        (Some(range), None) => Ok(range.to_owned()),
        (None, Some(most)) => Ok(format!("8:{most}")),
        (Some(range), Some(_)) if range.contains(':') => Err(Problem::Refused {
            message: format!("--bytes {range} says the largest size, and so does --max-bytes"),
            hint: Some("write -b MIN:MAX, or -b MIN -e MAX".to_owned()),
        }),
        (Some(least), Some(most)) => Ok(format!("{least}:{most}")),
    }
}

fn document(table: &CollectiveTable, sizes: Sizes) -> Value {
    let row = |row: &CollectiveRow| {
        json!({
            "bytes": row.cost.bytes.as_u64(),
            "count": row.count,
            "time_s": row.cost.time.as_secs(),
            "time_p10_s": row.interval.map(|[low, _]| low),
            "time_p90_s": row.interval.map(|[_, high]| high),
            "algbw_bytes_per_s": row.cost.algbw * 1e9,
            "busbw_bytes_per_s": row.cost.busbw * 1e9,
            "algorithm": row.cost.algorithm.name(),
            "protocol": row.cost.protocol.name(),
        })
    };
    let source = |(name, provenance, source): &(String, _, String)| json!({ "name": name, "provenance": provenance, "source": source });
    json!({
        "schema": 1,
        "collective": table.kind.name(),
        "cluster": table.cluster,
        "gpu": table.gpu,
        "nodes": table.nodes,
        "ranks": table.ranks,
        "datatype": table.datatype,
        "redop": table.redop,
        "root": table.root,
        "step": sizes.step(),
        "rows": table.rows.iter().map(row).collect::<Vec<_>>(),
        "mean_busbw_bytes_per_s": table.mean_busbw() * 1e9,
        "provenance": table.provenance,
        "beyond": table.beyond,
        "constants": table.sources.iter().map(source).collect::<Vec<_>>(),
        "windtunnel": version::json(),
    })
}

fn text(table: &CollectiveTable, sizes: Sizes, verbose: u8) -> String {
    let mut text = head(table, sizes, verbose);
    for row in &table.rows {
        line(&mut text, table, row);
    }
    let _ = writeln!(text, "# Avg bus bandwidth    : {:.6}", table.mean_busbw());
    text.push_str("#\n");
    text
}

/// Columns in nccl-tests' order, then ours; those of times are printed twice.
const HEADER: [[&str; 12]; 2] = [
    [
        "size",
        "count",
        "type",
        "redop",
        "root",
        "time",
        "algbw",
        "busbw",
        "#wrong",
        "algorithm",
        "proto",
        "p10-p90 of time",
    ],
    [
        "(B)",
        "(elements)",
        "",
        "",
        "",
        "(us)",
        "(GB/s)",
        "(GB/s)",
        "",
        "",
        "",
        "(us)",
    ],
];

fn head(table: &CollectiveTable, sizes: Sizes, verbose: u8) -> String {
    let mut text = String::new();
    let [least, most] = sizes.range();
    let _ = writeln!(
        text,
        "# nThread 1 nGpus 1 minBytes {least} maxBytes {most} step: {} graph: 0\n#",
        sizes.step()
    );
    let nodes = if table.nodes == 1 { "node" } else { "nodes" };
    let _ = writeln!(
        text,
        "# Predicted: {} on {} ranks, {} {nodes} of {} ({})",
        table.kind.name(),
        table.ranks,
        table.nodes,
        table.cluster,
        table.gpu
    );
    for (name, provenance, source) in &table.sources {
        let _ = if verbose > 0 {
            writeln!(text, "# Constants: {name}, {}: {source}", provenance.name())
        } else {
            writeln!(text, "# Constants: {name}, {}", provenance.name())
        };
    }
    if let Some(beyond) = &table.beyond {
        let _ = writeln!(
            text,
            "# Extrapolated: {beyond}; the interval is that of what was measured"
        );
    }
    text.push_str("#\n");
    let _ = writeln!(text, "#{:61}out-of-place{:23}in-place", "", "");
    for [
        size,
        count,
        kind,
        redop,
        root,
        time,
        algbw,
        busbw,
        wrong,
        ours @ ..,
    ] in HEADER
    {
        let _ = write!(
            text,
            "#{size:>11}  {count:>12}  {kind:>8}  {redop:>6}  {root:>6}"
        );
        for _ in 0..2 {
            let _ = write!(text, "  {time:>7}  {algbw:>6}  {busbw:>6}  {wrong:>6}");
        }
        let [algorithm, protocol, interval] = ours;
        let _ = writeln!(text, "  {algorithm:>9}  {protocol:>6}  {interval:>15}");
    }
    text
}

fn line(text: &mut String, table: &CollectiveTable, row: &CollectiveRow) {
    let interval = row.interval.map_or_else(String::new, |[low, high]| {
        format!("{}-{}", micros(low * 1e6), micros(high * 1e6))
    });
    let _ = write!(
        text,
        "{:>12}  {:>12}  {:>8}  {:>6}  {:>6}",
        row.cost.bytes.as_u64(),
        row.count,
        table.datatype,
        table.redop,
        table.root,
    );
    // The model knows no difference, and no element is wrong that was never added.
    for _place in ["out of place", "in place"] {
        let _ = write!(
            text,
            "  {:>7}  {:>6.2}  {:>6.2}  {:>6}",
            micros(row.cost.time.as_micros()),
            row.cost.algbw,
            row.cost.busbw,
            "N/A"
        );
    }
    let _ = writeln!(
        text,
        "  {:>9}  {:>6}  {interval:>15}",
        row.cost.algorithm.name(),
        row.cost.protocol.name(),
    );
}

/// Microseconds with the decimals of nccl-tests.
fn micros(value: f64) -> String {
    match value {
        large if 1e4 <= large => format!("{large:.0}"),
        middle if 1e2 <= middle => format!("{middle:.1}"),
        small => format!("{small:.2}"),
    }
}
