//! Work that takes longer than a frame.
//!
//! ```text
//! State::apply ── Ask { slot, work } ──▶ Worker ── a thread ──▶ Outcome ──▶ State, in the next frame
//! ```
//!
//! A slot does one thing at a time and the latest ask wins: what runs is told to stop, and what has not
//! begun is forgotten. Results of an older ask never arrive. Whoever shows that work is pending says what
//! becomes of that where no result arrives ([`Ask::or_else`]).

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use units::Control;

use crate::state::State;

/// What a piece of work is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Slot {
    /// Reading a file.
    Open,
    /// Checking the scenario.
    Check,
    /// Running the scenario.
    Run,
    /// What formulas say of the sliders.
    Estimate,
    /// What the estimate says of sliders that rest, rehearsed where formulas are in doubt.
    Refine,
    /// What a little more of everything would bring.
    Sensitivity,
    /// A search for plans.
    Plan,
    /// Running a plan that was found.
    Simulate,
    /// Predicting measured runs.
    Validate,
    /// What would make a scenario fit.
    Remedies,
    /// Two policies of load balancing beside each other.
    Policies,
    /// What spans are made of.
    Facts,
    /// Matching the spans of two runs.
    Match,
    /// Queries of the timeline.
    Tiles,
    /// Laying out the cluster, with the loads of its links.
    Graph,
    /// Memory over time.
    Levels,
    /// Writing files.
    Export,
    /// Asking for a file.
    Choose,
}

impl Slot {
    /// Whether a newer ask waits for the older one instead of stopping it: short work of which a drag
    /// asks for more than can be done.
    const fn waits(self) -> bool {
        matches!(
            self,
            Self::Estimate
                | Self::Check
                | Self::Facts
                | Self::Match
                | Self::Tiles
                | Self::Graph
                | Self::Levels
        )
    }

    /// Whether all that is asked for is done, one after another: a file that somebody wanted is written
    /// whatever else they want after it.
    const fn queues(self) -> bool {
        matches!(self, Self::Export | Self::Choose)
    }

    /// Whether people want to see it in the list of what is going on.
    pub const fn is_shown(self) -> bool {
        !self.waits() && !matches!(self, Self::Choose)
    }
}

/// What work changes when it is done.
pub type Outcome = Box<dyn FnOnce(&mut State) + Send>;
/// The work itself.
pub type Work = Box<dyn FnOnce(&Control) -> Outcome + Send>;

/// A piece of work that is asked for.
pub struct Ask {
    /// What it is for.
    pub slot: Slot,
    /// What people read while it goes on, such as "Simulating llama3-70b".
    pub what: String,
    /// The work.
    pub work: Work,
    /// What is done where its result never arrives: it broke, or something else came first.
    pub failed: Option<Outcome>,
    control: Arc<Control>,
}

impl fmt::Debug for Ask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ask({:?}, {})", self.slot, self.what)
    }
}

impl Ask {
    /// Work whose result is put away by a function.
    pub fn new<T: Send + 'static>(
        slot: Slot,
        what: impl Into<String>,
        work: impl FnOnce(&Control) -> T + Send + 'static,
        done: impl FnOnce(&mut State, T) + Send + 'static,
    ) -> Self {
        Self {
            slot,
            what: what.into(),
            work: Box::new(move |control| {
                let result = work(control);
                Box::new(move |state| done(state, result))
            }),
            failed: None,
            control: Arc::default(),
        }
    }

    /// The same, with what is done where its result never arrives.
    #[must_use]
    pub fn or_else(mut self, failed: impl FnOnce(&mut State) + Send + 'static) -> Self {
        self.failed = Some(Box::new(failed));
        self
    }

    /// To stop the work, and to see how far it is.
    pub fn control(&self) -> Arc<Control> {
        Arc::clone(&self.control)
    }
}

/// How work is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Beside the window, on threads.
    Threads,
    /// At once: for pictures and most tests.
    Inline,
    /// Not before somebody lets it go on: for tests of what is shown meanwhile.
    Held,
}

/// Work that is going on.
#[derive(Clone, Debug)]
pub struct Going {
    /// What people read.
    pub what: String,
    /// To stop it, and to see how far it is.
    pub control: Arc<Control>,
    generation: u64,
}

