//! Predictions of rows by constants.

use std::cell::OnceCell;

use collective::Priced;
use profile::{BetweenReached, CollectiveKind, CommProfile, Protocol};
use units::math::ln;

use super::parameters::{BETWEEN, EFA, Knob, Target, nominal_between, unset_inside};
use super::rows::{Launch, Row, Rows, Setup};
use crate::least_squares::Model;

/// Rows and the constants that price them.
#[derive(Debug)]
pub(crate) struct CommModel<'a> {
    pub(crate) rows: &'a Rows,
    pub(crate) knobs: &'a [Knob],
    /// NCCL's constants, with places for what is fitted.
    pub(crate) base: CommProfile,
    weights: Vec<f64>,
}

impl<'a> CommModel<'a> {
    pub(crate) fn new(rows: &'a Rows, base: &CommProfile, knobs: &'a [Knob]) -> Self {
        let mut base = base.clone();
        for knob in knobs {
            if let Target::Inside(at, _) = knob.target {
                base.scale_up[at].reached = Some(unset_inside());
            }
        }
        for entry in &mut base.network {
            if BETWEEN.contains(&entry.name.as_str()) {
                entry.reached = Some(nominal_between(entry));
            }
        }
        let weight = |row: &Row| {
            if rows.is_fitted(row) { row.weight } else { 0.0 }
        };
        Self {
            rows,
            knobs,
            base,
            weights: rows.sizes.iter().map(weight).collect(),
        }
    }

    /// The same without the rows of some tables.
    pub(crate) fn without(&self, left_out: &[usize]) -> Self {
        let mut weights = self.weights.clone();
        for &row in left_out {
            weights[row] = 0.0;
        }
        Self {
            rows: self.rows,
            knobs: self.knobs,
            base: self.base.clone(),
            weights,
        }
    }

    /// Constants with those values, and the launches of campaigns and of their sends in µs.
    pub(crate) fn constants(&self, values: &[f64]) -> (CommProfile, Vec<[f64; 2]>) {
        let mut comm = self.base.clone();
        let mut launches = vec![[0.0; 2]; self.rows.campaigns.len()];
        let mut nics = vec![0.0; comm.network.len()];
        let mut efa = 1.0;
        for (knob, &value) in self.knobs.iter().zip(values) {
            match knob.target {
                Target::Inside(at, field) => {
                    if let Some(reached) = &mut comm.scale_up[at].reached {
                        *field(reached) = value;
                    }
                }
                Target::Networks(field) => {
                    let all = comm.network.iter_mut();
                    for reached in all.filter_map(|entry| entry.reached.as_mut()) {
                        *field(reached) *= value;
                    }
                }
                Target::EfaNic => efa = value,
                Target::EfaRamp => {
                    for at in 0..comm.network.len() {
                        if is_efa(&comm, at) {
                            scale(&mut comm, at, value, |own| own.ramp_us.iter_mut().collect());
                        }
                    }
                }
                Target::Nic(at) => nics[at] = value,
                Target::Rate(at) => scale(&mut comm, at, value, |own| {
                    own.ring.iter_mut().chain(&mut own.tree).collect()
                }),
                Target::Ramp(at) => {
                    scale(&mut comm, at, value, |own| own.ramp_us.iter_mut().collect());
                }
                Target::Launch(at) => launches[at][0] = value,
                Target::Send(at) => launches[at][1] = value,
            }
        }
        add_nics(&mut comm, &nics, efa);
        (comm, launches)
    }

    /// Natural logarithm of predicted over measured.
    pub(crate) fn log_errors_of(&self, values: &[f64], rows: &[usize]) -> Vec<f64> {
        let (comm, launches) = self.constants(values);
        let priced: Vec<OnceCell<Priced<'_>>> = vec![OnceCell::new(); self.rows.setups.len()];
        let error = |&at: &usize| {
            let row = &self.rows.sizes[at];
            let setup = &self.rows.setups[row.setup];
            let priced = priced[row.setup]
                .get_or_init(|| Priced::new(setup.kind, &setup.shape, &comm, &setup.choice));
            let micros = priced.time(row.bytes).time.as_micros();
            ln(self.with_launch(setup, micros, &launches) / row.micros)
        };
        rows.iter().map(error).collect()
    }

    /// A measured time is that of the collective or of its launches, whichever is longer:
    /// `(a⁴ + b⁴)^¼`, which rounds the corner where both are about as long.
    fn with_launch(&self, setup: &Setup, micros: f64, launches: &[[f64; 2]]) -> f64 {
        let Some(campaign) = setup.campaign else {
            return micros;
        };
        let ranks = match self.rows.campaigns[campaign].launch {
            Launch::OneProcess => f64::from(setup.ranks),
            Launch::Torch => 1.0,
        };
        let sends = if setup.kind == CollectiveKind::AllToAll {
            f64::from(setup.ranks)
        } else {
            0.0
        };
        let [launch, send] = launches[campaign];
        let launch = (launch + send * sends) * ranks;
        (micros.powi(4) + launch.powi(4)).sqrt().sqrt()
    }
}

/// Multiplies fields of a network.
fn scale(
    comm: &mut CommProfile,
    at: usize,
    factor: f64,
    fields: fn(&mut BetweenReached) -> Vec<&mut f64>,
) {
    if let Some(reached) = &mut comm.network[at].reached {
        for field in fields(reached) {
            *field *= factor;
        }
    }
}

/// Adds the latency of a hop's NICs, which Simple waits for twice, as in NCCL's model.
fn add_nics(comm: &mut CommProfile, nics: &[f64], efa: f64) {
    for (at, nic) in nics.iter().enumerate() {
        let factor = if is_efa(comm, at) { efa } else { 1.0 };
        if let Some(reached) = &mut comm.network[at].reached {
            for protocol in Protocol::ALL {
                let times = if protocol == Protocol::Simple {
                    2.0
                } else {
                    1.0
                };
                reached.hop_us[protocol.index()] += times * factor * nic;
            }
        }
    }
}

fn is_efa(comm: &CommProfile, at: usize) -> bool {
    EFA.contains(&comm.network[at].name.as_str())
}

impl Model for CommModel<'_> {
    fn log_errors(&self, values: &[f64], rows: &[usize]) -> Vec<f64> {
        self.log_errors_of(values, rows)
    }

    fn rows_of(&self, parameter: usize) -> Vec<usize> {
        let is_touched = |row: &Row| {
            let setup = &self.rows.setups[row.setup];
            match self.knobs[parameter].target {
                Target::Inside(at, _) => usize::from(setup.shape.scale_up) == at,
                Target::Networks(_) => setup.shape.domains > 1,
                Target::EfaNic | Target::EfaRamp => {
                    setup.shape.domains > 1 && is_efa(&self.base, setup.shape.network.into())
                }
                Target::Nic(at) | Target::Rate(at) | Target::Ramp(at) => {
                    usize::from(setup.shape.network) == at && setup.shape.domains > 1
                }
                Target::Launch(at) => setup.campaign == Some(at),
                Target::Send(at) => {
                    setup.campaign == Some(at) && setup.kind == CollectiveKind::AllToAll
                }
            }
        };
        let rows = self.rows.sizes.iter().enumerate();
        rows.filter(|(at, row)| self.weights[*at] > 0.0 && is_touched(row))
            .map(|(at, _)| at)
            .collect()
    }

    fn weights(&self) -> &[f64] {
        &self.weights
    }
}
