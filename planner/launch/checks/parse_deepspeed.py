"""Reads exported ds_config.json files with DeepSpeed's own parser and compares them with the plan.

    python parse_deepspeed.py WINDTUNNEL

DeepSpeed 0.19.8: DeepSpeedConfig, and for mixtures of experts what the engine asks before it puts
its own layers in place (validate_autoep_config). No ranks are started: the parser is told how many
there are. Megatron-DeepSpeed, whose arguments stand in train.sh, is on no registry and is not asked.
"""

import logging
import os
import sys
import tempfile
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
os.environ.setdefault("DS_ACCELERATOR", "cpu")
from exports import Export, apart, differences  # noqa: E402


def scenario(model, nodes, plan, training=""):
    return (
        f'schema = 1\n[model]\nconfig = "{model}"\n[cluster]\nname = "dgx-h100"\nnodes = {nodes}\n'
        f"[training]\nglobal_batch = 64\nseq_len = 4096\n{training}\n"
        f'[framework]\nname = "deepspeed-zero"\n[plan]\n' + "\n".join(plan) + "\n"
    )


# Name, model, nodes, lines of [plan], lines of [training], what else must hold.
CASES = [
    *((f"stage {stage}", "llama3-8b", 2, [f'shard = "{shard}"', "micro_batch = 2"], "", {"stage": stage})
      for stage, shard in enumerate(["none", "zero-1", "zero-2", "zero-3"])),
    ("tensor parallel", "llama3-8b", 2, ["tp = 2", 'shard = "zero-1"'], "", {"stage": 1}),
    ("pipeline", "llama3-8b", 2, ["pp = 2", 'shard = "zero-1"'], "", {"stage": 1}),
    ("Ulysses", "llama3-8b", 2, ["cp = 2", 'cp_method = "alltoall"', 'shard = "zero-3"'], "", {"stage": 3}),
    ("weights over a node", "llama3-8b", 2,
     ['shard = [{ what = "weights", group = 8 }, { what = "gradients", group = 16 }, '
      '{ what = "optimizer", group = 16 }]'], "", {"stage": 3, "hpz": 8}),
    ("offload", "llama3-8b", 2, ['shard = "zero-3"', "offload = { optimizer = 1.0, weights = 1.0 }"], "",
     {"offload": ["cpu", "cpu"]}),
    ("fp16", "llama3-8b", 2, ['shard = "zero-2"'], 'precision = "fp16"', {"fp16": True}),
    ("Mixtral", "mixtral-8x7b", 2, ["ep = 8", 'shard = "zero-2"'], "", {"ep": 8, "preset": "mixtral"}),
    ("Qwen 3 mixture by DeepEP", "qwen3-30b-a3b", 2,
     ["ep = 16", 'shard = "zero-3"', 'moe = { dispatcher = "deepep" }'], "",
     {"ep": 16, "preset": "qwen3_moe", "exchange": "deepep"}),
    ("DeepSeek-V3", "deepseek-v3", 8, ["ep = 64", 'shard = "zero-3"'], "", {"ep": 64, "preset": "deepseek_v3"}),
    ("DeepSeek-V2 lite", "deepseek-v2-lite", 1, ["ep = 4", 'shard = "zero-1"'], "", {"ep": 4}),
]  # fmt: skip


def read(path, plan):
    """What DeepSpeed makes of a configuration."""
    import deepspeed.runtime.config as config
    from deepspeed.module_inject.auto_ep_config import validate_autoep_config

    inner = plan["tp"] * plan["pp"] * plan["cp"]
    ranks = plan["gpus"] // inner
    config.dist.get_rank = lambda *_: 0
    config.dist.get_world_size = lambda *_: ranks
    told = config.DeepSpeedConfig(path)
    zero, experts = told.zero_config, told.expert_parallel_config
    if experts is not None:
        validate_autoep_config(experts, plan["gpus"], 1, 1, 1, zero_stage=int(zero.stage))
    outside = [zero.offload_optimizer, zero.offload_param]
    return {
        "stage": int(zero.stage),
        "hpz": zero.zero_hpz_partition_size,
        "offload": [str(getattr(one.device, "value", one.device)) for one in outside if one is not None],
        "fp16": bool(told.float16_config.enabled),
        "micro_batch": told.train_micro_batch_size_per_gpu,
        "micro_batches": told.gradient_accumulation_steps,
        "batch": told.train_micro_batch_size_per_gpu * told.gradient_accumulation_steps * plan["dp"],
        "all": told.train_batch_size,
        "ep": experts.autoep_size if experts is not None and experts.enabled else 1,
        "preset": experts.preset_model if experts is not None else None,
        "exchange": experts.comm_backend if experts is not None else None,
    }


def check(export, want):
    def answer():
        try:
            told = read(str(export.folder / "ds_config.json"), export.plan)
        except BaseException as error:
            return [f"DeepSpeed refuses it: {type(error).__name__}: {error}"]
        plan = {
            "micro_batch": export.plan["micro_batch"],
            "micro_batches": export.plan["n_micro_batches"],
            "batch": 64,
            "all": 64,
            "ep": export.plan["ep"],
        }
        return differences(told, {**plan, **want})

    return apart(answer)


def main():
    warnings.filterwarnings("ignore")
    logging.disable()
    import deepspeed
    import deepspeed.runtime.config  # noqa: F401

    right = wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        for name, model, nodes, plan, training, want in CASES:
            text = scenario(model, nodes, plan, training)
            export = Export(sys.argv[1], Path(folder), text, "deepspeed")
            found = [export.refused] if export.refused else check(export, want)
            right, wrong = right + (not found), wrong + bool(found)
            if found:
                print(f"deepspeed: {name}: WRONG\n    " + "\n    ".join(found), flush=True)
    print(f"deepspeed {deepspeed.__version__}: {right} right, {wrong} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
