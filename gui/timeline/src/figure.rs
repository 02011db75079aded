//! What is seen as a figure, for paper: rows as they are folded and filtered, spans of a window of time.
//!
//! Spans that share a column of the figure are one bar, as on the screen: a figure of any run stays
//! small.

use std::collections::BTreeMap;

use chart::{
    Axis, Bars, Direction, Figure, Gantt, GanttBar, GanttKind, GanttRow, Group, Grouping, Ink,
    Series, Unit,
};
use look::{number, palette};
use trace::{Bar, Category, Pass};
use units::SimTime;

use crate::columns::{Grid, cells, runs};
use crate::counter::Counter;
use crate::key::TrackKey;
use crate::ledger::{ledger, ledger_of_pair};
use crate::names::with_pass;
use crate::pair::Pair;
use crate::round::{index, picos, single};
use crate::rows::{Row, Rows, Shows};
use crate::tile::Scale;
use crate::timeline::Timeline;
use crate::view::{LedgerLine, TimelineView};

/// Columns of a figure at most.
const COLUMNS: u32 = 1_000;
/// Rows of a figure at most.
const ROWS: usize = 300;
/// Bars of a figure, about, at most.
const BARS: usize = 60_000;

/// What is seen of a run: every row that is not folded away, over the window of time.
pub fn figure(timeline: &Timeline, view: &TimelineView) -> Figure {
    let mut sheet = Sheet::new(view);
    sheet.add("", timeline, view);
    sheet.finish("Timeline")
}

/// What is seen of two runs, one below the other.
///
/// * `names` — what the base and the other run are called.
pub fn figure_of_pair(pair: &Pair, view: &TimelineView, names: [&str; 2]) -> Figure {
    let mut sheet = Sheet::new(view);
    sheet.add(names[0], pair.base(), view);
    sheet.add(names[1], pair.other(), &pair.view_of_other(view));
    sheet.finish("Timeline of two runs")
}

/// The ledger of a run: seconds of the critical path by cause.
pub fn ledger_figure(timeline: &Timeline) -> Figure {
    let lines = ledger(timeline);
    let bars = Bars {
        direction: Direction::Horizontal,
        value: Axis::new("Time on the critical path", Unit::Seconds).from_zero(),
        groups: (0..)
            .zip(&lines)
            .map(|(id, (line, _))| Group::new(id, line.name()).with_ink(ink(*line)))
            .collect(),
        series: vec![Series {
            values: lines.iter().map(|(_, time)| secs(*time)).collect(),
            ..Series::default()
        }],
        ..Bars::default()
    };
    let total = number::secs(secs(timeline.end().as_picos()));
    Figure::new(format!("Critical path, {total}"), "cause", bars)
}

/// The ledgers of two runs beside each other.
pub fn ledger_figure_of_pair(pair: &Pair) -> Figure {
    let lines = ledger_of_pair(pair.base(), pair.other());
    let series = [("Base", Ink::Faint), ("Now", Ink::Accent)];
    let series = (0..).zip(series).map(|(at, (name, ink))| Series {
        name: name.to_owned(),
        ink,
        values: lines
            .iter()
            .map(|(_, times): &(_, [u64; 2])| secs(times[at]))
            .collect(),
        ..Series::default()
    });
    let bars = Bars {
        direction: Direction::Horizontal,
        grouping: Grouping::Grouped,
        value: Axis::new("Time on the critical path", Unit::Seconds).from_zero(),
        groups: (0..)
            .zip(&lines)
            .map(|(id, (line, _))| Group::new(id, line.name()))
            .collect(),
        series: series.collect(),
        ..Bars::default()
    };
    let [base, now] =
        [pair.base(), pair.other()].map(|run| number::secs(secs(run.end().as_picos())));
    let title = format!("Critical path, base {base}, now {now}");
    Figure::new(title, "cause", bars)
}

const fn ink(line: LedgerLine) -> Ink {
    match line {
        LedgerLine::Work(category) => Ink::Kind(category),
        LedgerLine::Waiting => Ink::Faint,
    }
}

fn secs(picos: u64) -> f64 {
    picos as f64 * 1e-12
}

