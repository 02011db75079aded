//! `[[background]]`: what runs beside the training job on the same cluster.

use units::{Bytes, Seconds};

use crate::fields::Fields;
use crate::shape::{duration, list, size, text, whole};

/// One of `[[background]]`: another job, or a collective that is run again and again.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Background {
    /// The scenario of another training job.
    pub scenario: Option<String>,
    /// The first of its GPUs, by number in the cluster.
    pub first_gpu: Option<u32>,
    /// A collective by name.
    pub collective: Option<String>,
    /// Its size.
    pub bytes: Option<Bytes>,
    /// Who takes part in it.
    pub ends: Vec<String>,
    /// From one start to the next.
    pub every: Option<Seconds>,
}

pub(crate) fn background(t: &mut Fields<'_, '_>) -> Background {
    t.exclude("scenario", "collective");
    let background = Background {
        scenario: t
            .get("scenario", "scenario of another training job, which runs on this cluster, iteration after iteration", text())
            .optional(),
        first_gpu: t
            .get("first_gpu", "the first GPU of the other job, by number in the cluster from 0", whole(0))
            .optional(),
        collective: t
            .get("collective", "a collective that is run again and again, as nccl-tests call it: all_reduce, alltoall and so on", text())
            .optional(),
        bytes: t.get("bytes", "size of the collective", size()).optional(),
        ends: t
            .get("ends", "GPUs of the collective: nodes (\"n2\"), GPUs (\"n2g0\") and ranges (\"n2-n3\"); absent: all of the cluster", list(text()))
            .or_default(),
        every: t
            .get("every", "from one start of the collective to the next; absent: it follows itself at once", duration())
            .optional(),
    };
    if !t.has("scenario") && !t.has("collective") {
        t.missing("collective", "a collective, or `scenario`");
    }
    if t.has("collective") && !t.has("bytes") {
        t.missing("bytes", "a size such as \"64 MiB\"");
    }
    background
}
