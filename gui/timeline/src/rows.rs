//! Which rows there are, one below the other.
//!
//! ```text
//! ▾ Stage 0 · ranks 0–7          a group; folded it shows the spans of all of its lanes
//!   ▾ stage 0 · ranks 0–3        a lane, where a group has several
//!       compute  ██████████      a track
//!       memory   ▂▃▅▆▆▅▃▂
//! ▸ Links
//! ```

use std::sync::Arc;

use trace::StreamKind;

use crate::key::{Fold, TrackKey};
use crate::round::{count, index};
use crate::timeline::{Group, Timeline};
use crate::view::{Overlay, TimelineView};

/// What a row shows.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Shows {
    /// Nothing but its title.
    Title,
    /// Spans of one track or of several, merged.
    Spans(Arc<[u32]>),
    /// A counter.
    Counter(TrackKey),
}

/// A name of a row that stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum RowKey {
    Fold(Fold),
    Track(TrackKey),
    Pinned(TrackKey),
    /// Tracks that are too thin, by the first of them.
    Thin(u32),
}

/// A row.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Row {
    pub(crate) key: RowKey,
    pub(crate) shows: Shows,
    /// Its top, in points from that of the first row.
    pub(crate) y: f32,
    pub(crate) height: f32,
    pub(crate) title: String,
    /// What a reader hears.
    pub(crate) name: String,
    pub(crate) depth: u8,
    /// Whether it is folded, where it can be.
    pub(crate) folded: Option<bool>,
    /// The lane whose bubbles it shows.
    pub(crate) lane: Option<u32>,
}

impl Row {
    pub(crate) fn bottom(&self) -> f32 {
        self.y + self.height
    }

    /// The track that it shows alone.
    pub(crate) fn track(&self) -> Option<TrackKey> {
        match self.key {
            RowKey::Track(key) | RowKey::Pinned(key) => Some(key),
            RowKey::Fold(_) | RowKey::Thin(_) => None,
        }
    }
}

/// All rows of a view: those that stay at the top, and those that scroll.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Rows {
    pub(crate) pinned: Vec<Row>,
    pub(crate) scrolled: Vec<Row>,
    /// Of each track, one past the place of the row that shows it; 0 where none does.
    row_of_track: Vec<u32>,
}

const GROUP_HEIGHT: f32 = 22.0;
const LANE_HEIGHT: f32 = 20.0;
const COUNTER_HEIGHT: f32 = 28.0;
/// Rows of spans that are lower than this merge.
const LEAST_HEIGHT: f32 = 4.0;

impl Rows {
    /// The rows of a view.
    pub(crate) fn new(timeline: &Timeline, view: &TimelineView) -> Self {
        let words = view.filter.to_lowercase();
        let mut stack = Stack {
            timeline,
            view,
            words: words.split_whitespace().collect(),
            rows: Vec::new(),
            y: 0.0,
        };
        for &key in &view.pinned {
            stack.pinned(key);
        }
        let pinned = std::mem::take(&mut stack.rows);
        stack.y = 0.0;
        for group in timeline.groups(view.grouping) {
            stack.group(&group);
        }
        if view.shows(Overlay::Links) {
            stack.links();
        }
        let mut row_of_track = vec![0; timeline.tracks().len()];
        for (place, row) in (1..).zip(&stack.rows) {
            if let Shows::Spans(tracks) = &row.shows {
                for &track in tracks.iter() {
                    row_of_track[track as usize] = place;
                }
            }
        }
        Self {
            pinned,
            scrolled: stack.rows,
            row_of_track,
        }
    }

    /// The height of the rows that stay at the top.
    pub(crate) fn pinned_height(&self) -> f32 {
        self.pinned.last().map_or(0.0, Row::bottom)
    }

    /// The height of the rows that scroll.
    pub(crate) fn height(&self) -> f32 {
        self.scrolled.last().map_or(0.0, Row::bottom)
    }

    /// The rows that scroll and lie between two heights.
    pub(crate) fn between(&self, top: f32, bottom: f32) -> &[Row] {
        let from = self.scrolled.partition_point(|row| row.bottom() <= top);
        let to = self.scrolled.partition_point(|row| row.y < bottom);
        &self.scrolled[from..to.max(from)]
    }

    /// The row that shows a track: its own, or what it is folded or merged into.
    pub(crate) fn of_track(&self, track: u32) -> Option<&Row> {
        let place = self.row_of_track.get(track as usize)?.checked_sub(1)?;
        self.scrolled.get(place as usize)
    }
}

