//! The passes of a spread vocabulary: what one device does for its part, and the barriers.
//!
//! ```text
//! embedding forward    look up ── sum to the first stage
//! vocabulary forward   last stage's output to all ── logits, softmax ── sums of all devices
//! vocabulary backward  gradients of the part ── sum of input gradients to the last stage
//! embedding backward   first stage's gradient to all ── gradient of the part
//! ```
//!
//! With two barriers the input gradient belongs to the backward pass; with one it is computed
//! unscaled in the forward pass, and corrected when the sums are known. Sums and broadcasts are
//! collectives over the pipeline's ranks, each on a stream of their own; a pass that needs a sum
//! waits for a signal, so kernels go on beside them.
//!
//! Source: Yeung, Qi, Lin and Wan, "Balancing Pipeline Parallelism with Vocabulary
//! Parallelism", `MLSys` 2025, algorithms 1 and 2, and section 5.3 for the input layer.

use std::ops::Range;

use plan::schedule::Vocabulary;
use plan::{ActionKind, Offload, Plan};
use profile::{CollectiveKind, Kernel, Stream, StreamKind as KernelKind};
use task::{Block, Signal, Slot, Step, StepId, Work};
use trace::{Category, MemoryKind, Pass, StreamKind};
use units::{Bytes, Seconds};
use workload::ops::{Axis, Op};

use crate::axes;
use crate::barrier;
use crate::chunk::{GATHERED, Variant};
use crate::load::{Load, Loader, release, unload};
use crate::memory::{borrow, free, keeps, take, workspace};
use crate::passes::last_of;
use crate::piece::Piece;
use crate::reduce::Reducer;
use crate::site::{HostPart, Site, host_step};
use crate::slots::{SlotGroup, Slots};
use crate::writer::{Details, Worth, Writer};

/// The part of a spread vocabulary on one device.
pub(crate) struct SpreadPart<'a> {
    pub(crate) site: Site<'a>,
    pub(crate) words: &'a Piece,
    pub(crate) output: &'a Piece,
    pub(crate) algorithm: Vocabulary,
    /// Devices of the pipeline.
    pub(crate) devices: u32,
    /// Whether the first and the last stage are on this device.
    pub(crate) ends: [bool; 2],
    /// Hidden states of a micro-batch on one rank.
    pub(crate) states: Bytes,
    /// Tokens whose statistics a rank holds.
    pub(crate) tokens: u64,
    /// Pieces that the gather after the optimizer step brings before the words and before the
    /// output layer.
    pub(crate) gathered_before: [u32; 2],
    /// Where one device shares its states with all.
    pub(crate) sharing: Sharing,
}

/// The communicator of broadcasts, and the stream that they run on.
///
/// On the stream of the sums a broadcast would wait until every device had added to all sums
/// before it, and a device that is a pass behind would hold up all others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sharing {
    pub(crate) group: Slot,
    pub(crate) stream: StreamKind,
}

/// Where a spread vocabulary shares the states of one device: on the first stream that the plan
/// leaves free.
pub(crate) fn sharing(plan: &Plan, slots: &mut Slots) -> Sharing {
    let degrees = plan.degrees();
    let free = [
        (degrees.cp == 1, StreamKind::Cp),
        (degrees.ep == 1, StreamKind::Ep),
        (plan.offload() == Offload::NONE, StreamKind::Offload),
    ];
    let free = free.into_iter().find(|(free, _)| *free);
    let (group, stream) = match (plan.vocabulary(), free) {
        (Some(_), Some((_, stream))) => (slots.of(SlotGroup::Pipeline), stream),
        _ => (axes::slot(Axis::Pp), StreamKind::Pp),
    };
    Sharing { group, stream }
}

