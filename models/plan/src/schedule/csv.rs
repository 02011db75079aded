//! The CSV form of `torch.distributed.pipelining`.
//!
//! One line a rank, one cell a pass, such as `0F0`, `1B2`, `0I3`, `0W3` (stage, kind,
//! micro-batch); an empty cell is a bubble. That is the `compute_only` format that
//! `_PipelineScheduleRuntime._load_csv` reads; a cell `(0F1;3B0)OVERLAP_F_B` is a forward and a
//! backward pass at the same time. Cells with communication (`SEND_F`, `UNSHARD`, …) belong to the
//! `compute_comms` format and are refused. The kinds `S`, `T`, `EF` and `EB` of spread
//! vocabularies are ours; PyTorch refuses them.

use std::fmt;

use super::{
    Action, ActionKind, Costs, PassCosts, Schedule, ScheduleError, Vocabulary, count, replay,
};

/// Why a schedule file cannot be used. Lines and cells count from 1, as editors do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{problem}", self.place())]
pub struct CsvError {
    /// The line, which is the rank plus 1; 0 where the file as a whole is meant.
    pub line: usize,
    /// The cell in that line; 0 where the line as a whole is meant.
    pub cell: usize,
    /// What is wrong there.
    pub problem: CsvProblem,
}

/// What is wrong with a cell, or with the schedule as a whole.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the messages are the documentation")]
pub enum CsvProblem {
    #[error("`{0}` is not stage, kind and micro-batch, such as `2F0`")]
    Malformed(String),
    #[error("`{0}` is a communication, but the file lists computation alone")]
    Communication(String),
    #[error("stage or micro-batch of `{0}` exceeds {LARGEST}")]
    TooLarge(String),
    #[error("the file holds no pass")]
    Empty,
    #[error("stage {0} is missing from every line")]
    NoSuchStage(u32),
    #[error("vocabulary passes are there, but not of all four kinds S, T, EF and EB")]
    PartOfVocabulary,
    #[error(transparent)]
    Schedule(#[from] ScheduleError),
}

impl CsvError {
    fn place(&self) -> String {
        match (self.line, self.cell) {
            (0, _) => String::new(),
            (line, 0) => format!("line {line}: "),
            (line, cell) => format!("line {line}, cell {cell}: "),
        }
    }

    /// What to change in the file, where we can tell.
    pub fn hint(&self) -> Option<String> {
        match &self.problem {
            CsvProblem::Malformed(_) => Some(
                "kinds are F (forward), B (backward), I (input gradient), W (weight gradient)"
                    .to_owned(),
            ),
            CsvProblem::Communication(_) => {
                Some("dump the schedule with format=\"compute_only\"".to_owned())
            }
            CsvProblem::Schedule(error) => error.hint(),
            _ => None,
        }
    }
}

/// The largest stage or micro-batch that we read: enough for any run, small enough that a
/// hostile file cannot exhaust memory.
const LARGEST: u32 = 1 << 20;

impl Schedule {
    /// Reads a schedule from PyTorch's compute-only CSV and checks it.
    ///
    /// # Errors
    ///
    /// [`CsvError`] names the first offending line and cell.
    pub fn from_csv(text: &str) -> Result<Self, CsvError> {
        let cells = parse(text)?;
        let lists: Vec<Vec<Action>> = cells
            .iter()
            .map(|line| line.iter().map(|(_, action)| *action).collect())
            .collect();
        let pairs = cells.iter().map(|line| pairs_of(line)).collect();
        let all = || lists.iter().flatten();
        let whole = |problem| CsvError {
            line: 0,
            cell: 0,
            problem,
        };
        let stages = || all().filter(|action| !action.kind.is_vocabulary());
        let last = stages()
            .map(|action| action.stage)
            .max()
            .ok_or_else(|| whole(CsvProblem::Empty))?;
        let n = all().map(|action| action.micro_batch).max().unwrap_or(0) + 1;
        let device_of_stage = placement(&lists, last).map_err(whole)?;
        let mut schedule = Self::unchecked(device_of_stage, n, &lists).with_pairs(pairs);
        schedule.two_directions = runs_in_two_directions(&schedule);
        schedule.vocabulary = vocabulary_of(&lists).map_err(whole)?;
        schedule
            .check_vocabulary()
            .map_err(|error| locate(error, &cells))?;
        Ok(schedule)
    }

