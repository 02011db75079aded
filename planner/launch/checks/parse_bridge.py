"""Applies exported overrides with Megatron-Bridge's own code and compares the result with the plan.

    python parse_bridge.py WINDTUNNEL [--only TEXT]

Python 3.12 with torch, megatron-core 0.19.2 and megatron-bridge 0.6.2 (its wheel alone and what its
imports ask for; consumers.sh says which). For each case a recipe of the wheel is loaded, the
overrides are applied as scripts/training/run_recipe.py does (process_config_with_overrides), and
runtime_config_update makes of it what training would start with, validation and all.

Stand-ins: Transformer Engine, megatron-energon and nvidia-resiliency-ext are modules whose names
are empty classes; the GPU is an H100; a Hugging Face model's configuration is that of the
scenario's model, since no hub is asked.
"""

import abc
import argparse
import importlib.abc
import importlib.machinery
import json
import logging
import os
import sys
import tempfile
import types
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from exports import Export, apart, differences, plain  # noqa: E402
from megatron_cases import scenario  # noqa: E402
from parse_megatron import fused_adam, wanted  # noqa: E402

MISSING = ("transformer_engine", "transformer_engine_torch", "megatron.energon", "nvidia_resiliency_ext")


class Named(abc.ABCMeta):
    """An empty class whose every attribute is another."""

    def __getattr__(cls, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return empty(name)


def empty(name):
    """An empty class; as a decorator it changes nothing."""

    def new(cls, *arguments, **options):
        alone = len(arguments) == 1 and callable(arguments[0]) and not options
        return arguments[0] if alone else object.__new__(cls)

    return Named(name, (), {
        "__new__": new,
        "__init__": lambda self, *_, **__: None,
        "__call__": lambda self, *arguments, **_: arguments[0] if arguments else None,
        "__class_getitem__": classmethod(lambda cls, _: cls),
    })  # fmt: skip


class StandIn(types.ModuleType):
    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        setattr(self, name, empty(name))
        return getattr(self, name)


class StandIns(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds modules that are not installed, and whatever is below them."""

    def find_spec(self, name, path=None, target=None):
        if any(name == root or name.startswith(f"{root}.") for root in MISSING):
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
        return None

    def create_module(self, spec):
        module = StandIn(spec.name)
        module.__version__, module.__path__ = "2.12.0", []
        return module

    def exec_module(self, module):
        pass


def stand_in():
    warnings.filterwarnings("ignore")
    logging.disable()
    sys.meta_path.insert(0, StandIns())
    fused_adam()
    import torch

    properties = types.SimpleNamespace(major=9, minor=0, name="NVIDIA H100")
    torch.cuda.get_device_capability = lambda *_: (9, 0)
    torch.cuda.get_device_properties = lambda *_: properties


def with_configuration(file):
    """Lets recipes read that Hugging Face configuration, whatever they ask the hub for."""
    from megatron.bridge import AutoBridge
    from transformers import AutoConfig

    told = {key: value for key, value in json.loads(file.read_text()).items() if key[0] != "_"}
    config = AutoConfig.for_model(told.pop("model_type"), **told)
    AutoBridge.from_hf_pretrained = classmethod(lambda cls, *_, **__: cls.from_hf_config(config))


# Name, recipe, model, nodes, lines of [plan], lines of [training], what else must hold.
LLAMA = ("llama3_8b_pretrain_config", "llama3-8b")
GPT = ("gpt3_175b_pretrain_32gpu_h100_bf16_config", "gpt3-175b")
QWEN = ("qwen3_30b_a3b_pretrain_config", "qwen3-30b-a3b")
DEEPSEEK = ("deepseek_v3_pretrain_config", "deepseek-v3")
LITE = ("deepseek_v2_lite_pretrain_config", "deepseek-v2-lite")
CASES = [
    ("data parallel", *LLAMA, 2, ["micro_batch = 2"], "", {}),
    ("nothing sharded", *LLAMA, 2, ['shard = "none"'], "",
     {"ddp.use_distributed_optimizer": False, "optimizer.use_distributed_optimizer": False}),
    ("no overlap", *LLAMA, 2, ["overlap = { grad_reduce = false, param_gather = false }"], "", {}),
    ("tensor parallel", *LLAMA, 2, ["tp = 4"], "", {"model.tp_comm_overlap": False}),
    ("tensor parallel, chunked", *LLAMA, 2, ["tp = 4", 'overlap = { tp = "chunked" }'], "",
     {"model.tp_comm_overlap": True}),
    ("pipeline", *LLAMA, 2, ["tp = 2", "pp = 4"], "",
     {"model.overlap_p2p_comm": False, "model.batch_p2p_comm": True}),
    ("interleaved", *LLAMA, 2, ["tp = 2", "pp = 4", "vp = 2"], "",
     {"model.overlap_p2p_comm": True, "model.batch_p2p_comm": False}),
    ("uneven stages", *LLAMA, 2, ["tp = 2", "pp = 4", "layer_split = [7, 9, 9, 7]"], "", {}),
    ("uneven chunks", *LLAMA, 2, ["pp = 2", "vp = 2", "layer_split = [7, 8, 9, 8]"], "", {}),
    ("context parallel", *LLAMA, 2, ["cp = 2", "tp = 2"], "", {"model.cp_comm_type": "p2p"}),
    ("data parallel outermost", *LLAMA, 2, ["pp = 2", 'rank_order = "tp-cp-ep-pp-dp"'], "",
     {"dist.use_tp_pp_dp_mapping": True}),
    ("recompute full", *LLAMA, 2, ["tp = 2", 'recompute = "full"'], "", {}),
    ("recompute of parts", *LLAMA, 2, ['recompute = ["core_attn", "mlp"]'], "",
     {"model.recompute_modules": ["core_attn", "mlp"]}),
    ("recompute of two layers", *LLAMA, 2, ["pp = 4", "recompute = 2"], "", {}),
    ("FSDP", *LLAMA, 2, ['shard = "zero-3"'], "",
     {"ddp.data_parallel_sharding_strategy": "optim_grads_params",
      "checkpoint.ckpt_format": "fsdp_dtensor", "ddp.megatron_fsdp_main_grads_dtype": "torch.float32"}),
    ("ZeRO-1 over part of the ranks", *LLAMA, 2, ['shard = [{ what = "optimizer", group = 8 }]'], "",
     {}),
    ("CPU offload", *LLAMA, 2, ["offload = { optimizer = 0.5 }"], "",
     {"optimizer.optimizer_cpu_offload": True, "optimizer.optimizer_offload_fraction": 0.5}),
    ("CUDA graphs", *LLAMA, 2, ["tp = 2", "cuda_graphs = true"], "",
     {"model.cuda_graph_impl": "transformer_engine", "rng.te_rng_tracker": True}),
    ("bf16", *LLAMA, 2, ["tp = 2"], "", {"model.bf16": True, "ddp.grad_reduce_in_fp32": True}),
    ("gradients in bf16", *LLAMA, 2, ["tp = 2"], 'grad_dtype = "bf16"',
     {"ddp.grad_reduce_in_fp32": False, "model.params_dtype": "torch.bfloat16"}),
    ("fp16", *LLAMA, 2, ["tp = 2"], 'precision = "fp16"',
     {"model.fp16": True, "ddp.grad_reduce_in_fp32": True, "model.params_dtype": "torch.float16"}),
    ("fp32", *LLAMA, 2, ["tp = 2"], 'precision = "fp32"',
     {"model.bf16": False, "model.fp16": False, "model.params_dtype": "torch.float32"}),
    ("fp8 by blocks", *LLAMA, 2, ["tp = 2"], 'precision = "fp8"\nfp8_recipe = "blockwise"',
     {"model.fp8": "e4m3", "model.fp8_recipe": "blockwise", "model.fp8_param": False}),
    ("fp8", *LLAMA, 2, ["tp = 2"], 'precision = "fp8"\nfp8_recipe = "delayed"',
     {"model.fp8": "hybrid", "model.fp8_recipe": "delayed"}),
    ("moments in bf16", *LLAMA, 2, ["tp = 2"], 'optimizer = { kind = "adamw", moments = "bf16" }',
     {"optimizer.exp_avg_dtype": "torch.bfloat16", "optimizer.use_precision_aware_optimizer": True}),
    ("SGD", *LLAMA, 2, [], 'optimizer = "sgd"', {"optimizer.optimizer": "sgd"}),
    ("GPT-3", *GPT, 8, ["tp = 8", "pp = 8"], "", {"model.num_attention_heads": 96}),
    ("GPT-3, interleaved", *GPT, 8, ["tp = 8", "pp = 8", "vp = 3", 'recompute = "full"'], "", {}),
    ("Qwen 3 mixture", *QWEN, 2, ["ep = 8", 'recompute = ["moe_act"]'], "",
     {"model.num_moe_experts": 128, "model.moe_router_topk": 8}),
    ("Qwen 3 mixture by DeepEP", *QWEN, 2, ["ep = 8", "pp = 2", 'moe = { dispatcher = "deepep" }'], "",
     {"model.moe_token_dispatcher_type": "flex"}),
    ("Qwen 3 mixture, graphs", *QWEN, 2, ["ep = 8", "cuda_graphs = true"], "",
     {"model.cuda_graph_impl": "transformer_engine"}),
    ("Qwen 3 mixture, hidden exchange", *QWEN, 2, ["ep = 8", "overlap = { ep = true }"], "",
     {"model.overlap_moe_expert_parallel_comm": True}),
    ("DeepSeek-V2 lite", *LITE, 1, ["ep = 8", 'moe = { dispatcher = "alltoall" }'], "",
     {"model.multi_latent_attention": True}),
    ("DeepSeek-V3", *DEEPSEEK, 32,
     ["pp = 16", "ep = 16", "layer_split = [4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 1]",
      'recompute = ["layernorm", "mla_up_proj", "moe_act"]', 'moe = { dispatcher = "deepep" }'],
     'precision = "fp8"\nfp8_recipe = "blockwise"\noptimizer = { kind = "adamw", moments = "bf16" }',
     {"model.mtp_num_layers": 1}),
]  # fmt: skip

# Names of Megatron-LM's namespace, as sections of the configuration have them.
SECTIONS = {
    "micro_batch_size": "train",
    "use_megatron_fsdp": "ddp",
    "num_distributed_optimizer_instances": "ddp",
    "overlap_grad_reduce": "ddp",
    "overlap_param_gather": "ddp",
    "world_size": None,
    "data_parallel_size": "",
    "n_micro_batches": None,
    "layers_by_stage": "layers",
}


def layers_by_stage(model):
    """Layers of every virtual stage, by Megatron-Core's own count."""
    import megatron.core.parallel_state as state
    from megatron.core.transformer.transformer_block import get_num_layers_to_build

    pp, vp = model.pipeline_model_parallel_size, model.virtual_pipeline_model_parallel_size
    state.get_virtual_pipeline_model_parallel_world_size = lambda: vp
    state.get_pipeline_model_parallel_world_size = lambda: pp
    layout = model.pipeline_model_parallel_layout
    out = []
    for chunk in range(vp or 1):
        for rank in range(pp):
            if layout is not None:
                out.append(layout.get_num_layers_to_build(vp_stage=chunk, pp_rank=rank))
            else:
                stage = chunk if vp else None
                out.append(get_num_layers_to_build(model, vp_stage=stage, pp_rank=rank))
    return out


def configured(arguments, recipe, ranks):
    """The configuration that training would start with."""
    os.environ.update(WORLD_SIZE=str(ranks), RANK="0")
    import megatron.bridge.recipes as recipes
    from megatron.bridge.recipes.utils.dataset_utils import build_dataset_config
    from megatron.bridge.training.config import runtime_config_update
    from megatron.bridge.training.utils.omegaconf_utils import process_config_with_overrides

    parser = argparse.ArgumentParser(allow_abbrev=False)
    for name in ("--recipe", "--mode", "--dataset"):
        parser.add_argument(name, required=True)
    known, overrides = parser.parse_known_args(arguments)
    assert (known.recipe, known.mode) == (recipe, "pretrain")
    config = getattr(recipes, known.recipe)()
    config.dataset = build_dataset_config(config, known.dataset)
    config = process_config_with_overrides(config, cli_overrides=overrides)
    runtime_config_update(config)
    return config


def compare(config, plan, batch, want):
    """What of a configuration is not what the plan wants."""
    read, expected = {}, {}
    for name, value in {**wanted(plan), "global_batch_size": batch}.items():
        section = SECTIONS.get(name, "train" if name.startswith("global") else "model")
        if section is None:
            continue
        key = f"{section}.{name}" if section else name
        expected[key] = value
        if section == "layers":
            read[key] = layers_by_stage(config.model)
            continue
        holder = getattr(config, section) if section else config
        read[key] = plain(getattr(holder, name))
    for key, value in want.items():
        section, name = key.split(".")
        read[key], expected[key] = plain(getattr(getattr(config, section), name)), value
    return differences(read, expected)


def check(windtunnel, folder, models, case):
    """What is wrong with a case; nothing where it is right."""
    _, recipe, model, nodes, plan, training, want = case
    export = Export(windtunnel, folder, scenario(model, nodes, plan, training), "nemo")
    if export.refused is not None:
        return [export.refused]
    arguments, _ = export.arguments(RECIPE=recipe)

    def answer():
        try:
            with_configuration(models / f"{model}.json")
            # python -u .../run_recipe.py ARGUMENTS
            config = configured(arguments[2:], recipe, export.plan["gpus"])
            return compare(config, export.plan, 256, want)
        except BaseException as error:
            return [f"Megatron-Bridge refuses it: {type(error).__name__}: {error}"]

    return apart(answer)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("windtunnel")
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    stand_in()
    import megatron.bridge
    import megatron.bridge.recipes  # noqa: F401

    models = Path(__file__).parents[3] / "scenarios" / "models"
    right = wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        for case in CASES:
            if options.only not in case[0]:
                continue
            found = check(options.windtunnel, Path(folder), models, case)
            right, wrong = right + (not found), wrong + bool(found)
            if found:
                print(f"megatron-bridge: {case[0]}: WRONG\n    " + "\n    ".join(found), flush=True)
    print(f"megatron-bridge {megatron.bridge.__version__}: {right} right, {wrong} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
