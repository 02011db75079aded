//! What binds a network workload.

use ::network::Share;
use ::network::packet::{Balancing, Totals};
use ::traffic::{Balanced, Chain, Keep, Policy, RunError, Times, chain};
use cluster::Topology as _;
use format::Engine;
use serde_json::{Value, json};
use units::{Control, Seconds};

use super::candidates::is_drawn;
use super::{LinkLoad, Messages, NetworkAnswer, Rules, Traffic};

/// Where the time of a network workload goes, and what would help.
#[derive(Clone, Debug, PartialEq)]
pub struct NetworkExplanation {
    /// When the last byte of all arrived.
    pub makespan: Seconds,
    /// The engine, and the transport where there are packets.
    pub engine: &'static str,
    /// See [`NetworkExplanation::engine`].
    pub transport: Option<&'static str>,
    /// How messages are spread over equal ways, as scenarios name it, and what that does.
    pub policy: [&'static str; 2],
    /// Of every random choice; none where ways are chosen without chance.
    pub seed: Option<u64>,
    /// Messages of the workload, and how many pieces there are beyond one for each stream.
    pub n_messages: u64,
    /// See [`NetworkExplanation::n_messages`].
    pub extra_pieces: usize,
    /// The chain of messages that ended last, with what its time was spent on.
    pub chain: Chain,
    /// The hosts at its ends.
    pub ends: Option<[String; 2]>,
    /// The link that is busy longest.
    pub fullest: Option<FullestLink>,
    /// How long a link needs at least for its part when everything is sprayed.
    pub ideal: Seconds,
    /// What happened to packets.
    pub packets: Option<Totals>,
    /// The link with the longest queue, and how long it needs for that at its rate.
    pub queue: Option<(LinkLoad, Seconds)>,
    /// Where rates and latencies of links are from.
    pub fabric: String,
}

/// The link that is busy longest.
#[derive(Clone, Debug, PartialEq)]
pub struct FullestLink {
    /// What it carried.
    pub load: LinkLoad,
    /// How long it needs for that at its rate.
    pub need: Seconds,
    /// How many links need as long.
    pub n_alike: usize,
}

/// What would make a workload faster if nothing else changed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NetworkRemedy {
    /// What is done.
    pub what: &'static str,
    /// Share of the time that it saves at most.
    pub saving: f64,
}

impl Traffic {
    /// Runs the workload and says what its time is spent on.
    ///
    /// # Errors
    ///
    /// What the engine cannot go on with.
    pub fn explain(
        &self,
        keep: Keep,
        control: &Control,
    ) -> Result<(NetworkAnswer, NetworkExplanation), RunError> {
        let balanced = self.balanced();
        let all = keep.with_messages();
        let (mut answer, times) = self.run_balanced(&self.rules, &balanced, all, control)?;
        let explanation = self.explanation(&balanced, &answer, &times);
        if keep.has_messages() {
            answer.messages = Messages::new(&self.program, &balanced.origin, times);
        }
        Ok((answer, explanation))
    }

    fn explanation(
        &self,
        balanced: &Balanced,
        answer: &NetworkAnswer,
        times: &[Times],
    ) -> NetworkExplanation {
        let (share, transport) = match &self.rules {
            Rules::Flow { share, .. } => (*share, None),
            Rules::Packet { config, .. } => (Share::EQUAL, Some(config.transport.name())),
        };
        let chain = chain(&self.fabric, &balanced.program, times, &share);
        let [policy, does] = policy(&self.rules);
        let engine = match transport {
            Some(_) => Engine::Packet,
            None => Engine::Flow,
        };
        let longest = |load: &LinkLoad| load.queue.map_or(0.0, |[most, _]| most);
        let queues = answer.links.iter().filter(|load| 0.0 < longest(load));
        NetworkExplanation {
            makespan: answer.makespan.as_seconds(),
            engine: engine.name(),
            transport,
            policy: [policy, does],
            seed: is_drawn(policy, engine).then_some(self.seed),
            n_messages: self.program.n_messages(),
            extra_pieces: answer.extra_pieces,
            ends: chain
                .ends
                .map(|ends| ends.map(|host| self.fabric.host_name(host))),
            chain,
            fullest: fullest(answer),
            ideal: self.ideal_congestion(),
            packets: answer.packets.as_ref().map(|packets| packets.totals),
            // Of equal ones, the first.
            queue: queues
                .reduce(|a, b| if longest(a) < longest(b) { b } else { a })
                .map(|load| {
                    let busy = answer.end().as_seconds() * load.utilisation;
                    (load.clone(), busy * (longest(load) / load.bytes))
                }),
            fabric: self.fabric_name.clone(),
        }
    }
}

/// The link that is busy longest; of equal ones, the first.
fn fullest(answer: &NetworkAnswer) -> Option<FullestLink> {
    let most = answer.links.iter().map(|link| link.utilisation);
    let most = most.fold(0.0, f64::max);
    let alike = |link: &&LinkLoad| most * (1.0 - 1e-9) <= link.utilisation;
    let mut links = answer.links.iter().filter(alike);
    let load = links.next()?.clone();
    Some(FullestLink {
        need: answer.end().as_seconds() * load.utilisation,
        n_alike: 1 + links.count(),
        load,
    })
}

