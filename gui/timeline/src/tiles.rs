//! The tiles that are at hand, and who makes those that are not.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::round::index;
use crate::tile::{Content, Scale, TILE, Tile};
use crate::timeline::Timeline;

/// Runs jobs on another thread; the window's own goes on at once.
pub trait Background {
    /// Runs a job, after those that were given before.
    fn run(&self, job: Box<dyn FnOnce() + Send>);
}

/// Columns with something in them that are reduced at once; more are a job for a worker. One takes
/// up to 100 ns, so that this many take 4 ms.
const AT_ONCE: u64 = 40_000;

/// Tiles that are kept; beyond, those that were not drawn last go.
const MOST_KEPT: usize = 16_384;

/// A row whose tiles are wanted.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Want {
    pub(crate) key: u64,
    pub(crate) content: Content,
}

/// Scale, content and place.
type Key = (u64, u64, u64);

/// What the worker has made.
type Inbox = Arc<Mutex<Vec<(Key, Arc<Tile>)>>>;

#[derive(Debug)]
struct Kept {
    tile: Arc<Tile>,
    used: u64,
}

/// The tiles that are at hand.
#[derive(Debug, Default)]
pub(crate) struct Tiles {
    kept: BTreeMap<Key, Kept>,
    frame: u64,
    /// Changes whenever there are other tiles.
    pub(crate) generation: u64,
    inbox: Inbox,
    /// The job whose answer is wanted; older ones stop.
    wanted: Arc<AtomicU64>,
    /// The job under way, and what it makes.
    under_way: Option<(u64, Vec<Key>)>,
    /// The scale at which all was at hand last.
    pub(crate) complete: Option<Scale>,
}

impl Tiles {
    /// Forgets all tiles: they belong to another timeline.
    pub(crate) fn clear(&mut self) {
        self.wanted.fetch_add(1, Ordering::Relaxed);
        *self = Self {
            wanted: Arc::new(AtomicU64::new(0)),
            generation: self.generation + 1,
            ..Self::default()
        };
    }

    /// Makes the tiles of some rows, or has them made. Whether all are at hand.
    pub(crate) fn prepare(
        &mut self,
        ctx: &egui::Context,
        timeline: &Arc<Timeline>,
        (wants, scale, tiles): (&[Want], Scale, std::ops::RangeInclusive<u64>),
        background: Option<&dyn Background>,
    ) -> bool {
        self.frame += 1;
        self.receive();
        let bits = scale.0.to_bits();
        let missing: Vec<(Key, &Content)> = wants
            .iter()
            .flat_map(|want| {
                tiles
                    .clone()
                    .map(move |tile| ((bits, want.key, tile), &want.content))
            })
            .filter(|(key, _)| !self.kept.contains_key(key))
            .collect();
        if missing.is_empty() {
            self.complete = Some(scale);
            return true;
        }
        let keys = missing.iter().map(|(key, _)| *key).collect::<Vec<_>>();
        if self
            .under_way
            .as_ref()
            .is_some_and(|(_, made)| *made == keys)
        {
            return false;
        }
        let cost = missing
            .iter()
            .map(|((.., tile), content)| cost(timeline, content, scale, *tile));
        match background {
            Some(background) if AT_ONCE < cost.sum() => {
                let contents = missing
                    .into_iter()
                    .map(|(key, content)| (key, content.clone()));
                let contents = contents.collect();
                self.send(ctx, timeline, contents, scale, background);
                self.under_way = Some((self.wanted.load(Ordering::Relaxed), keys));
                false
            }
            _ => {
                for (key, content) in missing {
                    let tile = Tile::new(timeline, content, scale, key.2);
                    self.keep(key, Arc::new(tile));
                }
                self.generation += 1;
                self.complete = Some(scale);
                true
            }
        }
    }

    /// A tile, if it is at hand.
    pub(crate) fn get(&mut self, scale: Scale, content: u64, tile: u64) -> Option<Arc<Tile>> {
        let kept = self.kept.get_mut(&(scale.0.to_bits(), content, tile))?;
        kept.used = self.frame;
        Some(Arc::clone(&kept.tile))
    }

    fn keep(&mut self, key: Key, tile: Arc<Tile>) {
        let used = self.frame;
        self.kept.insert(key, Kept { tile, used });
    }

    /// Drops what was not drawn in the last frames, where there is too much.
    pub(crate) fn tidy(&mut self) {
        if MOST_KEPT < self.kept.len() {
            let frame = self.frame;
            self.kept.retain(|_, kept| frame <= kept.used + 1);
        }
    }

    fn receive(&mut self) {
        let made = std::mem::take(&mut *self.inbox.lock().unwrap_or_else(PoisonError::into_inner));
        if made.is_empty() {
            return;
        }
        for (key, tile) in made {
            self.keep(key, tile);
        }
        self.generation += 1;
        self.under_way = None;
    }

    fn send(
        &mut self,
        ctx: &egui::Context,
        timeline: &Arc<Timeline>,
        contents: Vec<(Key, Content)>,
        scale: Scale,
        background: &dyn Background,
    ) {
        let job = self.wanted.fetch_add(1, Ordering::Relaxed) + 1;
        let (wanted, inbox) = (Arc::clone(&self.wanted), Arc::clone(&self.inbox));
        let (timeline, ctx) = (Arc::clone(timeline), ctx.clone());
        background.run(Box::new(move || {
            let mut made = Vec::with_capacity(contents.len());
            for (key, content) in contents {
                if wanted.load(Ordering::Relaxed) != job {
                    return;
                }
                made.push((key, Arc::new(Tile::new(&timeline, &content, scale, key.2))));
            }
            inbox
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .extend(made);
            ctx.request_repaint();
        }));
    }
}

/// How many columns of a tile have something in them, at most.
fn cost(timeline: &Timeline, content: &Content, scale: Scale, tile: u64) -> u64 {
    let seen = scale.tile(tile);
    let window = || units::SimTime::from_picos(seen.start)..units::SimTime::from_picos(seen.end);
    let cost = match content {
        Content::Counter(_) => TILE,
        Content::Spans(tracks, _) => tracks
            .iter()
            .map(|&at| {
                index(
                    timeline.tracks()[at as usize]
                        .spans
                        .touching(window())
                        .len(),
                )
                .min(TILE)
            })
            .fold(0, u32::saturating_add),
    };
    u64::from(cost)
}
