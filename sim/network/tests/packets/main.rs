//! The packet engine against closed forms, conservation, Little's law and the other engines.

mod agreement;
mod connections;
mod conservation;
mod lossless;
mod net;
mod runs;
mod senders;
mod transports;

use network::packet::{Balancing, Config, Transport};
use units::Seconds;

pub(crate) const MIB: u64 = 1 << 20;

/// Every transport with every policy.
pub(crate) fn all_configs() -> Vec<Config> {
    let policies = [
        Balancing::Ecmp,
        Balancing::EcmpK { k: 3 },
        Balancing::Flowlet {
            gap: Seconds::from_micros(50.0),
        },
        Balancing::AdaptiveFlow,
        Balancing::AdaptivePacket,
        Balancing::Spray,
        Balancing::Oblivious,
        Balancing::Reps,
        Balancing::Bitmap,
        Balancing::Mixed,
        Balancing::SinglePath,
    ];
    let with = |transport| policies.map(|policy| Config::new(transport, policy));
    Transport::ALL.into_iter().flat_map(with).collect()
}
