//! Figures of a prediction, as the session explains them.

use look::{Told, Worth, number};
use session::{Origin, Prediction, origins};

/// The figures of a prediction.
#[derive(Clone, Debug)]
pub struct Figures(Vec<Origin>);

impl Figures {
    /// All of them.
    pub fn of(prediction: &Prediction) -> Self {
        Self(origins(prediction))
    }

    /// One of them.
    ///
    /// * `key` — as `simulate --json` writes it.
    /// * `label`, `value` — what is shown of it; the rest stands on its card.
    ///
    /// # Panics
    ///
    /// Where the session knows no such figure, which is a bug.
    pub fn told(&self, key: &str, label: &str, value: String) -> Told {
        let origin = self.0.iter().find(|one| one.key == key);
        let origin = origin.expect("the session explains every figure of a prediction");
        let source = origin.source.clone();
        let mut told = Told::new(label, value, origin.meaning, worth(origin.worth), source);
        told.formula = origin.formula.map(str::to_owned);
        if key == "iteration_time_s" {
            let interval = origin.interval;
            told.interval = interval.map(|[low, high]| {
                format!("{} to {}, 80 %", number::secs(low), number::secs(high))
            });
        }
        told
    }
}

/// How well a number is founded, in the words of the window.
pub const fn worth(worth: session::Worth) -> Worth {
    match worth {
        session::Worth::Measured => Worth::Measured,
        session::Worth::Interpolated => Worth::Interpolated,
        session::Worth::Extrapolated => Worth::Extrapolated,
        session::Worth::Nominal => Worth::Nominal,
        session::Worth::Derived => Worth::Derived,
        session::Worth::Simulated => Worth::Simulated,
    }
}
