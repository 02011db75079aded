//! Scenario, cluster, model and profile files to values, with errors that show the line.

pub mod check;
mod comm;
pub mod curves;
mod error;
pub mod fields;
mod files;
pub mod fitted;
pub mod framework;
pub mod hardware;
mod kept;
pub mod kind;
mod layers;
mod layout;
mod library;
mod model_section;
mod nearest;
mod plan_files;
mod plan_section;
mod reference;
mod resolve;
mod scenario;
mod sections;
pub mod shape;
mod source;
mod training;
pub mod tree;
pub mod write;
mod zoo;

pub use comm::fitted as fitted_comm;
pub use error::{Failure, MAX_ERRORS, Problem};
pub use files::{Disk, Files, NoFiles, PROFILE_LIMIT, SCENARIO_FILE, SCENARIO_LIMIT, read_limited};
pub use fitted::{MemoryMargin, memory_margin};
pub use framework::{FrameworkFile, Habits, nearest_framework};
pub use hardware::ClusterFile;
pub use layers::{
    Assignment, ENVIRONMENT_PREFIX, Layers, environment_name, from_environment, lay_over,
};
pub use layout::{Layout, json_schema};
pub use library::{At, Library, read_source};
pub use model_section::ModelSection;
pub use plan_section::PlanSection;
pub use reference::{Named, is_path};
pub use resolve::{
    Planning, Resolved, Rules, Search, describe_cluster, how_cut, idle_in_traffic, marks_reversed,
    policy, queue_pairs, read_whole_scenario, resolve, resolve_measured, resolve_on,
    resolve_planning, rules, usual_balancing,
};
pub use scenario::{
    ClusterSection, MEASURED_RATES, NodeCount, Scale, ScenarioSpec, read_scenario, scenario_fields,
};
pub use sections::{
    Background, Ends, Engine, Framework, LOAD_BALANCING, LinkRates, Nccl, Network, NetworkWorkload,
    Prices, Settings, Straggler, Sweep, TRANSPORTS,
};
pub use source::{Place, Source};
pub use training::Training;
pub use zoo::Shelf;
