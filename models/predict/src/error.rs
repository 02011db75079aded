//! Why there is no prediction.

use engine::EngineError;
use network::NetworkError;
use network::packet::PacketError;

/// Why there is no prediction.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the messages are the documentation")]
pub enum PredictError {
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error(transparent)]
    Network(#[from] NetworkError),
    #[error(transparent)]
    Packets(#[from] PacketError),
    #[error(transparent)]
    Interrupted(#[from] units::Interrupted),
}

impl PredictError {
    /// What to change, where we can tell.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Engine(EngineError::Network(NetworkError::Packet(error)))
            | Self::Network(NetworkError::Packet(error))
            | Self::Packets(error) => error.hint(),
            Self::Engine(error) => error.hint(),
            _ => None,
        }
    }

    /// Whether somebody asked to stop.
    pub const fn is_interrupted(&self) -> bool {
        matches!(
            self,
            Self::Interrupted(_) | Self::Engine(EngineError::Interrupted(_))
        )
    }
}
