"""Reads exported flags with torchtitan's own parser and compares what it read with the plan.

    python parse_torchtitan.py WINDTUNNEL [--drawn N] [--seed S] [--only TEXT]

Python with torch 2.15 and torchtitan 0.3.0. For each scenario: ConfigManager.parse_args, which runs
the checks of Trainer.Config; ParallelDims over the plan's ranks; the model's update_from_config;
the split of the layers over stages; the micro-batches of a step as Trainer counts them. Nothing is
a stand-in, and nothing needs a GPU.
"""

import argparse
import contextlib
import io
import logging
import random
import sys
import tempfile
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from exports import Export, apart, differences, plain  # noqa: E402


def scenario(model, nodes, plan, training="", batch=256):
    return (
        f'schema = 1\n[model]\nconfig = "{model}"\n[cluster]\nname = "dgx-h100"\nnodes = {nodes}\n'
        f"[training]\nglobal_batch = {batch}\nseq_len = 4096\n{training}\n"
        f'[framework]\nname = "torchtitan"\n[plan]\n' + "\n".join(plan) + "\n"
    )


# Name, model, nodes, lines of [plan], what else must hold.
FSDP = 'shard = "zero-3"'
NAMED = [
    ("FSDP", "llama3-8b", 1, [FSDP, 'recompute = "full"'], {"recompute": "FullAC"}),
    ("replicas", "llama3-8b", 1, ['shard = "none"', 'recompute = "none"'], {}),
    ("replicas of shards", "llama3-8b", 2,
     ["shard = [" + ", ".join(f'{{ what = "{what}", group = 8 }}'
                              for what in ("weights", "gradients", "optimizer")) + "]"], {}),
    ("tensor parallel", "llama3-8b", 2, ["tp = 8", FSDP, 'recompute = "selective"'],
     {"recompute": "SelectiveAC"}),
    ("without sequence parallelism", "llama3-8b", 1,
     ["tp = 2", "cp = 2", 'cp_method = "allgather"', FSDP, "sp = false"], {}),
    ("pipeline", "llama3-8b", 2, ["tp = 2", "pp = 2", FSDP], {}),
    ("uneven pipeline", "llama3-8b", 2, ["pp = 2", FSDP, "layer_split = [17, 15]"], {}),
    ("interleaved", "llama3-8b", 2, ["pp = 4", "vp = 2", FSDP], {}),
    ("zero bubble", "llama3-8b", 2,
     ["pp = 4", "vp = 2", 'schedule = "zb-v"', "micro_batch = 2", FSDP], {}),
    ("gradients accumulated", "llama3-8b", 2, ["tp = 2", "micro_batch = 2", FSDP], {}),
    ("mixture", "qwen3-30b-a3b", 2, ["ep = 8", FSDP], {}),
    ("mixture, tensor parallel", "qwen3-30b-a3b", 2, ["tp = 2", "ep = 8", FSDP], {}),
    ("mixture, one rank an expert group", "qwen3-30b-a3b", 2, ["tp = 2", "ep = 16", FSDP], {}),
    ("mixture without expert parallelism", "qwen3-30b-a3b", 2, ["tp = 2", "etp = 2", FSDP], {}),
    ("mixture in a pipeline", "qwen3-30b-a3b", 4, ["pp = 2", "ep = 8", FSDP], {}),
    ("mixture and context parallelism", "qwen3-30b-a3b", 2,
     ["cp = 2", 'cp_method = "allgather"', "ep = 4", FSDP], {}),
    ("DeepSeek-V3", "deepseek-v3", 32, ["ep = 64", FSDP, 'recompute = "full"'], {}),
    ("DeepSeek-V3, tensor parallel", "deepseek-v3", 32, ["tp = 4", "ep = 32", FSDP], {}),
    ("DeepSeek-V2 lite", "deepseek-v2-lite", 1, ["ep = 8", FSDP], {}),
    ("gpt-oss", "gpt-oss-20b", 1, ["ep = 8", FSDP], {}),
]  # fmt: skip

MODELS = ["llama3-8b", "qwen3-0.6b", "qwen3-30b-a3b", "deepseek-v2-lite", "gpt-oss-20b"]


