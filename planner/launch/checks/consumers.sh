#!/usr/bin/env bash
# Hands exported files to the programs that read them: DeepSpeed's and torchtitan's parsers, and
# torchrun over gloo, whose ranks print the groups that they are in.
#
#   python3 -m venv /tmp/consumers && . /tmp/consumers/bin/activate
#   pip install torch==2.15.0 numpy packaging setuptools wheel
#   DS_BUILD_OPS=0 pip install --no-build-isolation deepspeed==0.19.8
#   pip install torchtitan==0.3.0
#   planner/launch/checks/consumers.sh target/debug/windtunnel
#
# Heavy (some 6 GB on disk), so no part of CI. Each part is skipped where its package is missing.
# For Megatron-LM's parser, set MEGATRON_LM to a checkout at commit d98e8a64dd; it needs Python 3.12
# and triton.
set -euo pipefail

windtunnel=$(realpath "${1:?the binary windtunnel}")
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
has() { python -c "import importlib.util, sys; sys.exit(importlib.util.find_spec('$1') is None)"; }

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

# A program in place of python in an exported train.sh: it hands the arguments to a parser.
mkdir "$dir/bin"
cat >"$dir/bin/python" <<STAND_IN
#!/usr/bin/env bash
exec "$(command -v python)" "\$PARSER" "\$@"
STAND_IN
chmod +x "$dir/bin/python"

deepspeed_parses() {
    local shard
    for shard in none zero-1 zero-2 zero-3; do
        scenario 2 "shard = \"$shard\"" "micro_batch = 2" >"$dir/ds-$shard.toml"
        export_to "ds-$shard" deepspeed
        DS_ACCELERATOR=cpu python "$here/parse_deepspeed.py" "$dir/ds-$shard/ds_config.json" 16 "$shard"
    done
}

torchtitan_parses() {
    scenario 1 'shard = "zero-3"' 'recompute = "full"' >"$dir/titan-fsdp.toml"
    scenario 2 'tp = 2' 'pp = 2' 'shard = "zero-3"' 'recompute = "none"' >"$dir/titan-pp.toml"
    scenario 1 'tp = 2' 'cp = 2' 'cp_method = "allgather"' 'shard = "zero-3"' \
        'recompute = "selective"' 'sp = false' >"$dir/titan-cp.toml"
    local name
    for name in titan-fsdp titan-pp titan-cp; do
        export_to "$name" torchtitan
        PATH=$dir/bin:$PATH PARSER=$here/parse_torchtitan.py "$dir/$name/train.sh" 2>/dev/null
    done
}

megatron_parses() {
    scenario 2 'tp = 2' 'pp = 2' 'vp = 2' 'layer_split = [7, 8, 9, 8]' 'recompute = "full"' \
        >"$dir/megatron.toml"
    export_to megatron megatron
    PATH=$dir/bin:$PATH PARSER=$here/parse_megatron.py "$dir/megatron/train.sh"
}

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
        echo "$2: skipped, Python has no $1"
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
    echo "megatron_parses: skipped, MEGATRON_LM is not set"
fi
