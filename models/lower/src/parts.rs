//! What one pipeline device holds.

use plan::schedule::{Action, ActionKind};
use task::{Block, Signal, Slot};
use units::Bytes;

use crate::binding::Wire;
use crate::book::Spread;
use crate::chunk::{Ahead, Chunk, Direction, Variant, Wires};
use crate::host;
use crate::load::Load;
use crate::pair::merge;
use crate::piece::Piece;
use crate::program::DeviceInput;
use crate::sheet::PassKind;
use crate::site::Site;
use crate::spread::SpreadPart;
use crate::variants::turns_at_once;
use crate::writer::{Details, Worth};

/// What one device holds: its chunks in the order of the layers, and its part of a spread
/// vocabulary.
pub(crate) struct Parts<'a> {
    chunks: Vec<Chunk<'a>>,
    spread: Option<SpreadPart<'a>>,
}

impl<'a> Parts<'a> {
    pub(crate) fn new(input: &DeviceInput<'a>, stages: &[u32], wires: &[Wire]) -> Self {
        let spread = input.book.spread;
        let mut gathered_before = u32::from(spread.is_some());
        let host_share = 1.0 / stages.len().max(1) as f64;
        let pieces = stages.iter().map(|stage| input.book.pieces_of(*stage));
        let pieces: Vec<Vec<&Piece>> = pieces.map(Iterator::collect).collect();
        let mut actions = input.schedule.actions(input.device as usize).iter();
        let splits = actions.any(|action| action.kind == ActionKind::InputGrad);
        let runs_ahead = input.schedule.n_devices() == 1 && !splits;
        let site = Site {
            pace: if runs_ahead {
                host::ahead(&input.site, &pieces, host_share)
            } else {
                host::each_pass(&input.site, &pieces, splits, host_share)
            },
            ..input.site
        };
        let chunk = |(stage, pieces): (&u32, Vec<&'a Piece>)| {
            let chunk = Chunk {
                site,
                stage: *stage,
                wires: wires_of(*stage, wires),
                hop: input.hop,
                gathered_before,
                turns_at_once: turns_at_once(input, *stage),
                host_share,
                inherits: inherits(input, *stage),
                shares: input.book.spread.is_some().then(|| ends(input, *stage)),
                pieces,
            };
            gathered_before += u32::try_from(chunk.pieces.len()).unwrap_or(0);
            chunk
        };
        let chunks = stages.iter().zip(pieces).map(chunk).collect();
        Self {
            chunks,
            spread: spread.map(|spread| spread_part(input, site, spread, gathered_before)),
        }
    }

