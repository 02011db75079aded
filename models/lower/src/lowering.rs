//! A plan as programs, lists of fragments and lanes.

mod devices;
mod resident;

use cluster::Cluster;
use collective::Choice;
use network::Path;
use plan::classes::Classes;
use plan::{Assumption, Plan};
use profile::{CommProfile, Profile};
use task::{Fragment, Program, Slot, Work};
use trace::Detail;
use units::Bytes;
use workload::Job;
use workload::ops::ParamCount;

use crate::binding::{Binder, Binding};
use crate::book::book;
use crate::data_parallel::data_parallel;
use crate::departure;
use crate::fabric::{Fabric, FabricOptions, Tenant, Use, fabrics};
use crate::framework::Framework;
use crate::hop::boundary;
use crate::notes::notes;
use crate::program::DeviceProgram;
use crate::repeated::{Repeated, repeated};
use crate::slots::Slots;
use crate::step_buffers::StepBuffers;
use crate::writer::{Details, KernelFact, Worth};

use devices::Devices;
pub use resident::{beside_tensors, resident};

/// Everything that lowering reads.
#[derive(Clone, Copy, Debug)]
pub struct Inputs<'a> {
    /// Devices and links, degraded where a scenario says so.
    pub cluster: &'a Cluster,
    /// What is trained.
    pub job: &'a Job,
    /// How it is spread.
    pub plan: &'a Plan,
    /// What each kind of GPU achieves, by [`Cluster::kind_of`].
    pub profiles: &'a [Profile],
    /// The constants of collectives.
    pub comm: &'a CommProfile,
    /// The algorithm and protocol that NCCL is told to use.
    pub choice: &'a Choice,
    /// What the framework fuses, pads and issues.
    pub framework: &'a Framework,
}

/// How a plan is lowered.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LowerOptions {
    /// Whether every rank is a lane of its own.
    pub unfold: bool,
    /// How transfers between domains go over the links of the cluster; none where they cost what
    /// they cost alone.
    pub links: Option<FabricOptions>,
    /// Whether to keep the kernels inside steps.
    pub details: bool,
}

/// A plan, ready for the engine.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lowered {
    /// Programs, by device of the pipeline and kind of GPU.
    pub programs: Vec<Program>,
    /// The fragments of each program, in order.
    pub lists: Vec<Vec<Fragment>>,
    /// Worth of the prices of each block, by program.
    pub worth: Vec<Vec<Worth>>,
    /// Lanes, groups, channels and prices.
    pub binding: Binding,
    /// Paths between domains, where asked for.
    pub fabric: Option<Fabric>,
    /// The kernels inside steps, where asked for.
    pub details: Vec<Vec<Detail>>,
    /// What these kernels are, list by list.
    pub kernels: Vec<Vec<KernelFact>>,
    /// Parameters on a rank of each pipeline device.
    pub params: Vec<ParamCount>,
    /// What the optimizer's step takes on a rank of each pipeline device besides the state.
    pub step_buffers: Vec<StepBuffers>,
    /// Communicators that a rank takes part in.
    pub n_communicators: u32,
    /// Fragments that a lane holds at a time: what runs beside kernels may last that long.
    pub window: usize,
    /// Whether what leaves the GPUs finds room in their nodes, as far as these name it.
    pub outside_fits: bool,
    /// What of the plan was simplified, and how.
    pub notes: Vec<Assumption>,
}

/// Fragments that a lane holds at a time. A communication stream may fall that many passes
/// behind the kernels before they wait, as a framework's host runs ahead of its GPU. Gathers of
/// sharded weights run one piece ahead whatever it is: each waits for the end of the last piece
/// but one ([`crate::load`]), as FSDP's do.
const WINDOW: usize = 8;

impl Lowered {
    /// Paths for the network engine, in the order of their ids.
    pub fn paths(&self) -> &[Path] {
        self.fabric.as_ref().map_or(&[], |fabric| &fabric.paths)
    }
}

