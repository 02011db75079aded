//! Folding symmetric flows into classes.
//!
//! Flows and links form a bipartite graph. A partition of it is *equitable* if the flows of one
//! class cross equally many links of each class of links, and the links of one class are crossed
//! by equally many flows of each class of flows. Flows of one class then have equal max-min fair
//! rates, because progressive filling cannot tell them apart, and one path per class with loads
//! has the rates of all:
//!
//! ```text
//! all-to-all of 4 × 16 hosts over 16 spines: 4,032 flows, 256 links
//!     same leaf:  960 flows of one class,  15 on each link up from a host, 15 on each down
//!     other leaf: 3,072 flows of another,  48 on each of these, 48 on each link of a spine
//! ```
//!
//! The coarsest such partition comes from color refinement: start with the given colors and with
//! links by rate, and split classes by how often they meet another class until nothing changes.
//! Splitters are taken as in Hopcroft's algorithm (all parts but the largest), which takes
//! `O(m log n)` for `m` crossings (Berkholz, Bonsma and Grohe, *Theory Comput. Syst.* 60(4), 2017).

mod partition;

use units::{BytesPerSec, LinkId};

use partition::{Bipartite, Partition};

use crate::Path;

/// A class of flows that behave alike.
#[derive(Clone, Debug, PartialEq)]
pub struct PathClass {
    /// The color that its flows were given.
    pub color: u32,
    /// How many flows it has.
    pub members: u32,
    /// The first of them.
    pub first: u32,
    /// Classes of links that its flows cross, with the number of its flows on each link.
    pub links: Vec<(u32, f64)>,
}

impl PathClass {
    /// The class as one path of a network of [`Folded::link_rates`].
    pub fn path(&self, cap: Option<BytesPerSec>) -> Path {
        Path {
            links: self.links.clone(),
            cap,
        }
    }
}

/// Flows and links by class.
#[derive(Clone, Debug, PartialEq)]
pub struct Folded {
    /// The classes of flows, in the order of their first flows.
    pub classes: Vec<PathClass>,
    /// The class of each flow.
    pub class_of: Vec<u32>,
    /// The rate of a link of each class of links: the links of the folded network.
    pub link_rates: Vec<BytesPerSec>,
    /// How many links each class of links has.
    pub link_members: Vec<u32>,
    /// The class of each link, for links that a flow crosses.
    pub link_class_of: Vec<Option<u32>>,
}

/// The coarsest classes of flows that max-min fairness cannot tell apart.
///
/// * `flows` — color and links of each. Flows of different colors are never joined: a color says
///   what else must be equal, such as size, start, cap and weight.
/// * `rates` — by link.
///
/// Holds as long as the flows of a class start and end together.
///
/// # Panics
///
/// If a flow crosses a link that has no rate.
pub fn fold(flows: &[(u32, Vec<LinkId>)], rates: &[BytesPerSec]) -> Folded {
    let graph = Bipartite::new(flows, rates.len());
    let mut colors: Vec<u64> = flows.iter().map(|(color, _)| u64::from(*color)).collect();
    colors.extend(
        graph
            .links
            .iter()
            .map(|link| rates[link.index()].as_f64().to_bits()),
    );
    let mut partition = Partition::new(&colors, graph.n_flows);
    partition.refine(&graph);
    quotient(flows, rates, &graph, &partition)
}

