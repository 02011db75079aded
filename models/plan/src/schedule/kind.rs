//! The schedules by name.

use super::{
    Schedule, Vocabulary, dual_pipe, dual_pipe_v, forward_only, gpipe, interleaved, one_f_one_b,
    v_half, v_min, vocabulary_one_f_one_b, vocabulary_v_half, zb_h1, zb_h2, zb_v,
};

/// A schedule that we can generate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ScheduleKind {
    /// Forward passes alone.
    ForwardOnly,
    /// All forward, then all backward passes.
    GPipe,
    /// One forward, one backward.
    OneFOneB,
    /// 1F1B over several chunks a device.
    Interleaved,
    /// 1F1B with delayed weight gradients.
    ZbH1,
    /// As ZB-H1, with twice the warm-up.
    ZbH2,
    /// Two chunks a device like a V, without bubble.
    ZbV,
    /// As ZB-V, with half of 1F1B's activations.
    VHalf,
    /// As ZB-V, with a third of 1F1B's activations.
    VMin,
    /// 1F1B with the vocabulary over all devices, two barriers.
    Vocab1,
    /// 1F1B with the vocabulary over all devices, one barrier.
    Vocab2,
    /// V-Half with the vocabulary over all devices, two barriers.
    Vocab1VHalf,
    /// V-Half with the vocabulary over all devices, one barrier.
    Vocab2VHalf,
    /// Forward and backward passes of two micro-batches at once, from both ends.
    DualPipe,
    /// As `DualPipe`, cut in half: two chunks a device like a V.
    DualPipeV,
}

/// Why a schedule does not exist for these numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the messages are the documentation")]
pub enum ScheduleRefusal {
    #[error(
        "the interleaved schedule needs whole rounds of {pipeline} micro-batches (the pipeline's \
         size), but there are {micro_batches}"
    )]
    NotWholeRounds { micro_batches: u32, pipeline: u32 },
    #[error(
        "groups of {group} micro-batches lie outside {pipeline} (the pipeline's size) to \
         {micro_batches} (all micro-batches)"
    )]
    GroupSize {
        group: u32,
        pipeline: u32,
        micro_batches: u32,
    },
    #[error(
        "{micro_batches} micro-batches in groups of {group} leave a last group of {last_group}, \
         fewer than the pipeline's {pipeline}"
    )]
    LastGroup {
        last_group: u32,
        group: u32,
        pipeline: u32,
        micro_batches: u32,
    },
    #[error("the schedule {} has {expected} chunks a device, not {chunks}", .kind.name())]
    Chunks {
        kind: ScheduleKind,
        expected: u32,
        chunks: u32,
    },
    #[error(
        "the schedule {} needs {least} micro-batches or more, but there are {micro_batches}",
        .kind.name()
    )]
    TooFewMicroBatches {
        kind: ScheduleKind,
        least: u32,
        micro_batches: u32,
    },
    #[error("the schedule {} needs an even number of {what}, not {given}", .kind.name())]
    Odd {
        kind: ScheduleKind,
        what: &'static str,
        given: u32,
    },
    #[error("a schedule needs at least one device, one chunk and one micro-batch")]
    Zero,
}

impl ScheduleRefusal {
    /// What to change in the scenario, where we can tell.
    pub fn hint(&self) -> Option<String> {
        match *self {
            Self::NotWholeRounds {
                micro_batches,
                pipeline,
            } => {
                let up = micro_batches.div_ceil(pipeline) * pipeline;
                Some(format!(
                    "with pipeline {pipeline}, use {up} micro-batches, or the schedule \"1f1b\""
                ))
            }
            Self::GroupSize { pipeline, .. } | Self::LastGroup { pipeline, .. } => {
                Some(format!("groups of {pipeline} are the default"))
            }
            Self::Chunks { kind, expected, .. } => Some(if expected == 1 {
                format!(
                    "leave `vp` out, or use the schedule \"interleaved\" instead of \"{}\"",
                    kind.name()
                )
            } else {
                format!("set `vp = {expected}`, or leave it out")
            }),
            Self::TooFewMicroBatches { least, .. } => Some(format!(
                "take a smaller micro-batch or fewer replicas, so that {least} micro-batches come \
                 to each pipeline, or the schedule \"zb-v\""
            )),
            Self::Odd { kind, .. } => Some(format!(
                "the schedule \"{}\" takes any number of devices and micro-batches",
                if kind == ScheduleKind::DualPipe {
                    "dualpipev"
                } else {
                    "zb-v"
                }
            )),
            Self::Zero => Some("every count is at least 1".to_owned()),
        }
    }
}

impl ScheduleKind {
    /// Every schedule, in the order of declaration.
    pub const ALL: [Self; 15] = [
        Self::ForwardOnly,
        Self::GPipe,
        Self::OneFOneB,
        Self::Interleaved,
        Self::ZbH1,
        Self::ZbH2,
        Self::ZbV,
        Self::VHalf,
        Self::VMin,
        Self::Vocab1,
        Self::Vocab2,
        Self::Vocab1VHalf,
        Self::Vocab2VHalf,
        Self::DualPipe,
        Self::DualPipeV,
    ];

