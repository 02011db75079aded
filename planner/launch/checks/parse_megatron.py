"""Reads exported train.sh files with Megatron-LM's own parser and compares what it read with the plan.

    python parse_megatron.py WINDTUNNEL [--drawn N] [--seed S] [--only TEXT]

Python 3.12 or later with torch and megatron-core from 0.18 on, whose wheel holds megatron.training;
MEGATRON_LM names a checkout to take instead. For each scenario of megatron_cases.py: parse_args,
validate_args, the configurations that pretrain_gpt.py makes of them (transformer, data parallelism,
optimizer), the micro-batches of a step, and the layers of every stage.

Stand-ins, for what a machine without GPU and Transformer Engine lacks: the compute capability of
the scenario's GPU; Transformer Engine's version, its fused kernels (objects that are never called)
and the signature of its FusedAdam.
"""

import argparse
import contextlib
import io
import logging
import os
import sys
import tempfile
import types
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import megatron_cases  # noqa: E402
from exports import Export, apart, differences, plain  # noqa: E402

TRANSFORMER_ENGINE = "2.12.0"
CAPABILITY = {"dgx-a100": (8, 0), "dgx-h100": (9, 0), "dgx-b200": (10, 0)}


def stand_in():
    """Megatron's modules, with the stand-ins in place."""
    if "MEGATRON_LM" in os.environ:
        sys.path.insert(0, os.environ["MEGATRON_LM"])
    warnings.filterwarnings("ignore")
    logging.disable()
    import megatron.core.models.common.embeddings.rope_utils as rope
    import megatron.core.transformer.moe.moe_utils as moe
    import megatron.core.utils as utils
    from packaging.version import Version

    utils._te_version = Version(TRANSFORMER_ENGINE)
    for module, names in [
        (rope, ["fused_apply_rotary_pos_emb", "fused_apply_rotary_pos_emb_thd"]),
        (moe, ["fused_permute", "fused_permute_with_probs", "fused_unpermute",
               "fused_sort_chunks_by_index", "fused_sort_chunks_by_index_with_probs"]),
    ]:  # fmt: skip
        for name in names:
            assert hasattr(module, name), f"{module.__name__} has no {name} any more"
            setattr(module, name, object())


def fused_adam():
    """Transformer Engine's FusedAdam, as far as OptimizerConfig looks at it."""

    class FusedAdam:
        def __init__(self, params, master_weight_dtype, exp_avg_dtype, exp_avg_sq_dtype,
                     use_decoupled_grad):  # fmt: skip
            raise NotImplementedError

    try:
        import transformer_engine.pytorch  # noqa: F401
    except ImportError:
        for name in ("transformer_engine", "transformer_engine.pytorch"):
            sys.modules[name] = types.ModuleType(name)
    optimizers = types.ModuleType("transformer_engine.pytorch.optimizers")
    optimizers.FusedAdam = FusedAdam
    sys.modules[optimizers.__name__] = optimizers


def read(arguments, capability):
    """What Megatron makes of arguments: its namespace, and what follows from it."""
    import torch
    from megatron.core.num_microbatches_calculator import (
        get_num_microbatches,
        init_num_microbatches_calculator,
    )
    from megatron.core.tokenizers.utils.build_tokenizer import build_tokenizer
    from megatron.core.transformer.transformer_block import get_num_layers_to_build
    from megatron.training.arguments import (
        core_transformer_config_from_args,
        parse_args,
        validate_args,
    )
    from megatron.training.training import get_megatron_ddp_config, get_megatron_optimizer_config

    torch.cuda.get_device_capability = lambda *_: capability
    properties = types.SimpleNamespace(major=capability[0], minor=capability[1])
    torch.cuda.get_device_properties = lambda *_: properties
    sys.argv = ["pretrain_gpt.py", *arguments]
    args = parse_args()
    args = validate_args(args) or args
    config = core_transformer_config_from_args(args)
    get_megatron_ddp_config(args)
    fused_adam()
    get_megatron_optimizer_config(args)
    init_num_microbatches_calculator(
        args.rank, args.rampup_batch_size, args.global_batch_size, args.micro_batch_size,
        args.data_parallel_size, args.decrease_batch_size_if_needed,
    )  # fmt: skip
    out = {name: plain(value) for name, value in vars(args).items()}
    for name in ("recompute_granularity", "recompute_method", "recompute_num_layers", "window_size",
                 "recompute_modules", "microbatch_group_size_per_vp_stage", "num_query_groups"):  # fmt: skip
        out[name] = plain(getattr(config, name))
    out["vocab"] = build_tokenizer(args).vocab_size
    out["n_micro_batches"] = get_num_microbatches()
    out["layers_by_stage"] = layers_by_stage(args, config, get_num_layers_to_build)
    return out


