//! Queues and loads over time.

use units::{Seconds, SimTime};

use super::core::Core;
use super::nscc::picos;
use super::wheel::Kind;

/// The most values that are kept; beyond, every second sample is dropped and the interval doubled.
const MOST: usize = 1 << 26;

/// Samples of all links at equal intervals.
#[derive(Clone, Debug, Default)]
pub struct Samples {
    every: u64,
    scheduled: bool,
    times: Vec<u64>,
    /// By sample and link.
    queued: Vec<u32>,
    bytes: Vec<u64>,
    links: usize,
}

/// A link at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// The moment.
    pub at: SimTime,
    /// Bytes that waited.
    pub queued: u32,
    /// Bytes that the link had begun to send since the start of the clock.
    pub bytes: u64,
}

impl Samples {
    pub(super) fn new(every: Seconds, links: usize) -> Self {
        Self {
            every: picos(every.as_secs() * 1e12).max(1),
            links,
            ..Self::default()
        }
    }

    /// The samples of a link, in order of time.
    pub fn of(&self, link: u32) -> impl Iterator<Item = Sample> + '_ {
        let link = link as usize;
        let known = link < self.links;
        let times = self.times.iter().enumerate().filter(move |_| known);
        times.map(move |(nth, &at)| Sample {
            at: SimTime::from_picos(at),
            queued: self.queued[nth * self.links + link],
            bytes: self.bytes[nth * self.links + link],
        })
    }

    fn halve(&mut self) {
        let links = self.links;
        let kept = (self.times.len()).div_ceil(2);
        for nth in 0..kept {
            self.times[nth] = self.times[2 * nth];
            let from = 2 * nth * links;
            self.queued.copy_within(from..from + links, nth * links);
            self.bytes.copy_within(from..from + links, nth * links);
        }
        self.times.truncate(kept);
        self.queued.truncate(kept * links);
        self.bytes.truncate(kept * links);
        self.every *= 2;
    }
}

impl Core {
    /// Sees to it that samples are taken while messages are under way.
    pub(super) fn schedule_sample(&mut self) {
        if let Some(samples) = &mut self.samples
            && !samples.scheduled
            && 0 < self.open
        {
            samples.scheduled = true;
            let at = (self.clock / samples.every + 1) * samples.every;
            self.wheel.push(at, Kind::Sample, 0);
        }
    }

    pub(super) fn sample(&mut self) {
        for link in 0..u32::try_from(self.links.len()).unwrap_or(u32::MAX) {
            self.catch_up(link);
        }
        if let Some(samples) = &mut self.samples {
            samples.scheduled = false;
            samples.times.push(self.clock);
            let queued = self
                .links
                .iter()
                .map(|link| link.data_bytes + link.header_bytes);
            samples
                .queued
                .extend(queued.map(|queued| u32::try_from(queued).unwrap_or(u32::MAX)));
            samples
                .bytes
                .extend(self.links.iter().map(|link| link.count.bytes));
            if MOST < samples.queued.len() {
                samples.halve();
            }
        }
        // Where nothing else is to come, samples would go on for ever.
        if !self.wheel.is_empty() {
            self.schedule_sample();
        }
    }
}
