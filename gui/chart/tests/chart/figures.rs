//! Figures as the window shows them, made of numbers that follow from small formulas.

use chart::{
    Areas, Axis, Band, Bars, Caption, Cell, Column, Content, Diagonal, Figure, Group, Ink, Limit,
    Line, Parallel, ParallelAxis, ParallelLine, Path, Point, Points, Row, Series, Symbol, Table,
    Unit, Xy, histogram,
};
use trace::{Category, MemoryKind};

const GIB: f64 = 1_073_741_824.0;

/// Numbers from 0 to 1 that look random and are the same every time.
pub(crate) fn noise(seed: u32) -> f64 {
    let mixed = seed.wrapping_mul(2_654_435_761) ^ (seed.wrapping_mul(40_503) >> 7);
    let mixed = (mixed ^ (mixed >> 13)).wrapping_mul(2_246_822_519);
    f64::from(mixed >> 8) / f64::from(1_u32 << 24)
}

pub(crate) fn caption() -> Caption {
    Caption {
        scenario: "llama3-70b on 16 × DGX H100".to_owned(),
        engine: "flow".to_owned(),
        seed: Some(1),
        version: "0.1.0".to_owned(),
    }
}

/// Iteration time against memory, with the Pareto line and the limit of the device.
pub(crate) fn scatter(n: u32) -> Figure {
    let mut plans = Points {
        name: "fits".to_owned(),
        ink: Ink::Series(0),
        ..Points::default()
    };
    let mut over = Points {
        name: "does not fit".to_owned(),
        ink: Ink::Bad,
        symbol: Symbol::Cross,
        ..Points::default()
    };
    for seed in 0..n {
        let memory = (28.0 + 68.0 * noise(seed)) * GIB;
        let time = 2.1 + 90.0 * GIB / memory * (0.4 + noise(seed + 1_000));
        let mut point = Point::new(u64::from(seed), memory, time, format!("Plan {seed}"));
        if seed < 3 {
            point.interval = Some((time * 0.92, time * 1.1));
        }
        if memory < 80.0 * GIB {
            &mut plans
        } else {
            &mut over
        }
        .points
        .push(point);
    }
    let mut best: Vec<_> = plans
        .points
        .iter()
        .map(|point| (point.x, point.y))
        .collect();
    best.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut least = f64::INFINITY;
    best.retain(|&(_, time)| {
        let keeps = time < least;
        least = least.min(time);
        keeps
    });
    for point in &mut plans.points {
        if best.iter().any(|&(x, _)| x.to_bits() == point.x.to_bits()) {
            point.tag = format!("tp{} pp{}", 1 << (point.id % 4), 1 << (point.id % 3));
        }
    }
    let pareto = Line {
        name: "Pareto front".to_owned(),
        ink: Ink::Text,
        path: Path::Steps,
        samples: best,
        ..Line::default()
    };
    let xy = Xy::new(
        Axis::new("Peak memory", Unit::Bytes),
        Axis::new("Iteration time", Unit::Seconds).from_zero(),
    )
    .with(pareto)
    .with(Limit::across_x("80 GiB", 80.0 * GIB))
    .with(plans)
    .with(over);
    Figure::new("Plans", "plan", xy).with_caption(caption())
}

/// Predicted against measured times.
pub(crate) fn accuracy() -> Figure {
    let groups = [
        "A100, Megatron-LM",
        "H100, Megatron Core",
        "V100, DeepSpeed",
    ];
    let mut xy = Xy::new(
        Axis::new("Measured iteration time", Unit::Seconds).log10(),
        Axis::new("Predicted iteration time", Unit::Seconds).log10(),
    )
    .equal()
    .with(Diagonal {
        name: "±10 %".to_owned(),
        band: 0.1,
    });
    for (series, name) in (0_u32..).zip(groups) {
        let points = (0..40).map(|row| {
            let seed = series * 100 + row;
            let measured = 0.3 * units::math::powf(10.0, 2.2 * noise(seed));
            let error = 1.0 + 0.3 * (noise(seed + 7_000) - 0.5);
            let id = u64::from(seed);
            Point::new(id, measured, measured * error, format!("Row {seed}"))
        });
        let index = usize::try_from(series).unwrap();
        xy = xy.with(Points {
            name: name.to_owned(),
            ink: Ink::Series(index),
            symbol: Symbol::of(index),
            points: points.collect(),
        });
    }
    Figure::new("Predicted against measured", "run", xy).with_caption(caption())
}

