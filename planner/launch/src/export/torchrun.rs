//! `torchrun.sh`, which every node runs, and `hosts.txt`, which names them.

use std::fmt::Write as _;

use predict::Scenario;

use super::{Files, header};
use crate::bundle::LaunchFile;
use crate::error::ExportError;
use crate::places::Places;

/// The scripts of torchrun.
///
/// # Errors
///
/// Where the ranks of a node do not stand in a row.
pub(crate) fn files(scenario: &Scenario, places: &Places) -> Result<Files, ExportError> {
    if let Some((node, first, second)) = places.scattered() {
        let node = node.get();
        return Err(ExportError::Scattered {
            node,
            first,
            second,
        });
    }
    let script = LaunchFile::script("torchrun.sh", script(scenario, places));
    Ok(vec![
        script,
        LaunchFile::data("hosts.txt", hosts(scenario, places)),
    ])
}

fn script(scenario: &Scenario, places: &Places) -> String {
    let mut text = String::from("#!/usr/bin/env bash\n");
    text.push_str(&header::lines(scenario, header::TORCHRUN));
    text.push_str(USAGE);
    text.push_str(HEAD);
    let nodes = places.nodes().len();
    if nodes == 1 {
        text.push_str(ONE_NODE);
    } else {
        text.push_str(MANY_NODES);
    }
    let shown = places.names_devices();
    text.push_str(if shown { LOOK_UP } else { COUNT });
    text.push_str("done <<'NODES'\n");
    for (first, last, ranks, devices) in places.devices_by_node() {
        let devices = if shown {
            format!(" {devices}")
        } else {
            String::new()
        };
        let _ = writeln!(text, "{first} {last} {ranks}{devices}");
    }
    text.push_str("NODES\n");
    let _ = write!(text, "\nexec torchrun --nnodes {nodes} {TAIL}");
    text
}

const USAGE: &str = "\
# Run it on every node. hosts.txt has their names in the order of the plan's ranks.
#   COMMAND       what each process runs, a path (default: train.sh beside this file); arguments of
#                 this script are handed to it
#   NODE_RANK     which line of hosts.txt this node is, from 0 (default: by its name)
#   MASTER_ADDR   the first node (default: the first line of hosts.txt); MASTER_PORT (29500)
";

const HEAD: &str = r#"set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=/dev/null
source "$here/env.sh"
COMMAND=${COMMAND:-$here/train.sh}
"#;

const ONE_NODE: &str = r"NODE_RANK=${NODE_RANK:-0}
MASTER_ADDR=${MASTER_ADDR:-127.0.0.1}
";

const MANY_NODES: &str = r#"mapfile -t hosts < <(grep -v -e '^#' -e '^$' "$here/hosts.txt")
if [[ -z ${NODE_RANK:-} ]]; then
    own=$(hostname -s)
    for at in "${!hosts[@]}"; do
        if [[ ${hosts[at]} == "$own" || ${hosts[at]} == "$own".* ]]; then
            NODE_RANK=$at
        fi
    done
fi
: "${NODE_RANK:?this node is not in hosts.txt: write the names of the nodes there, or set NODE_RANK}"
MASTER_ADDR=${MASTER_ADDR:-${hosts[0]}}
"#;

const COUNT: &str = r"
# First node, last node, ranks on each.
while read -r first last ranks; do
    if ((first <= NODE_RANK && NODE_RANK <= last)); then
        local_ranks=$ranks
    fi
";

const LOOK_UP: &str = r"
# First node, last node, ranks on each, their GPUs in the order of the ranks.
while read -r first last ranks devices; do
    if ((first <= NODE_RANK && NODE_RANK <= last)); then
        local_ranks=$ranks
        export CUDA_VISIBLE_DEVICES=$devices
    fi
";

const TAIL: &str = r#"--nproc-per-node "${local_ranks:?no ranks for node $NODE_RANK}" \
    --node-rank "$NODE_RANK" --master-addr "$MASTER_ADDR" --master-port "${MASTER_PORT:-29500}" \
    --no-python "$COMMAND" "$@"
"#;

/// The nodes in the order of their ranks, under the names of the cluster.
fn hosts(scenario: &Scenario, places: &Places) -> String {
    let mut text = header::lines(scenario, header::TORCHRUN);
    text.push_str(
        "# One node a line, in the order of the plan's ranks. Write the name of each node of the\n\
         # scenario (n0 is its first) in place of it.\n",
    );
    for place in places.nodes() {
        let _ = writeln!(text, "n{}", place.node.get());
    }
    text
}
