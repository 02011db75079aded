//! Flows as TCP transfers between namespaces.

use std::io::{self, BufRead, BufReader, PipeReader, Write};
use std::process::{Child, ChildStdin};
use std::time::{Duration, Instant};

use traffic::{FlowId, Flows};
use units::Bytes;

use crate::namespaces::{Namespaces, address};

/// The port of the first flow; each has one of its own.
const FIRST_PORT: u32 = 20_000;

/// A process that ends with this value.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // One that has ended cannot be stopped.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A line of one of the processes.
enum Line {
    Ready,
    Done(usize, u64),
}

/// Runs flows at once, each after what it waits for, and gives the moment at which the last byte of
/// each had been read, counted from the first start.
pub(crate) fn transfer(space: &Namespaces, flows: &Flows) -> io::Result<Vec<Duration>> {
    let (reader, writer) = io::pipe()?;
    let mut lines = BufReader::new(reader);
    let mut processes = Vec::new();
    for (id, flow) in flows.iter() {
        let (number, at) = (id.get().to_string(), socket(flows, id));
        let words = ["receive", number.as_str(), at.as_str()];
        processes.push(Process(space.start(
            flow.dst,
            &words,
            writer.try_clone()?,
        )?));
    }
    wait_until_ready(&mut lines, flows.len())?;
    let mut starts = Vec::new();
    for (id, flow) in flows.iter() {
        let (number, at) = (id.get().to_string(), socket(flows, id));
        let bytes = flow.bytes.as_u64().to_string();
        let words = ["send", number.as_str(), at.as_str(), bytes.as_str()];
        let mut child = space.start(flow.src, &words, writer.try_clone()?)?;
        starts.push(child.stdin.take());
        processes.push(Process(child));
    }
    drop(writer);
    wait_until_ready(&mut lines, flows.len())?;
    follow(flows, &mut starts, &mut lines)
}

fn wait_until_ready(lines: &mut BufReader<PipeReader>, count: usize) -> io::Result<()> {
    for _ in 0..count {
        if let Line::Done(flow, _) = next(lines)? {
            return Err(io::Error::other(format!("flow {flow} ended early")));
        }
    }
    Ok(())
}

/// Starts flows as what they wait for ends, until all have.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the real network beside the simulated one: its time is that of the wall"
)]
fn follow(
    flows: &Flows,
    starts: &mut [Option<ChildStdin>],
    lines: &mut BufReader<PipeReader>,
) -> io::Result<Vec<Duration>> {
    let followers = flows.followers();
    let mut waits: Vec<usize> = flows.iter().map(|(id, _)| flows.after(id).len()).collect();
    let mut ends = vec![Duration::ZERO; flows.len()];
    let begin = Instant::now();
    for flow in (0..flows.len()).filter(|&flow| waits[flow] == 0) {
        go(&mut starts[flow])?;
    }
    for (_, _) in flows.iter() {
        let Line::Done(flow, bytes) = next(lines)? else {
            return Err(io::Error::other("a process was ready twice"));
        };
        ends[flow] = begin.elapsed();
        let id = FlowId::new(u32::try_from(flow).map_err(io::Error::other)?);
        assert_eq!(Bytes::new(bytes), flows.get(id).bytes, "flow {flow}");
        for &follower in followers.of(id) {
            waits[follower as usize] -= 1;
            if waits[follower as usize] == 0 {
                go(&mut starts[follower as usize])?;
            }
        }
    }
    Ok(ends)
}

/// Lets a sender begin.
fn go(start: &mut Option<ChildStdin>) -> io::Result<()> {
    let start = start.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
    start.write_all(b"go\n")
}

fn next(lines: &mut BufReader<PipeReader>) -> io::Result<Line> {
    let mut line = String::new();
    lines.read_line(&mut line)?;
    let words: Vec<&str> = line.split_whitespace().collect();
    let number = |word: &str| word.parse::<u64>().map_err(io::Error::other);
    match words[..] {
        ["ready", _] => Ok(Line::Ready),
        ["done", id, bytes] => {
            let id = usize::try_from(number(id)?).map_err(io::Error::other)?;
            Ok(Line::Done(id, number(bytes)?))
        }
        [] => Err(io::Error::other("all processes have ended")),
        _ => Err(io::Error::other(line.trim_end().to_owned())),
    }
}

/// Where the receiver of a flow listens.
fn socket(flows: &Flows, id: FlowId) -> String {
    let to = address(flows.get(id).dst);
    format!("{to}:{}", FIRST_PORT + id.get())
}