    /// With vocabulary passes the file does not say where the barriers stand: two barriers are
    /// taken where the order allows them, one where it does not.
    fn check_vocabulary(&mut self) -> Result<(), ScheduleError> {
        if self.vocabulary.is_some() && self.check().is_err() {
            self.vocabulary = Some(Vocabulary::OneBarrier);
        }
        self.check()
    }

    /// Writes the schedule as PyTorch's compute-only CSV, with empty cells where a device
    /// waits if every pass takes one slot, so that columns line up.
    ///
    /// # Panics
    ///
    /// If the schedule has 2⁶² passes.
    pub fn to_csv(&self) -> String {
        let mut costs = Costs::uniform(self.n_stages(), PassCosts::split(1, 1, 1));
        for pass in &mut costs.stages {
            pass.backward = 1;
        }
        costs.vocabulary.forward = 1;
        costs.vocabulary.backward = 1;
        costs.vocabulary.embedding_forward = 1;
        costs.vocabulary.embedding_backward = 1;
        let run = replay(self, &costs).expect("one slot a pass stays within the clock");
        let mut text = String::new();
        for device in 0..self.n_devices() {
            let mut slot = 0;
            let mut range = self.range(device);
            while let Some(at) = range.next() {
                if 0 < slot {
                    text.push(',');
                }
                while slot < run.starts[at] {
                    text.push(',');
                    slot += 1;
                }
                let action = self.actions[at];
                let partner = self.is_pair(at).then(|| range.next()).flatten();
                let written = match partner {
                    Some(partner) => {
                        slot += 1;
                        let partner = self.actions[partner];
                        fmt::Write::write_fmt(
                            &mut text,
                            format_args!("({action};{partner})OVERLAP_F_B"),
                        )
                    }
                    None => fmt::Write::write_fmt(&mut text, format_args!("{action}")),
                };
                written.expect("a string takes any text");
                slot += 1;
            }
            text.push('\n');
        }
        text
    }
}

/// Positions of passes that share their cell with the next one: a forward and a backward pass of
/// two micro-batches. Passes of one micro-batch follow each other.
fn pairs_of(line: &[(usize, Action)]) -> Vec<u32> {
    let pairs = line.windows(2).enumerate();
    let together = pairs.filter(|(_, pair)| {
        pair[0].0 == pair[1].0
            && pair[0].1.kind == ActionKind::Forward
            && pair[1].1.kind == ActionKind::Backward
            && pair[0].1.micro_batch != pair[1].1.micro_batch
    });
    together.map(|(at, _)| count(at)).collect()
}

/// Whether the first half of the micro-batches passes the first half of the stages alone, and the
/// second half the second.
fn runs_in_two_directions(schedule: &Schedule) -> bool {
    let (n, stages) = (schedule.n_micro_batches(), count(schedule.n_stages()));
    n.is_multiple_of(2)
        && stages.is_multiple_of(2)
        && schedule
            .all_actions()
            .iter()
            .filter(|action| !action.kind.is_vocabulary())
            .all(|action| (action.micro_batch < n / 2) == (action.stage < stages / 2))
}

/// The passes of each line with the cells they stand in.
fn parse(text: &str) -> Result<Vec<Vec<(usize, Action)>>, CsvError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut lines = Vec::new();
    for (number, line) in text.trim_end().lines().enumerate() {
        let mut passes = Vec::new();
        for (index, cell) in line.split(',').enumerate() {
            let cell = cell.trim().trim_matches('"').trim();
            parse_cell(cell, |action| passes.push((index + 1, action))).map_err(|problem| {
                CsvError {
                    line: number + 1,
                    cell: index + 1,
                    problem,
                }
            })?;
        }
        lines.push(passes);
    }
    Ok(lines)
}

