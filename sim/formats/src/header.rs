//! Where a trace comes from.

use serde::{Deserialize, Serialize};

/// What a file says about its trace: enough to run it again.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Header {
    /// The program that wrote it, with its version.
    pub tool: String,
    /// The seed of the run.
    pub seed: u64,
    /// The text of the scenario.
    pub scenario: String,
    /// The prediction as `--json` prints it; null where there is none.
    pub prediction: serde_json::Value,
}