impl SpreadPart<'_> {
    /// The block of one of the four passes.
    pub(crate) fn pass(
        &self,
        kind: ActionKind,
        variant: Variant,
        details: Option<&mut Details>,
    ) -> (Block, Worth) {
        let mut w = Writer::new(name(kind), self.site.profile, details);
        w.set_pass(match kind {
            ActionKind::EmbeddingForward | ActionKind::VocabularyForward => Pass::Forward,
            _ => Pass::Backward,
        });
        let host = w.push_beside(host_step());
        match kind {
            ActionKind::EmbeddingForward => self.embedding_forward(&mut w, host, variant),
            ActionKind::VocabularyForward => self.vocabulary_forward(&mut w, host, variant),
            ActionKind::VocabularyBackward => self.vocabulary_backward(&mut w, host, variant),
            _ => self.embedding_backward(&mut w, host, variant),
        }
        w.finish()
    }

    fn embedding_forward(&self, w: &mut Writer<'_>, host: StepId, variant: Variant) {
        let load = self.load(self.words, true, variant);
        self.bring(w, &load);
        w.set_label("words");
        let steps = w.write(&self.words.ops.forward);
        self.wait_first(w, &steps, variant, self.gathered_before[0]);
        borrow_workspace(w, &steps, &self.words.ops.forward);
        self.let_go(w, &load, &steps);
        self.site.close(w, host, &[], HostPart::default());
        let mut chain = Chain::behind(w);
        chain.push(
            w,
            self.collective("sum embeddings", CollectiveKind::Reduce, self.states),
        );
        chain.raise(w, ActionKind::EmbeddingForward);
        self.partial(w, &steps, &chain, self.ends[0]);
    }

    fn vocabulary_forward(&self, w: &mut Writer<'_>, host: StepId, variant: Variant) {
        let load = self.load(self.output, true, variant);
        self.bring(w, &load);
        let arrives = self.arrive(w, "share states", self.ends[1]);
        w.set_label("logits");
        let ops = self.early_ops();
        let steps = w.write(ops.iter().copied());
        self.wait_first(w, &steps, variant, self.gathered_before[1]);
        if let Some(first) = arrives.map(usize::from).or(steps.clone().next()) {
            w.remember(first, take(keeps(self.output), self.output.kept));
        }
        borrow_workspace(w, &steps, ops.iter().copied());
        self.let_go(w, &load, &steps);
        self.site.close(w, host, &[], HostPart::default());
        let mut chain = Chain::behind(w);
        self.statistics(w, &mut chain);
        if self.algorithm == Vocabulary::OneBarrier {
            chain.push(w, Some(self.correction()));
            let sum = self.collective("sum gradients", CollectiveKind::Reduce, self.states);
            chain.push(w, sum);
        }
        chain.raise(w, ActionKind::VocabularyForward);
        if self.algorithm == Vocabulary::OneBarrier {
            self.partial(w, &steps, &chain, self.ends[1]);
        }
    }

    fn vocabulary_backward(&self, w: &mut Writer<'_>, host: StepId, variant: Variant) {
        let load = self.load(self.output, false, variant);
        self.bring(w, &load);
        w.set_label("logits");
        let ops = &self.output.ops;
        let start = w.n_steps();
        let mut chain = Chain::default();
        if self.algorithm == Vocabulary::TwoBarriers {
            chain.after = w.write_open(&ops.input_grad);
            w.write(&ops.weight_grad);
        } else {
            w.write(self.late_ops());
        }
        let steps = start..w.n_steps();
        borrow_workspace(w, &steps, ops.input_grad.iter().chain(&ops.weight_grad));
        self.let_go(w, &load, &steps);
        self.end(w, self.output, &steps, variant);
        self.site.close(w, host, &[], HostPart::default());
        if self.algorithm == Vocabulary::TwoBarriers {
            let sum = self.collective("sum gradients", CollectiveKind::Reduce, self.states);
            chain.push(w, sum);
            chain.raise(w, ActionKind::VocabularyBackward);
            self.partial(w, &steps, &chain, self.ends[1]);
        }
    }

    fn embedding_backward(&self, w: &mut Writer<'_>, host: StepId, variant: Variant) {
        if !self.words.has_backward() {
            return;
        }
        let arrives = self.arrive(w, "share gradients", self.ends[0]);
        w.set_label("words");
        let steps = w.write(self.words.ops.backward());
        if let (Some(step), Some(last)) = (arrives, last_of(&steps)) {
            w.remember(
                usize::from(step),
                take(MemoryKind::Communication, self.states),
            );
            w.remember(
                usize::from(last),
                free(MemoryKind::Communication, self.states),
            );
        }
        borrow_workspace(w, &steps, self.words.ops.backward());
        self.end(w, self.words, &steps, variant);
        self.site.close(w, host, &[], HostPart::default());
    }

    /// The forward operators, and with one barrier the input gradient of an unscaled softmax.
    fn early_ops(&self) -> Vec<&Op> {
        let ops = &self.output.ops;
        let gradient = ops.input_grad.iter().filter(|op| op.name != LOSS);
        let gradient = gradient.take_while(|_| self.algorithm == Vocabulary::OneBarrier);
        ops.forward.iter().chain(gradient).collect()
    }

    /// With one barrier: the softmax scaled, and the weight gradient.
    fn late_ops(&self) -> impl Iterator<Item = &Op> {
        let ops = &self.output.ops;
        let scale = ops.input_grad.iter().filter(|op| op.name == LOSS);
        scale.chain(&ops.weight_grad)
    }

    /// What this device has for all, as a block of its own in front of its pass: it leaves as soon
    /// as it is there, whatever kernels stand in between.
    pub(crate) fn share(&self, kind: ActionKind, there: Signal) -> Option<Block> {
        let name = match kind {
            ActionKind::VocabularyForward if self.ends[1] => "share states",
            ActionKind::EmbeddingBackward if self.ends[0] => "share gradients",
            _ => return None,
        };
        if kind == ActionKind::EmbeddingBackward && !self.words.has_backward() {
            return None;
        }
        let mut step = self.broadcast(name)?;
        step.wait = Some(there);
        Some(Block {
            name: "share".to_owned(),
            steps: vec![step],
        })
    }

    /// Receives what another device has for all; a step on devices that receive.
    fn arrive(&self, w: &mut Writer<'_>, name: &str, is_root: bool) -> Option<StepId> {
        let step = self.broadcast(name).filter(|_| !is_root)?;
        let step = w.push_beside(step);
        w.wait_for(step);
        Some(step)
    }

    fn broadcast(&self, name: &str) -> Option<Step> {
        let mut step = self.collective(name, CollectiveKind::Broadcast, self.states)?;
        step.stream = self.sharing.stream;
        step.work = Work::Collective {
            group: self.sharing.group,
            kind: CollectiveKind::Broadcast,
            bytes: self.states,
        };
        Some(step)
    }

    /// The largest logit of each token, then the sum of exponentials and the target's logit.
    fn statistics(&self, w: &mut Writer<'_>, chain: &mut Chain) {
        let row = Bytes::new(4 * self.tokens);
        for (name, bytes) in [("largest logit", row), ("softmax sums", row * 2)] {
            chain.push(w, self.collective(name, CollectiveKind::AllReduce, bytes));
        }
    }

    /// Input gradients scaled by the statistics, beside other kernels.
    fn correction(&self) -> Step {
        let kernel = Kernel::Stream(Stream {
            kind: KernelKind::Residual,
            bytes: self.states * 3,
            launches: 1,
        });
        let time = self.site.profile.time(&kernel).time + self.site.profile.launch();
        let (stream, category) = (StreamKind::Pp, Category::Pp);
        Step::new(
            "scale gradients",
            stream,
            category,
            Work::Delay(time),
            Vec::new(),
        )
    }

    /// A collective over the devices; none where there is one.
    fn collective(&self, name: &str, kind: CollectiveKind, bytes: Bytes) -> Option<Step> {
        let group = axes::slot(Axis::Pp);
        let work = Work::Collective { group, kind, bytes };
        let (stream, category) = (StreamKind::Pp, Category::Pp);
        (1 < self.devices).then(|| Step::new(name, stream, category, work, Vec::new()))
    }

    /// This device's part of a sum over devices lives until the sum has ended; the whole on the
    /// device that needs it until its pass, which gives it back.
    fn partial(&self, w: &mut Writer<'_>, steps: &Range<usize>, chain: &Chain, needs_it: bool) {
        let Some(first) = steps.clone().next() else {
            return;
        };
        w.remember(first, take(MemoryKind::Communication, self.states));
        if let (false, Some(&last)) = (needs_it, chain.after.last()) {
            w.remember(
                usize::from(last),
                free(MemoryKind::Communication, self.states),
            );
        }
    }

    /// What ends a micro-batch's use of a piece: its gradients are summed, its tensors go.
    fn end(&self, w: &mut Writer<'_>, piece: &Piece, steps: &Range<usize>, variant: Variant) {
        if let Some(last) = last_of(steps).map(usize::from) {
            w.remember(last, free(keeps(piece), piece.kept));
            release(&self.site, w, piece, last, variant.reduces);
        }
        let first = steps.clone().next();
        Reducer::default().reduce(&self.site, w, piece, first, variant);
    }

    fn load<'p>(&self, piece: &'p Piece, forward: bool, variant: Variant) -> Load<'p> {
        let data = self.site.data;
        let (runs, again) = if forward {
            (true, !data.gather_once || variant.first)
        } else {
            let multiplies = self.algorithm == Vocabulary::TwoBarriers;
            (multiplies, !data.gather_once && !data.keep_after_forward)
        };
        Load {
            piece,
            gather: data.gather_each_pass && runs && again,
            weights: self.site.copies.weights() && runs,
            activations: Bytes::ZERO,
        }
    }

    fn bring(&self, w: &mut Writer<'_>, load: &Load<'_>) {
        if load.is_nothing() {
            return;
        }
        let loader = Loader::new(&self.site, w);
        for step in loader.load(&self.site, w, load, 0, true) {
            w.wait_for(step);
        }
    }

    /// Gives back what was brought, unless it stays for the backward pass.
    fn let_go(&self, w: &mut Writer<'_>, load: &Load<'_>, steps: &Range<usize>) {
        if let (false, Some(last)) = (self.site.data.keeps_weights(), last_of(steps)) {
            unload(&self.site, w, load, last);
        }
    }

    /// In the first pass of an iteration the piece's parameters may still be on their way.
    fn wait_first(&self, w: &mut Writer<'_>, steps: &Range<usize>, variant: Variant, before: u32) {
        if variant.first && self.site.data.gathers_beside() && !steps.is_empty() {
            let (id, count) = (GATHERED, before + 1);
            w.step_mut(steps.start).wait = Some(Signal { id, count });
        }
    }
}

