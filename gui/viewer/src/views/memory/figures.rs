//! The charts of memory.

use chart::{Areas, Axis, Band, Bars, Figure, Group, Ink, Limit, Path, Series, Unit, Xy};
use look::number;
use session::Prediction;
use trace::MemoryKind;
use units::Bytes;

use super::class::Class;
use super::levels::Levels;
use crate::run::Run;

/// What the device holds beside what the allocator gave out.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Beside {
    /// What the allocator holds in reserve.
    pub(super) reserve: f64,
    /// Context and buffers of communicators.
    pub(super) context: f64,
}

impl Beside {
    /// Of the fullest device.
    pub(super) fn of(prediction: &Prediction) -> Self {
        let allocated = prediction.peak_allocated_bytes.as_u64() as f64;
        let used = prediction.device_used_bytes.as_u64() as f64;
        // Near its limit a device holds less in reserve.
        let reserved = (prediction.peak_reserved_bytes.as_u64() as f64).min(used);
        Self {
            reserve: (reserved - allocated).max(0.0),
            context: (used - reserved.max(allocated)).max(0.0),
        }
    }
}

/// The letter that stands for a kind where there is room.
const fn letter(kind: MemoryKind) -> char {
    match kind {
        MemoryKind::Weights => 'W',
        MemoryKind::Gradients => 'G',
        MemoryKind::Optimizer => 'O',
        MemoryKind::Activations => 'A',
        MemoryKind::Logits => 'L',
        MemoryKind::Workspace => 'T',
        MemoryKind::Communication => 'C',
    }
}

/// The name of a kind with its first letter upper case.
pub(super) fn title(kind: MemoryKind) -> String {
    let name = kind.name();
    let (first, rest) = name.split_at(1);
    format!("{}{rest}", first.to_uppercase())
}

fn limit(prediction: Option<&Prediction>) -> Option<Limit> {
    let bytes = prediction?.device_memory_bytes;
    let name = format!("Limit {}", number::bytes(bytes));
    Some(Limit::new(name, bytes.as_u64() as f64))
}

const PEAKS: &str = "By kind what the allocator has given out at the moment of its peak: tensors of the \
                     framework with their shapes, summed up as the engine makes and frees them. \
                     Reserve and context are found for the fullest device; others keep as much in \
                     reserve for each byte of their peaks, and the same context.";
const LEVELS: &str = "What the allocator has given out, by kind, as the engine makes and frees tensors of \
                      the framework; without the allocator's reserve, context and communicators.";

/// Peaks as bars, a bar for each class.
pub(super) fn peaks(run: &Run, classes: &[Class]) -> Figure {
    let groups = classes
        .iter()
        .map(|class| Group::new(u64::from(class.first_rank), &*class.label));
    let kinds = MemoryKind::ALL.into_iter().filter(|kind| {
        let held = |class: &Class| 0.0 < class.at_peak[kind.index()];
        classes.iter().any(held)
    });
    let mut series: Vec<Series> = kinds
        .map(|kind| Series {
            name: title(kind),
            ink: Ink::Memory(kind),
            letter: Some(letter(kind)),
            hatched: false,
            values: classes
                .iter()
                .map(|class| class.at_peak[kind.index()])
                .collect(),
        })
        .collect();
    if let Some(prediction) = run.prediction() {
        series.extend(beside(Beside::of(prediction), classes));
    }
    let bars = Bars {
        value: Axis::new("Memory", Unit::Bytes).from_zero(),
        groups: groups.collect(),
        series,
        limits: limit(run.prediction()).into_iter().collect(),
        ..Bars::default()
    };
    Figure::new("Peak memory by class", "class", bars)
        .with_caption(run.caption.clone())
        .explained(PEAKS)
}

/// What devices hold beside their peaks, as parts of their bars. The engine tells it of the fullest: the
/// others keep as much in reserve for each byte of their peaks, and the same context.
fn beside(beside: Beside, classes: &[Class]) -> Vec<Series> {
    let peak = super::fullest(classes).map_or(1.0, Class::peak).max(1.0);
    let reserve = |class: &Class| beside.reserve * class.peak() / peak;
    let context = |_: &Class| beside.context;
    let series = |name: &str, ink: Ink, letter: char, value: &dyn Fn(&Class) -> f64| Series {
        name: name.to_owned(),
        ink,
        letter: Some(letter),
        hatched: true,
        values: classes.iter().map(value).collect(),
    };
    let all = [
        series("Allocator's reserve", Ink::Faint, 'R', &reserve),
        series("Context and communicators", Ink::Text, 'X', &context),
    ];
    all.into()
}

/// Levels of a class over time.
pub(super) fn over_time(run: &Run, class: &Class, levels: &Levels) -> Figure {
    let bands = MemoryKind::ALL.into_iter().zip(&levels.by_kind);
    let bands = bands.filter(|(_, values)| values.iter().any(|value| 0.0 < *value));
    let bands = bands.map(|(kind, values)| Band {
        name: title(kind),
        ink: Ink::Memory(kind),
        letter: Some(letter(kind)),
        hatched: false,
        values: values.clone(),
    });
    let areas = Areas {
        x: levels.times.clone(),
        bands: bands.collect(),
        path: Path::Steps,
    };
    let end = run.timeline.end().as_seconds().as_secs().max(1e-12);
    let mut xy = Xy::new(
        Axis::new("Time", Unit::Seconds).fixed(0.0, end),
        Axis::new("Memory", Unit::Bytes).from_zero(),
    )
    .with(areas);
    if let Some(limit) = limit(run.prediction()) {
        xy = xy.with(limit);
    }
    let title = format!("Memory over time of {}", class.label);
    Figure::new(title, "moment", xy)
        .with_caption(run.caption.clone())
        .explained(LEVELS)
}

/// A number of bytes for people.
pub(super) fn bytes(bytes: f64) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "made not negative, and a cast saturates"
    )]
    let whole = bytes.abs().round() as u64;
    let sign = if bytes < 0.0 { "−" } else { "" };
    format!("{sign}{}", number::bytes(Bytes::new(whole)))
}
