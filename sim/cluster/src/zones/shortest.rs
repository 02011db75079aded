//! Zones that route by the fewest links, with ties as `SimGrid` breaks them.
//!
//! Ways from a source are computed when they are first asked for, in a row of one number by
//! member: a zone of which a run uses a part costs that part.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::sync::OnceLock;

use super::edge::{Edge, Edges};

/// No number of a member.
const NONE: u32 = u32::MAX;

/// Members with the routes that lead on from each, in the order of the file.
#[derive(Clone, Debug, Default)]
struct Graph {
    /// By member, where a route leads and how many links it has.
    next: Vec<Vec<(u32, u32)>>,
    rows: Vec<OnceLock<Box<[u32]>>>,
}

impl Graph {
    fn grow(&mut self, members: usize) {
        self.next.resize(members.max(self.next.len()), Vec::new());
        self.rows.resize(self.next.len(), OnceLock::new());
    }

    fn add(&mut self, from: u32, to: u32, edge: &Edge) {
        self.grow(from.max(to) as usize + 1);
        let links = u32::try_from(edge.links.len()).unwrap_or(NONE);
        self.next[from as usize].push((to, links));
    }

    /// The row of a source, computed once.
    fn row(&self, source: u32, compute: impl Fn(&Self, u32) -> Vec<u32>) -> Option<&[u32]> {
        let row = self.rows.get(source as usize)?;
        Some(row.get_or_init(|| compute(self, source).into_boxed_slice()))
    }

    /// Visits members by their distance from a source and, at one distance, by their numbers.
    /// `reach` is told of every route onwards: the member, the one that it leads to, how far that
    /// is through the member, and how far it was known to be.
    fn visit(&self, source: u32, mut reach: impl FnMut(u32, u32, u64, u64)) {
        let mut distances = vec![u64::MAX; self.next.len()];
        distances[source as usize] = 0;
        let mut queue = BinaryHeap::from([Reverse((0_u64, source))]);
        while let Some(Reverse((distance, at))) = queue.pop() {
            if distances[at as usize] < distance {
                continue;
            }
            for &(next, links) in &self.next[at as usize] {
                let (through, known) = (distance + u64::from(links), distances[next as usize]);
                reach(at, next, through, known);
                if through < known {
                    distances[next as usize] = through;
                    queue.push(Reverse((through, next)));
                }
            }
        }
    }
}

/// A zone of routing Floyd: the algorithm of Floyd and Warshall over members in their order, where
/// a later middle must be strictly better.
///
/// It need not be run. The distance between two members is final after the middle `m` that is the
/// least, over all shortest ways, of the highest member inside a way; and that middle makes the
/// member before the end the one before the end on the way from `m`. So a row holds `m` by member,
/// which follows from the members before in the order of distance.
#[derive(Clone, Debug, Default)]
pub(super) struct Floyd {
    pub(super) edges: Edges,
    graph: Graph,
}

/// In rows of Floyd zones: the route itself is a shortest way. A middle is its number plus 1.
const DIRECT: u32 = 0;

impl Floyd {
    pub(super) fn add(&mut self, from: u32, to: u32, edge: Edge) -> bool {
        self.graph.add(from, to, &edge);
        self.edges.add(from, to, edge)
    }

    /// Middles from a source.
    fn middles(graph: &Graph, source: u32) -> Vec<u32> {
        let mut middles = vec![NONE; graph.next.len()];
        let mut highest = |at: u32, next: u32, through: u64, known: u64| {
            let middle = if at == source {
                DIRECT
            } else {
                middles[at as usize].max(at + 1)
            };
            // Routes have links, so what is nearer is settled before it leads on.
            if through < known {
                middles[next as usize] = middle;
            } else if through == known {
                middles[next as usize] = middles[next as usize].min(middle);
            }
        };
        graph.visit(source, &mut highest);
        middles
    }

    /// The member before the end of the way.
    fn before(&self, from: u32, to: u32) -> Option<u32> {
        let mut source = from;
        loop {
            let row = self.graph.row(source, Self::middles)?;
            match *row.get(to as usize)? {
                NONE => return None,
                DIRECT => return Some(source),
                middle => source = middle - 1,
            }
        }
    }

    /// Appends the members on the way, both ends included.
    pub(super) fn members_on_way(&self, from: u32, to: u32, out: &mut Vec<u32>) -> Option<()> {
        if from == to {
            return itself(&self.edges, from, out);
        }
        walk_back(|at| self.before(from, at), from, to, out)
    }
}

/// From a member to itself only a route that is listed as such leads.
fn itself(edges: &Edges, member: u32, out: &mut Vec<u32>) -> Option<()> {
    edges.get(member, member)?;
    out.extend([member, member]);
    Some(())
}

