//! An explanation as JSON: keys with units, names where the trace has ids.

use serde_json::{Map, Value, json};
use units::SimTime;

use crate::{Category, Explanation, Remedy};

impl Explanation {
    /// The explanation for other programs: times in seconds, sizes in bytes, shares of the run.
    pub fn to_json(&self) -> Value {
        json!({
            "end_s": secs(self.end),
            "lanes": self.n_lanes,
            "ranks": self.n_ranks,
            "bottleneck": self.bottleneck.as_ref().map(|lane| json!({
                "lane": lane.lane.get(),
                "name": lane.name,
                "busy_share": lane.share,
            })),
            "critical_path": self.path_json(),
            "communication": self.communication.iter().map(|one| json!({
                "category": one.category.name(),
                "active_s": one.active_secs,
                "exposed_s": one.exposed_secs,
            })).collect::<Vec<_>>(),
            "bubble": {
                "fill_and_drain_share": self.bubble.fill_and_drain,
                "late_stages_share": self.bubble.stage,
                "peers_share": self.bubble.peer,
                "own_share": self.bubble.own,
            },
            "imbalance": self.imbalance.as_ref().map(|lane| json!({
                "lane": lane.lane.get(),
                "name": lane.name,
                "compute_over_mean": lane.share,
            })),
            "memory": self.memory_json(),
            "remedies": self.bounds.iter().map(|bound| json!({
                "remedy": remedy(bound.remedy),
                "saving_at_most_s": secs(bound.saving),
                "saving_at_most_share": bound.share,
            })).collect::<Vec<_>>(),
        })
    }

    fn path_json(&self) -> Value {
        let end = secs(self.end);
        json!({
            "by_category": self.path.iter().map(|(category, share)| json!({
                "category": category.name(),
                "time_s": share * end,
                "share": share,
            })).collect::<Vec<_>>(),
            "waiting_s": self.path_waiting * end,
            "longest": self.path_names.iter()
                .map(|(name, share)| json!({ "name": name, "share": share })).collect::<Vec<_>>(),
            "stages": self.path_stages.iter()
                .map(|(stage, share)| json!({ "stage": stage, "share": share })).collect::<Vec<_>>(),
        })
    }

    fn memory_json(&self) -> Option<Value> {
        let peak = self.memory.as_ref()?;
        let by_kind = peak.by_kind.iter();
        let by_kind: Map<String, Value> = by_kind
            .map(|(kind, bytes)| (format!("{}_bytes", kind.name()), json!(bytes)))
            .collect();
        Some(json!({
            "lane": peak.lane.get(),
            "name": peak.name,
            "peak_at_s": secs(peak.time),
            "peak_bytes": peak.bytes,
            "at_peak": by_kind,
        }))
    }
}

fn secs(time: SimTime) -> f64 {
    time.as_seconds().as_secs()
}

/// What a remedy is called.
fn remedy(remedy: Remedy) -> String {
    let of = |what: &str, category: Category| format!("{what}_{}", category.name());
    match remedy {
        Remedy::Free(category) => of("free", category),
        Remedy::Halve(category) => of("halve", category),
        Remedy::Balance => "balance".to_owned(),
        Remedy::NoBubble => "no_bubble".to_owned(),
    }
}