/// Memory over an iteration, by kind.
pub(crate) fn memory() -> Figure {
    let n = 240_u32;
    let x: Vec<_> = (0..n).map(|step| 0.0125 * f64::from(step)).collect();
    let wave = |step: u32| {
        let turn = (step % 30) as f64 / 30.0;
        1.0 - (2.0 * turn - 1.0).abs()
    };
    let band = |kind: MemoryKind, letter, value: &dyn Fn(u32) -> f64| Band {
        name: format!("{kind:?}"),
        ink: Ink::Memory(kind),
        letter: Some(letter),
        hatched: kind == MemoryKind::Workspace,
        values: (0..n).map(|step| value(step) * GIB).collect(),
    };
    let areas = Areas {
        x,
        path: Path::Steps,
        bands: vec![
            band(MemoryKind::Weights, 'W', &|_| 16.4),
            band(MemoryKind::Gradients, 'G', &|_| 8.2),
            band(MemoryKind::Optimizer, 'O', &|_| 12.3),
            band(MemoryKind::Activations, 'A', &|step| {
                6.0 + 20.0 * wave(step) + f64::from(step.min(60)) / 10.0
            }),
            band(MemoryKind::Workspace, 'S', &|step| {
                if step % 5 == 0 { 4.0 } else { 2.5 }
            }),
        ],
    };
    let xy = Xy::new(
        Axis::new("Time", Unit::Seconds),
        Axis::new("Memory", Unit::Bytes),
    )
    .with(areas)
    .with(Limit::new("Device memory 80 GiB", 80.0 * GIB));
    Figure::new("Memory of stage 0", "sample", xy).with_caption(caption())
}

/// Where the time of an iteration goes, for some plans.
pub(crate) fn breakdown() -> Figure {
    let kinds = [
        ("Compute", Category::Compute, 'C', 1.9),
        ("Tensor parallel", Category::Tp, 'T', 0.5),
        ("Pipeline", Category::Pp, 'P', 0.2),
        ("Data parallel", Category::Dp, 'D', 0.3),
        ("Bubble", Category::Other, 'B', 0.4),
        ("Optimizer", Category::Optimizer, 'O', 0.05),
    ];
    let series = (0_u32..)
        .zip(kinds)
        .map(|(index, (name, kind, letter, size))| Series {
            name: name.to_owned(),
            ink: Ink::Kind(kind),
            letter: Some(letter),
            hatched: letter == 'B',
            values: (0..6)
                .map(|plan| size * (0.5 + noise(plan * 10 + index)))
                .collect(),
        });
    let groups = [
        "tp8 pp4 dp4",
        "tp8 pp2 dp8",
        "tp4 pp4 dp8",
        "tp4 pp8 dp4 vp2",
        "tp2 pp8 dp8",
        "tp1 pp16 dp8",
    ];
    let bars = Bars {
        value: Axis::new("Iteration time", Unit::Seconds),
        groups: (0..)
            .zip(groups)
            .map(|(id, label)| Group::new(id, label))
            .collect(),
        series: series.collect(),
        ..Bars::default()
    };
    Figure::new("Where the time goes", "plan", bars).with_caption(caption())
}

/// The degrees and the outcome of many plans.
pub(crate) fn parallel() -> Figure {
    let axes = vec![
        ParallelAxis::numbers(Axis::new("TP", Unit::Count).log2()),
        ParallelAxis::numbers(Axis::new("PP", Unit::Count).log2()),
        ParallelAxis::numbers(Axis::new("DP", Unit::Count).log2()),
        ParallelAxis::numbers(Axis::new("Micro-batch", Unit::Count).log2()),
        ParallelAxis::categories(
            "Schedule",
            vec!["1F1B".into(), "Interleaved".into(), "ZB-H1".into()],
        ),
        ParallelAxis::categories(
            "Recompute",
            vec!["None".into(), "Selective".into(), "Full".into()],
        ),
        ParallelAxis::numbers(Axis::new("Peak memory", Unit::Bytes)),
        ParallelAxis::numbers(Axis::new("Iteration time", Unit::Seconds)),
    ];
    let power = |share: f64, most: f64| 2_f64.powi((share * most).floor() as i32);
    let lines = (0..90_u32).map(|plan| {
        let at = |axis: u32| noise(plan * 17 + axis * 3_001);
        ParallelLine {
            id: u64::from(plan),
            label: format!("Plan {plan}"),
            ink: Ink::Series((at(4) * 3.0) as usize),
            values: vec![
                power(at(0), 4.0),
                power(at(1), 5.0),
                power(at(2), 6.0),
                power(at(3), 4.0),
                (at(4) * 3.0).floor(),
                (at(5) * 3.0).floor(),
                (20.0 + 60.0 * at(6)) * GIB,
                2.0 + 6.0 * at(7),
            ],
        }
    });
    let mut parallel = Parallel {
        axes,
        lines: lines.collect(),
    };
    parallel.axes[7].brush = Some((2.0, 4.5));
    Figure::new("All plans", "plan", parallel).with_caption(caption())
}

