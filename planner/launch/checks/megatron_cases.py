"""Scenarios for parse_megatron.py: named ones with what the parser must see, and drawn ones."""

import random

# Of models: what Megatron's namespace must hold, read from the papers' tables.
LLAMA3_8B = dict(
    vocab=128256, num_layers=32, hidden_size=4096, num_attention_heads=32, num_query_groups=8,
    ffn_hidden_size=14336, kv_channels=128, num_experts=None, swiglu=True, normalization="RMSNorm",
    position_embedding_type="rope", untie_embeddings_and_output_weights=True, add_bias_linear=False,
)  # fmt: skip
GPT3_175B = dict(
    vocab=50257, num_layers=96, hidden_size=12288, num_attention_heads=96, ffn_hidden_size=49152, kv_channels=128,
    num_experts=None, swiglu=False, normalization="LayerNorm", add_bias_linear=True,
    position_embedding_type="learned_absolute", untie_embeddings_and_output_weights=False,
)  # fmt: skip
MIXTRAL_8X7B = dict(
    vocab=32000, num_layers=32, hidden_size=4096, num_attention_heads=32, num_query_groups=8, num_experts=8,
    moe_router_topk=2, moe_ffn_hidden_size=14336, swiglu=True, moe_layer_freq=1,
)  # fmt: skip
DEEPSEEK_V3 = dict(
    vocab=129280, num_layers=61, hidden_size=7168, num_attention_heads=128, ffn_hidden_size=18432, num_experts=256,
    moe_router_topk=8, moe_ffn_hidden_size=2048, moe_shared_expert_intermediate_size=2048,
    multi_latent_attention=True, q_lora_rank=1536, kv_lora_rank=512, qk_head_dim=128,
    qk_pos_emb_head_dim=64, v_head_dim=128, moe_layer_freq=[0] * 3 + [1] * 58, mtp_num_layers=1,
    moe_router_num_groups=8, moe_router_group_topk=4, moe_router_score_function="sigmoid",
)  # fmt: skip
QWEN3_30B = dict(
    vocab=151936, num_layers=48, hidden_size=2048, num_attention_heads=32, num_query_groups=4, kv_channels=128,
    num_experts=128, moe_router_topk=8, moe_ffn_hidden_size=768, qk_layernorm=True,
)  # fmt: skip

MODELS = {
    "llama3-8b": LLAMA3_8B,
    "gpt3-175b": GPT3_175B,
    "mixtral-8x7b": MIXTRAL_8X7B,
    "deepseek-v3": DEEPSEEK_V3,
    "qwen3-30b-a3b": QWEN3_30B,
}


def scenario(model, nodes, plan, training="", cluster="dgx-h100", batch=256):
    """The text of a scenario."""
    head = f"[model]\nconfig = \"{model}\"" if "\n" not in model else model
    return (
        f"schema = 1\n{head}\n[cluster]\nname = \"{cluster}\"\nnodes = {nodes}\n"
        f"[training]\nglobal_batch = {batch}\nseq_len = 4096\n{training}\n"
        f'[framework]\nname = "megatron-core"\n[plan]\n' + "\n".join(plan) + "\n"
    )