def layers_by_stage(args, config, count):
    """Layers of every virtual stage, in the order in which a token meets them."""
    import megatron.core.parallel_state as state

    pp, vp = args.pipeline_model_parallel_size, args.virtual_pipeline_model_parallel_size
    # The functions ask the process groups, of which there are none here.
    state.get_virtual_pipeline_model_parallel_world_size = lambda: vp
    state.get_pipeline_model_parallel_world_size = lambda: pp
    if config.pipeline_model_parallel_layout is not None:
        layout = config.pipeline_model_parallel_layout
        of = lambda chunk, rank: layout.get_num_layers_to_build(vp_stage=chunk, pp_rank=rank)  # noqa: E731
    else:
        of = lambda chunk, rank: count(config, vp_stage=chunk if vp else None, pp_rank=rank)  # noqa: E731
    return [of(chunk, rank) for chunk in range(vp or 1) for rank in range(pp)]


def wanted(plan):
    """The namespace that a plan asks for, from the plan alone."""
    many = plan["dp"] * plan["cp"]
    group = {level["what"]: level["group"] for level in plan["shard"]}
    optimizer = group.get("optimizer", 1)
    fsdp = 1 < max(group.get("weights", 1), group.get("gradients", 1))
    want = dict(
        world_size=plan["gpus"],
        tensor_model_parallel_size=plan["tp"],
        pipeline_model_parallel_size=plan["pp"],
        virtual_pipeline_model_parallel_size=plan["vp"] if 1 < plan["vp"] else None,
        context_parallel_size=plan["cp"],
        data_parallel_size=plan["dp"],
        expert_model_parallel_size=plan["ep"],
        micro_batch_size=plan["micro_batch"],
        sequence_parallel=plan["sp"],
        n_micro_batches=plan["n_micro_batches"],
        layers_by_stage=plan["layer_split"],
        use_megatron_fsdp=fsdp,
        num_distributed_optimizer_instances=many // optimizer if 1 < optimizer else 1,
    )
    if 1 < plan["ep"]:
        want["expert_tensor_parallel_size"] = plan["etp"]
    if 1 < many:
        # Megatron-FSDP overlaps what it shards, whatever it is told; a warning says so.
        want["overlap_grad_reduce"] = plan["overlap"]["grad_reduce"] or fsdp
        if 1 < optimizer:
            all_shared = 1 < group.get("weights", 1)
            want["overlap_param_gather"] = plan["overlap"]["param_gather"] or all_shared
    granularity = {"none": None, "selective": "selective", "modules": "selective"}
    recompute = plan["recompute"]
    if isinstance(recompute, list):
        want["recompute_num_layers"] = recompute[0] or None
        want["recompute_method"] = "block" if recompute[0] else None
    else:
        want["recompute_granularity"] = granularity.get(recompute, "full")
    return want


def parsed(export, text):
    """What Megatron reads, or its refusal."""
    arguments, connections = export.arguments()

    def answer():
        os.environ.update(WORLD_SIZE=str(export.plan["gpus"]), RANK="0")
        if connections:
            os.environ["CUDA_DEVICE_MAX_CONNECTIONS"] = connections
        complaints = io.StringIO()
        try:
            # argparse says what it does not know on standard error, and leaves.
            with contextlib.redirect_stderr(complaints):
                capability = next(own for name, own in CAPABILITY.items() if name in text)
                # python -u .../pretrain_gpt.py ARGUMENTS
                return {"read": read(arguments[2:], capability)}
        except BaseException as error:
            said = complaints.getvalue().strip().splitlines()[-1:]
            return {"refusal": f"{type(error).__name__}: {error} {' '.join(said)}"}

    return apart(answer)


def check(export, text, want):
    """What is wrong with an export; nothing where it is right."""
    answer = parsed(export, text)
    if "refusal" in answer:
        return [f"Megatron refuses it: {answer['refusal']}"]
    return differences(answer["read"], {**wanted(export.plan), **want})


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("windtunnel")
    parser.add_argument("--drawn", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    stand_in()
    import megatron.core
    import megatron.training.training  # noqa: F401

    counts = {"right": 0, "refused": 0, "left out": 0, "wrong": 0}
    with tempfile.TemporaryDirectory() as folder:
        cases = [*megatron_cases.named(), *megatron_cases.drawn(options.seed, options.drawn)]
        for name, text, want in cases:
            if options.only not in name:
                continue
            export = Export(options.windtunnel, Path(folder), text, "megatron")
            if export.refused is not None:
                counts["refused" if export.is_limit() else "left out"] += 1
                if not name.startswith("drawn"):
                    print(f"megatron: {name}: refused: {export.refused.splitlines()[0]}")
                continue
            wrong = check(export, text, want)
            counts["wrong" if wrong else "right"] += 1
            if wrong:
                print(f"megatron: {name}: WRONG\n    " + "\n    ".join(wrong), flush=True)
    told = ", ".join(f"{count} {what}" for what, count in counts.items())
    print(f"megatron-core {megatron.core.__version__}: {told}")
    return 1 if counts["wrong"] else 0


if __name__ == "__main__":
    sys.exit(main())