    /// Everything on the device, in the order of first use.
    pub(crate) fn pieces(&self) -> Vec<&'a Piece> {
        let words = self.spread.as_ref().map(|part| part.words);
        let output = self.spread.as_ref().map(|part| part.output);
        let chunks = self.chunks.iter().flat_map(|chunk| &chunk.pieces).copied();
        words.into_iter().chain(chunks).chain(output).collect()
    }

    pub(crate) fn chunk(&self, stage: u32) -> Option<&Chunk<'a>> {
        self.chunks.iter().find(|chunk| chunk.stage == stage)
    }

    pub(crate) fn block(
        &self,
        action: Action,
        variant: Variant,
        details: Option<&mut Details>,
    ) -> (Block, Worth) {
        if action.kind.is_vocabulary() {
            let part = self.spread.as_ref();
            return part.map_or_else(Default::default, |part| {
                part.pass(action.kind, variant, details)
            });
        }
        let Some(chunk) = self.chunk(action.stage) else {
            return Default::default();
        };
        let ahead = variant.ahead.and_then(|ahead| self.load(ahead));
        match action.kind {
            ActionKind::Forward => chunk.forward(variant, ahead, details),
            ActionKind::InputGrad => chunk.backward(PassKind::InputGrad, variant, ahead, details),
            ActionKind::WeightGrad => chunk.backward(PassKind::WeightGrad, variant, ahead, details),
            _ => chunk.backward(PassKind::Backward, variant, ahead, details),
        }
    }

    /// A forward pass at the same time as a backward pass.
    pub(crate) fn pair(
        &self,
        [forward, backward]: [Action; 2],
        [first, second]: [Variant; 2],
        mut details: Option<&mut Details>,
    ) -> (Block, Worth) {
        let chunks = (self.chunk(forward.stage), self.chunk(backward.stage));
        let (Some(ahead), Some(behind)) = chunks else {
            return Default::default();
        };
        let (one, mut worth) = ahead.alone().forward(first, None, details.as_deref_mut());
        let (other, more) = behind
            .alone()
            .backward(PassKind::Backward, second, None, details);
        worth += more;
        (merge(one, other), worth)
    }

    /// What arrives in front of a pass of a pair, and what leaves behind it.
    pub(crate) fn messages(&self, action: Action) -> [Option<Block>; 2] {
        let direction = match action.kind {
            ActionKind::Forward => Direction::Forward,
            _ => Direction::Backward,
        };
        let chunk = self.chunk(action.stage);
        [
            chunk.and_then(|chunk| chunk.arrival(direction)),
            chunk.and_then(|chunk| chunk.departure(direction)),
        ]
    }

    /// What this device shares with all before a pass of a spread vocabulary.
    pub(crate) fn share(&self, kind: ActionKind, there: Signal) -> Option<Block> {
        self.spread.as_ref()?.share(kind, there)
    }

    /// What a coming pass loads first.
    pub(crate) fn load(&self, ahead: Ahead) -> Option<Load<'a>> {
        let chunk = self.chunk(ahead.stage)?;
        let load = chunk.load(0, ahead.pass, ahead.first);
        let load = load.early(chunk.site.data.overlap_gather);
        (!load.is_nothing()).then_some(load)
    }
}

/// A device's part of a spread vocabulary. Its output layer is used behind all chunks.
fn spread_part<'a>(
    input: &DeviceInput<'a>,
    site: Site<'a>,
    spread: Spread,
    gathered_before: u32,
) -> SpreadPart<'a> {
    let devices = input.schedule.device_of_stage();
    let here = |stage: Option<&u32>| stage == Some(&input.device);
    SpreadPart {
        site,
        words: &input.book.pieces[spread.words as usize],
        output: &input.book.pieces[spread.output as usize],
        algorithm: spread.algorithm,
        devices: u32::try_from(input.schedule.n_devices()).unwrap_or(u32::MAX),
        ends: [here(devices.first()), here(devices.last())],
        states: spread.states,
        tokens: input.book.sharding.tokens(),
        gathered_before: [0, gathered_before],
        sharing: input.sharing,
    }
}

/// Buffers that a spread vocabulary leaves for a stage's forward and backward pass: embeddings
/// for the first, gradients for the last.
fn inherits(input: &DeviceInput<'_>, stage: u32) -> [Bytes; 2] {
    let Some(spread) = input.book.spread else {
        return [Bytes::ZERO; 2];
    };
    ends(input, stage).map(|is| if is { spread.states } else { Bytes::ZERO })
}

/// Whether a stage is the first, and the last one.
fn ends(input: &DeviceInput<'_>, stage: u32) -> [bool; 2] {
    [stage == 0, stage as usize + 1 == input.schedule.n_stages()]
}

fn wires_of(stage: u32, wires: &[Wire]) -> Wires {
    let slot = |boundary: u32, forward: bool, sends: bool| {
        let at = wires.iter().position(|wire| {
            (wire.boundary, wire.forward, wire.sends) == (boundary, forward, sends)
        });
        at.and_then(|at| Slot::try_from(at).ok())
    };
    let before = stage.checked_sub(1);
    Wires {
        receive_forward: before.and_then(|b| slot(b, true, false)),
        send_forward: slot(stage, true, true),
        receive_backward: slot(stage, false, false),
        send_backward: before.and_then(|b| slot(b, false, true)),
    }
}
