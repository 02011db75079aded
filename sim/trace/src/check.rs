//! The rules that every reader of a trace relies on.

use units::SimTime;

use crate::{NO_INDEX, Span, Trace, TraceError};

impl Trace {
    /// Checks that every index points somewhere, that spans are recorded in the order in which
    /// they ended, each after its cause, that memory and links are in order of time, and that
    /// nothing lies past the end. Traces of the engine hold to this; those of files are checked on reading.
    ///
    /// # Errors
    ///
    /// The first rule that is broken, with the index of the offender.
    pub fn check(&self) -> Result<(), TraceError> {
        let mut before = SimTime::ZERO;
        for (index, span) in self.spans.iter().enumerate() {
            self.check_indices(index, span)?;
            self.check_times(index, span, before)?;
            before = span.end;
        }
        self.check_memory()?;
        self.check_links()
    }

    fn check_indices(&self, index: usize, span: &Span) -> Result<(), TraceError> {
        self.check_lane("span", index, span.lane.get())?;
        let n_names = self.names.texts().len();
        if n_names <= span.name as usize {
            let name = span.name;
            return Err(TraceError::UnknownName {
                index,
                name,
                n_names,
            });
        }
        let n_details = self.details.len();
        if span.detail != NO_INDEX && n_details <= span.detail as usize {
            let detail = span.detail;
            return Err(TraceError::UnknownDetail {
                index,
                detail,
                n_details,
            });
        }
        if span.cause != NO_INDEX && index <= span.cause as usize {
            let cause = span.cause;
            return Err(TraceError::CauseLater { index, cause });
        }
        Ok(())
    }

    fn check_times(&self, index: usize, span: &Span, before: SimTime) -> Result<(), TraceError> {
        let (start, end) = (span.start, span.end);
        if end < start {
            return Err(TraceError::EndsBeforeStart { index, start, end });
        }
        if end < before {
            let (what, at) = ("span", end);
            return Err(TraceError::OutOfOrder {
                what,
                index,
                at,
                before,
            });
        }
        self.check_end("span", index, end)
    }

    fn check_memory(&self) -> Result<(), TraceError> {
        let what = "memory sample";
        let mut before = SimTime::ZERO;
        for (index, sample) in self.memory.iter().enumerate() {
            self.check_lane(what, index, sample.lane.get())?;
            let at = sample.time;
            check_order(what, index, at, before)?;
            before = at;
            self.check_end(what, index, at)?;
        }
        Ok(())
    }

    fn check_links(&self) -> Result<(), TraceError> {
        let what = "link level";
        for (link, track) in self.links.iter().enumerate() {
            let mut before = SimTime::ZERO;
            for (index, level) in track.levels.iter().enumerate() {
                let (at, n_kinds) = (level.time, track.kinds.len());
                if level.rates.len() != n_kinds || n_kinds == 0 {
                    let n_rates = level.rates.len();
                    return Err(TraceError::RatesOfLink {
                        link,
                        n_rates,
                        n_kinds,
                    });
                }
                check_order(what, index, at, before)?;
                before = at;
                self.check_end(what, index, at)?;
            }
        }
        Ok(())
    }

    fn check_lane(&self, what: &'static str, index: usize, lane: u32) -> Result<(), TraceError> {
        let n_lanes = self.lanes.len();
        if lane as usize >= n_lanes {
            return Err(TraceError::UnknownLane {
                what,
                index,
                lane,
                n_lanes,
            });
        }
        Ok(())
    }

    fn check_end(&self, what: &'static str, index: usize, at: SimTime) -> Result<(), TraceError> {
        let end = self.end;
        if end < at {
            return Err(TraceError::PastTheEnd {
                what,
                index,
                at,
                end,
            });
        }
        Ok(())
    }
}

fn check_order(
    what: &'static str,
    index: usize,
    at: SimTime,
    before: SimTime,
) -> Result<(), TraceError> {
    if before <= at {
        return Ok(());
    }
    Err(TraceError::OutOfOrder {
        what,
        index,
        at,
        before,
    })
}