/// Does what is asked for.
pub struct Worker {
    mode: Mode,
    wake: Arc<dyn Fn() + Send + Sync>,
    going: BTreeMap<Slot, Going>,
    waiting: BTreeMap<Slot, VecDeque<Ask>>,
    generation: u64,
    done: (Sender<Done>, Receiver<Done>),
    /// What is to be done where no result arrives, by generation.
    failed: BTreeMap<u64, Outcome>,
    /// The same of asks that were forgotten before they began.
    forgotten: Vec<Outcome>,
}

struct Done {
    slot: Slot,
    generation: u64,
    /// None where the work broke.
    outcome: Option<Outcome>,
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Worker({:?}, {:?})", self.mode, self.going.keys())
    }
}

impl Worker {
    /// A worker without work.
    ///
    /// * `wake` — called from any thread when something is done.
    pub fn new(mode: Mode, wake: Arc<dyn Fn() + Send + Sync>) -> Self {
        Self {
            mode,
            wake,
            going: BTreeMap::new(),
            waiting: BTreeMap::new(),
            generation: 0,
            done: channel(),
            failed: BTreeMap::new(),
            forgotten: Vec::new(),
        }
    }

    /// Something that does short jobs beside the window; none where all work is done at once.
    pub fn beside(&self) -> Option<Beside> {
        let wake = Arc::clone(&self.wake);
        (self.mode == Mode::Threads).then(|| Beside::new(wake))
    }

    /// What is going on, by slot.
    pub const fn going(&self) -> &BTreeMap<Slot, Going> {
        &self.going
    }

    /// Begins a piece of work, or puts it behind what it has to wait for.
    pub fn ask(&mut self, ask: Ask) {
        if let Some(going) = self.going.get(&ask.slot) {
            if !ask.slot.waits() && !ask.slot.queues() {
                going.control.cancel();
            }
            if self.mode == Mode::Threads {
                self.wait(ask);
                return;
            }
        }
        match self.mode {
            Mode::Threads | Mode::Inline => self.begin(ask),
            Mode::Held => {
                let going = self.started(&ask);
                self.going.insert(ask.slot, going);
                self.wait(ask);
            }
        }
    }

    /// Lets an ask wait in the place of what waited before it, or behind it.
    fn wait(&mut self, ask: Ask) {
        let queues = ask.slot.queues();
        let waiting = self.waiting.entry(ask.slot).or_default();
        if !queues {
            let before = waiting.drain(..).filter_map(|before| before.failed);
            self.forgotten.extend(before);
        }
        waiting.push_back(ask);
    }

    /// What waits first for a slot.
    fn next(&mut self, slot: Slot) -> Option<Ask> {
        let waiting = self.waiting.get_mut(&slot)?;
        let next = waiting.pop_front();
        if waiting.is_empty() {
            self.waiting.remove(&slot);
        }
        next
    }

    fn started(&mut self, ask: &Ask) -> Going {
        self.generation += 1;
        Going {
            what: ask.what.clone(),
            control: ask.control(),
            generation: self.generation,
        }
    }

