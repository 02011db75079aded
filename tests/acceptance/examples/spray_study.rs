//! The study of packet spraying against single path, as a Markdown page with figures:
//!
//! ```text
//! cargo run --release -p acceptance --example spray_study
//! ```
//!
//! It runs every case of `scenarios/cases/spray-vs-singlepath` (some minutes on two cores) and
//! writes `docs/spray-vs-singlepath.md` and `docs/spray-vs-singlepath/*.svg`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;

use acceptance::scenarios::from_root;
use plotters::prelude::*;
use session::{CaseResult, Request, Sweep, open_sweep};
use units::Control;

const FOLDER: &str = "scenarios/cases/spray-vs-singlepath";
const POLICY: &str = "network.load_balancing";

/// A case that ran: its values by field, and what was found.
struct Case {
    values: BTreeMap<String, String>,
    makespan: f64,
    congestion: Option<f64>,
    extra_pieces: usize,
    resent: u64,
}

impl Case {
    fn value(&self, field: &str) -> &str {
        self.values
            .get(field)
            .map_or("", |value| value.trim_matches('"'))
    }

    /// All values but the policy: what cases that are compared share.
    fn setting(&self) -> Vec<&str> {
        let others = self.values.iter().filter(|(field, _)| *field != POLICY);
        others.map(|(_, value)| value.as_str()).collect()
    }
}

fn run(file: &str) -> Vec<Case> {
    let request = Request {
        scenario: from_root(FOLDER).join(file),
        ..Request::default()
    };
    let sweep: Sweep = open_sweep(&request).expect("the scenario is well formed");
    let results = sweep.run(&Control::new());
    let cases = sweep.cases.iter().zip(results);
    cases
        .map(|(case, result)| {
            let CaseResult::Traffic(answer) = result else {
                panic!("{file}: {case:?} gives {result:?}");
            };
            let values = sweep.fields.iter().cloned().zip(case.iter().cloned());
            let [own, ideal] = answer
                .congestion
                .map(|time| time.map(units::Seconds::as_secs));
            Case {
                values: values.collect(),
                makespan: answer.makespan.as_seconds().as_secs(),
                congestion: own.zip(ideal).map(|(own, ideal)| own / ideal),
                extra_pieces: answer.extra_pieces,
                resent: answer.packets.map_or(0, |packets| packets.totals.resent),
            }
        })
        .collect()
}

/// Least, median and most.
struct Spread {
    least: f64,
    median: f64,
    most: f64,
    all: Vec<f64>,
}

fn spread(mut all: Vec<f64>) -> Spread {
    all.sort_by(f64::total_cmp);
    Spread {
        least: all[0],
        median: all[all.len() / 2],
        most: all[all.len() - 1],
        all,
    }
}

impl Spread {
    fn cells(&self) -> String {
        format!("{:.3} | {:.3} | {:.3}", self.median, self.least, self.most)
    }
}

/// The times of one policy over those of another in the same setting.
fn ratios(cases: &[Case], of: &str, over: &str, wanted: impl Fn(&Case) -> bool) -> Spread {
    let others: BTreeMap<Vec<&str>, f64> = cases
        .iter()
        .filter(|case| case.value(POLICY) == over)
        .map(|case| (case.setting(), case.makespan))
        .collect();
    let own = cases
        .iter()
        .filter(|case| case.value(POLICY) == of && wanted(case));
    spread(
        own.map(|case| case.makespan / others[&case.setting()])
            .collect(),
    )
}

fn main() {
    let flows = run("flows.toml");
    let packets = run("packets.toml");
    let page = page(&flows, &packets);
    fs::write(from_root("docs/spray-vs-singlepath.md"), page).expect("docs can be written");
}

const FLOW_POLICIES: [&str; 5] = ["ecmp", "ecmp-k", "flowlet", "adaptive-flow", "singlepath"];
const PACKET_POLICIES: [&str; 7] = [
    "ecmp",
    "ecmp-k",
    "adaptive-flow",
    "adaptive-packet",
    "oblivious",
    "reps",
    "singlepath",
];