# Name, model, nodes, lines of [plan], lines of [training], what else the namespace must hold.
NAMED = [
    ("one GPU", "llama3-8b", 1, ["dp = 1"], "", {}),
    ("data parallel, nothing sharded", "llama3-8b", 2, ['shard = "none"'], "",
     dict(use_distributed_optimizer=False)),
    ("ZeRO-1", "llama3-8b", 2, ['shard = "zero-1"', "micro_batch = 2"], "",
     dict(use_distributed_optimizer=True, use_megatron_fsdp=False)),
    ("ZeRO-1 over part of the ranks", "llama3-8b", 2,
     ['shard = [{ what = "optimizer", group = 8 }]'], "",
     dict(num_distributed_optimizer_instances=2)),
    ("no overlap", "llama3-8b", 2, ["overlap = { grad_reduce = false, param_gather = false }"], "",
     dict(overlap_grad_reduce=False, overlap_param_gather=False)),
    ("FSDP", "llama3-8b", 2, ['shard = "zero-3"'], "",
     dict(use_megatron_fsdp=True, data_parallel_sharding_strategy="optim_grads_params")),
    ("FSDP of gradients", "llama3-8b", 2, ['shard = "zero-2"'], "",
     dict(use_megatron_fsdp=True, data_parallel_sharding_strategy="optim_grads")),
    ("FSDP with tensor parallelism", "llama3-8b", 2, ["tp = 2", 'shard = "zero-3"'], "", {}),
    ("FSDP over part of the ranks", "llama3-8b", 2,
     ["shard = [" + ", ".join(f'{{ what = "{what}", group = 8 }}'
                              for what in ("weights", "gradients", "optimizer")) + "]"], "",
     dict(num_distributed_optimizer_instances=2)),
    ("tensor parallel, sequence parallel", "llama3-8b", 2, ["tp = 8"], "",
     dict(sequence_parallel=True)),
    ("tensor parallel alone", "llama3-8b", 2, ["tp = 8", "sp = false"], "",
     dict(sequence_parallel=False)),
    ("chunked overlap", "llama3-8b", 2, ["tp = 8", 'overlap = { tp = "chunked" }'], "",
     dict(tp_comm_overlap=True)),
    ("pipeline", "llama3-8b", 2, ["pp = 4"], "", dict(overlap_p2p_comm=False)),
    ("interleaved", "llama3-8b", 2, ["pp = 4", "vp = 2"], "", dict(overlap_p2p_comm=True)),
    ("interleaved without overlap", "llama3-8b", 2, ["pp = 4", "vp = 2", "overlap = { p2p = false }"],
     "", dict(overlap_p2p_comm=False)),
    ("interleaved in groups", "llama3-8b", 2, ["pp = 4", "vp = 2", "interleave_group = 8"], "",
     dict(microbatch_group_size_per_vp_stage=8)),
    ("uneven stages", "llama3-8b", 2, ["tp = 2", "pp = 4", "layer_split = [7, 9, 9, 7]"], "", {}),
    ("uneven chunks", "llama3-8b", 2,
     ["tp = 2", "pp = 2", "vp = 2", "layer_split = [7, 8, 9, 8]", 'recompute = "full"'], "", {}),
    ("embedding and loss as layers", "llama3-8b", 2,
     ["pp = 2", 'layer_split = "embedding-and-loss"'], "", {}),
    ("an even split of 32 layers over 5", "llama3-8b", 5, ["pp = 5", "tp = 8"], "", {}),
    ("context parallel", "llama3-8b", 2, ["cp = 4", "tp = 2"], "", dict(cp_comm_type=["p2p"])),
    ("context parallel by all-to-all", "llama3-8b", 2, ["cp = 4", 'cp_method = "alltoall"'], "",
     dict(cp_comm_type=["a2a"])),
    ("context parallel by all-gather", "llama3-8b", 2, ["cp = 4", 'cp_method = "allgather"'], "",
     dict(cp_comm_type=["all_gather"])),
    ("data parallel outermost", "llama3-8b", 2,
     ["tp = 2", "pp = 4", 'rank_order = "tp-cp-ep-pp-dp"'], "", dict(use_tp_pp_dp_mapping=True)),
    ("recompute selective", "llama3-8b", 2, ["tp = 2", 'recompute = "selective"'], "",
     dict(recompute_granularity="selective")),
    ("recompute full", "llama3-8b", 2, ["tp = 2", 'recompute = "full"'], "",
     dict(recompute_granularity="full", recompute_method="uniform", recompute_num_layers=1)),
    ("recompute of three layers a stage", "llama3-8b", 2, ["pp = 4", "recompute = 3"], "",
     dict(recompute_granularity="full", recompute_method="block", recompute_num_layers=3)),
    ("recompute of parts", "llama3-8b", 2, ['recompute = ["core_attn", "layernorm"]'], "",
     dict(recompute_modules=["core_attn", "layernorm"])),
    ("CPU offload", "llama3-8b", 2, ["offload = { optimizer = 0.5 }"], "",
     dict(optimizer_cpu_offload=True, optimizer_offload_fraction=0.5)),
    ("CUDA graphs", "llama3-8b", 2, ["tp = 2", "cuda_graphs = true"], "",
     dict(cuda_graph_impl="local")),
    ("fp16", "llama3-8b", 2, ["tp = 2"], 'precision = "fp16"', dict(fp16=True)),
    ("fp32", "llama3-8b", 2, ["tp = 2"], 'precision = "fp32"', dict(fp16=False, bf16=False)),
    ("gradients in bf16", "llama3-8b", 2, ["tp = 2"], 'grad_dtype = "bf16"',
     dict(accumulate_allreduce_grads_in_fp32=False)),
    ("fp8", "llama3-8b", 2, ["tp = 2"], 'precision = "fp8"', dict(fp8="hybrid", bf16=True)),
    ("fp8 by blocks", "llama3-8b", 2, ["tp = 2"], 'precision = "fp8"\nfp8_recipe = "blockwise"',
     dict(fp8="e4m3", fp8_recipe="blockwise")),
    ("fp8 and parts recomputed", "llama3-8b", 2, ['recompute = ["layernorm"]'],
     'precision = "fp8"\nfp8_recipe = "blockwise"', {}),
    ("mxfp8", "llama3-8b", 2, ["tp = 2"], 'precision = "mxfp8"', dict(fp8_recipe="mxfp8")),
    ("nvfp4", "llama3-8b", 2, ["tp = 2"], 'precision = "nvfp4"', dict(fp4="e2m1")),
    ("moments in bf16", "llama3-8b", 2, ["tp = 2"],
     'optimizer = { kind = "adamw", moments = "bf16" }', dict(use_precision_aware_optimizer=True)),
    ("SGD", "llama3-8b", 2, ["tp = 2"], 'optimizer = "sgd"', dict(optimizer="sgd")),
    ("Muon", "llama3-8b", 2, ["tp = 2", 'shard = "none"'], 'optimizer = "muon"',
     dict(optimizer="muon", muon_num_ns_steps=5)),
    ("Muon, sharded", "llama3-8b", 2, ["tp = 2", 'shard = "zero-1"'], 'optimizer = "muon"', {}),
    ("GPT-3", "gpt3-175b", 8, ["tp = 8", "pp = 8", 'recompute = "full"'], "dropout = 0.1",
     dict(attention_dropout=0.1)),
    ("GPT-3, interleaved", "gpt3-175b", 8, ["tp = 8", "pp = 8", "vp = 3"], "", {}),
    ("Mixtral", "mixtral-8x7b", 8, ["pp = 4", "vp = 8", "ep = 8"], "",
     dict(moe_token_dispatcher_type="alltoall")),
    ("Mixtral with tensor parallelism", "mixtral-8x7b", 4, ["tp = 2", "ep = 8", "pp = 2"], "", {}),
    ("Mixtral, experts cut", "mixtral-8x7b", 4, ["tp = 4", "etp = 4", "ep = 2", "pp = 2"], "", {}),
    ("Mixtral with a capacity", "mixtral-8x7b", 2,
     ["ep = 8", 'moe = { dispatcher = "alltoall", capacity_factor = 1.25 }'], "",
     dict(moe_expert_capacity_factor=1.25, moe_pad_expert_input_to_capacity=True)),
    ("Mixtral by DeepEP", "mixtral-8x7b", 2, ["ep = 8", 'moe = { dispatcher = "deepep" }'], "",
     dict(moe_token_dispatcher_type="flex", moe_flex_dispatcher_backend="deepep")),
    ("Mixtral by all-gather", "mixtral-8x7b", 2, ["ep = 8", 'moe = { dispatcher = "allgather" }'], "",
     dict(moe_token_dispatcher_type="allgather")),
    ("Mixtral, all-to-all hidden", "mixtral-8x7b", 2, ["ep = 8", "overlap = { ep = true }"], "",
     dict(overlap_moe_expert_parallel_comm=True)),
    ("Mixtral, all-to-all hidden in a pipeline", "mixtral-8x7b", 2,
     ["ep = 8", "pp = 2", "vp = 2", "overlap = { ep = true }"], "", {}),
    ("Mixtral in FSDP", "mixtral-8x7b", 2, ["ep = 8", 'shard = "zero-3"'], "", {}),
    ("Qwen 3 mixture", "qwen3-30b-a3b", 2, ["ep = 16", 'recompute = ["moe_act"]'], "", {}),
    ("DeepSeek-V3", "deepseek-v3", 32,
     ["pp = 16", "ep = 16", "layer_split = [4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 1]",
      'recompute = ["layernorm", "mla_up_proj", "moe_act"]', 'moe = { dispatcher = "deepep" }'],
     'precision = "fp8"\nfp8_recipe = "blockwise"\noptimizer = { kind = "adamw", moments = "bf16" }',
     {}),
    ("DeepSeek-V3, interleaved", "deepseek-v3", 32,
     ["tp = 2", "pp = 8", "vp = 2", "ep = 32",
      "layer_split = [3, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 2]"], "", {}),
    ("DeepSeek-V3, shared experts beside", "deepseek-v3", 32,
     ["tp = 2", "pp = 8", "ep = 32", "layer_split = [7, 8, 8, 8, 8, 8, 8, 6]",
      'moe = { dispatcher = "alltoall", shared_overlap = true }'], "",
     dict(moe_shared_expert_overlap=True)),
    ("a window and norms of queries",
     "[model.megatron]\nlayers = 24\nhidden = 2048\nheads = 16\nvocab = 50304\nposition = \"rope\"\n"
     "activation = \"squared-relu\"\nbias = false\nwindow = 1024\nqk_norm = true", 1, ["tp = 2"], "",
     dict(num_layers=24, squared_relu=True, window_size=(1023, 0), qk_layernorm=True)),
    ("a batch that one step accumulates", "llama3-8b", 2, ["tp = 8", "micro_batch = 4"], "", {}),
]  # fmt: skip


