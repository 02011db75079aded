//! Why a schedule cannot run.

use super::Action;

/// Why a schedule cannot run. Positions count a device's actions from 0.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the messages are the documentation")]
pub enum ScheduleError {
    #[error("the schedule has no devices, stages or micro-batches")]
    Empty,
    #[error("device {device} has no stage")]
    Idle { device: usize },
    #[error("stage {stage} lies on device {device}, but there are {devices} devices")]
    NoSuchDevice {
        stage: u32,
        device: u32,
        devices: usize,
    },
    #[error(
        "device {device}, position {position}: {action} names a stage or micro-batch past the \
         {stages} stages and {micro_batches} micro-batches"
    )]
    OutOfRange {
        device: usize,
        position: usize,
        action: Action,
        stages: usize,
        micro_batches: u32,
    },
    #[error("device {device}, position {position}: {action} belongs to device {home}")]
    WrongDevice {
        device: usize,
        position: usize,
        action: Action,
        home: u32,
    },
    #[error("device {device}, position {position}: {action} is there a second time{}", as_whole(*.whole))]
    Twice {
        device: usize,
        position: usize,
        action: Action,
        whole: bool,
    },
    #[error("{action} is missing on device {device}")]
    Missing { device: usize, action: Action },
    #[error(
        "device {device}, position {position}: {action} needs {needs}, which comes later on \
         the same device, at position {needs_position}"
    )]
    OutOfOrder {
        device: usize,
        position: usize,
        action: Action,
        needs: Action,
        needs_position: usize,
    },
    #[error(
        "deadlock: device {device}, position {position}: {action} waits for {needs} on device \
         {needs_device}, which never comes to it because it waits in turn"
    )]
    Deadlock {
        device: usize,
        position: usize,
        action: Action,
        needs: Action,
        needs_device: usize,
    },
}

fn as_whole(whole: bool) -> &'static str {
    if whole {
        ": the full backward pass already holds it"
    } else {
        ""
    }
}

impl ScheduleError {
    /// What to change in the schedule, where we can tell.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Missing { action, device } => Some(format!(
                "add `{action}` to line {} of the schedule",
                device + 1
            )),
            Self::OutOfOrder { action, needs, .. } => {
                Some(format!("move `{needs}` before `{action}`"))
            }
            Self::WrongDevice { action, home, .. } => {
                Some(format!("move `{action}` to line {}", home + 1))
            }
            Self::Twice { action, .. } => Some(format!("remove the second `{action}`")),
            Self::Deadlock {
                needs,
                needs_device,
                ..
            } => Some(format!(
                "move `{needs}` to an earlier place on line {}",
                needs_device + 1
            )),
            Self::Empty
            | Self::Idle { .. }
            | Self::NoSuchDevice { .. }
            | Self::OutOfRange { .. } => None,
        }
    }
}
