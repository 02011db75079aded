//! Durations and memory of the pieces of one sharding, each computed once.

use engine::{Contention, Lists, Options, run};
use lower::{
    AXIS_SLOTS, LonePass, PassKind, Piece, PieceKind, Replay, Worth, build_piece, lone_ops,
    lone_pass, state_of,
};
use network::Analytic;
use profile::{HostCost, Profile};
use task::{Block, Fragment, Group, LaneSetup, Lanes, Program};
use trace::{Category, MemoryKind};
use units::{Bytes, ClassId, Control, GroupId, LaneId, Seconds};
use workload::ops::{ParamCount, Recompute, Sharding};
use workload::{Job, Layer};

use crate::closed_form::add_worth;
use crate::estimate::shapes::Shapes;

/// Seconds of one pass, and where they go.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct PassTime {
    pub(super) total: f64,
    pub(super) compute: f64,
    pub(super) tp: f64,
    pub(super) cp: f64,
    pub(super) ep: f64,
    /// What data-parallel communication adds to it.
    pub(super) dp: f64,
    /// How long its sends hold it.
    pub(super) pp: f64,
    /// What the host needs to issue it.
    pub(super) host: f64,
    /// For how long of it the GPU waits for the host.
    pub(super) idle: f64,
}

impl PassTime {
    pub(super) fn add(&mut self, other: &Self, times: f64) {
        self.total += other.total * times;
        self.compute += other.compute * times;
        self.tp += other.tp * times;
        self.cp += other.cp * times;
        self.ep += other.ep * times;
        self.dp += other.dp * times;
        self.pp += other.pp * times;
        self.host += other.host * times;
        self.idle += other.idle * times;
    }

    /// Adds how long its messages hold it, and the gather of what it receives.
    pub(super) fn cross(&mut self, leaves: f64, gather: f64) {
        self.pp += leaves;
        self.tp += gather;
        self.total += leaves + gather;
    }

    /// Lets the GPU wait for the host.
    pub(super) fn wait(&mut self, idle: f64) {
        self.idle += idle;
        self.total += idle;
    }

    /// The same on a GPU of another speed: kernels stretch, communication does not.
    pub(super) fn at_speed(mut self, speed: f64) -> Self {
        let stretched = self.compute / speed;
        self.total += stretched - self.compute;
        self.compute = stretched;
        self
    }
}

/// One piece: times of its passes, its parameters and its memory.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct PieceSheet {
    pub(super) forward: PassTime,
    pub(super) backward: PassTime,
    pub(super) input_grad: PassTime,
    pub(super) weight_grad: PassTime,
    pub(super) params: ParamCount,
    pub(super) kept: Bytes,
    /// What a backward pass needs beside what is kept: rebuilt tensors and workspace.
    pub(super) transient: Bytes,
    /// The same of a forward pass.
    pub(super) workspace: Bytes,
    pub(super) held: Bytes,
    /// State of the optimizer, before it is cut over ranks.
    pub(super) state: Bytes,
    pub(super) is_head: bool,
    /// Worth of the prices of its forward and backward passes.
    pub(super) worth: Worth,
    pub(super) piece: Piece,
}

/// What pieces depend on besides their kind.
pub(super) struct SheetInput<'a> {
    pub(super) job: &'a Job,
    pub(super) profile: &'a Profile,
    /// What the plan leaves of the profile's host.
    pub(super) host: HostCost,
    pub(super) sharding: Sharding,
    pub(super) replay: Replay,
    pub(super) shapes: &'a Shapes<'a>,
    pub(super) contention: Contention,
}

/// The pieces of one sharding.
#[derive(Debug, Default)]
pub(super) struct Sheet {
    known: Vec<(PieceKind, Recompute)>,
    pub(super) pieces: Vec<PieceSheet>,
}

impl Sheet {
    /// The index of a piece, computed on first use.
    pub(super) fn of(
        &mut self,
        input: &SheetInput<'_>,
        kinds: &[Layer],
        kind: PieceKind,
        policy: Recompute,
    ) -> usize {
        let key = (kind, policy);
        self.known
            .iter()
            .position(|known| *known == key)
            .unwrap_or_else(|| {
                let piece = build_piece(input.job, &input.sharding, kinds, kind, policy);
                self.pieces.push(sheet(input, piece.replayed(input.replay)));
                self.known.push(key);
                self.pieces.len() - 1
            })
    }
}

