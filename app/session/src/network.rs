//! Network workloads: a fabric, flows or a collective, and what came of them.

mod answer;
mod fabric;
mod json;
mod open;

use ::network::Share;
use ::traffic::{
    Balanced, Keep, Policy, RunError, balance, congestion, run_folded, run_packets, sprayed_loads,
};
use units::{Control, Seconds};

pub use answer::{LinkLoad, Messages, NetworkAnswer, PacketCounts};
pub use format::Rules;
pub use open::Traffic;

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
        let balanced = self.balanced();
        match &self.rules {
            Rules::Flow { share, .. } => self.run_flow(&balanced, *share, keep, control),
            Rules::Packet { config, .. } => {
                let topology = &self.fabric;
                let outcome = run_packets(topology, &balanced.program, *config, keep, control)?;
                Ok(NetworkAnswer {
                    makespan: outcome.makespan,
                    acked: Some(outcome.acked),
                    messages: Messages::new(&self.program, &balanced.origin, &outcome.times),
                    links: packet_links(topology, &outcome),
                    extra_pieces: balanced.n_extra_pieces(self.program.streams().len()),
                    classes: None,
                    congestion: [None, self.ideal_congestion()],
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
        let outcome = run_folded(topology, &balanced.program, share, keep, control)?;
        Ok(NetworkAnswer {
            makespan: outcome.makespan,
            acked: None,
            messages: Messages::new(&self.program, &balanced.origin, &outcome.times),
            congestion: self.congestion(&outcome.link_bytes),
            links: flow_links(topology, &outcome),
            extra_pieces: balanced.n_extra_pieces(self.program.streams().len()),
            classes: outcome.classes,
            packets: None,
        })
    }

    /// The longest time that a link needs when every flow is sprayed over all its ways; without
    /// headers.
    fn ideal_congestion(&self) -> Option<Seconds> {
        let topology = &self.fabric;
        let loads = sprayed_loads(topology, &self.program);
        Some(congestion(topology, &loads))
    }

    /// The longest time that a link needs for what it carries, and what that is when every flow
    /// is sprayed over all its ways.
    fn congestion(&self, link_bytes: &[f64]) -> [Option<Seconds>; 2] {
        let topology = &self.fabric;
        let own = congestion(topology, link_bytes);
        let chooses = self.rules.policy() != Policy::Static;
        let ideal = chooses.then(|| self.ideal_congestion()).flatten();
        [Some(own), ideal]
    }

    /// The program with the ways that its streams take.
    pub fn balanced(&self) -> Balanced {
        balance(&self.fabric, &self.program, self.rules.policy(), self.seed)
    }
}
