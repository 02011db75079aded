"""Reads the files of the example `two_ranks` with HolisticTraceAnalysis, and compares its answers
with what follows from the run by hand, to the microsecond.

    python3 -m venv /tmp/readers
    /tmp/readers/bin/pip install HolisticTraceAnalysis==0.5.0 psutil pyyaml
    cargo run -p formats --example two_ranks -- /tmp/two
    /tmp/readers/bin/python sim/formats/tests/readers.py /tmp/two
"""

import json
import sys

from hta.trace_analysis import TraceAnalysis

TEMPORAL = {  # rank: idle, compute, not compute, whole
    0: (20, 220, 60, 300),
    1: (8, 242, 52, 302),
}
TYPES = {
    "COMPUTATION": 352,
    "COMPUTATION overlapping COMMUNICATION": 110,
    "COMMUNICATION": 92,
    "COMMUNICATION overlapping MEMORY": 18,
    "MEMORY": 2,
}
KERNELS = {
    (0, "qkv"): 60,
    (0, "mlp"): 40,
    (0, "layer"): 100,
    (1, "layer"): 220,
    (0, "adam"): 20,
    (1, "adam"): 22,
    (0, "ncclDevKernel_AllReduce(tp all-reduce)"): 30,
    (1, "ncclDevKernel_AllReduce(tp all-reduce)"): 30,
    (0, "ncclDevKernel_AllReduce(grad reduce)"): 80,
    (1, "ncclDevKernel_AllReduce(grad reduce)"): 80,
    (0, "Memcpy DtoH (Device -> Pinned)"): 10,
    (1, "Memcpy HtoD (Pinned -> Device)"): 10,
}
OVERLAP = {0: 45.45, 1: 54.55}  # percent of communication beside kernels


def check_kineto(folder):
    analysis = TraceAnalysis(trace_dir=f"{folder}/kineto")
    table = analysis.get_temporal_breakdown(visualize=False)
    columns = ["idle_time(us)", "compute_time(us)", "non_compute_time(us)", "kernel_time(us)"]
    found = {int(row["rank"]): tuple(row[c] for c in columns) for _, row in table.iterrows()}
    assert found == TEMPORAL, found
    types, kernels = analysis.get_gpu_kernel_breakdown(
        visualize=False, include_memory_kernels=True, num_kernels=99, duration_ratio=1.0
    )
    found = dict(zip(types["kernel_type"], types["sum"]))
    assert found == TYPES, found
    found = {(row["rank"], row["name"]): row["sum (us)"] for _, row in kernels.iterrows()}
    assert found == KERNELS, found
    table = analysis.get_comm_comp_overlap(visualize=False)
    found = dict(zip(table["rank"], table["comp_comm_overlap_pctg"]))
    assert found == OVERLAP, found


def check_chrome(folder):
    with open(f"{folder}/all.json", encoding="utf-8") as file:
        trace = json.load(file)
    ranks = {e["pid"] for e in trace["traceEvents"] if e["ph"] == "X"}
    assert ranks == {0, 1}, ranks


check_kineto(sys.argv[1])
check_chrome(sys.argv[1])
print("all answers agree")
