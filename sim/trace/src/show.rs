//! An explanation as text: one claim a line, the answer first.

use std::fmt;

use crate::explain::BubbleShares;
use crate::{Bound, Category, Explanation, Remedy};

impl fmt::Display for Explanation {
    /// At most ten lines; lines without content are left out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = [
            Some(self.answer_line()),
            self.path_line(),
            self.longest_line(),
            self.communication_line(),
            self.bubble_line(),
            self.imbalance_line(),
            self.memory_line(),
            self.help_line(),
            self.other_help_line(),
        ];
        let lines: Vec<String> = lines.into_iter().flatten().collect();
        f.write_str(&lines.join("\n"))
    }
}

impl Explanation {
    fn answer_line(&self) -> String {
        let run = format!(
            "the run takes {}",
            duration(self.end.as_seconds().as_secs())
        );
        match &self.bottleneck {
            Some(lane) => format!(
                "{run}; {} binds it: busy {} of the time ({}, {})",
                lane.name,
                percent(lane.share),
                count(self.n_lanes, "lane"),
                count(self.n_ranks, "rank"),
            ),
            None => format!("{run} and has no lanes"),
        }
    }

    fn path_line(&self) -> Option<String> {
        let path = self.path.iter().filter(|(_, share)| visible(*share));
        let mut parts: Vec<String> = path.map(named_share).collect();
        if visible(self.path_waiting) {
            parts.push(format!("waiting {}", percent(self.path_waiting)));
        }
        (!parts.is_empty()).then(|| format!("critical path: {}", parts.join(", ")))
    }

    fn longest_line(&self) -> Option<String> {
        let names = self.path_names.iter();
        let names: Vec<_> = names
            .map(|(name, share)| format!("{name} {}", percent(*share)))
            .collect();
        let stages = self.path_stages.iter();
        let stages: Vec<_> = stages
            .map(|(stage, share)| format!("stage {stage} {}", percent(*share)))
            .collect();
        (!names.is_empty()).then(|| {
            format!(
                "longest on the path: {}; by pipeline stage: {}",
                names.join(", "),
                stages.join(", ")
            )
        })
    }

    fn communication_line(&self) -> Option<String> {
        let parts: Vec<_> = self
            .communication
            .iter()
            .map(|one| {
                format!(
                    "{} {} of {}",
                    one.category.name(),
                    duration(one.exposed_secs),
                    duration(one.active_secs)
                )
            })
            .collect();
        (!parts.is_empty()).then(|| {
            let parts = parts.join(", ");
            format!("communication not hidden behind kernels (mean of ranks): {parts}")
        })
    }

    fn bubble_line(&self) -> Option<String> {
        let BubbleShares {
            fill_and_drain,
            stage,
            peer,
            own,
        } = self.bubble;
        let total = fill_and_drain + stage + peer + own;
        let parts = [
            ("fill and drain", fill_and_drain),
            ("waiting for late stages", stage),
            ("waiting for peers", peer),
            ("gaps after own work", own),
        ];
        let parts: Vec<_> = parts
            .into_iter()
            .filter(|(_, share)| visible(*share))
            .map(|(what, share)| format!("{what} {}", percent(share)))
            .collect();
        visible(total).then(|| {
            format!(
                "bubble (mean of ranks): {} of the time: {}",
                percent(total),
                parts.join(", ")
            )
        })
    }

    fn imbalance_line(&self) -> Option<String> {
        let lane = self.imbalance.as_ref()?;
        visible(lane.share - 1.0).then(|| {
            let longer = percent(lane.share - 1.0);
            format!(
                "imbalance: {} computes {longer} longer than the mean of ranks",
                lane.name
            )
        })
    }

    fn memory_line(&self) -> Option<String> {
        let peak = self.memory.as_ref()?;
        let parts = peak.by_kind.iter().take(4);
        let parts: Vec<_> = parts
            .map(|(kind, bytes)| format!("{} {bytes}", kind.name()))
            .collect();
        Some(format!(
            "memory: {} peaks at {} after {}: {}",
            peak.name,
            peak.bytes,
            duration(peak.time.as_seconds().as_secs()),
            parts.join(", ")
        ))
    }

    /// The remedy with the largest bound. Faster kernels always help, so they come last.
    fn help_line(&self) -> Option<String> {
        let best = self.remedies().next()?;
        let saving = duration(best.saving.as_seconds().as_secs());
        let share = percent(best.share);
        Some(format!(
            "what would help most: {} makes the run at most {share} ({saving}) shorter, an upper bound",
            action(best.remedy),
        ))
    }

    fn other_help_line(&self) -> Option<String> {
        let others = self.remedies().skip(1).filter(|bound| visible(bound.share));
        let others: Vec<_> = others
            .take(5)
            .map(|bound| format!("{} {}", action(bound.remedy), percent(bound.share)))
            .collect();
        (!others.is_empty())
            .then(|| format!("other upper bounds, each alone: {}", others.join(", ")))
    }

    fn remedies(&self) -> impl Iterator<Item = &Bound> {
        let faster = |bound: &&Bound| matches!(bound.remedy, Remedy::Halve(_));
        let bounds = self.bounds.iter();
        bounds
            .clone()
            .filter(move |bound| !faster(bound))
            .chain(bounds.filter(faster))
    }
}

fn named_share((category, share): &(Category, f64)) -> String {
    let name = match category {
        Category::Other => "host and other",
        category => category.name(),
    };
    format!("{name} {}", percent(*share))
}

fn action(remedy: Remedy) -> String {
    match remedy {
        Remedy::Free(Category::Other) => {
            "no host time between kernels (plan.cuda_graphs = true saves most launches)".to_owned()
        }
        Remedy::Free(category) => format!("free {} {}", category.name(), noun(category)),
        Remedy::Halve(category) => format!("{} twice as fast", category.name()),
        Remedy::Balance => "stages in balance".to_owned(),
        Remedy::NoBubble => "no bubble on any rank".to_owned(),
    }
}

const fn noun(category: Category) -> &'static str {
    if category.is_communication() {
        "communication"
    } else {
        "time"
    }
}

/// Whether a share is more than nothing at the precision that is printed.
fn visible(share: f64) -> bool {
    0.0005 <= share
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

fn count(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

/// A duration with four significant digits and its unit.
fn duration(secs: f64) -> String {
    let (value, unit) = match secs {
        s if 0.9995 <= s => (s, "s"),
        s if 0.999_5e-3 <= s => (s * 1e3, "ms"),
        s => (s * 1e6, "µs"),
    };
    let digits = match value {
        v if 999.5 <= v => 0,
        v if 99.95 <= v => 1,
        v if 9.995 <= v => 2,
        _ => 3,
    };
    format!("{value:.digits$} {unit}")
}
