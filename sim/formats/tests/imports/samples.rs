//! The files of other tools.

pub(crate) const SMI_V100: &str = include_str!("../data/smi_v100_8gpu_2nic.txt");
pub(crate) const SMI_H200: &str = include_str!("../data/smi_h200_8gpu_10nic_own.txt");
pub(crate) const NCCL_NDV4: &str = include_str!("../data/nccl_topo_azure_ndv4.xml");
pub(crate) const NCCL_NDV5: &str = include_str!("../data/nccl_topo_azure_ndv5.xml");
pub(crate) const NCCL_P4D: &str = include_str!("../data/nccl_topo_aws_p4d.xml");
pub(crate) const NCCL_FULL: &str = include_str!("../data/nccl_topo_full_own.xml");
pub(crate) const NCCL_GRAPH: &str = include_str!("../data/nccl_graph_azure_ncv4.xml");
pub(crate) const IB_2007: &str = include_str!("../data/ibnetdiscover_2switch_2007.txt");
pub(crate) const IB_4LEAF: &str = include_str!("../data/ibnetdiscover_4leaf_2spine_own.txt");
pub(crate) const SLURM_TREE: &str = include_str!("../data/slurm_tree_own.conf");
pub(crate) const SLURM_BLOCK: &str = include_str!("../data/slurm_block_own.conf");
pub(crate) const SLURM_YAML: &str = include_str!("../data/slurm_tree_own.yaml");
pub(crate) const ASTRA: &str = include_str!("../data/astra_ring_switch_own.yml");
pub(crate) const NCCL_TESTS: &str = include_str!("../data/nccl_tests_own.log");