fn sheet(input: &SheetInput<'_>, piece: Piece) -> PieceSheet {
    let lone = |pass| lone_pass(input.profile, &input.host, &piece, pass);
    let (forward, whole) = (lone(PassKind::Forward), lone(PassKind::Backward));
    let mut worth = Worth::default();
    for pass in [&forward, &whole] {
        add_worth(&mut worth, &pass.worth, 1.0);
    }
    let largest = |ops: &mut dyn Iterator<Item = Bytes>| ops.max().unwrap_or_default();
    let backward = piece
        .ops
        .input_grad
        .iter()
        .chain(&piece.ops.weight_grad)
        .chain(&piece.replay);
    let transient = piece.rebuilt + largest(&mut backward.map(|op| op.workspace));
    let workspace = largest(&mut piece.ops.forward.iter().map(|op| op.workspace));
    PieceSheet {
        forward: timed(input, &forward),
        backward: timed(input, &whole),
        input_grad: timed(input, &lone(PassKind::InputGrad)),
        weight_grad: timed(input, &lone(PassKind::WeightGrad)),
        params: piece.ops.params,
        kept: piece.kept,
        transient,
        workspace,
        held: piece.ops.held(),
        state: state_of(input.job, &piece),
        is_head: matches!(piece.kind, PieceKind::Head(_)),
        worth,
        piece,
    }
}

fn timed(input: &SheetInput<'_>, pass: &LonePass) -> PassTime {
    let (total, by_category) = duration(input, &pass.block);
    let secs = |category: Category| by_category[category.index()];
    PassTime {
        total,
        compute: secs(Category::Compute),
        tp: secs(Category::Tp),
        cp: secs(Category::Cp),
        ep: secs(Category::Ep),
        dp: 0.0,
        pp: 0.0,
        host: pass.host.as_secs(),
        idle: 0.0,
    }
}

/// Seconds of the optimizer's kernels.
pub(super) fn optimizer_time(profile: &Profile, ops: &[workload::ops::Op]) -> f64 {
    let block = lone_ops(profile, ops);
    let times = block.steps.iter().map(|step| match step.work {
        task::Work::Compute(time) => time,
        _ => Seconds::ZERO,
    });
    times.sum::<Seconds>().as_secs()
}

/// Runs one block alone on the engine: seconds in all and by category.
fn duration(input: &SheetInput<'_>, block: &Block) -> (f64, [f64; Category::ALL.len()]) {
    let programs = [Program {
        blocks: vec![block.clone()],
        n_signals: 0,
    }];
    let groups = (0_u32..).take(AXIS_SLOTS.len());
    let lanes = Lanes {
        lanes: vec![LaneSetup {
            class: ClassId::new(0),
            program: 0,
            name: String::new(),
            stage: 0,
            ranks: vec![0],
            speed: 1.0,
            groups: groups.clone().map(GroupId::new).collect(),
            channels: Vec::new(),
            resident: [0; MemoryKind::ALL.len()],
        }],
        groups: groups
            .map(|price| Group {
                members: vec![LaneId::new(0)],
                price,
            })
            .collect(),
        channels: Vec::new(),
    };
    let lists = [vec![Fragment {
        block: 0,
        micro_batch: 0,
        stage: 0,
    }]];
    let mut driver = Lists::new(&lists, vec![0]);
    let options = Options {
        contention: input.contention,
        ..Options::default()
    };
    let mut network = Analytic::new(&[]);
    let control = Control::new();
    let run = run(
        &programs,
        &lanes,
        &mut driver,
        &mut network,
        input.shapes,
        &options,
        &control,
    );
    let Ok(run) = run else {
        return (f64::INFINITY, [0.0; Category::ALL.len()]);
    };
    let by_category = run.lanes[0]
        .by_category
        .map(|time| time.as_seconds().as_secs());
    (run.end.as_seconds().as_secs(), by_category)
}