    /// The name as scenarios write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ForwardOnly => "forward-only",
            Self::GPipe => "gpipe",
            Self::OneFOneB => "1f1b",
            Self::Interleaved => "interleaved",
            Self::ZbH1 => "zb-h1",
            Self::ZbH2 => "zb-h2",
            Self::ZbV => "zb-v",
            Self::VHalf => "v-half",
            Self::VMin => "v-min",
            Self::Vocab1 => "vocab-1",
            Self::Vocab2 => "vocab-2",
            Self::Vocab1VHalf => "vocab-1-v-half",
            Self::Vocab2VHalf => "vocab-2-v-half",
            Self::DualPipe => "dualpipe",
            Self::DualPipeV => "dualpipev",
        }
    }

    /// The schedule of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The chunks a device holds where the schedule fixes their number.
    pub const fn fixed_chunks(self) -> Option<u32> {
        match self {
            Self::Interleaved => None,
            Self::ZbV
            | Self::VHalf
            | Self::VMin
            | Self::Vocab1VHalf
            | Self::Vocab2VHalf
            | Self::DualPipe
            | Self::DualPipeV => Some(2),
            _ => Some(1),
        }
    }

    /// Whether backward passes are split into input and weight gradients.
    pub const fn splits_backward(self) -> bool {
        matches!(
            self,
            Self::ZbH1
                | Self::ZbH2
                | Self::ZbV
                | Self::VHalf
                | Self::VMin
                | Self::Vocab1VHalf
                | Self::Vocab2VHalf
                | Self::DualPipe
                | Self::DualPipeV
        )
    }

    /// Whether a forward pass runs at the same time as a backward pass of another micro-batch.
    pub const fn has_pairs(self) -> bool {
        matches!(self, Self::DualPipe | Self::DualPipeV)
    }

    /// Whether every device holds copies of two stages, one for each direction.
    pub const fn is_two_directional(self) -> bool {
        matches!(self, Self::DualPipe)
    }

    /// How the vocabulary is spread over the devices, where it is.
    pub const fn vocabulary(self) -> Option<Vocabulary> {
        match self {
            Self::Vocab1 | Self::Vocab1VHalf => Some(Vocabulary::TwoBarriers),
            Self::Vocab2 | Self::Vocab2VHalf => Some(Vocabulary::OneBarrier),
            _ => None,
        }
    }

    /// The device of every virtual stage, without building the schedule.
    pub fn placement(self, n_devices: u32, n_chunks: u32) -> Vec<u32> {
        if self.fixed_chunks() == Some(2) {
            super::v_placement(n_devices)
        } else {
            super::looped_placement(n_devices, n_chunks)
        }
    }

    /// Whether the schedule exists for these numbers, without building it.
    ///
    /// # Errors
    ///
    /// [`ScheduleRefusal`] where it does not.
    pub fn accepts(
        self,
        n_devices: u32,
        n_chunks: u32,
        n_micro_batches: u32,
    ) -> Result<(), ScheduleRefusal> {
        if n_devices == 0 || n_chunks == 0 || n_micro_batches == 0 {
            return Err(ScheduleRefusal::Zero);
        }
        self.accepts_pairs(n_devices, n_micro_batches)?;
        match self.fixed_chunks() {
            Some(expected) if expected != n_chunks => Err(ScheduleRefusal::Chunks {
                kind: self,
                expected,
                chunks: n_chunks,
            }),
            None if !n_micro_batches.is_multiple_of(n_devices) => {
                Err(ScheduleRefusal::NotWholeRounds {
                    micro_batches: n_micro_batches,
                    pipeline: n_devices,
                })
            }
            _ => Ok(()),
        }
    }

    /// Whether there are enough micro-batches to run in pairs, and whole directions.
    fn accepts_pairs(self, n_devices: u32, n_micro_batches: u32) -> Result<(), ScheduleRefusal> {
        let numbers = [("devices", n_devices), ("micro-batches", n_micro_batches)];
        for (what, given) in numbers {
            if self.is_two_directional() && !given.is_multiple_of(2) {
                let kind = self;
                return Err(ScheduleRefusal::Odd { kind, what, given });
            }
        }
        if self.has_pairs() && n_micro_batches < 2 * n_devices {
            return Err(ScheduleRefusal::TooFewMicroBatches {
                kind: self,
                least: 2 * n_devices,
                micro_batches: n_micro_batches,
            });
        }
        Ok(())
    }

    /// Builds the schedule for `p` devices with `v` chunks each and `m` micro-batches.
    ///
    /// # Errors
    ///
    /// [`ScheduleRefusal`] where none exists for these numbers.
    pub fn generate(
        self,
        n_devices: u32,
        n_chunks: u32,
        n_micro_batches: u32,
    ) -> Result<Schedule, ScheduleRefusal> {
        self.accepts(n_devices, n_chunks, n_micro_batches)?;
        let (p, m) = (n_devices, n_micro_batches);
        Ok(match self {
            Self::ForwardOnly => forward_only(p, m),
            Self::GPipe => gpipe(p, m),
            Self::OneFOneB => one_f_one_b(p, m),
            Self::Interleaved => return interleaved(p, n_chunks, m),
            Self::ZbH1 => zb_h1(p, m),
            Self::ZbH2 => zb_h2(p, m),
            Self::ZbV => zb_v(p, m),
            Self::VHalf => v_half(p, m),
            Self::VMin => v_min(p, m),
            Self::Vocab1 => vocabulary_one_f_one_b(p, m, Vocabulary::TwoBarriers),
            Self::Vocab2 => vocabulary_one_f_one_b(p, m, Vocabulary::OneBarrier),
            Self::Vocab1VHalf => vocabulary_v_half(p, m, Vocabulary::TwoBarriers),
            Self::Vocab2VHalf => vocabulary_v_half(p, m, Vocabulary::OneBarrier),
            Self::DualPipe => dual_pipe(p, m),
            Self::DualPipeV => dual_pipe_v(p, m),
        })
    }
}
