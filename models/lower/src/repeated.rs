//! Traffic beside training: a collective that some GPUs run again and again.

use cluster::Cluster;
use collective::{Choice, shape};
use profile::{CollectiveKind, CommProfile};
use task::{Block, Fragment, Group, LaneSetup, Lanes, Program, Step, Work};
use trace::{Category, StreamKind};
use units::{Bytes, ClassId, GpuId, GroupId, LaneId, Seconds};

use crate::binding::{Binding, Price};
use crate::fabric::TrafficKind;
use crate::lowering::Lowered;

/// A collective that begins anew after a pause.
#[derive(Clone, Copy, Debug)]
pub struct Repeated<'a> {
    /// What reports call it.
    pub name: &'a str,
    /// Who takes part, in order.
    pub gpus: &'a [GpuId],
    /// The operation.
    pub kind: CollectiveKind,
    /// Its size, as nccl-tests counts it.
    pub bytes: Bytes,
    /// From one start to the next; where the collective takes longer, the next one follows at
    /// once.
    pub every: Seconds,
    /// The constants of collectives.
    pub comm: &'a CommProfile,
    /// The algorithm and protocol that NCCL is told to use.
    pub choice: &'a Choice,
}

/// The collective as a job of one lane.
pub(crate) fn repeated(cluster: &Cluster, of: &Repeated<'_>) -> Lowered {
    let collective = Work::Collective {
        group: 0,
        kind: of.kind,
        bytes: of.bytes,
    };
    let step = |stream, work| Step::new(of.name, stream, Category::Other, work, Vec::new());
    let block = Block {
        name: of.name.to_owned(),
        steps: vec![
            step(StreamKind::Host, Work::Delay(of.every)),
            step(StreamKind::Ep, collective),
        ],
    };
    let lane = LaneSetup {
        class: ClassId::new(0),
        program: 0,
        name: of.name.to_owned(),
        stage: 0,
        ranks: vec![0],
        speed: 1.0,
        groups: vec![GroupId::new(0)],
        channels: Vec::new(),
        resident: [0; trace::MemoryKind::ALL.len()],
    };
    let price = Price {
        shape: shape(cluster, of.comm, of.gpus, &[]),
        slot: 0,
        kind: TrafficKind::Background,
        groups: vec![of.gpus.to_vec()],
    };
    Lowered {
        programs: vec![Program {
            blocks: vec![block],
            n_signals: 0,
        }],
        lists: vec![vec![Fragment {
            block: 0,
            micro_batch: 0,
            stage: trace::NO_INDEX,
        }]],
        binding: Binding {
            lanes: Lanes {
                lanes: vec![lane],
                groups: vec![Group {
                    members: vec![LaneId::new(0)],
                    price: 0,
                }],
                channels: Vec::new(),
            },
            prices: vec![price],
            routes: Vec::new(),
        },
        window: 1,
        outside_fits: true,
        ..Lowered::default()
    }
}
