//! Whatever stands in a topology of another tool, reading it ends with a value or with an error, and
//! so does making a cluster file of it. The first byte says which tool wrote it.

#![no_main]

use formats::cluster_file::{self, Choices};
use formats::{ImportError, astra_sim, ibnetdiscover, nccl, nvidia_smi, slurm_topology};
use libfuzzer_sys::fuzz_target;

fn both<T, U>(
    text: &str,
    read: fn(&str) -> Result<T, ImportError>,
    make: fn(&T, &Choices) -> Result<U, ImportError>,
) {
    if let Ok(found) = read(text) {
        let _ = make(&found, &Choices::default());
    }
}

fuzz_target!(|bytes: &[u8]| {
    let Some((tool, rest)) = bytes.split_first() else {
        return;
    };
    let Ok(text) = std::str::from_utf8(rest) else {
        return;
    };
    match tool % 6 {
        0 => both(text, nvidia_smi::read, cluster_file::of_nvidia_smi),
        1 => both(text, nccl::topology::read, cluster_file::of_nccl_topology),
        2 => both(text, nccl::graphs::read, cluster_file::of_nccl_graphs),
        3 => both(text, ibnetdiscover::read, cluster_file::of_ibnetdiscover),
        4 => both(text, slurm_topology::read, cluster_file::of_slurm_topology),
        _ => both(text, astra_sim::read, cluster_file::of_astra_sim),
    }
});
