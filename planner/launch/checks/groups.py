"""Forms tensor- and data-parallel groups as Megatron numbers ranks, over gloo, and prints them."""

import os
import sys

import torch
import torch.distributed as dist

tp, dp = int(sys.argv[1]), int(sys.argv[2])
dist.init_process_group("gloo")
rank, local = dist.get_rank(), int(os.environ["LOCAL_RANK"])
assert dist.get_world_size() == tp * dp
own = {}
for name, groups in [
    ("tp", [list(range(i * tp, i * tp + tp)) for i in range(dp)]),
    ("dp", [list(range(i, tp * dp, tp)) for i in range(tp)]),
]:
    for ranks in groups:
        group = dist.new_group(ranks)
        if rank in ranks:
            gathered = [torch.zeros(1, dtype=torch.int64) for _ in ranks]
            dist.all_gather(gathered, torch.tensor([rank]), group=group)
            own[name] = [int(one) for one in gathered]
gpu = int(os.environ["CUDA_VISIBLE_DEVICES"].split(",")[local])
node = {"0": 8, "1": 0}[os.environ["GROUP_RANK"]]
print(f"{rank} tp {own['tp']} dp {own['dp']} gpu {node + gpu}", flush=True)
dist.destroy_process_group()
