//! A program as a list of flows: one for each step, with what it waits for.

use units::{HostId, SimTime};

use crate::flows::{Flow, Flows, FlowsError};
use crate::program::{Program, Stream, count};

impl Program {
    /// Every step as a flow of its own, stream after stream: formats that know neither streams nor
    /// windows take it. A run gives it the times of the program where windows are 1; several messages of
    /// a stream that are under way at once move one after the other, as flows they share.
    ///
    /// Step `k` waits for step `k − window` of its stream and for step `k − lag` of every stream
    /// that it waits for, or for that one's last. Only steps that wait for none of their own have
    /// the stream's start. Steps of a stream arrive in their order, so that the last that is waited
    /// for stands for those before it.
    ///
    /// # Errors
    ///
    /// More messages, or more waits between them, than a list of flows can count.
    pub fn to_flows(&self) -> Result<Flows, FlowsError> {
        let limit = u32::MAX as usize - 1;
        let needed = self.n_messages().max(self.n_waits());
        if limit as u64 <= needed {
            let flows = usize::try_from(needed).unwrap_or(usize::MAX);
            return Err(FlowsError::TooMany { flows, limit });
        }
        let mut begins = vec![0];
        for stream in self.streams() {
            begins.push(begins[begins.len() - 1] + stream.steps);
        }
        let (mut list, mut first, mut after) = (Vec::new(), vec![0], Vec::new());
        for (at, stream) in self.streams().iter().enumerate() {
            for step in 0..stream.steps {
                let own = step.checked_sub(stream.window.max(1));
                list.push(message(stream, own.is_some()));
                let others = self.waits(at).iter().filter_map(|wait| {
                    let other = wait.stream as usize;
                    let done = (step + 1).saturating_sub(wait.lag);
                    let done = done.min(self.streams()[other].steps);
                    Some(begins[other] + done.checked_sub(1)?)
                });
                let mut waits: Vec<u32> =
                    own.map(|before| begins[at] + before).into_iter().collect();
                waits.extend(others);
                waits.sort_unstable();
                waits.dedup();
                after.extend(waits);
                first.push(count(after.len()));
            }
        }
        Flows::from_lists(list, first, after)
    }

    /// Waits between steps, at most.
    fn n_waits(&self) -> u64 {
        let of = |(at, stream): (usize, &Stream)| {
            u64::from(stream.steps) * (1 + self.waits(at).len() as u64)
        };
        self.streams().iter().enumerate().map(of).sum()
    }
}

fn message(stream: &Stream, waits_for_own: bool) -> Flow {
    let [src, dst]: [HostId; 2] = [stream.src, stream.dst];
    Flow {
        src,
        dst,
        bytes: stream.bytes,
        start: if waits_for_own {
            SimTime::ZERO
        } else {
            stream.start
        },
    }
}

#[cfg(test)]
mod tests {
    use cluster::{Cluster, ClusterNetwork, example};
    use network::Share;
    use units::{Bytes, Control, Seconds};

    use super::*;
    use crate::program::Wait;
    use crate::schedule::{Keep, Times};
    use crate::{Kind, collective, run};

    fn times(program: &Program) -> Vec<Times> {
        let cluster = Cluster::build(&example::hosts(2, 4, 2, 100.0)).unwrap();
        let topology = ClusterNetwork::new(cluster);
        let control = Control::new();
        let outcome = run(&topology, program, Share::EQUAL, Keep::Messages, &control);
        outcome.unwrap().times
    }

    fn hosts() -> Vec<HostId> {
        (0..8).map(HostId::new).collect()
    }

    fn ends(times: &[Times]) -> Vec<SimTime> {
        times.iter().map(|times| times.finish).collect()
    }

    #[test]
    fn the_flows_of_a_collective_run_to_the_times_of_its_steps() {
        for kind in Kind::ALL {
            let program = collective(kind, &hosts(), Bytes::new(1 << 20));
            let flows = program.to_flows().unwrap();
            assert_eq!(flows.len() as u64, program.n_messages());
            let (own, alone) = (times(&program), times(&Program::from(&flows)));
            // Messages of one stream move one after the other; flows share, and end no earlier.
            if program.streams().iter().all(|stream| stream.window == 1) {
                assert_eq!(ends(&own), ends(&alone), "{}", kind.name());
            } else {
                let last = |times: &[Times]| ends(times).into_iter().max();
                assert!(last(&own) <= last(&alone), "{}", kind.name());
            }
        }
    }

    #[test]
    fn lags_and_starts_carry_over() {
        let mut program = Program::new();
        let [a, b, c] = [0, 1, 5].map(HostId::new);
        let stream = |src, dst, steps| Stream {
            steps,
            start: SimTime::ZERO.after(Seconds::from_micros(3.0)).unwrap(),
            ..Stream::message(src, dst, Bytes::new(100_000))
        };
        program.push(stream(a, b, 5), None);
        let ahead = Wait { stream: 0, lag: 0 };
        program.push(stream(b, c, 7), [ahead]);
        program.push(stream(c, a, 3), [Wait { stream: 1, lag: 2 }, ahead]);
        let flows = program.to_flows().unwrap();
        let own = times(&program);
        assert_eq!(own, times(&Program::from(&flows)));
        assert!(own.iter().all(|times| times.released < times.finish));
    }

    #[test]
    fn a_list_of_flows_comes_back() {
        let program = collective(Kind::AllToAll, &hosts(), Bytes::new(7));
        let flows = program.to_flows().unwrap();
        assert_eq!(Program::from(&flows), program);
    }

    #[test]
    fn more_steps_than_a_list_can_count_are_refused_before_any_is_made() {
        let mut program = Program::new();
        let endless = Stream {
            steps: u32::MAX,
            ..Stream::message(HostId::new(0), HostId::new(1), Bytes::new(1))
        };
        program.push(endless, None);
        assert!(matches!(
            program.to_flows(),
            Err(FlowsError::TooMany { .. })
        ));
    }
}
