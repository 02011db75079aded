//! Open, edit, predict, compare and export, in plain data: what front ends know of the rest.

mod bandwidth;
mod binding;
mod cell;
mod collective;
mod complete;
mod draft;
mod example;
mod export;
mod field;
mod import;
mod import_network;
mod link_loads;
mod links;
mod memory_remedies;
mod network;
mod open;
mod origin;
mod plan;
mod plan_fields;
mod print;
mod ranks;
mod save;
mod shipped;
mod simulate;
mod span_facts;
mod store;
mod sweep;
mod topology;
mod validate;
mod what_if;
mod why_not;

pub use ::plan::{PlanField, PlanSpec};
pub use ::traffic::{Keep, RunError};
pub use ::validate::{
    Compared, Document, Facts, Group, Row, RowEntry, Settings as ValidateSettings, Worst, quantile,
};
pub use bandwidth::{BandwidthError, Measured, measured};
pub use binding::{Binding, binding, breakdown_parts};
pub use cell::csv_cell;
pub use collective::{
    CollectiveRequest, CollectiveRow, CollectiveTable, Sizes, SizesError, collective_kinds,
    collective_table,
};
pub use complete::complete_scenario;
pub use draft::{Difference, Draft};
pub use example::Example;
pub use export::{SCENARIO_BASE, SCENARIO_TOML, export, open_plan, save_bundle};
pub use field::{FieldKind, FormField, fields};
pub use format::Engine as ScenarioEngine;
pub use format::kind::{Limits, Quantity as Measure};
pub use format::{
    Assignment, ENVIRONMENT_PREFIX, Failure, Layout, MemoryMargin, Place, Planning, Problem, Shelf,
    Source, json_schema, memory_margin,
};
pub use formats::cluster_file::{Choices as HardwareChoices, Imported as ImportedFile};
pub use formats::{FormatError, Header};
pub use import::import;
pub use import_network::{Tool, import_chakra, import_cluster, import_simgrid};
pub use launch::{Bundle, Consumer, ExportError, Imported, LaunchFile, Mode, Producer};
pub use link_loads::{KindLoad, LinkLoads, LoadClass, Routed};
pub use links::{link_tracks, save_links};
pub use memory_remedies::{MemoryRemedies, MemoryRemedy, memory_remedies};
pub use network::{
    Candidate, FailedPlan, FullestLink, LinkLoad, Messages, NETWORK_FIELDS, NetworkAnswer,
    NetworkBundle, NetworkConsumer, NetworkExplanation, NetworkField, NetworkFile, NetworkPlan,
    NetworkPlanError, NetworkPlans, NetworkRemedy, PacketCounts, Rules, Traffic,
    save_network_bundle,
};
pub use open::{FileKind, Opened, Request, STANDARD_INPUT, open, open_workload};
pub use origin::{Origin, Unit, Worth, origins};
pub use plan::{Planned, Remedy, WhatIf, baselines, remedies, sensitivity};
pub use plan_fields::{KEPT, plan_fields};
pub use predict::{
    Assumed, Breakdown, ClassMemory, CommunicationFact, Engine, JobTime, LinkClass, Links, Outcome,
    PredictError, Prediction, Record, Scenario, Sources, Table, doubted, rehearsed_since,
};
pub use ranks::RankPlaces;
pub use runs::{Assumption as Inferred, Quantity, RunsError};
pub use save::{Existing, SaveError, check, save};
pub use search::{
    Answer, Baseline, Choice, DegreeChoice, Evaluated, NoPlan, Observer, Order, Phase, Placed,
    Progress, Reason, SearchError, Simulated, Tally, Unplaced,
};
pub use shipped::shipped_tables;
pub use simulate::{LeftOut, Ready, TraceForm, read_trace, save_trace};
pub use span_facts::{OperatorFact, SpanFact, SpanFacts};
pub use store::Store;
pub use sweep::{CaseResult, Sweep, open_sweep, open_workload_sweep};
pub use topology::{
    CableView, DeviceView, Extent, GroupId, GroupView, Level, Part, Shape, TopologyView, link_name,
    topology,
};
pub use trace::{Explanation, Trace, explain};
pub use validate::{
    Found, Places, ReportError, ReportRequest, RowText, Tables, Validation, check_report,
    parse_tables, read_tables, row_text, save_report, text_of_row, validate, worst,
};
pub use what_if::{Knob, Sensitivity, Setting, TuneError, Tuner, Tuning, settings};
pub use why_not::{WhyNot, WhyNotError};

/// The version of this program.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
