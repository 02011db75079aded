//! The JSON document of a network workload, written as it is made: it can hold millions of flows.

use std::io::{self, Write};

use serde_json::{Value, json};
use units::{Seconds, SimTime};

use super::{NetworkAnswer, Traffic};

impl NetworkAnswer {
    /// Writes the document.
    ///
    /// * `more` — further entries, such as the program's version.
    ///
    /// # Errors
    ///
    /// Where `out` cannot be written.
    pub fn write_json(
        &self,
        traffic: &Traffic,
        more: &Value,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let mut line = Vec::with_capacity(256);
        write!(
            out,
            "{{\n\"schema\": 1,\n\"makespan_s\": {}",
            self.makespan_s()
        )?;
        if let Some(acked) = self.acked {
            write!(out, ",\n\"acked_s\": {}", seconds(acked))?;
        }
        out.write_all(b",\n\"flows\": [")?;
        let mut failed = Ok(());
        let mut is_first = true;
        self.messages.for_each(|stream, step, times| {
            if failed.is_err() {
                return;
            }
            line.clear();
            line.extend_from_slice(if is_first {
                b"\n{\"id\": \""
            } else {
                b",\n{\"id\": \""
            });
            is_first = false;
            traffic.write_id(stream, step, &mut line);
            line.extend_from_slice(b"\", \"released_s\": ");
            push_seconds(times.released, &mut line);
            line.extend_from_slice(b", \"finish_s\": ");
            push_seconds(times.finish, &mut line);
            if self.acked.is_some() {
                line.extend_from_slice(b", \"acked_s\": ");
                push_seconds(times.acked, &mut line);
            }
            line.push(b'}');
            failed = out.write_all(&line);
        });
        failed?;
        out.write_all(b"\n],\n\"links\": [")?;
        for (at, link) in self.links.iter().enumerate() {
            let comma = if at == 0 { "\n" } else { ",\n" };
            let mut entry = json!({
                "name": link.name,
                "direction": link.direction.name(),
                "bytes": link.bytes,
                "utilisation": (!link.is_fat).then_some(link.utilisation),
            });
            if let Some([longest, average]) = link.queue {
                entry["queue_max_bytes"] = json!(longest);
                entry["queue_mean_bytes"] = json!(average);
            }
            if let Some([dropped, trimmed]) = link.lost {
                entry["dropped"] = json!(dropped);
                entry["trimmed"] = json!(trimmed);
            }
            write!(out, "{comma}{entry}")?;
        }
        out.write_all(b"\n]")?;
        for (key, value) in self.rest(traffic, more).as_object().into_iter().flatten() {
            write!(out, ",\n{}: {value}", json!(key))?;
        }
        out.write_all(b"\n}\n")
    }

    fn makespan_s(&self) -> String {
        seconds(self.makespan)
    }

    /// What is beside flows and links.
    fn rest(&self, traffic: &Traffic, more: &Value) -> Value {
        let mut rest = json!({
            "n_flows": traffic.program.n_messages(),
            "extra_pieces": self.extra_pieces,
            "classes": self.classes,
            "seed": traffic.seed,
            "assumptions": traffic.assumptions,
        });
        let [own, ideal] = self.congestion.map(|time| time.map(Seconds::as_secs));
        rest["max_congestion_s"] = json!(own);
        rest["max_congestion_ideal_s"] = json!(ideal);
        if let Some(counts) = &self.packets {
            let totals = &counts.totals;
            rest["packets"] = json!({
                "sent": totals.sent,
                "resent": totals.resent,
                "trimmed": totals.trimmed,
                "dropped": totals.dropped,
                "marked": totals.marked,
                "timed_out": totals.timed_out,
                "duplicates": totals.duplicates,
                "out_of_order": totals.reordered,
                "out_of_order_depth": totals.depth,
                "dropped_early": totals.early,
            });
        }
        for (key, value) in more.as_object().into_iter().flatten() {
            rest[key] = value.clone();
        }
        rest
    }
}

impl Traffic {
    /// The id of a message: that of the file, or the number of the stream, with the step.
    fn write_id(&self, stream: usize, step: Option<u32>, line: &mut Vec<u8>) {
        let Some(ids) = &self.ids else {
            push_number(stream as u64, line);
            if let Some(step) = step {
                line.push(b'.');
                push_number(u64::from(step), line);
            }
            return;
        };
        let id = ids.get(flow_id(stream));
        let is_plain = id
            .bytes()
            .all(|byte| byte != b'"' && byte != b'\\' && 0x20 <= byte);
        if is_plain {
            line.extend_from_slice(id.as_bytes());
        } else {
            let quoted = json!(id).to_string();
            line.extend_from_slice(&quoted.as_bytes()[1..quoted.len() - 1]);
        }
    }
}

fn flow_id(stream: usize) -> traffic::FlowId {
    traffic::FlowId::new(u32::try_from(stream).unwrap_or(u32::MAX))
}

fn seconds(time: SimTime) -> String {
    let mut line = Vec::new();
    push_seconds(time, &mut line);
    String::from_utf8(line).unwrap_or_default()
}

/// A moment in seconds, exact to the picosecond: JSON numbers have as many digits as they need.
fn push_seconds(time: SimTime, line: &mut Vec<u8>) {
    const SECOND: u64 = 1_000_000_000_000;
    let picos = time.as_picos();
    push_number(picos / SECOND, line);
    let mut rest = picos % SECOND;
    if rest == 0 {
        line.extend_from_slice(b".0");
        return;
    }
    line.push(b'.');
    let mut digit = SECOND / 10;
    while 0 < rest {
        line.push(b'0' + u8::try_from(rest / digit).unwrap_or(0));
        rest %= digit;
        digit /= 10;
    }
}

fn push_number(number: u64, line: &mut Vec<u8>) {
    let start = line.len();
    let mut rest = number;
    loop {
        line.push(b'0' + u8::try_from(rest % 10).unwrap_or(0));
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    line[start..].reverse();
}
