"""Reads a ds_config.json with DeepSpeed's own parser for so many data-parallel ranks."""

import sys

import deepspeed.runtime.config as config

path, ranks, shard = sys.argv[1], int(sys.argv[2]), sys.argv[3]
# The parser asks how many ranks there are; none are started here.
config.dist.get_rank = lambda *_: 0
config.dist.get_world_size = lambda *_: ranks
read = config.DeepSpeedConfig(path)
stage = {"none": 0, "zero-1": 1, "zero-2": 2, "zero-3": 3}[shard]
assert int(read.zero_config.stage) == stage, read.zero_config.stage
batch = read.train_micro_batch_size_per_gpu * read.gradient_accumulation_steps * ranks
assert read.train_batch_size == batch == 64, batch
print(f"deepspeed: {shard} is stage {stage}, {read.train_batch_size} sequences")