/// Steps of a barrier, one after the other, beside the kernels of later blocks.
#[derive(Debug, Default)]
struct Chain {
    after: Vec<StepId>,
}

impl Chain {
    /// Behind everything that has been written.
    fn behind(w: &mut Writer<'_>) -> Self {
        Self {
            after: w.frontier().to_vec(),
        }
    }

    fn push(&mut self, w: &mut Writer<'_>, step: Option<Step>) {
        let Some(mut step) = step else { return };
        step.after = std::mem::take(&mut self.after);
        self.after = vec![w.push_beside(step)];
    }

    /// Ends the barrier.
    fn raise(&mut self, w: &mut Writer<'_>, kind: ActionKind) {
        let work = Work::Delay(Seconds::ZERO);
        let (stream, category) = (StreamKind::Pp, Category::Pp);
        let mut step = Step::new("barrier", stream, category, work, Vec::new());
        step.raise = Some(barrier::signal(kind));
        self.push(w, Some(step));
    }
}

fn borrow_workspace<'o>(
    w: &mut Writer<'_>,
    steps: &Range<usize>,
    ops: impl IntoIterator<Item = &'o Op>,
) {
    if !steps.is_empty() {
        w.remember(steps.start, borrow(workspace(ops)));
    }
}

const fn name(kind: ActionKind) -> &'static str {
    match kind {
        ActionKind::EmbeddingForward => "embedding-forward",
        ActionKind::VocabularyForward => "vocabulary-forward",
        ActionKind::VocabularyBackward => "vocabulary-backward",
        _ => "embedding-backward",
    }
}

/// The kernel that turns logits into a loss, and forward into backward statistics.
const LOSS: &str = "cross_entropy";
