//! What is taken where the table does not give a flag.

use crate::Rule;

pub(super) const DEFAULT: Rule = Rule::new(
    "megatron-default",
    "Megatron-LM's default, NVIDIA/Megatron-LM megatron/training/arguments.py",
);
pub(super) const VOCABULARY: Rule = Rule::new(
    "ci-vocabulary",
    "the tokenizer of the case's family: GPT-2 50,257, Nemotron 256,000, Llama 2 32,000, BERT uncased 30,522 and cased 28,996 with T5's 100 extra",
);
pub(super) const PADDING: Rule = Rule::new(
    "ci-deepseek-proxy",
    "cases with latent attention and experts pad the vocabulary to 3,232 and share DeepSeek's head sizes",
);
pub(super) const LATENT: Rule = Rule::new(
    "ci-small-latent",
    "latent attention without kv-channels has latents of 3/8 and 1/8 of hidden, heads of 1/4 and 1/8 of hidden / heads",
);
pub(super) const MODERN: Rule = Rule::new(
    "ci-modern",
    "cases with SwiGLU or squared ReLU train as recipes do: rotary positions, no dropout, no biases",
);
pub(super) const NAME: Rule = Rule::new("ci-name", "the name of the case says it");
pub(super) const CONTEXT_DROPOUT: Rule = Rule::new(
    "ci-context-dropout",
    "cases with context parallelism set both dropouts to 0",
);
pub(super) const EXPERT_BIAS: Rule = Rule::new(
    "ci-expert-bias",
    "cases with experts set --disable-bias-linear",
);
pub(super) const T5: Rule = Rule::new(
    "ci-t5",
    "all T5 cases share a shape: 12 and 12 layers of 768, 512 and 128 tokens",
);
pub(super) const MAMBA: Rule = Rule::new(
    "ci-mamba",
    "Megatron-LM's defaults: heads of 64, a state of 128, 8 groups, twice hidden inside",
);
pub(super) const PLATFORM: Rule = Rule::new(
    "ci-platform",
    "environments without a platform ran on A100 with 80 GB",
);
pub(super) const GPUS: Rule = Rule::new(
    "ci-gpus",
    "the least whole nodes that fit the degrees; A100 and H100 machines have 8 GPUs, GB200 machines 4",
);
pub(super) const RELEASE: Rule = Rule::new(
    "ci-release-gpus",
    "release runs take 128 GPUs, fewer where a data-parallel rank would get less than 32 sequences",
);
pub(super) const RELEASE_BATCH: Rule = Rule::new(
    "ci-release-batch",
    "the 15B cases ramp their batch up to 1,152",
);
pub(super) const OLD_ATTENTION: Rule = Rule::new(
    "ci-old-attention",
    "figures of the older machines (dracooci, and long-term support on A100 without a number of nodes) are from before deterministic fused attention",
);
pub(super) const LOCAL_ATTENTION: Rule = Rule::new(
    "ci-local-attention",
    "the local implementation, and models with padding masks, have no fused attention",
);
pub(super) const EXPERT_LAYERS: Rule = Rule::new(
    "ci-first-dense",
    "cases with latent attention and experts begin with the dense layers of their first stage, one where no layout says it",
);
pub(super) const FROZEN: Rule = Rule::new(
    "ci-frozen",
    "a vision-language case trains what joins the parts; its language model is frozen: the nearest is an adapter",
);
pub(super) const GRADIENTS: Rule = Rule::new(
    "ci-gradients",
    "gradients add up in fp32 under bf16, else in the format of the parameters (arguments.py)",
);
pub(super) const FRAMEWORK: Rule = Rule::new("ci-framework", "Megatron-LM's own training script");
pub(super) const SWITCHES: Rule = Rule::new(
    "ci-switches",
    "all cases but releases, DeepSeek proxies and dense ones with context parallelism or a fused loss set cuBLAS workspaces of 32 MiB (CUBLAS_WORKSPACE_CONFIG), most with --deterministic-mode; all but releases and proxies set --no-gradient-accumulation-fusion; proxies fuse loss and permutation",
);