/// What a color of the figure stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// A category and a pass, by their places among all.
    Work(usize, usize),
    Memory,
    Link,
}

/// A figure that is being made.
struct Sheet {
    window: (u64, u64),
    gantt: Gantt,
    /// Where kinds stand among those of the figure.
    kinds: BTreeMap<Kind, usize>,
    left_out: usize,
}

impl Sheet {
    fn new(view: &TimelineView) -> Self {
        let window = view.camera.window();
        let window = (window.start.as_picos(), window.end.as_picos());
        let time = Axis::new("Time", Unit::Seconds).fixed(secs(window.0), secs(window.1.max(1)));
        Self {
            window,
            gantt: Gantt {
                time,
                playhead: view.playhead.map(|time| secs(time.as_picos())),
                outline: "on the critical path".to_owned(),
                ..Gantt::default()
            },
            kinds: BTreeMap::new(),
            left_out: 0,
        }
    }

    /// Adds the rows of a run; below a heading where it has a name.
    fn add(&mut self, name: &str, timeline: &Timeline, view: &TimelineView) {
        let rows = Rows::new(timeline, view);
        let all = rows.pinned.iter().chain(&rows.scrolled);
        let n = all.clone().count();
        let columns = index(BARS / n.clamp(1, ROWS)).clamp(100, COLUMNS);
        if !name.is_empty() {
            self.push((name, String::new()), 0, Vec::new());
        }
        let deeper = u8::from(!name.is_empty());
        for row in all.take(ROWS) {
            let bars = self.bars(timeline, row, columns);
            let title = if row.title.is_empty() {
                &row.name
            } else {
                &row.title
            };
            let full = row
                .track()
                .map_or_else(String::new, |key| timeline.title(key));
            self.push((title, full), row.depth + deeper, bars);
        }
        self.left_out += n.saturating_sub(ROWS);
    }

    fn push(&mut self, (title, name): (&str, String), depth: u8, bars: Vec<GanttBar>) {
        self.gantt.rows.push(GanttRow {
            title: title.to_owned(),
            name,
            depth,
            bars,
        });
    }

    fn bars(&mut self, timeline: &Timeline, row: &Row, columns: u32) -> Vec<GanttBar> {
        match &row.shows {
            Shows::Title => Vec::new(),
            Shows::Counter(key) => self.levels(timeline, *key, columns),
            Shows::Spans(tracks) => {
                let bars = match tracks.as_ref() {
                    [one] => single_track(timeline, *one, self.window, columns),
                    all => merged(timeline, all, self.window, columns),
                };
                let bars = bars.iter();
                bars.map(|(bar, critical)| self.spans(timeline, bar, *critical))
                    .collect()
            }
        }
    }

    /// One bar of spans.
    fn spans(&mut self, timeline: &Timeline, bar: &Bar, critical: bool) -> GanttBar {
        let span = timeline.span(bar.longest);
        let (category, pass) = span.map_or((Category::ALL[0], Pass::None), |span| {
            (span.category, span.pass)
        });
        GanttBar {
            from: secs(bar.start.as_picos()),
            to: secs(bar.end.as_picos()),
            name: span.map_or_else(String::new, |span| timeline.name(span).to_owned()),
            kind: self.kind(Kind::Work(category.index(), pass.index())),
            count: bar.count,
            level: 1.0,
            outlined: critical,
        }
    }

    /// The highest level in each column, equal ones joined.
    fn levels(&mut self, timeline: &Timeline, key: TrackKey, columns: u32) -> Vec<GanttBar> {
        let (counter, top, kind): (Option<&Counter>, f64, Kind) = match key {
            TrackKey::Memory { lane } => {
                (timeline.memory(lane), timeline.memory_top(), Kind::Memory)
            }
            TrackKey::Link { link } => (timeline.link(link), 1.0, Kind::Link),
            TrackKey::Stream { .. } => return Vec::new(),
        };
        let Some(counter) = counter else {
            return Vec::new();
        };
        let kind = self.kind(kind);
        let mut bars: Vec<GanttBar> = Vec::new();
        for column in 0..columns {
            let (from, to) = (
                edge(self.window, column, columns),
                edge(self.window, column + 1, columns),
            );
            let level = counter.most_in(from..to) / top.max(f64::MIN_POSITIVE);
            let level = single(level.clamp(0.0, 1.0));
            match bars.last_mut() {
                Some(last) if last.level.to_bits() == level.to_bits() => last.to = secs(to),
                _ => bars.push(GanttBar {
                    from: secs(from),
                    to: secs(to),
                    kind,
                    level,
                    ..GanttBar::default()
                }),
            }
        }
        bars.retain(|bar| 0.0 < bar.level);
        bars
    }

