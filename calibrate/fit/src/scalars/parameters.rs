//! Which scalars are free, and what is believed of them before any run is seen.

use format::fitted::FittedScale;
use format::framework::On;
use lower::ScaleKey;
use serde::Deserialize;

use crate::least_squares::Parameter;

/// `parameters.toml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ParametersFile {
    /// Version of this format.
    pub schema: u32,
    /// Standard deviation of a run's residual that is expected of a good model.
    pub noise: f64,
    /// The scalars.
    #[serde(rename = "free")]
    pub free: Vec<Free>,
}

/// A scalar that is fitted, and where it holds.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Free {
    /// Which scalar.
    pub key: String,
    /// Of that framework; all, where none is named.
    pub framework: Option<String>,
    /// From that version of it on.
    pub from: Option<String>,
    /// Before that version.
    pub before: Option<String>,
    /// On that GPU.
    pub gpu: Option<String>,
    /// On GPUs of that architecture.
    pub architecture: Option<String>,
    /// On that kind of node.
    pub node: Option<String>,
    /// The most likely value.
    pub prior: f64,
    /// Standard deviation of its logarithm.
    pub log_sd: f64,
    /// Why it is free, and where the prior comes from.
    pub why: String,
}

/// Reads the file.
///
/// # Errors
///
/// What is wrong with it, in words.
pub fn read_parameters(text: &str) -> Result<ParametersFile, String> {
    let file: ParametersFile = toml::from_str(text).map_err(|error| error.to_string())?;
    for free in &file.free {
        free.scale_key()?;
        let positive = |value: f64| value.is_finite() && 0.0 < value;
        if !positive(free.prior) || !positive(free.log_sd) {
            return Err(format!("{}: prior and log_sd are above 0", free.name()));
        }
    }
    Ok(file)
}

impl Free {
    fn scale_key(&self) -> Result<ScaleKey, String> {
        let found = ScaleKey::ALL.into_iter().find(|key| key.name() == self.key);
        found.ok_or_else(|| {
            let known: Vec<&str> = ScaleKey::ALL.iter().map(|key| key.name()).collect();
            format!(
                "{:?} is no scalar; there are {}",
                self.key,
                known.join(", ")
            )
        })
    }

    /// Whether the scalar is added, not multiplied with.
    pub(super) fn is_added(&self) -> bool {
        self.scale_key().is_ok_and(ScaleKey::is_added)
    }

    /// What tables call it: the scalar, then where it holds.
    pub fn name(&self) -> String {
        let place = self.place();
        if place.is_empty() {
            return self.key.clone();
        }
        format!("{} @ {place}", self.key)
    }

    /// Where it holds, in words.
    pub fn place(&self) -> String {
        let parts = [
            self.framework.clone(),
            self.from.as_ref().map(|from| format!("from {from}")),
            self.before
                .as_ref()
                .map(|before| format!("before {before}")),
            self.gpu.clone(),
            self.architecture.clone(),
            self.node.clone(),
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }

    /// The entry that a file of fitted scalars has for it.
    pub fn fitted(&self, value: f64, log_sd: f64, rows: u64) -> FittedScale {
        FittedScale {
            key: self.scale_key().unwrap_or(ScaleKey::Gemm),
            framework: self.framework.clone(),
            from: self.from.clone(),
            before: self.before.clone(),
            on: On {
                architecture: self.architecture.clone(),
                gpu: self.gpu.clone(),
            },
            node: self.node.clone(),
            value,
            log_sd,
            rows,
        }
    }

    /// The parameter that is fitted.
    pub fn parameter(&self) -> Parameter {
        Parameter::new(self.name(), self.prior, self.log_sd)
    }
}