def named():
    """Every named case as name, scenario and the namespace it asks for."""
    for name, model, nodes, plan, training, want in NAMED:
        cluster = "dgx-b200" if "mxfp8" in training or "nvfp4" in training else "dgx-h100"
        text = scenario(model, nodes, plan, training, cluster)
        yield name, text, {**MODELS.get(model, {}), **want}


SMALL = [
    '[model.megatron]\nlayers = 24\nhidden = 2048\nheads = 16\nvocab = 50304\nmax_positions = 4096',
    '[model.megatron]\nlayers = 26\nhidden = 2048\nheads = 16\nvocab = 50304\nposition = "rope"\n'
    'activation = "swiglu"\nbias = false\ntied = false\nnorm = "rms"\nkv_heads = 4',
    "olmoe-1b-7b", "deepseek-v2-lite", "qwen3-0.6b", "moonlight-16b-a3b", "gpt2-small", "phi3.5-moe",
]  # fmt: skip


def drawn(seed, count):
    """Scenarios at random; many fit nothing and are left out by those who use them."""
    draw = random.Random(seed)
    for index in range(count):
        model = draw.choice(SMALL)
        tp, pp, cp = draw.choice([1, 1, 2, 4]), draw.choice([1, 1, 2, 4]), draw.choice([1, 1, 1, 2])
        dp, ep = draw.choice([1, 2, 4, 8]), draw.choice([1, 2, 4, 8])
        vp = draw.choice([1, 1, 2, 3]) if 1 < pp else 1
        plan = [f"tp = {tp}", f"pp = {pp}", f"cp = {cp}", f"dp = {dp}"]
        if 1 < vp:
            plan.append(f"vp = {vp}")
        if 1 < tp:
            plan.append(f"sp = {draw.choice(['true', 'true', 'false'])}")
        if 1 < cp:
            plan.append(f'cp_method = "{draw.choice(["ring", "alltoall", "allgather"])}"')
        experts = any(word in model for word in ("moe", "deepseek", "moonlight"))
        if experts:
            plan.append(f"ep = {ep}")
            plan.append(f"etp = {draw.choice([1, 1, tp])}")
            moe = [f'dispatcher = "{draw.choice(["alltoall", "allgather", "deepep"])}"']
            if draw.random() < 0.2:
                moe.append("capacity_factor = 1.5")
            if "olmoe" not in model and draw.random() < 0.3:
                moe.append("shared_overlap = true")
            plan.append(f"moe = {{ {', '.join(moe)} }}")
        shard = draw.choice(["none", "zero-1", "zero-1", "zero-2", "zero-3"])
        plan.append(f'shard = "{shard}"')
        switches = [
            f"{name} = {draw.choice(['true', 'false'])}"
            for name in ("grad_reduce", "param_gather", "p2p", "ep")
            if draw.random() < 0.4
        ]
        if 1 < tp and draw.random() < 0.3:
            switches.append(f'tp = "{draw.choice(["none", "backward", "chunked"])}"')
        if switches:
            plan.append(f"overlap = {{ {', '.join(switches)} }}")
        parts = ["core_attn", "mlp", "layernorm"]
        if experts:
            parts += ["moe", "moe_act"]
        if "deepseek" in model or "moonlight" in model:
            parts += ["mla_up_proj", "shared_experts"]
        some = ", ".join(f'"{part}"' for part in draw.sample(parts, draw.randint(1, len(parts))))
        plan.append("recompute = " + draw.choice(
            ['"none"', '"none"', '"selective"', '"full"', "1", f"[{some}]"]))
        if draw.random() < 0.2:
            plan.append("cuda_graphs = true")
        if draw.random() < 0.15:
            plan.append(f"offload = {{ optimizer = {draw.choice([0.5, 1.0])} }}")
        if draw.random() < 0.2:
            plan.append('rank_order = "tp-cp-ep-pp-dp"')
        if draw.random() < 0.2:
            plan.append(f'layer_split = "{draw.choice(["even", "embedding-and-loss"])}"')
        plan.append(f"micro_batch = {draw.choice([1, 1, 2])}")
        training = draw.choice([
            'precision = "bf16"', 'precision = "bf16"', 'precision = "bf16"\ngrad_dtype = "bf16"',
            'precision = "fp16"', 'precision = "fp8"', 'precision = "fp8"\nfp8_recipe = "blockwise"',
            'precision = "fp8"\nfp8_recipe = "tensorwise"', 'precision = "mxfp8"',
            'precision = "nvfp4"', 'precision = "fp32"',
        ])
        training += draw.choice(["", "", "\ndropout = 0.1"])
        training += draw.choice([
            "", "", "", "", '\noptimizer = "sgd"', '\noptimizer = "muon"', '\noptimizer = "adam"',
            '\noptimizer = { kind = "adamw", moments = "bf16" }',
            '\noptimizer = { kind = "adamw", moments = "fp8" }',
        ])
        nodes = -(-tp * pp * cp * dp // 8)
        cluster = draw.choice(["dgx-h100", "dgx-h100", "dgx-a100", "dgx-b200"])
        yield f"drawn {index}", scenario(model, nodes, plan, training, cluster, batch=96), {}
