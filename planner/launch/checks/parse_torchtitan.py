"""Reads the flags of an exported train.sh with torchtitan's own parser."""

import sys

from torchtitan.config import ConfigManager

# python -u -m torchtitan.train FLAGS
read = ConfigManager().parse_args(sys.argv[4:])
p, kind = read.parallelism, type(read.activation_checkpoint).__qualname__
print(
    f"torchtitan: tp {p.tensor_parallel_degree} pp {p.pipeline_parallel_degree} "
    f"cp {p.context_parallel_degree} dp {p.data_parallel_replicate_degree} x "
    f"{p.data_parallel_shard_degree}, {read.training.local_batch_size} of "
    f"{read.training.global_batch_size} sequences, {kind}"
)
