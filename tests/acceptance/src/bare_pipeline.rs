//! A schedule on the engine with constant durations and nothing else: the pipelines of papers.

use engine::{Lists, Options, Phase, Pricing, Run, run};
use network::Analytic;
use plan::schedule::{Action, ActionKind, Schedule};
use profile::CollectiveKind;
use task::{Block, Channel, Fragment, LaneSetup, Lanes, Program, SendPrice, Step, Work};
use trace::{Category, MemoryKind, StreamKind};
use units::{Bytes, ClassId, Control, LaneId, Seconds};

/// Durations of one virtual stage and of the hop behind it, in seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StageTimes {
    /// The forward pass.
    pub forward: f64,
    /// The gradient of the input.
    pub input_grad: f64,
    /// The gradient of the weights; a whole backward pass takes the sum.
    pub weight_grad: f64,
    /// From this stage to the next, either way; it occupies no device.
    pub hop: f64,
}

impl StageTimes {
    /// A stage whose backward pass stays whole.
    pub const fn whole(forward: f64, backward: f64, hop: f64) -> Self {
        Self {
            forward,
            input_grad: backward / 2.0,
            weight_grad: backward / 2.0,
            hop,
        }
    }
}

struct NoCollectives;

impl Pricing for NoCollectives {
    fn phases(&self, _: u32, _: CollectiveKind, _: Bytes) -> Vec<Phase> {
        Vec::new()
    }
}

/// Runs a schedule on the engine.
///
/// # Panics
///
/// If the engine refuses it: tests hand in schedules that run.
pub fn simulate(schedule: &Schedule, times: &[StageTimes]) -> Run {
    let n_devices = schedule.n_devices();
    let mut lanes = Lanes::default();
    let mut programs = Vec::new();
    let mut lists = Vec::new();
    for device in 0..n_devices {
        let stages: Vec<u32> = schedule.stages_of(device).collect();
        let (program, list) = program(schedule, device, &stages, times);
        programs.push(program);
        lists.push(list);
        let device = u32::try_from(device).expect("few devices");
        lanes.lanes.push(LaneSetup {
            class: ClassId::new(device),
            program: device,
            name: format!("device {device}"),
            stage: device,
            ranks: vec![device],
            speed: 1.0,
            groups: Vec::new(),
            channels: (0..2 * u32::try_from(times.len()).expect("few stages")).collect(),
            resident: [0; MemoryKind::ALL.len()],
        });
    }
    for (stage, time) in times.iter().enumerate() {
        let here = schedule.device_of_stage()[stage];
        let next = schedule
            .device_of_stage()
            .get(stage + 1)
            .copied()
            .unwrap_or(here);
        let price = SendPrice {
            latency: Seconds::from_secs(time.hop),
            rate: None,
            path: None,
        };
        let (here, next) = (LaneId::new(here), LaneId::new(next));
        lanes.channels.push(Channel {
            from: here,
            to: next,
            price,
        });
        lanes.channels.push(Channel {
            from: next,
            to: here,
            price,
        });
    }
    let mut driver = Lists::new(&lists, (0..).take(n_devices).collect());
    let mut network = Analytic::new(&[]);
    let options = Options {
        record: true,
        ..Options::default()
    };
    let control = Control::new();
    run(
        &programs,
        &lanes,
        &mut driver,
        &mut network,
        &NoCollectives,
        &options,
        &control,
    )
    .expect("the schedule runs")
}

fn program(
    schedule: &Schedule,
    device: usize,
    stages: &[u32],
    times: &[StageTimes],
) -> (Program, Vec<Fragment>) {
    const KINDS: [ActionKind; 4] = [
        ActionKind::Forward,
        ActionKind::Backward,
        ActionKind::InputGrad,
        ActionKind::WeightGrad,
    ];
    let mut program = Program::default();
    for &stage in stages {
        program
            .blocks
            .extend(KINDS.map(|kind| block(schedule, stage, kind, times)));
    }
    let fragment = |action: &Action| {
        let chunk = stages
            .iter()
            .position(|stage| *stage == action.stage)
            .expect("its own stage");
        let kind = KINDS
            .iter()
            .position(|kind| *kind == action.kind)
            .expect("a pass of a stage");
        let block = u32::try_from(chunk * KINDS.len() + kind).expect("few blocks");
        Fragment {
            block,
            micro_batch: action.micro_batch,
            stage: action.stage,
        }
    };
    (
        program,
        schedule.actions(device).iter().map(fragment).collect(),
    )
}

fn block(schedule: &Schedule, stage: u32, kind: ActionKind, times: &[StageTimes]) -> Block {
    let at = stage as usize;
    let time = &times[at];
    let device = |stage: usize| schedule.device_of_stage().get(stage).copied();
    let crosses =
        |a: usize, b: usize| device(a).is_some() && device(b).is_some() && device(a) != device(b);
    let slot = |stage: usize, back: usize| u16::try_from(2 * stage + back).expect("few stages");
    let (secs, from, to) = match kind {
        ActionKind::Forward => (
            time.forward,
            (at != 0 && crosses(at - 1, at)).then(|| slot(at - 1, 0)),
            crosses(at, at + 1).then(|| slot(at, 0)),
        ),
        ActionKind::WeightGrad => (time.weight_grad, None, None),
        _ => {
            let whole = if kind == ActionKind::Backward {
                time.weight_grad
            } else {
                0.0
            };
            (
                time.input_grad + whole,
                crosses(at, at + 1).then(|| slot(at, 1)),
                (at != 0 && crosses(at - 1, at)).then(|| slot(at - 1, 1)),
            )
        }
    };
    let mut block = Block {
        name: format!("{kind:?}"),
        steps: Vec::new(),
    };
    let pp = |name: &str, work, after| Step::new(name, StreamKind::Pp, Category::Pp, work, after);
    let received =
        from.map(|channel| block.push(pp("receive", Work::Receive { channel }, Vec::new())));
    let compute = Step::compute(
        "pass",
        Seconds::from_secs(secs),
        received.into_iter().collect(),
    );
    let computed = block.push(compute);
    if let Some(channel) = to {
        let work = Work::Send {
            channel,
            bytes: Bytes::ZERO,
        };
        block.push(pp("send", work, vec![computed]));
    }
    block
}