/// Follows the members before from `to` back to `from`.
fn walk_back(
    before: impl Fn(u32) -> Option<u32>,
    from: u32,
    to: u32,
    out: &mut Vec<u32>,
) -> Option<()> {
    let first = out.len();
    let mut at = to;
    while at != from {
        out.push(at);
        at = before(at)?;
    }
    out.push(from);
    out[first..].reverse();
    Some(())
}

/// A zone of routing Dijkstra: from each source, members leave the queue by links and then by the
/// order in which routes named them first; a later way must be strictly better.
#[derive(Clone, Debug, Default)]
pub(super) struct Dijkstra {
    pub(super) edges: Edges,
    /// By member, its place in the order in which routes named members.
    order: HashMap<u32, u32>,
    /// Members in that order.
    named: Vec<u32>,
    graph: Graph,
}

impl Dijkstra {
    pub(super) fn add(&mut self, from: u32, to: u32, edge: Edge) -> bool {
        let [a, b] = [from, to].map(|member| self.place(member));
        self.graph.add(a, b, &edge);
        self.edges.add(from, to, edge)
    }

    fn place(&mut self, member: u32) -> u32 {
        let new = u32::try_from(self.named.len()).unwrap_or(NONE);
        let place = *self.order.entry(member).or_insert(new);
        if place == new {
            self.named.push(member);
        }
        place
    }

    /// Members that routes name.
    pub(super) fn named(&self) -> &[u32] {
        &self.named
    }

    /// By place, the place before it on the way from a source.
    fn befores(graph: &Graph, source: u32) -> Vec<u32> {
        let mut befores = vec![NONE; graph.next.len()];
        graph.visit(source, |at, next, through, known| {
            if through < known {
                befores[next as usize] = at;
            }
        });
        befores
    }

    /// Appends the members on the way, both ends included.
    pub(super) fn members_on_way(&self, from: u32, to: u32, out: &mut Vec<u32>) -> Option<()> {
        if from == to {
            return itself(&self.edges, from, out);
        }
        let [&a, &b] = [self.order.get(&from)?, self.order.get(&to)?];
        let row = self.graph.row(a, Self::befores)?;
        let before = |at: u32| Some(*row.get(at as usize)?).filter(|&before| before != NONE);
        let first = out.len();
        walk_back(before, a, b, out)?;
        for place in &mut out[first..] {
            *place = self.named[*place as usize];
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use units::LinkId;

    use super::*;

    fn edge(links: u32) -> Edge {
        Edge {
            links: vec![LinkId::new(0); links as usize].into(),
            gateways: None,
        }
    }

    /// By source and end, the member before the end, by the algorithm itself.
    fn floyd_warshall(members: usize, routes: &[(u32, u32, u32)]) -> Vec<Vec<Option<u32>>> {
        let mut cost = vec![vec![None::<u32>; members]; members];
        let mut before = vec![vec![None; members]; members];
        for &(from, to, links) in routes {
            cost[from as usize][to as usize] = Some(links);
            before[from as usize][to as usize] = Some(from);
        }
        for middle in 0..members {
            for from in 0..members {
                for to in 0..members {
                    let (Some(there), Some(on)) = (cost[from][middle], cost[middle][to]) else {
                        continue;
                    };
                    if cost[from][to].is_none_or(|known| there + on < known) {
                        cost[from][to] = Some(there + on);
                        before[from][to] = before[middle][to];
                    }
                }
            }
        }
        before
    }

    fn routes() -> impl Strategy<Value = Vec<(u32, u32, u32)>> {
        let route = (0..12_u32, 0..12_u32, 1..4_u32);
        prop::collection::vec(route, 0..60).prop_map(|mut routes| {
            routes.retain(|&(from, to, _)| from != to);
            routes.sort_unstable();
            routes.dedup_by_key(|&mut (from, to, _)| (from, to));
            routes
        })
    }

    proptest! {
        #[test]
        fn middles_give_the_ways_of_floyd_and_warshall(routes in routes()) {
            let mut floyd = Floyd::default();
            for &(from, to, links) in &routes {
                floyd.add(from, to, edge(links));
            }
            let expected = floyd_warshall(12, &routes);
            for (from, row) in (0..).zip(&expected) {
                for (to, &before) in (0..).zip(row).filter(|&(to, _)| to != from) {
                    prop_assert_eq!(floyd.before(from, to), before, "from {} to {}", from, to);
                }
            }
        }
    }

    #[test]
    fn members_that_no_route_names_are_not_reached() {
        let mut dijkstra = Dijkstra::default();
        dijkstra.add(3, 5, edge(1));
        let mut way = Vec::new();
        assert_eq!(dijkstra.members_on_way(3, 5, &mut way), Some(()));
        assert_eq!(way, [3, 5]);
        assert_eq!(dijkstra.members_on_way(5, 3, &mut way), None);
        assert_eq!(dijkstra.members_on_way(3, 4, &mut way), None);
    }
}