/// What runs beside a plan on GPUs of the same cluster.
#[derive(Clone, Copy, Debug)]
pub enum Beside<'a> {
    /// Another plan, which begins anew whenever it has ended.
    Plan(Inputs<'a>),
    /// A collective.
    Collective(Repeated<'a>),
}

/// Lowers a plan.
pub fn lower(inputs: &Inputs<'_>, options: LowerOptions) -> Lowered {
    let mut all = lower_beside(inputs, &[], options);
    all.swap_remove(0)
}

/// Lowers a plan and what runs beside it on the same cluster: first the plan, then the others.
/// They share the links and paths that the first one has.
pub fn lower_beside(
    inputs: &Inputs<'_>,
    beside: &[Beside<'_>],
    options: LowerOptions,
) -> Vec<Lowered> {
    let mut drafts = vec![draft(inputs, options)];
    drafts.extend(beside.iter().map(|beside| match beside {
        // Kernels inside steps are told of the plan that was asked about only.
        Beside::Plan(inputs) => draft(
            inputs,
            LowerOptions {
                details: false,
                ..options
            },
        ),
        Beside::Collective(of) => Draft {
            lowered: repeated(inputs.cluster, of),
            comm: of.comm,
            choice: of.choice,
            uses: vec![(0, of.kind, of.bytes)],
            message: Bytes::new(1),
        },
    }));
    if let Some(links) = &options.links {
        let mut tenants: Vec<Tenant<'_>> = drafts.iter_mut().map(Draft::tenant).collect();
        let fabrics = fabrics(inputs.cluster, &mut tenants, links);
        for (draft, fabric) in drafts.iter_mut().zip(fabrics) {
            draft.lowered.fabric = Some(fabric);
        }
    }
    drafts.into_iter().map(|draft| draft.lowered).collect()
}

/// A plan without its fabric.
struct Draft<'a> {
    lowered: Lowered,
    comm: &'a CommProfile,
    choice: &'a Choice,
    uses: Vec<Use>,
    message: Bytes,
}

impl Draft<'_> {
    fn tenant(&mut self) -> Tenant<'_> {
        Tenant {
            comm: self.comm,
            choice: *self.choice,
            binding: &mut self.lowered.binding,
            uses: self.uses.clone(),
            message: self.message,
        }
    }
}

fn draft<'a>(inputs: &Inputs<'a>, options: LowerOptions) -> Draft<'a> {
    let Inputs {
        cluster,
        job,
        plan,
        framework,
        ..
    } = *inputs;
    let book = book(cluster, job, plan, framework);
    let coarse = plan.classes(cluster);
    let classes = if options.unfold {
        Classes::singletons(plan.n_ranks())
    } else {
        coarse.clone()
    };
    let mut slots = Slots::new();
    let data = data_parallel(job, plan, framework, &mut slots);
    let hop = boundary(job, plan, framework, &book.sharding);
    let mut details = Details::default();
    let mut lowered = Lowered {
        window: WINDOW,
        notes: notes(inputs),
        ..Lowered::default()
    };
    let devices = Devices {
        inputs,
        book: &book,
        data: &data,
        hop,
    };
    let setups = devices.programs(&classes, &mut slots, options, &mut details, &mut lowered);
    let uses = uses(&lowered.programs);
    let mut in_use = vec![false; slots.groups().len()];
    for (slot, _, _) in &uses {
        in_use[usize::from(*slot)] = true;
    }
    lowered.n_communicators =
        u32::try_from(in_use.iter().filter(|used| **used).count()).unwrap_or(0) + 1;
    let binder = Binder {
        cluster,
        comm: inputs.comm,
        choice: inputs.choice,
        axes: framework.axes,
        ranks: plan.ranks(),
        gpu_of: &|rank| plan.gpu_of(rank),
        slots: slots.groups(),
        used: &in_use,
        lanes_of: &classes,
        shapes_of: &coarse,
        message: hop.bytes.max(Bytes::new(1)),
    };
    lowered.binding = binder.bind(setups.lanes, &setups.wires);
    departure::fill(&mut lowered.programs, &lowered.binding.lanes);
    lowered.details = details.lists;
    lowered.kernels = details.kernels;
    Draft {
        lowered,
        comm: inputs.comm,
        choice: inputs.choice,
        uses,
        message: hop.bytes.max(Bytes::new(1)),
    }
}

impl Lowered {
    fn add(&mut self, device: DeviceProgram) -> u32 {
        self.programs.push(device.program);
        self.lists.push(device.list);
        self.worth.push(device.worth);
        u32::try_from(self.programs.len() - 1).unwrap_or(u32::MAX)
    }
}

/// Every distinct collective of the programs.
fn uses(programs: &[Program]) -> Vec<Use> {
    let steps = programs
        .iter()
        .flat_map(|program| &program.blocks)
        .flat_map(|block| &block.steps);
    let mut uses: Vec<(Slot, _, _)> = steps
        .filter_map(|step| match step.work {
            Work::Collective { group, kind, bytes } => Some((group, kind, bytes)),
            _ => None,
        })
        .collect();
    uses.sort_unstable();
    uses.dedup();
    uses
}
