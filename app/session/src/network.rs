//! Network workloads: a fabric, flows or a collective, and what came of them.

mod answer;
mod candidates;
mod collective;
mod export;
mod fabric;
mod json;
mod open;
mod plan;

use ::network::Share;
use ::traffic::{
    Balanced, Keep, Policy, RunError, balance, congestion, run_folded, run_packets, sprayed_loads,
};
use units::{Control, Seconds};

pub use answer::{LinkLoad, Messages, NetworkAnswer, PacketCounts};
pub use candidates::{Candidate, NETWORK_FIELDS, NetworkField};
pub use export::{NetworkBundle, NetworkConsumer, NetworkFile, save_network_bundle};
pub use format::Rules;
pub use open::Traffic;
pub use plan::{NetworkPlan, NetworkPlanError, NetworkPlans};

use crate::network::answer::{flow_links, packet_links};

impl Traffic {
    /// Runs the workload.
    ///
    /// * `keep` — whether the times of every message are wanted.
    ///
    /// # Errors
    ///
    /// What the engine cannot go on with.
    pub fn run(&self, keep: Keep, control: &Control) -> Result<NetworkAnswer, RunError> {
        self.run_under(&self.rules, self.seed, keep, control)
    }

    /// Runs the workload by other rules than its own.
    ///
    /// * `seed` — of the ways that hosts choose; that of packets stands in the rules.
    fn run_under(
        &self,
        rules: &Rules,
        seed: u64,
        keep: Keep,
        control: &Control,
    ) -> Result<NetworkAnswer, RunError> {
        let topology = &self.fabric;
        let balanced = balance(topology, &self.program, rules.policy(), seed);
        match rules {
            Rules::Flow { share, policy } => {
                let mut answer = self.run_flow(&balanced, *share, keep, control)?;
                if *policy != Policy::Static {
                    answer.congestion[1] = Some(self.ideal_congestion());
                }
                Ok(answer)
            }
            Rules::Packet { config, .. } => {
                let mut outcome = run_packets(topology, &balanced.program, *config, keep, control)?;
                Ok(NetworkAnswer {
                    makespan: outcome.makespan,
                    acked: Some(outcome.acked),
                    messages: Messages::new(
                        &self.program,
                        &balanced.origin,
                        std::mem::take(&mut outcome.times),
                    ),
                    links: packet_links(topology, &outcome),
                    extra_pieces: balanced.n_extra_pieces(self.program.streams().len()),
                    classes: None,
                    congestion: [None, Some(self.ideal_congestion())],
                    packets: Some(PacketCounts::new(&outcome)),
                })
            }
        }
    }

    fn run_flow(
        &self,
        balanced: &Balanced,
        share: Share,
        keep: Keep,
        control: &Control,
    ) -> Result<NetworkAnswer, RunError> {
        let topology = &self.fabric;
        let mut outcome = run_folded(topology, &balanced.program, share, keep, control)?;
        Ok(NetworkAnswer {
            makespan: outcome.makespan,
            acked: None,
            messages: Messages::new(
                &self.program,
                &balanced.origin,
                std::mem::take(&mut outcome.times),
            ),
            congestion: [Some(congestion(topology, &outcome.link_bytes)), None],
            links: flow_links(topology, &outcome),
            extra_pieces: balanced.n_extra_pieces(self.program.streams().len()),
            classes: outcome.classes,
            packets: None,
        })
    }

    /// The longest time that a link needs when every flow is sprayed over all its ways; without
    /// headers.
    fn ideal_congestion(&self) -> Seconds {
        let topology = &self.fabric;
        let loads = sprayed_loads(topology, &self.program);
        congestion(topology, &loads)
    }

    /// The program with the ways that its streams take.
    pub fn balanced(&self) -> Balanced {
        balance(&self.fabric, &self.program, self.rules.policy(), self.seed)
    }
}
