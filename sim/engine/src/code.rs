//! Programs as lanes walk through them: the steps of every block, by stream.

use task::{Block, Program, Step, StepId, Work};
use trace::StreamKind;

/// How many streams a lane has.
pub(crate) const N_STREAMS: usize = StreamKind::ALL.len();

/// The blocks of all programs, one program after the other.
#[derive(Debug)]
pub(crate) struct Code<'a> {
    blocks: Vec<BlockCode<'a>>,
    /// Where each program begins, and where the last one ends.
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
    /// Streams with steps, by bit.
    pub(crate) streams: u8,
}

impl<'a> Code<'a> {
    pub(crate) fn new(programs: &'a [Program]) -> Self {
        let mut starts = vec![0];
        let mut blocks = Vec::new();
        for program in programs {
            blocks.extend(program.blocks.iter().map(BlockCode::new));
            starts.push(index(blocks.len()));
        }
        Self { blocks, starts }
    }

    pub(crate) fn block(&self, block: u32) -> &BlockCode<'a> {
        &self.blocks[block as usize]
    }

    /// The number of a program's block among all, where the program has it.
    pub(crate) fn find(&self, program: u32, block: u32) -> Option<u32> {
        let program = program as usize;
        let found = self.starts[program].checked_add(block)?;
        (found < self.starts[program + 1]).then_some(found)
    }
}

impl<'a> BlockCode<'a> {
    fn new(block: &'a Block) -> Self {
        let mut code = Self {
            steps: &block.steps,
            messages: Vec::new(),
            order: Vec::with_capacity(block.steps.len()),
            starts: [0; N_STREAMS + 1],
            streams: 0,
        };
        let numbered = || (0..).zip(&block.steps);
        let messages = numbered().filter(|(_, step)| is_message(step));
        code.messages.extend(messages.map(|(id, _)| id));
        for stream in StreamKind::ALL {
            let own = |(_, step): &(StepId, &Step)| step.stream == stream && !is_message(step);
            code.order.extend(numbered().filter(own).map(|(id, _)| id));
            let at = stream.index();
            code.starts[at + 1] = index(code.order.len());
            code.streams |= u8::from(code.starts[at] < code.starts[at + 1]) << at;
        }
        code
    }

    /// The steps of a stream, messages apart.
    pub(crate) fn stream(&self, stream: usize) -> &[StepId] {
        &self.order[self.starts[stream] as usize..self.starts[stream + 1] as usize]
    }
}

const fn is_message(step: &Step) -> bool {
    matches!(step.work, Work::Send { .. } | Work::Receive { .. })
}

fn index(n: usize) -> u32 {
    u32::try_from(n).expect("no run has 2³² steps in its programs")
}