/// The classes that an equitable partition makes.
fn quotient(
    flows: &[(u32, Vec<LinkId>)],
    rates: &[BytesPerSec],
    graph: &Bipartite,
    partition: &Partition,
) -> Folded {
    let (flow_cells, link_cells) = partition.cell_of.split_at(graph.n_flows);
    let mut numbers = vec![None; partition.cells.len()];
    let mut folded = Folded {
        classes: Vec::new(),
        class_of: Vec::with_capacity(flows.len()),
        link_rates: Vec::new(),
        link_members: Vec::new(),
        link_class_of: vec![None; rates.len()],
    };
    for (&cell, link) in link_cells.iter().zip(&graph.links) {
        let class = *numbers[cell as usize].get_or_insert_with(|| {
            folded.link_rates.push(rates[link.index()]);
            folded.link_members.push(partition.cells[cell as usize].len);
            number(folded.link_rates.len() - 1)
        });
        folded.link_class_of[link.index()] = Some(class);
    }
    for (index, &cell) in flow_cells.iter().enumerate() {
        let class = *numbers[cell as usize].get_or_insert_with(|| {
            let members = partition.cells[cell as usize].len;
            folded.classes.push(PathClass {
                color: flows[index].0,
                members,
                first: number(index),
                links: loads(&flows[index].1, members, &folded),
            });
            number(folded.classes.len() - 1)
        });
        folded.class_of.push(class);
    }
    folded
}

/// Flows of a class on each link, by class of links, from the path of one of its members.
fn loads(path: &[LinkId], members: u32, folded: &Folded) -> Vec<(u32, f64)> {
    let class = |link: &LinkId| folded.link_class_of[link.index()].expect("the link is in use");
    let mut classes: Vec<u32> = path.iter().map(class).collect();
    classes.sort_unstable();
    let crossed = classes.chunk_by(|a, b| a == b);
    let load = |same: &[u32]| {
        let links = folded.link_members[same[0] as usize];
        f64::from(members) * same.len() as f64 / f64::from(links)
    };
    crossed.map(|same| (same[0], load(same))).collect()
}

fn number(n: usize) -> u32 {
    u32::try_from(n).expect("no fabric has 2³² crossings")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(links: &[u32]) -> Vec<LinkId> {
        links.iter().map(|&link| LinkId::new(link)).collect()
    }

    #[test]
    fn a_ring_folds_to_one_class() {
        let n = 50_u32;
        let flows: Vec<_> = (0..n).map(|i| (0, path(&[i, n + (i + 1) % n]))).collect();
        let rates = vec![BytesPerSec::from_gbytes(1.0).unwrap(); 2 * n as usize];
        let folded = fold(&flows, &rates);
        assert_eq!(folded.classes.len(), 1);
        assert_eq!(folded.classes[0].members, n);
        assert_eq!(folded.link_members, [2 * n]);
        assert_eq!(folded.classes[0].links, [(0, 1.0)]);
    }

    #[test]
    fn a_slow_link_breaks_the_symmetry_only_where_it_is_felt() {
        let rate = |gbytes| BytesPerSec::from_gbytes(gbytes).unwrap();
        let flows: Vec<_> = (0..4).map(|i| (0, path(&[i, 4 + i / 2]))).collect();
        let mut rates = vec![rate(1.0); 6];
        assert_eq!(fold(&flows, &rates).classes.len(), 1);
        rates[0] = rate(0.5);
        // The flow itself, the one that shares its second link, and the other two.
        assert_eq!(fold(&flows, &rates).class_of, [0, 1, 2, 2]);
    }

    #[test]
    fn colors_are_never_joined_and_no_flow_is_lost() {
        let flows = vec![
            (7, path(&[0])),
            (9, path(&[0])),
            (7, path(&[])),
            (7, path(&[])),
        ];
        let folded = fold(&flows, &[BytesPerSec::from_gbytes(1.0).unwrap(); 3]);
        assert_eq!(folded.class_of, [0, 1, 2, 2]);
        assert_eq!(folded.link_class_of, [Some(0), None, None]);
        assert_eq!(fold(&[], &[]).classes, []);
    }

    #[test]
    fn a_chain_of_neighbors_is_told_apart_from_its_ends() {
        let n = 41_u32;
        let flows: Vec<_> = (0..n).map(|i| (0, path(&[i, i + 1]))).collect();
        let rates = vec![BytesPerSec::from_gbytes(1.0).unwrap(); n as usize + 1];
        assert_eq!(fold(&flows, &rates).classes.len(), 21);
    }
}
