//! What is fitted.

use std::sync::Arc;

use fit::least_squares::Parameter;
use format::framework::framework_file;
use format::{Shelf, read_source};
use predict::Scenario;
use units::Bytes;

/// One fitted constant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Constant {
    /// Small buffers of frameworks on Megatron-Core, in MiB.
    Buffers,
    /// How many times what crosses a stage's border is allocated.
    Borders,
    /// Rows of a rank's experts at the most over the mean, where routers choose freely.
    ExpertRows,
    /// Buffers of one communicator under frameworks of 2021, in MiB.
    Communicator,
    /// Reserved but unused memory under frameworks of 2021, as a share of the allocated peak.
    Slack,
}

impl Constant {
    /// Every constant, in the order of a fit's values.
    pub const ALL: [Self; 5] = [
        Self::Buffers,
        Self::Borders,
        Self::ExpertRows,
        Self::Communicator,
        Self::Slack,
    ];

    /// The key in the framework file that holds it.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Buffers => "framework_mib",
            Self::Borders => "borders",
            Self::ExpertRows => "expert_rows",
            Self::Communicator => "communicator_mib",
            Self::Slack => "slack",
        }
    }

    /// The framework file that holds it.
    pub const fn framework(self) -> &'static str {
        match self {
            Self::Buffers | Self::Borders => "megatron-core",
            Self::ExpertRows => "megatron-lm",
            Self::Communicator | Self::Slack => "megatron-deepspeed",
        }
    }

    /// The value in that file.
    ///
    /// # Panics
    ///
    /// Never: the zoo has these files, and a test reads each constant in them.
    pub fn shipped(self) -> f64 {
        let source = Shelf::Frameworks.open(self.framework());
        let source = source.expect("the zoo has the frameworks of constants");
        let file = read_source(&source, &framework_file);
        let own = file.expect("files of the zoo are in order").memory;
        let value = match self {
            Self::Buffers => own.framework_mib,
            Self::Borders => own.borders,
            Self::ExpertRows => own.expert_rows,
            Self::Communicator => own.communicator_mib,
            Self::Slack => own.slack,
        };
        value.expect("the file holds the constant")
    }

    /// Whether a fit says the same as the file, whose values have three digits.
    pub fn is_shipped(self, fitted: f64) -> bool {
        (self.shipped() / fitted - 1.0).abs() <= 0.005
    }

    /// What is believed before any row is seen.
    ///
    /// Buffers: tens of MiB of masks, tokens and losses. Borders: an input, an output and their
    /// gradients. Experts' rows: a third more than the mean is what shares of trained routers show.
    /// Communicators: 10 and 2 MiB a channel and connection, 24 channels (nccl issue 1685). Slack:
    /// some percent (`PyTorch`'s blocks of 2 and 20 MiB).
    pub fn prior(self) -> Parameter {
        let (value, log_sd) = match self {
            Self::Buffers => (10.0, 1.0),
            Self::Borders => (4.0, 0.5),
            Self::ExpertRows => (1.3, 0.15),
            Self::Communicator => (288.0, 0.7),
            Self::Slack => (0.06, 0.7),
        };
        Parameter::new(self.key(), value, log_sd)
    }

    /// Whether a scenario's memory can depend on it.
    pub fn touches(self, scenario: &Scenario) -> bool {
        match self {
            Self::Communicator | Self::Slack => is_old(scenario),
            Self::Borders => !is_old(scenario) && 1 < scenario.plan.degrees().pp,
            Self::ExpertRows => 1.0 < scenario.framework.expert_rows,
            Self::Buffers => !is_old(scenario),
        }
    }
}

/// Frameworks of 2021 have constants of their own: other libraries, other allocators.
fn is_old(scenario: &Scenario) -> bool {
    matches!(
        scenario.framework.name.as_ref(),
        "megatron-deepspeed" | "megatron-lm-2021"
    )
}

/// Values of all constants, in the order of [`Constant::ALL`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Constants<'a>(pub &'a [f64]);

impl Constants<'_> {
    fn of(&self, constant: Constant) -> f64 {
        let place = Constant::ALL.iter().position(|known| *known == constant);
        place.and_then(|at| self.0.get(at)).copied().unwrap_or(0.0)
    }

    /// A scenario with these constants.
    #[must_use]
    pub fn apply(&self, scenario: &Scenario) -> Scenario {
        let mut scenario = scenario.clone();
        let mib = |value: f64| Bytes::from_f64(value * 1_048_576.0);
        let old = is_old(&scenario);
        for profile in &mut scenario.profiles {
            let mut memory = *profile.memory();
            if old {
                memory.communicator = mib(self.of(Constant::Communicator));
                memory.slack = self.of(Constant::Slack).min(0.99);
            } else {
                memory.framework = mib(self.of(Constant::Buffers));
                memory.borders = self.of(Constant::Borders);
            }
            *profile = profile.clone().with_memory(memory);
        }
        if Constant::ExpertRows.touches(&scenario) {
            let framework = Arc::make_mut(&mut scenario.framework);
            framework.expert_rows = self.of(Constant::ExpertRows).max(1.001);
        }
        scenario
    }
}
