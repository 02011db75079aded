//! One end of a TCP transfer, and what else has to happen inside a network namespace.
//!
//! ```text
//! transfer receive ID ADDRESS             "ready ID", then "done ID BYTES" at the end of the stream
//! transfer send ID ADDRESS BYTES          "ready ID" when connected, then waits for a line to go
//! transfer counters                       "INTERFACE BYTES FRAMES" sent, one line each, and
//!                                         "again SEGMENTS" that TCP sent more than once
//! transfer forward                        makes the namespace a switch that sends nothing by itself
//! ```
//!
//! Whoever starts these processes gives them one pipe as their output and stamps the lines as they
//! come: a process needs no clock. A failure is a line, too: "failed ID why".

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::process::ExitCode;
use std::str::FromStr;
use std::time::Duration;

/// How long an end waits for the other before it gives up.
const PATIENCE: Duration = Duration::from_secs(120);

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let id = arguments.get(1).map_or("-", String::as_str);
            // Nobody listens any more where this fails.
            let _ = say(&format!("failed {id} {error}"));
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> io::Result<()> {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["receive", id, at] => receive(id, parse(at)?),
        ["send", id, to, bytes] => send(id, parse(to)?, parse(bytes)?),
        ["counters"] => counters(),
        ["forward"] => forward(),
        _ => Err(invalid("receive, send, counters or forward?")),
    }
}

/// Takes one stream until its end.
fn receive(id: &str, at: SocketAddr) -> io::Result<()> {
    let listener = TcpListener::bind(at)?;
    say(&format!("ready {id}"))?;
    let mut stream = accept(&listener)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut buffer = vec![0; 64 << 10];
    let mut bytes = 0;
    loop {
        match stream.read(&mut buffer)? {
            0 => return say(&format!("done {id} {bytes}")),
            read => bytes += read,
        }
    }
}

/// Waits for the sender, but not for ever: whoever started both may have been killed.
fn accept(listener: &TcpListener) -> io::Result<TcpStream> {
    let pause = Duration::from_millis(5);
    listener.set_nonblocking(true)?;
    let mut left = PATIENCE;
    loop {
        match listener.accept() {
            Ok((stream, _)) => return stream.set_nonblocking(false).map(|()| stream),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock && pause < left => {
                left -= pause;
                std::thread::sleep(pause);
            }
            Err(error) => return Err(error),
        }
    }
}

/// Connects, waits for a line, and sends.
fn send(id: &str, to: SocketAddr, mut left: usize) -> io::Result<()> {
    let mut stream = TcpStream::connect_timeout(&to, PATIENCE)?;
    stream.set_write_timeout(Some(PATIENCE))?;
    say(&format!("ready {id}"))?;
    if io::stdin().read_line(&mut String::new())? == 0 {
        return Err(invalid("nobody is there to start the transfer"));
    }
    let chunk = vec![0x5a; 64 << 10];
    while 0 < left {
        left -= stream.write(&chunk[..left.min(chunk.len())])?;
    }
    stream.shutdown(Shutdown::Write)?;
    // The receiver closes when it has everything.
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.read(&mut [0]).map(|_| ())
}

/// Prints what each interface has sent: columns 9 and 10 of `/proc/net/dev`, which has the
/// interface in front and eight columns of what it received (`man 5 proc_pid_net`); and `RetransSegs`
/// of RFC 4022 as `/proc/net/snmp` has it.
fn counters() -> io::Result<()> {
    let table = std::fs::read_to_string("/proc/net/dev")?;
    for line in table.lines().skip(2) {
        let Some((interface, columns)) = line.split_once(':') else {
            continue;
        };
        let mut sent = columns.split_whitespace().skip(8);
        if let (Some(bytes), Some(frames)) = (sent.next(), sent.next()) {
            say(&format!("{} {bytes} {frames}", interface.trim()))?;
        }
    }
    let table = std::fs::read_to_string("/proc/net/snmp")?;
    let mut rows = table.lines().filter_map(|line| line.strip_prefix("Tcp:"));
    let [names, values] = [rows.next(), rows.next()].map(Option::unwrap_or_default);
    let mut cells = names.split_whitespace().zip(values.split_whitespace());
    let again = cells.find(|(name, _)| *name == "RetransSegs");
    let (_, again) = again.ok_or_else(|| invalid("no RetransSegs in /proc/net/snmp"))?;
    say(&format!("again {again}"))
}

/// Forwards IPv4 by its routes alone, and is silent in IPv6: whoever counts frames counts those of
/// transfers only. Answers may come back another way than packets went.
fn forward() -> io::Result<()> {
    let settings = [
        ("ipv4/ip_forward", "1"),
        ("ipv4/conf/all/rp_filter", "0"),
        ("ipv4/conf/default/rp_filter", "0"),
        ("ipv6/conf/all/disable_ipv6", "1"),
        ("ipv6/conf/default/disable_ipv6", "1"),
    ];
    for (name, value) in settings {
        match std::fs::write(format!("/proc/sys/net/{name}"), value) {
            // A kernel without IPv6 is silent as it is.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            other => other?,
        }
    }
    Ok(())
}

/// Prints a line at once and whole: lines of several processes meet in one pipe.
fn say(line: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(format!("{line}\n").as_bytes())?;
    out.flush()
}

fn parse<T: FromStr>(word: &str) -> io::Result<T> {
    word.parse().map_err(|_| invalid(word))
}

fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, what)
}
