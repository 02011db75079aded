//! What a span of a timeline is made of, with what its times are founded on.

use predict::{CommunicationFact, Facts, KernelFact, Scenario};
use profile::{Kernel, Packing, Provenance};
use trace::{SpanId, Trace};
use units::{Bytes, Seconds};

use crate::origin::Worth;
use crate::simulate::Ready;

/// What the spans of a timeline are made of: prepared once, asked span by span.
#[derive(Clone, Debug)]
pub struct SpanFacts {
    facts: Facts,
    scenario: Scenario,
}

/// What a span is made of.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SpanFact {
    /// The kernels inside, in order.
    pub operators: Vec<OperatorFact>,
    /// The collective or message that it is; several where the name alone does not say which.
    pub communication: Vec<CommunicationFact>,
    /// What its kernels take when nothing else runs; less than the span where communication beside
    /// it, a slow GPU or jitter hold it up.
    pub undisturbed: Seconds,
}

/// A kernel with its shape.
#[derive(Clone, Debug, PartialEq)]
pub struct OperatorFact {
    /// The operator.
    pub name: &'static str,
    /// Its shape in words, such as `8192 x 4096 x 1024 bf16`; empty where its time was measured as a
    /// whole.
    pub shape: String,
    /// Floating-point operations; 0 for memory-bound kernels.
    pub flops: f64,
    /// Bytes that it reads and writes at least once.
    pub bytes: Bytes,
    /// Its duration when nothing else runs.
    pub time: Seconds,
    /// Operations a second that it reaches; none for memory-bound kernels.
    pub flops_per_s: Option<f64>,
    /// Bytes a second that it moves at least.
    pub bytes_per_s: f64,
    /// What the time is worth.
    pub worth: Worth,
}

impl SpanFacts {
    /// Prepares the timeline of a scenario: some milliseconds to seconds, as lowering takes.
    pub fn new(ready: &Ready) -> Self {
        Self {
            facts: Facts::of(&ready.scenario),
            scenario: ready.scenario.clone(),
        }
    }

    /// What a span of the scenario's timeline is made of; none where the trace has no such span. Of
    /// another scenario's timeline the answer means nothing.
    pub fn of(&self, trace: &Trace, span: SpanId) -> Option<SpanFact> {
        let span = trace.spans.get(span as usize)?;
        let operators: Vec<OperatorFact> = self.facts.kernels(span).iter().map(operator).collect();
        let undisturbed = operators.iter().map(|one| one.time).sum();
        let communication = if operators.is_empty() {
            self.facts.communication(&self.scenario, trace, span)
        } else {
            Vec::new()
        };
        Some(SpanFact {
            operators,
            communication,
            undisturbed,
        })
    }

    /// The tables that times of kernels come from: what, what it is worth, and its source.
    pub fn tables(&self) -> Vec<(String, Worth, String)> {
        let profiles = self.scenario.profiles.iter();
        let sources = profiles.flat_map(|profile| {
            let own = profile.sources().into_iter();
            own.map(|(what, worth, source)| {
                (format!("{}: {what}", profile.name()), worth.into(), source)
            })
        });
        sources.collect()
    }
}

impl From<Provenance> for Worth {
    fn from(worth: Provenance) -> Self {
        match worth {
            Provenance::Measured => Self::Measured,
            Provenance::Interpolated => Self::Interpolated,
            Provenance::Extrapolated => Self::Extrapolated,
            Provenance::Nominal => Self::Nominal,
        }
    }
}

fn operator(fact: &KernelFact) -> OperatorFact {
    let flops = fact.kernel.map_or(0.0, |kernel| kernel.flops().as_f64());
    let bytes = fact.kernel.map_or(Bytes::ZERO, |kernel| kernel.bytes());
    let secs = fact.time.as_secs();
    OperatorFact {
        name: fact.name,
        shape: fact.kernel.as_ref().map(shape).unwrap_or_default(),
        flops,
        bytes,
        time: fact.time,
        flops_per_s: (0.0 < flops && 0.0 < secs).then(|| flops / secs),
        bytes_per_s: if 0.0 < secs {
            bytes.as_f64() / secs
        } else {
            0.0
        },
        worth: fact.worth.into(),
    }
}

