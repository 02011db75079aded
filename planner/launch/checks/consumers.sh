#!/usr/bin/env bash
# Hands exported files to the programs that read them: the parsers of Megatron-LM, Megatron-Bridge,
# DeepSpeed and torchtitan, and torchrun over gloo, whose ranks print the groups that they are in.
#
#   python3.12 -m venv /tmp/consumers && . /tmp/consumers/bin/activate
#   pip install torch==2.15.0 numpy packaging setuptools wheel
#   pip install --no-deps megatron-core==0.19.2 megatron-bridge==0.6.2
#   pip install torchtitan==0.3.0 torchao
#   DS_BUILD_OPS=0 pip install --no-build-isolation deepspeed==0.19.8
#   planner/launch/checks/consumers.sh target/debug/windtunnel
#
# Heavy (some 7 GB on disk), so no part of CI. Each part is skipped where its package is missing.
# From 0.18 on, the wheel of megatron-core holds megatron.training, so that no checkout is needed;
# MEGATRON_LM names one to ask instead (0.18.2 was asked so, too). Megatron-Bridge's imports also want, without a GPU:
#
#   pip install "hydra-core<1.4" omegaconf "transformers<=5.12.1" datasets einops rich regex pyyaml \
#       tqdm six sentencepiece tiktoken pulp scipy
#   pip install --no-deps pillow peft accelerate mistral-common qwen-vl-utils timm safetensors av \
#       psutil tensorboard absl-py grpcio markdown protobuf tensorboard-data-server werkzeug \
#       diffusers importlib_metadata zipp wandb open-clip-torch torchvision nvidia-modelopt
#
# What is a stand-in there is said at the top of parse_megatron.py and parse_bridge.py. The other
# two parsers run as they are.
set -euo pipefail

windtunnel=$(realpath "${1:?the binary windtunnel}")
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
has() { python -c "import importlib.metadata; importlib.metadata.version('$1')" 2>/dev/null; }

# scenario NODES PLAN...: a scenario file with these lines of [plan].
scenario() {
    cat <<TOML
schema = 1
[model]
config = "llama3-8b"
[cluster]
name = "dgx-h100"
nodes = $1
[training]
global_batch = 64
seq_len = 4096
[plan]
TOML
    printf '%s\n' "${@:2}"
}

# export_to NAME CONSUMER: writes the files of $dir/NAME.toml to $dir/NAME.
export_to() { "$windtunnel" export "$dir/$1.toml" --to "$2" --output "$dir/$1" --quiet; }

deepspeed_parses() { python "$here/parse_deepspeed.py" "$windtunnel"; }
torchtitan_parses() { python "$here/parse_torchtitan.py" "$windtunnel"; }
megatron_parses() { python "$here/parse_megatron.py" "$windtunnel"; }
megatron_bridge_parses() { python "$here/parse_bridge.py" "$windtunnel"; }

torchrun_forms_the_groups() {
    # Two nodes of two GPUs, the second node first: NODE_RANK 0 is n1.
    scenario 2 'tp = 2' 'dp = 2' 'rank_gpus = [9, 8, 1, 0]' >"$dir/groups.toml"
    export_to groups torchrun
    local node
    for node in 0 1; do
        NODE_RANK=$node MASTER_ADDR=127.0.0.1 COMMAND=$dir/groups/show.sh \
            "$dir/groups/torchrun.sh" 2>/dev/null >"$dir/groups.$node" &
    done
    wait
    sort "$dir/groups.0" "$dir/groups.1" | diff - <(
        echo "0 tp [0, 1] dp [0, 2] gpu 9"
        echo "1 tp [0, 1] dp [1, 3] gpu 8"
        echo "2 tp [2, 3] dp [0, 2] gpu 1"
        echo "3 tp [2, 3] dp [1, 3] gpu 0"
    )
    echo "torchrun: four ranks on two nodes formed the groups of the plan"
}

part() {
    if has "$1"; then
        "${@:2}"
    else
        echo "$2: skipped, $1 is not installed"
    fi
}

mkdir -p "$dir/groups"
cat >"$dir/groups/show.sh" <<SHOW
#!/usr/bin/env bash
exec "$(command -v python)" "$here/groups.py" 2 2
SHOW
chmod +x "$dir/groups/show.sh"
part deepspeed deepspeed_parses
part torchtitan torchtitan_parses
part torch torchrun_forms_the_groups
if [[ -n ${MEGATRON_LM:-} ]]; then
    megatron_parses
else
    part megatron-core megatron_parses
fi
part megatron-bridge megatron_bridge_parses
