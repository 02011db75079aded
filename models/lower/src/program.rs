//! Programs: the blocks of one pipeline device, and the order in which it runs them.

use std::collections::BTreeMap;

use plan::schedule::{Action, ActionKind, Schedule};
use profile::{CollectiveKind, Profile};
use task::{Block, BlockId, Fragment, Program, Signal, Slot, Step, Work};
use trace::{Category, NO_INDEX, StreamKind};
use units::Bytes;
use workload::ops::{Op, ParamCount};

use crate::binding::Wire;
use crate::book::Book;
use crate::chunk::{Backward, Chunk, GATHERED, Hop, N_SIGNALS, REDUCED, Variant, Wires};
use crate::data_parallel::DataParallel;
use crate::writer::{Details, Worth, Writer};

/// What a device's program depends on.
pub(crate) struct DeviceInput<'a> {
    pub(crate) device: u32,
    pub(crate) schedule: &'a Schedule,
    pub(crate) book: &'a Book,
    pub(crate) profile: &'a Profile,
    pub(crate) data: &'a DataParallel,
    pub(crate) hop: Hop,
    pub(crate) host_scale: f64,
    /// The optimizer's step on this device's parameters.
    pub(crate) step: &'a [Op],
    /// What follows the backward passes and precedes the step.
    pub(crate) epilogue: Epilogue,
}

/// Collectives between the last backward pass and the optimizer step.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Epilogue {
    /// Tied embeddings: the slot of both ends, and the bytes of the table's gradient.
    pub(crate) tied: Option<(Slot, Bytes)>,
    /// Gradients of norms under sequence parallelism, summed over tensor-parallel ranks.
    pub(crate) replicated: Option<(Slot, Bytes)>,
    /// The norm of the gradients, agreed on by all ranks of a replica.
    pub(crate) norm: Option<Slot>,
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

/// Writes the program of one device.
pub(crate) fn device_program(
    input: &DeviceInput<'_>,
    mut details: Option<&mut Details>,
) -> DeviceProgram {
    let mut device = DeviceProgram::default();
    device.program.n_signals = N_SIGNALS;
    let stages: Vec<u32> = input.schedule.stages_of(input.device as usize).collect();
    device.wires = wires(input, &stages);
    let chunks = chunks(input, &stages, &device.wires);
    prologue(input, &chunks, &mut device);
    let last = last_gradients(input);
    let mut seen_forward = vec![false; input.schedule.n_stages()];
    let mut known: BTreeMap<(u32, ActionKind, Variant), BlockId> = BTreeMap::new();
    for (at, action) in input
        .schedule
        .actions(input.device as usize)
        .iter()
        .enumerate()
    {
        let stage = action.stage as usize;
        let variant = Variant {
            first: gathers_beside(input)
                && action.kind == ActionKind::Forward
                && !std::mem::replace(&mut seen_forward[stage], true),
            reduces: last.get(&action.stage) == Some(&at),
        };
        let block = *known
            .entry((action.stage, action.kind, variant))
            .or_insert_with(|| {
                let chunk = stages
                    .iter()
                    .position(|own| *own == action.stage)
                    .map(|c| &chunks[c]);
                let (block, worth) = block(chunk, *action, variant, details.as_deref_mut());
                device.push(block, worth)
            });
        device.list.push(Fragment {
            block,
            micro_batch: action.micro_batch,
            stage: action.stage,
        });
    }
    epilogue(input, &chunks, &mut device, details);
    device
}

impl DeviceProgram {
    fn push(&mut self, block: Block, worth: Worth) -> BlockId {
        self.program.blocks.push(block);
        self.worth.push(worth);
        BlockId::try_from(self.program.blocks.len() - 1).unwrap_or(BlockId::MAX)
    }

    fn once(&mut self, block: Block, worth: Worth) {
        if block.steps.is_empty() {
            return;
        }
        let block = self.push(block, worth);
        self.list.push(Fragment {
            block,
            micro_batch: 0,
            stage: NO_INDEX,
        });
    }
}

fn block(
    chunk: Option<&Chunk<'_>>,
    action: Action,
    variant: Variant,
    details: Option<&mut Details>,
) -> (Block, Worth) {
    let Some(chunk) = chunk else {
        return (Block::default(), Worth::default());
    };
    match action.kind {
        ActionKind::Forward => chunk.forward(variant, details),
        ActionKind::Backward => chunk.backward(Backward::Whole, variant, details),
        ActionKind::InputGrad => chunk.backward(Backward::Input, variant, details),
        ActionKind::WeightGrad => chunk.backward(Backward::Weight, variant, details),
        _ => (Block::default(), Worth::default()),
    }
}

fn chunks<'a>(input: &DeviceInput<'a>, stages: &[u32], wires: &[Wire]) -> Vec<Chunk<'a>> {
    let slot = |boundary: u32, forward: bool, sends: bool| {
        let at = wires.iter().position(|wire| {
            (wire.boundary, wire.forward, wire.sends) == (boundary, forward, sends)
        });
        at.and_then(|at| Slot::try_from(at).ok())
    };
    let mut gathered_before = 0;
    let chunk = |stage: &u32| {
        let pieces: Vec<_> = input.book.stages[*stage as usize]
            .iter()
            .map(|piece| &input.book.pieces[*piece as usize])
            .collect();
        let before = stage.checked_sub(1);
        let chunk = Chunk {
            profile: input.profile,
            wires: Wires {
                receive_forward: before.and_then(|b| slot(b, true, false)),
                send_forward: slot(*stage, true, true),
                receive_backward: slot(*stage, false, false),
                send_backward: before.and_then(|b| slot(b, false, true)),
            },
            hop: input.hop,
            data: input.data,
            host_scale: input.host_scale,
            gathered_before,
            pieces,
        };
        gathered_before += u32::try_from(chunk.pieces.len()).unwrap_or(0);
        chunk
    };
    stages.iter().map(chunk).collect()
}