/// How often each relative error occurs.
pub(crate) fn residuals() -> Figure {
    let errors: Vec<_> = (0..300)
        .map(|seed| 0.4 * (noise(seed) + noise(seed + 900) - 1.0))
        .collect();
    let xy = Xy::new(
        Axis::new("Error", Unit::Share),
        Axis::new("Runs", Unit::Count),
    )
    .with(histogram("", Ink::Series(0), &errors, 24))
    .with(Limit::across_x("No error", 0.0).ink(Ink::Faint));
    Figure::new("Residuals", "bin", xy).with_caption(caption())
}

pub(crate) fn all() -> Vec<(&'static str, Figure)> {
    vec![
        ("scatter", scatter(60)),
        ("accuracy", accuracy()),
        ("memory", memory()),
        ("breakdown", breakdown()),
        ("parallel", parallel()),
        ("residuals", residuals()),
    ]
}

/// A table of plans, with a missing number.
pub(crate) fn plans() -> Table {
    let columns = vec![
        Column::text("Plan"),
        Column::number("Iteration time", Unit::Seconds),
        Column::number("Peak memory", Unit::Bytes),
        Column::number("MFU", Unit::Share),
        Column::number("Tokens", Unit::Of("1/s".to_owned())),
        Column::text("Bound by"),
    ];
    let mut table = Table::new("Plans", columns);
    table.rows = (0..200_u32)
        .map(|plan| {
            let time = 2.0 + 9.0 * noise(plan);
            let bound = ["Compute", "Memory", "Network of the nodes", "Bubbles"]
                [(noise(plan + 50) * 4.0) as usize];
            let cells = vec![
                Cell::from(format!(
                    "tp{} pp{} dp{}",
                    1 << (plan % 4),
                    1 << (plan % 3),
                    4 << (plan % 5)
                )),
                if plan == 5 {
                    Cell::Missing
                } else {
                    Cell::from(time)
                },
                Cell::from((20.0 + 60.0 * noise(plan + 300)) * GIB),
                Cell::from(0.9 / time),
                Cell::from(4_000_000.0 / time),
                Cell::from(bound),
            ];
            Row::new(u64::from(plan), cells)
        })
        .collect();
    table
}

/// Figures without anything to show, in several ways.
pub(crate) fn empty() -> Vec<Content> {
    let axis = || Axis::new("Time", Unit::Seconds);
    let nowhere = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY];
    let points = |log: bool, values: &[f64]| Xy {
        x: if log { axis().log10() } else { axis() },
        ..Xy::new(axis(), axis()).with(Points {
            points: values
                .iter()
                .map(|&value| Point::new(1, value, value, "A"))
                .collect(),
            ..Points::default()
        })
    };
    vec![
        Xy::new(axis(), axis()).into(),
        Xy::new(axis(), axis())
            .with(Limit::new("Limit", 1.0))
            .into(),
        points(false, &nowhere).into(),
        points(true, &[0.0, -1.0]).into(),
        Xy::new(axis(), axis()).with(Areas::default()).into(),
        Xy::new(axis(), axis())
            .with(histogram("", Ink::Text, &[], 4))
            .into(),
        Bars::default().into(),
        Bars {
            groups: vec![Group::new(1, "A")],
            series: vec![Series {
                values: nowhere.to_vec(),
                ..Series::default()
            }],
            ..Bars::default()
        }
        .into(),
        Parallel::default().into(),
    ]
}