fn page(flows: &[Case], packets: &[Case]) -> String {
    let mut text = String::from(HEAD);
    let rows = FLOW_POLICIES.map(|policy| {
        let own = || flows.iter().filter(|case| case.value(POLICY) == policy);
        let congestion = spread(own().filter_map(|case| case.congestion).collect());
        let time = ratios(flows, policy, "spray", |_| true);
        let pieces = spread(own().map(|case| case.extra_pieces as f64).collect());
        let _ = writeln!(
            text,
            "| {policy} | {} | {} | {:.0} |",
            congestion.cells(),
            time.cells(),
            pieces.median
        );
        (policy, congestion)
    });
    draw(
        "congestion",
        "Maximum congestion over that of ideal spraying",
        &rows,
    );
    let exact = flows
        .iter()
        .filter(|case| case.value(POLICY) == "singlepath");
    let worst = exact.filter_map(|case| case.congestion).fold(0.0, f64::max);
    text.push_str(&BETWEEN.replace("{worst}", &format!("{:.1e}", worst - 1.0)));
    for transport in ["dcqcn-gbn", "dcqcn-sr"] {
        let wanted = |case: &Case| case.value("network.transport") == transport;
        let rows = PACKET_POLICIES.map(|policy| {
            let time = ratios(packets, policy, "spray", wanted);
            let single = ratios(packets, "singlepath", policy, wanted);
            let own = packets
                .iter()
                .filter(|case| case.value(POLICY) == policy && wanted(case));
            let resent: u64 = own.map(|case| case.resent).sum();
            let _ = writeln!(
                text,
                "| {transport} | {policy} | {} | {} | {resent} |",
                time.cells(),
                single.cells()
            );
            (policy, time)
        });
        let title = format!("Completion time over that of ideal spraying, {transport}");
        draw(transport, &title, &rows);
    }
    text.push_str(TABLE_BY_SETTING);
    for (fields, words) in [
        (&["workload", "workload.jitter"][..], "starts uneven by "),
        (
            &["cluster.fabric", "cluster.fabric.oversubscription"],
            "oversubscribed ",
        ),
        (&["stragglers"], ""),
    ] {
        by_setting(packets, fields, words, &mut text);
    }
    text.push_str(&found(packets));
    text
}

/// Rows of medians of single path for each combination of the values of some fields.
fn by_setting(packets: &[Case], fields: &[&str], words: &str, text: &mut String) {
    let own = |case: &Case| -> Vec<String> {
        let values = fields.iter().map(|field| case.value(field).to_owned());
        values.collect()
    };
    let mut all: Vec<Vec<String>> = packets.iter().map(own).collect();
    all.sort_unstable();
    all.dedup();
    for values in all {
        let cells = ["dcqcn-gbn", "dcqcn-sr"].map(|transport| {
            let wanted =
                |case: &Case| case.value("network.transport") == transport && own(case) == values;
            let [spray, reps] =
                ["spray", "reps"].map(|over| ratios(packets, "singlepath", over, wanted));
            format!("{:.3} | {:.3}", spray.median, reps.median)
        });
        let mut name = named(&values[0]);
        for value in &values[1..] {
            let _ = match value.as_str() {
                "0" => write!(name, "; even starts"),
                value => write!(name, "; {words}{value}"),
            };
        }
        let _ = writeln!(text, "| {name} | {} |", cells.join(" | "));
    }
}

/// What a value of a field is called in a table.
fn named(value: &str) -> String {
    if value == "[]" {
        return "whole".to_owned();
    }
    if value.starts_with('[') {
        return "one link down".to_owned();
    }
    // The name of a fabric, or kind and size of a collective.
    let texts: Vec<&str> = value.split('"').skip(1).step_by(2).collect();
    if value.contains("name = ") {
        return texts[0].to_owned();
    }
    texts.join(", ")
}

