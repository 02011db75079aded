//! `job.sbatch`, which asks for nodes and places every rank, and `rank.sh`, which each rank runs.

use std::fmt::Write as _;

use predict::Scenario;

use super::{Files, header};
use crate::bundle::LaunchFile;
use crate::places::Places;
use crate::shell::job_name;

/// The scripts of Slurm.
pub(crate) fn files(scenario: &Scenario, places: &Places) -> Files {
    vec![
        LaunchFile::script("job.sbatch", job(scenario, places)),
        LaunchFile::script("rank.sh", rank(scenario, places)),
    ]
}

/// The job: the list of allocated nodes becomes a host file, a line a rank.
fn job(scenario: &Scenario, places: &Places) -> String {
    let mut text = String::from("#!/usr/bin/env bash\n");
    let _ = writeln!(text, "#SBATCH --job-name={}", job_name(&scenario.name));
    let _ = writeln!(text, "#SBATCH --nodes={}", places.nodes().len());
    let _ = writeln!(text, "#SBATCH --gpus-per-node={}", gpus_per_node(places));
    text.push_str("#SBATCH --exclusive\n#SBATCH --output=%x-%j.out\n");
    text.push_str(&header::lines(scenario, header::SLURM));
    text.push_str(USAGE);
    text.push_str(HEAD);
    let _ = writeln!(
        text,
        "n_ranks={}\nn_nodes={}",
        places.n_ranks(),
        places.nodes().len()
    );
    text.push_str(if is_mixed(scenario) { MIXED } else { HOSTS });
    text.push_str(HOST_FILE);
    for run in places.runs() {
        let _ = writeln!(text, "{} {} {}", run.first, run.last, run.count);
    }
    text.push_str(TAIL);
    text
}

/// GPUs that a job asks for on each node: those of the smallest node, as all nodes are whole.
fn gpus_per_node(places: &Places) -> u32 {
    let least = places.nodes().iter().map(|place| place.gpus).min();
    least.unwrap_or(1)
}

/// Whether nodes differ, so that Slurm's order says nothing about which is which.
fn is_mixed(scenario: &Scenario) -> bool {
    let cluster = &scenario.cluster;
    let first = cluster.gpus().next().map(|gpu| cluster.node_of(gpu));
    let first = first.map(|node| cluster.node(node));
    let mut gpus = cluster.gpus();
    gpus.any(|gpu| Some(cluster.node(cluster.node_of(gpu))) != first)
}

const USAGE: &str = "\
# Submit it from its own folder: `sbatch job.sbatch`. Account, partition and time are your cluster's:
# give them to sbatch, such as `sbatch --partition=gpu --time=24:00:00 job.sbatch`.
#   COMMAND      what each rank runs, a path (default: train.sh beside this file); arguments behind
#                job.sbatch are handed to it. `COMMAND=/usr/bin/env sbatch job.sbatch` shows what a
#                rank is told: RANK, LOCAL_RANK, WORLD_SIZE, MASTER_ADDR, CUDA_VISIBLE_DEVICES
#   NODE_NAMES   hosts in the order of the scenario's nodes n0, n1, ... that the plan uses, separated
#                by spaces (default: the allocation's list in its order)
#   LAUNCH_DIR   the folder of these files (default: from where the job was submitted)
#   MASTER_ADDR, MASTER_PORT   where rank 0 listens (default: its host, 29500)
";

const HEAD: &str = r#"set -euo pipefail
here=${LAUNCH_DIR:-${SLURM_SUBMIT_DIR:-$PWD}}
# shellcheck source=/dev/null
source "$here/env.sh"
COMMAND=${COMMAND:-$here/train.sh}
"#;

const HOSTS: &str = r#"
if [[ -n ${NODE_NAMES:-} ]]; then
    read -r -a hosts <<<"$NODE_NAMES"
else
    mapfile -t hosts < <(scontrol show hostnames "$SLURM_JOB_NODELIST")
fi
"#;

const MIXED: &str = r#"
# The nodes of this cluster differ, so their hosts must be told.
: "${NODE_NAMES:?set NODE_NAMES to the hosts of the nodes n0, n1, ... of the scenario}"
read -r -a hosts <<<"$NODE_NAMES"
"#;

const HOST_FILE: &str = r#"if ((${#hosts[@]} < n_nodes)); then
    echo "the plan uses $n_nodes nodes, but there are ${#hosts[@]}: ${hosts[*]}" >&2
    exit 1
fi

# One line a rank. Below: first node, last node, ranks in a row on each.
SLURM_HOSTFILE=$(mktemp -p "$here" ".hosts-${SLURM_JOB_ID:-0}-XXXXXX")
export SLURM_HOSTFILE
trap 'rm -f "$SLURM_HOSTFILE"' EXIT
while read -r first last ranks; do
    for ((node = first; node <= last; node++)); do
        for ((i = 0; i < ranks; i++)); do
            printf '%s\n' "${hosts[node]}"
        done
    done
done >"$SLURM_HOSTFILE" <<'RANKS'
"#;

const TAIL: &str = r#"RANKS

if [[ -z ${MASTER_ADDR:-} ]]; then
    read -r MASTER_ADDR <"$SLURM_HOSTFILE"
fi
export MASTER_ADDR MASTER_PORT="${MASTER_PORT:-29500}"
srun --ntasks="$n_ranks" --distribution=arbitrary --kill-on-bad-exit=1 \
    "$here/rank.sh" "$COMMAND" "$@"
"#;

/// What a rank is told before its command starts.
fn rank(scenario: &Scenario, places: &Places) -> String {
    let mut text = String::from("#!/usr/bin/env bash\n");
    text.push_str(&header::lines(scenario, header::SLURM));
    text.push_str(RANK);
    if places.names_devices() {
        text.push_str(DEVICES);
        for (first, last, devices) in places.devices_by_rank() {
            let _ = writeln!(text, "{first} {last} {devices}");
        }
        text.push_str("DEVICES\n");
    }
    text.push_str("exec \"$@\"\n");
    text
}

const RANK: &str = r"# Run by srun in job.sbatch, once for every rank.
set -euo pipefail
export RANK=$SLURM_PROCID LOCAL_RANK=$SLURM_LOCALID WORLD_SIZE=$SLURM_NTASKS
";

const DEVICES: &str = r#"# First rank, last rank, the GPUs of their node in the order of its ranks.
while read -r first last devices; do
    if ((first <= RANK && RANK <= last)); then
        export CUDA_VISIBLE_DEVICES=$devices
        LOCAL_WORLD_SIZE=$(tr ',' '\n' <<<"$devices" | grep -c .)
        export LOCAL_WORLD_SIZE
    fi
done <<'DEVICES'
"#;