fn parse_cell(cell: &str, mut push: impl FnMut(Action)) -> Result<(), CsvProblem> {
    if cell.is_empty() {
        return Ok(());
    }
    if let Some(inner) = cell.strip_prefix('(') {
        let Some((passes, "OVERLAP_F_B")) = inner.split_once(')') else {
            return Err(CsvProblem::Malformed(shown(cell)));
        };
        for pass in passes.split(';') {
            push(parse_action(pass.trim())?);
        }
        return Ok(());
    }
    push(parse_action(cell)?);
    Ok(())
}

fn parse_action(cell: &str) -> Result<Action, CsvProblem> {
    let malformed = || CsvProblem::Malformed(shown(cell));
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let (stage, rest) = cell.split_at(digits(cell));
    let letters = rest.trim_end_matches(|c: char| c.is_ascii_digit());
    let micro_batch = &rest[letters.len()..];
    if !stage.is_empty() && is_communication(letters) {
        return Err(CsvProblem::Communication(shown(cell)));
    }
    let kind = ActionKind::ALL
        .into_iter()
        .find(|kind| kind.letters() == letters)
        .ok_or_else(malformed)?;
    if stage.is_empty() || micro_batch.is_empty() {
        return Err(malformed());
    }
    let number = |text: &str| match text.parse::<u32>() {
        Ok(value) if value < LARGEST => Ok(value),
        _ => Err(CsvProblem::TooLarge(shown(cell))),
    };
    Ok(Action::new(kind, number(stage)?, number(micro_batch)?))
}

fn is_communication(letters: &str) -> bool {
    const KINDS: [&str; 7] = [
        "UNSHARD",
        "RESHARD",
        "REDUCE_GRAD",
        "SEND_F",
        "RECV_F",
        "SEND_B",
        "RECV_B",
    ];
    KINDS.contains(&letters)
}

/// At most 40 characters of a cell.
fn shown(cell: &str) -> String {
    if cell.chars().count() <= 40 {
        return cell.to_owned();
    }
    let mut short: String = cell.chars().take(40).collect();
    short.push('…');
    short
}

/// The device of each stage: where its first pass stands.
fn placement(lists: &[Vec<Action>], last: u32) -> Result<Vec<u32>, CsvProblem> {
    let mut devices = vec![u32::MAX; last as usize + 1];
    for (device, list) in (0u32..).zip(lists) {
        for action in list.iter().filter(|action| !action.kind.is_vocabulary()) {
            let home = &mut devices[action.stage as usize];
            *home = device.min(*home);
        }
    }
    match (0u32..).zip(&devices).find(|(_, home)| **home == u32::MAX) {
        Some((stage, _)) => Err(CsvProblem::NoSuchStage(stage)),
        None => Ok(devices),
    }
}

fn vocabulary_of(lists: &[Vec<Action>]) -> Result<Option<Vocabulary>, CsvProblem> {
    let there = |kind| lists.iter().flatten().any(|action| action.kind == kind);
    let kinds = &ActionKind::ALL[4..];
    match kinds.iter().filter(|kind| there(**kind)).count() {
        0 => Ok(None),
        4 => Ok(Some(Vocabulary::TwoBarriers)),
        _ => Err(CsvProblem::PartOfVocabulary),
    }
}

/// The line and cell of the action that an error names.
fn locate(error: ScheduleError, cells: &[Vec<(usize, Action)>]) -> CsvError {
    let (line, cell) = match &error {
        ScheduleError::OutOfRange {
            device, position, ..
        }
        | ScheduleError::WrongDevice {
            device, position, ..
        }
        | ScheduleError::Twice {
            device, position, ..
        }
        | ScheduleError::OutOfOrder {
            device, position, ..
        }
        | ScheduleError::Deadlock {
            device, position, ..
        } => (device + 1, cells[*device][*position].0),
        ScheduleError::Missing { device, .. } | ScheduleError::Idle { device } => (device + 1, 0),
        ScheduleError::Empty | ScheduleError::NoSuchDevice { .. } => (0, 0),
    };
    CsvError {
        line,
        cell,
        problem: error.into(),
    }
}