/// The findings, with their figures.
fn found(packets: &[Case]) -> String {
    let of = |transport: &'static str, over| {
        ratios(packets, "singlepath", over, move |case: &Case| {
            case.value("network.transport") == transport
        })
    };
    let below = |ratio: f64| format!("{:.0} %", (1.0 - ratio) * 100.0);
    let [gbn_spray, gbn_reps] = ["spray", "reps"].map(|over| of("dcqcn-gbn", over));
    let [sr_spray, sr_reps] = ["spray", "reps"].map(|over| of("dcqcn-sr", over));
    FOUND
        .replace("{gbn_spray}", &below(gbn_spray.least))
        .replace("{gbn_reps}", &below(gbn_reps.least))
        .replace("{gbn_spray_median}", &below(gbn_spray.median))
        .replace("{gbn_reps_median}", &below(gbn_reps.median))
        .replace("{sr_spray}", &below(sr_spray.least))
        .replace("{sr_reps}", &below(sr_reps.least))
        .replace("{sr_spray_median}", &below(sr_spray.median))
        .replace("{sr_reps_median}", &below(sr_reps.median))
        .replace(
            "{sr_spray_most}",
            &format!("{:.1} %", (sr_spray.most - 1.0) * 100.0),
        )
        .replace(
            "{gbn_spray_most}",
            &format!("{:.1} %", (gbn_spray.most - 1.0) * 100.0),
        )
}

/// Draws the ratios of each policy as points on a logarithmic axis, medians as lines.
fn draw(name: &str, title: &str, rows: &[(&str, Spread)]) {
    let path = from_root("docs/spray-vs-singlepath").join(format!("{name}.svg"));
    let least = rows
        .iter()
        .map(|(_, spread)| spread.least)
        .fold(1.0, f64::min)
        * 0.8;
    let most = rows
        .iter()
        .map(|(_, spread)| spread.most)
        .fold(1.0, f64::max)
        * 1.25;
    let root = SVGBackend::new(&path, (760, 360)).into_drawing_area();
    root.fill(&WHITE).expect("an SVG can be drawn");
    let n = rows.len();
    let mut chart = ChartBuilder::on(&root)
        .caption(title, ("sans-serif", 17))
        .margin(12)
        .x_label_area_size(34)
        .y_label_area_size(56)
        .build_cartesian_2d(0.0..n as f64, (least..most).log_scale())
        .expect("the axes are ranges");
    chart
        .configure_mesh()
        .disable_x_mesh()
        .x_labels(2 * n + 1)
        .x_label_formatter(&|x| {
            let place = (x * 2.0).round() / 2.0;
            let is_middle = (place.fract() - 0.5).abs() < 1e-9;
            rows.iter()
                .enumerate()
                .find(|(at, _)| is_middle && (place - 0.5 - *at as f64).abs() < 1e-9)
                .map_or(String::new(), |(_, row)| row.0.to_owned())
        })
        .y_label_formatter(&|y| format!("{y:.2}"))
        .draw()
        .expect("a mesh can be drawn");
    let line = |chart: &mut ChartContext<'_, SVGBackend<'_>, _>,
                from: f64,
                to: f64,
                y: f64,
                style: ShapeStyle| {
        let series = LineSeries::new([(from, y), (to, y)], style);
        chart.draw_series(series).expect("a line can be drawn");
    };
    line(&mut chart, 0.0, n as f64, 1.0, BLACK.stroke_width(1));
    for (at, (_, spread)) in rows.iter().enumerate() {
        let count = spread.all.len().max(2) as f64 - 1.0;
        let points = spread.all.iter().enumerate().map(|(place, ratio)| {
            let x = at as f64 + 0.2 + 0.6 * place as f64 / count;
            Circle::new((x, *ratio), 2, BLUE.mix(0.45).filled())
        });
        chart.draw_series(points).expect("points can be drawn");
        let [from, to] = [at as f64 + 0.15, at as f64 + 0.85];
        line(&mut chart, from, to, spread.median, RED.stroke_width(2));
    }
    root.present().expect("docs can be written");
}

const HEAD: &str = "\
# Packet spraying against single path

Does a training cluster need per-packet multipath, or is single path with minimal splitting as good, or better? Addanki, Goyal and Marinos
(arXiv 2407.00550) claim, first: cut few flows, give every piece one way, and the maximum congestion equals that of ideal spraying. Second
(the version called 'Ethereal'): completion times are up to 30 % below packet spraying and up to 40 % below REPS. This page tests both on our own
grid, since topologies, speeds and sizes of the paper's figures are not public. It is written by

    cargo run --release -p acceptance --example spray_study

from the cases of [scenarios/cases/spray-vs-singlepath](../scenarios/cases/spray-vs-singlepath): 64 hosts of 100 Gbit/s, 1 us a link. PNG
copies of the figures are made with `rsvg-convert` of librsvg.

## Maximum congestion, in the flow engine