    fn begin(&mut self, ask: Ask) {
        let going = self.started(&ask);
        let (slot, generation) = (ask.slot, going.generation);
        let Ask {
            work,
            failed,
            control,
            ..
        } = ask;
        self.going.insert(slot, going);
        if let Some(failed) = failed {
            self.failed.insert(generation, failed);
        }
        let sender = self.done.0.clone();
        let wake = Arc::clone(&self.wake);
        let run = move || {
            // A bug in work must not take the window with it: what was open stays open.
            let result =
                std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| work(&control))).ok();
            // Nobody listens once the window is closed.
            drop(sender.send(Done {
                slot,
                generation,
                outcome: result,
            }));
            wake();
        };
        if self.mode == Mode::Threads {
            let thread = std::thread::Builder::new().name(format!("{slot:?}"));
            if let Err(error) = thread.spawn(run) {
                let failed = self.failed.remove(&generation);
                let outcome: Outcome = Box::new(move |state: &mut State| {
                    if let Some(failed) = failed {
                        failed(state);
                    }
                    state
                        .notices
                        .error(format!("no thread could be started: {error}"));
                });
                drop(self.done.0.send(Done {
                    slot,
                    generation,
                    outcome: Some(outcome),
                }));
            }
        } else {
            run();
        }
    }

    /// Lets held work go on: for tests.
    pub fn release(&mut self) {
        let waiting = std::mem::take(&mut self.waiting);
        for ask in waiting.into_values().flatten() {
            // What was stopped before it began can see that.
            self.begin(ask);
        }
    }

    /// Asks the work of a slot to stop; its partial result may still arrive.
    pub fn cancel(&mut self, slot: Slot) {
        if self.mode == Mode::Threads {
            let waiting = self.waiting.remove(&slot);
            let waiting = waiting.into_iter().flatten();
            self.forgotten.extend(waiting.filter_map(|ask| ask.failed));
        }
        if let Some(going) = self.going.get(&slot) {
            going.control.cancel();
        }
    }

    /// What is done by now, and begins what waited for it.
    pub fn collect(&mut self) -> Vec<Outcome> {
        let mut outcomes = std::mem::take(&mut self.forgotten);
        while let Ok(done) = self.done.1.try_recv() {
            let latest = self
                .going
                .get(&done.slot)
                .is_some_and(|going| going.generation == done.generation);
            let failed = self.failed.remove(&done.generation);
            if !latest && !done.slot.queues() {
                outcomes.extend(failed);
                continue;
            }
            if latest {
                self.going.remove(&done.slot);
            }
            let next = self.next(done.slot);
            // What somebody asked anew is not shown any more, but for short work, of which a drag
            // wants to see every step.
            let is_shown = next.is_none() || done.slot.waits() || done.slot.queues();
            if let Some(outcome) = done.outcome.filter(|_| is_shown) {
                outcomes.push(outcome);
            } else {
                outcomes.extend(failed);
                if is_shown {
                    outcomes.push(crashed(done.slot));
                }
            }
            if let Some(ask) = next {
                self.begin(ask);
            }
        }
        outcomes
    }

    /// Waits until everything is done: for pictures and tests.
    pub fn is_idle(&self) -> bool {
        self.going.is_empty() && self.forgotten.is_empty()
    }
}

/// A thread that does short jobs one after another, such as queries of the timeline.
#[derive(Debug)]
pub struct Beside(Sender<Box<dyn FnOnce() + Send>>);

impl Beside {
    fn new(wake: Arc<dyn Fn() + Send + Sync>) -> Self {
        let (sender, jobs) = channel::<Box<dyn FnOnce() + Send>>();
        let work = move || {
            for job in jobs {
                job();
                wake();
            }
        };
        let thread = std::thread::Builder::new().name("Beside".to_owned());
        // Without a thread nobody takes the jobs, and those who give them do them at once.
        drop(thread.spawn(work));
        Self(sender)
    }
}

impl timeline::Background for Beside {
    fn run(&self, job: Box<dyn FnOnce() + Send>) {
        if let Err(unsent) = self.0.send(job) {
            (unsent.0)();
        }
    }
}

/// The share of work that is done, where it is known.
pub fn share(control: &Control) -> Option<f32> {
    let (items, all) = control.items();
    let (done, total) = if all == 0 {
        control.progress()
    } else {
        (items, all)
    };
    #[expect(clippy::cast_possible_truncation, reason = "a share")]
    let share = (total != 0).then(|| (done as f64 / total as f64).min(1.0) as f32);
    share
}

