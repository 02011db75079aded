//! Random scenarios by family: what a plan may ask for that costs time in a way of its own.

use std::fmt::Write as _;

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

/// What sets plans apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Family {
    /// Dense models, `ZeRO`-0 and 1, schedules of Megatron.
    Dense,
    /// `ZeRO`-2 and 3, FSDP, hybrid shards.
    Sharded,
    /// The vocabulary over all stages.
    Vocabulary,
    /// Two chunks a device like a V, and deeper warm-ups.
    VShaped,
    /// Experts, some over borders of scale-up domains.
    Experts,
    /// GPUs of several kinds or speeds.
    Mixed,
    /// Activations, weights or the optimizer on the host.
    Offload,
    /// Adapters beside frozen weights.
    Adapters,
    /// Layers split unevenly.
    Uneven,
    /// Small models, whose kernels wait for the host.
    HostBound,
}

impl Family {
    pub(crate) const ALL: [Self; 10] = [
        Self::Dense,
        Self::Sharded,
        Self::Vocabulary,
        Self::VShaped,
        Self::Experts,
        Self::Mixed,
        Self::Offload,
        Self::Adapters,
        Self::Uneven,
        Self::HostBound,
    ];
}

/// A scenario as a file says it; not all of them can be.
pub(crate) fn drawn(family: Family, seed: u64) -> String {
    let mut draw = Draw(Pcg64Mcg::seed_from_u64(seed << 8 | family as u64));
    draw.scenario(family)
}

struct Draw(Pcg64Mcg);

impl Draw {
    fn of<T: Copy>(&mut self, options: &[T]) -> T {
        options[self.0.random_range(0..options.len())]
    }

    fn scenario(&mut self, family: Family) -> String {
        let (cluster, gpus) = self.cluster(family);
        let (model, layers) = self.model(family);
        let tp = self.tp(family);
        let pp = self.pp(family);
        let cp = if family == Family::Dense {
            self.of(&[1, 1, 1, 2])
        } else {
            1
        };
        let replica = tp * pp * cp;
        let dp = (gpus / replica).max(1);
        let micro_batch = self.of(&[1, 1, 2]);
        let rounds = self.of(&[1, 2, 4, 8, 32]);
        let n = pp * rounds * if pp == 1 { self.of(&[1, 4]) } else { 1 };
        let mut text = format!("schema = 1\n[model]\nconfig = \"{model}\"\n{cluster}");
        let seq_len = self.seq_len(family);
        let precision = if cluster.contains("t4") || cluster.contains("p3") {
            "fp16"
        } else {
            "bf16"
        };
        let _ = write!(
            text,
            "[training]\nglobal_batch = {}\nseq_len = {seq_len}\nprecision = \"{precision}\"\n",
            dp * micro_batch * n
        );
        if family == Family::Adapters {
            let _ = writeln!(
                text,
                "peft = {{ kind = \"lora\", rank = {} }}",
                self.of(&[8, 64])
            );
        }
        let _ = write!(
            text,
            "[plan]\ntp = {tp}\npp = {pp}\ncp = {cp}\nmicro_batch = {micro_batch}\n"
        );
        self.schedule(family, pp, &mut text);
        self.memory(family, dp * cp, &mut text);
        self.overlap(family, &mut text);
        if tp > 1 {
            let _ = writeln!(text, "sp = {}", self.of(&[true, false]));
        }
        match family {
            Family::Experts => self.experts(gpus / pp, &mut text),
            Family::Uneven => self.split(layers, pp, &mut text),
            Family::Offload => self.offload(&mut text),
            _ => {}
        }
        let _ = writeln!(text, "[framework]\nname = \"{}\"", self.framework(family));
        if family == Family::Mixed && !cluster.contains("[[cluster.nodes]]") {
            for _ in 0..self.of(&[1, 2]) {
                let gpu = self.0.random_range(0..8);
                let node = self.0.random_range(0..gpus / 8);
                let speed = self.of(&[0.6, 0.8, 0.95]);
                let _ = write!(
                    text,
                    "[[stragglers]]\ngpu = \"n{node}g{gpu}\"\nspeed = {speed}\n"
                );
            }
        }
        text
    }

    fn cluster(&mut self, family: Family) -> (String, u32) {
        if family == Family::Mixed && self.of(&[true, true, false]) {
            let (a, b) = self.of(&[
                ("p3.8xlarge", "g4dn.12xlarge"),
                ("p4d.24xlarge", "p3.16xlarge"),
            ]);
            let each = if a == "p3.8xlarge" { 4 } else { 8 };
            let [x, y] = [self.of(&[1, 2, 3, 4]), self.of(&[1, 2, 3, 4])];
            let text = format!(
                "[cluster]\nfabric = \"ena\"\n[[cluster.nodes]]\nkind = \"{a}\"\ncount = {x}\ngpus = {each}\n\
                 [[cluster.nodes]]\nkind = \"{b}\"\ncount = {y}\ngpus = {each}\n"
            );
            return (text, (x + y) * each);
        }
        let (name, each) = match family {
            Family::Experts => self.of(&[
                ("dgx-h100", 8),
                ("gb200-nvl72", 4),
                ("dgx-a100", 8),
                ("h800", 8),
            ]),
            _ => self.of(&[
                ("dgx-h100", 8),
                ("dgx-a100", 8),
                ("dgx-h200", 8),
                ("p4d", 8),
                ("dgx-b200", 8),
                ("mi300x", 8),
            ]),
        };
        let nodes = if name == "gb200-nvl72" {
            self.of(&[18, 36])
        } else {
            self.of(&[1, 2, 4, 8])
        };
        let text = format!("[cluster]\nname = \"{name}\"\nnodes = {nodes}\n");
        (text, nodes * each)
    }