/// The name of what chooses ways, and what it does.
fn policy(rules: &Rules) -> [&'static str; 2] {
    let balancing = match rules {
        Rules::Packet { config, .. } if config.balancing != Balancing::SinglePath => {
            config.balancing
        }
        rules => match rules.policy() {
            Policy::Static => return ["static", "routes by destination"],
            Policy::Spray => {
                return [
                    "spray",
                    "all ways at once, in proportion to their capacities",
                ];
            }
            Policy::Ecmp => Balancing::Ecmp,
            Policy::EcmpK(k) => Balancing::EcmpK { k },
            Policy::Flowlet(gap) => Balancing::Flowlet { gap },
            Policy::AdaptiveFlow => Balancing::AdaptiveFlow,
            Policy::SinglePath(_) => Balancing::SinglePath,
        },
    };
    let does = match balancing {
        Balancing::Ecmp => "one way for each flow, by a hash",
        Balancing::EcmpK { .. } => "each flow in equal parts, each with a way by a hash",
        Balancing::Flowlet { .. } => "a new way by a hash after each pause",
        Balancing::AdaptiveFlow => "the least loaded way when a flow begins",
        Balancing::AdaptivePacket => "the shortest queue for each packet",
        Balancing::Spray => "packets over all ways in turn",
        Balancing::Oblivious => "a way by chance for each packet",
        Balancing::Reps => "ways whose packets came back without marks are taken again",
        Balancing::Bitmap => "ways by chance, but for those that were marked",
        Balancing::Mixed => "ways by chance at first, then those that were not marked",
        Balancing::SinglePath => "one way for each piece, with few pieces",
    };
    [balancing.name(), does]
}

impl NetworkExplanation {
    /// What the fullest link needs over what it needs under ideal spraying; none where nothing
    /// crosses a link.
    pub fn over_ideal(&self) -> Option<f64> {
        let need = self.fullest.as_ref()?.need;
        (0.0 < self.ideal.as_secs()).then(|| need / self.ideal)
    }

    /// What would help, the most first; what saves less than a thousandth is left out.
    pub fn remedies(&self) -> Vec<NetworkRemedy> {
        let whole = self.makespan.as_secs();
        let chain = &self.chain;
        // Neither the fullest link under ideal spraying nor the chain alone can be beaten by ways.
        let floor = (chain.before + chain.latency + chain.alone).max(self.ideal);
        let mut remedies = vec![
            NetworkRemedy {
                what: "no sharing on the way: other ways, or messages at other times",
                saving: (self.makespan - floor).as_secs() / whole,
            },
            NetworkRemedy {
                what: "links twice as fast",
                saving: (chain.alone + chain.shared).as_secs() / 2.0 / whole,
            },
            NetworkRemedy {
                what: "no latency",
                saving: chain.latency.as_secs() / whole,
            },
            NetworkRemedy {
                what: "everything begins at once",
                saving: chain.before.as_secs() / whole,
            },
        ];
        remedies.retain(|remedy| 1e-3 <= remedy.saving);
        remedies.sort_by(|a, b| b.saving.total_cmp(&a.saving));
        remedies
    }

    /// The explanation for other programs: times in seconds, sizes in bytes, shares of the time.
    pub fn to_json(&self) -> Value {
        let chain = &self.chain;
        let remedy = |remedy: NetworkRemedy| {
            let saving = self.makespan.as_secs() * remedy.saving;
            json!({ "remedy": remedy.what, "saving_at_most_s": saving })
        };
        let remedies: Vec<Value> = self.remedies().into_iter().map(remedy).collect();
        json!({
            "makespan_s": self.makespan.as_secs(),
            "engine": self.engine,
            "transport": self.transport,
            "load_balancing": self.policy[0],
            "seed": self.seed,
            "n_flows": self.n_messages,
            "extra_pieces": self.extra_pieces,
            "chain": {
                "messages": chain.n_messages,
                "from": self.ends.as_ref().map(|ends| &ends[0]),
                "to": self.ends.as_ref().map(|ends| &ends[1]),
                "late_start_s": chain.before.as_secs(),
                "latency_s": chain.latency.as_secs(),
                "alone_s": chain.alone.as_secs(),
                "shared_s": chain.shared.as_secs(),
            },
            "fullest_link": self.fullest.as_ref().map(|fullest| json!({
                "name": fullest.load.name,
                "direction": fullest.load.direction.name(),
                "bytes": fullest.load.bytes,
                "utilisation": fullest.load.utilisation,
                "need_s": fullest.need.as_secs(),
                "links_alike": fullest.n_alike,
                "over_ideal": self.over_ideal(),
            })),
            "max_congestion_ideal_s": self.ideal.as_secs(),
            "packets": self.packets.map(|totals| json!({
                "sent": totals.sent,
                "resent": totals.resent,
                "trimmed": totals.trimmed,
                "dropped": totals.dropped,
                "marked": totals.marked,
                "out_of_order": totals.reordered,
            })),
            "longest_queue": self.queue.as_ref().map(|(load, wait)| json!({
                "name": load.name,
                "direction": load.direction.name(),
                "max_bytes": load.queue.map(|[longest, _]| longest),
                "max_wait_s": wait.as_secs(),
                "mean_bytes": load.queue.map(|[_, mean]| mean),
            })),
            "remedies": remedies,
            "sources": {
                "latency_s": "simulated: latencies of the links of the ways, summed over the chain",
                "alone_s": "formula: bytes over the narrowest link of the way, summed over the chain",
                "shared_s": "simulated: what is left of the times of the chain",
                "need_s": "formula: bytes that were simulated over the rate of the link",
                "max_congestion_ideal_s": "formula: the most bytes over rate of any link when all ways carry in proportion to their capacities",
                "fabric": self.fabric,
            },
        })
    }
}
