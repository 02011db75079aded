//! Graphs of switches: `switches`, `[[cables]]` and `[[attach]]` of a fabric.
//!
//! A name may stand for several: `leaf[0-3]` for `leaf0`, `leaf1`, `leaf2` and `leaf3`. Where both
//! ends of a cable do, every switch of the one is joined with every switch of the other.

use cluster::{AttachSpec, CableSpec, GraphSpec};
use units::{BytesPerSec, Seconds};

use crate::error::Problem;
use crate::fields::Fields;
use crate::shape::{Shape, array, checked, duration, list, rate, table, text, whole};

/// Names that one list of a file may stand for.
const MAX_NAMES: u64 = 1 << 20;

/// One name, or several that differ in a number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Names {
    prefix: String,
    /// The first number and the last.
    numbers: Option<[u32; 2]>,
    suffix: String,
}

impl Names {
    fn parse(text: &str) -> Option<Self> {
        let Some((prefix, rest)) = text.split_once('[') else {
            return (!text.contains(']')).then(|| Self {
                prefix: text.to_owned(),
                ..Self::default()
            });
        };
        let (numbers, suffix) = rest.split_once(']')?;
        let (first, last) = numbers.split_once('-')?;
        let [first, last] = [first.parse().ok()?, last.parse().ok()?];
        (first <= last && !suffix.contains(['[', ']'])).then(|| Self {
            prefix: prefix.to_owned(),
            numbers: Some([first, last]),
            suffix: suffix.to_owned(),
        })
    }

    fn count(&self) -> u64 {
        self.numbers
            .map_or(1, |[first, last]| u64::from(last - first) + 1)
    }

    fn all(&self) -> impl Iterator<Item = String> {
        let [first, last] = self.numbers.unwrap_or([0, 0]);
        (first..=last).map(|number| match self.numbers {
            Some(_) => format!("{}{number}{}", self.prefix, self.suffix),
            None => self.prefix.clone(),
        })
    }
}

/// A row of `[[cables]]`.
struct Cables {
    ends: [Names; 2],
    count: u32,
    rate: Option<BytesPerSec>,
    latency: Option<Seconds>,
}

/// A row of `[[attach]]`.
struct Attach {
    switches: Vec<Names>,
    nodes_per_switch: u32,
    first_node: Option<u32>,
    nic: Option<u32>,
}

/// What a graph is made of.
pub(super) fn graph(t: &mut Fields<'_, '_>) -> GraphSpec {
    let doc = "graph: names of the switches; leaf[0-3] stands for four";
    let switches = t.get("switches", doc, list(names())).or_default();
    let doc = "graph: which switches are joined";
    let rows = t.get("cables", doc, list(table(cables))).or_default();
    let doc = "graph: on which switches the nodes hang";
    let rules = t.get("attach", doc, list(table(attach))).or_default();
    let count = |names: &[Names]| names.iter().map(Names::count).fold(0, u64::saturating_add);
    let joined = rows
        .iter()
        .map(|row| row.ends[0].count().saturating_mul(row.ends[1].count()));
    let sizes = [
        ("switches", count(&switches)),
        ("cables", joined.fold(0, u64::saturating_add)),
        (
            "attach",
            rules
                .iter()
                .map(|rule| count(&rule.switches))
                .fold(0, u64::saturating_add),
        ),
    ];
    for (key, size) in sizes {
        if MAX_NAMES < size {
            t.report(key, too_many(key, size));
            return GraphSpec::default();
        }
    }
    GraphSpec {
        switches: switches.iter().flat_map(Names::all).collect(),
        cables: rows.iter().flat_map(joins).collect(),
        attach: rules
            .iter()
            .map(|rule| AttachSpec {
                switches: rule.switches.iter().flat_map(Names::all).collect(),
                nodes_per_switch: rule.nodes_per_switch,
                first_node: rule.first_node,
                nic: rule.nic,
            })
            .collect(),
    }
}

fn too_many(key: &str, size: u64) -> Problem {
    Problem::Refused {
        message: format!("`{key}` stands for {size} entries, above the limit of {MAX_NAMES}"),
        hint: Some("narrow the ranges in brackets".to_owned()),
    }
}

/// Every switch of the one end with every switch of the other.
fn joins(row: &Cables) -> impl Iterator<Item = CableSpec> {
    let [from, to] = &row.ends;
    from.all().flat_map(move |a| {
        to.all().map(move |b| CableSpec {
            ends: [a.clone(), b],
            count: row.count,
            rate: row.rate,
            latency: row.latency,
        })
    })
}

fn names() -> impl Shape<Out = Names> {
    checked(text(), Names::default, |text: String| {
        let read = Names::parse(&text);
        read.ok_or_else(|| "a name such as leaf0, or several such as leaf[0-3]".to_owned())
    })
}

fn cables(t: &mut Fields<'_, '_>) -> Cables {
    Cables {
        ends: t
            .get(
                "ends",
                "the two switches, or all of several on either side",
                array::<2, _>(names()),
            )
            .required(),
        count: t
            .get(
                "count",
                "cables between two switches, as one link",
                whole(1),
            )
            .or(1),
        rate: t
            .get(
                "rate",
                "of one cable; the fabric's link_rate where absent",
                rate(),
            )
            .optional(),
        latency: t
            .get(
                "latency",
                "of one cable, with its ports; the fabric's link_latency where absent",
                duration(),
            )
            .optional(),
    }
}

fn attach(t: &mut Fields<'_, '_>) -> Attach {
    Attach {
        switches: t
            .get(
                "switches",
                "the switches, in the order of the nodes on them",
                list(names()),
            )
            .required(),
        nodes_per_switch: t
            .get("nodes_per_switch", "nodes on each of them", whole(1))
            .or(1),
        first_node: t
            .get(
                "first_node",
                "the first of the nodes; the next one where absent",
                whole(0),
            )
            .optional(),
        nic: t
            .get("nic", "which of their NICs; all where absent", whole(0))
            .optional(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expand(text: &str) -> Option<Vec<String>> {
        Names::parse(text).map(|names| names.all().collect())
    }

    #[test]
    fn brackets_stand_for_every_number_between_two() {
        let names = |list: &[&str]| Some(list.iter().map(|name| (*name).to_owned()).collect());
        assert_eq!(expand("leaf0"), names(&["leaf0"]));
        assert_eq!(expand("r[8-10]a"), names(&["r8a", "r9a", "r10a"]));
    }

    #[test]
    fn other_brackets_are_refused() {
        for text in [
            "a[",
            "a]",
            "a[0]",
            "a[3-2]",
            "a[0-1][0-1]",
            "a[-1-2]",
            "a[0-99999999999]",
        ] {
            assert_eq!(expand(text), None, "{text}");
        }
    }
}