Permutation, all-to-all and ring all-reduce of 1 MiB to 1 GiB on three leaf-spine fabrics (8 or 16 leaves; 6, 7 or 8 spines) and a three-level Clos
fabric, oversubscribed 1, 2 and 4 times, whole, with one link down and with one cable at half its rate: 180 settings. Congestion is
the longest time that any link, up or down, needs for what it carries, over the same under ideal spraying in proportion to capacities; completion is
the end of the last flow under max-min fair sharing, over that of ideal spraying. `singlepath` cuts with the fewest pieces, per pair of leaves;
`ecmp-k` has 4 queue pairs.

![Maximum congestion](spray-vs-singlepath/congestion.svg)

| policy | congestion, median | least | most | completion, median | least | most | extra pieces, median |
|:-------|---:|---:|---:|---:|---:|---:|---:|
";

const BETWEEN: &str = "
**The first claim holds**: in every setting the maximum congestion of single path equals that of ideal spraying; the largest excess, {worst}, is
one of whole bytes. That includes failed and degraded links, where pieces are cut in proportion to the capacities that are left, and the Clos
fabric. Hashing is far off, with 4 queue pairs less so; the least loaded way for each flow is exact where flows divide evenly over spines only.

**Equal congestion is not equal completion**: where pieces are of unequal size, a small piece gets the same fair share as a large one while
both last, so that a few settings end later than spraying although no link carries more. The paper's measure does not see this.

## Completion time, in the packet engine

Permutation (256 KiB, 8 MiB), all-to-all (64 KiB) and ring (16 MiB) on 8 leaves x 8 hosts x 8 spines and on a three-level Clos fabric (4 pods of 4
leaves x 4 hosts, 4 spines a pod, 4 cores each); oversubscribed once and twice; whole and with one link down; hosts that start together, and late
by the size of a normal variable of a fifth of the collective's time: 64 settings for each loss recovery, hashes drawn with one seed.
Transport: DCQCN over a lossless fabric (PFC); a receiver that sees a gap asks for everything from there (go-back-N) or
for what is missing (selective repeat). Ideal spraying sends each packet over the next way.

![Go-back-N](spray-vs-singlepath/dcqcn-gbn.svg)
![Selective repeat](spray-vs-singlepath/dcqcn-sr.svg)

| recovery | policy | over spraying, median | least | most | single path over it, median | least | most | packets sent again |
|:---------|:-------|---:|---:|---:|---:|---:|---:|---:|
";

const TABLE_BY_SETTING: &str = "
By setting, medians of single path:

| setting | go-back-N, over spraying | over REPS | selective repeat, over spraying | over REPS |
|:--------|---:|---:|---:|---:|
";

const FOUND: &str = "
## What we found, and where it differs from the paper

- **Loss recovery decides.** Under go-back-N every packet that overtakes another is taken for a loss, and spraying pays for it: single path ends up to
  {gbn_spray} before spraying (median {gbn_spray_median}) and up to {gbn_reps} before REPS (median {gbn_reps_median}), at worst {gbn_spray_most} after spraying. That is
  more than the paper's 30 and 40 %; we take it that its NICs recover less eagerly than one that resends everything from the gap.
- **Under selective repeat both are near each other**: single path ends up to {sr_spray} before spraying (median {sr_spray_median}), at worst {sr_spray_most} after it,
  and up to {sr_reps} before REPS (median {sr_reps_median}). The paper's figures lie in this range of best cases.
- **Ring collectives do not care**: only one flow leaves each leaf, so there is nothing to collide, and single path's cuts gain nothing: the
  small excess over spraying is one of pieces that wait for each other.
- **Uneven starts favor neither**: gains shrink where hosts start late, because flows that do not overlap do not meet.
- **Flows counted by switches are enough most of the time**: `adaptive-flow`, which gives a flow the way with the fewest flows, takes what single
  path takes in the median, cuts nothing and reorders nothing. It loses where flows do not divide evenly over ways, and needs switches that count.
- A switch that picks the shortest queue for each packet comes as close as single path does under selective repeat in the median, without knowing
  flows, but it sees its own queues only: on the Clos fabric a calm first link can lead to a crowded second one, up to several times spraying.
- A cluster with NICs of selective repeat loses little either way; one with go-back-N should not spray.

`windtunnel plan` of a scenario with `[workload]` makes this comparison for your own cluster and traffic.
";
