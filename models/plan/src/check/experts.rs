//! Experts: their degrees, their tokens, their places.

use std::collections::BTreeSet;

use workload::{Dispatcher, Experts};

use super::Check;
use crate::error::PlanError;
use crate::ranks::Degrees;
use crate::spec::{ExpertPlacement, Routing};

impl Check<'_> {
    pub(super) fn check_experts(&mut self, degrees: Degrees) {
        let Degrees {
            tp,
            cp,
            ep,
            etp,
            dp,
            ..
        } = degrees;
        if self.shape.experts.is_empty() {
            // Without experts the degree inside them is `tp`: saying so is no error.
            let etp = self.spec.etp.filter(|etp| *etp != tp);
            let degrees = [("ep", self.spec.ep), ("etp", etp)];
            let degrees = degrees
                .map(|(field, value)| (field, value.filter(|value| 1 < *value).map(f64::from)));
            let factor = ("moe.capacity_factor", self.spec.moe.capacity_factor);
            for (field, value) in degrees.into_iter().chain([factor]) {
                if let Some(value) = value {
                    self.errors.push(PlanError::NoExperts { field, value });
                }
            }
            return;
        }
        let most = self.shape.experts.clone();
        for experts in distinct(most) {
            if !experts.is_multiple_of(u64::from(ep)) {
                self.errors.push(PlanError::Experts { ep, experts });
            }
        }
        for &width in &self.shape.expert_widths {
            if !width.is_multiple_of(u64::from(etp)) {
                self.errors.push(PlanError::ExpertWidth { etp, width });
            }
        }
        let stage = u64::from(tp) * u64::from(cp) * u64::from(dp);
        if !stage.is_multiple_of(u64::from(ep) * u64::from(etp)) {
            self.errors.push(PlanError::ExpertTiling {
                ep,
                etp,
                tp,
                cp,
                dp,
            });
        }
    }

    pub(super) fn experts(&mut self, degrees: Degrees) -> Experts {
        let moe = &self.spec.moe;
        let factor = moe.capacity_factor;
        if let Some(value) = factor.filter(|factor| !(factor.is_finite() && 0.0 < *factor)) {
            self.errors.push(PlanError::Number {
                field: "moe.capacity_factor",
                value,
                limit: "a positive number",
            });
        }
        if factor.is_some() && !self.shape.experts.is_empty() {
            let reason = "rows beyond are dropped and missing ones computed";
            self.assume("moe.capacity_factor", "experts padded to it".into(), reason);
        }
        let dispatcher = if self.shape.experts.is_empty() || degrees.ep == 1 {
            moe.dispatcher.unwrap_or_default()
        } else {
            let reason = "what Megatron-Core recipes set";
            self.given(
                "moe.dispatcher",
                moe.dispatcher,
                Dispatcher::AllToAll,
                reason,
            )
        };
        Experts {
            peak_rows: None,
            dispatcher,
            capacity_factor: factor,
            dispatch_dtype: moe.dispatch_dtype,
            activation_dtype: moe.activation_dtype,
            shared_overlap: moe.shared_overlap.unwrap_or(false),
            domains: 1,
        }
    }

    pub(super) fn routing(&mut self) -> Routing {
        let n_layers = self.shape.experts.len();
        let Some(routing) = &self.spec.moe.routing else {
            if 0 < n_layers {
                self.assume("moe.routing", "balanced".into(), "no counts are given");
            }
            return Routing::Balanced;
        };
        if let Routing::Shares(rows) = routing {
            let field = "moe.routing";
            self.check_rows(field, rows.len(), n_layers);
            for (row, (shares, experts)) in rows.iter().zip(&self.shape.experts).enumerate() {
                if shares.len() as u64 != *experts {
                    self.errors.push(PlanError::ExpertColumns {
                        field,
                        row,
                        given: shares.len(),
                        limit: format!("one for each of {experts} experts"),
                    });
                }
                let bad = shares
                    .iter()
                    .find(|share| !(share.is_finite() && 0.0 <= **share));
                let sum: f64 = shares.iter().sum();
                if let Some(&value) = bad.or((sum <= 0.0).then_some(&sum)) {
                    self.errors.push(PlanError::Number {
                        field,
                        value,
                        limit: "shares of at least 0 that do not sum to 0",
                    });
                }
            }
        }
        routing.clone()
    }

    pub(super) fn placement(&mut self, degrees: Degrees) -> Option<ExpertPlacement> {
        let placement = self.spec.moe.experts.clone()?;
        let field = "moe.experts_file";
        self.check_rows(field, placement.layers.len(), self.shape.experts.len());
        let rows = placement.layers.iter().zip(self.shape.experts.clone());
        for (row, (slots, experts)) in rows.enumerate() {
            self.check_slots(row, slots, experts, degrees.ep);
        }
        Some(placement)
    }

    fn check_slots(&mut self, row: usize, slots: &[u32], experts: u64, ep: u32) {
        if slots.is_empty() || !slots.len().is_multiple_of(ep as usize) {
            self.errors.push(PlanError::ExpertColumns {
                field: "moe.experts_file",
                row,
                given: slots.len(),
                limit: format!("a multiple of ep {ep}"),
            });
        }
        let unknown = slots.iter().find(|expert| experts <= u64::from(**expert));
        if let Some(&expert) = unknown {
            self.errors.push(PlanError::ExpertUnknown {
                row,
                expert,
                experts,
            });
            return;
        }
        let placed: BTreeSet<u64> = slots.iter().map(|expert| u64::from(*expert)).collect();
        if let Some(expert) = (0..experts).find(|expert| !placed.contains(expert)) {
            self.errors.push(PlanError::ExpertMissing {
                row,
                expert,
                experts,
            });
        }
    }

    /// One row for all layers with experts, or one for each.
    fn check_rows(&mut self, field: &'static str, given: usize, layers: usize) {
        if layers == 0 || (given != 1 && given != layers) {
            self.errors.push(PlanError::ExpertRows {
                field,
                given,
                layers,
            });
        }
    }
}

fn distinct(mut values: Vec<u64>) -> Vec<u64> {
    values.sort_unstable();
    values.dedup();
    values
}