    /// The place of a kind among those of the figure.
    fn kind(&mut self, kind: Kind) -> usize {
        let next = self.kinds.len();
        *self.kinds.entry(kind).or_insert(next)
    }

    fn finish(mut self, title: &str) -> Figure {
        let mut kinds = vec![GanttKind::default(); self.kinds.len()];
        for (kind, place) in &self.kinds {
            kinds[*place] = described(*kind);
        }
        self.gantt.kinds = kinds;
        let title = match self.left_out {
            0 => title.to_owned(),
            n => format!("{title}, without {}", number::counted(n as u64, "row")),
        };
        Figure::new(title, "span", self.gantt)
    }
}

fn described(kind: Kind) -> GanttKind {
    let (category, pass) = match kind {
        Kind::Work(category, pass) => (Category::ALL[category], Pass::ALL[pass]),
        Kind::Memory => {
            return GanttKind {
                name: "memory".to_owned(),
                ink: Ink::Accent,
                letter: None,
            };
        }
        Kind::Link => {
            return GanttKind {
                name: "load of links".to_owned(),
                ink: Ink::Load(0.75),
                letter: None,
            };
        }
    };
    GanttKind {
        name: with_pass(category.name(), pass),
        ink: Ink::Span(category, pass),
        letter: Some(palette::letter(category)),
    }
}

/// The moment at which a column begins.
fn edge((from, to): (u64, u64), column: u32, columns: u32) -> u64 {
    let share = f64::from(column) / f64::from(columns.max(1));
    from + picos(to.saturating_sub(from) as f64 * share)
}

fn moments((from, to): (u64, u64)) -> std::ops::Range<SimTime> {
    SimTime::from_picos(from)..SimTime::from_picos(to)
}

/// The bars of a track, with whether each is on the critical path: of several spans, whether any is.
fn single_track(
    timeline: &Timeline,
    track: u32,
    window: (u64, u64),
    columns: u32,
) -> Vec<(Bar, bool)> {
    let track = &timeline.tracks()[track as usize];
    let mut bars = Vec::new();
    track.spans.each_bar(moments(window), columns, |bar| {
        let critical = if bar.count == 1 {
            timeline.is_critical(bar.longest)
        } else {
            !track.critical.touching(bar.start..bar.end).is_empty()
        };
        bars.push((bar, critical));
    });
    bars
}

/// Several tracks in one, by the rule of the screen.
fn merged(
    timeline: &Timeline,
    tracks: &[u32],
    (from, to): (u64, u64),
    columns: u32,
) -> Vec<(Bar, bool)> {
    let scale = Scale(to.saturating_sub(from).max(1) as f64 / f64::from(columns));
    let grid = Grid::new(scale, picos(from as f64 / scale.0), columns);
    let cells = cells(timeline, tracks, &grid);
    let bars = runs(&cells).map(|run| {
        let (start, end) = (grid.edge(run.columns.start), grid.edge(run.columns.end));
        let mut bar = Bar {
            start,
            end,
            count: run.cell.count,
            busy: SimTime::from_picos(run.cell.busy),
            longest: run.span,
        };
        if let Some(span) = timeline.span(run.span).filter(|_| run.cell.wide) {
            // Its own ends, where they are seen.
            let begins = grid.column(span.start) == run.columns.start;
            let ends = grid.column(span.end).max(run.columns.start + 1) == run.columns.end;
            bar.start = if begins { span.start } else { start };
            bar.end = if ends { span.end } else { end };
            bar.count = 1;
        }
        (bar, run.cell.critical)
    });
    bars.collect()
}
