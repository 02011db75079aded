//! `[scale_up]` of a node: what connects its GPUs.

use cluster::spec::DEFAULT_SCALE_UP_LATENCY;
use cluster::{MeshLink, ScaleUpSpec};

use crate::error::Problem;
use crate::fields::Fields;
use crate::shape::{Shape, array, duration, list, mapped, one_of, rate, whole};

/// The kinds of scale-up connections, as files write them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ScaleUpKind {
    NvSwitch,
    Mesh,
    FullMesh,
    Pcie,
}

pub(super) fn scale_up(t: &mut Fields<'_, '_>) -> ScaleUpSpec {
    use ScaleUpKind::{FullMesh, Mesh, NvSwitch, Pcie};
    let kinds = vec![
        ("nvswitch", NvSwitch),
        ("mesh", Mesh),
        ("full-mesh", FullMesh),
        ("pcie", Pcie),
    ];
    let kind = t
        .get("kind", "what connects the GPUs", one_of(kinds))
        .required();
    let of_one = "one direction: of one GPU (nvswitch), one link (mesh), one pair (full-mesh)";
    let given_rate = t.get("rate", of_one, rate()).optional();
    let latency = t
        .get("latency", "latency of one link", duration())
        .or(DEFAULT_SCALE_UP_LATENCY);
    let domain_nodes = t
        .get(
            "domain_nodes",
            "nvswitch: nodes behind one switch",
            whole(1),
        )
        .or(1);
    let link = mapped(array::<3, _>(whole::<u32>(0)), |[a, b, count]| MeshLink {
        gpus: [a, b],
        count,
    });
    let links = t
        .get(
            "links",
            "mesh: every pair with links as [gpu, gpu, count]",
            list(link),
        )
        .optional();
    if kind != Mesh && links.is_some() {
        t.report("links", not_for("links", "kind = \"mesh\""));
    }
    if kind != NvSwitch && t.has("domain_nodes") {
        t.report(
            "domain_nodes",
            not_for("domain_nodes", "kind = \"nvswitch\""),
        );
    }
    if kind != Pcie && !t.has("rate") {
        t.missing("rate", rate().kind().expected());
    }
    let rate = given_rate.unwrap_or_else(|| rate().blank());
    match kind {
        NvSwitch => ScaleUpSpec::NvSwitch {
            rate,
            latency,
            domain_nodes,
        },
        Mesh => ScaleUpSpec::Mesh {
            rate,
            latency,
            links: links.unwrap_or_default(),
        },
        FullMesh => ScaleUpSpec::FullMesh { rate, latency },
        Pcie => ScaleUpSpec::Pcie,
    }
}

fn not_for(key: &str, condition: &str) -> Problem {
    Problem::Conflict {
        message: format!("`{key}` is only for {condition}"),
        hint: format!("remove `{key}`"),
    }
}
