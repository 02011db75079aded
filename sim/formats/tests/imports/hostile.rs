//! Damaged and hostile files end with a value or with an error.

use std::fmt::Debug;

use formats::cluster_file::{self, Choices};
use formats::{
    ImportError, astra_sim, chakra, ibnetdiscover, nccl, nccl_tests, nvidia_smi, slurm_topology,
};
use proptest::prelude::*;
use units::HostId;

use crate::samples;

/// A change to a text.
#[derive(Clone, Debug)]
enum Damage {
    Cut(usize),
    Flip(usize, u8),
    /// Repeats a stretch.
    Repeat(usize, usize, usize),
    /// Puts a word where another text may not have it.
    Insert(usize, &'static str),
}

const WORDS: [&str; 24] = [
    "99999999999999999999999999",
    "-1",
    "1e308",
    "NaN",
    "0",
    "\0",
    "\u{301}",
    "\"",
    "<",
    "<a>",
    "&lt;",
    "&x;",
    "[",
    "]",
    "[0-4294967295]",
    "[000001-999999]",
    ",",
    ";",
    "#",
    "\t",
    "\n",
    "\r\n",
    ": ",
    "- ",
];

fn damage() -> impl Strategy<Value = Vec<Damage>> {
    let one = prop_oneof![
        any::<usize>().prop_map(Damage::Cut),
        (any::<usize>(), any::<u8>()).prop_map(|(at, byte)| Damage::Flip(at, byte)),
        (any::<usize>(), 1..200_usize, 1..30_usize)
            .prop_map(|(at, length, times)| Damage::Repeat(at, length, times)),
        (any::<usize>(), proptest::sample::select(WORDS.as_slice()))
            .prop_map(|(at, word)| Damage::Insert(at, word)),
    ];
    proptest::collection::vec(one, 1..8)
}

fn damaged(sample: &[u8], damage: &[Damage]) -> Vec<u8> {
    let mut bytes = sample.to_vec();
    for one in damage {
        let at = |place: usize| place % (bytes.len() + 1);
        match *one {
            Damage::Cut(place) => bytes.truncate(at(place)),
            Damage::Flip(place, with) => {
                let at = at(place);
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= with;
                }
            }
            Damage::Repeat(place, length, times) => {
                let from = at(place);
                let to = (from + length).min(bytes.len());
                let part = bytes[from..to].repeat(times);
                bytes.splice(from..from, part);
            }
            Damage::Insert(place, word) => {
                let at = at(place);
                bytes.splice(at..at, word.bytes());
            }
        }
    }
    bytes
}

/// Reads every kind of file from damaged copies of a sample.
macro_rules! survives {
    ($name:ident, $sample:expr, $read:expr) => {
        proptest! {
            #[test]
            fn $name(damage in damage()) {
                let sample: &[u8] = $sample;
                let read: fn(&[u8]) = $read;
                read(sample);
                read(&damaged(sample, &damage));
            }
        }
    };
}

survives!(
    damaged_lists_of_flows_end_with_an_answer,
    b"id,src,dst,bytes,start_s,after\n\
      a,n0,n1,65536,0,\nb,n1,n2,65536,0.000001,a\n\"c\",n2,n0,65536,1e-6,a;b\n",
    |bytes| {
        let host = |name: &str| name.strip_prefix('n')?.parse().ok().map(HostId::new);
        if let Ok(list) = formats::flows_csv::read(bytes, host) {
            assert_eq!(list.flows.len(), list.ids.len());
        }
    }
);

/// Reads a text if it is one, and makes a cluster of it if that succeeds.
fn into_cluster<T: Debug, U>(
    bytes: &[u8],
    read: fn(&str) -> Result<T, ImportError>,
    make: fn(&T, &Choices) -> Result<U, ImportError>,
) {
    if let Ok(text) = std::str::from_utf8(bytes)
        && let Ok(found) = read(text)
    {
        let _ = make(&found, &Choices::default());
    }
}

