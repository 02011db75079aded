"""Reads the arguments of an exported train.sh with Megatron-LM's own parser."""

import os
import sys

sys.path.insert(0, os.environ["MEGATRON_LM"])
os.environ.setdefault("WORLD_SIZE", "16")
from megatron.training.arguments import parse_args, validate_args  # noqa: E402

# python -u .../pretrain_gpt.py ARGUMENTS
sys.argv = sys.argv[2:]
args = parse_args()
validate_args(args)
print(
    f"megatron: tp {args.tensor_model_parallel_size} pp {args.pipeline_model_parallel_size} "
    f"dp {args.data_parallel_size}, layout {args.pipeline_model_parallel_layout}"
)
