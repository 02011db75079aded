//! Work that takes a while: watched, and stopped by Ctrl-C.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use session::{PredictError, RunError};
use units::Control;

use crate::commands::{Context, say};
use crate::exit::Exit;
use crate::number::{count, duration};

/// What the handler of Ctrl-C reaches.
static CONTROL: Control = Control::new();

/// Whether a pager shows the result, which is then complete.
static IS_PAGING: AtomicBool = AtomicBool::new(false);

/// Progress is shown on a terminal only for work that takes longer than this.
const PATIENCE: Duration = Duration::from_millis(300);

/// A log or a pipe gets a line only for work that takes longer than this.
const LONG_PATIENCE: Duration = Duration::from_secs(2);

/// Makes the first Ctrl-C ask the work to stop, and the second end it at once.
pub(crate) fn catch_interrupts() {
    let handler = ctrlc::set_handler(|| {
        if IS_PAGING.load(Ordering::Relaxed) {
            return;
        }
        if CONTROL.is_cancelled() {
            std::process::exit(i32::from(Exit::Interrupted.code()));
        }
        CONTROL.cancel();
    });
    // Without a handler Ctrl-C ends the command at once, which loses nothing that was promised.
    drop(handler);
}

/// Whether a time limit ended the work.
static IS_TIMED_OUT: AtomicBool = AtomicBool::new(false);

/// Asks the work to stop after some time.
pub(crate) fn stop_after(limit: Duration) {
    let wait = move || {
        std::thread::sleep(limit);
        IS_TIMED_OUT.store(true, Ordering::Relaxed);
        CONTROL.cancel();
    };
    // Without the thread the work runs to its end, which is no worse.
    drop(
        std::thread::Builder::new()
            .name("time limit".to_owned())
            .spawn(wait),
    );
}

/// Whether a time limit ended the work.
pub(crate) fn is_timed_out() -> bool {
    IS_TIMED_OUT.load(Ordering::Relaxed)
}

/// Leaves Ctrl-C to a pager that runs.
pub(crate) fn leave_interrupts() {
    IS_PAGING.store(true, Ordering::Relaxed);
    catch_interrupts();
}

/// Runs work with its progress shown.
///
/// * `phase` — what the work does, such as `simulating`.
pub(crate) fn watched<T>(
    context: &Context,
    phase: &'static str,
    work: impl FnOnce(&Control) -> T,
) -> T {
    CONTROL.forget_progress();
    let progress = Progress::start(context, phase);
    let result = work(&CONTROL);
    progress.stop();
    result
}

/// Measures how long the command itself takes, for whoever asks with `-vv`.
#[derive(Debug)]
pub(crate) struct Watch(Instant);

impl Watch {
    /// Starts measuring.
    #[expect(
        clippy::disallowed_methods,
        reason = "the time of the command is told on standard error and reaches no result"
    )]
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    /// What was done in how long.
    pub(crate) fn words(&self, events: u64, lanes: usize) -> String {
        let secs = self.0.elapsed().as_secs_f64();
        let noun = if lanes == 1 { "lane" } else { "lanes" };
        let (events, lanes) = (count(events), count(lanes as u64));
        format!(
            "simulated {events} events on {lanes} {noun} in {}",
            duration(secs)
        )
    }
}

/// Says why work failed.
pub(crate) fn failed(error: &PredictError, context: &Context) -> Exit {
    if error.is_interrupted() {
        context.error("interrupted; nothing was written", None);
        return Exit::Interrupted;
    }
    context.error(&error.to_string(), error.hint());
    Exit::Failed
}

/// Says why a network workload ended early.
pub(crate) fn stopped(error: &RunError, context: &Context) -> Exit {
    if matches!(error, RunError::Interrupted(_)) {
        context.error("interrupted; nothing was written", None);
        return Exit::Interrupted;
    }
    context.error(&error.to_string(), error.hint());
    Exit::Failed
}

/// What is said on standard error while work runs: a line that changes on a terminal, one line
/// elsewhere.
struct Progress {
    done: Sender<()>,
    speaker: Option<JoinHandle<()>>,
}

impl Progress {
    fn start(context: &Context, phase: &'static str) -> Self {
        let (done, finished) = channel();
        if !context.shows_progress() {
            return Self {
                done,
                speaker: None,
            };
        }
        let is_terminal = context.stderr.width.is_some();
        let speak = move || {
            if is_terminal {
                draw(phase, &finished);
            } else if finished.recv_timeout(LONG_PATIENCE).is_err() {
                say(&format!("{phase} …\n"));
            }
        };
        let speaker = std::thread::Builder::new()
            .name("progress".to_owned())
            .spawn(speak);
        Self {
            done,
            speaker: speaker.ok(),
        }
    }

    fn stop(self) {
        // The speaker may have ended by itself.
        let _ = self.done.send(());
        drop(self.speaker.map(JoinHandle::join));
    }
}

/// Draws a line until the work is finished, and clears it.
fn draw(phase: &str, finished: &Receiver<()>) {
    if finished.recv_timeout(PATIENCE).is_ok() {
        return;
    }
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    let style = ProgressStyle::with_template("{spinner} {prefix} {wide_msg} {elapsed}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
    bar.set_prefix(phase.to_owned());
    while finished.recv_timeout(Duration::from_millis(100)).is_err() {
        bar.set_message(message(&CONTROL, bar.elapsed()));
        bar.tick();
    }
    bar.finish_and_clear();
}

/// How far the work is: items of a batch, such as rows, else events of a run; and how long it will
/// still take, where that can be told.
fn message(control: &Control, elapsed: Duration) -> String {
    let ((events, total), (items, all_items)) = (control.progress(), control.items());
    match (all_items, total) {
        (0, 0) => format!("{} events", count(events)),
        (0, total) => format!("{} of {} events", count(events), count(total)),
        (all_items, _) => {
            let remaining = remaining(items, all_items, elapsed);
            format!("{} of {}{remaining}", count(items), count(all_items))
        }
    }
}

/// The time that the rest takes at the pace so far.
fn remaining(done: u64, all: u64, elapsed: Duration) -> String {
    if done == 0 || all <= done {
        return String::new();
    }
    let secs = elapsed.as_secs_f64() * (all - done) as f64 / done as f64;
    format!(", {} to go,", duration(secs))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rest_takes_as_long_as_what_is_done() {
        let half = remaining(5, 10, Duration::from_secs(8));
        assert_eq!(half, ", 8.000 s to go,");
        assert_eq!(remaining(0, 10, Duration::from_secs(8)), "");
        assert_eq!(remaining(10, 10, Duration::from_secs(8)), "");
    }
}
