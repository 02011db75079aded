//! The text of a profile: comments, and TOML as people would write it.

use std::fmt::Write as _;

use profile::{
    AttentionSpec, FitSpec, GemmSpec, GridSpec, PackingKind, Pass, ProfileSpec, StreamSpec,
    UnfusedSpec,
};

use super::report::FittedCurve;

/// The file of a profile.
///
/// * `header` — lines of the comment on top.
/// * `curves` — what is said above each curve: products first, then attention.
pub(crate) fn text(spec: &ProfileSpec, header: &[String], curves: &[FittedCurve]) -> String {
    let mut out = String::new();
    comment(&mut out, header);
    out.push('\n');
    top(&mut out, spec);
    let (products, cores) = curves.split_at(spec.gemm.len().min(curves.len()));
    for (at, gemm) in spec.gemm.iter().enumerate() {
        note(&mut out, products.get(at));
        product(&mut out, gemm);
    }
    for (at, attention) in spec.attention.iter().enumerate() {
        note(&mut out, cores.get(at));
        core(&mut out, attention);
    }
    if let Some(spec) = &spec.unfused {
        unfused(&mut out, spec);
    }
    if let Some(spec) = &spec.stream {
        stream(&mut out, spec);
    }
    out
}

fn comment(out: &mut String, lines: &[String]) {
    for line in lines {
        let _ = if line.is_empty() {
            writeln!(out, "#")
        } else {
            writeln!(out, "# {line}")
        };
    }
}

fn note(out: &mut String, curve: Option<&FittedCurve>) {
    out.push('\n');
    if let Some(curve) = curve {
        comment(out, &curve.note);
    }
}

fn key(out: &mut String, name: &str, value: impl std::fmt::Display) {
    let _ = writeln!(out, "{name} = {value}");
}

/// A number with its point, and without digits that say nothing.
fn number(value: f64) -> String {
    format!("{:?}", if value == 0.0 { 0.0 } else { value })
}

fn quoted(text: &str) -> String {
    format!("{text:?}")
}

fn list<T>(items: &[T], show: impl Fn(&T) -> String) -> String {
    let shown: Vec<String> = items.iter().map(show).collect();
    format!("[{}]", shown.join(", "))
}

fn top(out: &mut String, spec: &ProfileSpec) {
    key(out, "schema", spec.schema);
    key(out, "name", quoted(&spec.name));
    key(out, "gpu", quoted(&spec.gpu));
    key(out, "relatives", list(&spec.relatives, |name| quoted(name)));
    if let Some(other) = &spec.scaled_from {
        key(out, "scaled_from", quoted(other));
    }
    if spec.only_by_name {
        key(out, "only_by_name", true);
    }
    key(out, "date", quoted(&spec.date));
    if spec.scaled_from.is_none() {
        out.push_str(
            "# Microbenchmarks run short and near the peak clock; training runs at the power limit.\n",
        );
    }
    key(out, "sustained", number(spec.sustained));
    out.push_str(
        "# Launches overlap in a run: the gap between kernels of a stream, not the latency of one alone (`base_us`).\n",
    );
    key(out, "launch_us", number(spec.launch_us));
}

fn product(out: &mut String, gemm: &GemmSpec) {
    out.push_str("[[gemm]]\n");
    key(
        out,
        "dtypes",
        list(&gemm.dtypes, |dtype| quoted(dtype.name())),
    );
    let packing = match gemm.packing {
        PackingKind::Single => "single",
        PackingKind::Batched => "batched",
        PackingKind::Grouped => "grouped",
    };
    key(out, "packing", quoted(packing));
    key(out, "efficiency", number(gemm.efficiency));
    key(out, "half_k", number(gemm.half_k));
    if gemm.half_rows != 0.0 {
        key(out, "half_rows", number(gemm.half_rows));
    }
    key(out, "wave", number(gemm.wave));
    key(out, "tile", format!("[{}, {}]", gemm.tile[0], gemm.tile[1]));
    key(out, "split_k", gemm.split_k);
    key(out, "bandwidth", number(gemm.bandwidth));
    key(out, "accumulate", number(gemm.accumulate));
    if gemm.product_us != 0.0 {
        key(out, "product_us", number(gemm.product_us));
    }
    key(out, "base_us", number(gemm.base_us));
    key(out, "source", quoted(&gemm.source));
    fit(out, gemm.fit.as_ref());
    if !gemm.points.is_empty() {
        out.push_str("points = [\n");
        for point in &gemm.points {
            let mut line = format!("m = {}, n = {}, k = {}", point.m, point.n, point.k);
            if point.count != 1 {
                let _ = write!(line, ", count = {}", point.count);
            }
            if point.accumulate {
                line.push_str(", accumulate = true");
            }
            let _ = writeln!(out, "    {{ {line}, us = {} }},", number(point.us));
        }
        out.push_str("]\n");
    }
    if let Some(spec) = &gemm.grid {
        grid(out, spec);
    }
}