survives!(
    damaged_tables_of_nvidia_smi_end_with_an_answer,
    samples::SMI_V100.as_bytes(),
    |bytes| into_cluster(bytes, nvidia_smi::read, cluster_file::of_nvidia_smi)
);

survives!(
    damaged_topologies_of_nccl_end_with_an_answer,
    samples::NCCL_FULL.as_bytes(),
    |bytes| into_cluster(bytes, nccl::topology::read, cluster_file::of_nccl_topology)
);

survives!(
    damaged_channels_of_nccl_end_with_an_answer,
    samples::NCCL_GRAPH.as_bytes(),
    |bytes| into_cluster(bytes, nccl::graphs::read, cluster_file::of_nccl_graphs)
);

survives!(
    damaged_listings_of_infiniband_end_with_an_answer,
    samples::IB_4LEAF.as_bytes(),
    |bytes| into_cluster(bytes, ibnetdiscover::read, cluster_file::of_ibnetdiscover)
);

survives!(
    damaged_old_listings_of_infiniband_end_with_an_answer,
    samples::IB_2007.as_bytes(),
    |bytes| into_cluster(bytes, ibnetdiscover::read, cluster_file::of_ibnetdiscover)
);

survives!(
    damaged_trees_of_slurm_end_with_an_answer,
    samples::SLURM_TREE.as_bytes(),
    |bytes| into_cluster(bytes, slurm_topology::read, cluster_file::of_slurm_topology)
);

survives!(
    damaged_blocks_of_slurm_end_with_an_answer,
    samples::SLURM_BLOCK.as_bytes(),
    |bytes| into_cluster(bytes, slurm_topology::read, cluster_file::of_slurm_topology)
);

survives!(
    damaged_yaml_of_slurm_ends_with_an_answer,
    samples::SLURM_YAML.as_bytes(),
    |bytes| into_cluster(bytes, slurm_topology::read, cluster_file::of_slurm_topology)
);

survives!(
    damaged_networks_of_astra_sim_end_with_an_answer,
    samples::ASTRA.as_bytes(),
    |bytes| into_cluster(bytes, astra_sim::read, cluster_file::of_astra_sim)
);

survives!(
    damaged_logs_of_nccl_tests_end_with_an_answer,
    samples::NCCL_TESTS.as_bytes(),
    |bytes| {
        let text = String::from_utf8_lossy(bytes);
        let _ = nccl_tests::read(&text);
    }
);

survives!(
    damaged_traces_end_with_an_answer,
    &chakra::write_collective(chakra::Collective::ReduceScatter, 1 << 20).unwrap_or_default(),
    |bytes| {
        let sound = chakra::write_collective(chakra::Collective::ReduceScatter, 1 << 20);
        let traces = [bytes, &sound.unwrap_or_default()].map(|file| chakra::read("x", &mut &*file));
        if let [Ok(damaged), Ok(sound)] = traces {
            let _ = chakra::flows(&[damaged, sound]);
        }
    }
);

#[test]
fn what_expands_or_nests_without_end_is_refused() {
    let bomb = format!(
        "<!DOCTYPE s [<!ENTITY a \"{}\">]><system version=\"&a;\"/>",
        "&a;".repeat(1000)
    );
    assert!(nccl::topology::read(&bomb).is_err());
    let deep = format!(
        "<system version='1'><cpu>{}",
        "<pci busid='a'>".repeat(100_000)
    );
    assert!(nccl::topology::read(&deep).is_err());
    let aliases = "a: &a [x, x]\nb: &b [*a, *a]\ntopology: *b\n";
    assert!(astra_sim::read(aliases).is_err());
    assert!(astra_sim::read(&"[".repeat(1_000_000)).is_err());
    assert!(astra_sim::read(&"- ".repeat(100_000)).is_err());
    assert!(astra_sim::read(&"{a: ".repeat(100_000)).is_err());
    assert!(slurm_topology::read("SwitchName=a Nodes=n[0-99999]r[0-99999]\n").is_err());
}