def drawn(seed, count):
    """Scenarios at random; many fit nothing and are left out."""
    draw = random.Random(seed)
    for index in range(count):
        model = draw.choice(MODELS)
        tp, pp, cp = draw.choice([1, 1, 2, 4, 8]), draw.choice([1, 1, 2, 4]), draw.choice([1, 1, 1, 2])
        dp = draw.choice([1, 2, 4, 8])
        plan = [f"tp = {tp}", f"pp = {pp}", f"cp = {cp}", f"dp = {dp}"]
        if 1 < pp:
            plan.append(draw.choice(
                ["vp = 1", "vp = 2", 'schedule = "gpipe"', 'schedule = "zb-v"\nvp = 2',
                 'schedule = "dualpipev"\nvp = 2', 'schedule = "zb-h1"']))
            plan.append(draw.choice(["", "", 'layer_split = "embedding-and-loss"']))
        if 1 < cp:
            plan.append('cp_method = "allgather"')
        if 1 < tp:
            plan.append(f"sp = {draw.choice(['true', 'true', 'false'])}")
        if any(word in model for word in ("a3b", "deepseek", "oss")):
            ep = draw.choice([1, 2, 4, 8, 16])
            plan += [f"ep = {ep}", f"etp = {tp if ep == 1 else 1}"]
        plan.append(f'shard = "{draw.choice(["zero-3", "zero-3", "none"])}"')
        plan.append(f"micro_batch = {draw.choice([1, 2])}")
        plan.append(f'recompute = "{draw.choice(["none", "selective", "full"])}"')
        plan.append(draw.choice(["", "", "", "cuda_graphs = true"]))
        nodes = -(-tp * pp * cp * dp // 8)
        yield f"drawn {index}", model, nodes, plan, {}


def read(arguments, ranks):
    """What torchtitan makes of arguments."""
    from torchtitan.config import ConfigManager
    from torchtitan.distributed.parallel_dims import ParallelDims
    from torchtitan.distributed.pipeline_parallel import (
        _generate_llm_fqn_per_model_part,
        _get_pipeline_metadata,
    )

    config = ConfigManager().parse_args(arguments)
    parallelism, training = config.parallelism, config.training
    dims = ParallelDims.from_config(parallelism, ranks)
    model = config.model_spec.model
    model.update_from_config(config=config)
    out = {name: plain(getattr(dims, name)) for name in ("dp_replicate", "dp_shard", "cp", "tp", "pp", "ep")}
    # As ParallelDims.build_mesh cuts the ranks of experts.
    assert (dims.dp_shard * dims.cp * dims.tp) % dims.ep == 0, "efsdp is no whole number"
    # As Trainer.__init__ checks and counts.
    cut = (dims.tp if parallelism.enable_sequence_parallel else 1) * (2 * dims.cp if 1 < dims.cp else 1)
    assert training.seq_len % cut == 0, "the sequence cannot be cut"
    share = training.local_batch_size * dims.dp_replicate * dims.dp_shard
    assert training.global_batch_size % share == 0, "the batch cannot be cut"
    piped = training.local_batch_size // parallelism.pipeline_parallel_microbatch_size
    out["steps"] = training.global_batch_size // share
    out["micro_batches"] = out["steps"] * (piped if 1 < dims.pp else 1)
    out["layers"] = [len(model.layers)]
    if 1 < dims.pp and not parallelism.pipeline_parallel_schedule_csv:
        names = _generate_llm_fqn_per_model_part(*_get_pipeline_metadata(dims, parallelism, model))
        out["layers"] = [sum("layers." in name for name in stage) for stage in names]
    out["sp"] = parallelism.enable_sequence_parallel and 1 < dims.tp
    out["schedule"] = parallelism.pipeline_parallel_schedule
    out["recompute"] = type(config.activation_checkpoint).__qualname__.split(".")[0]
    out["graphs"] = not training.disable_cuda_graphs
    return out


SCHEDULES = {"1f1b": "1F1B", "interleaved": "Interleaved1F1B", "gpipe": "GPipe", "zb-v": "ZBVZeroBubble",
             "dualpipev": "DualPipeV"}  # fmt: skip
RECOMPUTED = {"none": "NoneType", "selective": "SelectiveAC", "full": "FullAC"}


def wanted(plan):
    """What a plan asks for, from the plan alone."""
    group = {level["what"]: level["group"] for level in plan["shard"]}
    shard = max(group.get("weights", 1) // plan["cp"], 1)
    piped = 1 < plan["pp"]
    want = dict(
        dp_replicate=plan["dp"] // shard, dp_shard=shard, cp=plan["cp"], tp=plan["tp"], pp=plan["pp"],
        ep=plan["ep"], micro_batches=plan["n_micro_batches"], steps=1 if piped else plan["n_micro_batches"],
        sp=plan["sp"], graphs=plan["cuda_graphs"],
    )  # fmt: skip
    if not piped:
        want["layers"] = [sum(plan["layer_split"])]
    elif plan["schedule"] in SCHEDULES:
        want["layers"], want["schedule"] = plan["layer_split"], SCHEDULES[plan["schedule"]]
    return want


def check(export, want):
    """What is wrong with an export; nothing where it is right."""
    arguments, _ = export.arguments()

    def answer():
        complaints = io.StringIO()
        try:
            # tyro says what it does not know on standard output or error, and leaves.
            with contextlib.redirect_stdout(complaints), contextlib.redirect_stderr(complaints):
                # python -u -m torchtitan.train FLAGS
                told = read(arguments[3:], export.plan["gpus"])
            return differences(told, {**wanted(export.plan), **want})
        except BaseException as error:
            said = " ".join(complaints.getvalue().split())[-400:]
            return [f"torchtitan refuses it: {type(error).__name__}: {error} {said}"]

    return apart(answer)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("windtunnel")
    parser.add_argument("--drawn", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    logging.disable()
    from importlib.metadata import version

    import torchtitan.trainer  # noqa: F401

    counts = {"right": 0, "refused": 0, "left out": 0, "wrong": 0}
    with tempfile.TemporaryDirectory() as folder:
        for name, model, nodes, plan, want in [*NAMED, *drawn(options.seed, options.drawn)]:
            if options.only not in name:
                continue
            text = scenario(model, nodes, plan)
            export = Export(options.windtunnel, Path(folder), text, "torchtitan")
            if export.refused is not None:
                counts["refused" if export.is_limit() else "left out"] += 1
                if not name.startswith("drawn"):
                    print(f"torchtitan: {name}: refused: {export.refused.splitlines()[0]}")
                continue
            wrong = check(export, want)
            counts["wrong" if wrong else "right"] += 1
            if wrong:
                print(f"torchtitan: {name}: WRONG\n    " + "\n    ".join(wrong), flush=True)
    told = ", ".join(f"{count} {what}" for what, count in counts.items())
    print(f"torchtitan {version('torchtitan')}: {told}")
    return 1 if counts["wrong"] else 0


if __name__ == "__main__":
    sys.exit(main())