    fn model(&mut self, family: Family) -> (&'static str, u32) {
        match family {
            Family::Experts => self.of(&[
                ("mixtral-8x7b", 32),
                ("qwen3-30b-a3b", 48),
                ("deepseek-v2-lite", 27),
                ("olmoe-1b-7b", 16),
            ]),
            Family::HostBound => self.of(&[
                ("gpt3-small", 12),
                ("gpt3-medium", 24),
                ("gpt3-xl", 24),
                ("bert-base-pretraining", 12),
                ("qwen2-0.5b", 24),
                ("llama3.2-1b", 16),
            ]),
            Family::Mixed => self.of(&[("gpt3-xl", 24), ("gpt3-2.7b", 32), ("llama3-8b", 32)]),
            _ => self.of(&[
                ("llama3-8b", 32),
                ("llama3-70b", 80),
                ("gpt3-13b", 40),
                ("gpt3-6.7b", 32),
                ("qwen2.5-14b", 48),
                ("gemma-7b", 28),
            ]),
        }
    }

    fn tp(&mut self, family: Family) -> u32 {
        match family {
            Family::Sharded | Family::HostBound => self.of(&[1, 1, 2]),
            Family::Experts => self.of(&[1, 1, 2, 4]),
            Family::Mixed => self.of(&[1, 2, 4]),
            _ => self.of(&[1, 2, 4, 8]),
        }
    }

    fn pp(&mut self, family: Family) -> u32 {
        match family {
            Family::Sharded => self.of(&[1, 1, 1, 2]),
            Family::Vocabulary | Family::VShaped | Family::Uneven => self.of(&[2, 4, 8]),
            Family::Offload | Family::Adapters => self.of(&[1, 2, 4]),
            _ => self.of(&[1, 2, 4, 8]),
        }
    }

    fn seq_len(&mut self, family: Family) -> u32 {
        match family {
            Family::HostBound => self.of(&[128, 512]),
            Family::Mixed => self.of(&[512, 1024]),
            _ => self.of(&[2048, 4096, 8192]),
        }
    }

    fn schedule(&mut self, family: Family, pp: u32, text: &mut String) {
        let name = match family {
            Family::Vocabulary => {
                self.of(&["vocab-1", "vocab-2", "vocab-1-v-half", "vocab-2-v-half"])
            }
            Family::VShaped => self.of(&["zb-v", "v-half", "v-min", "zb-h2"]),
            _ if pp == 1 => "1f1b",
            _ => self.of(&["1f1b", "1f1b", "interleaved", "gpipe", "zb-h1"]),
        };
        let _ = writeln!(text, "schedule = \"{name}\"");
        if name == "interleaved" {
            let _ = writeln!(text, "vp = 2");
        }
        let recompute = self.of(&["none", "selective", "full"]);
        let _ = writeln!(text, "recompute = \"{recompute}\"");
    }

    fn memory(&mut self, family: Family, data: u32, text: &mut String) {
        let shard = if family == Family::Sharded {
            let group = (data / self.of(&[1, 2, 4])).max(1);
            match self.of(&[0, 1, 2, 2, 3]) {
                0 => "\"zero-2\"".to_owned(),
                1 => "\"zero-3\"".to_owned(),
                2 => format!("[{{ what = \"weights\", group = {group} }}]"),
                _ => format!(
                    "[{{ what = \"weights\", group = {group} }}, {{ what = \"optimizer\", group = {data} }}]"
                ),
            }
        } else {
            self.of(&["\"none\"", "\"zero-1\"", "\"zero-1\""])
                .to_owned()
        };
        let _ = writeln!(text, "shard = {shard}");
    }

    fn overlap(&mut self, family: Family, text: &mut String) {
        let [reduce, gather] = [self.of(&[true, false]), self.of(&[true, false])];
        let p2p = self.of(&[true, true, false]);
        let ep = family == Family::Experts && self.of(&[true, false]);
        let _ = writeln!(
            text,
            "overlap = {{ grad_reduce = {reduce}, param_gather = {gather}, p2p = {p2p}, ep = {ep} }}"
        );
    }

    fn experts(&mut self, data: u32, text: &mut String) {
        let ep = self.of(&[1, 2, 4, 8, 8, 16, 32]).min(data);
        let _ = writeln!(text, "ep = {ep}\netp = {}", self.of(&[1, 1, 2]));
        let dispatcher = self.of(&["alltoall", "alltoall", "allgather", "deepep"]);
        let _ = writeln!(text, "moe = {{ dispatcher = \"{dispatcher}\" }}");
    }

    /// A number of layers for every stage.
    fn split(&mut self, layers: u32, pp: u32, text: &mut String) {
        let mut counts = vec![layers / pp; pp as usize];
        counts[0] += layers % pp;
        for _ in 0..pp {
            let [from, to] = [0, 0].map(|_: u32| self.0.random_range(0..pp as usize));
            if 1 < counts[from] {
                counts[from] -= 1;
                counts[to] += 1;
            }
        }
        let _ = writeln!(text, "layer_split = {counts:?}");
    }

    fn offload(&mut self, text: &mut String) {
        let what = self.of(&["activations", "optimizer", "weights"]);
        let share = self.of(&[0.5, 1.0]);
        let _ = writeln!(text, "offload = {{ {what} = {share} }}");
    }

    fn framework(&mut self, family: Family) -> &'static str {
        match family {
            Family::Sharded => self.of(&["torchtitan", "composer-fsdp", "megatron-core"]),
            _ => self.of(&["megatron-core", "megatron-core", "megatron-lm-2021"]),
        }
    }
}
