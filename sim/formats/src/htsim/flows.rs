//! Flows as a connection matrix.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write;

use traffic::{Flow, FlowId, Flows};

use super::HtsimError;

/// When a flow lets others begin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fires {
    /// When its sender has the last acknowledgement: what every transport of htsim does.
    #[default]
    SendDone,
    /// When its receiver has the last byte: what NDP does, too, but UEC does not.
    ReceiveDone,
}

impl Fires {
    const fn word(self) -> &'static str {
        match self {
            Self::SendDone => "send_done_trigger",
            Self::ReceiveDone => "recv_done_trigger",
        }
    }
}

/// Writes flows. Host `i` is node `i`, flow `i` has the id `i + 1`.
///
/// Flows that wait for the same others share a trigger: one that fires at once where they wait for
/// one flow, else a barrier.
///
/// # Errors
///
/// What htsim cannot say, and where the output fails.
pub fn write_flows(
    mut out: impl Write,
    flows: &Flows,
    nodes: u32,
    fires: Fires,
) -> Result<(), HtsimError> {
    let triggers = Triggers::new(flows)?;
    writeln!(out, "Nodes {nodes}")?;
    writeln!(out, "Connections {}", flows.len())?;
    if !triggers.sizes.is_empty() {
        writeln!(out, "Triggers {}", triggers.sizes.len())?;
    }
    let mut line = String::new();
    for (id, flow) in flows.iter() {
        check(id, flow, nodes)?;
        let number = id.get();
        line.clear();
        // Writing to a string cannot fail.
        let _ = write!(line, "{}->{} id {} ", flow.src, flow.dst, number + 1);
        let start = flow.start.as_picos();
        let _ = match triggers.begins[id.index()] {
            0 => write!(line, "start {start}"),
            _ if start != 0 => return Err(HtsimError::StartAndWait { flow: number }),
            trigger => write!(line, "trigger {trigger}"),
        };
        let _ = write!(line, " size {}", flow.bytes.as_u64());
        let next = triggers.fired[id.index()];
        if next != 0 {
            let _ = write!(line, " {} {next}", fires.word());
        }
        writeln!(out, "{line}")?;
    }
    for (trigger, size) in (1..).zip(&triggers.sizes) {
        match size {
            1 => writeln!(out, "trigger id {trigger} oneshot")?,
            _ => writeln!(out, "trigger id {trigger} barrier count {size}")?,
        }
    }
    out.flush()?;
    Ok(())
}

fn check(id: FlowId, flow: Flow, nodes: u32) -> Result<(), HtsimError> {
    let number = id.get();
    if let Some(host) = [flow.src, flow.dst].iter().find(|host| nodes <= host.get()) {
        return Err(HtsimError::UnknownNode {
            flow: number,
            host: host.get(),
            nodes,
        });
    }
    if flow.src == flow.dst {
        return Err(HtsimError::Loop {
            flow: number,
            host: flow.src.get(),
        });
    }
    let bytes = flow.bytes.as_u64();
    if !(1..1 << 31).contains(&bytes) {
        return Err(HtsimError::Size {
            flow: number,
            bytes,
        });
    }
    Ok(())
}

/// Triggers, counted from 1; 0 is none.
struct Triggers {
    /// By flow, what lets it begin.
    begins: Vec<u32>,
    /// By flow, what it fires.
    fired: Vec<u32>,
    /// By trigger, how many flows fire it.
    sizes: Vec<usize>,
}

impl Triggers {
    fn new(flows: &Flows) -> Result<Self, HtsimError> {
        let mut triggers = Self {
            begins: vec![0; flows.len()],
            fired: vec![0; flows.len()],
            sizes: Vec::new(),
        };
        let mut known: BTreeMap<Vec<u32>, u32> = BTreeMap::new();
        for (id, _) in flows.iter() {
            let mut after = flows.after(id).to_vec();
            after.sort_unstable();
            if let Some(pair) = after.windows(2).find(|pair| pair[0] == pair[1]) {
                let (flow, before) = (id.get(), pair[0]);
                return Err(HtsimError::Twice { flow, before });
            }
            let Some(&first) = after.first() else {
                continue;
            };
            // A flow that waits for one other needs no look at the sets of several.
            let same = match after.len() {
                1 => Some(triggers.fired[first as usize])
                    .filter(|found| *found != 0 && triggers.sizes[*found as usize - 1] == 1),
                _ => known.get(&after).copied(),
            };
            triggers.begins[id.index()] = match same {
                Some(trigger) => trigger,
                None => triggers.add(after, &mut known)?,
            };
        }
        Ok(triggers)
    }

    fn add(
        &mut self,
        after: Vec<u32>,
        known: &mut BTreeMap<Vec<u32>, u32>,
    ) -> Result<u32, HtsimError> {
        self.sizes.push(after.len());
        let trigger = u32::try_from(self.sizes.len()).unwrap_or(u32::MAX);
        for &flow in &after {
            let fired = &mut self.fired[flow as usize];
            if *fired != 0 {
                return Err(HtsimError::TwoTriggers { flow });
            }
            *fired = trigger;
        }
        if 1 < after.len() {
            known.insert(after, trigger);
        }
        Ok(trigger)
    }
}
