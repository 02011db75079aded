//! Programs as lanes walk through them: the steps of every block, by stream.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use task::{Block, Program, Step, StepId, Work};
use trace::StreamKind;

/// How many streams a lane has.
pub(crate) const N_STREAMS: usize = StreamKind::ALL.len();

/// Streams by bit, and messages by one bit more.
pub(crate) type Wakes = u16;

/// The bit of sends and receives.
pub(crate) const MESSAGES: Wakes = 1 << N_STREAMS;

/// Every stream, and messages.
pub(crate) const EVERYTHING: Wakes = (MESSAGES << 1) - 1;

/// The blocks of all programs, one program after the other.
///
/// Blocks of the same steps are kept once: most stages of a long pipeline are alike, and what all
/// lanes run stays in the processor's caches.
#[derive(Debug)]
pub(crate) struct Code<'a> {
    blocks: Vec<BlockCode<'a>>,
    /// By block of the programs in a row, its number in `blocks`.
    numbers: Vec<u32>,
    /// Where each program begins in `numbers`, and where the last one ends.
    starts: Vec<u32>,
}

/// One block.
#[derive(Debug)]
pub(crate) struct BlockCode<'a> {
    pub(crate) steps: &'a [Step],
    /// Sends and receives, in order.
    pub(crate) messages: Vec<StepId>,
    /// The other steps, stream by stream, each in order.
    order: Vec<StepId>,
    /// Where each stream begins in `order`, and where the last one ends.
    starts: [u32; N_STREAMS + 1],
    /// What has steps.
    pub(crate) has: Wakes,
    /// How many steps hold the block's place in the window: see [`holds_place`].
    pub(crate) n_holding: u32,
    /// What the end of each step may let go on: its stream, and who waits for it.
    wakes: Vec<Wakes>,
}

impl<'a> Code<'a> {
    pub(crate) fn new(programs: &'a [Program]) -> Self {
        let mut starts = vec![0];
        let mut numbers = Vec::new();
        let mut blocks: Vec<BlockCode<'a>> = Vec::new();
        let mut known: HashMap<u64, Vec<u32>> = HashMap::new();
        for program in programs {
            for block in &program.blocks {
                let alike = known.entry(print(&block.steps)).or_default();
                let same = |at: &&u32| blocks[**at as usize].steps == block.steps;
                let number = alike.iter().find(same).copied().unwrap_or_else(|| {
                    let number = index(blocks.len());
                    alike.push(number);
                    blocks.push(BlockCode::new(block));
                    number
                });
                numbers.push(number);
            }
            starts.push(index(numbers.len()));
        }
        Self {
            blocks,
            numbers,
            starts,
        }
    }

    pub(crate) fn block(&self, block: u32) -> &BlockCode<'a> {
        &self.blocks[block as usize]
    }

    /// The number of a program's block, where the program has it.
    pub(crate) fn find(&self, program: u32, block: u32) -> Option<u32> {
        let program = program as usize;
        let found = self.starts[program].checked_add(block)?;
        (found < self.starts[program + 1]).then(|| self.numbers[found as usize])
    }
}

/// Tells most lists of steps apart, at little cost.
fn print(steps: &[Step]) -> u64 {
    let of_step = |step: &Step| match step.work {
        Work::Compute(time) | Work::Delay(time) => time.as_secs().to_bits(),
        Work::Collective { group, bytes, .. } => u64::from(group) ^ bytes.as_u64(),
        Work::Send { channel, bytes } => u64::from(channel) ^ bytes.as_u64(),
        Work::Receive { channel } => u64::from(channel),
    };
    let mut hasher = DefaultHasher::new();
    steps.len().hash(&mut hasher);
    for step in steps {
        (of_step(step), step.stream.index(), step.after.len()).hash(&mut hasher);
    }
    hasher.finish()
}

impl<'a> BlockCode<'a> {
    fn new(block: &'a Block) -> Self {
        let mut code = Self {
            steps: &block.steps,
            messages: Vec::new(),
            order: Vec::with_capacity(block.steps.len()),
            starts: [0; N_STREAMS + 1],
            has: block.steps.iter().fold(0, |has, step| has | queue(step)),
            n_holding: index(block.steps.iter().filter(|step| holds_place(step)).count()),
            wakes: wakes(&block.steps),
        };
        let of = |wanted: Wakes| {
            let steps = (0..).zip(&block.steps);
            let own = steps.filter(move |(_, step)| queue(step) == wanted);
            own.map(|(id, _)| id)
        };
        code.messages.extend(of(MESSAGES));
        for stream in 0..N_STREAMS {
            code.order.extend(of(1 << stream));
            code.starts[stream + 1] = index(code.order.len());
        }
        code
    }

    /// What the end of a step may let go on.
    pub(crate) fn wakes(&self, step: StepId) -> Wakes {
        self.wakes[usize::from(step)]
    }

    /// The steps of a stream, messages apart.
    pub(crate) fn stream(&self, stream: usize) -> &[StepId] {
        &self.order[self.starts[stream] as usize..self.starts[stream + 1] as usize]
    }
}

/// Whether a lane goes on to later fragments only after the step. Reductions, gathers and copies
/// run beside as many fragments as they take; who needs them waits for a step or a signal.
pub(crate) const fn holds_place(step: &Step) -> bool {
    !matches!(step.stream, StreamKind::Dp | StreamKind::Offload)
}

/// Where a step waits: in its stream, or among the messages.
const fn queue(step: &Step) -> Wakes {
    match step.work {
        Work::Send { .. } | Work::Receive { .. } => MESSAGES,
        _ => 1 << step.stream.index(),
    }
}

fn wakes(steps: &[Step]) -> Vec<Wakes> {
    let mut wakes: Vec<Wakes> = steps.iter().map(queue).collect();
    for step in steps {
        for &before in &step.after {
            wakes[usize::from(before)] |= queue(step);
        }
    }
    for (wakes, step) in wakes.iter_mut().zip(steps) {
        if step.raise.is_some() {
            *wakes = EVERYTHING;
        }
    }
    wakes
}

fn index(n: usize) -> u32 {
    u32::try_from(n).expect("no run has 2³² steps in its programs")
}