fn crashed(slot: Slot) -> Outcome {
    Box::new(move |state| {
        state.notices.error(format!(
            "{slot:?} failed by a bug in Windtunnel; what was open is unchanged. Standard error has the details."
        ));
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noted(slot: Slot, text: &'static str) -> Ask {
        Ask::new(
            slot,
            text,
            move |control| (text, control.is_cancelled()),
            |state, (text, cancelled)| state.notices.info(format!("{text} {cancelled}")),
        )
    }

    fn worker(mode: Mode) -> Worker {
        Worker::new(mode, Arc::new(|| {}))
    }

    fn texts(worker: &mut Worker) -> Vec<String> {
        let mut state = State::default();
        for outcome in worker.collect() {
            outcome(&mut state);
        }
        state.notices.texts()
    }

    #[test]
    fn the_latest_ask_wins() {
        let mut worker = worker(Mode::Held);
        worker.ask(noted(Slot::Run, "old"));
        worker.ask(noted(Slot::Run, "new"));
        worker.release();
        assert_eq!(texts(&mut worker), ["new false"]);
        assert!(worker.is_idle());
    }

    #[test]
    fn work_that_is_cancelled_can_see_it() {
        let mut worker = worker(Mode::Held);
        worker.ask(noted(Slot::Plan, "plan"));
        worker.cancel(Slot::Plan);
        worker.release();
        assert_eq!(texts(&mut worker), ["plan true"]);
    }

    #[test]
    fn threads_do_what_was_asked_last() {
        let (wake, woken) = channel();
        let wake = Arc::new(move || {
            // The test may be over.
            let _ = wake.send(());
        });
        let mut worker = Worker::new(Mode::Threads, wake);
        let (go, wait) = channel::<()>();
        worker.ask(Ask::new(
            Slot::Run,
            "blocked",
            move |_| {
                let _ = wait.recv();
            },
            |state, ()| state.notices.info("blocked".to_owned()),
        ));
        worker.ask(noted(Slot::Run, "second"));
        worker.ask(noted(Slot::Run, "third"));
        go.send(()).unwrap();
        let mut told = Vec::new();
        while !worker.is_idle() {
            woken.recv().unwrap();
            told.extend(texts(&mut worker));
        }
        assert_eq!(told, ["third false"]);
    }

    #[test]
    fn every_file_is_written_however_many_are_asked_for() {
        for mode in [Mode::Held, Mode::Inline, Mode::Threads] {
            let (wake, woken) = channel();
            let wake = Arc::new(move || {
                // The test may be over.
                let _ = wake.send(());
            });
            let mut worker = Worker::new(mode, wake);
            for name in ["first", "second", "third"] {
                worker.ask(noted(Slot::Export, name));
            }
            if mode == Mode::Held {
                worker.release();
            }
            let mut told = Vec::new();
            while told.len() < 3 {
                woken
                    .recv_timeout(std::time::Duration::from_secs(20))
                    .unwrap();
                for outcome in worker.collect() {
                    let mut state = State::default();
                    outcome(&mut state);
                    told.extend(state.notices.texts());
                }
            }
            assert!(worker.is_idle());
            assert_eq!(told, ["first false", "second false", "third false"]);
        }
    }

    #[test]
    fn a_bug_in_work_leaves_a_message() {
        let mut worker = worker(Mode::Inline);
        worker.ask(Ask::new(
            Slot::Export,
            "broken",
            |_| assert!(!std::hint::black_box(true), "a bug"),
            |_, ()| {},
        ));
        let texts = texts(&mut worker);
        assert!(texts[0].starts_with("Export failed by a bug"), "{texts:?}");
    }

    #[test]
    fn whoever_waits_for_work_hears_that_it_broke_or_was_forgotten() {
        let sorry = |text: &'static str| {
            move |state: &mut State| state.notices.warn(format!("{text} has no result"))
        };
        let mut worker = worker(Mode::Held);
        let broken = |text| {
            let ask = Ask::new(
                Slot::Plan,
                text,
                |_| assert!(!std::hint::black_box(true), "a bug"),
                |_, ()| {},
            );
            ask.or_else(sorry(text))
        };
        worker.ask(broken("the first"));
        worker.ask(broken("the second"));
        assert_eq!(texts(&mut worker), ["the first has no result"]);
        worker.release();
        let told = texts(&mut worker);
        let says = |text: &str| told.iter().any(|told| told.starts_with(text));
        assert!(says("the second has no result"), "{told:?}");
        assert!(says("Plan failed by a bug"), "{told:?}");
        worker.ask(noted(Slot::Plan, "a third").or_else(sorry("a third")));
        worker.release();
        assert_eq!(texts(&mut worker), ["a third false"]);
    }
}