fn grid(out: &mut String, grid: &GridSpec) {
    out.push_str("\n[gemm.grid]\n");
    for (axis, nodes) in [("m", &grid.m), ("n", &grid.n), ("k", &grid.k)] {
        key(out, axis, list(nodes, |node| number(*node)));
    }
    out.push_str("factor = [\n");
    for line in grid.factor.chunks(grid.k.len()) {
        let shown: Vec<String> = line.iter().map(|factor| number(*factor)).collect();
        let _ = writeln!(out, "    {},", shown.join(", "));
    }
    out.push_str("]\n");
}

fn core(out: &mut String, attention: &AttentionSpec) {
    out.push_str("[[attention]]\n");
    let kernel = format!("{:?}", attention.kernel).to_lowercase();
    key(out, "kernel", quoted(&kernel));
    key(
        out,
        "dtypes",
        list(&attention.dtypes, |dtype| quoted(dtype.name())),
    );
    key(out, "head_dim", attention.head_dim);
    key(out, "efficiency", number(attention.efficiency));
    key(out, "half_len", number(attention.half_len));
    key(out, "wave", number(attention.wave));
    key(out, "tile", attention.tile);
    key(out, "tail", number(attention.tail));
    key(out, "bandwidth", number(attention.bandwidth));
    key(out, "backward", number(attention.backward));
    key(out, "base_us", number(attention.base_us));
    key(out, "source", quoted(&attention.source));
    fit(out, attention.fit.as_ref());
    if !attention.points.is_empty() {
        out.push_str("points = [\n");
        for point in &attention.points {
            let pass = match point.pass {
                Pass::Forward => "forward",
                Pass::Backward => "backward",
            };
            let _ = writeln!(
                out,
                "    {{ pass = {pass:?}, batch = {}, len = {}, heads = {}, kv_heads = {}, \
                 v_dim = {}, us = {} }},",
                point.batch,
                point.len,
                point.heads,
                point.kv_heads,
                point.v_dim,
                number(point.us)
            );
        }
        out.push_str("]\n");
    }
}

fn fit(out: &mut String, fit: Option<&FitSpec>) {
    let Some(fit) = fit else { return };
    let mut line = format!("rows = {}, mape = {}", fit.rows, number(fit.mape));
    if let Some(held_out) = fit.held_out {
        let by = quoted(&fit.held_out_by);
        let _ = write!(
            line,
            ", held_out = {}, held_out_by = {by}",
            number(held_out)
        );
    }
    for (axis, range) in [("x", fit.x), ("y", fit.y), ("z", fit.z)] {
        if let Some([low, high]) = range {
            let _ = write!(line, ", {axis} = [{low}, {high}]");
        }
    }
    let _ = writeln!(out, "fit = {{ {line} }}");
}

fn unfused(out: &mut String, unfused: &UnfusedSpec) {
    out.push_str("\n[unfused]\n");
    key(out, "misaligned", number(unfused.misaligned));
    key(out, "score_bytes", number(unfused.score_bytes));
    key(out, "loose_score_bytes", number(unfused.loose_score_bytes));
    key(out, "fused_max_len", unfused.fused_max_len);
    key(out, "source", quoted(&unfused.source));
}

fn stream(out: &mut String, stream: &StreamSpec) {
    out.push_str("\n[stream]\n");
    key(out, "bandwidth", number(stream.bandwidth));
    key(out, "ramp_bytes", number(stream.ramp_bytes));
    key(out, "source", quoted(&stream.source));
    key(out, "measured", stream.measured);
    out.push_str("kinds = [\n");
    for entry in &stream.kinds {
        let kind = kebab(&format!("{:?}", entry.kind));
        let measured = if entry.measured {
            ", measured = true"
        } else {
            ""
        };
        let share = number(entry.bandwidth);
        let _ = writeln!(
            out,
            "    {{ kind = \"{kind}\", bandwidth = {share}{measured} }},"
        );
    }
    out.push_str("]\n");
}

/// `CrossEntropy` as files write it.
fn kebab(name: &str) -> String {
    let mut text = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !text.is_empty() {
            text.push('-');
        }
        text.extend(letter.to_lowercase());
    }
    text
}