/// The shape of a kernel in words.
fn shape(kernel: &Kernel) -> String {
    match kernel {
        Kernel::Gemm(gemm) => {
            let packed = match gemm.packing {
                Packing::Single => String::new(),
                Packing::Batched(count) => format!(", {count} products"),
                Packing::Grouped(count) => format!(", {count} groups"),
            };
            format!(
                "m {} x n {} x k {} {}{packed}",
                gemm.m, gemm.n, gemm.k, gemm.dtype
            )
        }
        Kernel::Attention(of) => format!(
            "{} x {} queries x {} keys, {} heads of {}, {} key heads, {}",
            of.batch, of.q_len, of.kv_len, of.heads, of.qk_dim, of.kv_heads, of.dtype
        ),
        Kernel::Scan(of) => format!(
            "{} tokens, {} heads of {}, state {}, {}",
            of.tokens, of.heads, of.head_dim, of.state, of.dtype
        ),
        Kernel::Stream(of) => format!("{} in {} launches", of.bytes, of.launches),
    }
}

#[cfg(test)]
mod tests {
    use trace::Category;
    use units::Control;

    use super::*;
    use crate::{Draft, Record};

    fn run(name: &str, edits: &[(&str, &str)]) -> (Ready, Trace) {
        let draft = Draft::example(name).unwrap();
        let draft = edits.iter().fold(draft, |draft, (field, value)| {
            draft.set(field, value).unwrap()
        });
        let ready = draft.open().unwrap().ready().unwrap();
        let outcome = ready.run(Record::Trace, &Control::new()).unwrap();
        (ready, outcome.trace.unwrap())
    }

    #[test]
    fn the_operators_of_a_span_are_its_details_with_shapes() {
        let (ready, trace) = run("llama3-70b-dgx-h100", &[("training.global_batch", "16")]);
        let facts = SpanFacts::new(&ready);
        let mut seen = 0;
        for (id, span) in (0..).zip(&trace.spans) {
            let Some(details) = trace.details.get(span.detail as usize) else {
                continue;
            };
            let fact = facts.of(&trace, id).unwrap();
            assert_eq!(fact.operators.len(), details.len());
            for (own, detail) in fact.operators.iter().zip(details) {
                assert_eq!((own.name, own.time), (detail.name.as_str(), detail.time));
                seen += usize::from(own.flops_per_s.is_some());
                // Some hundred TFLOP/s at most.
                assert!(own.flops_per_s.unwrap_or(0.0) < 1.2e15, "{own:?}");
            }
        }
        assert!(seen > 0);
        assert!(!facts.tables().is_empty());
    }

    #[test]
    fn collectives_and_messages_know_their_bytes() {
        for engine in ["flow", "analytic"] {
            let edits = [("training.global_batch", "16"), ("settings.engine", engine)];
            let (ready, trace) = run("llama3-70b-dgx-h100", &edits);
            let facts = SpanFacts::new(&ready);
            let mut kinds = std::collections::BTreeSet::new();
            for (id, span) in (0..).zip(&trace.spans) {
                // Marks of no duration carry nothing.
                if !span.category.is_communication() || span.start == span.end {
                    continue;
                }
                let fact = facts.of(&trace, id).unwrap();
                let name = trace.names.get(span.name);
                assert!(!fact.communication.is_empty(), "{name} {span:?}");
                assert!(fact.communication.iter().all(|one| 0 < one.bytes.as_u64()));
                if span.category == Category::Tp {
                    assert_eq!(fact.communication[0].ranks, 8);
                    assert!(fact.communication[0].algorithm.is_some());
                }
                kinds.insert(span.category);
            }
            assert!(kinds.contains(&Category::Pp) && kinds.contains(&Category::Tp));
        }
    }
}
