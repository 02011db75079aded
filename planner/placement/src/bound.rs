//! Lower bounds on hops and rings.

use petgraph::algo::tarjan_scc;
use petgraph::graph::DiGraph;

/// Above this coarser bounds have to do: the assignment takes time of the cube of the servers.
const MOST_FOR_ASSIGNMENT: usize = 400;

/// What `q` paths through all servers cost at least: the cheapest assignment of `n − q` successors,
/// in which no server has two and none is that of two. It may close circles, so that paths cost
/// more. For many servers: the cheapest ways to leave all servers but `q`.
pub(crate) fn least_hops(n: usize, q: usize, link: impl Fn(usize, usize) -> f64) -> f64 {
    if n <= q {
        return 0.0;
    }
    if MOST_FOR_ASSIGNMENT < n {
        return least_departures(n, q, &link);
    }
    let widest = pairs(n)
        .map(|(from, to)| link(from, to))
        .fold(0.0, f64::max);
    let forbidden = (widest + f64::MIN_POSITIVE) * 4.0 * (n + q) as f64;
    // Rows `n..` start the paths, columns `n..` end them.
    let cost = |row: usize, column: usize| match (row < n, column < n) {
        (true, true) if row != column => link(row, column),
        (true, true) | (false, false) => forbidden,
        _ => 0.0,
    };
    assignment(n + q, cost)
}

fn least_departures(n: usize, q: usize, link: &impl Fn(usize, usize) -> f64) -> f64 {
    let cheapest = |from: usize| {
        let others = (0..n).filter(|to| *to != from);
        others
            .map(|to| link(from, to))
            .fold(f64::INFINITY, f64::min)
    };
    let mut departures: Vec<f64> = (0..n).map(cheapest).collect();
    departures.sort_by(f64::total_cmp);
    departures[..n - q].iter().sum()
}

/// The cheapest assignment of rows to columns, by shortest augmenting paths (Jonker and Volgenant,
/// Computing 38, 1987, without its first phases). `O(n³)`.
fn assignment(n: usize, cost: impl Fn(usize, usize) -> f64) -> f64 {
    // Column `n` is where the row that looks for a column stands.
    let mut row_of = vec![usize::MAX; n + 1];
    let (mut rows, mut columns) = (vec![0.0; n], vec![0.0; n + 1]);
    for row in 0..n {
        row_of[n] = row;
        let back = shortest_path(&cost, &mut row_of, &mut rows, &mut columns);
        let (mut at, came_from) = back;
        while at != n {
            row_of[at] = row_of[came_from[at]];
            at = came_from[at];
        }
    }
    (0..n).map(|column| cost(row_of[column], column)).sum()
}

/// From the row at column `n` to a free column: that column, and the column before each on the
/// way. Prices of rows and columns follow.
fn shortest_path(
    cost: &impl Fn(usize, usize) -> f64,
    row_of: &mut [usize],
    rows: &mut [f64],
    columns: &mut [f64],
) -> (usize, Vec<usize>) {
    let n = rows.len();
    let mut distance = vec![f64::INFINITY; n];
    let (mut came_from, mut used) = (vec![n; n], vec![false; n + 1]);
    let mut at = n;
    while row_of[at] != usize::MAX {
        used[at] = true;
        let row = row_of[at];
        let (mut step, mut next) = (f64::INFINITY, n);
        for column in (0..n).filter(|column| !used[*column]) {
            let reduced = cost(row, column) - rows[row] - columns[column];
            if reduced < distance[column] {
                (distance[column], came_from[column]) = (reduced, at);
            }
            if distance[column] < step {
                (step, next) = (distance[column], column);
            }
        }
        for column in 0..=n {
            if used[column] {
                rows[row_of[column]] += step;
                columns[column] -= step;
            } else if column < n {
                distance[column] -= step;
            }
        }
        at = next;
    }
    (at, came_from)
}

/// The slowest link of any ring of `q` of the servers, at least: below it, no `q` servers reach
/// each other. Exact for two servers. For many servers: the slowest of the fastest links by which
/// they are left and entered.
pub(crate) fn least_ring(n: usize, q: usize, link: impl Fn(usize, usize) -> f64) -> f64 {
    if q < 2 {
        return 0.0;
    }
    if q == 2 {
        let both = pairs(n).map(|(a, b)| link(a, b).max(link(b, a)));
        return both.fold(f64::INFINITY, f64::min);
    }
    let least = least_degrees(n, q, &link);
    if MOST_FOR_ASSIGNMENT < n {
        return least;
    }
    let mut values: Vec<f64> = pairs(n).map(|(from, to)| link(from, to)).collect();
    values.retain(|value| least <= *value);
    values.sort_by(f64::total_cmp);
    values.dedup();
    let enough = values.partition_point(|value| !connects(n, q, *value, &link));
    values.get(enough).copied().unwrap_or(0.0)
}

/// Each server of a ring is left over a link and entered over one.
fn least_degrees(n: usize, q: usize, link: &impl Fn(usize, usize) -> f64) -> f64 {
    let (mut leave, mut enter) = (vec![f64::INFINITY; n], vec![f64::INFINITY; n]);
    for (from, to) in pairs(n) {
        let time = link(from, to);
        leave[from] = leave[from].min(time);
        enter[to] = enter[to].min(time);
    }
    let mut both: Vec<f64> = leave.iter().zip(&enter).map(|(a, b)| a.max(*b)).collect();
    both.sort_by(f64::total_cmp);
    both.get(q - 1).copied().unwrap_or(0.0)
}

/// Whether `q` servers reach each other over links no slower than the limit.
fn connects(n: usize, q: usize, limit: f64, link: &impl Fn(usize, usize) -> f64) -> bool {
    let index = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    let fast = pairs(n).filter(|(from, to)| link(*from, *to) <= limit);
    let graph = DiGraph::<(), ()>::from_edges(fast.map(|(from, to)| (index(from), index(to))));
    tarjan_scc(&graph).iter().any(|part| q <= part.len())
}

fn pairs(n: usize) -> impl Iterator<Item = (usize, usize)> {
    let of = move |from: usize| {
        (0..n)
            .filter(move |to| *to != from)
            .map(move |to| (from, to))
    };
    (0..n).flat_map(of)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_assignment_is_the_cheapest_permutation() {
        let costs = [[4.0, 1.0, 3.0], [2.0, 0.0, 5.0], [3.0, 2.0, 2.0]];
        assert!((assignment(3, |row, column| costs[row][column]) - 5.0).abs() < 1e-12);
    }

    #[test]
    fn equal_links_have_exact_bounds() {
        assert!((least_hops(12, 3, |_, _| 2.0) - 18.0).abs() < 1e-12);
        assert!((least_ring(12, 3, |_, _| 2.0) - 2.0).abs() < 1e-12);
    }

    #[test]
    fn a_ring_avoids_one_slow_server_unless_it_needs_all() {
        let link = |from: usize, to: usize| if from == 0 || to == 0 { 9.0 } else { 1.0 };
        assert!((least_ring(4, 3, link) - 1.0).abs() < 1e-12);
        assert!((least_ring(4, 4, link) - 9.0).abs() < 1e-12);
    }
}
