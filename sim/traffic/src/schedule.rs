//! What goes when: the part of a run that does not depend on the engine.

use units::SimTime;

use crate::program::{Followers, Program, Stream, count};

/// When a message was released and when it arrived.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Times {
    /// When it could go.
    pub released: SimTime,
    /// When its last byte arrived.
    pub finish: SimTime,
    /// When its last acknowledgement reached the sender; the arrival where the engine has none.
    pub acked: SimTime,
}

/// What is kept beside the end and what links carried in all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// The times of every message.
    Messages,
    /// Nothing.
    Totals,
    /// What links carried until when.
    Loads,
    /// Both.
    MessagesAndLoads,
}

impl Keep {
    /// Whether the times of messages are kept.
    pub const fn has_messages(self) -> bool {
        matches!(self, Self::Messages | Self::MessagesAndLoads)
    }

    /// The same with the times of messages.
    #[must_use]
    pub const fn with_messages(self) -> Self {
        if self.has_loads() {
            Self::MessagesAndLoads
        } else {
            Self::Messages
        }
    }

    /// The same with what links carried until when.
    #[must_use]
    pub const fn with_loads(self) -> Self {
        if self.has_messages() {
            Self::MessagesAndLoads
        } else {
            Self::Loads
        }
    }

    /// Whether it is kept what links carried until when.
    pub const fn has_loads(self) -> bool {
        matches!(self, Self::Loads | Self::MessagesAndLoads)
    }
}

/// How far a stream is.
#[derive(Clone, Copy, Debug, Default)]
struct Progress {
    released: u32,
    done: u32,
    acked: u32,
    /// The first of its waits that may hold it back.
    waits: u32,
}

/// The streams of a program with what they wait for.
pub(crate) struct Schedule<'a> {
    program: &'a Program,
    followers: Followers,
    progress: Vec<Progress>,
    /// Streams that start later, the last one first.
    starts: Vec<(SimTime, u32)>,
    /// By stream, where its messages begin; empty where times are not kept.
    first: Vec<u32>,
    times: Vec<Times>,
    /// Streams with a message to go, once for each, in order.
    pub(crate) ready: Vec<u32>,
}

impl<'a> Schedule<'a> {
    /// Everything that may go at once is ready.
    pub(crate) fn new(program: &'a Program, keep: Keep) -> Self {
        let streams = program.streams();
        let later = |(index, stream): (usize, &Stream)| {
            (SimTime::ZERO < stream.start).then(|| (stream.start, count(index)))
        };
        let mut starts: Vec<_> = streams.iter().enumerate().filter_map(later).collect();
        starts.sort_unstable_by(|a, b| b.cmp(a));
        let mut schedule = Self {
            program,
            followers: program.followers(),
            progress: vec![Progress::default(); streams.len()],
            starts,
            first: Vec::new(),
            times: Vec::new(),
            ready: Vec::new(),
        };
        if keep.has_messages() {
            let mut next = 0;
            for stream in streams {
                schedule.first.push(next);
                next += stream.steps;
            }
            schedule.times = vec![Times::default(); next as usize];
        }
        for stream in 0..count(streams.len()) {
            schedule.release(SimTime::ZERO, stream);
        }
        schedule
    }

    /// The streams.
    pub(crate) fn stream(&self, stream: u32) -> Stream {
        self.program.streams()[stream as usize]
    }

    /// When the next stream starts of those that start later.
    pub(crate) fn next_start(&self) -> Option<SimTime> {
        self.starts.last().map(|(start, _)| *start)
    }

    /// Makes ready what starts until `now`.
    pub(crate) fn start(&mut self, now: SimTime) {
        while let Some(&(_, stream)) = self.starts.last().filter(|(start, _)| *start <= now) {
            self.starts.pop();
            self.release(now, stream);
        }
    }

    /// The next message of a stream arrived; makes ready what waited for it. Whether it was the
    /// stream's last.
    pub(crate) fn end(&mut self, now: SimTime, stream: u32) -> bool {
        let place = stream as usize;
        let progress = &mut self.progress[place];
        if let Some(first) = self.first.get(place) {
            let times = &mut self.times[(first + progress.done) as usize];
            (times.finish, times.acked) = (now, now);
        }
        progress.done += 1;
        let is_last = progress.done == self.program.streams()[place].steps;
        self.release(now, stream);
        for at in 0..self.followers.of(stream).len() {
            let follower = self.followers.of(stream)[at];
            self.release(now, follower);
        }
        is_last
    }

    /// The last acknowledgement of a stream's next message arrived.
    pub(crate) fn acknowledge(&mut self, now: SimTime, stream: u32) {
        let progress = &mut self.progress[stream as usize];
        if let Some(first) = self.first.get(stream as usize) {
            self.times[(first + progress.acked) as usize].acked = now;
        }
        progress.acked += 1;
    }

    /// The times of messages, stream after stream.
    pub(crate) fn into_times(self) -> Vec<Times> {
        self.times
    }

    /// Streams with messages that were never released: none after a run to the end.
    pub(crate) fn n_held_back(&self) -> usize {
        let streams = self.program.streams().iter().zip(&self.progress);
        streams
            .filter(|(stream, progress)| progress.done < stream.steps)
            .count()
    }

    fn release(&mut self, now: SimTime, stream: u32) {
        let place = stream as usize;
        while self.is_ready(now, stream) {
            let progress = &mut self.progress[place];
            if let Some(first) = self.first.get(place) {
                self.times[(first + progress.released) as usize].released = now;
            }
            progress.released += 1;
            progress.waits = 0;
            self.ready.push(stream);
        }
    }

    fn is_ready(&mut self, now: SimTime, stream: u32) -> bool {
        let place = stream as usize;
        let progress = self.progress[place];
        let Stream {
            steps,
            window,
            start,
            ..
        } = self.program.streams()[place];
        let held = progress.done + window <= progress.released;
        if progress.released == steps || held || now < start {
            return false;
        }
        let waits = self.program.waits(place);
        for (at, wait) in (0..).zip(waits).skip(progress.waits as usize) {
            let other = wait.stream as usize;
            let needed = (progress.released + 1).saturating_sub(wait.lag);
            if self.progress[other].done < needed.min(self.program.streams()[other].steps) {
                self.progress[place].waits = at;
                return false;
            }
        }
        true
    }
}