struct Stack<'a> {
    timeline: &'a Timeline,
    view: &'a TimelineView,
    words: Vec<&'a str>,
    rows: Vec<Row>,
    y: f32,
}

impl Stack<'_> {
    fn push(&mut self, height: f32, row: Row) {
        self.rows.push(Row {
            y: self.y,
            height,
            ..row
        });
        self.y += height;
    }

    /// Whether a title contains all words that are looked for.
    fn fits(&self, title: &str) -> bool {
        let title = title.to_lowercase();
        self.words.iter().all(|word| title.contains(word))
    }

    fn pinned(&mut self, key: TrackKey) {
        let title = self.timeline.title(key);
        match key {
            TrackKey::Stream { .. } => {
                let Some(at) = self
                    .timeline
                    .tracks()
                    .iter()
                    .position(|track| track.key() == key)
                else {
                    return;
                };
                let row = self.span_row(RowKey::Pinned(key), index(at), title, 0);
                self.push(self.view.row_height.max(14.0), row);
            }
            TrackKey::Memory { .. } | TrackKey::Link { .. } => {
                let row = counter_row(RowKey::Pinned(key), key, title.clone(), title, 0);
                self.push(COUNTER_HEIGHT, row);
            }
        }
        if let Some(row) = self.rows.last_mut() {
            row.name = format!("pinned {}", row.name);
        }
    }

    fn group(&mut self, group: &Group) {
        let shown: Vec<(u32, Vec<u32>)> = group
            .lanes
            .iter()
            .map(|&lane| (lane, self.tracks(group, lane)))
            .filter(|(lane, tracks)| {
                !tracks.is_empty()
                    || (self.shows_memory(*lane) && self.fits(&self.lane_text(group, *lane)))
            })
            .collect();
        if shown.is_empty() {
            return;
        }
        let all: Vec<u32> = shown
            .iter()
            .flat_map(|(_, tracks)| tracks.clone())
            .collect();
        let (title, lane) = match group.lanes.as_slice() {
            [lane] => (
                format!("{} · {}", group.title, self.timeline.ranks(*lane)),
                Some(*lane),
            ),
            lanes => (format!("{} · {} lanes", group.title, lanes.len()), None),
        };
        let folded = self.fold_row(group.fold, title, &all, lane, 0);
        if folded {
            return;
        }
        if self.view.row_height < LEAST_HEIGHT {
            self.thin(&all);
            return;
        }
        let several = 1 < group.lanes.len();
        for (lane, tracks) in shown {
            let mut depth = 1;
            if several {
                let title = self.lane_title(group, lane);
                if self.fold_row(Fold::Lane(lane), title, &tracks, Some(lane), 1) {
                    continue;
                }
                depth = 2;
            }
            self.lane(group, lane, &tracks, depth);
        }
    }

    /// What a lane of several is called: not again what its group is called.
    fn lane_title(&self, group: &Group, lane: u32) -> String {
        let name = self.timeline.trace().lanes[lane as usize].name.as_str();
        let of_group = name.get(..group.title.len());
        let of_group = of_group.filter(|start| start.eq_ignore_ascii_case(&group.title));
        let rest = name[of_group.map_or(0, str::len)..].trim_start_matches([',', ' ']);
        let ranks = self.timeline.ranks(lane);
        if rest.is_empty() || rest.starts_with("rank") || rest == ranks {
            ranks
        } else {
            format!("{ranks} · {rest}")
        }
    }

    /// What the filter looks at, for a lane.
    fn lane_text(&self, group: &Group, lane: u32) -> String {
        let name = &self.timeline.trace().lanes[lane as usize].name;
        format!(
            "{} {name} {} memory",
            group.title,
            self.timeline.ranks(lane)
        )
    }

    /// The tracks of a lane that the filter leaves.
    fn tracks(&self, group: &Group, lane: u32) -> Vec<u32> {
        let all = self.timeline.tracks_of_lane(lane);
        if self.words.is_empty() {
            return all.map(index).collect();
        }
        let name = &self.timeline.trace().lanes[lane as usize].name;
        let text = format!("{} {name}", group.title);
        let fits = |at: &usize| {
            let track = &self.timeline.tracks()[*at];
            self.fits(&format!("{text} {}", self.timeline.title(track.key())))
        };
        all.filter(fits).map(index).collect()
    }

    fn shows_memory(&self, lane: u32) -> bool {
        let levels = self.timeline.memory(lane);
        self.view.shows(Overlay::Memory) && levels.is_some_and(|levels| 0.0 < levels.most())
    }

    /// The row of a group or a lane; whether it is folded.
    fn fold_row(
        &mut self,
        fold: Fold,
        title: String,
        tracks: &[u32],
        lane: Option<u32>,
        depth: u8,
    ) -> bool {
        let folded = self.view.folded.contains(&fold);
        let n = self.n_spans(tracks);
        let height = match fold {
            Fold::Lane(_) => LANE_HEIGHT,
            _ => GROUP_HEIGHT,
        };
        let row = Row {
            key: RowKey::Fold(fold),
            shows: if folded {
                Shows::Spans(tracks.into())
            } else {
                Shows::Title
            },
            y: 0.0,
            height: 0.0,
            name: format!("{title}, {}", look::number::counted(n, "span")),
            title,
            depth,
            folded: Some(folded),
            lane: lane.filter(|_| folded),
        };
        self.push(height, row);
        folded
    }

    fn n_spans(&self, tracks: &[u32]) -> u64 {
        let tracks = tracks
            .iter()
            .map(|&at| &self.timeline.tracks()[at as usize]);
        tracks.map(|track| track.spans.spans().len() as u64).sum()
    }

    fn lane(&mut self, group: &Group, lane: u32, tracks: &[u32], depth: u8) {
        for &at in tracks {
            let track = &self.timeline.tracks()[at as usize];
            let key = track.key();
            let name = self.timeline.stream_name(lane, track.stream);
            let title = match track.row {
                0 => name.to_owned(),
                row => format!("{name} {}", row + 1),
            };
            let row = self.span_row(RowKey::Track(key), at, title, depth);
            self.push(self.view.row_height, row);
        }
        if self.shows_memory(lane) && self.fits(&self.lane_text(group, lane)) {
            let key = TrackKey::Memory { lane };
            let name = self.timeline.title(key);
            let row = counter_row(RowKey::Track(key), key, "memory".to_owned(), name, depth);
            self.push(COUNTER_HEIGHT, row);
        }
    }

    fn span_row(&self, key: RowKey, at: u32, title: String, depth: u8) -> Row {
        let track = &self.timeline.tracks()[at as usize];
        let n = look::number::counted(track.spans.spans().len() as u64, "span");
        let bubbles = track.stream == StreamKind::Compute && track.row == 0;
        Row {
            key,
            shows: Shows::Spans([at].into()),
            y: 0.0,
            height: 0.0,
            name: format!("{}, {n}", self.timeline.title(track.key())),
            title,
            depth,
            folded: None,
            lane: bubbles.then_some(track.lane),
        }
    }

    /// Rows that are too low merge until they are high enough.
    fn thin(&mut self, tracks: &[u32]) {
        let per_row = count((LEAST_HEIGHT / self.view.row_height).ceil()).max(1);
        for tracks in tracks.chunks(per_row) {
            let n = look::number::counted(self.n_spans(tracks), "span");
            let first = self.timeline.tracks()[tracks[0] as usize].key();
            let row = Row {
                key: RowKey::Thin(tracks[0]),
                shows: Shows::Spans(tracks.into()),
                y: 0.0,
                height: 0.0,
                title: String::new(),
                name: format!(
                    "{} tracks from {} on, {n}",
                    tracks.len(),
                    self.timeline.title(first)
                ),
                depth: 1,
                folded: None,
                lane: None,
            };
            self.push(LEAST_HEIGHT, row);
        }
    }

    fn links(&mut self) {
        let links = (0..).zip(&self.timeline.trace().links);
        let fitting: Vec<_> = links
            .map(|(link, track)| (TrackKey::Link { link }, track.name.clone()))
            .filter(|(key, _)| self.words.is_empty() || self.fits(&self.timeline.title(*key)))
            .collect();
        if fitting.is_empty() {
            return;
        }
        let title = format!("Links · {} busiest", fitting.len());
        if self.fold_row(Fold::Links, title, &[], None, 0) {
            return;
        }
        for (key, title) in fitting {
            let name = self.timeline.title(key);
            let row = counter_row(RowKey::Track(key), key, title, name, 1);
            self.push(COUNTER_HEIGHT, row);
        }
    }
}

fn counter_row(key: RowKey, of: TrackKey, title: String, name: String, depth: u8) -> Row {
    Row {
        key,
        shows: Shows::Counter(of),
        y: 0.0,
        height: 0.0,
        title,
        name,
        depth,
        folded: None,
        lane: None,
    }
}
