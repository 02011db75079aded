//! Programs: the blocks of one pipeline device, and the order in which it runs them.

use std::collections::BTreeMap;

use plan::schedule::{Action, ActionKind, Schedule};
use task::{Block, BlockId, Fragment, Program};
use trace::NO_INDEX;
use workload::ops::Op;

use crate::barrier::Barriers;
use crate::binding::Wire;
use crate::book::Book;
use crate::chunk::Variant;
use crate::epilogue::{Epilogue, epilogue, prologue};
use crate::hop::Hop;
use crate::parts::Parts;
use crate::site::Site;
use crate::spread::Sharing;
use crate::variants::variants;
use crate::writer::{Details, Worth};

/// What a device's program depends on.
pub(crate) struct DeviceInput<'a> {
    pub(crate) device: u32,
    pub(crate) schedule: &'a Schedule,
    pub(crate) book: &'a Book,
    pub(crate) site: Site<'a>,
    pub(crate) hop: Hop,
    /// Where a spread vocabulary shares the states of one device.
    pub(crate) sharing: Sharing,
    /// The optimizer's step on this device's parameters.
    pub(crate) step: &'a [Op],
    /// What follows the backward passes and precedes the step.
    pub(crate) epilogue: Epilogue,
}

/// A device's program, its list of fragments and its channel slots.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct DeviceProgram {
    pub(crate) program: Program,
    pub(crate) list: Vec<Fragment>,
    pub(crate) wires: Vec<Wire>,
    /// Worth of the prices of one execution of each block, by block.
    pub(crate) worth: Vec<Worth>,
}

/// Signals of a lane: see [`crate::chunk`] and [`crate::barrier`].
const N_SIGNALS: u16 = 7;

/// Writes the program of one device.
pub(crate) fn device_program(
    input: &DeviceInput<'_>,
    mut details: Option<&mut Details>,
) -> DeviceProgram {
    let mut device = DeviceProgram::default();
    device.program.n_signals = N_SIGNALS;
    let stages: Vec<u32> = input.schedule.stages_of(input.device as usize).collect();
    device.wires = wires(input, &stages);
    let parts = Parts::new(input, &stages, &device.wires);
    prologue(&input.site, &parts.pieces(), &mut device);
    let actions = input.schedule.actions(input.device as usize);
    let variants = variants(input, &parts, actions);
    let mut known: BTreeMap<(u32, ActionKind, Variant), BlockId> = BTreeMap::new();
    let mut barriers = Barriers::default();
    let mut pairs = Pairs::default();
    let first = input.schedule.range(input.device as usize).start;
    // Passes that load something run one after the other: a pair would need both loads at once.
    let merges = !input.site.loads() && input.book.spread.is_none();
    let mut at = 0;
    while at < actions.len() {
        if merges && input.schedule.is_pair(first + at) {
            let (passes, variants) = (
                [actions[at], actions[at + 1]],
                [variants[at], variants[at + 1]],
            );
            pairs.run(
                &parts,
                passes,
                variants,
                &mut device,
                details.as_deref_mut(),
            );
            at += 2;
            continue;
        }
        let (action, variant) = (&actions[at], variants[at]);
        at += 1;
        for wait in barriers.before(input.schedule, *action) {
            let block = device.push(wait, Worth::default());
            device.run(block, action.micro_batch, action.stage);
        }
        if let Some(share) = barriers
            .left(*action)
            .and_then(|there| parts.share(action.kind, there))
        {
            let block = device.push(share, Worth::default());
            device.run(block, action.micro_batch, action.stage);
        }
        let key = (action.stage, action.kind, variant);
        let block = *known.entry(key).or_insert_with(|| {
            let (block, worth) = parts.block(*action, variant, details.as_deref_mut());
            device.push(block, worth)
        });
        device.run(block, action.micro_batch, action.stage);
        barriers.behind(input.schedule, *action);
    }
    epilogue(input, &parts.pieces(), &mut device, details);
    device
}

/// Blocks of pairs, and of the messages around them, by what they hold.
#[derive(Default)]
struct Pairs {
    known: BTreeMap<[(u32, Variant); 2], BlockId>,
    messages: BTreeMap<(u32, ActionKind), [Option<BlockId>; 2]>,
}

impl Pairs {
    /// Writes what arrives, both passes at once, and what leaves.
    fn run(
        &mut self,
        parts: &Parts<'_>,
        passes: [Action; 2],
        variants: [Variant; 2],
        device: &mut DeviceProgram,
        details: Option<&mut Details>,
    ) {
        let messages = passes.map(|pass| {
            let key = (pass.stage, pass.kind);
            *self.messages.entry(key).or_insert_with(|| {
                parts
                    .messages(pass)
                    .map(|block| block.map(|block| device.push(block, Worth::default())))
            })
        });
        let run = |block: Option<BlockId>, pass: Action, device: &mut DeviceProgram| {
            if let Some(block) = block {
                device.run(block, pass.micro_batch, pass.stage);
            }
        };
        for (pass, [arrives, _]) in passes.iter().zip(messages) {
            run(arrives, *pass, device);
        }
        let key = [
            (passes[0].stage, variants[0]),
            (passes[1].stage, variants[1]),
        ];
        let block = *self.known.entry(key).or_insert_with(|| {
            let (block, worth) = parts.pair(passes, variants, details);
            device.push(block, worth)
        });
        run(Some(block), passes[0], device);
        for (pass, [_, leaves]) in passes.iter().zip(messages) {
            run(leaves, *pass, device);
        }
    }
}

impl DeviceProgram {
    fn push(&mut self, block: Block, worth: Worth) -> BlockId {
        self.program.blocks.push(block);
        self.worth.push(worth);
        BlockId::try_from(self.program.blocks.len() - 1).unwrap_or(BlockId::MAX)
    }

    fn run(&mut self, block: BlockId, micro_batch: u32, stage: u32) {
        self.list.push(Fragment {
            block,
            micro_batch,
            stage,
        });
    }

    /// Appends a block that runs once.
    pub(crate) fn once(&mut self, block: Block, worth: Worth) {
        if !block.steps.is_empty() {
            let block = self.push(block, worth);
            self.run(block, 0, NO_INDEX);
        }
    }
}

/// The channel slots of a device: for every boundary of one of its stages with a stage on another
/// device, activations one way and gradients the other.
fn wires(input: &DeviceInput<'_>, stages: &[u32]) -> Vec<Wire> {
    let devices = input.schedule.device_of_stage();
    let model_stages = u32::try_from(input.schedule.n_model_stages()).unwrap_or(u32::MAX);
    let mut wires = Vec::new();
    for &stage in stages {
        let neighbors = [(stage.checked_sub(1), false), (Some(stage), true)];
        for (boundary, ahead) in neighbors {
            let Some(boundary) = boundary else { continue };
            let other = if ahead { stage + 1 } else { boundary };
            if input.schedule.is_two_directional() && boundary + 1 == model_stages {
                continue;
            }
            let Some(&other) = devices.get(other as usize) else {
                continue;
            };
            if other == input.device {
                continue;
            }
            for forward in [true, false] {
                let sends = forward == ahead;
                wires.push(Wire {
                    other,
                    boundary,
                    forward,
                    sends,
                });
            }
        }
    }
    wires
}