/// The channel slots of a device: for every boundary of one of its stages with a stage on another
/// device, activations one way and gradients the other.
fn wires(input: &DeviceInput<'_>, stages: &[u32]) -> Vec<Wire> {
    let devices = input.schedule.device_of_stage();
    let mut wires = Vec::new();
    for &stage in stages {
        let neighbors = [(stage.checked_sub(1), false), (Some(stage), true)];
        for (boundary, ahead) in neighbors {
            let Some(boundary) = boundary else { continue };
            let other = if ahead { stage + 1 } else { boundary };
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

/// For every stage of the device, the position of the last action that adds to its gradients.
fn last_gradients(input: &DeviceInput<'_>) -> BTreeMap<u32, usize> {
    let actions = input
        .schedule
        .actions(input.device as usize)
        .iter()
        .enumerate();
    actions
        .filter(|(_, action)| matches!(action.kind, ActionKind::Backward | ActionKind::WeightGrad))
        .map(|(at, action)| (action.stage, at))
        .collect()
}

/// Whether parameters that the optimizer left in shards arrive beside the first forward passes.
fn gathers_beside(input: &DeviceInput<'_>) -> bool {
    input.data.overlap_gather && !input.data.gather_each_pass && !input.schedule.is_forward_only()
}

/// Parameters of the last step's shards, gathered piece by piece in order of first use. An
/// iteration in the middle of a run begins with the gather that the one before left behind.
fn prologue(input: &DeviceInput<'_>, chunks: &[Chunk<'_>], device: &mut DeviceProgram) {
    if !gathers_beside(input) {
        return;
    }
    let mut block = Block {
        name: "gather parameters".to_owned(),
        steps: Vec::new(),
    };
    for piece in chunks.iter().flat_map(|chunk| &chunk.pieces) {
        let params = piece.ops.params;
        let mut steps = input
            .data
            .gather_steps(params.dense_trained, params.expert_trained);
        if steps.is_empty() {
            // Nothing to gather: the signal still counts the piece.
            steps.push(Step::new(
                "none",
                StreamKind::Dp,
                Category::Dp,
                Work::Delay(units::Seconds::ZERO),
                Vec::new(),
            ));
        }
        if let Some(last) = steps.last_mut() {
            last.raise = Some(GATHERED);
        }
        block.steps.extend(steps);
    }
    device.once(block, Worth::default());
}

fn epilogue(
    input: &DeviceInput<'_>,
    chunks: &[Chunk<'_>],
    device: &mut DeviceProgram,
    details: Option<&mut Details>,
) {
    if input.schedule.is_forward_only() {
        return;
    }
    let params = params(chunks);
    let mut w = Writer::new("optimizer", input.profile, details);
    w.set_category(Category::Optimizer);
    w.set_label("optimizer");
    // The window lets this block in beside the last backward pass: everything in it waits for
    // that pass, which the order of the compute stream says.
    let mut passed = Step::compute("passed", units::Seconds::ZERO, Vec::new());
    passed.category = Category::Optimizer;
    w.push(passed);
    let reductions: u32 = chunks.iter().map(Chunk::reductions).sum();
    if 0 < reductions {
        let work = Work::Delay(units::Seconds::ZERO);
        let mut wait = Step::new("reduced", StreamKind::Dp, Category::Dp, work, Vec::new());
        wait.wait = Some(Signal {
            id: REDUCED,
            count: reductions,
        });
        w.push(wait);
    } else {
        for step in input
            .data
            .reduce_steps(params.dense_trained, params.expert_trained)
        {
            w.push(step);
        }
    }
    let collective = |(group, bytes): (Slot, Bytes), stream, category, name: &str| {
        let work = Work::Collective {
            group,
            kind: CollectiveKind::AllReduce,
            bytes,
        };
        Step::new(name, stream, category, work, Vec::new())
    };
    if let Some(tied) = input.epilogue.tied {
        w.push(collective(
            tied,
            StreamKind::Pp,
            Category::Pp,
            "tied-embedding-grads",
        ));
    }
    if let Some(norms) = input.epilogue.replicated {
        w.push(collective(
            norms,
            StreamKind::Tp,
            Category::Tp,
            "norm-grads",
        ));
    }
    let (norm, rest): (Vec<&Op>, Vec<&Op>) = input
        .step
        .iter()
        .partition(|op| matches!(op.name, "unscale" | "grad_norm"));
    w.write(norm);
    if let Some(slot) = input.epilogue.norm {
        let norm = (slot, Bytes::new(4));
        w.push(collective(norm, StreamKind::Pp, Category::Pp, "grad-norm"));
    }
    w.write(rest);
    if !gathers_beside(input) {
        for step in input
            .data
            .gather_steps(params.dense_trained, params.expert_trained)
        {
            w.push(step);
        }
    }
    let (block, worth) = w.finish();
    device.once(block, worth);
}

/// Parameters of a device.
pub(crate) fn params(chunks: &[Chunk<'_>]) -> ParamCount {
    let mut sum = ParamCount::default();
    for piece in chunks.iter().flat_map(|chunk| &chunk.pieces) {
        sum += piece.ops.params;
    }
    sum
}
