//! Network workloads: a fabric, flows or a collective, and what came of them.

mod answer;
mod candidates;
mod collective;
mod explain;
mod export;
mod fabric;
mod json;
mod loads;
mod open;
mod plan;
mod reach;
mod timeline;

use ::network::Share;
use ::network::packet::Config;
use ::traffic::{
    Balanced, Keep, RunError, Times, balance, congestion, run_folded, run_packets, sprayed_loads,
};
use cluster::Topology as _;
use units::{Control, LinkId, Seconds};

pub use answer::{LinkLoad, Messages, NetworkAnswer, PacketCounts};
pub use candidates::{Candidate, NETWORK_FIELDS, NetworkField};
pub use explain::{FullestLink, NetworkExplanation, NetworkRemedy};
pub use export::{NetworkBundle, NetworkConsumer, NetworkFile, save_network_bundle};
pub(crate) use fabric::Fabric;
pub use format::Rules;
pub use open::Traffic;
pub use plan::{FailedPlan, NetworkPlan, NetworkPlanError, NetworkPlans};

use crate::network::answer::{busiest, flow_links, packet_links};

impl Traffic {
    /// Runs the workload.
    ///
    /// * `keep` — what is wanted beside totals.
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
        let balanced = balance(&self.fabric, &self.program, rules.policy(), seed);
        let (mut answer, times) = self.run_balanced(rules, &balanced, keep, control)?;
        answer.messages = Messages::new(&self.program, &balanced.origin, times);
        Ok(answer)
    }

    /// Runs the workload on ways that were chosen. The times are those of pieces; those of messages
    /// are left to the caller.
    fn run_balanced(
        &self,
        rules: &Rules,
        balanced: &Balanced,
        keep: Keep,
        control: &Control,
    ) -> Result<(NetworkAnswer, Vec<Times>), RunError> {
        let topology = &self.fabric;
        match rules {
            Rules::Flow { share, .. } => {
                let (mut answer, times) = self.run_flow(balanced, *share, keep, control)?;
                answer.congestion[1] = Some(self.ideal_congestion());
                Ok((answer, times))
            }
            Rules::Packet { config, .. } => {
                let config = Config {
                    sample_every: keep.has_loads().then(|| self.sample_every(config)),
                    ..*config
                };
                let outcome = run_packets(topology, &balanced.program, config, keep, control)?;
                let answer = NetworkAnswer {
                    makespan: outcome.makespan,
                    acked: Some(outcome.acked),
                    messages: Messages::default(),
                    links: packet_links(topology, &outcome),
                    extra_pieces: balanced.n_extra_pieces(self.program.streams().len()),
                    classes: None,
                    congestion: [
                        Some(busiest(topology, &outcome)),
                        Some(self.ideal_congestion()),
                    ],
                    packets: Some(PacketCounts::new(&outcome)),
                    curves: outcome.curves,
                };
                Ok((answer, outcome.times))
            }
        }
    }

    fn run_flow(
        &self,
        balanced: &Balanced,
        share: Share,
        keep: Keep,
        control: &Control,
    ) -> Result<(NetworkAnswer, Vec<Times>), RunError> {
        let topology = &self.fabric;
        let outcome = run_folded(topology, &balanced.program, share, keep, control)?;
        let answer = NetworkAnswer {
            makespan: outcome.makespan,
            acked: None,
            messages: Messages::default(),
            congestion: [Some(congestion(topology, &outcome.link_bytes)), None],
            links: flow_links(topology, &outcome),
            extra_pieces: balanced.n_extra_pieces(self.program.streams().len()),
            classes: outcome.classes,
            packets: None,
            curves: outcome.curves,
        };
        Ok((answer, outcome.times))
    }

    /// How often the bytes of links are counted: some hundred times while the fullest link works, but
    /// not before the slowest link has sent some packets, which count whole when they begin.
    fn sample_every(&self, config: &Config) -> Seconds {
        const SAMPLES: f64 = 500.0;
        const PACKETS: f64 = 25.0;
        let topology = &self.fabric;
        let loads = self.sprayed();
        let used = (0..).zip(loads).filter(|(_, bytes)| 0.0 < **bytes);
        let rates = used.map(|(link, _)| topology.wire(LinkId::new(link)).rate.as_f64());
        let slowest = rates.fold(f64::MAX, f64::min);
        let packets = Seconds::from_secs(PACKETS * f64::from(config.packet()) / slowest);
        let least = Seconds::from_micros(0.01).max(packets);
        (congestion(topology, loads) / SAMPLES).max(least)
    }

    /// The longest time that a link needs when every flow is sprayed over all its ways; without
    /// headers.
    fn ideal_congestion(&self) -> Seconds {
        congestion(&self.fabric, self.sprayed())
    }

    /// What links carry when every flow is sprayed over all its ways, in bytes: found once for all
    /// runs.
    fn sprayed(&self) -> &[f64] {
        let found = || sprayed_loads(&self.fabric, &self.program);
        self.sprayed.get_or_init(found)
    }

    /// The program with the ways that its streams take.
    pub fn balanced(&self) -> Balanced {
        balance(&self.fabric, &self.program, self.rules.policy(), self.seed)
    }
}
