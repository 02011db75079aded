#!/usr/bin/env bash
# Runs exported jobs on a Slurm of eight virtual nodes with eight GPUs each, all on this machine,
# and compares where every rank ran with where the plan wants it.
#
#   planner/launch/checks/slurm.sh target/debug/windtunnel
#
# Needs root (device files), and Debian's slurmctld, slurmd, slurm-client and munge. It starts no
# service of the system and writes below one temporary folder, which it removes.
set -euo pipefail

windtunnel=$(realpath "${1:?the binary windtunnel}")
for tool in munged slurmctld slurmd sbatch scontrol; do
    if ! command -v "$tool" >/dev/null; then
        echo "slurm.sh: $tool is not installed: apt-get install slurmctld slurmd slurm-client munge" >&2
        exit 77
    fi
done
if [[ $(id -u) != 0 ]]; then
    echo "slurm.sh: only root can make the device files of virtual GPUs" >&2
    exit 77
fi

dir=$(mktemp -d "${TMPDIR:-/tmp}/windtunnel-slurm-XXXXXX")
chmod 755 "$dir"
pids=()
finish() {
    local status=$?
    ((status == 0)) || tail -n 20 "$dir"/*.log "$dir"/*.out 2>/dev/null || true
    scancel --quiet --user=root 2>/dev/null || true
    for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
    for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null || true; done
    rm -rf "$dir"
    exit "$status"
}
trap finish EXIT

host=$(hostname -s)
export SLURM_CONF=$dir/slurm.conf
mkdir "$dir/state"
cat >"$SLURM_CONF" <<CONF
ClusterName=windtunnel
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket=$dir/munge.socket
ProctrackType=proctrack/pgid
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
MpiDefault=none
SlurmctldPort=16817
SlurmctldPidFile=$dir/slurmctld.pid
SlurmctldLogFile=$dir/slurmctld.log
SlurmdLogFile=$dir/%n.log
SlurmdParameters=config_overrides
SlurmdSpoolDir=$dir/state/%n
SlurmdPidFile=$dir/%n.pid
StateSaveLocation=$dir/state
ReturnToService=2
GresTypes=gpu
NodeName=n[1-8] NodeHostname=$host NodeAddr=127.0.0.1 Port=[17001-17008] CPUs=16 SocketsPerBoard=1 CoresPerSocket=16 RealMemory=20000 Gres=gpu:h100:8
PartitionName=p Nodes=ALL Default=YES State=UP
CONF
for gpu in {0..7}; do mknod "$dir/nvidia$gpu" c 195 "$gpu"; done
echo "NodeName=n[1-8] Name=gpu Type=h100 File=$dir/nvidia[0-7] Flags=nvidia_gpu_env" >"$dir/gres.conf"

(umask 077 && head -c 1024 /dev/urandom >"$dir/munge.key")
munged --foreground --force --key-file="$dir/munge.key" --socket="$dir/munge.socket" \
    --pid-file="$dir/munge.pid" --seed-file="$dir/munge.seed" --log-file="$dir/munge.log" \
    2>"$dir/munged.log" &
pids+=($!)
until [[ -S $dir/munge.socket ]]; do sleep 0.1; done
slurmctld -D -f "$SLURM_CONF" >/dev/null 2>&1 &
pids+=($!)
for node in {1..8}; do
    mkdir -p "$dir/state/n$node"
    slurmd -D -N "n$node" -f "$SLURM_CONF" >/dev/null 2>&1 &
    pids+=($!)
done
for _ in {1..300}; do
    idle=$(sinfo --noheader --Node --states=idle --format=%N 2>/dev/null | sort -u | wc -l)
    ((idle == 8)) && break
    sleep 0.2
done
((idle == 8)) || { echo "slurm.sh: only $idle of 8 nodes came up" >&2; exit 1; }

cat >"$dir/show.sh" <<'SHOW'
#!/usr/bin/env bash
IFS=, read -r -a devices <<<"$CUDA_VISIBLE_DEVICES"
echo "$RANK $SLURMD_NODENAME ${devices[LOCAL_RANK]} $WORLD_SIZE $MASTER_ADDR"
SHOW
chmod +x "$dir/show.sh"

# check NAME: a plan of data-parallel ranks on the GPUs of standard input, rank by rank.
check() {
    local name=$1 gpus ranks list
    mapfile -t gpus
    ranks=${#gpus[@]}
    list=$(IFS=,; echo "${gpus[*]}")
    cat >"$dir/$name.toml" <<TOML
schema = 1
[model]
config = "llama3-8b"
[cluster]
name = "dgx-h100"
nodes = 8
[training]
global_batch = 64
seq_len = 4096
[plan]
dp = $ranks
rank_gpus = [$list]
TOML
    "$windtunnel" export "$dir/$name.toml" --to slurm --output "$dir/$name" --quiet
    # The hosts of the nodes in use, in the order of the cluster.
    local -A host_of=()
    local node next=1
    for node in $(for gpu in "${gpus[@]}"; do echo $((gpu / 8)); done | sort -nu); do
        host_of[$node]=n$next
        next=$((next + 1))
    done
    local first=${host_of[$((gpus[0] / 8))]} rank
    for ((rank = 0; rank < ranks; rank++)); do
        echo "$rank ${host_of[$((gpus[rank] / 8))]} $((gpus[rank] % 8)) $ranks $first"
    done >"$dir/$name.wanted"
    (
        cd "$dir/$name"
        sbatch --test-only job.sbatch 2>/dev/null
        COMMAND=$dir/show.sh sbatch --wait --quiet --output="$dir/$name.out" job.sbatch
    )
    sort -n "$dir/$name.out" >"$dir/$name.got"
    diff "$dir/$name.wanted" "$dir/$name.got"
    [[ -z $(find "$dir/$name" -name '.hosts-*') ]]
    echo "slurm.sh: $name: $ranks ranks are where the plan wants them"
}

for gpu in {0..63}; do echo "$gpu"; done | check in_order
for node in {7..0}; do seq $((node * 8)) $((node * 8 + 7)); done | check nodes_reversed
for node in {0..7}; do seq $((node * 8 + 7)) -1 $((node * 8)); done | check gpus_reversed
for rank in {0..63}; do echo $(((rank * 37 + 5) % 64)); done | check scattered
for rank in {0..15}; do echo $(((rank * 6 + 9) % 64)); done | check some_gpus
